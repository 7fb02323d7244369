# ruff: noqa: F401, F811
"""The integration step when it fails: it is tried again, and what nobody could look at waits for a human."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from adapters.api.identity_views import entry_brief
from adapters.ids import UuidSeven
from adapters.outbox import INTEGRATION_ATTEMPTS, Outbox
from gateway.exchange.integration import Integrator, work_for
from gateway.exchange.model import DeliveryState
from gateway.exchange.notice_desk import NoticeDesk
from gateway.exchange.received import Told, told_record
from gateway.exchange.retry import RetryPolicy
from gateway.identity.local import Ins
from gateway.identity.matching import Received
from gateway.ports import Delivery
from gateway.rules import RuleBook, load_catalogue
from gateway.values import PlaceKind, Where
from tests.support.desks import HOME, ODETTE, OID, TRAITS, WS, Desks, desks
from tests.support.stores import BAL, exchange, mail, payload

SAID = told_record(Told(Received(TRAITS, Ins(ODETTE, OID)), "cda", Where(PlaceKind.XPATH, "/id", 1)))


class Failing:
    """A reader of indexes that fails a few times, then reads."""

    def __init__(self, reader: Any, times: int) -> None:
        self._reader, self.left = reader, times

    async def identities(self, wanted: Any) -> Any:
        if self.left:
            self.left -= 1
            raise ValueError("broken")
        return await self._reader.identities(wanted)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)


async def integrated(desks: Desks, times: int, received: Any = SAID) -> Delivery:
    """A mail received, and its integration, which fails that many times, once it ended."""
    body = payload(b"a letter")
    work = work_for(WS, HOME, [BAL], received, desks.sandbox.now())
    summary = {"door": "smtp-reception", "integration": "allowed"}
    record = exchange("e1", body, summary=summary, mails=(mail(body),), deliveries=(work,))
    await desks.store.commit(replace(record, at=desks.sandbox.now()))
    book = RuleBook(load_catalogue())
    reader: Any = Failing(desks.store, times)
    integrator = Integrator(reader, desks.sandbox, desks.sandbox, book)
    desk = NoticeDesk(desks.sandbox, desks.sandbox, UuidSeven(), book)
    outbox = Outbox(
        desks.store,
        desks.sandbox,
        {},
        RetryPolicy(give_up_after=timedelta(days=9000), speed=36000),
        desk,
        "w",
        integrator=integrator,
    )
    task = asyncio.create_task(outbox.run())
    try:
        for _ in range(600):
            (one,) = await desks.store.deliveries(WS, exchange_id="e1")
            if one.state in (DeliveryState.DONE, DeliveryState.DEAD):
                return one
            await asyncio.sleep(0.05)
        raise AssertionError(f"the integration is {one.state} after {one.attempt} attempts")
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Ask for due work more often than once a second, and render no traceback: a territory is long to print."""
    monkeypatch.setattr("adapters.outbox.POLL_S", 0.05)
    with capture_logs():
        yield


async def test_an_integration_that_failed_is_tried_again(desks: Desks) -> None:
    await desks.record()
    done = await integrated(desks, 2)
    assert (done.state, done.attempt, done.last_answer) == (DeliveryState.DONE, 3, "row 8")
    assert [e.kind for e in await desks.store.events(WS, exchange_id="e1")].count("deferred") == 2


@pytest.mark.parametrize("received", [SAID, {"traits": "?"}])
async def test_documents_that_no_attempt_could_look_at_wait_for_a_human(desks: Desks, received: Any) -> None:
    done = await integrated(desks, INTEGRATION_ATTEMPTS, received)
    assert (done.state, done.attempt) == (DeliveryState.DEAD, INTEGRATION_ATTEMPTS)
    (entry,) = await desks.store.quarantined(WS, state="open", structure=HOME)
    assert (entry_brief(entry)["row"], entry.ack, entry.record["rules"]) == (0, "906", ["INS-205"])
    after = await desks.store.exchange(WS, "e1")
    assert after is not None
    assert (after.summary["integration"], [f["rule"] for f in after.findings]) == ("stopped", ["INS-205"])
    (held,) = await desks.store.mails(WS, BAL, "INBOX")
    assert held.flags == ("$Quarantaine",)
    assert [e.kind for e in await desks.store.events(WS, exchange_id="e1")][-2:] == ["dead", "quarantined"]
