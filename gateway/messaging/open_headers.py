"""The header block of a mail, read by hand: order kept, folding undone, RFC 2047 decoded, 8-bit octets noticed.

Sources: RFC 5322 (fields, folding, addresses), RFC 2047 (encoded words), RFC 6532 (UTF-8 headers, accepted and told).
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import getaddresses

from gateway.messaging.model import Header

_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_NAME = re.compile(rb"[!-9;-~]{1,200}\Z")
# Each part stops at the next `?`: a header of unfinished words costs one pass (the standard library's pattern does not).
_ENCODED_WORD = re.compile(r"=\?([^?\s*]{1,40})(?:\*[^?\s]{0,20})?\?([bBqQ])\?([^?]*)\?=")
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
    """RFC 2047 words decoded; a word that cannot be decoded is given as written.

    Blanks between two words are dropped, and words of one charset are joined before they are decoded: senders cut
    accented letters in two.
    """
    if "=?" not in value:
        return value
    out: list[str] = []
    octets, charset, at = b"", "", 0
    for word in _ENCODED_WORD.finditer(value):
        between = value[at : word.start()]
        joined = at > 0 and not between.strip()
        if not joined or word[1].lower() != charset:
            out.append(_characters(octets, charset))
            octets = b""
        if not joined:
            out.append(between)
        charset, at = word[1].lower(), word.end()
        octets += _octets(word[2], word[3])
    if at == 0:
        return value
    out.append(_characters(octets, charset))
    return ("".join(out) + value[at:]).strip()


def _octets(encoding: str, text: str) -> bytes:
    raw = text.encode("utf-8", "surrogatepass")
    if encoding in "qQ":
        return binascii.a2b_qp(raw, header=True)
    try:
        return binascii.a2b_base64(raw + b"=" * (-len(raw) % 4))
    except binascii.Error:
        return raw


def _characters(octets: bytes, charset: str) -> str:
    if not octets:
        return ""
    try:
        return octets.decode(charset, "replace")
    except (LookupError, UnicodeError):
        return octets.decode("utf-8", "replace")


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
