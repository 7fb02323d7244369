"""Whose patient index a mailbox belongs to, and the records of the store as the core reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from gateway.directory.model import Mailbox, Professional, Structure, Territory
from gateway.exchange.model import Event, Payload
from gateway.identity.local import Ins, LocalIdentity, Traits
from gateway.identity.matching import Received
from gateway.identity.matricule import canonical
from gateway.identity.records import local_of, record_of
from gateway.identity.traits import canon
from gateway.ports import HeldIns, IdentityRow, IndexReader, PutIdentity


@dataclass(frozen=True, slots=True)
class IndexedIdentity:
    """One record of an index, with the name it has there. `version` is 0 until it is stored."""

    id: str
    workspace: str
    structure: str
    local: LocalIdentity
    version: int = 0
    created_at: datetime | None = None
    updated_at: datetime | None = None


def index_of_mailbox(mailbox: Mailbox | None, territory: Territory) -> str:
    """The structure in whose index the patients of a mailbox are; '' when it has none (a citizen's).

    A professional's is that of the first structure he works in; one who works in none keeps his own.
    """
    holder = territory.holder_of(mailbox) if mailbox is not None else None
    if isinstance(holder, Structure):
        return holder.key
    if isinstance(holder, Professional):
        return next((key for key in holder.structures if key in territory.structures), holder.key)
    return ""


def index_of_address(address: str, territory: Territory) -> str:
    """The same, by the address."""
    return index_of_mailbox(territory.mailboxes.get(address.casefold()), territory)


def name_of(workspace: str, structure: str, ipp: str) -> str:
    """The opaque name of the record of an IPP: the same after a reset, and tells nothing."""
    return sha256(f"{workspace}\0{structure}\0{ipp}".encode()).hexdigest()[:32]


def indexed(workspace: str, row: IdentityRow) -> IndexedIdentity:
    """A stored row, read."""
    local = local_of(row.record)
    return IndexedIdentity(row.id, workspace, row.structure, local, row.version, row.created_at, row.updated_at)


def put(
    record: IndexedIdentity, at: datetime, events: tuple[Event, ...] = (), answers: tuple[Payload, ...] = ()
) -> PutIdentity:
    """The operation that stores a record under the version that was read."""
    local = record.local
    held = [] if local.ins is None else [HeldIns(canonical(local.ins.matricule), local.ins.oid, active=True)]
    held += [HeldIns(canonical(ins.matricule), ins.oid, active=False) for ins in local.ins_history]
    if (aside := local.ins_received) is not None:
        held.append(HeldIns(canonical(aside.matricule), aside.oid, active=False, received=True))
    return PutIdentity(
        workspace=record.workspace,
        identity_id=record.id,
        structure=record.structure,
        ipp=local.ipp,
        expected_version=record.version,
        at=at,
        status=local.reliability.status.value,
        record=record_of(local),
        ins=tuple(held),
        family=canon(local.traits.birth_family)[:200],
        birth_date=local.traits.birth_date,
        sex=local.traits.sex,
        answers=answers,
        events=events,
    )


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the matching asks of an index, read beforehand. `names` gives the record's name in the index by its IPP."""

    holders: tuple[LocalIdentity, ...] = ()
    born: tuple[LocalIdentity, ...] = ()
    names: dict[str, str] = field(default_factory=dict)

    def with_ins(self, ins: Ins) -> Sequence[LocalIdentity]:
        """Records that hold this INS, or held it."""
        return [local for local in self.holders if local.known_as(ins)]

    def like(self, traits: Traits) -> Sequence[LocalIdentity]:
        """Records with that birth date and sex, as far as they are told."""
        return self.born


async def snapshot_of(reader: IndexReader, workspace: str, structure: str, received: Received) -> Snapshot:
    """The records of an index that a received identity may be about."""
    holders: tuple[IdentityRow, ...] = ()
    if received.ins is not None:
        ins = [(received.ins.matricule, received.ins.oid)]
        holders = await reader.identities_known_as(workspace, structure, ins)
    born = await reader.identities_born(workspace, structure, received.traits.birth_date, received.traits.sex)
    both = [indexed(workspace, row) for row in (*holders, *born)]
    names = {record.local.ipp: record.id for record in both}
    locals_ = [record.local for record in both]
    return Snapshot(tuple(locals_[: len(holders)]), tuple(locals_[len(holders) :]), names)
