"""Forgetting: a workspace emptied by a reset, payloads purged when they are old. The journal's chain survives both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, exists, insert, select, update

from adapters.storage import schema
from adapters.storage.codec import micros
from adapters.storage.work import Work
from gateway.exchange.model import Event
from gateway.ports import ResetWorkspace

RESET = "reset"
_EMPTIED = (
    "exchange",
    "exchange_label",
    "folder",
    "delivery",
    "dedup",
    "dmp",
    "lot",
    "entry",
    "blob",
    "identity",
    "identity_ins",
    "quarantine",
)


@dataclass(frozen=True, slots=True)
class Purge:
    """Forget event data and unreferenced octets older than `before`. Result: the number of exchanges that lost their octets."""

    workspace: str
    before: datetime


def reset(work: Work, operations: Sequence[ResetWorkspace]) -> list[None]:
    """Empty workspaces and close their journals. Events before the reset stay, for whoever verifies the chains."""
    for op in operations:
        _reset(work, op)
    return [None] * len(operations)


def _reset(work: Work, op: ResetWorkspace) -> None:
    work.add_event(Event(RESET, op.at, op.workspace, "", {"actors": op.actors}))
    work.flush()
    _close_journal(work, op)
    folders = select(schema.folder.c.id).where(schema.folder.c.workspace_id == op.workspace)
    for folder_id, address, name in work.connection.execute(
        select(schema.folder.c.id, schema.folder.c.address, schema.folder.c.name).where(
            schema.folder.c.workspace_id == op.workspace
        )
    ):
        work.notices.folders[folder_id] = (op.workspace, address, name)
    work.connection.execute(delete(schema.mail).where(schema.mail.c.folder_id.in_(folders)))
    for name in (*_EMPTIED, "actor") if op.actors else _EMPTIED:
        table = schema.metadata.tables[name]
        work.connection.execute(delete(table).where(table.c.workspace_id == op.workspace))
    work.notices.outbox = True
    work.swept.append(op.workspace)


def _close_journal(work: Work, op: ResetWorkspace) -> None:
    """Close every open chain of the workspace, this process's and the others', with a signature of its head."""
    c = schema.chain.c
    chains = work.connection.execute(
        select(c.name, c.links, c.head).where(c.workspace_id == op.workspace, c.closed_at.is_(None)).order_by(c.name)
    ).all()
    for name, links, head in chains:
        signature = work.signer(last_link(op.workspace, name, links, bytes(head))) if work.signer else None
        work.connection.execute(
            update(schema.chain)
            .where(c.workspace_id == op.workspace, c.name == name)
            .values(closed_at=micros(op.at), signature=signature)
        )
    work.heads.pop(op.workspace, None)
    seq = work.notices.events[op.workspace]
    w = schema.workspace.c
    moved = work.connection.execute(update(schema.workspace).where(w.id == op.workspace).values(reset_seq=seq))
    if moved.rowcount == 0:
        work.connection.execute(insert(schema.workspace).values(id=op.workspace, record="{}", reset_seq=seq))


def last_link(workspace: str, chain: str, links: int, head: bytes) -> bytes:
    """What is signed when a chain is closed."""
    return f"passerelle journal closed\x1f{workspace}\x1f{chain}\x1f{links}\x1f{head.hex()}".encode()


def purge(work: Work, operations: Sequence[Purge]) -> list[int]:
    """Forget old payloads; what a mailbox, a DMP, or a younger exchange still shows is kept."""
    return [_purge(work, op) for op in operations]


def _purge(work: Work, op: Purge) -> int:
    before = micros(op.before)
    ev, x, d = schema.event.c, schema.exchange.c, schema.delivery.c
    work.connection.execute(
        update(schema.event).where(ev.workspace_id == op.workspace, ev.at < before).values(data=None)
    )
    work.connection.execute(
        delete(schema.delivery).where(d.workspace_id == op.workspace, d.state == "done", d.created_at < before)
    )
    b = schema.blob.c
    younger = schema.exchange.alias("younger")
    mail = schema.mail.join(schema.folder, schema.mail.c.folder_id == schema.folder.c.id)
    waiting = schema.delivery.join(schema.exchange, schema.delivery.c.exchange_id == schema.exchange.c.id)
    result = work.connection.execute(
        delete(schema.blob).where(
            b.workspace_id == op.workspace,
            exists().where(x.workspace_id == b.workspace_id, x.sha256 == b.sha256, x.at < before),
            ~exists().where(
                younger.c.workspace_id == b.workspace_id, younger.c.sha256 == b.sha256, younger.c.at >= before
            ),
            ~exists()
            .select_from(mail)
            .where(schema.folder.c.workspace_id == b.workspace_id, schema.mail.c.sha256 == b.sha256),
            ~exists()
            .select_from(waiting)
            .where(x.workspace_id == b.workspace_id, x.sha256 == b.sha256, d.unfinished == 1),
            ~exists().where(schema.entry.c.workspace_id == b.workspace_id, schema.entry.c.document_sha256 == b.sha256),
        )
    )
    work.swept.append(op.workspace)
    return result.rowcount
