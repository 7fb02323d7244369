"""The hash chain of the journal.

Each process writes its own chain per workspace, so no process waits for another's last digest. A link covers the digest
before it, its place, and the *digest* of the event's data: the data can be purged, the chain still verifies. The `chain`
row holds the number of links and the head, so a cut tail shows. A chain closed by another process (a reset) is noticed
when its row refuses to move, and a new one begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Connection, bindparam, insert, select, update

from adapters.storage import schema
from adapters.storage.bulk import BulkInsert
from adapters.storage.codec import micros, to_json
from adapters.storage.driver import Prepared
from gateway.exchange.model import Event

_EMPTY = "{}"
_INSERT = BulkInsert(
    schema.event,
    "seq",
    "workspace_id",
    "exchange_id",
    "kind",
    "at",
    "data",
    "data_digest",
    "chain",
    "link",
    "digest",
)
_c = schema.chain.c
_ADVANCE = Prepared(
    update(schema.chain)
    .where(
        _c.workspace_id == bindparam("of"),
        _c.name == bindparam("chain"),
        _c.links == bindparam("before"),
        _c.closed_at.is_(None),
    )
    .values(links=bindparam("after"), head=bindparam("now"))
)


@dataclass(frozen=True, slots=True)
class Head:
    """The last link of an open chain of this process."""

    chain: str
    links: int
    digest: bytes


def origin(workspace: str, chain: str) -> bytes:
    """What stands before the first link."""
    return sha256(f"passerelle journal\x1f{workspace}\x1f{chain}".encode()).digest()


def link_digest(before: bytes, link: int, workspace: str, exchange_id: str, kind: str, at: int, data: bytes) -> bytes:
    """The digest of one link; `data` is the digest of the event's data."""
    return sha256(before + data + f"{link}\x1f{at}\x1f{workspace}\x1f{exchange_id}\x1f{kind}".encode()).digest()


@dataclass(frozen=True, slots=True)
class Written:
    """An event ready for its row: data already JSON."""

    workspace: str
    exchange_id: str
    kind: str
    at: int
    data: str
    data_digest: bytes


def written(event: Event) -> Written:
    """An event as it will lie in its row."""
    data = to_json(event.data) if event.data else _EMPTY
    return Written(
        event.workspace, event.exchange_id, event.kind, micros(event.at), data, sha256(data.encode()).digest()
    )


def append(connection: Connection, events: Sequence[Written], last_seq: int, heads: dict[str, Head]) -> dict[str, int]:
    """Write events, the last of which gets `last_seq`; moves `heads`. Returns the newest seq of each workspace."""
    first_seq = last_seq - len(events) + 1
    by_workspace: dict[str, list[tuple[int, Written]]] = {}
    for seq, event in enumerate(events, first_seq):
        by_workspace.setdefault(event.workspace, []).append((seq, event))
    rows: list[tuple[object, ...]] = []
    newest: dict[str, int] = {}
    for workspace, of_workspace in by_workspace.items():
        head = heads.get(workspace)
        if head is not None:
            linked, after = _link(head, of_workspace)
            if not _advance(connection, workspace, head, after):
                head = None
        if head is None:
            chain = f"{_token()}-{of_workspace[0][0]}"
            linked, after = _link(Head(chain, 0, origin(workspace, chain)), of_workspace)
            connection.execute(
                insert(schema.chain).values(
                    workspace_id=workspace,
                    name=chain,
                    opened_at=of_workspace[0][1].at,
                    links=after.links,
                    head=after.digest,
                )
            )
        heads[workspace] = after
        rows += linked
        newest[workspace] = of_workspace[-1][0]
    _INSERT(connection, rows)
    return newest


def _token() -> str:
    from uuid import uuid4

    return uuid4().hex[:12]


def _link(head: Head, events: Sequence[tuple[int, Written]]) -> tuple[list[tuple[object, ...]], Head]:
    rows: list[tuple[object, ...]] = []
    digest, link = head.digest, head.links
    for seq, event in events:
        link += 1
        digest = link_digest(digest, link, event.workspace, event.exchange_id, event.kind, event.at, event.data_digest)
        rows.append(
            (
                seq,
                event.workspace,
                event.exchange_id,
                event.kind,
                event.at,
                event.data,
                event.data_digest,
                head.chain,
                link,
                digest,
            )
        )
    return rows, Head(head.chain, link, digest)


def _advance(connection: Connection, workspace: str, head: Head, after: Head) -> bool:
    values = {"of": workspace, "chain": head.chain, "before": head.links, "after": after.links, "now": after.digest}
    return bool(_ADVANCE(connection, values).rowcount == 1)


def _one_moment(connection: Connection) -> None:
    """What follows is read as of one moment: heads and events written between two statements would not agree."""
    if connection.dialect.name == "postgresql":  # SQLite's readers begin with a snapshot already
        connection.execution_options(isolation_level="REPEATABLE READ")


def verify(connection: Connection, workspace: str) -> tuple[int, str]:
    """Recompute every chain of a workspace: number of links checked, and '' or the first place that does not hold."""
    _one_moment(connection)
    e = schema.event.c
    checked = 0
    chains = connection.execute(
        select(_c.name, _c.links, _c.head).where(_c.workspace_id == workspace).order_by(_c.opened_at, _c.name)
    ).all()
    state = {name: (0, origin(workspace, name)) for name, _, _ in chains}
    rows = connection.execution_options(stream_results=True).execute(
        select(e.seq, e.exchange_id, e.kind, e.at, e.data, e.data_digest, e.chain, e.link, e.digest)
        .where(e.workspace_id == workspace)
        .order_by(e.seq)
    )
    for seq, exchange_id, kind, at, data, data_digest, name, link, digest in rows:
        if name not in state:
            return checked, f"seq {seq}: chain {name} is unknown"
        links, before = state[name]
        if link != links + 1:
            return checked, f"seq {seq}: link {link} of chain {name} follows link {links}"
        if data is not None and sha256(data.encode()).digest() != data_digest:
            return checked, f"seq {seq}: the data do not match their digest"
        if link_digest(before, link, workspace, exchange_id, kind, at, data_digest) != digest:
            return checked, f"seq {seq}: link {link} of chain {name} does not match its digest"
        state[name] = (link, digest)
        checked += 1
    for name, links, head in chains:
        if state[name] != (links, head):
            return checked, f"chain {name}: {links} links were written, {state[name][0]} are there"
    return checked, ""
