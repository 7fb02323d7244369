"""Actors and workspaces: JSON records under their keys."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, insert, select, update

from adapters.storage import schema
from adapters.storage.bulk import BulkInsert
from adapters.storage.codec import from_json, key, to_json
from adapters.storage.work import Work
from gateway.ports import PutActors, PutWorkspace

_INSERT = BulkInsert(schema.actor, "workspace_id", "kind", "key", "record")


def put(work: Work, operations: Sequence[PutActors]) -> list[None]:
    """Insert or replace actors; an empty record removes one."""
    a = schema.actor.c
    for op in operations:
        records = {(kind, key(name)): record for kind, name, record in op.actors}
        for kind in sorted({kind for kind, _ in records}):
            names = sorted(name for of_kind, name in records if of_kind == kind)
            for start in range(0, len(names), 500):
                work.connection.execute(
                    delete(schema.actor).where(
                        a.workspace_id == op.workspace, a.kind == kind, a.key.in_(names[start : start + 500])
                    )
                )
        rows = [(op.workspace, *place, to_json(record)) for place, record in sorted(records.items()) if record]
        _INSERT(work.connection, rows)
    return [None] * len(operations)


def put_workspace(work: Work, operations: Sequence[PutWorkspace]) -> list[None]:
    """Create a workspace, or change the given entries of its record; an entry given as None goes away."""
    w = schema.workspace.c
    for op in operations:
        known = work.connection.execute(select(w.record).where(w.id == op.workspace).with_for_update()).scalar()
        merged = {**from_json(known), **op.record}
        record = to_json({name: value for name, value in merged.items() if value is not None})
        if known is None:
            work.connection.execute(insert(schema.workspace).values(id=op.workspace, record=record, reset_seq=0))
        else:
            work.connection.execute(update(schema.workspace).where(w.id == op.workspace).values(record=record))
    return [None] * len(operations)
