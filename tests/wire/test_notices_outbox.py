"""The outbox worker over a real store and couriers that answer as they are told: one report for each thing to tell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from adapters.ids import UuidSeven
from adapters.outbox import Outbox, shown_answer
from adapters.storage import SqlStore, open_store
from gateway.directory.model import Territory
from gateway.directory.territory import load_territory
from gateway.exchange.model import DeliveryState
from gateway.exchange.notice_desk import NoticeDesk
from gateway.exchange.retry import RetryPolicy
from gateway.ports import Delivered, Delivery, ExchangeFilter, NewDelivery, RecipientOutcome
from gateway.rules import RuleBook, load_catalogue
from gateway.sandbox.model import Policy
from tests.support.stores import exchange, payload

ME = "secretariat.geriatrie@ch-brumeval.val-de-brume.mssante.fr"
RAW = b"Message-ID: <m1@ch>\r\nSubject: lettre\r\n\r\nBonjour\r\n"
Answer = Callable[[Delivery], Delivered]


@dataclass
class Sandbox:
    """One territory, and a clock that the test moves."""

    territory_: Territory = field(default_factory=load_territory)
    ahead: timedelta = timedelta()

    def territory(self, workspace: str) -> Territory:
        return self.territory_

    def policy(self, workspace: str) -> Policy:
        return Policy()

    def workspace_of_domain(self, domain: str) -> str:
        return "demo"

    def workspace_of_certificate(self, fingerprint: str) -> str:
        return ""

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def virtual_now(self, workspace: str) -> datetime:
        return self.now()


@dataclass
class Played:
    """A courier that answers as it is told, and remembers whom it was given."""

    answer: Answer
    given: list[list[str]] = field(default_factory=list)

    async def deliver(self, delivery: Delivery, raw: bytes) -> Delivered:
        assert raw == RAW
        self.given.append(list(delivery.payload["recipients"]))
        return self.answer(delivery)


@dataclass
class House:
    store: SqlStore
    sandbox: Sandbox

    async def submit(self, *recipients: str, mail_from: str = ME, **more: Any) -> None:
        body = payload(RAW)
        facts = {"mail_from": mail_from, "recipients": list(recipients), "operator": "op-plateau", **more}
        relay = NewDelivery("demo", "relay", "x.fr", {"sha256": body.sha256, **facts}, self.sandbox.now())
        record = exchange("e1", body, correlation_id="story", summary={"message_id": "m1@ch"}, deliveries=(relay,))
        await self.store.commit(replace(record, at=self.sandbox.now()))

    @asynccontextmanager
    async def working(self, courier: Any, worker: str = "w", speed: float = 3600) -> AsyncIterator[None]:
        desk = NoticeDesk(self.sandbox, self.sandbox, UuidSeven(), RuleBook(load_catalogue()))
        outbox = Outbox(self.store, self.sandbox, {"relay": courier}, RetryPolicy(speed=speed), desk, worker)
        task = asyncio.create_task(outbox.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def ended(self, state: DeliveryState | None = None, attempt: int = 0) -> Delivery:
        """Wait until the delivery is done or dead, or in this state after this attempt."""
        for _ in range(600):
            (one,) = await self.store.deliveries("demo", exchange_id="e1")
            if one.attempt >= attempt and one.state in (
                (state,) if state else (DeliveryState.DONE, DeliveryState.DEAD)
            ):
                return one
            await asyncio.sleep(0.05)
        raise AssertionError(f"the delivery is {one.state} after {one.attempt} attempts")

    async def reports(self) -> list[bytes]:
        rows = await self.store.mails("demo", ME, "INBOX")
        return [data for row in rows if (data := await self.store.blob("demo", row.sha256)) is not None]

    async def actions(self) -> list[str]:
        return [f"{g['Action']} {g['Status']}" for raw in await self.reports() for g in groups(raw)]


def groups(raw: bytes) -> list[Message]:
    """The recipients of a report."""
    status = next(p for p in message_from_bytes(raw).walk() if p.get_content_type() == "message/delivery-status")
    return [g for g in status.get_payload() if isinstance(g, Message)][1:]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    sandbox = Sandbox()
    store = await open_store(f"sqlite:///{tmp_path}/s.db", tmp_path, clock=sandbox)
    yield House(store, sandbox)
    await store.close()


def accepted(delivery: Delivery, *, notifies: bool = False) -> Delivered:
    return Delivered(True, permanent=False, answer="250 2.0.0 OK", notifies=notifies)


async def test_success_is_told_as_relayed_when_the_next_server_will_not_tell(house: House) -> None:
    await house.submit("a@x.fr", "b@x.fr", dsn={"a@x.fr": {"notify": ["SUCCESS"], "orcpt": ""}})
    async with house.working(Played(accepted)):
        assert (await house.ended()).state is DeliveryState.DONE
    (report,) = await house.reports()
    (told,) = groups(report)
    assert (told["Final-Recipient"], told["Action"]) == ("rfc822; a@x.fr", "relayed")


async def test_success_is_left_to_the_next_server_when_it_announces_dsn(house: House) -> None:
    await house.submit("a@x.fr", dsn={"a@x.fr": {"notify": ["SUCCESS"], "orcpt": ""}})
    async with house.working(Played(lambda d: accepted(d, notifies=True))):
        await house.ended()
    assert await house.reports() == []


async def test_a_delay_is_told_once_after_four_hours_then_the_end_after_two_days(house: House) -> None:
    await house.submit("a@x.fr")
    courier = Played(lambda _: Delivered(False, permanent=False, answer="connect failed", reason="connect"))
    async with house.working(courier, speed=1):
        for attempt in range(1, 6):
            await house.ended(DeliveryState.READY if attempt < 5 else DeliveryState.DEAD, attempt)
            house.sandbox.ahead += timedelta(hours=13)
    assert await house.actions() == ["delayed 4.4.1", "failed 4.4.1"]
    late, lost = await house.reports()
    assert b"Will-Retry-Until" in late
    assert b"Will-Retry-Until" not in lost
    assert len(courier.given) == 5  # at 0, 13, 26 and 39 hours, and at 52 for the last time


async def test_only_those_still_owed_are_tried_again(house: House) -> None:
    def answer(delivery: Delivery) -> Delivered:
        first = delivery.attempt == 1
        outcomes = {
            "a@x.fr": RecipientOutcome("a@x.fr", True, False, "250 2.0.0"),
            "b@x.fr": RecipientOutcome("b@x.fr", False, True, "550 5.1.1 non"),
            "c@x.fr": RecipientOutcome("c@x.fr", not first, False, "450 4.2.1" if first else "250 2.0.0"),
        }
        now = tuple(outcomes[a] for a in delivery.payload["recipients"])
        return Delivered(not first, permanent=False, answer="450 4.2.1" if first else "250", recipients=now)

    courier = Played(answer)
    await house.submit("a@x.fr", "b@x.fr", "c@x.fr")
    async with house.working(courier):
        assert (await house.ended()).state is DeliveryState.DONE
    assert courier.given == [["a@x.fr", "b@x.fr", "c@x.fr"], ["c@x.fr"]]
    assert await house.actions() == ["failed 5.1.1"]
    events = [e.kind for e in await house.store.events("demo", exchange_id="e1")]
    assert events == ["received", "relayed", "dead", "deferred", "relayed"]


async def test_the_death_of_a_report_is_told_to_nobody(house: House) -> None:
    await house.submit("a@x.fr", mail_from="")
    async with house.working(Played(lambda _: Delivered(False, permanent=True, answer="550 5.1.1 non"))):
        assert (await house.ended()).state is DeliveryState.DEAD
    assert len(await house.store.exchanges(ExchangeFilter("demo"))) == 1


async def test_a_worker_that_lost_its_lease_tells_nothing_twice(house: House) -> None:
    both = asyncio.Event()

    @dataclass
    class Slow:
        async def deliver(self, delivery: Delivery, raw: bytes) -> Delivered:
            if delivery.attempt == 1:
                house.sandbox.ahead = timedelta(seconds=200)  # its lease is over, another takes the work
                await both.wait()
            else:
                both.set()
            return Delivered(False, permanent=True, answer="550 5.1.1 non", reason="rcpt")

    await house.submit("a@x.fr")
    async with house.working(Slow(), "one"), house.working(Slow(), "two"):
        await house.ended()
        await asyncio.sleep(0.2)
    assert await house.actions() == ["failed 5.1.1"]
    assert len(await house.store.exchanges(ExchangeFilter("demo"))) == 2


async def test_a_message_that_is_gone_is_reported_without_it(house: House) -> None:
    await house.submit("a@x.fr", sha256="0" * 64)
    async with house.working(Played(accepted)):
        assert (await house.ended()).state is DeliveryState.DEAD
    assert await house.actions() == ["failed 5.3.5"]
    (report,) = await house.reports()
    assert b"rfc822-headers" not in report
    assert b"message/rfc822" not in report


def test_the_matricule_in_another_servers_answer_is_masked_in_the_journal() -> None:
    shown = shown_answer("550 5.1.1 <239034890101755@patient.mssante.fr>: unknown, id 20261124142833, 2A")
    assert shown == "550 5.1.1 <2390·········55@patient.mssante.fr>: unknown, id 20261124142833, 2A"
