"""The outbox: deliveries appended, leased and finished.

A delivery waits until `wake`: its due time while ready, the end of its lease while leased. A lease that ends without an
answer makes it free again for anyone, which is how the work of a killed process is taken over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Column, Row, and_, bindparam, exists, or_, select, update

from adapters.storage import schema
from adapters.storage.bulk import BulkInsert
from adapters.storage.codec import from_json, instant, key, micros, to_json
from adapters.storage.driver import Prepared
from adapters.storage.work import Work
from gateway.exchange.model import DeliveryState
from gateway.ports import Delivery, FinishDelivery, LeaseDeliveries, NewDelivery

_d = schema.delivery.c
_earlier = schema.delivery.alias("earlier")
_INSERT = BulkInsert(
    schema.delivery,
    "workspace_id",
    "kind",
    "destination",
    "order_key",
    "payload",
    "exchange_id",
    "state",
    "unfinished",
    "attempt",
    "due",
    "wake",
    "worker",
    "created_at",
    "last_answer",
)
_READY = DeliveryState.READY.value
COLUMNS: tuple[Column[Any], ...] = (
    _d.seq,
    _d.workspace_id,
    _d.kind,
    _d.destination,
    _d.payload,
    _d.exchange_id,
    _d.state,
    _d.attempt,
    _d.due,
    _d.created_at,
    _d.last_answer,
)
_AHEAD = exists().where(
    _earlier.c.unfinished == 1,
    _earlier.c.order_key != "",
    _earlier.c.destination == _d.destination,
    _earlier.c.order_key == _d.order_key,
    _earlier.c.workspace_id == _d.workspace_id,
    _earlier.c.seq < _d.seq,
)
_PICK = (
    select(*COLUMNS)
    .where(_d.unfinished == 1, _d.wake <= bindparam("now"), or_(_d.order_key == "", ~_AHEAD))
    .order_by(_d.wake, _d.seq)
    .limit(bindparam("at_most"))
    .with_for_update(skip_locked=True, of=schema.delivery)
)
_PICK_KINDS = _PICK.where(_d.kind.in_(bindparam("kinds", expanding=True)))
_TAKE = (
    update(schema.delivery)
    .where(_d.seq.in_(bindparam("taken", expanding=True)))
    .values(state=DeliveryState.LEASED.value, worker=bindparam("by"), wake=bindparam("until"), attempt=_d.attempt + 1)
)
_HELD = and_(_d.seq == bindparam("which"), _d.worker == bindparam("by"), _d.state == DeliveryState.LEASED.value)
_AGAIN = (
    update(schema.delivery)
    .where(_HELD)
    .values(
        state=_READY,
        last_answer=bindparam("said"),
        due=bindparam("again"),
        wake=bindparam("again"),
        worker="",
    )
)
_FINISH_AGAIN = Prepared(_AGAIN)
_FINISH_CHANGED = Prepared(_AGAIN.values(payload=bindparam("left")))
_FINISH_FOR_GOOD = Prepared(
    update(schema.delivery)
    .where(_HELD)
    .values(state=bindparam("ends"), unfinished=0, last_answer=bindparam("said"), worker="")
)


def delivery_of(row: Row[Any]) -> Delivery:
    """A delivery from its `COLUMNS`."""
    return Delivery(
        id=str(row.seq),
        workspace=row.workspace_id,
        kind=row.kind,
        destination=row.destination,
        payload=from_json(row.payload),
        exchange_id=row.exchange_id,
        state=DeliveryState(row.state),
        attempt=row.attempt,
        due=instant(row.due),
        created_at=instant(row.created_at),
        last_answer=row.last_answer,
    )


def append_rows(work: Work, deliveries: Sequence[tuple[NewDelivery, str, int]]) -> None:
    """New work, each with the id of its exchange and the instant it was created at (µs)."""
    if not deliveries:
        return
    _INSERT(work.connection, [_row(*one) for one in deliveries])
    work.notices.outbox = True


def _row(one: NewDelivery, exchange_id: str, created_at: int) -> tuple[object, ...]:
    due = micros(one.due)
    return (
        one.workspace,
        one.kind,
        key(one.destination),
        key(one.order_key),
        to_json(one.payload),
        exchange_id,
        _READY,
        1,
        0,
        due,
        due,
        "",
        created_at,
        "",
    )


def lease(work: Work, operations: Sequence[LeaseDeliveries]) -> list[tuple[Delivery, ...]]:
    """Take due deliveries, oldest due first, never one that an earlier one of its order key stands before."""
    return [_lease(work, op) for op in operations]


def _lease(work: Work, op: LeaseDeliveries) -> tuple[Delivery, ...]:
    wanted: dict[str, object] = {"now": micros(op.now), "at_most": op.limit}
    if op.kinds:
        rows = work.connection.execute(_PICK_KINDS, wanted | {"kinds": list(op.kinds)}).all()
    else:
        rows = work.connection.execute(_PICK, wanted).all()
    if not rows:
        return ()
    until = micros(op.now) + int(op.lease_s * 1_000_000)
    work.connection.execute(_TAKE, {"taken": [row.seq for row in rows], "by": op.worker, "until": until})
    return tuple(_leased(delivery_of(row)) for row in rows)


def _leased(one: Delivery) -> Delivery:
    return replace(one, state=DeliveryState.LEASED, attempt=one.attempt + 1)


def finish(work: Work, operations: Sequence[FinishDelivery]) -> list[bool]:
    """End attempts. One whose lease was lost changes nothing and tells nothing."""
    return [_finish(work, op) for op in operations]


def _finish(work: Work, op: FinishDelivery) -> bool:
    if not op.delivery_id.isdecimal():
        return False
    values: dict[str, object] = {
        "which": int(op.delivery_id),
        "by": op.worker,
        "ends": op.state.value,
        "said": op.answer.replace("\0", "?").encode("utf-8", "replace").decode(),
    }
    if op.state is DeliveryState.READY:
        if op.due is None:
            raise ValueError("a delivery that is ready again needs the time it is due")
        values["again"] = micros(op.due)
        if op.payload is None:
            result = _FINISH_AGAIN(work.connection, values)
        else:
            result = _FINISH_CHANGED(work.connection, values | {"left": to_json(op.payload)})
    elif op.state is DeliveryState.LEASED:
        raise ValueError("an attempt ends done, dead or ready again")
    else:
        result = _FINISH_FOR_GOOD(work.connection, values)
    if result.rowcount != 1:
        return False
    for event in op.events:
        work.add_event(event)
    work.notices.outbox = True
    return True
