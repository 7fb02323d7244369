"""Finds matricules in any text: a subject, an address, a file name, a log line, an error of another server.

One place decides what looks like one, so that what a rule reports (INS-146) and what is hidden everywhere are the same.

| written as | a matricule when |
|---|---|
| 15 characters in a row, also glued to letters | first digit and month are possible, or the key is right |
| 13 in a row (no key) | the month is 01 to 12, and it is no arc of an OID: 13 digits may be a time in milliseconds |
| 2A or 2B as département | first digit and month are possible |
| in groups `2 39 03 48 901 017 55`, two separators or more | first digit and month are possible |
| in groups, a single separator | the key is right; after a space or before the key, a month 01 to 12 is enough |
| 15 digits and spaces anywhere (`239 034 890 101 755`) | the key is right |
| inside 16 digits or more (`S1239034890101755`) | the key is right and the month is 01 to 12 |
| inside a hexadecimal identifier of 32 characters or more | the key is right and the month is 01 to 12 |

Possible: first digit 1, 2, 7 or 8; month 01 to 12 or 20 to 99. A first digit 3 or 4 asks for a right key and a month 01 to 12:
`3` and a SIRET make the 15 digits of a Struct_IdNat. Fourteen digits in a row are never a matricule: those are times
(`20260115103000`) and SIRET. A false mask costs a few dots on a screen, a missed one shows a person.
Every pattern is bounded: the work grows with the length of the text and no faster. Digits of other scripts, superscript,
circled or full-width ones count as those they stand for, and what has no width (a joiner, a combining mark) as a space.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace

SHORTEST = 13
_WHOLE = 15
_HEX_IDENTIFIER = 32
_REACH = 64  # characters looked at on each side of a find: those of a SHA-256

# between groups: spaces of all kinds, dots, hyphens, slashes, and their forms in an address of the web
_BETWEEN = r"\s.\-_/+\u2010-\u2015\u2212"
_SEP = rf"(?:[{_BETWEEN}]|%20|%[Cc]2%[Aa]0|&nbsp;){{0,3}}"
_MONTH = r"(?:0[1-9]|1[0-2]|[2-9]\d)"
_GROUPS = (r"(\d\d)", rf"({_MONTH})", r"(\d\d|2[ABab])", r"(\d{3})", r"(\d{3})")
# each begins with the set of its first character, which the engine looks for quickly; the rest is looked ahead at, so
# that a find that does not convince hides none that begins inside it
_ALONE = r"(?:(?<!\d\d)|(?<=%[0-9A-Fa-f]{2}\d))"
_LAYOUT = re.compile(rf"([1-478]){_ALONE}(?={_SEP}{_SEP.join(_GROUPS)}(?:{_SEP}(\d\d))?(?!\d))")
_CORSICAN = re.compile(rf"[1-478](?=(\d\d{_MONTH}2[ABab]\d{{6}}(?:\d\d)?)(?!\d))")
_SPACED = re.compile(r"[1-8](?<!\d\d)(?=((?:[ \u00a0\u2009\u202f]?\d){14})(?!\d))")
_STRETCH = re.compile(rf"[\dABab{_BETWEEN}]{{{SHORTEST}}}")
_LONG = re.compile(r"\d{16,}")
_HEX = re.compile(r"[0-9A-Fa-f]*")
_ARC = re.compile(r"\d\.\Z")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_NO_WIDTH = frozenset({"Mn", "Me", "Cf"})
_RARE = "34"
_BEFORE_KEY = 6  # the gap between the order of birth and the key
_FEWEST = 12  # digits of a Corsican one without its key
_NOT_DIGITS = bytes(set(range(128)) - set(b"0123456789"))
_CALENDAR = frozenset(f"{month:02d}" for month in range(1, 13))
_CORSICA = {"2A": "19", "2B": "18"}


@dataclass(frozen=True, slots=True)
class Spotted:
    """One matricule in a text, from `start` to `end`.

    `value` is its canonical form, 13 or 15 characters; `sure` says that it has a key and that the key is right.
    `hidden` are the positions to hide: all but those of the first four characters, the key and the separators.
    `inside` a longer number or an identifier in hexadecimal, it may be there by chance.
    """

    start: int
    end: int
    value: str
    sure: bool
    hidden: tuple[int, ...]
    inside: bool = False


def spot(text: str) -> tuple[Spotted, ...]:
    """Every matricule of a text, in order, none overlapping another."""
    text = _plain(text)
    if _holds_none(text):
        return ()
    found = [*_in_groups(text), *_corsican(text), *_spaced(text), *_inside_numbers(text)]
    if len(found) < 2:
        return tuple(found)
    found.sort(key=lambda one: (one.start, -one.end))
    kept: list[Spotted] = []
    for one in found:
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return tuple(kept)


def _plain(text: str) -> str:
    """The same text, sign for sign, its digits and Corsican letters in ASCII."""
    return text if text.isascii() else _NOT_ASCII.sub(lambda sign: _plain_sign(sign[0]), text)


def _plain_sign(sign: str) -> str:
    digit = unicodedata.digit(sign, None)
    if digit is not None:
        return str(digit)
    if unicodedata.category(sign) in _NO_WIDTH:
        return " "
    folded = unicodedata.normalize("NFKC", sign)
    return folded if folded in ("A", "B", "a", "b") else sign


def _holds_none(text: str) -> bool:
    """What most texts are told by, quickly: too few digits, or no stretch of digits and separators that is long enough."""
    if len(text) < SHORTEST:
        return True
    if text.isascii() and len(text.encode("ascii").translate(None, _NOT_DIGITS)) < _FEWEST:
        return True
    return "%" not in text and "&" not in text and _STRETCH.search(text) is None


def quoted(text: str) -> Iterator[Spotted]:
    """The matricules that somebody wrote down in a text, beyond doubt: the key is right, and nothing longer holds them."""
    return (one for one in spot(text) if one.sure and not one.inside)


def right_key(matricule: str) -> bool:
    """Whether 15 characters end with the key of the first 13; Corsica reads 2A = 19, 2B = 18."""
    department = matricule[5:7].upper()
    digits = matricule[:5] + _CORSICA.get(department, department) + matricule[7:SHORTEST]
    return 97 - int(digits) % 97 == int(matricule[SHORTEST:])


def _in_groups(text: str) -> Iterator[Spotted]:
    for match in _LAYOUT.finditer(text):
        spans = [match.span(i) for i in range(1, 8) if match[i] is not None]
        one = _spotted(text, [at for start, end in spans for at in range(start, end)])
        inside = _in_hexadecimal(text, one)
        if _certain(one) or (not (inside or one.value[0] in _RARE) and _convincing(text, one, spans)):
            yield replace(one, inside=inside)


def _convincing(text: str, one: Spotted, spans: list[tuple[int, int]]) -> bool:
    gaps = [i for i in range(1, len(spans)) if spans[i][0] != spans[i - 1][1]]
    if one.sure or len(gaps) > 1 or not one.value.isdigit():
        return True
    if not gaps:
        return len(one.value) == _WHOLE or (_calendar(one) and not _ARC.search(text, max(0, one.start - 2), one.start))
    between = text[spans[gaps[0] - 1][1] : spans[gaps[0]][0]]
    return _calendar(one) and (gaps[0] == _BEFORE_KEY or between.isspace())


def _corsican(text: str) -> Iterator[Spotted]:
    """The letter tells it, even behind other digits."""
    for match in _CORSICAN.finditer(text):
        one = _spotted(text, range(match.start(), match.end(1)))
        inside = _in_hexadecimal(text, one)
        if _certain(one) or not (inside or one.value[0] in _RARE):
            yield replace(one, inside=inside or text[match.start() - 1 : match.start()].isdecimal())


def _spaced(text: str) -> Iterator[Spotted]:
    for match in _SPACED.finditer(text):
        one = _spotted(text, [at for at in range(match.start(), match.end(1)) if text[at].isdecimal()])
        if _certain(one) or (one.sure and one.value[0] not in _RARE):
            yield one


def _inside_numbers(text: str) -> Iterator[Spotted]:
    """A number too long to be a matricule may hold one; then all of it is hidden, but for what a matricule shows."""
    for match in _LONG.finditer(text):
        start, end = match.span()
        for first in range(start, end - _WHOLE + 1):
            one = _spotted(text, range(first, first + _WHOLE))
            if _certain(one) and one.value[0] in "12":
                shown = {*range(first, first + 4), first + _WHOLE - 2, first + _WHOLE - 1}
                hidden = tuple(at for at in range(start, end) if at not in shown)
                yield Spotted(start, end, one.value, True, hidden, inside=True)
                break


def _certain(one: Spotted) -> bool:
    return one.sure and _calendar(one)


def _calendar(one: Spotted) -> bool:
    return one.value[3:5] in _CALENDAR


def _spotted(text: str, places: range | list[int]) -> Spotted:
    value = "".join([text[at] for at in places]).upper()
    sure = len(value) == _WHOLE and right_key(value)
    return Spotted(places[0], places[-1] + 1, value, sure, tuple(places[4:SHORTEST]))


def _in_hexadecimal(text: str, one: Spotted) -> bool:
    """Whether what was found stands inside an identifier or a digest written in hexadecimal."""
    before = _HEX.match(text[max(0, one.start - _REACH) : one.start][::-1])
    after = _HEX.match(text, one.end, one.end + _REACH)
    around = (before.end() if before else 0) + (after.end() - one.end if after else 0)
    return one.end - one.start + around >= _HEX_IDENTIFIER and one.end - one.start == len(one.value)
