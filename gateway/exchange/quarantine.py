"""The decisions of humans on the quarantine queue: attach, create a provisional record, refuse, copy without the INS.

The mail was delivered and stays as it is. Whatever is decided is one commit: the entry, the record, the exchange, the
keyword on the mail, the journal. Nothing is merged, no local trait is overwritten, and an INS that came with a message is
only ever kept aside (`ins_received`): promoting it takes an answer of INSi (INS-170).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from gateway.documents.without_ins import MARK, Signed, Unreadable
from gateway.exchange.identities import Draft, Identities, NotAllowed, Remark
from gateway.exchange.indexed import IndexedIdentity, indexed, put
from gateway.exchange.integration import work_for
from gateway.exchange.model import Event, Payload
from gateway.exchange.quarantine_checks import kept_aside, refuse_double, refuse_unlike
from gateway.exchange.received import told_of, told_record
from gateway.exchange.routing import QUARANTINE_KEYWORD, WITHOUT_INS_KEYWORD
from gateway.identity.matching import Received
from gateway.messaging.without_ins import mail_without_ins
from gateway.ports import (
    Clock,
    Conflict,
    DecideQuarantine,
    ExchangeRow,
    Ids,
    MarkMail,
    NewMail,
    Offload,
    Operation,
    QuarantineRow,
    RecordExchange,
    RecordIntegration,
    Sandboxes,
    Store,
)
from gateway.rules.verdict import Integration, Outcome
from gateway.sandbox.model import Limits
from gateway.values import Door, Text

OPEN = "open"


class State(StrEnum):
    """What became of an entry."""

    OPEN = OPEN
    ATTACHED = "attached"
    CREATED = "created"
    REFUSED = "refused"
    COPIED = "copied"


class Gone(Exception):
    """The entry's exchange or its octets are no longer there."""


