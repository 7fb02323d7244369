# ruff: noqa: F401, F811
"""Live notification: told after the commit, to every loop, and to every process of a PostgreSQL database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from adapters.storage import SqlStore
from gateway.ports import AppendEvent, SetFlags
from tests.support.stores import BAL, WS, Place, delivery, event, exchange, mail, payload, place, store

PATIENCE_S = 20


async def told(topic: AsyncIterator[str]) -> str:
    return await asyncio.wait_for(anext(topic), PATIENCE_S)


async def test_subscribers_are_told_what_changed(store: SqlStore) -> None:
    events, other = store.subscribe(f"events:{WS}"), store.subscribe("events:other")
    inbox, outbox = store.subscribe(f"mail:{WS}:{BAL}"), store.subscribe("outbox")
    body = payload(b"m")
    await store.commit(exchange("e1", body, mails=(mail(body),), deliveries=(delivery("d"),)))
    assert (await told(events), await told(inbox), await told(outbox)) == ("1", "INBOX", "")
    await store.commit(SetFlags(WS, BAL, "INBOX", {1: ("\\Seen",)}))
    assert await told(inbox) == "INBOX"
    await store.commit(AppendEvent(event("k", workspace="other")))
    assert await told(other) == "2"


async def test_what_was_told_is_already_readable(store: SqlStore) -> None:
    topic = store.subscribe(f"events:{WS}")

    async def read() -> int:
        seq = int(await told(topic))
        return len(await store.events(WS, after_seq=seq - 1))

    reading = asyncio.create_task(read())
    await store.commit(exchange("e1"))
    assert await reading == 1


async def test_a_slow_subscriber_misses_notifications_but_gets_the_newest(store: SqlStore) -> None:
    topic = store.subscribe(f"events:{WS}")
    for _ in range(100):
        await store.commit(AppendEvent(event("k")))
    heard = [await told(topic)]
    while heard[-1] != "100":
        heard.append(await told(topic))
    assert len(heard) < 10


async def test_closing_the_store_ends_the_subscriptions(place: Place) -> None:
    store = await place.open()
    topic = store.subscribe("outbox")
    waiting = asyncio.create_task(anext(topic, "the end"))  # type: ignore[call-overload]
    await asyncio.sleep(0)
    await store.close()
    assert await asyncio.wait_for(waiting, PATIENCE_S) == "the end"
    with pytest.raises(Exception, match="closed"):
        await store.commit(exchange("late"))
    with pytest.raises(Exception, match="closed"):
        await store.events(WS)


@pytest.mark.postgresql
async def test_gateways_of_one_database_hear_each_other(place: Place) -> None:
    if not place.postgresql:
        return
    one, two = await place.open(), await place.open()
    events, inbox, outbox = (two.subscribe(topic) for topic in (f"events:{WS}", f"mail:{WS}:{BAL}", "outbox"))
    body = payload(b"m")
    await one.commit(exchange("e1", body, mails=(mail(body),), deliveries=(delivery("d"),)))
    assert (await told(events), await told(inbox), await told(outbox)) == ("1", "INBOX", "")
    assert [row.kind for row in await two.events(WS)] == ["received"]
    await one.close()
    await two.close()


@pytest.mark.postgresql
async def test_a_lost_notification_is_made_up_for_by_looking(place: Place) -> None:
    if not place.postgresql:
        return
    store = await place.open()
    topic = store.subscribe(f"events:{WS}")
    other = await place.open()
    other._writer._channel = None  # a gateway whose notifications are lost
    await other.commit(exchange("e1"))
    assert await told(topic) == "1"
    await other.close()
    await store.close()
