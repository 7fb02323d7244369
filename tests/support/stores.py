"""Stores for tests: fixtures for each engine, and short builders of operations.

Import the fixtures `place` and `store` into a test module; both run on SQLite and on PostgreSQL.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from adapters.storage import SqlStore, open_store
from gateway.exchange.model import Event, Payload
from gateway.ports import NewDelivery, NewMail, RecordExchange
from tests.support.postgresql import shared_cluster

NOW = datetime(2026, 11, 24, 9, 30, 0, 123456, tzinfo=UTC)
WS = "demo"
BAL = "secretariat@ehpad-les-tilleuls.val-de-brume.mssante.fr"
ENGINES = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql))
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a store is: open it as often as wanted, one after the other (SQLite) or several at once (PostgreSQL)."""

    url: str
    data_dir: Path
    postgresql: bool

    async def open(self, signer: Callable[[bytes], bytes] | None = None) -> SqlStore:
        """Open the store of this place."""
        return await open_store(self.url, self.data_dir, signer=signer)


@pytest.fixture(params=ENGINES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """An empty database and data directory."""
    if request.param == "sqlite":
        yield Place(f"sqlite:///{tmp_path}/store.db", tmp_path, postgresql=False)
        return
    cluster = shared_cluster()
    url = cluster.new_database()
    yield Place(url, tmp_path, postgresql=True)
    cluster.drop(url)


@pytest.fixture
async def store(place: Place) -> AsyncIterator[SqlStore]:
    """An open store."""
    opened = await place.open()
    yield opened
    await opened.close()


def execute(place: Place, statement: str, *parameters: Any) -> None:
    """Change the database behind the back of a closed or idle store; `?` marks parameters."""
    if place.postgresql:
        import psycopg

        with psycopg.connect(place.url) as connection:
            connection.execute(statement.replace("?", "%s"), parameters)
        return
    import sqlite3

    with sqlite3.connect(place.url.removeprefix("sqlite:///")) as lite:
        lite.execute(statement, parameters)
    lite.close()


def payload(data: bytes) -> Payload:
    """Octets in memory."""
    return Payload(len(data), sha256(data).hexdigest(), data)


def event(kind: str, exchange_id: str = "", workspace: str = WS, **data: Any) -> Event:
    """A journal event."""
    return Event(kind, NOW, workspace, exchange_id, data)


def mail(body: Payload, key: str = "", *, address: str = BAL, folder: str = "INBOX", workspace: str = WS) -> NewMail:
    """A mail to append."""
    return NewMail(workspace, address, folder, body.sha256, body.size_bytes, NOW, dedup_key=key)


def delivery(
    key: str = "", *, kind: str = "relay", to: str = "op2", order: str = "", due_s: float = 0, workspace: str = WS
) -> NewDelivery:
    """A piece of work, due `due_s` after NOW."""
    return NewDelivery(workspace, kind, to, {"n": key}, NOW + timedelta(seconds=due_s), "", order, key)


def exchange(
    exchange_id: str = "",
    data: bytes | Payload = b"",
    *,
    workspace: str = WS,
    summary: Mapping[str, Any] | None = None,
    **parts: Any,
) -> RecordExchange:
    """A door crossing; whatever is not given is made up."""
    number = next(_numbers)
    exchange_id = exchange_id or f"x{number}"
    body = data if isinstance(data, Payload) else payload(data or f"message {number}".encode())
    parts.setdefault("findings", ())
    parts.setdefault("events", (event("received", exchange_id, workspace),))
    return RecordExchange(workspace, exchange_id, NOW, body, dict(summary or {"door": "smtp-reception"}), **parts)