@dataclass(frozen=True, slots=True)
class Decided:
    """An entry after its decision: its state, the record or the copy (exchange) it led to, '' when none.

    `remarks` names the records that a new one is near to.
    """

    state: State
    record_id: str = ""
    copy_id: str = ""
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class QuarantineDesk:
    """Where a human decides. Holds no state: the store does. Each method raises Conflict for an entry already decided."""

    store: Store
    sandboxes: Sandboxes
    clock: Clock
    ids: Ids
    offload: Offload

    @property
    def _identities(self) -> Identities:
        return Identities(self.store, self.clock, self.ids)

    # ------------------------------------------------------------------------------------------------------ decisions

    async def attach(
        self,
        workspace: str,
        entry: QuarantineRow,
        record_id: str,
        by: str,
        note: str = "",
        *,
        accept_differences: bool = False,
    ) -> Decided:
        """The documents join one record of that structure's index.

        Where the message and the record differ the user must say so. Raises NotAllowed, Conflict (the entry was decided, or
        the record changed meanwhile), Gone.
        """
        exchange = await self._exchange(workspace, entry)
        row = await self.store.identity(workspace, record_id)
        if row is None or row.structure != entry.structure:
            raise NotAllowed("INS-176", _OTHER_INDEX)
        record = indexed(workspace, row)
        if record.local.reliability.set_aside:
            raise NotAllowed("INS-177", _SET_ASIDE)
        received = told_of(entry.record["received"]).received
        if not accept_differences:
            refuse_unlike(received, record.local)
        fresh, event = self._attached(record, received, entry, by)
        operations = (put(fresh, self.clock.now(), (event,)),)
        return await self._decided(workspace, entry, exchange, State.ATTACHED, by, note, operations, record_id)

    def _attached(
        self, record: IndexedIdentity, received: Received, entry: QuarantineRow, by: str
    ) -> tuple[IndexedIdentity, Event]:
        """The record, with the INS received kept aside when it has none: neither its own nor another one to verify."""
        local, ins, what = record.local, kept_aside(received), JOINED
        if ins is not None and local.ins is None and local.ins_received is None and not local.known_as(ins):
            local, what = replace(local, ins_received=ins), KEPT_ASIDE
        return self._identities.kept(record, local, "identity-attached", what, by, entry.exchange_id)

    async def create(self, workspace: str, entry: QuarantineRow, by: str, ipp: str = "", note: str = "") -> Decided:
        """A provisional record made of what the message says, which the documents join; with what it is near to.

        The index is looked at as it is now: what would double a record is refused. Raises NotAllowed, Conflict, Gone.
        """
        exchange = await self._exchange(workspace, entry)
        told = told_of(entry.record["received"])
        await refuse_double(self.store, workspace, entry.structure, told.received)
        draft = Draft(
            traits=told.received.traits,
            ipp=ipp,
            used_family=told.used_family,
            used_given=told.used_given,
            ins_received=kept_aside(told.received),
            origin="RECD",
        )
        record, event = self._identities.drafted(workspace, entry.structure, draft, by)
        operations = (put(record, self.clock.now(), (event,)),)
        try:
            done = await self._decided(workspace, entry, exchange, State.CREATED, by, note, operations, record.id)
        except Conflict as conflict:
            if conflict.key == "ins":  # somebody made it meanwhile: said as it would have been a moment later
                await refuse_double(self.store, workspace, entry.structure, told.received)
            raise
        return replace(done, remarks=await self._identities.remarks(record))

    async def refuse(self, workspace: str, entry: QuarantineRow, by: str, note: str = "") -> Decided:
        """The documents join no record; the mail stays in its mailbox. Raises Gone."""
        exchange = await self._exchange(workspace, entry)
        return await self._decided(workspace, entry, exchange, State.REFUSED, by, note)

    async def copy(self, workspace: str, entry: QuarantineRow, by: str, note: str = "") -> Decided:
        """A marked copy without the INS, a new exchange beside the original in the same mailboxes.

        The copy is matched anew, as a document without an INS is. Raises NotAllowed: INS-206 for what is signed and for what
        is a copy already, INS-205 for what cannot be read; Gone.
        """
        exchange = await self._exchange(workspace, entry)
        if exchange.summary.get("door") == Door.COPY.value:
            raise NotAllowed("INS-206", _A_COPY)
        raw = await self.store.blob(workspace, exchange.sha256)
        if raw is None:
            raise Gone
        now, copy_id = self.clock.now(), self.ids.new()
        limits = self.sandboxes.policy(workspace).limits
        domain = str(entry.record["addresses"][0]).rpartition("@")[2]
        message_id = f"{copy_id}@{domain}"
        try:
            copied = await self.offload.run(copied_mail, raw, copy_id, message_id, exchange.id, now, limits)
        except Signed:
            raise NotAllowed("INS-206", _SIGNED) from None
        except Unreadable as error:
            raise NotAllowed("INS-205", Text(f"Illisible : {error}.", f"Unreadable: {error}.")) from None
        record = self._copy_record(workspace, entry, exchange, copied, copy_id, message_id, now)
        return await self._decided(workspace, entry, exchange, State.COPIED, by, note, (record,), copy_id=copy_id)

    # -------------------------------------------------------------------------------------------------------- writing

    async def _exchange(self, workspace: str, entry: QuarantineRow) -> ExchangeRow:
        exchange = await self.store.exchange(workspace, entry.exchange_id)
        if exchange is None:
            raise Gone
        return exchange

    def _copy_record(
        self,
        workspace: str,
        entry: QuarantineRow,
        original: ExchangeRow,
        copied: bytes,
        copy_id: str,
        message_id: str,
        now: datetime,
    ) -> RecordExchange:
        payload = Payload(len(copied), sha256(copied).hexdigest(), copied)
        addresses = [str(a) for a in entry.record["addresses"]]
        told = told_of(entry.record["received"])
        bare = replace(told, received=replace(told.received, ins=None, complete=True, trusted=True, key_valid=True))
        work = work_for(workspace, entry.structure, addresses, told_record(replace(bare, stopped_by=())), now)
        summary = {
            **{k: v for k, v in original.summary.items() if k in _SHARED},
            "door": Door.COPY.value,
            "recipients": addresses,
            "message_id": message_id,
            "outcome": Outcome.ACCEPT.value,
            "integration": Integration.WITHOUT_INS.value,
            "copy_of": original.id,
            "mark": MARK,
            "rules": [],
            "answer": "",
        }
        mails = tuple(
            NewMail(
                workspace,
                address,
                "INBOX",
                payload.sha256,
                payload.size_bytes,
                now,
                (WITHOUT_INS_KEYWORD,),
                copy_id,
            )
            for address in addresses
        )
        delivered = {"mailboxes": addresses, "copy_of": original.id}
        return RecordExchange(
            workspace=workspace,
            exchange_id=copy_id,
            at=now,
            payload=payload,
            summary=summary,
            findings=(),
            parent_id=original.id,
            correlation_id=original.correlation_id,
            events=(Event("delivered", now, workspace, copy_id, delivered),),
            mails=mails,
            deliveries=(replace(work, exchange_id=copy_id),),
        )

    async def _decided(
        self,
        workspace: str,
        entry: QuarantineRow,
        exchange: ExchangeRow,
        state: State,
        by: str,
        note: str,
        operations: tuple[Operation, ...] = (),
        record_id: str = "",
        copy_id: str = "",
    ) -> Decided:
        now = self.clock.now()
        outcome: dict[str, Any] = {**_told(exchange, entry.structure), "state": state.value, "by": by}
        outcome |= {k: v for k, v in (("record", record_id), ("copy", copy_id)) if v}
        summary: dict[str, Any] = {"integrations": {entry.structure: outcome}}
        joined = state in (State.ATTACHED, State.CREATED)
        leads = {k: v for k, v in (("record", record_id), ("copy", copy_id)) if v}
        about = {"structure": entry.structure, "row": entry.line, "entry": entry.id, "state": state.value, "by": by}
        about |= leads | ({"note": note} if note else {})
        addresses = [str(a) for a in entry.record["addresses"]]
        await self.store.commit(
            DecideQuarantine(workspace, entry.id, state.value, by, now, {**leads, "note": note}),
            *operations,
            RecordIntegration(
                workspace=workspace,
                exchange_id=exchange.id,
                at=now,
                summary=summary,
                marks=tuple(MarkMail(a, QUARANTINE_KEYWORD, present=False) for a in addresses) if joined else (),
                events=(Event("quarantine-decided", now, workspace, exchange.id, about),),
                records=(record_id,) if joined else (),
                settles=joined,
            ),
        )
        return Decided(state, record_id, copy_id)


