# ruff: noqa: F401, F811
"""The end of an attempt: what it leaves to try again, and the notices it makes, are durable with it or not at all."""

from __future__ import annotations

from datetime import timedelta

from adapters.storage import SqlStore
from gateway.exchange.model import DeliveryState
from gateway.ports import Delivery, FinishDelivery, LeaseDeliveries, RecordExchange
from tests.support.stores import BAL, NOW, WS, Place, delivery, event, exchange, mail, payload, place, store

LATER = NOW + timedelta(minutes=5)


async def leased(store: SqlStore, worker: str = "w", minutes: float = 0) -> Delivery:
    at = NOW + timedelta(minutes=minutes)
    ((one,),) = await store.commit(LeaseDeliveries(worker, at, 30, 10))
    assert isinstance(one, Delivery)
    return one


def notice(data: bytes = b"Subject: non remis\r\n\r\n", **parts: object) -> RecordExchange:
    body = payload(data)
    return exchange("notice", body, parent_id="e1", correlation_id="story", mails=(mail(body),), **parts)


async def test_what_is_left_to_try_replaces_the_payload_and_survives(place: Place) -> None:
    store = await place.open()
    await store.commit(exchange("e1", deliveries=(delivery("all three"),)))
    one = await leased(store)
    end = FinishDelivery(one.id, "w", DeliveryState.READY, "450", LATER, payload={"n": "one of three"})
    assert await store.commit(end) == (True,)
    await store.close()
    store = await place.open()
    again = await leased(store, minutes=5)
    assert (again.id, again.attempt, again.payload) == (one.id, 2, {"n": "one of three"})
    await store.commit(FinishDelivery(again.id, "w", DeliveryState.READY, "450", LATER))
    assert (await leased(store, minutes=5)).payload == {"n": "one of three"}
    await store.close()


async def test_the_notice_of_a_death_is_in_the_mailbox_and_in_the_story(store: SqlStore) -> None:
    await store.commit(exchange("e1", correlation_id="story", deliveries=(delivery("d"),)))
    one = await leased(store)
    relay = delivery("to the sender's operator", to="op9")
    end = FinishDelivery(
        one.id, "w", DeliveryState.DEAD, "550", None, (event("dead", "e1"),), records=(notice(deliveries=(relay,)),)
    )
    assert await store.commit(end) == (True,)
    (row,) = await store.mails(WS, BAL, "INBOX")
    made = await store.exchange(WS, "notice")
    assert made is not None
    assert (made.parent_id, made.correlation_id, made.sha256) == ("e1", "story", row.sha256)
    assert await store.blob(WS, row.sha256) == b"Subject: non remis\r\n\r\n"
    (waiting,) = await store.deliveries(WS, state=DeliveryState.READY)
    assert (waiting.destination, waiting.exchange_id) == ("op9", "notice")
    assert [e.kind for e in await store.events(WS)] == ["received", "dead", "received"]


async def test_a_worker_that_lost_its_lease_makes_no_notice(store: SqlStore) -> None:
    await store.commit(exchange("e1", deliveries=(delivery("d"),)))
    one = await leased(store, "killed")
    other = await leased(store, "other", minutes=1)
    late = FinishDelivery(one.id, "killed", DeliveryState.DEAD, "550", records=(notice(),))
    assert await store.commit(late) == (False,)
    assert await store.mails(WS, BAL, "INBOX") == ()
    assert await store.exchange(WS, "notice") is None
    assert await store.commit(FinishDelivery(other.id, "other", DeliveryState.DEAD, "550", records=(notice(),))) == (
        True,
    )
    assert len(await store.mails(WS, BAL, "INBOX")) == 1


async def test_a_notice_too_large_for_a_row_is_kept_as_well(store: SqlStore) -> None:
    await store.commit(exchange("e1", deliveries=(delivery("d"),)))
    large = b"x" * 400_000
    end = FinishDelivery((await leased(store)).id, "w", DeliveryState.DEAD, "550", records=(notice(large),))
    assert await store.commit(end) == (True,)
    (row,) = await store.mails(WS, BAL, "INBOX")
    assert await store.blob(WS, row.sha256) == large
