"""kill -9 at random moments under load: what was acknowledged is never lost. `make soak` plays more rounds."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.faults.killing import Arena, Round
from tests.support.postgresql import cluster

ROUNDS = 20  # on each of the two engines


async def _played(arena: Arena, rounds: int) -> list[Round]:
    return [await arena.round() for _ in range(rounds)]


def _assert_the_load_was_real(rounds: list[Round]) -> None:
    """Kills that found nothing under way would prove nothing."""
    assert sum(r.acknowledged for r in rounds) > 5 * len(rounds)
    assert sum(r.in_doubt for r in rounds) > len(rounds)


def test_what_was_acknowledged_survives_every_kill_on_sqlite(tmp_path: Path) -> None:
    arena = Arena(tmp_path, seed=48)
    try:
        _assert_the_load_was_real(asyncio.run(_played(arena, ROUNDS)))
    finally:
        arena.close()


@pytest.mark.postgresql
def test_what_was_acknowledged_survives_every_kill_on_postgresql(tmp_path: Path) -> None:
    with cluster() as server:
        arena = Arena(tmp_path, server.new_database(), seed=4801)
        try:
            _assert_the_load_was_real(asyncio.run(_played(arena, ROUNDS)))
        finally:
            arena.close()
