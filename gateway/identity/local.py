"""One record of a structure's patient index: local traits, INS, status, proofs, and what INSi ever said of it.

Local traits and INSi traits are kept apart; used names are never filled from birth names (EXI PP 17 and 18). What INSi
answered is kept identical, with its trace (EXI REC 07); an INS that leaves the record stays in its history (EXI REC 08).
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date, datetime

from gateway.identity.status import Event, Moved, Refused, Reliability, moved

UNPROVEN = Reliability()
FOUND = "00"
ANSWERED = frozenset({FOUND, "01", "02"})  # the CR of INSi: any other code is that of a fault
# lines of a history that no move of the status writes
INSI_ASKED, TRAITS_CHANGED = "insi-asked", "traits-changed"
INS_WITHDRAWN, INS_REPLACED = "ins-withdrawn", "ins-replaced"  # by its sender (A47)


@dataclass(frozen=True, slots=True)
class Traits:
    """The strict traits (traits stricts), as INSi or a user writes them. `birth_date` is AAAA-MM-JJ, '' when unknown.

    `birth_date_uncertain` marks a date completed by rule (EXI PP 19), not one read on a proof.
    """

    birth_family: str = ""
    birth_given: str = ""
    given_list: str = ""
    sex: str = ""
    birth_date: str = ""
    birth_place: str = ""
    birth_date_uncertain: bool = False


@dataclass(frozen=True, slots=True)
class Ins:
    """Matricule and OID, never apart."""

    matricule: str
    oid: str


@dataclass(frozen=True, slots=True)
class Proof:
    """An identity document that was checked. `kind` is a code of `fixtures/codes/proofs.csv`; `high_trust` is its rank.

    `source` says where it was seen (at the desk, sent by a correspondent, …), in the words of who checked it.
    """

    kind: str
    high_trust: bool
    checked_at: datetime
    checked_by: str
    source: str = ""
    invalidated: bool = False


@dataclass(frozen=True, slots=True)
class InsiTrace:
    """One answer of INSi: its code, the digest of the bytes kept identical, the operation, who asked.

    `history` holds the former INS the answer told. `reason` says why there was no answer about the identity (a fault).
    """

    code: str  # 00, 01, 02, or that of a fault
    operation: str
    at: datetime
    asked_by: str
    answer_sha256: str
    traits: Traits | None = None
    ins: Ins | None = None
    history: tuple[Ins, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a record's history: what happened, who did it, and the status before and after."""

    event: str
    at: datetime
    by: str
    before: str
    after: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class LocalIdentity:
    """One record. `ipp` is the local id. `ins_received` came with a message and was not verified: nothing sends it."""

    ipp: str
    traits: Traits
    reliability: Reliability = UNPROVEN
    ins: Ins | None = None
    used_family: str = ""
    used_given: str = ""
    ins_history: tuple[Ins, ...] = ()
    ins_received: Ins | None = None
    proofs: tuple[Proof, ...] = ()
    insi: tuple[InsiTrace, ...] = ()
    origin: str = "local"  # local | RECD: made from what a message said
    deceased_on: str = ""
    changes: tuple[Change, ...] = ()

    def known_as(self, ins: Ins) -> bool:
        """Whether an INS is, or was, this record's."""
        return ins == self.ins or ins in self.ins_history

    @property
    def sends_ins(self) -> bool:
        """EXI SI 08: the record's INS may travel."""
        return self.ins is not None and self.reliability.status.may_send_ins

    @property
    def proof(self) -> Proof | None:
        """The high-trust proof the identity rests on, the last one checked; None when there is none."""
        return next((p for p in reversed(self.proofs) if p.high_trust and not p.invalidated), None)

    @property
    def verified_by(self) -> InsiTrace | None:
        """The last answer of INSi that told this record's INS; None when none did."""
        return next(
            (t for t in reversed(self.insi) if t.code == FOUND and t.ins is not None and t.ins == self.ins), None
        )

    @property
    def altered(self) -> tuple[str, ...]:
        """The traits that are no longer, letter for letter, those of the INSi answer the INS came with (INS-191)."""
        trace = self.verified_by
        if trace is None or trace.traits is None:
            return ()
        told = trace.traits
        return tuple(n for n in STRICT if getattr(told, n) and getattr(told, n) != getattr(self.traits, n))

    @property
    def confirmable(self) -> InsiTrace | None:
        """The answer of INSi that a user may confirm; None when there is none.

        It is the last one, faults aside, it told one identity, and the record is still the one it was asked about: no
        mark, no INS taken away and no trait changed by hand since.
        """
        before = next((n for n in range(len(self.changes), 0, -1) if self.changes[n - 1].event in _OUTDATING), 0)
        asked_since = sum(change.event == INSI_ASKED for change in self.changes[before:])
        since = self.insi[len(self.insi) - asked_since :] if before else self.insi
        last = next((trace for trace in reversed(since) if trace.code in ANSWERED), None)
        told = last is not None and last.code == FOUND and last.ins is not None
        return last if told and not self.reliability.set_aside else None

    @property
    def history_lost(self) -> tuple[Ins, ...]:
        """The former INS that INSi told with the record's own and that its history does not hold (INS-193)."""
        trace = self.verified_by
        return () if trace is None else tuple(ins for ins in trace.history if ins not in (*self.ins_history, self.ins))

    def after(self, event: Event) -> LocalIdentity | Refused:
        """The record after an event; the INS it loses goes to its history, the proof it loses is marked."""
        done = moved(self.reliability, event)
        if isinstance(done, Refused):
            return done
        record = self._moved(done)
        if event in _LOSING_PROOF or done.after.set_aside:
            record = replace(record, proofs=tuple(replace(p, invalidated=True) for p in record.proofs))
        return record

    def _moved(self, done: Moved) -> LocalIdentity:
        if not done.ins_removed or self.ins is None:
            return replace(self, reliability=done.after)
        return replace(self, reliability=done.after, ins=None, ins_history=_also(self.ins_history, self.ins))

    def with_ins(self, ins: Ins, former: tuple[Ins, ...] = ()) -> LocalIdentity:
        """The record under a new INS; its former one, and those INSi tells, go to its history.

        An INS received with a message is no longer set aside once INSi told it. Some answers repeat the active INS in
        their history: it stays out of it.
        """
        history = self.ins_history
        for one in (*(() if self.ins is None else (self.ins,)), *former):
            history = _also(history, one)
        received = None if self.ins_received == ins else self.ins_received
        return replace(self, ins=ins, ins_history=tuple(h for h in history if h != ins), ins_received=received)


