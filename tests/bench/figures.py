"""Each figure: how it is measured, what it is compared with, and its goal."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from adapters.testing.running import RunningGateway, launch
from gateway.samples import sample_named
from tests.bench.load import Door, Load, Tally, connect, leave, send
from tests.bench.mails import Source, large_mail
from tests.bench.process import cpu_seconds, forget_peak, peak_rss_bytes, rss_bytes
from tests.bench.reach import HOST, Reach

MB = 1_000_000
LARGE_BYTES = 30 * MB
LARGE_LIMIT = {"PASSERELLE_POLICY__MAIL_BYTES": str(40 * MB)}
CONNECTIONS = 20
PASSERELLE = (sys.executable, "-m", "adapters.cli.main")


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `measured` and `goal` are in `unit`; `at_most` tells which side of the goal is good."""

    name: str
    measured: float
    goal: float
    unit: str
    at_most: bool = True
    detail: str = ""

    @property
    def met(self) -> bool:
        """The goal is reached."""
        return self.measured <= self.goal if self.at_most else self.measured >= self.goal


@dataclass(frozen=True, slots=True)
class Rate:
    """One run against one server: mails a second, and milliseconds of its processor for each."""

    per_second: float
    cpu_ms: float


@contextlib.contextmanager
def bare_sink(reach: Reach) -> Iterator[tuple[Door, int]]:
    """The peer: aiosmtpd's Sink with the same certificates. Gives its door and its process id."""
    chain, key = reach.files(reach.server)
    command = [sys.executable, "-m", "tests.bench.sink", str(chain), str(key), str(reach.ca)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            port = int(process.stdout.readline()) if process.stdout else 0
            yield Door(HOST, port, reach.reception_tls()), process.pid
        finally:
            process.kill()


async def rate(door: Door, pid: int, source: Source, count: int, *, new_each: bool) -> Rate:
    """Send `count` mails, all of which must be accepted. Raises AssertionError with the first refusal otherwise."""
    before = cpu_seconds(pid)
    tally = await Load(door, source, CONNECTIONS, count, new_each).run()
    _all_accepted(tally, count)
    return Rate(tally.per_second, 1000 * (cpu_seconds(pid) - before) / count)


def _all_accepted(tally: Tally, count: int) -> None:
    if tally.accepted != count:
        raise AssertionError(f"{tally.accepted} of {count} mails were accepted; first trouble: {tally.first_trouble}")


def intake_ratio(
    name: str,
    goal: float,
    kind: str,
    count: int,
    gateway: RunningGateway,
    reach: Reach,
    *,
    new_each: bool = False,
    pairs: int = 3,
) -> Figure:
    """Product and peer in turn, medians compared. The product checks everything and commits durably before it answers."""
    ours, theirs = [], []
    with bare_sink(reach) as (peer, peer_pid):
        asyncio.run(rate(peer, peer_pid, Source.of(kind), max(20, count // 5), new_each=new_each))
        asyncio.run(
            rate(
                reach.reception(gateway),
                gateway.process.pid,
                Source.of(kind),
                max(20, count // 5),
                new_each=new_each,
            )
        )
        for _ in range(pairs):
            theirs.append(asyncio.run(rate(peer, peer_pid, Source.of(kind), count, new_each=new_each)))
            ours.append(
                asyncio.run(
                    rate(reach.reception(gateway), gateway.process.pid, Source.of(kind), count, new_each=new_each)
                )
            )
    mine = statistics.median(r.per_second for r in ours)
    peer_rate = statistics.median(r.per_second for r in theirs)
    cpu = statistics.median(r.cpu_ms for r in theirs) / statistics.median(r.cpu_ms for r in ours)
    detail = (
        f"{mine:.0f}/s, bare aiosmtpd Sink {peer_rate:.0f}/s; "
        f"{statistics.median(r.cpu_ms for r in ours):.2f} ms of processor each, peer "
        f"{statistics.median(r.cpu_ms for r in theirs):.2f} (ratio {cpu:.2f})"
    )
    return Figure(name, mine / peer_rate, goal, "x", at_most=False, detail=detail)


def large_mails(gateway: RunningGateway, reach: Reach) -> list[Figure]:
    """30 MB mails one after the other: throughput, growth of the serving process, latency of another connection."""
    return asyncio.run(_large_mails(gateway, reach))


async def _large_mails(gateway: RunningGateway, reach: Reach) -> list[Figure]:
    pid, door = gateway.process.pid, reach.reception(gateway)
    source = Source.around(large_mail(LARGE_BYTES))
    line = await connect(door)
    code, text = await send(line, source.next())  # the worker process starts
    if code != 250:
        raise AssertionError(text)
    alone = await _neighbour(door, asyncio.sleep(2))
    forget_peak(pid)
    before = rss_bytes(pid)
    seconds: list[float] = []

    async def several() -> None:
        for _ in range(4):
            mail = source.next()
            started = time.perf_counter()
            answer, said = await send(line, mail)
            seconds.append(time.perf_counter() - started)
            if answer != 250:
                raise AssertionError(said)

    beside = await _neighbour(door, several())
    growth = (peak_rss_bytes(pid) - before) / MB
    await leave(line)
    megabytes = source.size_bytes / MB
    median = statistics.median(seconds)
    return [
        Figure("30 MB mail", megabytes / median, 60, "MB/s", at_most=False, detail=f"{median:.2f} s each, durable"),
        Figure("growth of the serving process", growth, 64, "MB", detail="peak while four such mails are received"),
        Figure(
            "another connection meanwhile",
            _slowest(beside) / _slowest(alone),
            10,
            "x",
            detail=f"slowest of its 5 KB mails {1000 * _slowest(beside):.0f} ms, alone {1000 * _slowest(alone):.0f} ms; "
            f"median {1000 * statistics.median(beside):.1f} ms",
        ),
    ]


def _slowest(seconds: list[float]) -> float:
    """The 98th percentile: the worst but for one in fifty."""
    return sorted(seconds)[int(len(seconds) * 0.98) - 1 if len(seconds) > 1 else 0]


async def _neighbour(door: Door, meanwhile: Awaitable[None]) -> list[float]:
    """The seconds of small mails sent one by one on a connection of their own, until `meanwhile` is over."""
    over = asyncio.Event()
    load = asyncio.create_task(Load(door, Source.of("small"), 1, stop=over.is_set, pause_s=0.005).run())
    try:
        await meanwhile
    finally:
        over.set()
    tally = await load
    return tally.took_s


def timed(command: list[str]) -> float:
    """Wall seconds of one command, which must succeed."""
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def median_of(times: int, measure: Callable[[], float]) -> float:
    """The median of several measures, after one that is thrown away."""
    measure()
    return statistics.median(measure() for _ in range(times))


def start_seconds(data: Path) -> float:
    """`up` on a directory that was used before: from the start of the process to the moment every door listens."""
    started = time.perf_counter()
    gateway = launch(data)
    seconds = time.perf_counter() - started
    gateway.stop()
    return seconds


def idle_megabytes(data: Path) -> float:
    """Resident memory of the serving process, started and at rest."""
    gateway = launch(data)
    try:
        time.sleep(2)
        return rss_bytes(gateway.process.pid) / MB
    finally:
        gateway.stop()


def help_seconds() -> float:
    """`passerelle --help`."""
    return timed([*PASSERELLE, "--help"])


def check_seconds(folder: Path) -> float:
    """`passerelle check` of one package."""
    package = folder / "IHE_XDM.zip"
    package.write_bytes(sample_named("valide-xdm").build())
    return timed([*PASSERELLE, "check", str(package)])
