"""The registry of the simulated DMP: lots registered whole or not at all, patients' records opened and closed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import insert, select, update

from adapters.storage import schema
from adapters.storage.blobs import store_rows
from adapters.storage.bulk import BulkInsert
from adapters.storage.codec import from_json, key, micros, to_json
from adapters.storage.work import Work
from gateway.ports import Conflict, NewEntry, PutDmp, RegisterLot

APPROVED = "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"
DEPRECATED = "urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated"

_e = schema.entry.c
_p = schema.dmp.c
_INSERT = BulkInsert(
    schema.entry,
    "workspace_id",
    "entry_uuid",
    "logical_id",
    "unique_id",
    "version",
    "set_uuid",
    "matricule",
    "oid",
    "status",
    "masked",
    "registered_at",
    "type_code",
    "service_start",
    "author_ids",
    "document_sha256",
    "size_bytes",
    "metadata",
)


def register(work: Work, lot: RegisterLot, exchange_id: str) -> None:
    """One submission set. Raises `Conflict` naming the uniqueId, the entryUUID or the replaced entry that stands in the way."""
    taken = select(schema.lot.c.set_uuid).where(
        schema.lot.c.workspace_id == lot.workspace, schema.lot.c.set_unique_id == key(lot.set_unique_id)
    )
    if work.connection.execute(taken).first() is not None:
        raise Conflict(lot.set_unique_id)
    store_rows(work, ((lot.workspace, document) for document in lot.documents))
    rows = []
    for entry in lot.entries:
        version = _version(work, lot, entry)
        if entry.replaces:
            _deprecate(work, lot, entry.replaces)
        rows.append(_row(lot, entry, version))
    ids = [entry.unique_id for entry in lot.entries]
    twice = next((one for one in ids if ids.count(one) > 1), None)
    if twice is not None:
        raise Conflict(twice)
    _INSERT(work.connection, rows)
    work.connection.execute(
        insert(schema.lot).values(
            workspace_id=lot.workspace,
            set_unique_id=key(lot.set_unique_id),
            set_uuid=key(lot.set_uuid),
            matricule=key(lot.matricule),
            oid=key(lot.oid),
            at=micros(lot.at),
            exchange_id=exchange_id,
            metadata=to_json(lot.metadata),
        )
    )


def _version(work: Work, lot: RegisterLot, entry: NewEntry) -> int:
    """1, or the next version when the entry updates the metadata of a document it shares the logical id with."""
    here = _e.workspace_id == lot.workspace
    if work.connection.execute(select(_e.version).where(here, _e.entry_uuid == key(entry.entry_uuid))).first():
        raise Conflict(entry.entry_uuid)
    last = work.connection.execute(
        select(_e.version, _e.logical_id, _e.matricule, _e.oid)
        .where(here, _e.unique_id == key(entry.unique_id))
        .order_by(_e.version.desc())
        .limit(1)
    ).first()
    if last is None:
        return 1
    if (last.logical_id, last.matricule, last.oid) != (key(entry.logical_id), key(lot.matricule), key(lot.oid)):
        raise Conflict(entry.unique_id)
    if not entry.replaces:
        raise Conflict(entry.unique_id)
    return int(last.version) + 1


def _deprecate(work: Work, lot: RegisterLot, entry_uuid: str) -> None:
    result = work.connection.execute(
        update(schema.entry)
        .where(
            _e.workspace_id == lot.workspace,
            _e.entry_uuid == key(entry_uuid),
            _e.matricule == key(lot.matricule),
            _e.status.not_in(("Deprecated", DEPRECATED)),
        )
        # The short and the long form of a status are both in use: the obsolete one keeps the form of what it was.
        .values(status=_deprecated_form(work, lot.workspace, entry_uuid))
    )
    if result.rowcount != 1:
        raise Conflict(entry_uuid)


def _deprecated_form(work: Work, workspace: str, entry_uuid: str) -> str:
    status = work.connection.execute(
        select(_e.status).where(_e.workspace_id == workspace, _e.entry_uuid == key(entry_uuid))
    ).scalar()
    return DEPRECATED if status == APPROVED else "Deprecated"


def _row(lot: RegisterLot, entry: NewEntry, version: int) -> tuple[object, ...]:
    return (
        lot.workspace,
        key(entry.entry_uuid),
        key(entry.logical_id),
        key(entry.unique_id),
        version,
        key(lot.set_uuid),
        key(lot.matricule),
        key(lot.oid),
        entry.status,
        int(entry.masked),
        micros(lot.at),
        key(entry.type_code),
        key(entry.service_start),
        to_json(entry.author_ids),
        entry.document_sha256,
        entry.size_bytes,
        to_json(entry.metadata),
    )


def put_dmp(work: Work, operations: Sequence[PutDmp]) -> list[None]:
    """Open, close or change records. Authorisations given are merged in ('' withdraws one); doctors replace when given."""
    for op in operations:
        _put_dmp(work, op)
    return [None] * len(operations)


def _put_dmp(work: Work, op: PutDmp) -> None:
    here = (_p.workspace_id == op.workspace, _p.matricule == key(op.matricule), _p.oid == key(op.oid))
    known = work.connection.execute(
        select(_p.authorisations, _p.treating_doctors).where(*here).with_for_update()
    ).first()
    merged = {**(from_json(known.authorisations) if known else {}), **op.authorisations}
    values = {
        "state": op.state,
        "authorisations": to_json({who: state for who, state in merged.items() if state}),
        "treating_doctors": known.treating_doctors
        if known and not op.treating_doctors
        else to_json(op.treating_doctors),
    }
    if known:
        work.connection.execute(update(schema.dmp).where(*here).values(values))
    else:
        work.connection.execute(
            insert(schema.dmp).values(workspace_id=op.workspace, matricule=key(op.matricule), oid=key(op.oid), **values)
        )