STRICT = ("birth_family", "birth_given", "given_list", "sex", "birth_date", "birth_place")
_OUTDATING = frozenset(
    {
        *(TRAITS_CHANGED, INS_WITHDRAWN, INS_REPLACED),
        *(Event.INSI_INVALIDATED, Event.TRAIT_CHANGED, Event.TRAIT_CHANGED_PROVEN),
        *(Event.MARKED_DOUBTFUL, Event.MARKED_FICTIVE, Event.UNMARKED),
    }
)
_LOSING_PROOF = frozenset({Event.PROOF_INVALIDATED, Event.TRAIT_CHANGED})


def _also(history: tuple[Ins, ...], ins: Ins) -> tuple[Ins, ...]:
    return history if ins in history else (*history, ins)


# ------------------------------------------------------------------------------------------------------ uncertain dates

_TYPED = re.compile(r"([0-9]{4})(?:-([0-9]{2}|\?\?)(?:-([0-9]{2}|\?\?))?)?")


_LUNAR_MONTHS = frozenset({*range(20, 43), *range(50, 100)})  # of a month that the register does not know
_LUNAR_DAYS = frozenset({0, *range(31, 36)})


def completed_date(typed: str) -> tuple[str, bool] | None:
    """A birth date as entered (AAAA-MM-JJ, `??` where unknown, or cut short), completed: AAAA-MM-JJ and whether by rule.

    | known          | completed to | uncertain |
    |----------------|--------------|-----------|
    | year and month | AAAA-MM-01   | yes       |
    | year and day   | AAAA-01-JJ   | yes       |
    | year           | AAAA-12-31   | yes       |

    None when the year is unknown, or no such day can be: no identity can be made. A lunar date (month 20 to 42 or 50 to 99,
    day 00 or 31 to 35, 00-00) told whole is kept as it is. Source: RNIV EXI PP 19; Guide INS EXI ID 11 and 12.
    """
    told = _typed(typed)
    if told is None:
        return None
    year, month, day = told
    if not _may_be(year, month, day):
        return None
    if month is None:
        return (f"{year:04d}-12-31", True) if day is None else (f"{year:04d}-01-{day:02d}", True)
    return (f"{year:04d}-{month:02d}-01", True) if day is None else (f"{year:04d}-{month:02d}-{day:02d}", False)


def is_after(typed: str, today: date) -> bool:
    """Whether a birth date, as entered, is later than `today` as far as it is told."""
    told = _typed(typed)
    if told is None:
        return False
    year, month, day = told
    calendar = month is not None and 1 <= month <= 12
    told_so_far = (year, *((month or 1,) if calendar else ()), *((day,) if calendar and day is not None else ()))
    return told_so_far > (today.year, today.month, today.day)[: len(told_so_far)]


def _typed(typed: str) -> tuple[int, int | None, int | None] | None:
    found = _TYPED.fullmatch(typed)
    if found is None:
        return None
    month, day = (None if part in (None, "??") else int(part) for part in found.groups()[1:])
    return int(found[1]), month, day


def _may_be(year: int, month: int | None, day: int | None) -> bool:
    """A day of the calendar as far as it is told; told whole, a lunar one too."""
    if year < 1:
        return False
    if month is not None and 1 <= month <= 12:
        return day is None or 1 <= day <= monthrange(year, month)[1] or day in _LUNAR_DAYS
    if month is None:
        return day is None or 1 <= day <= 31
    if month == 0:
        return day == 0
    return month in _LUNAR_MONTHS and day is not None and (1 <= day <= 31 or day in _LUNAR_DAYS)
