"""The matricule: 13 characters and a two-digit key, and what each position says.

| position | meaning |
|---|---|
| 1 | sex: 1 male, 2 female; 5 to 8 are provisional sickness-insurance numbers, never an INS |
| 2-3 | year of birth without its century |
| 4-5 | month: 01-12, 20-42 and 50-99 when unknown; 43-49 unexplained; 00 and 13-19 impossible |
| 6-10 | place: department and commune, or 99 and the country |
| 11-13 | order of birth in that month and place; 000 is not given |
| 14-15 | key: 97 minus the number modulo 97, Corsica read as 2A = 19 and 2B = 18 |

A NIA has the layout of a NIR: only the OID tells them apart. Source: Référentiel INS v2.1; INSi guide SEL-MP-043; INSEE.
"""

from __future__ import annotations

import re
from enum import StrEnum

LENGTH = 15
NUMBER_LENGTH = 13

_WHOLE = re.compile(r"[0-9]{5}(?:[0-9]{2}|2[AB])[0-9]{8}")
_NUMBER = re.compile(r"[0-9]{5}(?:[0-9]{2}|2[AB])[0-9]{6}")
_SEPARATORS = re.compile(r"[\s.\-\u2010-\u2015\u00a0\u202f]+")
_READ = 64  # characters: what is longer is no matricule, whatever separators it holds
_CORSICA = {"2A": "19", "2B": "18"}


class Month(StrEnum):
    """What digits 4 and 5 say."""

    CALENDAR = "calendar"  # 01-12
    UNKNOWN = "unknown"  # 20-42, 50-99
    UNEXPLAINED = "unexplained"  # 43-49
    IMPOSSIBLE = "impossible"  # 00, 13-19


def canonical(value: str) -> str:
    """The form used to compare: upper case, without space, dot or hyphen. Never sent in place of what was written."""
    if _WHOLE.fullmatch(value) or len(value) > _READ:
        return value
    return _SEPARATORS.sub("", value).upper()


def is_whole(matricule: str) -> bool:
    """Fifteen characters that fit the layout; the key may still be wrong."""
    return _WHOLE.fullmatch(matricule) is not None


def is_number(matricule: str) -> bool:
    """Thirteen characters that fit the layout: a matricule whose key was lost."""
    return _NUMBER.fullmatch(matricule) is not None


def key_of(number: str) -> str:
    """The two-digit key of the 13 characters; they must fit the layout (`is_whole` or `is_number` said so)."""
    department = number[5:7]
    digits = number[:5] + _CORSICA.get(department, department) + number[7:NUMBER_LENGTH]
    return f"{97 - int(digits) % 97:02d}"


def has_right_key(matricule: str) -> bool:
    """A whole matricule whose key verifies."""
    return is_whole(matricule) and key_of(matricule) == matricule[NUMBER_LENGTH:]


def key_in_range(key: str) -> bool:
    """A key lies between 01 and 97."""
    return "01" <= key <= "97"


def month_kind(matricule: str) -> Month:
    """What the month digits of a whole matricule say."""
    month = int(matricule[3:5])
    if 1 <= month <= 12:
        return Month.CALENDAR
    if 20 <= month <= 42 or month >= 50:
        return Month.UNKNOWN
    return Month.UNEXPLAINED if month >= 43 else Month.IMPOSSIBLE


def place_of(matricule: str) -> str:
    """The five characters of the place of birth, comparable with a COG code."""
    return matricule[5:10]


def is_filler(matricule: str) -> bool:
    """A number typed to fill the field: one digit repeated, counted up, or without commune or order of birth."""
    number = matricule[:NUMBER_LENGTH]
    return len(set(number)) == 1 or number == "1234567890123" or matricule[7:10] == "000" or matricule[10:13] == "000"
