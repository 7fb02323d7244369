"""The reliability of a local identity: four exclusive statuses, three attributes, and the moves between them.

A status is what two facts make of an identity: was it retrieved or verified by INSi, was it proven by a high-trust
device. The moves are a table; a move that is not in it is refused and explained (INS-083). Sources: RNIV EXI SI 07 to 10
and 22, Guide d'implémentation INS EXI ID 23 to 29.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.values import Text


class Status(StrEnum):
    """Identité provisoire, récupérée, validée, qualifiée. Only the last one may be sent with its matricule."""

    PROV = "PROV"
    RECUP = "RECUP"
    VALI = "VALI"
    QUAL = "QUAL"

    @property
    def may_send_ins(self) -> bool:
        """EXI SI 08: only a qualified identity references data with the INS."""
        return self is Status.QUAL


class Attribute(StrEnum):
    """Marks beside the status."""

    HOMONYME = "homonyme"  # HOMA
    DOUTEUSE = "douteuse"  # DOUT
    FICTIVE = "fictive"  # FICT


class Event(StrEnum):
    """What may happen to a local identity."""

    INSI_CONFIRMED = "insi-confirmed"  # CR 00, accepted by the user
    PROOF_CHECKED = "proof-checked"  # by a high-trust device
    PROOF_INVALIDATED = "proof-invalidated"
    INSI_INVALIDATED = "insi-invalidated"  # or the INS deleted
    TRAIT_CHANGED = "trait-changed"  # a strict trait, by hand, and the proof no longer matches
    TRAIT_CHANGED_PROVEN = "trait-changed-proven"  # the same, the proof still matches
    MARKED_DOUBTFUL = "marked-doubtful"
    MARKED_FICTIVE = "marked-fictive"
    UNMARKED = "unmarked"  # douteuse or fictive removed
    MARKED_HOMONYM = "marked-homonym"
    UNMARKED_HOMONYM = "unmarked-homonym"


@dataclass(frozen=True, slots=True)
class Reliability:
    """Status and attributes together."""

    status: Status = Status.PROV
    attributes: frozenset[Attribute] = frozenset()

    @property
    def set_aside(self) -> bool:
        """Douteuse or fictive: no INS, no INSi call, no automatic match."""
        return bool(self.attributes & _SETTING_ASIDE)


@dataclass(frozen=True, slots=True)
class Moved:
    """A move that is allowed. `ins_removed`: the matricule and its OID leave the record (they stay in its history)."""

    after: Reliability
    ins_removed: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """A move that is not. `rule` is the card that explains it."""

    rule: str
    why: Text


_SETTING_ASIDE = frozenset({Attribute.DOUTEUSE, Attribute.FICTIVE})

# status, event -> status. What is not here is refused.
_MOVES: Mapping[tuple[Status, Event], Status] = {
    (Status.PROV, Event.INSI_CONFIRMED): Status.RECUP,
    (Status.PROV, Event.PROOF_CHECKED): Status.VALI,
    (Status.PROV, Event.TRAIT_CHANGED): Status.PROV,
    (Status.PROV, Event.TRAIT_CHANGED_PROVEN): Status.PROV,
    (Status.RECUP, Event.PROOF_CHECKED): Status.QUAL,
    (Status.RECUP, Event.INSI_INVALIDATED): Status.PROV,
    (Status.RECUP, Event.TRAIT_CHANGED): Status.PROV,
    (Status.VALI, Event.INSI_CONFIRMED): Status.QUAL,
    (Status.VALI, Event.PROOF_INVALIDATED): Status.PROV,
    (Status.VALI, Event.TRAIT_CHANGED): Status.PROV,
    (Status.VALI, Event.TRAIT_CHANGED_PROVEN): Status.VALI,
    (Status.QUAL, Event.PROOF_INVALIDATED): Status.RECUP,
    (Status.QUAL, Event.INSI_INVALIDATED): Status.VALI,
    (Status.QUAL, Event.TRAIT_CHANGED): Status.PROV,
    (Status.QUAL, Event.TRAIT_CHANGED_PROVEN): Status.VALI,
}

# events after which the record holds no INS any more
_LOSING_INS = frozenset({Event.INSI_INVALIDATED, Event.TRAIT_CHANGED, Event.TRAIT_CHANGED_PROVEN})


def moved(before: Reliability, event: Event) -> Moved | Refused:
    """What an event makes of an identity."""
    return _after(before, event) or Refused("INS-083", _impossible(before, event))


def moves_by_hand(before: Reliability) -> tuple[Event, ...]:
    """The moves that a user may make from here, in the order of `Event`.

    An answer of INSi is confirmed and traits are changed otherwise: neither is a move by itself. A mark put twice does
    no harm, and is not named.
    """
    useless = {*_NOT_BY_HAND, *(e for e, mark in _MARKS.items() if mark in before.attributes)}
    return tuple(e for e in Event if e not in useless and isinstance(_after(before, e), Moved))


def _after(before: Reliability, event: Event) -> Moved | Refused | None:
    """The same as `moved`; None for an event that makes no sense here."""
    mark, lifted = _MARKS.get(event), _LIFTED.get(event)
    if mark is not None:
        return _marked(before, mark)
    if lifted is not None:
        return _unmarked(before, event, lifted) if lifted & before.attributes else None
    if before.set_aside:
        return Refused("INS-185" if event is Event.INSI_CONFIRMED else "INS-076", _SET_ASIDE)
    after = _MOVES.get((before.status, event))
    if after is None:
        return None
    lost = event in _LOSING_INS and before.status in (Status.RECUP, Status.QUAL)
    return Moved(Reliability(after, before.attributes), ins_removed=lost)


_MARKS = {
    Event.MARKED_DOUBTFUL: Attribute.DOUTEUSE,
    Event.MARKED_FICTIVE: Attribute.FICTIVE,
    Event.MARKED_HOMONYM: Attribute.HOMONYME,
}
_LIFTED = {Event.UNMARKED: _SETTING_ASIDE, Event.UNMARKED_HOMONYM: frozenset({Attribute.HOMONYME})}
_NOT_BY_HAND = frozenset({Event.INSI_CONFIRMED, Event.TRAIT_CHANGED, Event.TRAIT_CHANGED_PROVEN})


def _marked(before: Reliability, mark: Attribute) -> Moved | Refused:
    """The only allowed pair is douteuse and homonyme; douteuse and fictive force PROV and take the INS away."""
    if Attribute.FICTIVE in before.attributes | {mark} and before.attributes - {mark}:
        rule = "INS-075" if Attribute.DOUTEUSE in before.attributes | {mark} else "INS-076"
        return Refused(rule, _FICTIVE_ALONE)
    attributes = before.attributes | {mark}
    if mark is Attribute.HOMONYME:
        return Moved(Reliability(before.status, attributes))
    return Moved(Reliability(Status.PROV, attributes), ins_removed=True)


def _unmarked(before: Reliability, event: Event, lifted: frozenset[Attribute]) -> Moved:
    """After a doubt the whole path is to be walked again; a homonym keeps its status."""
    attributes = before.attributes - lifted
    if event is Event.UNMARKED:
        return Moved(Reliability(Status.PROV, attributes), ins_removed=True)
    return Moved(Reliability(before.status, attributes))


_SET_ASIDE = Text(
    "Une identité douteuse ou fictive reste provisoire : retirez d'abord cet attribut.",
    "A doubtful or fictive identity stays provisional: first remove that attribute.",
)
_FICTIVE_ALONE = Text(
    "L'attribut fictive ne se combine avec aucun autre : retirez d'abord l'autre attribut.",
    "The attribute fictive goes with no other: first remove the other one.",
)


def _impossible(before: Reliability, event: Event) -> Text:
    status = " + ".join((before.status.value, *sorted(a.value for a in before.attributes)))
    allowed = ", ".join(e.value for e in moves_by_hand(before))
    return Text(
        f"Depuis {status}, « {event.value} » est sans objet ; possibles : {allowed}.",
        f'From {status}, "{event.value}" makes no sense; possible: {allowed}.',
    )
