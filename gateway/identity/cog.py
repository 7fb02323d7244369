"""The place of birth: a code of the Code officiel géographique (COG), commune or country.

Without the list of communes a code of a right form and of an existing department is *not judged*: the list is an
operator's file, handed in as a set. Departments, countries and the fictional communes of the territory are known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from gateway.tables import read_yaml

_FORM = re.compile(r"(?:[0-9]{2}|2[AB])[0-9]{3}")
_NOWHERE = frozenset({"99000", "99999"})


class Place(StrEnum):
    """What is known of a birthplace code."""

    KNOWN = "known"
    NOT_JUDGED = "not judged"
    UNKNOWN = "unknown"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class CogTables:
    """Departments (two characters), overseas departments (three), countries and the fictional communes (five)."""

    departments: frozenset[str]
    overseas: frozenset[str]
    countries: frozenset[str]
    fictional: frozenset[str]


@cache
def cog_tables() -> CogTables:
    """The tables of `fixtures/identities/cog.yaml`."""
    read = read_yaml("identities/cog.yaml")
    first, last = int(read["fictional"]["first"]), int(read["fictional"]["last"])
    return CogTables(
        departments=frozenset(str(read["departments"]).split()),
        overseas=frozenset(str(read["overseas"]).split()),
        countries=frozenset(f"99{country}" for country in str(read["countries"]).split()),
        fictional=frozenset(f"{code:05d}" for code in range(first, last + 1)),
    )


def is_well_formed(code: str) -> bool:
    """Two digits or 2A, 2B, then three digits."""
    return _FORM.fullmatch(code) is not None


def judge_place(code: str, communes: frozenset[str] = frozenset()) -> Place:
    """What is known of a code. `communes`: every code of the operator's COG file, past ones included; empty when none.

    A country that has ceased to exist is in no table of ours: a code of a continent's block is then not judged.
    """
    if not is_well_formed(code):
        return Place.MALFORMED
    tables = cog_tables()
    if code in tables.fictional or code in tables.countries or code in communes:
        return Place.KNOWN
    if code in _NOWHERE or code.endswith("000"):
        return Place.UNKNOWN
    if code[:2] == "99":
        return Place.NOT_JUDGED if "99100" < code < "99600" else Place.UNKNOWN
    if code[:2] not in tables.departments and code[:3] not in tables.overseas:
        return Place.UNKNOWN
    return Place.UNKNOWN if communes else Place.NOT_JUDGED
