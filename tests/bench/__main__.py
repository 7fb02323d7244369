"""`make bench`: every figure in one session, as a ratio to a peer measured in turn with it, or against a fixed bound.

python -m tests.bench [--quick] [--only NAME…]. Prints a table. Never fails a build: a figure that misses its goal says so.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from adapters.testing.running import start_gateway
from tests.bench import figures, judging
from tests.bench.figures import Figure
from tests.bench.reach import Reach

GROUPS = ("intake", "large", "start", "commands", "judging")


def measured(folder: Path, groups: tuple[str, ...], *, quick: bool) -> Iterator[Figure]:
    """The figures, one after the other, as they are known."""
    data, share = folder / "data", 5 if quick else 1
    with start_gateway(data):
        pass  # the first start makes keys: what follows is a warm directory
    reach = Reach.of(data)
    if "intake" in groups:
        with start_gateway(data) as gateway:
            ratio = figures.intake_ratio
            yield ratio("5 KB mails, kept mutual TLS", 0.40, "small", 3000 // share, gateway, reach)
            yield ratio("85 KB mails with a package", 0.70, "xdm", 800 // share, gateway, reach)
            name = "5 KB mails, a connection for each"
            yield ratio(name, 0.80, "small", 500 // share, gateway, reach, new_each=True)
    if "large" in groups:
        with start_gateway(folder / "large", figures.LARGE_LIMIT):
            pass
        with start_gateway(folder / "large", figures.LARGE_LIMIT) as gateway:
            yield from figures.large_mails(gateway, Reach.of(folder / "large"))
    if "start" in groups:
        started = figures.median_of(1 if quick else 3, lambda: figures.start_seconds(data))
        yield Figure("up, ready on a warm directory", started, 3, "s")
        yield Figure("memory at rest", figures.idle_megabytes(data), 160, "MB", detail="resident, serving process")
    if "commands" in groups:
        times = 3 if quick else 7
        yield Figure("passerelle --help", figures.median_of(times, figures.help_seconds), 0.3, "s")
        checked = figures.median_of(times, lambda: figures.check_seconds(folder))
        yield Figure("passerelle check, one XDM", checked, 0.8, "s")
    if "judging" in groups:
        yield from judging.rule_pack(500 if quick else 5000)
        yield judging.many_packages(folder, 200 if quick else 1000)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a fifth of the mails: to see that it runs")
    parser.add_argument("--only", nargs="+", choices=GROUPS, default=GROUPS, help="some of the figures")
    given = parser.parse_args()
    out = Console()
    table = Table(title="passerelle, measured", title_justify="left", header_style="bold")
    for column in ("figure", "measured", "goal", "", "detail"):
        table.add_column(column, justify="right" if column in ("measured", "goal") else "left")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, out.status("measuring") as status:
        for figure in measured(Path(folder), tuple(given.only), quick=given.quick):
            sign = "≤" if figure.at_most else "≥"
            verdict = "[green]met[/green]" if figure.met else "[bold red]missed[/bold red]"
            goal = f"{sign} {figure.goal:g} {figure.unit}"
            table.add_row(figure.name, f"{figure.measured:.2f} {figure.unit}", goal, verdict, figure.detail)
            status.update(f"measured: {figure.name} {figure.measured:.2f} {figure.unit}")
    out.print(table)
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    out.print(
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, Python {platform.python_version()}, {os.cpu_count()} processors, "
        f"load {load}",
        style="dim",
    )


if __name__ == "__main__":
    main()
