"""Fixtures of the SMTP tests; import the ones a module uses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.smtp_client import shared_pki
from tests.support.smtp_world import Doors, World, make_territory, open_doors


@pytest.fixture
def world() -> World:
    """A fresh world over the shared authority."""
    pki = shared_pki()
    return World(pki, make_territory(pki))


@pytest.fixture
async def doors(world: World, tmp_path: Path) -> AsyncIterator[Doors]:
    """The three doors, open on free ports."""
    opened = await open_doors(world, tmp_path / "spool")
    yield opened
    await opened.listeners.stop(1)
