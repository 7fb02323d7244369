"""`make soak`: the rounds of `test_kill`, 200 and more, over both engines. Prints progress, then a dated result line.

python -m tests.faults.soak [--rounds N] [--seed N] [--engine sqlite|postgresql|both]. Exit 0 when nothing was lost.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.killing import Arena, Round

ROUNDS = 200


@contextlib.contextmanager
def _storage(engine: str) -> Iterator[str]:
    """The `storage.url` of an engine; '' for SQLite in the data directory."""
    if engine == "sqlite":
        yield ""
        return
    from tests.support.postgresql import cluster

    with cluster() as server:
        yield server.new_database()


async def _soak(arena: Arena, engine: str, rounds: int) -> list[Round]:
    played: list[Round] = []
    started = time.monotonic()
    for number in range(1, rounds + 1):
        played.append(await arena.round())
        last = played[-1]
        print(
            f"{engine:<10} {number:>4}/{rounds}  acknowledged {last.acknowledged:>4}  in doubt {last.in_doubt:>2}"
            f"  flagged so far {last.flagged:>3}  journal {last.links:>6}  {time.monotonic() - started:>6.0f} s",
            flush=True,
        )
    return played


def run(engine: str, rounds: int, seed: int) -> bool:
    """Play the rounds of one engine. False when something acknowledged was lost."""
    with tempfile.TemporaryDirectory(prefix="soak-") as folder, _storage(engine) as url:
        arena = Arena(Path(folder), url, seed=seed)
        try:
            played = asyncio.run(_soak(arena, engine, rounds))
        except AssertionError as lost:
            print(f"{engine}: {lost} (seed {seed})", file=sys.stderr)
            return False
        finally:
            arena.close()
    acknowledged, in_doubt = sum(r.acknowledged for r in played), sum(r.in_doubt for r in played)
    print(
        f"{datetime.now(UTC):%Y-%m-%d} {engine}: {rounds} kills, {acknowledged} mails acknowledged under load, 0 lost; "
        f"{in_doubt} in doubt sent again; {played[-1].flagged} crossings were doubles, each flagged; "
        f"journal of {played[-1].links} links intact (seed {seed})"
    )
    return True


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="in total, shared by the engines")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--engine", choices=("sqlite", "postgresql", "both"), default="both")
    given = parser.parse_args()
    engines = ("sqlite", "postgresql") if given.engine == "both" else (given.engine,)
    each = -(-given.rounds // len(engines))
    lost = [engine for engine in engines if not run(engine, each, given.seed)]
    return 1 if lost else 0


if __name__ == "__main__":
    raise SystemExit(main())
