"""What humans and INSi do to the records of a patient index: create, prove, verify, change. Every change is journalled.

The state machine (`gateway.identity.status`) says what may happen; what it refuses, and what a rule forbids, raises
`NotAllowed` with the rule that explains it. A record is read, changed and stored under the version that was read: of two
changes at once the second is refused (`Conflict`), never lost.

No INS is ever taken from a message, nor a status given by hand: the only way to an INS is an answer of INSi, kept
identical, that a user confirmed (EXI REC 07); the only way to a proven identity is a high-trust proof on the record.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from gateway.exchange import identity_words as say
from gateway.exchange.identity_seed import CREATED
from gateway.exchange.indexed import IndexedIdentity, indexed, name_of, put
from gateway.exchange.insi_answers import answer_of, asked_as, differences, replaced, trace_of
from gateway.exchange.model import Event as Journalled
from gateway.exchange.model import Payload
from gateway.identity.comparison import compared
from gateway.identity.local import (
    INSI_ASKED,
    TRAITS_CHANGED,
    Change,
    Ins,
    InsiTrace,
    LocalIdentity,
    Proof,
    Traits,
    completed_date,
    is_after,
)
from gateway.identity.proofs import proof_kinds
from gateway.identity.status import Event, Refused, Reliability, Status
from gateway.identity.traits import canon
from gateway.ports import Clock, Conflict, IdentityFilter, Ids, InsRegistry, Store
from gateway.values import Text

CONFIRM, PROOF, DETAILS = "insi-confirmed", "proof-attached", "details"
_NOTE = 200  # characters
_ZONES = timedelta(days=1)  # a birth is dated where it was, the clock is UTC


class NotAllowed(Exception):
    """A rule forbids it. `why` says what was wrong this time; the card of `rule` says how to mend."""

    def __init__(self, rule: str, why: Text) -> None:
        super().__init__(f"{rule} {why.en}")
        self.rule, self.why = rule, why


@dataclass(frozen=True, slots=True)
class Draft:
    """An identity as a user enters it. `birth_date` may be incomplete (`1936-05`, `1936-??-14`); `ipp` '' = given here.

    Used names stay empty unless they are entered: they are never copied from the birth names (EXI PP 17 and 18).
    """

    traits: Traits
    ipp: str = ""
    used_family: str = ""
    used_given: str = ""
    deceased_on: str = ""
    ins_received: Ins | None = None
    origin: str = "local"


@dataclass(frozen=True, slots=True)
class Remark:
    """Something a user should look at, that forbids nothing."""

    rule: str
    why: Text


@dataclass(frozen=True, slots=True)
class Identities:
    """The patient indexes of every structure. Holds no state: the store does."""

    store: Store
    clock: Clock
    ids: Ids

    async def one(self, workspace: str, identity_id: str) -> IndexedIdentity | None:
        """One record."""
        row = await self.store.identity(workspace, identity_id)
        return None if row is None else indexed(workspace, row)

    # ------------------------------------------------------------------------------------------------------- creation

    async def create(self, workspace: str, structure: str, draft: Draft, by: str) -> IndexedIdentity:
        """A provisional record. Raises NotAllowed (a birth year is missing), Conflict (the IPP is taken)."""
        record, event = self.drafted(workspace, structure, draft, by)
        await self.store.commit(put(record, self.clock.now(), (event,)))
        return replace(record, version=1)

    def drafted(self, workspace: str, structure: str, draft: Draft, by: str) -> tuple[IndexedIdentity, Journalled]:
        """The record a draft makes, not yet stored, and what the journal says of it."""
        now = self.clock.now()
        ipp = draft.ipp.strip()[:64] or f"P{self.ids.new()[-10:].upper()}"
        local = LocalIdentity(
            ipp=ipp,
            traits=completed(draft.traits, self._today(workspace)),
            used_family=draft.used_family,
            used_given=draft.used_given,
            deceased_on=draft.deceased_on,
            ins_received=draft.ins_received,
            origin=draft.origin,
            changes=(Change(CREATED, now, by, "", Status.PROV.value),),
        )
        record = IndexedIdentity(name_of(workspace, structure, ipp), workspace, structure, local)
        return record, self._event("identity-created", record, by, after=Status.PROV.value, origin=draft.origin)

    async def remarks(self, record: IndexedIdentity) -> tuple[Remark, ...]:
        """Homonyms of a record in its index (same folded names and sex), and records with the very same traits."""
        traits = record.local.traits
        wanted = IdentityFilter(record.workspace, record.structure, family=canon(traits.birth_family), limit=50)
        if not wanted.family:
            return ()
        found = []
        for row in await self.store.identities(wanted):
            other = indexed(record.workspace, row)
            same = [n for n in ("birth_family", "birth_given") if _folded(other, n) == _folded(record, n)]
            if other.id == record.id or len(same) < 2 or other.local.traits.sex != traits.sex:
                continue
            double = compared(traits, other.local.traits).differing == ()
            found.append(Remark("INS-179" if double else "INS-077", say.near(other.local.ipp, double=double)))
        return tuple(found)

    # --------------------------------------------------------------------------------------------------------- status

    async def happened(self, record: IndexedIdentity, event: Event, by: str, note: str = "") -> IndexedIdentity:
        """A move of the status, or a mark put or lifted. Raises NotAllowed, Conflict."""
        local = record.local
        if event is Event.INSI_CONFIRMED:
            raise NotAllowed("INS-170" if local.ins_received else "INS-192", say.NO_ANSWER)
        if event in (Event.TRAIT_CHANGED, Event.TRAIT_CHANGED_PROVEN):
            raise NotAllowed("INS-083", say.CHANGE_THE_TRAITS)
        if event is Event.PROOF_CHECKED and local.proof is None:
            held = [p for p in local.proofs if not p.invalidated]
            raise NotAllowed("INS-081" if held else "INS-080", say.LOW_TRUST if held else say.NO_PROOF)
        return await self._moved(record, event, by, note)

    async def _moved(
        self,
        record: IndexedIdentity,
        event: Event,
        by: str,
        note: str = "",
        changed: LocalIdentity | None = None,
        kind: str = "identity-status",
    ) -> IndexedIdentity:
        before = changed or record.local
        after = before.after(event)
        if isinstance(after, Refused):
            raise NotAllowed(after.rule, after.why)
        return await self._kept(record, after, kind, event.value, by, note)

    async def proven(
        self, record: IndexedIdentity, kind: str, source: str, by: str, *, high_trust: bool | None = None
    ) -> IndexedIdentity:
        """Attach a proof; the status moves only by `proof-checked`. `high_trust` decides where the table leaves it open.

        Raises NotAllowed: kind unknown or not chosen, or a rank that the table does not give it.
        """
        known = proof_kinds().get(kind)
        if known is None:
            raise NotAllowed("INS-080", say.UNKNOWN_PROOF)
        if high_trust is not None and not known.to_decide and high_trust is not known.high_trust:
            raise NotAllowed("INS-081", say.RANK_IS_GIVEN)
        if record.local.reliability.set_aside:
            raise NotAllowed("INS-076", say.SET_ASIDE)
        rank = known.high_trust or (known.to_decide and bool(high_trust))
        proof = Proof(kind, rank, self.clock.now(), by, source[:_NOTE])
        local = replace(record.local, proofs=(*record.local.proofs, proof))
        return await self._kept(record, local, "identity-proof", PROOF, by, kind, proof=kind, high_trust=rank)

    async def changed(
        self, record: IndexedIdentity, traits: Traits, by: str, *, still_proven: bool = False, note: str = ""
    ) -> IndexedIdentity:
        """Other strict traits, by hand: the INS leaves the record; `still_proven`: the proof bears the new traits too."""
        traits, local = completed(traits, self._today(record.workspace)), record.local
        if traits == local.traits:
            return record
        fresh = replace(local, traits=traits)
        if local.reliability.set_aside:
            return await self._kept(record, fresh, "identity-traits", TRAITS_CHANGED, by, note)
        proven = still_proven and local.proof is not None
        event = Event.TRAIT_CHANGED_PROVEN if proven else Event.TRAIT_CHANGED
        return await self._moved(record, event, by, note, fresh, "identity-traits")

    async def described(
        self, record: IndexedIdentity, by: str, *, used_family: str, used_given: str, deceased_on: str
    ) -> IndexedIdentity:
        """The complementary traits: they never count as INS, and move no status."""
        local = replace(record.local, used_family=used_family, used_given=used_given, deceased_on=deceased_on)
        if local == record.local:
            return record
        return await self._kept(record, local, "identity-traits", DETAILS, by)

    # ----------------------------------------------------------------------------------------------------------- INSi

    async def asked(
        self, record: IndexedIdentity, registry: InsRegistry, by: str, *, verify: bool = False
    ) -> tuple[IndexedIdentity, InsiTrace]:
        """Search the record's traits, or verify its INS (its own, else the one received) with them; keep the answer.

        The status does not move: that takes `confirmed`. Raises NotAllowed: INS-185 for a doubtful or fictive identity,
        INS-186 and 187 for traits INSi would refuse.
        """
        local, now = record.local, self.clock.now()
        if local.reliability.set_aside:
            raise NotAllowed("INS-185", say.SET_ASIDE)
        ins = local.ins or local.ins_received if verify else None
        if verify and ins is None:
            raise NotAllowed("INS-031", say.NOTHING_TO_VERIFY)
        person = asked_as(local)
        result = await (registry.verify(answer_of(ins), person) if ins is not None else registry.search(person))
        trace, raw = trace_of(result, now, by, ins, local.traits)
        if not raw and trace.code.startswith("INS-"):
            raise NotAllowed(trace.code, say.not_asked(trace.code, trace.reason))
        answers = (Payload(len(raw), trace.answer_sha256, raw),) if raw else ()
        kept = replace(local, insi=(*local.insi, trace))
        told = {"code": trace.code, "operation": trace.operation, "sha256": trace.answer_sha256}
        fresh = await self._kept(record, kept, "identity-insi", INSI_ASKED, by, trace.code, answers, **told)
        return fresh, trace

    async def confirmed(
        self, record: IndexedIdentity, sha256: str, by: str, *, accept_differences: bool = False
    ) -> IndexedIdentity:
        """The user confirms the last answer of INSi (CR 00): its traits replace the local ones, its INS becomes the record's.

        An answer that another one followed, or that came before the record changed, is confirmed no more. Where traits
        differ the user must say so (INS-190); the proof then bears other traits, and is to be checked again.
        Raises NotAllowed, Conflict.
        """
        local = record.local
        if local.reliability.set_aside:
            raise NotAllowed("INS-185", say.SET_ASIDE)
        trace = local.confirmable
        if trace is None or trace.ins is None or trace.answer_sha256 != sha256:
            kept = any(t.answer_sha256 == sha256 for t in local.insi)
            raise NotAllowed("INS-192", say.OUTDATED if kept else say.NO_ANSWER)
        await self._free(record, trace.ins)
        differing = differences(local.traits, trace)
        if differing and not accept_differences:
            raise NotAllowed("INS-190", say.differ(differing))
        fresh = replace(local, traits=replaced(local.traits, trace)).with_ins(trace.ins, trace.history)
        if differing:
            moved = replace(local, ins=None).after(Event.TRAIT_CHANGED)
            if isinstance(moved, Refused):
                raise NotAllowed(moved.rule, moved.why)
            fresh = replace(fresh, reliability=moved.reliability, proofs=moved.proofs)
        if fresh.reliability.status in (Status.RECUP, Status.QUAL):
            return await self._kept(record, fresh, "identity-insi", CONFIRM, by, "renewed")
        return await self._moved(record, Event.INSI_CONFIRMED, by, ", ".join(differing), fresh, "identity-insi")

    async def _free(self, record: IndexedIdentity, ins: Ins) -> None:
        """No other record of the index may hold this INS: that is a duplicate or a collision, for a human to solve."""
        rows = await self.store.identities_known_as(record.workspace, record.structure, [(ins.matricule, ins.oid)])
        others = [other for row in rows if (other := indexed(record.workspace, row)).id != record.id]
        held = next((o for o in others if o.local.ins == ins), None)
        if held is not None:
            raise NotAllowed("INS-172", say.held_by(held.local.ipp))

    # --------------------------------------------------------------------------------------------------------- storing

    async def _kept(
        self,
        record: IndexedIdentity,
        local: LocalIdentity,
        kind: str,
        what: str,
        by: str,
        note: str = "",
        answers: tuple[Payload, ...] = (),
        **told: Any,
    ) -> IndexedIdentity:
        fresh, event = self.kept(record, local, kind, what, by, note, **told)
        try:
            (version,) = await self.store.commit(put(fresh, self.clock.now(), (event,), answers))
        except Conflict as conflict:
            if conflict.key == "ins":
                raise NotAllowed("INS-172", say.HELD) from conflict
            raise
        return replace(fresh, version=version)

    def kept(
        self,
        record: IndexedIdentity,
        local: LocalIdentity,
        kind: str,
        what: str,
        by: str,
        note: str = "",
        **told: Any,
    ) -> tuple[IndexedIdentity, Journalled]:
        """A changed record with one more line in its history, not yet stored, and what the journal says of it."""
        now: datetime = self.clock.now()
        before, after = shown_status(record.local.reliability), shown_status(local.reliability)
        change = Change(what, now, by, before, after, note[:_NOTE])
        fresh = replace(record, local=replace(local, changes=(*local.changes, change)), updated_at=now)
        return fresh, self._event(kind, record, by, event=what, before=before, after=after, **told)

    def _today(self, workspace: str) -> date:
        return self.clock.virtual_now(workspace).date()

    def _event(self, kind: str, record: IndexedIdentity, by: str, **told: Any) -> Journalled:
        data = {"structure": record.structure, "record": record.id, "by": by, **told}
        return Journalled(kind, self.clock.now(), record.workspace, "", data)


def shown_status(reliability: Reliability) -> str:
    """`QUAL`, `PROV + douteuse`."""
    return " + ".join((reliability.status.value, *sorted(a.value for a in reliability.attributes)))


def completed(traits: Traits, today: date) -> Traits:
    """Entered traits with their birth date completed by rule. Raises NotAllowed when no identity can be made of them."""
    if not traits.birth_family.strip() or not (traits.birth_given.strip() or traits.given_list.strip()):
        raise NotAllowed("INS-032", say.NO_NAME)
    date = completed_date(traits.birth_date.strip())
    if date is None:
        raise NotAllowed("INS-052", say.NO_YEAR)
    if is_after(traits.birth_date.strip(), today + _ZONES):
        raise NotAllowed("INS-053", say.NOT_BORN)
    return replace(traits, birth_date=date[0], birth_date_uncertain=date[1] or traits.birth_date_uncertain)


def _folded(record: IndexedIdentity, name: str) -> str:
    return canon(getattr(record.local.traits, name))
