"""Pieces of the mails that the gateway writes to senders: 7-bit headers, text in both languages, the original as it came.

The original is never parsed and written again: its octets are the evidence. Sources: RFC 5322, RFC 2045 to 2047, RFC 3834.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from datetime import datetime
from email.header import Header
from email.utils import format_datetime
from hashlib import sha256

_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_LINE = 76


def automatic_headers(
    *, sender: str, sender_name: str, to: str, subject: str, at: datetime, message_id: str, about: str
) -> list[str]:
    """The header of a mail that a program writes about another (`about`, a Message-ID without brackets; '' = unknown)."""
    headers = [
        f"Date: {format_datetime(at)}",
        f"From: {_phrase(sender_name)} <{sender}>",
        f"To: <{to}>",
        f"Subject: {_words(subject)}",
        f"Message-ID: <{message_id}>",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
    ]
    if about and _fits_a_header(about):
        headers += [f"In-Reply-To: <{about}>", f"References: <{about}>"]
    return headers


def multipart(headers: Sequence[str], kind: str, parts: Sequence[bytes], seed: str) -> bytes:
    """A whole mail of several parts. `kind` is `report; report-type=delivery-status` or `mixed`; `seed` makes the boundary."""
    boundary = "=_" + sha256(seed.encode()).hexdigest()[:40]
    head = lines([*headers, f'Content-Type: multipart/{kind}; boundary="{boundary}"'])
    body = b"".join(b"\r\n--" + boundary.encode() + b"\r\n" + part for part in parts)
    return head + body + b"\r\n--" + boundary.encode() + b"--\r\n"


def text_part(text: str) -> bytes:
    """A part of plain text, UTF-8 in base64: accents pass every relay."""
    head = ["Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64"]
    body = re.sub(r"\r?\n", "\r\n", text).encode("utf-8", "replace")
    return lines(head) + b"\r\n" + base64.encodebytes(body).replace(b"\n", b"\r\n")


def original_part(original: bytes, *, whole: bool) -> bytes:
    """The original as it came (message/rfc822), or its headers alone (text/rfc822-headers)."""
    kept = original if whole else headers_of(original)
    kind = "message/rfc822" if whole else "text/rfc822-headers"
    encoding = "7bit" if kept.isascii() else "8bit"
    return lines([f"Content-Type: {kind}", f"Content-Transfer-Encoding: {encoding}"]) + b"\r\n" + kept


def headers_of(original: bytes) -> bytes:
    """The header block, without the blank line."""
    found = _BLANK_LINE.search(original)
    return original[: found.start()] + b"\r\n" if found else original


def lines(written: Sequence[str]) -> bytes:
    """Lines as octets, each with its CRLF. What is not ASCII was encoded before."""
    return "".join(f"{line}\r\n" for line in written).encode("ascii", "replace")


def field(name: str, value: str) -> str:
    """A field of a report in ASCII, folded at spaces."""
    plain = "".join(c if 32 <= ord(c) < 127 else "?" for c in value)
    out, line = [], f"{name}:"
    for word in plain.split():
        if len(line) + 1 + len(word) > _LINE and line.strip():
            out.append(line)
            line = ""
        line += f" {word}"
    return "\r\n".join([*out, line])


def _phrase(name: str) -> str:
    """A display name: bare, quoted, or in RFC 2047 words."""
    plain = _on_one_line(name)
    if not plain.isascii():
        return _words(plain)
    if re.fullmatch(r"[\w '-]*", plain):
        return plain
    return '"' + plain.replace("\\", "").replace('"', "'") + '"'


def _words(text: str) -> str:
    plain = _on_one_line(text)
    return plain if plain.isascii() else Header(plain, "utf-8", maxlinelen=70).encode(linesep="\r\n")


def _on_one_line(text: str) -> str:
    """Names come from who adds actors: no control character leaves the line it is written on."""
    return "".join(c if c.isprintable() else " " for c in text)


def _fits_a_header(message_id: str) -> bool:
    return message_id.isascii() and message_id.isprintable() and " " not in message_id and len(message_id) < 900
