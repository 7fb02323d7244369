"""Two gateways on one PostgreSQL: work is shared, nothing is delivered twice, one killed leaves the other to finish."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from adapters.testing.running import RunningGateway, launch
from tests.bench.load import Ledger, Load, noted
from tests.bench.mails import Source, small_mail
from tests.bench.reach import DPI, Reach
from tests.support.postgresql import cluster

pytestmark = pytest.mark.postgresql
RECIPIENT = "soins@ehpad-les-glycines.val-de-brume.mssante.fr"
SETTLE_S = 120.0


@dataclass
class Pair:
    """Two gateways, one database, one authority."""

    folder: Path
    url: str
    gateways: list[RunningGateway]
    reach: Reach

    def submit(self, count: int, kill: int | None = None) -> list[str]:
        """Submit `count` mails at each door at once, perhaps killing one gateway meanwhile; the Message-IDs acknowledged."""
        return asyncio.run(self._submit(count, kill))

    async def _submit(self, count: int, kill: int | None) -> list[str]:
        gone = asyncio.Event()
        ledger = Ledger(self.folder / "ledger")
        source = Source.around(small_mail(sender=DPI, recipient=RECIPIENT), DPI, RECIPIENT)
        loads = [
            asyncio.create_task(
                Load(
                    self.reach.submission(gateway), source, connections=4, count=count, ledger=ledger, stop=gone.is_set
                ).run()
            )
            for gateway in self.gateways
        ]
        if kill is not None:
            while len(noted(ledger.path)) < count // 2:
                await asyncio.sleep(0.01)
            gone.set()
            self.gateways[kill].kill()
        await asyncio.gather(*loads)
        ledger.close()
        return noted(ledger.path)

    def receptions(self, gateway: RunningGateway) -> dict[str, list[Mapping[str, Any]]]:
        """The crossings of the recipient's operator, by Message-ID."""
        found: dict[str, list[Mapping[str, Any]]] = {}
        before = 0
        while True:
            page = gateway.get("/exchanges", door="smtp-reception", before=before, limit=200)
            for row in page["exchanges"]:
                found.setdefault(row["summary"]["message_id"], []).append(row)
            if not page["next"]:
                return found
            before = page["next"]

    def await_delivery(self, gateway: RunningGateway, wanted: list[str]) -> dict[str, list[Mapping[str, Any]]]:
        """Wait until all of `wanted` reached the recipient's operator."""
        deadline = time.monotonic() + SETTLE_S
        while not set(wanted) <= (found := self.receptions(gateway)).keys():
            assert time.monotonic() < deadline, f"{len(set(wanted) - found.keys())} acknowledged mails were not relayed"
            time.sleep(0.2)
        return found

    def relays_by_process(self) -> Counter[str]:
        """How many deliveries each process carried: it writes them down in its own chain of the journal."""
        import psycopg

        with psycopg.connect(self.url) as connection:
            rows = connection.execute("SELECT chain, count(*) FROM event WHERE kind = 'relayed' GROUP BY chain")
            return Counter(dict(rows.fetchall()))


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with cluster() as server:
        url = server.new_database()
        settings = {"PASSERELLE_STORAGE__URL": url, "PASSERELLE_LEASE_S": "3", "PASSERELLE_RETRY_SPEED": "60"}
        first, second = tmp_path / "un", tmp_path / "deux"
        gateways = [launch(first, settings, 120)]
        try:
            second.mkdir()
            (second / "pki").symlink_to(first / "pki")
            gateways.append(launch(second, settings, 120))
            yield Pair(tmp_path, url, gateways, Reach.of(first))
        finally:
            for gateway in gateways:
                gateway.stop()


def _mails_in(gateway: RunningGateway) -> int:
    return len(gateway.post("/mailboxes/messages", {"address": RECIPIENT}))


def test_work_is_shared_and_nothing_is_delivered_twice(pair: Pair) -> None:
    acknowledged: list[str] = []
    for _ in range(10):
        acknowledged = pair.submit(40)
        found = pair.await_delivery(pair.gateways[1], acknowledged)
        if len(pair.relays_by_process()) == 2:
            break
    assert len(pair.relays_by_process()) == 2
    assert all(len(found[message_id]) == 1 for message_id in acknowledged)
    assert not any(row["summary"].get("duplicate_of") for rows in found.values() for row in rows)
    assert _mails_in(pair.gateways[0]) == _mails_in(pair.gateways[1]) == len(acknowledged)
    for gateway in pair.gateways:
        assert gateway.get("/journal/proof")["intact"]


def test_one_killed_leaves_the_other_to_finish(pair: Pair) -> None:
    acknowledged = pair.submit(120, kill=0)
    survivor = pair.gateways[1]
    found = pair.await_delivery(survivor, acknowledged)
    for message_id in acknowledged:
        doubles = [row for row in found[message_id] if row["summary"].get("duplicate_of")]
        assert len(found[message_id]) - len(doubles) == 1, (
            "delivered once; what was in flight comes again and is flagged"
        )
    mails = survivor.post("/mailboxes/messages", {"address": RECIPIENT})
    assert len({m["exchange_id"] for m in mails}) == len(mails) == len(found)
    assert survivor.get("/journal/proof")["intact"]


def test_events_of_one_are_seen_live_from_the_other(pair: Pair) -> None:
    here, elsewhere = pair.gateways
    seen: list[Mapping[str, Any]] = []
    listening, enough = threading.Event(), threading.Event()

    def listen() -> None:
        import httpx

        with httpx.stream("GET", f"{elsewhere.url}/events", headers=elsewhere.headers, timeout=SETTLE_S) as stream:
            for line in stream.iter_lines():
                listening.set()
                if line.startswith("data: "):
                    seen.append(json.loads(line.removeprefix("data: ")))
                    if seen[-1]["kind"] == "decided":
                        enough.set()
                        return

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    assert listening.wait(SETTLE_S)
    one = Pair(pair.folder, pair.url, [here], pair.reach)
    one.submit(1)
    assert enough.wait(SETTLE_S)
    thread.join(SETTLE_S)
    exchange = elsewhere.get(f"/exchanges/{seen[-1]['exchange_id']}")
    assert exchange["summary"]["door"] == "smtp-submission"
    assert seen[-1]["seq"] in {event["seq"] for event in here.get("/journal")["events"]}
