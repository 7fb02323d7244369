"""Matching on receipt: what becomes of a received identity in the recipient's patient index.

A decision table, read top down; the first line that fits decides. Nothing is merged, nothing overwritten, nothing
promoted: the best that can happen without a human is that a document joins a record whose INS and traits are exactly
the received ones, and which is qualified. Source: matching on receipt, order of tests and rows 1 to 18.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from gateway.identity.comparison import Comparison, Grade, compared
from gateway.identity.local import Ins, LocalIdentity, Traits
from gateway.identity.status import Attribute, Status


class Outcome(StrEnum):
    """What happens without a human."""

    INTEGRATE = "integrate"
    INTEGRATE_WITH_ALERT = "integrate_with_alert"
    QUARANTINE = "quarantine"


class Index(Protocol):
    """A structure's patient index, as the matching needs it."""

    def with_ins(self, ins: Ins) -> Sequence[LocalIdentity]:
        """Records that hold this INS, or held it."""
        ...

    def like(self, traits: Traits) -> Sequence[LocalIdentity]:
        """Records with the same birth date and sex: the candidates of a search by traits."""
        ...


@dataclass(frozen=True, slots=True)
class Received:
    """What a message says. `complete`: INS and every trait that goes with it. `trusted`: its status lets it send an INS.

    `contradicted`: the rules found its containers at odds, or something else that forbids any automatic integration.
    """

    traits: Traits
    ins: Ins | None
    complete: bool = True
    trusted: bool = True
    key_valid: bool = True
    contradicted: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """The line of the table that decided. `ack` is the HL7 application error ('' when accepted).

    `row` 0 is before the table: the message contradicts itself, and its candidates are only shown.
    """

    row: int
    outcome: Outcome
    ack: str
    rules: tuple[str, ...]
    candidates: tuple[LocalIdentity, ...] = ()
    comparison: Comparison | None = None

    @property
    def record(self) -> LocalIdentity | None:
        """The record the document joins, or the one a human should look at first."""
        return self.candidates[0] if self.candidates else None


Graded = tuple[LocalIdentity, Comparison]
_SHOWN = 20  # candidates shown to a human


def match(received: Received, index: Index, *, profile: str = "strict") -> Match:
    """The decision for one received identity."""
    if not received.key_valid:
        return Match(17, Outcome.QUARANTINE, "904", ("INS-004",))
    if received.ins is not None and not received.complete:
        near = _near(_graded(received, index, coarse=True))
        return Match(12, Outcome.QUARANTINE, "905", ("INS-032",), near)
    if received.contradicted:
        return _set_aside_unread(received, index)
    if received.ins is None or not received.trusted:
        return _without_ins(received, index)
    holders = tuple(index.with_ins(received.ins))
    if len(holders) > 1:
        active = [local for local in holders if local.ins == received.ins]
        rules = ("INS-172", "INS-179") if len(active) > 1 else ("INS-179",)
        return Match(15, Outcome.QUARANTINE, "906", rules, holders[:_SHOWN])
    if holders:
        return _same_ins(received, received.ins, holders[0], profile)
    return _unknown_ins(received, index)


def _set_aside_unread(received: Received, index: Index) -> Match:
    """Nothing is decided by what a contradicted message says; the records it may speak of are shown."""
    holders = tuple(index.with_ins(received.ins)) if received.ins is not None else ()
    near = _near(_graded(received, index, coarse=True))
    shown = dict.fromkeys((*holders, *near))
    return Match(0, Outcome.QUARANTINE, "904", (), tuple(shown)[:_SHOWN])


def _graded(received: Received, index: Index, *, coarse: bool = False) -> list[Graded]:
    return [
        (local, compared(received.traits, local.traits, coarse_date=coarse)) for local in index.like(received.traits)
    ]


def _near(graded: Sequence[Graded]) -> tuple[LocalIdentity, ...]:
    """Whom to show, nearest first: all traits, the same once folded, missing ones, a letter off, a possible twin."""
    ranked = [(_rank(told), place, local) for place, (local, told) in enumerate(graded)]
    return tuple(local for rank, _, local in sorted(ranked, key=lambda r: r[:2]) if rank < _FAR)[:_SHOWN]


_FAR = 5
_GRADES = {Grade.EXACT: 0, Grade.APPROXIMATE: 1, Grade.INCOMPLETE: 2}


