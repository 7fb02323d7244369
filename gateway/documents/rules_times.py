"""Times as CDA and XDS write them: how precise, possible or not, and the same instant or not.

CDA: `AAAAMMJJHHMMSS[.f]+ZZZZ`, any precision (HL7 TS). XDS: up to 14 digits, always UTC (IHE ITI TF-3 4.2.3.1).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_TS = re.compile(r"(\d{4}|\d{6}|\d{8}|\d{10}|\d{12}|\d{14})(\.\d{1,6})?([+-]\d{4})?\Z")
_FIRST_INSTANT = "00000101000000"  # what completes a time that stops before its seconds


def possible(value: str) -> bool:
    """A TS of the right form that names a date of the calendar."""
    return _read(value) is not None


def precise(value: str) -> bool:
    """To the second, with its offset from UTC."""
    match = _TS.match(value)
    return match is not None and len(match[1]) == 14 and match[3] is not None


def same_instant(cda: str, xds: str) -> bool | None:
    """Whether a CDA time and an XDS one agree at their common precision; None when one of them cannot be read.

    A CDA time without offset could be of any zone: it may differ from UTC by a day.
    """
    match = _TS.match(cda)
    left, right = _read(cda), _read(xds)
    if match is None or left is None or right is None:
        return None
    digits = min(len(match[1]), len(xds))
    if digits <= 8:
        return xds[:digits] in (cda[:digits], f"{left:%Y%m%d}"[:digits])
    if match[3] is None:
        return abs(left - right) <= timedelta(days=1)
    return f"{left:%Y%m%d%H%M%S}"[:digits] == xds[:digits]


def _read(value: str) -> datetime | None:
    """The instant in UTC (a time without offset is taken as UTC)."""
    match = _TS.match(value)
    if match is None:
        return None
    try:
        told = match[1] + _FIRST_INSTANT[len(match[1]) :]
        day = int(told[:4]), int(told[4:6]), int(told[6:8])
        moment = datetime(*day, int(told[8:10]), int(told[10:12]), int(told[12:]), tzinfo=UTC)
        if match[3]:
            sign = -1 if match[3][0] == "+" else 1
            moment += sign * timedelta(hours=int(match[3][1:3]), minutes=int(match[3][3:5]))
    except (ValueError, OverflowError):
        return None
    return moment
