"""Where a page of a list ends, in a word that tells nothing: the `next` of one page is the `after` of the following."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from adapters.api.problems import Problem
from gateway.ports import QuarantineRow
from gateway.values import Text

_PLACE = re.compile(r"([0-9a-f]{1,14})-([0-9A-Za-z-]{1,64})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)
_LOST = Text("« after » est le « next » de la page précédente", '"after" is the "next" of the page before')


def place_of(row: QuarantineRow) -> str:
    """The place of an entry in the queue."""
    return f"{(row.at - _EPOCH) // _MICRO:x}-{row.id}"


def place_told(after: str) -> tuple[datetime, str] | None:
    """The place a caller gives back; None for the first page. Raises a 422 problem for what is no place."""
    if not after:
        return None
    found = _PLACE.fullmatch(after)
    if found is None:
        raise Problem(422, "unknown-page", _LOST)
    return _EPOCH + int(found[1], 16) * _MICRO, found[2]
