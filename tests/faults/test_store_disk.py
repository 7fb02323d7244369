# ruff: noqa: F401, F811
"""A disk that is full or fails, a server that goes away: nothing is acknowledged, and the store recovers by itself."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from adapters.storage import SqlStore, open_store
from adapters.storage.blobs import ROW_LIMIT
from gateway.ports import Conflict, ExchangeFilter, Recorded, StoreUnavailable
from tests.support.postgresql import cluster
from tests.support.reference import ROOT
from tests.support.stores import WS, Place, exchange, payload, place

PATIENCE_S = 30

FULL_DISK = """
import asyncio, pathlib, resource, signal, sys
from adapters.storage import open_store
from gateway.ports import ExchangeFilter, StoreUnavailable
from tests.support.stores import exchange

async def main(folder):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write beyond the limit fails, as on a full disk
    store = await open_store(f"sqlite:///{folder}/store.db", folder)
    acknowledged = []
    await store.commit(exchange("first"))
    acknowledged.append("first")
    size = max(path.stat().st_size for path in folder.glob("store.db*"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 200_000, resource.RLIM_INFINITY))
    refused = 0
    for number in range(60):
        try:
            await store.commit(exchange(f"full{number}", b"x" * 20_000 + str(number).encode()))
            acknowledged.append(f"full{number}")
        except StoreUnavailable:
            refused += 1
    try:
        await store.commit(exchange("large", b"y" * 1_000_000))
        acknowledged.append("large")
    except StoreUnavailable:
        refused += 1
    assert refused, "the disk never became full"
    assert await store.exchange("demo", "first") is not None, "reading goes on"
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    while True:
        try:
            await store.commit(exchange("after"))
            break
        except StoreUnavailable:
            await asyncio.sleep(0.05)
    acknowledged.append("after")
    await store.close()
    store = await open_store(f"sqlite:///{folder}/store.db", folder)
    there = {row.id for row in await store.exchanges(ExchangeFilter("demo", limit=1000))}
    assert set(acknowledged) <= there, sorted(set(acknowledged) - there)
    print(await store.verify_chain("demo"), refused, len(acknowledged))
    await store.close()

asyncio.run(main(pathlib.Path(sys.argv[1])))
"""


def test_a_full_disk_refuses_and_space_given_back_is_enough_to_go_on(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "''" in done.stdout, done.stdout


async def accepted(store: SqlStore, exchange_id: str) -> None:
    """Commit, trying again as a door's peer would."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                await store.commit(exchange(exchange_id))
            except StoreUnavailable:
                await asyncio.sleep(0.05)
            else:
                return


class Failing:
    """A driver connection whose COMMIT fails as the operating system would make it fail, a number of times."""

    def __init__(self, times: int) -> None:
        self.left = times

    def break_next_commits(self, monkeypatch: pytest.MonkeyPatch, store: SqlStore) -> None:
        """The commit of the engine raises what sqlite3 raises when fsync fails."""
        dialect = store._database.writer.dialect
        commit = dialect.do_commit

        def do_commit(connection: Any) -> None:
            if self.left:
                self.left -= 1
                raise sqlite3.OperationalError("disk I/O error")
            commit(connection)

        monkeypatch.setattr(dialect, "do_commit", do_commit)


async def test_a_commit_that_fails_acknowledges_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = await open_store(f"sqlite:///{tmp_path}/store.db", tmp_path)
    await store.commit(exchange("before"))
    Failing(1).break_next_commits(monkeypatch, store)
    told = await asyncio.gather(*(store.commit(exchange(f"lost{n}")) for n in range(20)), return_exceptions=True)
    refused = [n for n, outcome in enumerate(told) if isinstance(outcome, StoreUnavailable)]
    assert refused
    assert "disk I/O error" in str(told[refused[0]])
    await accepted(store, "after")
    there = {row.id for row in await store.exchanges(ExchangeFilter(WS, limit=100))}
    assert there == {"before", "after"} | {f"lost{n}" for n in range(20) if n not in refused}
    assert (await store.verify_chain(WS))[1] == ""
    await store.close()


async def test_after_a_failed_commit_the_log_is_emptied_before_anything_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_store(f"sqlite:///{tmp_path}/store.db", tmp_path)
    await store.commit(exchange("before"))
    log = tmp_path / "store.db-wal"
    assert log.stat().st_size > 0
    sizes: list[int] = []
    connect = store._writer._connect

    def connected() -> Any:
        connection = connect()
        sizes.append(log.stat().st_size)
        return connection

    monkeypatch.setattr(store._writer, "_connect", connected)
    Failing(1).break_next_commits(monkeypatch, store)
    with pytest.raises(StoreUnavailable):
        await store.commit(exchange("lost"))
    await accepted(store, "after")
    assert sizes[-1] == 0
    await store.close()


async def test_a_large_payload_that_cannot_be_written_is_not_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_store(f"sqlite:///{tmp_path}/store.db", tmp_path)
    (tmp_path / "blobs").write_bytes(b"")  # a file where the folder should be
    with pytest.raises(StoreUnavailable):
        await store.commit(exchange("large", b"x" * (ROW_LIMIT + 1)))
    (tmp_path / "blobs").unlink()
    assert await store.commit(exchange("large", b"x" * (ROW_LIMIT + 1))) == (Recorded(),)
    await store.close()


async def test_a_value_the_engine_cannot_take_is_refused_alone(place: Place) -> None:
    store = await place.open()
    odd = exchange("x" * 70 + "\0")
    told = await asyncio.gather(
        *(store.commit(op) for op in (exchange("a"), odd, exchange("b"))), return_exceptions=True
    )
    assert [isinstance(outcome, tuple) for outcome in told] == [True, not place.postgresql, True]
    assert not isinstance(told[1], StoreUnavailable | Conflict)
    await store.close()


@pytest.mark.postgresql
async def test_a_server_that_restarts_is_found_again(tmp_path: Path) -> None:
    with cluster() as server:
        store = await open_store(server.new_database(), tmp_path)
        await store.commit(exchange("before", body := payload(b"octets")))
        await asyncio.to_thread(server.stop, "immediate")
        with pytest.raises(StoreUnavailable):
            await store.commit(exchange("away"))
        with pytest.raises(StoreUnavailable):
            await store.exchange(WS, "before")
        await asyncio.to_thread(server.start)
        await accepted(store, "after")
        topic = store.subscribe(f"events:{WS}")
        assert await store.blob(WS, body.sha256) == body.data
        await store.commit(exchange("heard"))
        assert await asyncio.wait_for(anext(topic), PATIENCE_S)
        assert {row.id for row in await store.exchanges(ExchangeFilter(WS))} >= {"before", "after", "heard"}
        await store.close()
