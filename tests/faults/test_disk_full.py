"""Disk full: no acknowledgement, nothing half-stored, and the gateway recovers by itself when space returns."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.testing.running import RunningGateway, launch
from tests.bench.load import Ledger, connect, leave, noted, send
from tests.bench.mails import RECIPIENT, Source, small_mail
from tests.bench.reach import Reach
from tests.support.reference import need_tool

DISK_BYTES = 24 * 1024 * 1024
TRIES = 400


@dataclass
class Disk:
    """A gateway on a disk that can be filled and emptied."""

    gateway: RunningGateway
    reach: Reach
    fill: Callable[[], None]
    free: Callable[[], None]


@contextlib.contextmanager
def _by_limit(folder: Path) -> Iterator[Disk]:
    """No file of the process may grow any more (RLIMIT_FSIZE): writes fail with EFBIG."""
    data = folder / "data"
    gateway = launch(data, timeout_s=120)
    pid, unlimited = gateway.process.pid, resource.RLIM_INFINITY
    try:
        yield Disk(
            gateway,
            Reach.of(data),
            lambda: resource.prlimit(pid, resource.RLIMIT_FSIZE, (1024, unlimited)) and None,
            lambda: resource.prlimit(pid, resource.RLIMIT_FSIZE, (unlimited, unlimited)) and None,
        )
    finally:
        gateway.stop()


@contextlib.contextmanager
def _by_tmpfs(folder: Path) -> Iterator[Disk]:
    """The data directory on a small file system of its own: writes fail with ENOSPC."""
    mount, umount = need_tool("mount", "apt-get install mount"), need_tool("umount", "apt-get install mount")
    data = folder / "data"
    data.mkdir()
    done = subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", data], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"a tmpfs cannot be mounted here (needs root): {done.stderr.strip()}")
    ballast = data / "ballast"
    try:
        gateway = launch(data, timeout_s=120)
        try:
            yield Disk(gateway, Reach.of(data), lambda: _fill(ballast), ballast.unlink)
        finally:
            gateway.stop()
    finally:
        subprocess.run([umount, "-l", data], check=True)


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(os.sysconf("SC_PAGE_SIZE")))


@pytest.mark.parametrize("kind", ["small", "large"])
@pytest.mark.parametrize("way", [_by_limit, _by_tmpfs], ids=["file-size-limit", "tmpfs"])
def test_a_full_disk_is_a_temporary_refusal_and_space_brings_the_gateway_back(
    tmp_path: Path, way: Callable[[Path], contextlib.AbstractContextManager[Disk]], kind: str
) -> None:
    """`large` mails go through a spool file and a file of their own, `small` ones through the database alone."""
    with way(tmp_path) as disk:
        asyncio.run(_story(disk, Source.around(small_mail(2_000_000 if kind == "large" else 5_000)), tmp_path))
        gateway = disk.gateway
        mails = gateway.post("/mailboxes/messages", {"address": RECIPIENT})
        exchanges = {row["summary"]["message_id"] for row in gateway.get("/exchanges", limit=200)["exchanges"]}
        acknowledged = noted(tmp_path / "ledger")
        assert set(acknowledged) <= exchanges
        assert len({m["exchange_id"] for m in mails}) == len(mails) == len(set(acknowledged))
        assert [p.name for p in (gateway.data / "spool").iterdir()] == []
        assert gateway.get("/journal/proof")["intact"]


async def _story(disk: Disk, source: Source, folder: Path) -> None:
    ledger = Ledger(folder / "ledger")

    async def one() -> int:
        line = await connect(disk.reach.reception(disk.gateway))
        mail = source.next()
        code, _ = await send(line, mail)
        if code == 250:
            ledger.note(mail.message_id)
        await leave(line)
        return code

    assert await one() == 250
    disk.fill()
    refused = [await one() for _ in range(5)]
    # what is left of a page or of the log may still hold a mail or two: an acknowledgement is then a true one
    assert {code for code in refused if code != 250} <= {421, 451, 452}
    assert any(code != 250 for code in refused)
    assert disk.gateway.process.poll() is None, "the gateway lives on"
    disk.free()
    for _ in range(TRIES):
        if await one() == 250:
            break
        await asyncio.sleep(0.05)
    assert [await one() for _ in range(3)] == [250, 250, 250]
    ledger.close()
