"""The event log and the outbox, as they stand."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from adapters.storage import schema
from adapters.storage.codec import from_json, instant
from adapters.storage.operations.outbox import COLUMNS, delivery_of
from gateway.exchange.model import DeliveryState
from gateway.ports import Delivery, EventRow

_e = schema.event.c
_d = schema.delivery.c


def events(
    connection: Connection, workspace: str, after_seq: int, exchange_id: str, limit: int
) -> tuple[EventRow, ...]:
    """Events since the last reset of the workspace, oldest first. Purged data read as an empty record."""
    after = max(after_seq, _reset_seq(connection, workspace))
    query = select(_e.seq, _e.workspace_id, _e.exchange_id, _e.kind, _e.at, _e.data, _e.chain, _e.digest).where(
        _e.workspace_id == workspace, _e.seq > after
    )
    if exchange_id:
        query = query.where(_e.exchange_id == exchange_id)
    return tuple(
        EventRow(
            seq=row.seq,
            workspace=row.workspace_id,
            exchange_id=row.exchange_id,
            kind=row.kind,
            at=instant(row.at),
            data=from_json(row.data),
            chain=row.chain,
            digest=bytes(row.digest).hex(),
        )
        for row in connection.execute(query.order_by(_e.seq).limit(limit))
    )


def _reset_seq(connection: Connection, workspace: str) -> int:
    w = schema.workspace.c
    return connection.execute(select(w.reset_seq).where(w.id == workspace)).scalar() or 0


def last_seq(connection: Connection, workspace: str) -> int:
    """The sequence number of the newest event of a workspace; 0 when there is none."""
    return connection.execute(select(func.max(_e.seq)).where(_e.workspace_id == workspace)).scalar() or 0


def deliveries(
    connection: Connection, workspace: str, state: DeliveryState | None, exchange_id: str, limit: int
) -> tuple[Delivery, ...]:
    """Deliveries, newest first."""
    query = select(*COLUMNS).where(_d.workspace_id == workspace)
    if state is not None:
        query = query.where(_d.state == state.value)
    if exchange_id:
        query = query.where(_d.exchange_id == exchange_id)
    return tuple(delivery_of(row) for row in connection.execute(query.order_by(_d.seq.desc()).limit(limit)))
