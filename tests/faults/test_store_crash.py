# ruff: noqa: F401, F811
"""What was acknowledged is never lost: a writer killed at random moments, a ledger kept outside of it."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
from hashlib import sha256

from gateway.exchange.model import DeliveryState
from gateway.ports import ExchangeFilter
from tests.support.reference import ROOT
from tests.support.stores import WS, Place, place

ROUNDS = 4


def killed_writer(place: Place, number: int, acknowledged_at_least: int) -> list[str]:
    """Ids that a writer acknowledged before it was killed, in the midst of its work."""
    command = [sys.executable, "-m", "tests.support.store_writer", place.url, str(place.data_dir), str(number)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        ledger = [writer.stdout.readline().strip() for _ in range(acknowledged_at_least)]
        writer.send_signal(signal.SIGKILL)
        ledger += [line.strip() for line in writer.stdout if line.endswith("\n")]
    return ledger


async def test_nothing_acknowledged_is_lost_when_the_process_is_killed(place: Place) -> None:
    chance = random.Random(20261124)
    ledger: list[str] = []
    for number in range(ROUNDS):
        ledger += await asyncio.to_thread(killed_writer, place, number, chance.randrange(30, 300))
        store = await place.open()
        rows = await store.exchanges(ExchangeFilter(WS, limit=1_000_000))
        found = {row.id: row for row in rows}
        assert not set(ledger) - set(found)
        mails = {mail.sha256: mail for mail in await store.mails(WS, "a@b", "INBOX")}
        waiting = {one.exchange_id for one in await store.deliveries(WS, state=DeliveryState.READY, limit=1_000_000)}
        for row in rows:  # even what was not acknowledged is whole
            assert row.sha256 in mails
            assert row.id in waiting
        for row in chance.sample(rows, 20) + [row for row in rows if row.size_bytes > 256 * 1024]:
            octets = await store.blob(WS, row.sha256)
            assert octets is not None
            assert sha256(octets).hexdigest() == row.sha256
        assert len(mails) == len(rows)
        links, told = await store.verify_chain(WS)
        assert (links, told) == (2 * len(rows), "")
        await store.close()
    assert len(ledger) >= 30 * ROUNDS
