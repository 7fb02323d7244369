"""Distinguished names as the whitelist writes them: parsed, written, compared.

The production whitelist holds quoted values, bare quotes, doubled and no-break spaces, `, ` beside `,`, trailing spaces
and accents. Two names are equal when their ordered (type, value) pairs are, once outer quotes are dropped, white space
is collapsed, and values are NFC and case folded. Order is that of RFC 2253: CN first, C last.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

Pairs = tuple[tuple[str, str], ...]

_NEXT = re.compile(r"\s*([A-Za-z][A-Za-z0-9-]*|(?:[Oo][Ii][Dd]\.)?\d+(?:\.\d+)+)\s*=")
_SPACES = re.compile(r"[\s\u00a0]+")
_NEEDS_QUOTES = re.compile(r'[,+;<>]|  |\u00a0|^\s|\s$|^[#"]')

# other spellings of an attribute type, as tools write them
_TYPES = {
    "S": "ST",
    "2.5.4.3": "CN",
    "2.5.4.4": "SN",
    "SURNAME": "SN",
    "2.5.4.5": "SERIALNUMBER",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.12": "T",
    "TITLE": "T",
    "2.5.4.42": "GN",
    "G": "GN",
    "GIVENNAME": "GN",
    "E": "EMAILADDRESS",
    "1.2.840.113549.1.9.1": "EMAILADDRESS",
}

# the names Python's `getpeercert()` gives to attribute types
_LONG_NAMES = {
    "commonName": "CN",
    "organizationalUnitName": "OU",
    "organizationName": "O",
    "stateOrProvinceName": "ST",
    "localityName": "L",
    "countryName": "C",
    "surname": "SN",
    "givenName": "GN",
    "title": "T",
    "emailAddress": "EMAILADDRESS",
    "serialNumber": "SERIALNUMBER",
}


def parse_dn(text: str) -> Pairs:
    """The (type, value) pairs of a DN in the order they are written; values unquoted and unescaped, otherwise as written.

    Tolerant: a comma that no `type=` follows belongs to the value. What is no DN at all gives an empty tuple.
    """
    pairs: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        found = _NEXT.match(text, at)
        if found is None:
            break
        value, at = _value(text, found.end())
        pairs.append((_type(found.group(1)), value))
    return tuple(pairs)


def _type(written: str) -> str:
    name = written.upper().removeprefix("OID.")
    return _TYPES.get(name, name)


def _value(text: str, at: int) -> tuple[str, int]:
    while at < len(text) and text[at] in " \t":
        at += 1
    if text.startswith('"', at):
        closed = _quoted(text, at)
        if closed is not None:
            return closed
    out = bytearray()
    while at < len(text):
        char = text[at]
        if char == "\\" and at + 1 < len(text):
            piece, at = _escaped(text, at)
            out += piece
            continue
        if char in ",;+" and _NEXT.match(text, at + 1):
            at += 1
            break
        out += char.encode("utf-8", "surrogatepass")
        at += 1
    return out.decode("utf-8", "replace"), at


def _quoted(text: str, at: int) -> tuple[str, int] | None:
    """A value in outer quotes, and where the next pair begins; None when the first quote is only part of the value."""
    out = bytearray()
    at += 1
    while at < len(text):
        char = text[at]
        if char == "\\" and at + 1 < len(text):
            piece, at = _escaped(text, at)
            out += piece
            continue
        if char == '"':
            rest = at + 1
            while rest < len(text) and text[rest] in " \t":
                rest += 1
            if rest >= len(text):
                return out.decode("utf-8", "replace"), rest
            if text[rest] in ",;+" and _NEXT.match(text, rest + 1):
                return out.decode("utf-8", "replace"), rest + 1
        out += char.encode("utf-8", "surrogatepass")
        at += 1
    return None


def _escaped(text: str, at: int) -> tuple[bytes, int]:
    pair = text[at + 1 : at + 3]
    if len(pair) == 2 and all(c in "0123456789abcdefABCDEF" for c in pair):
        return bytes([int(pair, 16)]), at + 3
    return text[at + 1].encode("utf-8", "surrogatepass"), at + 2


def format_dn(pairs: Iterable[tuple[str, str]]) -> str:
    """A DN as the whitelist writes it: `CN=…,OU=…,O="C H U  DE  X",ST=…,C=FR`."""
    return ",".join(f"{name}={_written(value)}" for name, value in pairs)


def _written(value: str) -> str:
    if not _NEEDS_QUOTES.search(value):
        return value.replace("\\", "\\\\")
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def normal_dn(dn: str | Pairs, *, lenient: bool = False) -> Pairs:
    """What two names are compared by. `lenient` reads a locality (L) as a county (ST), as one listed DN is written."""
    pairs = parse_dn(dn) if isinstance(dn, str) else dn
    return tuple(("ST" if lenient and name == "L" else name, _normal(value)) for name, value in pairs)


def _normal(value: str) -> str:
    return unicodedata.normalize("NFC", _SPACES.sub(" ", value).strip()).casefold()


def same_dn(one: str | Pairs, other: str | Pairs, *, lenient: bool = False) -> bool:
    """Whether two names are the same; an empty one equals nothing."""
    left = normal_dn(one, lenient=lenient)
    return bool(left) and left == normal_dn(other, lenient=lenient)


def dn_of_getpeercert(subject: Sequence[Sequence[tuple[str, str]]]) -> str:
    """The CN-first text of a `getpeercert()["subject"]`, which stands in certificate order (C first)."""
    pairs = [(_LONG_NAMES.get(name, name), value) for rdn in subject for name, value in rdn]
    return format_dn(reversed(pairs))


def value_in(dn: str | Pairs, name: str) -> str:
    """The first value of one type (`CN`, `OU`, …); '' when absent."""
    pairs = parse_dn(dn) if isinstance(dn, str) else dn
    return next((value for kind, value in pairs if kind == name), "")
