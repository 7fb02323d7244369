"""In which characters a message is written: MSH-18 read in the raw octets, believed only when the octets agree.

The French flows allow `UNICODE UTF-8` and `8859/15`; `8859/1` is tolerated with a warning. A declaration that the octets
belie is told, and the text is read as what the octets are, so that names come out right and can be compared.

Source: HL7 table 0211; IHE PAM France 2.11.2 (MSH-18); CI-SIS, transmission de documents CDA en HL7v2, MSH.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway.documents.model import Issue
from gateway.rules.model import Hit
from gateway.values import PlaceKind, Where

ALLOWED = "UNICODE UTF-8, 8859/15"

_CODECS = {
    "UNICODE UTF-8": "utf-8",
    "8859/15": "iso8859-15",
    "8859/1": "iso8859-1",
    "ASCII": "ascii",
    "": "",
    "UNICODE": "utf-8",
}
_TOLERATED = frozenset({"8859/1", "UNICODE", "ASCII"})
_PLACE = Where(PlaceKind.HL7, "MSH-18", 1)
_WINDOWS = re.compile(rb"[\x80-\x9f]")
_BOM = b"\xef\xbb\xbf"
_WIDE = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a message. `declared` is MSH-18 as written, `codec` what the text was read with."""

    text: str
    declared: str
    codec: str
    issues: tuple[Issue, ...] = ()


def decode(octets: bytes) -> Decoded:
    """The text of octets that begin with `MSH`, and what is wrong with their charset (HL7-03, HL7-04). Never raises."""
    declared = declared_charset(octets)
    if octets.isascii():
        return Decoded(octets.decode("ascii"), declared, _CODECS.get(declared) or "utf-8", _declaration(declared))
    codec = _CODECS.get(declared)
    if codec is None:
        text, actual = _guessed(octets)
        return Decoded(text, declared, actual, _declaration(declared))
    if not codec:
        text, actual = _guessed(octets)
        return Decoded(text, declared, actual, _declaration(declared))
    if codec in ("utf-8", "ascii"):
        return _unicode(octets, declared, codec)
    return _latin(octets, declared, codec)


def declared_charset(octets: bytes) -> str:
    """MSH-18, first repetition, upper case and single-spaced; read without knowing the charset, of which ASCII is a part."""
    line = octets[:4096].split(b"\r", 1)[0].split(b"\n", 1)[0]
    fields = line.split(line[3:4]) if len(line) > 3 else []
    if len(fields) < 18:
        return ""
    first = fields[17].split(b"~", 1)[0].decode("latin-1")
    return " ".join(first.upper().split())[:40]


def _declaration(declared: str) -> tuple[Issue, ...]:
    """What is wrong with the declaration itself."""
    if not declared:
        return (_issue("HL7-03", "∅"),)
    if declared not in _CODECS:
        return (_issue("HL7-14", declared),)
    return (_issue("HL7-03", declared),) if declared in _TOLERATED else ()


def _unicode(octets: bytes, declared: str, codec: str) -> Decoded:
    try:
        return Decoded(octets.decode(codec), declared, codec, _declaration(declared))
    except UnicodeDecodeError as error:
        text, actual = _guessed(octets)
        received = f"{octets[error.start]:#04x} ({error.start})"
        issue = _issue("HL7-04", received, declared, {"actual": actual})
        return Decoded(text, declared, actual, (*_declaration(declared), issue))


def _latin(octets: bytes, declared: str, codec: str) -> Decoded:
    """ISO 8859 reads any octet: the only lies that show are UTF-8 sequences and Windows characters."""
    told = _declaration(declared)
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        windows = _WINDOWS.search(octets)
        if windows is None:
            return Decoded(octets.decode(codec), declared, codec, told)
        received = f"{windows.group()[0]:#04x} ({windows.start()})"
        issue = _issue("HL7-04", received, declared, {"actual": "windows-1252"})
        return Decoded(octets.decode("cp1252", "replace"), declared, "cp1252", (*told, issue))
    issue = _issue("HL7-04", "UTF-8", declared, {"actual": "UTF-8"})
    return Decoded(text, declared, "utf-8", (*told, issue))


def _guessed(octets: bytes) -> tuple[str, str]:
    """UTF-8 when the octets are that, else the French ISO charset, which reads anything."""
    try:
        return octets.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return octets.decode("iso8859-15"), "iso8859-15"


def unwrapped(raw: bytes) -> tuple[bytes, tuple[Issue, ...]]:
    """The message without the MLLP frame, mark or blank a file may keep around it; HL7-14 for UTF-16."""
    octets = raw.lstrip(b"\x0b \t\r\n\x00")
    if octets.startswith(_WIDE) or octets[1:2] == b"\x00":
        text = octets.decode("utf-16", "replace") if octets.startswith(_WIDE) else octets.decode("utf-16-le", "replace")
        return text.encode("utf-8", "replace").lstrip(_BOM), (_issue("HL7-14", "UTF-16"),)
    issues: tuple[Issue, ...] = ()
    if octets.startswith(_BOM):
        octets = octets[3:]
        issues = (_issue("HL7-03", "BOM"),)
    end = octets.rfind(b"\x1c", -4)
    return (octets[:end] if end >= 0 else octets), issues


def _issue(rule_id: str, received: str, expected: str = ALLOWED, params: dict[str, str] | None = None) -> Issue:
    return Issue(rule_id, Hit(_PLACE, received, expected, params=params or {}))
