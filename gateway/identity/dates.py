"""Birth and document dates as containers write them.

CDA, HL7v2 and metadata write AAAAMMJJ (time and zone may follow), FHIR and INSi AAAA-MM-JJ, the datamatrix JJ-MM-AAAA.
A *lunar* date (day 31 to 35, month above 12, day 00) is a legal INSi answer that no calendar knows: it is kept as it is.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from gateway.identity.model import ContainerKind

_COMPACT = re.compile(r"([0-9]{4})(?:([0-9]{2})(?:([0-9]{2})(?:[0-9]{2,6}(?:\.[0-9]{1,6})?)?(?:[+-][0-9]{4})?)?)?")
_DASHED = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:T.{2,40})?)?)?")
_DASHING = frozenset({ContainerKind.FHIR, ContainerKind.INSI})
_DATAMATRIX = re.compile(r"([0-9]{2})-([0-9]{2})-([0-9]{4})")


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A date as far as it was told: month and day are -1 when absent."""

    year: int
    month: int = -1
    day: int = -1

    @property
    def is_full(self) -> bool:
        """Told to the day (a day written 00 is told, although no calendar knows it)."""
        return self.day >= 0

    @property
    def is_calendar(self) -> bool:
        """A day of the calendar."""
        return self.year >= 1 and 1 <= self.month <= 12 and 1 <= self.day <= monthrange(self.year, self.month)[1]

    @property
    def is_completed(self) -> bool:
        """31 December or 1 January: what the completion rule of the RNIV gives to an uncertain date."""
        return (self.month, self.day) in {(12, 31), (1, 1)}

    def is_after(self, today: date) -> bool:
        """Later than `today` and the day after it (containers and recipient may stand in different time zones)."""
        if not self.is_calendar:
            return self.year > today.year
        return date(self.year, self.month, self.day) > today + timedelta(days=1)

    def age_on(self, today: date) -> int:
        """Whole years between this date and `today`."""
        return today.year - self.year - ((today.month, today.day) < (max(self.month, 1), max(self.day, 1)))

    def agrees_with(self, other: PartialDate) -> bool:
        """Equal at the precision of the less precise of both."""
        if self.year != other.year:
            return False
        if self.month < 0 or other.month < 0:
            return True
        return self.month == other.month and (self.day < 0 or other.day < 0 or self.day == other.day)

    def is_before(self, other: PartialDate) -> bool:
        """Earlier at the precision of the less precise of both."""
        mine, theirs = (self.year, self.month, self.day), (other.year, other.month, other.day)
        told = min(sum(part >= 0 for part in mine), sum(part >= 0 for part in theirs))
        return mine[:told] < theirs[:told]


def parse_date(value: str, kind: ContainerKind) -> PartialDate | None:
    """The date written in a container of this kind; None when it is malformed."""
    if kind is ContainerKind.DATAMATRIX:
        found = _DATAMATRIX.fullmatch(value)
        return PartialDate(int(found[3]), int(found[2]), int(found[1])) if found else None
    found = (_DASHED if kind in _DASHING else _COMPACT).fullmatch(value)
    if found is None:
        return None
    year, month, day = found.groups()
    return PartialDate(int(year), int(month) if month else -1, int(day) if day else -1)
