"""Worker processes: what they answer, how they die, and that none outlives its gateway."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from adapters.offload import WorkerDied, WorkerPool, is_light
from adapters.testing.running import launch
from gateway.exchange.model import Payload
from tests.bench.load import connect, send
from tests.bench.mails import Source, small_mail, xdm_mail
from tests.bench.reach import Reach


def _square(number: int) -> int:
    return number * number


def _fails(text: str) -> None:
    raise ValueError(text)


def _cannot_travel() -> Any:
    return lambda: None


def _pid() -> int:
    return os.getpid()


def _dies(mark: Path) -> str:
    """Kills its worker the first time."""
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "the second one lived"


def _always_dies() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _length(octets: bytes, more: int) -> tuple[int, int]:
    return len(octets) + more, os.getpid()


def _repeated(size: int) -> bytes:
    return b"x" * size


@pytest.fixture
async def pool() -> AsyncIterator[WorkerPool]:
    workers = WorkerPool(1)
    yield workers
    workers.close()


async def test_answers_come_back_in_their_order_however_large(pool: WorkerPool) -> None:
    assert await asyncio.gather(*(pool.run(_square, n) for n in range(50))) == [n * n for n in range(50)]
    assert await pool.run(len, await pool.run(_repeated, 5_000_000)) == 5_000_000


async def test_what_the_function_raises_is_raised_here(pool: WorkerPool) -> None:
    with pytest.raises(ValueError, match="mal dit"):
        await pool.run(_fails, "mal dit")
    with pytest.raises(RuntimeError, match="cannot leave the worker"):
        await pool.run(_cannot_travel)
    assert await pool.run(_square, 3) == 9, "and the worker goes on"


async def test_a_worker_that_dies_is_replaced_once(pool: WorkerPool, tmp_path: Path) -> None:
    assert await pool.run(_dies, tmp_path / "mark") == "the second one lived"
    with pytest.raises(WorkerDied):
        await pool.run(_always_dies)
    assert await pool.run(_square, 4) == 16


async def test_a_call_given_up_disturbs_no_other(pool: WorkerPool) -> None:
    await pool.run(_pid)
    given_up = asyncio.create_task(pool.run(time.sleep, 0.2))
    await asyncio.sleep(0.05)
    given_up.cancel()
    assert await pool.run(_square, 5) == 25


async def test_several_workers_share_the_calls() -> None:
    pool = WorkerPool(2)
    try:
        both = await asyncio.gather(*(pool.run(time.sleep, 0.2) for _ in range(4)), pool.run(_pid), pool.run(_pid))
        assert len({pid for pid in both if pid}) == 2
    finally:
        pool.close()


async def test_a_small_plain_text_is_opened_here_and_whatever_may_hide_more_in_a_worker(
    pool: WorkerPool, tmp_path: Path
) -> None:
    async def opened(octets: bytes) -> int:
        _, pid = await pool.open(_length, Payload(len(octets), sha256(octets).hexdigest(), octets), 1)
        return pid

    assert await opened(small_mail()) == os.getpid()
    assert await opened(xdm_mail()) != os.getpid()
    spooled = tmp_path / "spool"
    spooled.write_bytes(b"abc")
    size, pid = await pool.open(_length, Payload(3, sha256(b"abc").hexdigest(), spool_path=str(spooled)), 1)
    assert (size, pid == os.getpid()) == (4, False)


@pytest.mark.parametrize(
    "octets",
    [
        b"x" * 30_000,
        b"Content-Type: MULTIPART/mixed\r\n\r\n",
        b"Content-Transfer-Encoding: Base64\r\n\r\nUEsDBA==",
        b"\r\n\r\nPK\x03\x04",
        b"\r\n\r\n<?xml version='1.0'?><a/>",
    ],
)
def test_what_may_cost_more_than_its_size_is_not_light(octets: bytes) -> None:
    assert not is_light(octets)


async def test_no_worker_outlives_a_gateway_that_was_killed(tmp_path: Path) -> None:
    gateway = launch(tmp_path / "data", timeout_s=120)
    try:
        line = await connect(Reach.of(tmp_path / "data").reception(gateway))
        code, text = await send(line, Source.around(xdm_mail()).next())
        assert code == 250, text
        children = _children(gateway.process.pid)
        assert children, "the package was judged by a worker"
    finally:
        gateway.kill()
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{pid}/cmdline").exists() and _lives(pid) for pid in children):
        assert time.monotonic() < deadline, "a worker outlived its gateway"
        await asyncio.sleep(0.05)


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [int(child) for child in found if b"adapters.worker" in Path(f"/proc/{child}/cmdline").read_bytes()]


def _lives(pid: int) -> bool:
    """Neither gone nor a zombie that only waits for its parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
