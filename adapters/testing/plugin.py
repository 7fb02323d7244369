"""The pytest plugin: `def test_my_client(passerelle): …` gets a fresh gateway on free ports.

The gateway runs in its own process, so plain tests and asyncio tests alike may talk to it:

    def test_my_software_reads_why_it_was_refused(passerelle):
        reply = passerelle.submit(my_mail, "dpi@…", "soins@…")
        exchange = passerelle.wait_for(door="smtp-submission")
        assert [f["rule"] for f in exchange["findings"]] == ["INS-150"]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from adapters.testing.running import RunningGateway


@pytest.fixture(scope="session")
def passerelle_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """One gateway for the whole session; prefer `passerelle`, which empties it before each test."""
    from adapters.testing.running import start_gateway

    with start_gateway(tmp_path_factory.mktemp("passerelle")) as running:
        yield running


@pytest.fixture
def passerelle(passerelle_process: RunningGateway) -> RunningGateway:
    """A gateway with an empty workspace and the shipped actors: endpoints, certificates, clients, `wait_for(…)`."""
    passerelle_process.reset()
    return passerelle_process
