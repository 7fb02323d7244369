"""One record of a structure's patient index: local traits, INS, status, proofs, and what INSi ever said of it.

Local traits and INSi traits are kept apart; used names are never filled from birth names (EXI PP 17 and 18). What INSi
answered is kept identical, with its trace (EXI REC 07); an INS that leaves the record stays in its history (EXI REC 08).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from gateway.identity.status import Event, Moved, Refused, Reliability, moved

UNPROVEN = Reliability()


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
    """An identity document that was checked. `kind` is a code of `fixtures/codes/proofs.csv`; `high_trust` is its rank."""

    kind: str
    high_trust: bool
    checked_at: datetime
    checked_by: str


@dataclass(frozen=True, slots=True)
class InsiTrace:
    """One answer of INSi: its code, the digest of the bytes kept identical, the operation, who asked."""

    code: str  # 00, 01, 02, or a fault
    operation: str
    at: datetime
    asked_by: str
    answer_sha256: str
    traits: Traits | None = None
    ins: Ins | None = None


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

    def known_as(self, ins: Ins) -> bool:
        """Whether an INS is, or was, this record's."""
        return ins == self.ins or ins in self.ins_history

    def after(self, event: Event) -> LocalIdentity | Refused:
        """The record after an event; the INS it loses goes to its history."""
        done = moved(self.reliability, event)
        if isinstance(done, Refused):
            return done
        return self._moved(done)

    def _moved(self, done: Moved) -> LocalIdentity:
        if not done.ins_removed or self.ins is None:
            return replace(self, reliability=done.after)
        return replace(self, reliability=done.after, ins=None, ins_history=(*self.ins_history, self.ins))

    def with_ins(self, ins: Ins) -> LocalIdentity:
        """The record under a new INS; the former one goes to its history."""
        if self.ins is None or self.ins == ins:
            return replace(self, ins=ins)
        return replace(self, ins=ins, ins_history=(*self.ins_history, self.ins))
