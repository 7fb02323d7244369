"""Patient indexes and the quarantine queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, bindparam, func, or_, select

from adapters.storage import schema
from adapters.storage.codec import from_json, instant, key, micros
from adapters.storage.driver import Prepared
from adapters.storage.schema import FORMER, RECEIVED
from gateway.ports import IdentityFilter, IdentityRow, QuarantineRow

_i = schema.identity.c
_n = schema.identity_ins.c
_q = schema.quarantine.c
_IDENTITY: Select[Any] = select(
    _i.id, _i.structure, _i.ipp, _i.version, _i.status, _i.record, _i.created_at, _i.updated_at
)
_WITH_INS = Prepared(
    _IDENTITY.join_from(
        schema.identity_ins, schema.identity, and_(_i.workspace_id == _n.workspace_id, _i.id == _n.identity_id)
    )
    .where(
        _n.workspace_id == bindparam("of"),
        _n.structure == bindparam("in_structure"),
        _n.matricule == bindparam("number"),
        _n.oid == bindparam("under"),
        _n.active >= bindparam("least"),
    )
    .order_by(_n.active.desc(), _i.ipp)
)
_WITH_IPP = Prepared(
    _IDENTITY.where(
        _i.workspace_id == bindparam("of"), _i.structure == bindparam("in_structure"), _i.ipp == bindparam("ipp_is")
    )
)
_QUARANTINED: Select[Any] = select(
    _q.id, _q.exchange_id, _q.structure, _q.line, _q.ack, _q.state, _q.record, _q.at, _q.decided_by, _q.decided_at
)
_LAST = "\U0010ffff"  # sorts after whatever a date or a folded name goes on with


def _identity_of(row: Any) -> IdentityRow:
    """A row of SQLAlchemy or of the driver: the columns of `_IDENTITY` in order."""
    identity_id, structure, ipp, version, status, record, created_at, updated_at = row
    return IdentityRow(
        identity_id, structure, ipp, version, status, from_json(record), instant(created_at), instant(updated_at)
    )


def identity(connection: Connection, workspace: str, identity_id: str) -> IdentityRow | None:
    """One record."""
    row = connection.execute(_IDENTITY.where(_i.workspace_id == workspace, _i.id == identity_id)).first()
    return None if row is None else _identity_of(row)


def identities(connection: Connection, wanted: IdentityFilter) -> tuple[IdentityRow, ...]:
    """The records of one structure, by IPP."""
    query = _IDENTITY.where(_i.workspace_id == wanted.workspace, _i.structure == key(wanted.structure))
    if wanted.status:
        query = query.where(_i.status == wanted.status)
    if wanted.family:
        query = query.where(_i.family >= wanted.family, _i.family < wanted.family + _LAST)
    if wanted.birth_date:
        query = query.where(_i.birth_date == wanted.birth_date)
    if wanted.sex:
        query = query.where(_i.sex == wanted.sex)
    if wanted.ipp:
        query = query.where(_i.ipp == key(wanted.ipp))
    if wanted.after:
        last = select(_i.ipp).where(_i.workspace_id == wanted.workspace, _i.id == wanted.after)
        query = query.where(_i.ipp > last.scalar_subquery())
    return tuple(map(_identity_of, connection.execute(query.order_by(_i.ipp).limit(wanted.limit))))


def known_as(
    connection: Connection,
    workspace: str,
    structure: str,
    ins: Sequence[tuple[str, str]],
    ipps: Sequence[str],
    received: bool,
) -> tuple[IdentityRow, ...]:
    """The records that hold or held one of these INS (or `received` it), then those with one of these IPPs; each once."""
    found: dict[str, IdentityRow] = {}
    here = {"of": workspace, "in_structure": key(structure)}
    least = RECEIVED if received else FORMER
    for number, oid in ins:
        wanted = {**here, "number": key(number), "under": key(oid), "least": least}
        for row in _WITH_INS(connection, wanted).fetchall():
            found.setdefault(row[0], _identity_of(row))
    for one in ipps:
        for row in _WITH_IPP(connection, {**here, "ipp_is": key(one)}).fetchall():
            found.setdefault(row[0], _identity_of(row))
    return tuple(found.values())


def born(connection: Connection, workspace: str, structure: str, birth_date: str, sex: str) -> tuple[IdentityRow, ...]:
    """The candidates of a search by traits. A date told to the month or the year finds the days in it."""
    if not birth_date:
        return ()
    query = _IDENTITY.where(_i.workspace_id == workspace, _i.structure == key(structure))
    if len(birth_date) >= 10:
        query = query.where(_i.birth_date == birth_date)
    else:
        query = query.where(_i.birth_date >= birth_date, _i.birth_date < birth_date + _LAST)
    if sex:
        query = query.where(_i.sex == sex)
    return tuple(map(_identity_of, connection.execute(query.order_by(_i.ipp).limit(200))))


def exchanges_of(connection: Connection, workspace: str, identity_id: str, limit: int, after: str) -> tuple[str, ...]:
    """The exchanges whose documents joined a record, newest first, from the one that follows `after`."""
    label, x = schema.exchange_label.c, schema.exchange.c
    query = (
        select(x.id)
        .join_from(schema.exchange_label, schema.exchange, label.seq == x.seq)
        .where(label.workspace_id == workspace, label.kind == "record", label.value == identity_id)
        .order_by(x.seq.desc())
        .limit(limit)
    )
    if after:
        last = select(x.seq).where(x.workspace_id == workspace, x.id == after)
        query = query.where(label.seq < last.scalar_subquery())
    return tuple(connection.execute(query).scalars())


def indexes(connection: Connection, workspace: str) -> Mapping[str, int]:
    """How many records each structure has."""
    rows = connection.execute(
        select(_i.structure, func.count()).where(_i.workspace_id == workspace).group_by(_i.structure)
    )
    return {row[0]: row[1] for row in rows}


def _entry_of(row: Row[Any]) -> QuarantineRow:
    return QuarantineRow(
        id=row.id,
        exchange_id=row.exchange_id,
        structure=row.structure,
        line=row.line,
        ack=row.ack,
        state=row.state,
        record=from_json(row.record),
        at=instant(row.at),
        decided_by=row.decided_by,
        decided_at=None if row.decided_at is None else instant(row.decided_at),
    )


@dataclass(frozen=True, slots=True)
class Queue:
    """Which entries of the queue to read, in which order, and after which place."""

    workspace: str
    state: str
    structure: str
    exchange_id: str
    oldest_first: bool
    after: tuple[datetime, str] | None
    limit: int


def quarantined(connection: Connection, wanted: Queue) -> tuple[QuarantineRow, ...]:
    """Entries, newest or oldest first."""
    query = _QUARANTINED.where(_q.workspace_id == wanted.workspace)
    if wanted.state:
        query = query.where(_q.state == wanted.state)
    if wanted.structure:
        query = query.where(_q.structure == key(wanted.structure))
    if wanted.exchange_id:
        query = query.where(_q.exchange_id == wanted.exchange_id)
    if wanted.after is not None:
        at, name = micros(wanted.after[0]), wanted.after[1]
        further = (_q.at > at, _q.id > name) if wanted.oldest_first else (_q.at < at, _q.id < name)
        query = query.where(or_(further[0], and_(_q.at == at, further[1])))
    order = (_q.at, _q.id) if wanted.oldest_first else (_q.at.desc(), _q.id.desc())
    return tuple(map(_entry_of, connection.execute(query.order_by(*order).limit(wanted.limit))))


def entry(connection: Connection, workspace: str, entry_id: str) -> QuarantineRow | None:
    """One entry."""
    row = connection.execute(_QUARANTINED.where(_q.workspace_id == workspace, _q.id == entry_id)).first()
    return None if row is None else _entry_of(row)
