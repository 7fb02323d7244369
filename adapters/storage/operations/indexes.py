"""Patient indexes: records changed one version after another, their INS beside them, INSi's answers kept identical."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, insert, select, update

from adapters.storage import schema
from adapters.storage.blobs import store_rows
from adapters.storage.bulk import BulkInsert
from adapters.storage.codec import key, micros, to_json
from adapters.storage.schema import ACTIVE, FORMER, RECEIVED
from adapters.storage.work import Work
from gateway.ports import Conflict, PutIdentity

_i = schema.identity.c
_n = schema.identity_ins.c
_INSERT_INS = BulkInsert(schema.identity_ins, "workspace_id", "structure", "matricule", "oid", "identity_id", "active")


def put(work: Work, operations: Sequence[PutIdentity]) -> list[int]:
    """Create or change records. Raises `Conflict` naming `ipp`, `version` or `ins`."""
    return [_put(work, op) for op in operations]


def _put(work: Work, op: PutIdentity) -> int:
    store_rows(work, ((op.workspace, answer) for answer in op.answers))
    if op.expected_version:
        _change(work, op)
    else:
        _create(work, op)
    lookups: dict[tuple[str, str], int] = {}
    for one in op.ins:
        here = (key(one.matricule), key(one.oid))
        lookups[here] = max(lookups.get(here, RECEIVED), ACTIVE if one.active else RECEIVED if one.received else FORMER)
    for ins, active in lookups.items():
        if active == ACTIVE:
            _refuse_held(work, op, ins, ACTIVE)
        elif active == RECEIVED and not op.expected_version:
            _refuse_held(work, op, ins, RECEIVED)
    _INSERT_INS(
        work.connection,
        [
            (op.workspace, key(op.structure), matricule, oid, op.identity_id, active)
            for (matricule, oid), active in sorted(lookups.items())
        ],
    )
    for event in op.events:
        work.add_event(event)
    return op.expected_version + 1


def _refuse_held(work: Work, op: PutIdentity, ins: tuple[str, str], least: int) -> None:
    """Of one structure's records, one at most holds an INS, and a new one is not made of an INS another knows."""
    matricule, oid = ins
    other = select(_n.identity_id).where(
        _n.workspace_id == op.workspace,
        _n.structure == key(op.structure),
        _n.matricule == matricule,
        _n.oid == oid,
        _n.active >= least,
        _n.identity_id != op.identity_id,
    )
    if work.connection.execute(other).first() is not None:
        raise Conflict("ins")


def _create(work: Work, op: PutIdentity) -> None:
    taken = select(_i.id).where(
        _i.workspace_id == op.workspace,
        (_i.id == op.identity_id) | ((_i.structure == key(op.structure)) & (_i.ipp == key(op.ipp))),
    )
    if work.connection.execute(taken).first() is not None:
        raise Conflict("ipp")
    work.connection.execute(
        insert(schema.identity).values(
            workspace_id=op.workspace,
            id=op.identity_id,
            structure=key(op.structure),
            ipp=key(op.ipp),
            version=1,
            created_at=micros(op.at),
            **_columns(op),
        )
    )


def _change(work: Work, op: PutIdentity) -> None:
    changed = work.connection.execute(
        update(schema.identity)
        .where(
            _i.workspace_id == op.workspace,
            _i.id == op.identity_id,
            _i.structure == key(op.structure),
            _i.ipp == key(op.ipp),
            _i.version == op.expected_version,
        )
        .values(version=op.expected_version + 1, **_columns(op))
    )
    if changed.rowcount != 1:
        raise Conflict("version")
    work.connection.execute(
        delete(schema.identity_ins).where(_n.workspace_id == op.workspace, _n.identity_id == op.identity_id)
    )


def _columns(op: PutIdentity) -> dict[str, object]:
    return {
        "status": op.status,
        "family": key(op.family),
        "birth_date": op.birth_date[:32],
        "sex": op.sex[:8],
        "record": to_json(op.record),
        "updated_at": micros(op.at),
    }
