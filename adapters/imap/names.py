"""Names of folders: modified UTF-7 read safely, and which names a folder may bear.

Deviation from pymap 0.36.7: its decoder loops forever on `&` without `-` and raises on invalid base64. So the names of
every command that carries one are read here first, and what is no name is refused with BAD before pymap decodes it.
Source: RFC 3501 § 5.1.3.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from copy import copy

from pymap.parsing import Params, Space
from pymap.parsing.command.auth import ListCommand
from pymap.parsing.exceptions import NotParseable
from pymap.parsing.specials import AString, SequenceSet
from pymap.parsing.state import ParsingState

DELIMITER = "/"
LONGEST_NAME = 200
MOST_WILDCARDS = 4

_SHIFTED = re.compile(rb"&([^-]*)-?")
_WHOLE = re.compile(rb"(?:[\x20-\x25\x27-\x7e]|&[A-Za-z0-9+,]*-)*")


def decoded_name(raw: bytes) -> str | None:
    """The name behind modified UTF-7; None when it is none, or holds what no name may hold."""
    if _WHOLE.fullmatch(raw) is None:
        return None
    pieces: list[str] = []
    at = 0
    for match in _SHIFTED.finditer(raw):
        pieces.append(raw[at : match.start()].decode("ascii"))
        at = match.end()
        coded = match.group(1)
        if not coded:
            pieces.append("&")
            continue
        try:
            octets = base64.b64decode(coded.replace(b",", b"/") + b"=" * (-len(coded) % 4), validate=True)
            pieces.append(octets.decode("utf-16-be"))
        except (binascii.Error, ValueError):
            return None
    pieces.append(raw[at:].decode("ascii"))
    return "".join(pieces)


def valid_name(name: str) -> bool:
    """Whether a folder may be created under this name: no empty level, no wildcard, no control, of a sane length."""
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or any(c in name for c in "*%\\"):
        return False
    return all(level.strip() for level in name.split(DELIMITER))


def check_names(command: bytes, buf: memoryview, params: Params) -> None:
    """Read ahead the names that `command` carries; its arguments are at the head of `buf`.

    Raises NotParseable when one is no modified UTF-7. Consumes nothing, neither of `buf` nor of the literals received.
    """
    reader = _READERS.get(command)
    if reader is not None:
        ahead = ParsingState(continuations=copy(params.state.continuations))  # type: ignore[arg-type]
        reader(buf, params.copy(ahead, command_name=b"NAME"))


def _name(buf: memoryview, params: Params) -> memoryview:
    _, buf = Space.parse(buf, params)
    name, after = AString.parse(buf, params)
    if decoded_name(name.value) is None:
        raise NotParseable(buf)
    return after


def _two_names(buf: memoryview, params: Params) -> memoryview:
    return _name(_name(buf, params), params)


def _name_after_set(buf: memoryview, params: Params) -> memoryview:
    _, buf = Space.parse(buf, params)
    _, buf = SequenceSet.parse(buf, params)
    return _name(buf, params)


def _reference_and_pattern(buf: memoryview, params: Params) -> memoryview:
    """LIST: a name, then a pattern which, outside quotes, may hold `*` and `%`; a few, for each costs a backtrack."""
    _, rest = Space.parse(_name(buf, params), params)
    bare = ListCommand._list_mailbox_pattern.match(rest)
    pattern = bare.group(0) if bare else AString.parse(rest, params)[0].value
    if decoded_name(pattern) is None or pattern.count(b"*") + pattern.count(b"%") > MOST_WILDCARDS:
        raise NotParseable(rest)
    return rest


_READERS: Mapping[bytes, Callable[[memoryview, Params], memoryview]] = {
    **dict.fromkeys(
        (b"APPEND", b"CREATE", b"DELETE", b"SELECT", b"EXAMINE", b"STATUS", b"SUBSCRIBE", b"UNSUBSCRIBE"), _name
    ),
    b"RENAME": _two_names,
    **dict.fromkeys((b"LIST", b"LSUB"), _reference_and_pattern),
    **dict.fromkeys((b"COPY", b"MOVE", b"UID COPY", b"UID MOVE"), _name_after_set),
}
