"""Exchanges, as listed and one by one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Select, select

from adapters.storage import schema
from adapters.storage.codec import address_key, from_json, instant, key
from gateway.ports import ExchangeFilter, ExchangeRow

_x = schema.exchange.c
_LISTED: Select[Any] = select(
    _x.id,
    _x.seq,
    _x.workspace_id,
    _x.at,
    _x.parent_id,
    _x.correlation_id,
    _x.size_bytes,
    _x.sha256,
    _x.summary,
    _x.findings,
)


def _exchange_of(row: Row[Any]) -> ExchangeRow:
    return ExchangeRow(
        id=row.id,
        seq=row.seq,
        workspace=row.workspace_id,
        at=instant(row.at),
        parent_id=row.parent_id,
        correlation_id=row.correlation_id,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        summary=from_json(row.summary),
        findings=tuple(from_json(row.findings)),
    )


def exchange(connection: Connection, workspace: str, exchange_id: str) -> ExchangeRow | None:
    """One exchange of a workspace."""
    row = connection.execute(_LISTED.where(_x.id == exchange_id, _x.workspace_id == workspace)).first()
    return None if row is None else _exchange_of(row)


def exchanges(connection: Connection, wanted: ExchangeFilter) -> tuple[ExchangeRow, ...]:
    """The exchanges that a filter lets through, newest or oldest first."""
    query = _LISTED.where(_x.workspace_id == wanted.workspace)
    if wanted.door:
        query = query.where(_x.door == wanted.door)
    if wanted.outcome:
        query = query.where(_x.outcome == wanted.outcome)
    if wanted.message_id:
        query = query.where(_x.message_id == key(wanted.message_id))
    if wanted.correlation_id:
        query = query.where(_x.correlation_id == key(wanted.correlation_id))
    if wanted.participant:
        query = _labelled(query, wanted.workspace, "participant", address_key(wanted.participant))
    if wanted.rule:
        query = _labelled(query, wanted.workspace, "rule", key(wanted.rule))
    if wanted.after_seq:
        query = query.where(_x.seq > wanted.after_seq)
    if wanted.before_seq:
        query = query.where(_x.seq < wanted.before_seq)
    query = query.order_by(_x.seq.desc() if wanted.newest_first else _x.seq).limit(wanted.limit)
    return tuple(_exchange_of(row) for row in connection.execute(query))


def _labelled(query: Select[Any], workspace: str, kind: str, value: str) -> Select[Any]:
    label = schema.exchange_label.alias()
    return query.join_from(schema.exchange, label, label.c.seq == _x.seq).where(
        label.c.workspace_id == workspace, label.c.kind == kind, label.c.value == value
    )
