"""Incidents of the simulated INSi that a workspace may switch on: an outage, slowness, traits that changed.

They live in memory: a restart ends them. What was played is in the journal and in the findings of each exchange.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gateway.values import Text

MAX_DELAY_S = 120.0
CHANGEABLE = ("family", "given_list", "sex", "birth_date", "birth_place", "matricule")


class Outage(StrEnum):
    """How the service is down."""

    NONE = ""
    FAULT = "fault"  # it answers its technical fault, siram_40 and insi_101 or insi_102
    HTTP = "http"  # it answers HTTP 503, without SOAP


@dataclass(frozen=True, slots=True)
class TraitChange:
    """One trait of one person is from now on another. `person` is a patient's key or a published identity's id.

    A new `matricule` (15 characters) sends the former one to the history.
    """

    person: str
    trait: str
    value: str


@dataclass(frozen=True, slots=True)
class InsiFaults:
    """What is switched on. `slow_s` is waited before each answer."""

    outage: Outage = Outage.NONE
    slow_s: float = 0.0
    changes: tuple[TraitChange, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """What the journal keeps: which traits changed, neither whose (a key may hold a name) nor into what."""
        return {"outage": self.outage.value, "slow_s": self.slow_s, "changes": [c.trait for c in self.changes]}


class UnknownIncident(ValueError):
    """The incidents asked for make no sense. `why` says what was expected."""

    def __init__(self, why: Text) -> None:
        super().__init__(why.en)
        self.why = why


def faults_from(record: Mapping[str, Any]) -> InsiFaults:
    """Incidents from JSON: `{"outage": "fault", "slow_s": 3, "changes": [{"person", "trait", "value"}]}`.

    Raises ValueError, in plain words, for what it cannot play.
    """
    unknown = set(record) - {"outage", "slow_s", "changes"}
    if unknown:
        told = ", ".join(sorted(unknown))
        why = Text(
            f"inconnu : {told} ; attendus : outage, slow_s, changes",
            f"unknown: {told}; expected outage, slow_s, changes",
        )
        raise UnknownIncident(why)
    try:
        outage = Outage(record.get("outage", ""))
    except ValueError as error:
        values = ", ".join(repr(o.value) for o in Outage)
        raise UnknownIncident(Text(f"outage : {values}", f"outage: {values}")) from error
    slow = record.get("slow_s", 0.0)
    if isinstance(slow, bool) or not isinstance(slow, (int, float)) or not 0 <= slow <= MAX_DELAY_S:
        why = Text(
            f"slow_s : un nombre de secondes entre 0 et {MAX_DELAY_S:g}",
            f"slow_s: a number of seconds between 0 and {MAX_DELAY_S:g}",
        )
        raise UnknownIncident(why)
    given = record.get("changes", [])
    changes = tuple(map(_change, given if isinstance(given, list) else [given]))
    return InsiFaults(outage, float(slow), changes)


def _change(record: Any) -> TraitChange:
    if not isinstance(record, Mapping) or set(record) != {"person", "trait", "value"}:
        why = Text("changes : chacun a person, trait et value", "changes: each has person, trait and value")
        raise UnknownIncident(why)
    change = TraitChange(str(record["person"]), str(record["trait"]), str(record["value"]))
    if change.trait not in CHANGEABLE:
        among = ", ".join(CHANGEABLE)
        raise UnknownIncident(Text(f"changes : trait parmi {among}", f"changes: trait among {among}"))
    if change.trait == "matricule" and len(change.value) != 15:
        why = Text("changes : un matricule compte 15 caractères", "changes: a matricule has 15 characters")
        raise UnknownIncident(why)
    return change
