"""DMP, actors and workspaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from adapters.storage import schema
from adapters.storage.codec import from_json, instant, key
from gateway.ports import DmpRow, EntryRow

_e = schema.entry.c
_p = schema.dmp.c
_a = schema.actor.c
_w = schema.workspace.c
_ENTRIES: Select[Any] = select(
    _e.entry_uuid,
    _e.logical_id,
    _e.unique_id,
    _e.set_uuid,
    _e.status,
    _e.version,
    _e.masked,
    _e.registered_at,
    _e.author_ids,
    _e.document_sha256,
    _e.size_bytes,
    _e.metadata,
)


def _entry_of(row: Row[Any]) -> EntryRow:
    return EntryRow(
        entry_uuid=row.entry_uuid,
        logical_id=row.logical_id,
        unique_id=row.unique_id,
        set_uuid=row.set_uuid,
        status=row.status,
        version=row.version,
        masked=bool(row.masked),
        registered_at=instant(row.registered_at),
        author_ids=tuple(from_json(row.author_ids)),
        document_sha256=row.document_sha256,
        size_bytes=row.size_bytes,
        metadata=from_json(row.metadata),
    )


def dmp(connection: Connection, workspace: str, matricule: str, oid: str) -> DmpRow | None:
    """A patient's DMP."""
    row = connection.execute(
        select(_p.matricule, _p.oid, _p.state, _p.authorisations, _p.treating_doctors).where(
            _p.workspace_id == workspace, _p.matricule == key(matricule), _p.oid == key(oid)
        )
    ).first()
    if row is None:
        return None
    return DmpRow(
        row.matricule, row.oid, row.state, from_json(row.authorisations), tuple(from_json(row.treating_doctors))
    )


def entries(connection: Connection, workspace: str, matricule: str, oid: str) -> tuple[EntryRow, ...]:
    """Every entry of a patient, obsolete ones too, in the order of their registration."""
    rows = connection.execute(
        _ENTRIES.where(_e.workspace_id == workspace, _e.matricule == key(matricule), _e.oid == key(oid)).order_by(
            _e.registered_at, _e.entry_uuid
        )
    )
    return tuple(_entry_of(row) for row in rows)


def entry_by_unique_id(connection: Connection, workspace: str, unique_id: str) -> EntryRow | None:
    """The last version of a document."""
    row = connection.execute(
        _ENTRIES.where(_e.workspace_id == workspace, _e.unique_id == key(unique_id))
        .order_by(_e.version.desc())
        .limit(1)
    ).first()
    return None if row is None else _entry_of(row)


def entry_by_uuid(connection: Connection, workspace: str, entry_uuid: str) -> EntryRow | None:
    """One entry."""
    row = connection.execute(_ENTRIES.where(_e.workspace_id == workspace, _e.entry_uuid == key(entry_uuid))).first()
    return None if row is None else _entry_of(row)


def actors(connection: Connection, workspace: str) -> tuple[tuple[str, str, Mapping[str, Any]], ...]:
    """Every actor of a workspace, by kind and key."""
    rows = connection.execute(
        select(_a.kind, _a.key, _a.record).where(_a.workspace_id == workspace).order_by(_a.kind, _a.key)
    )
    return tuple((row.kind, row.key, from_json(row.record)) for row in rows)


def workspaces(connection: Connection) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """Every workspace, by id."""
    rows = connection.execute(select(_w.id, _w.record).order_by(_w.id))
    return tuple((row.id, from_json(row.record)) for row in rows)
