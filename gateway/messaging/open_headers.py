"""The header block of a mail, read by hand: order kept, folding undone, RFC 2047 decoded, 8-bit octets noticed.

Sources: RFC 5322 (fields, folding, addresses), RFC 2047 (encoded words), RFC 6532 (UTF-8 headers, accepted and told).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.errors import HeaderParseError
from email.header import decode_header
from email.utils import getaddresses

from gateway.messaging.model import Header

_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_NAME = re.compile(rb"[!-9;-~]{1,200}\Z")
_ENCODED_WORD = re.compile(r"=\?[^?\s]{1,60}\?[bBqQ]\?[^?\s]*\?=")
# A mailbox as nearly every mail writes it: bare, in brackets, with a plain or quoted name. The rest goes the long way.
_PLAIN_ADDRESS = re.compile(r'(?:"([^"\\]{0,400})"\s*|([^"\\<>(),;:@\[\]]{0,400}))<([^<>\s,;()"]+@[^<>\s,;()"]+)>\Z')
_BARE_ADDRESS = re.compile(r'[^<>\s,;:()"]+@[^<>\s,;:()"]+\Z')
_SHORT = 1000


@dataclass(frozen=True, slots=True)
class HeaderBlock:
    """The fields in order, the octets and fields there were in all, and the lines that are no header.

    `written` holds the same values before RFC 2047 decoding, by lower-case name, first occurrence: addresses are split
    there, so that a decoded name cannot pass for an address.
    """

    headers: tuple[Header, ...]
    size_bytes: int
    count: int
    broken: tuple[str, ...] = ()
    written: Mapping[str, str] = field(default_factory=dict)

    def first(self, name: str) -> str:
        """The first value of a field, decoded; '' when absent. `name` is in lower case."""
        written = self.written.get(name)
        return "" if written is None else decoded(written)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One address of an address field: display name decoded, address in lower case."""

    name: str
    address: str


def read_headers(raw: bytes, max_bytes: int, max_count: int) -> HeaderBlock:
    """The header block that starts `raw`. At most `max_bytes` and `max_count` are read; the totals tell if there was more."""
    if raw.startswith((b"\r\n", b"\n")):
        return HeaderBlock((), 0, 0)
    blank = _BLANK_LINE.search(raw)
    size = blank.start() if blank else len(raw)
    block = raw[: min(size, max_bytes)]
    count = block.count(b"\n") + 1 if block else 0
    fields, broken = _fields(block, max_count)
    headers: list[Header] = []
    written: dict[str, str] = {}
    for name, value in fields:
        label, text = name.decode("ascii"), as_text(value)
        headers.append(Header(label, decoded(text), not value.isascii()))
        written.setdefault(label.lower(), text)
    return HeaderBlock(tuple(headers), size, count, tuple(broken), written)


def _fields(block: bytes, max_count: int) -> tuple[list[tuple[bytes, bytes]], list[str]]:
    fields: list[tuple[bytes, bytes]] = []
    broken: list[str] = []
    lines: list[bytes] = []
    name = b""
    for line in block.split(b"\n"):
        line = line.rstrip(b"\r")
        if line[:1] in (b" ", b"\t") and name:
            lines.append(line)
            continue
        if name:
            fields.append((name, b"".join(lines)))
            if len(fields) >= max_count:
                return fields, broken
        name, colon, value = line.partition(b":")
        name = name.rstrip(b" \t")
        if colon and _NAME.match(name):
            lines = [value]
            continue
        if line.strip() and not (not fields and line.startswith(b"From ")) and len(broken) < 5:
            broken.append(line[:80].decode("ascii", "replace"))
        name = b""
    if name:
        fields.append((name, b"".join(lines)))
    return fields, broken


def as_text(value: bytes) -> str:
    """A raw header value as text: UTF-8, else Latin-1, without the blanks around."""
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        text = value.decode("latin-1")
    return text.strip()


def decoded(value: str) -> str:
    """RFC 2047 words decoded; a value that cannot be decoded is given as written."""
    if "=?" not in value or not _ENCODED_WORD.search(value):
        return value
    try:
        pieces = decode_header(value)
        return "".join(_piece(text, charset) for text, charset in pieces).strip()
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        return value


def _piece(text: str | bytes, charset: str | None) -> str:
    if isinstance(text, str):
        return text
    try:
        return text.decode(charset or "ascii", "replace")
    except LookupError:
        return text.decode("utf-8", "replace")


def mailboxes(value: str) -> tuple[Mailbox, ...]:
    """The addresses of a From, To or Cc value as written (not decoded), at most 1,000; what is no address is left out."""
    if len(value) < _SHORT:
        plain = _PLAIN_ADDRESS.match(value)
        if plain:
            return (Mailbox(decoded((plain[1] or plain[2] or "").strip()), plain[3].lower()),)
        if _BARE_ADDRESS.match(value):
            return (Mailbox("", value.lower()),)
    if "@" not in value:
        return ()
    try:
        found = getaddresses([value[:100_000]])
    except (ValueError, IndexError, TypeError, RecursionError):
        return ()
    return tuple(Mailbox(decoded(name), address.strip().lower()) for name, address in found[:1000] if "@" in address)
