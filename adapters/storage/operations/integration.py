"""What the integration step adds to an exchange that is already stored, and the decisions of humans on the queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, select, update

from adapters.storage import schema
from adapters.storage.bulk import BulkInsert
from adapters.storage.codec import address_key, from_json, key, micros, to_json
from adapters.storage.operations.mailboxes import INBOX
from adapters.storage.work import Work
from gateway.exchange.quarantine_checks import settled
from gateway.ports import Conflict, DecideQuarantine, MarkMail, NewQuarantine, RecordIntegration

OPEN = "open"
_x = schema.exchange.c
_q = schema.quarantine.c
_m = schema.mail.c
_f = schema.folder.c
_LABELS = BulkInsert(schema.exchange_label, "workspace_id", "kind", "value", "seq", ignore=True)


def record(work: Work, operations: Sequence[RecordIntegration]) -> list[bool]:
    """Amend exchanges; False for one that a reset took away."""
    return [_record(work, op) for op in operations]


def _record(work: Work, op: RecordIntegration) -> bool:
    row = work.connection.execute(
        select(_x.seq, _x.summary, _x.findings)
        .where(_x.id == op.exchange_id, _x.workspace_id == op.workspace)
        .with_for_update()
    ).first()
    if row is None:
        return False
    known = from_json(row.findings) or []
    fresh = [dict(finding) for finding in op.findings if dict(finding) not in known]
    before: dict[str, Any] = from_json(row.summary)
    summary = {**before, **op.summary}
    if "integrations" in op.summary:
        summary["integrations"] = {**before.get("integrations", {}), **op.summary["integrations"]}
    if op.settles:
        summary = settled(summary)
    summary["rules"] = list(dict.fromkeys([*summary.get("rules", ()), *(f["rule"] for f in fresh)]))
    work.connection.execute(
        update(schema.exchange)
        .where(_x.seq == row.seq)
        .values(summary=to_json(summary), findings=to_json([*known, *fresh]))
    )
    labels = [("record", name) for name in sorted(op.records)]
    labels += [("rule", rule) for rule in sorted({key(str(f["rule"])) for f in fresh})]
    _LABELS(work.connection, [(op.workspace, kind, value, row.seq) for kind, value in labels])
    for entry in op.quarantined:
        _set_aside(work, op, entry)
    for mark in op.marks:
        _mark(work, op, mark)
    for event in op.events:
        work.add_event(event)
    return True


def _set_aside(work: Work, op: RecordIntegration, entry: NewQuarantine) -> None:
    here = select(_q.id).where(
        _q.workspace_id == op.workspace, _q.exchange_id == op.exchange_id, _q.structure == key(entry.structure)
    )
    if work.connection.execute(here).first() is not None:
        return
    work.connection.execute(
        insert(schema.quarantine).values(
            workspace_id=op.workspace,
            id=entry.entry_id,
            exchange_id=op.exchange_id,
            structure=key(entry.structure),
            line=entry.line,
            ack=entry.ack,
            state=OPEN,
            record=to_json(entry.record),
            at=micros(op.at),
        )
    )


def _mark(work: Work, op: RecordIntegration, mark: MarkMail) -> None:
    """The newest mail of the exchange in that inbox: the one it just brought."""
    row = work.connection.execute(
        select(_m.folder_id, _m.uid, _m.flags)
        .join_from(schema.folder, schema.mail, _m.folder_id == _f.id)
        .where(
            _f.workspace_id == op.workspace,
            _f.address == address_key(mark.address),
            _f.name == INBOX,
            _m.exchange_id == op.exchange_id,
        )
        .order_by(_m.uid.desc())
        .limit(1)
    ).first()
    if row is None:
        return
    before: list[str] = from_json(row.flags) or []
    after = [flag for flag in before if flag != mark.keyword] + ([mark.keyword] if mark.present else [])
    if after != before:
        work.connection.execute(
            update(schema.mail)
            .where(_m.folder_id == row.folder_id, _m.uid == row.uid)
            .values(flags=to_json(after) if after else "[]")
        )
        work.notices.folders[row.folder_id] = (op.workspace, address_key(mark.address), INBOX)


def decide(work: Work, operations: Sequence[DecideQuarantine]) -> list[None]:
    """Close entries. Raises `Conflict` naming `decided` for one that is not open."""
    for op in operations:
        here = (_q.workspace_id == op.workspace, _q.id == op.entry_id, _q.state == OPEN)
        row = work.connection.execute(select(_q.record).where(*here).with_for_update()).first()
        if row is None:
            raise Conflict("decided")
        work.connection.execute(
            update(schema.quarantine)
            .where(*here)
            .values(
                state=op.state,
                decided_by=key(op.decided_by),
                decided_at=micros(op.at),
                record=to_json({**from_json(row.record), **op.record}),
            )
        )
    return [None] * len(operations)