def copied_mail(raw: bytes, copy_id: str, message_id: str, original: str, at: datetime, limits: Limits) -> bytes:
    """The copy of a mail without the INS. A function of its arguments alone: it runs in a worker process."""

    def new_id(before: str) -> str:
        return f"2.25.{int(sha256(f'{copy_id}|{before}'.encode()).hexdigest()[:32], 16)}"

    return mail_without_ins(raw, new_id=new_id, message_id=message_id, original=original, at=at, limits=limits)


_SHARED = ("operator", "sender", "sender_kind", "mail_from", "subject", "kind", "documents")
JOINED, KEPT_ASIDE = "joined", "attached"  # lines of a record's history


def _told(exchange: ExchangeRow, structure: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = exchange.summary.get("integrations", {}).get(structure, {})
    return found


_OTHER_INDEX = Text("Ce dossier n'est pas de cette structure.", "This record is not one of this structure.")
_SET_ASIDE = Text(
    "Le dossier choisi est douteux ou fictif : levez d'abord cet attribut.",
    "The chosen record is doubtful or fictive: lift that attribute first.",
)
_A_COPY = Text("Cet échange est déjà une copie sans INS.", "This exchange is a copy without the INS already.")
_SIGNED = Text("Le document ou le mail est signé ou chiffré.", "The document or the mail is signed or encrypted.")
