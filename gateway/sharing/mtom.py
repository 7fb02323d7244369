"""MTOM: a reader and a writer of `multipart/related; type="application/xop+xml"`, by bytes, never altering an octet.

The boundary is searched in the raw bytes, so that a part holding CRLF, NUL or anything else comes out exactly as it was
sent: hashes of documents depend on it. Sources: RFC 2387, RFC 2046 section 5.1, W3C XOP 1.0 and SOAP MTOM.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from gateway.rules.unreadable import base64_fault
from gateway.values import Lang, Text, Words, in_lang

MAX_PARTS = 1000
MAX_PART_HEADERS = 16 * 1024


_BOUNDARY = Text("boundary de 1 à 70 caractères ASCII", "a boundary of 1 to 70 ASCII characters")
_ONE_EACH = Text("une partie par Content-ID", "one part for each Content-ID")
_NO_OPENING = Text("aucune frontière ouvrante", "no opening boundary")
_BARE_LF = Text("lignes terminées par LF seul", "lines ended by LF alone")
_CRLF = Text("CRLF autour des frontières et des en-têtes de partie", "CRLF around boundaries and part headers")
_CUT = Text("le corps finit avant sa frontière de fin", "the body ends before its closing boundary")
_ENDLESS = Text("en-têtes de partie sans fin", "part headers without end")
_PART_SHAPE = Text("en-têtes, une ligne vide, puis le contenu", "headers, an empty line, then the content")
_START = Text("la partie que nomme le paramètre `start`", "the part named by the `start` parameter")


def _parts(count: str) -> Text:
    return Text(f"{count} parties", f"{count} parts")


class MultipartError(Exception):
    """The body cannot be split. `received` and `expected` explain it in a finding."""

    def __init__(self, received: Words, expected: Words) -> None:
        super().__init__(in_lang(received, Lang.EN))
        self.received = received
        self.expected = expected


@dataclass(frozen=True, slots=True)
class Part:
    """One part: `content_id` without angle brackets, `content` exactly as sent (base64 undone when declared)."""

    content_id: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Multipart:
    """The root part (found by `start`, else the first) and every other part by its Content-ID.

    `lenient` tells what was tolerated: `lf-only`, `no-start`.
    """

    root: Part
    parts: Mapping[str, Part]
    lenient: tuple[str, ...] = ()

    def by_cid(self, href: str) -> Part | None:
        """The part an `xop:Include/@href` names. The cid may be URL-encoded (RFC 2392)."""
        if not href.lower().startswith("cid:"):
            return None
        wanted = href[4:]
        return self.parts.get(wanted) or self.parts.get(unquote(wanted))


def content_type_of(header: str) -> tuple[str, Mapping[str, str]]:
    """Media type (lower case) and parameters (names lower case) of a Content-Type; quoted strings are unquoted."""
    media, _, rest = header.partition(";")
    params: dict[str, str] = {}
    i = 0
    while i < len(rest):
        name, equals, tail = rest[i:].partition("=")
        if not equals:
            break
        i += len(name) + 1
        value, used = _value(tail)
        i += used
        params.setdefault(name.strip(" \t;").lower(), value)
    return media.strip().lower(), params


def _value(text: str) -> tuple[str, int]:
    """The value at the start of `text`, and how many characters it took, up to and including the next semicolon."""
    stripped = text.lstrip(" \t")
    lead = len(text) - len(stripped)
    if not stripped.startswith('"'):
        value, semicolon, _ = stripped.partition(";")
        return value.strip(), lead + len(value) + len(semicolon)
    out: list[str] = []
    i = 1
    while i < len(stripped) and stripped[i] != '"':
        if stripped[i] == "\\" and i + 1 < len(stripped):
            i += 1
        out.append(stripped[i])
        i += 1
    rest = stripped[i + 1 :]
    skipped, semicolon, _ = rest.partition(";")
    return "".join(out), lead + i + 1 + len(skipped) + len(semicolon)


def read_multipart(content_type: str, body: bytes, *, lenient: bool = False) -> Multipart:
    """Split a request body. Raises MultipartError when it is not whole. LF-only boundaries are read only when `lenient`."""
    media, params = content_type_of(content_type)
    if media != "multipart/related":
        raise MultipartError(media or "∅", "multipart/related")
    boundary = params.get("boundary", "")
    if not 1 <= len(boundary) <= 70 or not boundary.isascii():
        raise MultipartError(f"boundary={boundary[:80]!r}", _BOUNDARY)
    chunks, lf_only = _split(body, boundary.encode("ascii"), lenient)
    parts = [_part(chunk, lf_only) for chunk in chunks]
    root = _root(parts, params.get("start", ""))
    by_id: dict[str, Part] = {}
    for part in parts:
        if part is not root and part.content_id:
            if part.content_id in by_id:
                raise MultipartError(f"Content-ID {part.content_id} × 2", _ONE_EACH)
            by_id[part.content_id] = part
    notes = ("lf-only",) if lf_only else ()
    return Multipart(root, by_id, notes if "start" in params else (*notes, "no-start"))


def _split(body: bytes, boundary: bytes, lenient: bool) -> tuple[list[bytes], bool]:
    """The raw parts (headers and content) between the boundaries, and whether line ends were LF."""
    dash = b"--" + boundary
    at = 0 if body.startswith(dash) else body.find(b"\r\n" + dash) + 2
    lf_only = False
    if at == 1 or not _closes_line(body, at + len(dash), b"\r\n"):
        lf_at = 0 if body.startswith(dash) else body.find(b"\n" + dash) + 1
        found = (lf_at > 0 or body.startswith(dash)) and _closes_line(body, lf_at + len(dash), b"\n")
        if not found:
            raise MultipartError(_NO_OPENING, f"--{boundary.decode()} CRLF")
        if not lenient:
            raise MultipartError(_BARE_LF, _CRLF)
        at, lf_only = lf_at, True
    line_end = b"\n" if lf_only else b"\r\n"
    chunks: list[bytes] = []
    start = body.index(line_end, at + len(dash)) + len(line_end)
    while True:
        end = _next_boundary(body, line_end + dash, start - len(line_end), line_end)
        if end < 0:
            raise MultipartError(_CUT, f"--{boundary.decode()}--")
        chunks.append(body[start:end] if end > start else b"")
        if len(chunks) > MAX_PARTS:
            raise MultipartError(_parts(f"> {MAX_PARTS}"), _parts(f"<= {MAX_PARTS}"))
        after = end + len(line_end) + len(dash)
        if body[after : after + 2] == b"--":
            return chunks, lf_only
        start = body.index(line_end, after) + len(line_end)


def _next_boundary(body: bytes, delimiter: bytes, start: int, line_end: bytes) -> int:
    """Where the next whole delimiter line begins (its line end included), -1 when there is none."""
    at = body.find(delimiter, start)
    while at >= 0:
        after = at + len(delimiter)
        if body[after : after + 2] == b"--" or _closes_line(body, after, line_end):
            return at
        at = body.find(delimiter, at + 1)
    return -1


def _closes_line(body: bytes, at: int, line_end: bytes) -> bool:
    """True when only blanks stand between `at` and the end of its line: a boundary is never a mere prefix."""
    i = at
    while body[i : i + 1] in (b" ", b"\t"):
        i += 1
    return body.startswith(line_end, i)


def _part(chunk: bytes, lf_only: bool) -> Part:
    line_end = b"\n" if lf_only else b"\r\n"
    if chunk.startswith(line_end):
        head, content = b"", chunk[len(line_end) :]
    else:
        cut = chunk.find(line_end + line_end)
        if cut < 0 or cut > MAX_PART_HEADERS:
            raise MultipartError(_ENDLESS, _PART_SHAPE)
        head, content = chunk[:cut], chunk[cut + 2 * len(line_end) :]
    headers = _headers(head, line_end)
    encoding = headers.get("content-transfer-encoding", "binary").lower()
    if encoding == "base64":
        try:
            content = base64.b64decode(b"".join(content.split()), validate=True)
        except binascii.Error as error:
            raise MultipartError(base64_fault(error), "Content-Transfer-Encoding: binary") from error
    elif encoding not in ("binary", "8bit", "7bit"):
        raise MultipartError(f"Content-Transfer-Encoding: {encoding[:40]}", "Content-Transfer-Encoding: binary")
    content_id = headers.get("content-id", "").strip("<> \t")
    return Part(content_id, headers.get("content-type", ""), content)


def _headers(head: bytes, line_end: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    unfolded = head.replace(line_end + b" ", b" ").replace(line_end + b"\t", b" ")
    for line in unfolded.split(line_end):
        name, colon, value = line.partition(b":")
        if colon:
            headers.setdefault(name.strip().lower().decode("latin-1"), value.strip().decode("utf-8", "replace"))
    return headers


def _root(parts: Sequence[Part], start: str) -> Part:
    if not start:
        return parts[0]
    wanted = start.strip("<> \t")
    for part in parts:
        if part.content_id in (wanted, unquote(wanted)):
            return part
    raise MultipartError(f"∅ Content-ID {start[:80]}", _START)


@dataclass(frozen=True, slots=True)
class Attachment:
    """One document to send beside the root: `content` leaves exactly as it is."""

    content_id: str
    content: bytes
    content_type: str = "text/xml"


def write_multipart(
    root: bytes, attachments: Sequence[Attachment], *, boundary: str, root_id: str, action: str
) -> tuple[str, bytes]:
    """The Content-Type and the body of an MTOM message.

    `boundary` must be unguessable, or at least absent from every content: ValueError otherwise.
    """
    mark = b"--" + boundary.encode("ascii")
    if mark in root or any(mark in a.content for a in attachments):
        raise ValueError("the boundary occurs inside a part: choose another")
    lines = [
        mark + b"\r\n",
        b'Content-Type: application/xop+xml; charset=UTF-8; type="application/soap+xml"\r\n',
        b"Content-Transfer-Encoding: binary\r\n",
        f"Content-ID: <{root_id}>\r\n\r\n".encode("ascii"),
        root,
    ]
    for attachment in attachments:
        lines += [
            b"\r\n" + mark + b"\r\n",
            f"Content-Type: {attachment.content_type}\r\n".encode("ascii"),
            b"Content-Transfer-Encoding: binary\r\n",
            f"Content-ID: <{attachment.content_id}>\r\n\r\n".encode("ascii"),
            attachment.content,
        ]
    lines.append(b"\r\n" + mark + b"--\r\n")
    content_type = (
        f'multipart/related; boundary="{boundary}"; type="application/xop+xml"; start="<{root_id}>"; '
        f'start-info="application/soap+xml"; action="{action}"'
    )
    return content_type, b"".join(lines)
