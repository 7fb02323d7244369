"""A mail opened for IMAP: the octets a section names, and the texts a search reads.

The tree is built at the first question that needs it, in a thread when the mail is large.
"""

from __future__ import annotations

import asyncio
import binascii
import quopri
from collections.abc import Callable
from email.errors import HeaderParseError
from email.header import decode_header
from typing import TypeVar

from pymap.parsing.specials import FetchAttribute

from adapters.imap.mime import Field, Part, end_of_header, header_fields, part_at, scan
from adapters.imap.structure import body_structure, envelope

T = TypeVar("T")

LARGE_BYTES = 1024 * 1024
LARGE_HEADER_BYTES = 8 * 1024
_TEXT_BYTES = 4 * 1024 * 1024  # of one text part: what a search reads


class OpenedMail:
    """One mail in memory."""

    __slots__ = ("_fields", "_header_end", "_root", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._header_end = end_of_header(data, 0, len(data))
        self._fields: tuple[Field, ...] | None = None
        self._root: Part | None = None

    @property
    def root(self) -> Part:
        """The MIME tree; built now if it was not (call `grown` first for a large mail)."""
        if self._root is None:
            self._root = scan(self.data)
        return self._root

    async def grown(self) -> OpenedMail:
        """The same mail with its tree built, off the event loop when the mail is large."""
        if self._root is None and len(self.data) > LARGE_BYTES:
            self._root = await asyncio.to_thread(scan, self.data)
        return self

    async def ask(self, question: Callable[[OpenedMail], T]) -> T:
        """`question(self)`, off the event loop when the mail is large."""
        if len(self.data) > LARGE_BYTES:
            return await asyncio.to_thread(question, self)
        return question(self)

    # ------------------------------------------------------------------------------------------------------ fetching

    def envelope(self) -> bytes:
        """The ENVELOPE; needs the header alone."""
        return envelope(Part(0, self._header_end, self._header_end, self.fields, b"text/plain", ()))

    async def enveloped(self) -> bytes:
        """The same, off the event loop when the header is large: its addresses cost a microsecond for each octet."""
        if self._header_end > LARGE_HEADER_BYTES:
            return await asyncio.to_thread(self.envelope)
        return self.envelope()

    def structure(self, *, extended: bool) -> bytes:
        """BODYSTRUCTURE, or BODY."""
        return body_structure(self.data, self.root, extended=extended)

    def section(self, section: FetchAttribute.Section) -> memoryview:
        """The octets of `BODY[section]`; empty when there is no such part."""
        view = memoryview(self.data)
        specifier, path = section.specifier, section.parts
        if not path and specifier is None:
            return view
        if not path and specifier == b"TEXT":
            return view[self._header_end :]
        if not path:
            return self._header(0, self._header_end, section)
        part = part_at(self.root, path)
        if part is None:
            return view[:0]
        if specifier is None:
            return view[part.body : part.end]
        if specifier == b"MIME":
            return view[part.start : part.body]
        inner = part.embedded
        if inner is None:
            return view[:0]
        if specifier == b"TEXT":
            return view[inner.body : inner.end]
        return self._header(inner.start, inner.body, section)

    def _header(self, start: int, end: int, section: FetchAttribute.Section) -> memoryview:
        """A header, whole or the fields asked for (HEADER.FIELDS, HEADER.FIELDS.NOT), with its empty line."""
        header = self.data[start:end]
        if section.specifier == b"HEADER":
            return memoryview(header)
        wanted = {name.strip(b'"').lower() for name in section.headers or ()}
        inverse = section.specifier == b"HEADER.FIELDS.NOT"
        kept = (f.raw for f in header_fields(header) if f.raw.strip() and (f.name in wanted) != inverse)
        return memoryview(b"".join(kept) + b"\r\n")

    def decoded(self, path: tuple[int, ...]) -> bytes:
        """The octets of `BINARY[path]`: a leaf without its transfer encoding (RFC 3516)."""
        if not path:
            return self.data
        part = part_at(self.root, path)
        return b"" if part is None else _decoded(self.data[part.body : part.end], part.encoding)

    # ----------------------------------------------------------------------------------------------------- searching

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields of the message's own header."""
        if self._fields is None:
            self._fields = header_fields(self.data[: self._header_end])
        return self._fields

    def texts_of(self, name: bytes) -> tuple[str, ...]:
        """The values of a header field, by lower-case name, decoded."""
        return tuple(decoded_words(f.value) for f in self.fields if f.name == name)

    def mentions(self, wanted: str, *, headers: bool) -> bool:
        """Whether a text part (or, with `headers`, a header field too) holds `wanted`, whatever the case."""
        wanted = wanted.casefold()
        if headers and any(wanted in decoded_words(f.raw).casefold() for f in self.fields):
            return True
        return any(wanted in text.casefold() for text in self._texts(self.root))

    def _texts(self, part: Part) -> list[str]:
        if part.children:
            return [text for child in part.children for text in self._texts(child)]
        if not part.kind.startswith(b"text/"):
            return []
        octets = _decoded(self.data[part.body : min(part.end, part.body + _TEXT_BYTES)], part.encoding)
        charset = next((value for name, value in part.params if name == b"charset"), b"utf-8")
        return [_read(octets, charset.decode("latin-1"))]


def decoded_words(value: bytes) -> str:
    """A header value with its encoded words (RFC 2047) read; never raises."""
    text = _read(value, "utf-8")
    if "=?" not in text:
        return text
    try:
        pieces = decode_header(text)
    except (ValueError, binascii.Error, HeaderParseError):
        return text
    return "".join(piece if isinstance(piece, str) else _read(piece, charset or "utf-8") for piece, charset in pieces)


def _read(octets: bytes, charset: str) -> str:
    try:
        return octets.decode(charset)
    except (LookupError, ValueError):
        return octets.decode("latin-1")


def _decoded(octets: bytes, encoding: bytes) -> bytes:
    if encoding == b"base64":
        try:
            return binascii.a2b_base64(octets)
        except binascii.Error:
            return octets
    if encoding == b"quoted-printable":
        return quopri.decodestring(octets)
    return octets
