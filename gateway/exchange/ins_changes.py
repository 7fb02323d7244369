"""An A47 met by a structure's patient index: find the record by its number, judge, apply, store. One commit, or nothing.

For any door that receives an ADT: it hands in the views of the message and answers by the outcome. The record is found by the
number the structure gave the patient (IPP), never by the INS that is changing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.directory.model import Territory
from gateway.documents.build_record import ipp_oid
from gateway.exchange.identities import Identities
from gateway.exchange.indexed import IndexedIdentity, indexed, put
from gateway.identity.ins_change import Changing, InsChange, applied, change_told, deletion_applied, former_ins_known
from gateway.identity.model import IdentityView
from gateway.identity.record_rules import RECORD_RULES, ReliedOn
from gateway.ports import Clock, Ids, Store
from gateway.rules import Action, Finding, Hit, RuleBook, RuleContext
from gateway.rules.masking import EMPTY

APPLIED, WITHDRAWN, REPLACED = "identity-ins", "ins-withdrawn", "ins-replaced"
_STOPS = frozenset({Action.REJECT, Action.QUARANTINE})


@dataclass(frozen=True, slots=True)
class Changed:
    """What became of one A47. `ack` is the HL7 application error ('' when applied); `record` the one it is about."""

    findings: tuple[Finding, ...]
    ack: str = ""
    record: IndexedIdentity | None = None


@dataclass(frozen=True, slots=True)
class InsChanges:
    """Applies them. Holds no state: the store does."""

    store: Store
    clock: Clock
    ids: Ids
    book: RuleBook

    async def take(
        self,
        workspace: str,
        structure: str,
        views: Iterable[IdentityView],
        territory: Territory,
        ctx: RuleContext,
        by: str,
    ) -> tuple[Changed, ...]:
        """One outcome for each patient whose INS the message changes; none when it is no A47.

        Raises Conflict when the record was changed meanwhile: take the message again; StoreUnavailable.
        """
        asked = [change for view in views if (change := change_told(view)) is not None]
        return tuple([await self._one(workspace, structure, change, territory, ctx, by) for change in asked])

    async def _one(
        self, workspace: str, structure: str, change: InsChange, territory: Territory, ctx: RuleContext, by: str
    ) -> Changed:
        record = await self._found(workspace, structure, change, territory)
        if record is None:
            hit = Hit(change.where, f"{len(change.numbers)} IPP", f"{structure} · {EMPTY}", container=change.container)
            return Changed(tuple(self.book.findings("INS-176", hit, ctx, change.container)), "902")
        before = Changing(change, record.local, structure)
        findings = self.book.judge([former_ins_known], before, ctx, change.container)
        relied = ReliedOn(record.local, structure, change.container, change.where)
        findings += self.book.judge(RECORD_RULES, relied, ctx, change.container)
        stopping = next((f for f in findings if f.action in _STOPS), None)
        if stopping is not None:
            return Changed(tuple(findings), stopping.hl7_error or "906", record)
        after = applied(change, record.local)
        findings += self.book.judge([deletion_applied], Changing(change, after, structure), ctx, change.container)
        if after != record.local:
            what = WITHDRAWN if change.withdraws else REPLACED
            identities = Identities(self.store, self.clock, self.ids)
            record, event = identities.kept(record, after, APPLIED, what, by)
            await self.store.commit(put(record, self.clock.now(), (event,)))
        return Changed(tuple(findings), record=record)

    async def _found(
        self, workspace: str, structure: str, change: InsChange, territory: Territory
    ) -> IndexedIdentity | None:
        """The one record whose number the message gives; a number of another domain finds nobody."""
        known = territory.structures.get(structure)
        oid = ipp_oid(known) if known is not None else ""
        own = [value for value, under in change.numbers if oid and under == oid]
        rows = await self.store.identities_known_as(workspace, structure, [], own) if own else ()
        return indexed(workspace, rows[0]) if len(rows) == 1 else None
