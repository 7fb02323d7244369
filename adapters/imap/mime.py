"""The MIME tree of a mail as IMAP numbers it: where each part begins and ends in the raw octets. Nothing is copied.

Sources: RFC 2045, RFC 2046 § 5.1 (the line break before a delimiter belongs to the delimiter), RFC 3501 § 6.4.5 (part
numbers). Tolerant: what is malformed becomes a leaf; depth and number of parts are bounded, so hostile nesting costs
nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

MAX_DEPTH = 20
MAX_PARTS = 1000

_FOLDS = re.compile(rb"(?<=\n)(?![ \t])")
_NAME = re.compile(rb"([!-9;-~]+)[ \t]*:")
_TYPE = re.compile(rb"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*/\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)")
_TOKEN = re.compile(rb"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)")
_PARAM = re.compile(rb';\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]*))', re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_BREAKS = re.compile(rb"[\r\n\0]+")
_PLAIN_ENCODINGS = (b"", b"7bit", b"8bit", b"binary")


@dataclass(frozen=True, slots=True)
class Field:
    """One header field: name in lower case, the octets as they stand (folds and final line break included)."""

    name: bytes
    raw: bytes

    @property
    def value(self) -> bytes:
        """What follows the colon, unfolded, without outer white space."""
        return _BREAKS.sub(b"", self.raw.partition(b":")[2]).strip()


@dataclass(frozen=True, slots=True)
class Parameterised:
    """A field such as Content-Type or Content-Disposition: its value in lower case and its parameters in order."""

    value: bytes
    params: tuple[tuple[bytes, bytes], ...] = ()

    def param(self, name: bytes) -> bytes:
        """One parameter by its lower-case name; b'' when absent."""
        return next((value for key, value in self.params if key == name), b"")


@dataclass(frozen=True, slots=True)
class Part:
    """A part: its header is `[start, body)` of the raw octets, its body `[body, end)`.

    `kind` is `type/subtype`. A multipart has at least one child; a `message/rfc822` exactly one, the message inside.
    """

    start: int
    body: int
    end: int
    fields: tuple[Field, ...]
    kind: bytes
    params: tuple[tuple[bytes, bytes], ...]
    children: tuple[Part, ...] = ()

    @property
    def multipart(self) -> bool:
        """Whether its children are numbered parts."""
        return bool(self.children) and self.kind.startswith(b"multipart/")

    @property
    def embedded(self) -> Part | None:
        """The message inside a `message/rfc822`."""
        return self.children[0] if self.children and not self.multipart else None

    def field(self, name: bytes) -> bytes | None:
        """The value of the first field of that lower-case name."""
        return next((f.value for f in self.fields if f.name == name), None)

    @property
    def encoding(self) -> bytes:
        """Content-Transfer-Encoding in lower case; b'' when absent."""
        return (self.field(b"content-transfer-encoding") or b"").strip().lower()


def end_of_header(data: bytes, start: int, end: int) -> int:
    """Where the body begins: after the first empty line, or at `end` when there is none."""
    if data.startswith(b"\r\n", start, end):
        return start + 2
    if data.startswith(b"\n", start, end):
        return start + 1
    crlf = data.find(b"\n\r\n", start, end)
    # only before the first CRLF gap may a bare-LF one count
    bare = data.find(b"\n\n", start, end if crlf < 0 else crlf + 1)
    if bare >= 0:
        return bare + 2
    return crlf + 3 if crlf >= 0 else end


def header_fields(header: bytes) -> tuple[Field, ...]:
    """The fields of a header block, in order; lines that are no field are left out."""
    found = []
    for piece in _FOLDS.split(header):
        name = _NAME.match(piece)
        if name is not None:
            found.append(Field(name.group(1).lower(), piece))
    return tuple(found)


def parameterised(value: bytes | None) -> Parameterised:
    """A structured value read: `attachment; filename="a.pdf"`. RFC 2231 parameters keep their starred names."""
    if not value:
        return Parameterised(b"")
    head = _TYPE.match(value)
    if head is not None:
        main = b"%b/%b" % (head.group(1).lower(), head.group(2).lower())
    else:
        head = _TOKEN.match(value)
        main = head.group(1).lower() if head is not None else b""
    params = []
    for match in _PARAM.finditer(value):
        quoted, token = match.group(2), match.group(3)
        text = token if quoted is None else _ESCAPED.sub(rb"\1", quoted)
        params.append((match.group(1).lower(), text))
    return Parameterised(main, tuple(params))


class _Scan:
    """One pass over one mail; counts parts."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.parts = 0

    def part(self, start: int, end: int, depth: int, default: bytes) -> Part:
        self.parts += 1
        body = end_of_header(self.data, start, end)
        fields = header_fields(self.data[start:body])
        written = next((f.value for f in fields if f.name == b"content-type"), None)
        content = parameterised(written)
        kind = content.value if b"/" in content.value else (default if written is None else b"text/plain")
        leaf = Part(start, body, end, fields, kind, content.params)
        if not kind.startswith((b"multipart/", b"message/rfc822", b"message/global")):
            return leaf
        children: tuple[Part, ...] = ()
        if depth < MAX_DEPTH and self.parts < MAX_PARTS:
            if kind.startswith(b"multipart/"):
                children = self.multipart(leaf, content.param(b"boundary"), depth)
            elif kind in (b"message/rfc822", b"message/global") and leaf.encoding in _PLAIN_ENCODINGS:
                children = (self.part(body, end, depth + 1, b"text/plain"),)
        if children:
            return Part(start, body, end, fields, kind, content.params, children)
        # a container that cannot be opened is shown as what it then is: octets
        opaque = b"text/plain" if depth < MAX_DEPTH and kind.startswith(b"multipart/") else b"application/octet-stream"
        return Part(start, body, end, fields, opaque, ())

    def multipart(self, whole: Part, boundary: bytes, depth: int) -> tuple[Part, ...]:
        default = b"message/rfc822" if whole.kind == b"multipart/digest" else b"text/plain"
        if not boundary:
            return ()
        children: list[Part] = []
        for start, end in self.between(b"--" + boundary, whole.body, whole.end):
            if self.parts >= MAX_PARTS:
                break
            children.append(self.part(start, end, depth + 1, default))
        return tuple(children)

    def between(self, delimiter: bytes, start: int, end: int) -> list[tuple[int, int]]:
        """The stretches between delimiter lines; the last one runs to the end when the closing line is missing."""
        data = self.data
        stretches: list[tuple[int, int]] = []
        opened = -1
        at = data.find(delimiter, start, end)
        while at >= 0 and len(stretches) <= MAX_PARTS:
            if at == start or data[at - 1] == 0x0A:
                line_end = data.find(b"\n", at, end)
                after = end if line_end < 0 else line_end + 1
                rest = data[at + len(delimiter) : min(after, at + len(delimiter) + 256)].strip()
                if rest in (b"", b"--"):
                    if opened >= 0:
                        stretches.append((opened, max(opened, self.before_break(at))))
                    if rest:
                        return stretches
                    opened = after
            at = data.find(delimiter, at + len(delimiter), end)
        if opened >= 0:
            stretches.append((opened, end))
        return stretches

    def before_break(self, at: int) -> int:
        """The place of the line break that ends just before `at`."""
        if self.data.endswith(b"\r\n", 0, at):
            return at - 2
        return at - 1 if self.data.endswith(b"\n", 0, at) else at


def scan(data: bytes) -> Part:
    """The MIME tree of one mail. Never raises."""
    return _Scan(data).part(0, len(data), 0, b"text/plain")


def part_at(root: Part, path: Sequence[int]) -> Part | None:
    """The part an IMAP number such as `2.1.3` names; None when there is none.

    Part 1 of a message that is not multipart is its own body.
    """
    part, whole_message = root, True
    for number in path:
        if not whole_message and (inner := part.embedded) is not None:
            part, whole_message = inner, True
        if part.multipart:
            if number > len(part.children):
                return None
            part, whole_message = part.children[number - 1], False
        elif whole_message and number == 1:
            whole_message = False
        else:
            return None
    return part