def _rank(told: Comparison) -> int:
    if told.grade in _GRADES:
        return _GRADES[told.grade]
    return 3 if told.almost else 4 if told.could_be_twins else _FAR


def _same_ins(received: Received, ins: Ins, local: LocalIdentity, profile: str) -> Match:
    told = compared(received.traits, local.traits)

    def decided(row: int, outcome: Outcome, ack: str, *rules: str) -> Match:
        return Match(row, outcome, ack, rules, (local,), told)

    if local.reliability.set_aside:
        return decided(16, Outcome.QUARANTINE, "904", "INS-177")
    if ins != local.ins:
        return decided(6, Outcome.QUARANTINE, "904", "INS-175")
    if told.grade is Grade.EXACT:
        if local.reliability.status is not Status.QUAL:
            return decided(2, Outcome.QUARANTINE, "904", "INS-178")
        if Attribute.HOMONYME in local.reliability.attributes:
            return decided(1, Outcome.QUARANTINE, "904", "INS-077")
        return decided(1, Outcome.INTEGRATE, "", "INS-161")
    if told.grade is Grade.APPROXIMATE and local.reliability.status is Status.QUAL:
        only_case = all(likeness.value in ("exact", "canonical") for likeness in told.traits.values())
        rules = ("INS-152", "INS-180") if only_case else ("INS-180",)
        homonym = Attribute.HOMONYME in local.reliability.attributes
        if only_case and profile == "lenient_canonical" and not homonym:
            return decided(3, Outcome.INTEGRATE_WITH_ALERT, "", *rules)
        return decided(3 if only_case else 4, Outcome.QUARANTINE, "904", *rules)
    return decided(5, Outcome.QUARANTINE, "904", "INS-171")


def _unknown_ins(received: Received, index: Index) -> Match:
    graded = _graded(received, index)
    exact = [(local, told) for local, told in graded if told.grade is Grade.EXACT]
    if len(exact) > 1:
        return Match(15, Outcome.QUARANTINE, "906", ("INS-179",), tuple(local for local, _ in exact)[:_SHOWN])
    if exact:
        ((local, told),) = exact
        if local.reliability.set_aside:
            return Match(16, Outcome.QUARANTINE, "904", ("INS-177",), (local,), told)
        row, rule = (8, "INS-170") if local.ins is None else (7, "INS-173")
        return Match(row, Outcome.QUARANTINE, "904", (rule,), (local,), told)
    twins = [(local, told) for local, told in graded if told.could_be_twins and not told.almost]
    if twins:
        return Match(
            9, Outcome.QUARANTINE, "904", ("INS-174",), tuple(local for local, _ in twins)[:_SHOWN], twins[0][1]
        )
    near = _near(graded)
    rules = ("INS-176", "INS-180") if near else ("INS-176",)
    return Match(10, Outcome.QUARANTINE, "902", rules, near, _comparison(near, graded))


def _without_ins(received: Received, index: Index) -> Match:
    """Rows 11, 13 and 14: an INS that its status does not let travel counts as absent."""
    row_of_untrusted = received.ins is not None
    first = ("INS-101",) if row_of_untrusted else ("INS-031",)
    graded = _graded(received, index, coarse=True)
    exact = [(local, told) for local, told in graded if told.grade is Grade.EXACT]
    if len(exact) > 1:
        return Match(15, Outcome.QUARANTINE, "906", ("INS-179",), tuple(local for local, _ in exact)[:_SHOWN])
    if exact:
        ((local, told),) = exact
        if local.reliability.set_aside:
            return Match(16, Outcome.QUARANTINE, "904", (*first, "INS-177"), (local,), told)
        row = 11 if row_of_untrusted else 13 if local.reliability.status is Status.QUAL else 14
        return Match(row, Outcome.QUARANTINE, "903", first, (local,), told)
    near = _near(graded)
    row = 11 if row_of_untrusted else 14
    return Match(
        row, Outcome.QUARANTINE, "903" if near else "902", (*first, "INS-176"), near, _comparison(near, graded)
    )


def _comparison(near: Sequence[LocalIdentity], graded: Sequence[Graded]) -> Comparison | None:
    return next((told for local, told in graded if near and local is near[0]), None)
