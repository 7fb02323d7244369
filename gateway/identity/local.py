"""One record of a structure's patient index: local traits, INS, status, proofs, and what INSi ever said of it.

Local traits and INSi traits are kept apart; used names are never filled from birth names (EXI PP 17 and 18). What INSi
answered is kept identical, with its trace (EXI REC 07); an INS that leaves the record stays in its history (EXI REC 08).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.identity.status import Event, Moved, Refused, Reliability, moved

UNPROVEN = Reliability()
FOUND = "00"


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
_LOSING_PROOF = frozenset({Event.PROOF_INVALIDATED, Event.TRAIT_CHANGED})


def _also(history: tuple[Ins, ...], ins: Ins) -> tuple[Ins, ...]:
    return history if ins in history else (*history, ins)


# ------------------------------------------------------------------------------------------------------ uncertain dates

_TYPED = re.compile(r"([0-9]{4})(?:-([0-9]{2}|\?\?)(?:-([0-9]{2}|\?\?))?)?")


def completed_date(typed: str) -> tuple[str, bool] | None:
    """A birth date as entered (AAAA-MM-JJ, `??` where unknown, or cut short), completed: AAAA-MM-JJ and whether by rule.

    | known          | completed to | uncertain |
    |----------------|--------------|-----------|
    | year and month | AAAA-MM-01   | yes       |
    | year and day   | AAAA-01-JJ   | yes       |
    | year           | AAAA-12-31   | yes       |

    None when the year is unknown: no identity can be made. A lunar date (day 00 or 32, month 20) told whole is kept as it
    is. Source: RNIV EXI PP 19; Guide INS EXI ID 11 and 12.
    """
    found = _TYPED.fullmatch(typed)
    if found is None:
        return None
    year, month, day = (None if part in (None, "??") else part for part in found.groups())
    if year is None:
        return None
    if month and day:
        return f"{year}-{month}-{day}", False
    if month:
        return f"{year}-{month}-01", True
    return (f"{year}-01-{day}", True) if day else (f"{year}-12-31", True)
