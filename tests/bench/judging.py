"""Figures of judging alone: the whole rule pack on one opened exchange, and `check` of many packages."""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime
from pathlib import Path

from gateway.directory.territory import load_territory
from gateway.exchange.checking import Checker
from gateway.exchange.model import Envelope
from gateway.exchange.opening import open_message
from gateway.exchange.routing import routing_of
from gateway.rules import RuleBook, RuleContext, load_catalogue
from gateway.samples.parts import Bench
from gateway.sandbox.model import Limits
from gateway.values import Direction, Door
from tests.bench.figures import PASSERELLE, Figure, timed
from tests.bench.mails import RECIPIENT, SENDER, xdm_mail

_AT = datetime(2026, 3, 2, 10, tzinfo=UTC)


def rule_pack(runs: int) -> list[Figure]:
    """Every rule on one mail, its package, its CDA and its metadata, all opened. Milliseconds, processor of this thread."""
    opened = open_message(xdm_mail(), "mail", Envelope(SENDER, (RECIPIENT,)), Limits())
    routing = routing_of(opened, Envelope(SENDER, (RECIPIENT,)), load_territory())
    checker = Checker(RuleBook(load_catalogue()))
    ctx = RuleContext(direction=Direction.EMISSION, door=Door.SUBMISSION, today=_AT.date(), profile="strict")
    found = checker.check(opened, ctx, routing)  # what is read once, is read
    took: list[float] = []
    for _ in range(runs):
        started = time.thread_time()
        checker.check(opened, ctx, routing)
        took.append(1000 * (time.thread_time() - started))
    took.sort()
    told = f"{len(opened.views)} views of identity, {len(found)} findings, {runs} runs"
    return [
        Figure("whole rule pack, median", statistics.median(took), 1, "ms", detail=told),
        Figure("whole rule pack, 99th percentile", took[int(len(took) * 0.99) - 1], 5, "ms"),
    ]


def many_packages(folder: Path, count: int) -> Figure:
    """`check` of packages that all differ, after start: the time of one is taken off."""
    bench, alone, many = Bench(_AT), folder / "one", folder / "many"
    for place, number in ((alone, 1), (many, count)):
        place.mkdir()
        for i in range(number):
            (place / f"{i:04d}.zip").write_bytes(bench.package(f"mesure-{i}", bench.record(f"mesure-{i}")))
    one = min(timed([*PASSERELLE, "check", str(alone), "--format", "json"]) for _ in range(3))
    all_of_them = timed([*PASSERELLE, "check", str(many), "--format", "json"])
    rate = (count - 1) / (all_of_them - one)
    return Figure(f"check of {count} packages", rate, 150, "/s", at_most=False, detail=f"start taken off: {one:.2f} s")
