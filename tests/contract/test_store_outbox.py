# ruff: noqa: F401, F811
"""The outbox: a delivery has one worker at a time, a dead worker's work is taken over, order keys hold."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from adapters.storage import SqlStore
from gateway.exchange.model import DeliveryState
from gateway.ports import Delivery, ExchangeFilter, FinishDelivery, LeaseDeliveries
from tests.support.stores import NOW, WS, Place, delivery, event, exchange, place, store

DONE, DEAD, READY = DeliveryState.DONE, DeliveryState.DEAD, DeliveryState.READY


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


async def lease(
    store: SqlStore,
    worker: str = "w",
    at_s: float = 1,
    limit: int = 10,
    lease_s: float = 30,
    kinds: tuple[str, ...] = (),
) -> tuple[Delivery, ...]:
    (leased,) = await store.commit(LeaseDeliveries(worker, later(at_s), lease_s, limit, kinds))
    assert isinstance(leased, tuple)
    return leased


async def finish(
    store: SqlStore, one: Delivery, state: DeliveryState = DONE, worker: str = "w", due_s: float | None = None
) -> bool:
    due = None if due_s is None else later(due_s)
    (held,) = await store.commit(FinishDelivery(one.id, worker, state, "451 4.3.2", due, (event("tried"),)))
    return bool(held)


def keys(deliveries: tuple[Delivery, ...]) -> list[str]:
    return [one.payload["n"] for one in deliveries]


async def test_due_work_is_taken_oldest_first_with_everything_it_needs(store: SqlStore) -> None:
    work = (
        delivery("late", due_s=0.5),
        delivery("soon"),
        delivery("tomorrow", due_s=86400),
        delivery("dsn", kind="dsn"),
    )
    await store.commit(exchange("e1", deliveries=work))
    assert keys(await lease(store, kinds=("dsn", "other"))) == ["dsn"]
    leased = await lease(store)
    assert keys(leased) == ["soon", "late"]
    one = leased[0]
    assert (one.workspace, one.kind, one.destination, one.state, one.attempt) == (
        WS,
        "relay",
        "op2",
        DeliveryState.LEASED,
        1,
    )
    assert (one.due, one.created_at) == (NOW, NOW)
    assert await lease(store) == ()


async def test_a_retry_waits_and_counts_and_the_last_answer_is_kept(store: SqlStore) -> None:
    await store.commit(exchange("e1", deliveries=(delivery("d"),)))
    (one,) = await lease(store)
    assert await finish(store, one, READY, due_s=60)
    assert await lease(store, at_s=59) == ()
    (again,) = await lease(store, at_s=60)
    assert (again.attempt, again.last_answer) == (2, "451 4.3.2")
    assert await finish(store, again, DEAD)
    (dead,) = await store.deliveries(WS, state=DEAD)
    assert (dead.id, dead.last_answer, dead.attempt) == (one.id, "451 4.3.2", 2)
    assert await lease(store, at_s=1e6) == ()
    assert [row.kind for row in await store.events(WS)] == ["received", "tried", "tried"]


async def test_a_worker_that_lost_its_lease_changes_nothing(store: SqlStore) -> None:
    await store.commit(exchange("e1", deliveries=(delivery("d"),)))
    (first,) = await lease(store, "killed", lease_s=30)
    assert await lease(store, "other", at_s=30) == ()
    (second,) = await lease(store, "other", at_s=31)
    assert (second.id, second.attempt) == (first.id, 2)
    assert not await finish(store, first, worker="killed")
    assert await finish(store, second, worker="other")
    assert not await finish(store, second, worker="other")
    assert [row.kind for row in await store.events(WS)] == ["received", "tried"]
    with pytest.raises(ValueError, match="due"):
        await store.commit(FinishDelivery(first.id, "other", READY, ""))


async def test_deliveries_of_one_order_key_go_one_after_the_other(store: SqlStore) -> None:
    await store.commit(
        exchange(
            "e1",
            deliveries=(
                delivery("a1", order="a"),
                delivery("a2", order="a"),
                delivery("b1", order="b"),
                delivery("free"),
                delivery("elsewhere", order="a", to="op3"),
            ),
        )
    )
    first = await lease(store)
    assert keys(first) == ["a1", "b1", "free", "elsewhere"]
    assert await finish(store, first[0], READY, due_s=600)
    assert await lease(store, at_s=2) == ()  # a1 waits, so a2 waits behind it
    for one in first[1:]:
        assert await finish(store, one)
    (again,) = await lease(store, at_s=601)
    assert keys((again,)) == ["a1"]
    assert await lease(store, at_s=602) == ()
    assert await finish(store, again, DEAD)
    assert keys(await lease(store, at_s=602)) == ["a2"]


async def test_two_workers_never_get_the_same_delivery(store: SqlStore) -> None:
    await store.commit(
        *(exchange(f"e{n}", deliveries=tuple(delivery(f"{n}.{m}") for m in range(5))) for n in range(20))
    )
    taken: list[str] = []

    async def work(worker: str) -> None:
        while leased := await lease(store, worker, limit=3):
            taken.extend(one.id for one in leased)
            for one in leased:
                assert await finish(store, one, worker=worker)

    await asyncio.gather(*(work(f"w{n}") for n in range(8)))
    assert len(taken) == len(set(taken)) == 100
    assert len(await store.deliveries(WS, state=DONE, limit=200)) == 100


@pytest.mark.postgresql
async def test_gateways_of_one_database_share_the_work(place: Place) -> None:
    if not place.postgresql:
        return  # one process writes an SQLite file
    stores = [await place.open() for _ in range(3)]
    await stores[0].commit(*(exchange(f"e{n}", deliveries=(delivery(str(n)),)) for n in range(60)))
    taken: list[tuple[int, str]] = []

    async def work(number: int) -> None:
        while leased := await lease(stores[number], f"gateway{number}", limit=2):
            for one in leased:
                taken.append((number, one.id))
                assert await finish(stores[number], one, worker=f"gateway{number}")

    await asyncio.gather(*(work(number) for number in range(3)))
    assert len(taken) == len({delivery_id for _, delivery_id in taken}) == 60
    assert len(await stores[1].exchanges(ExchangeFilter(WS, limit=100))) == 60
    assert await stores[2].verify_chain(WS) == (120, "")
    for one in stores:
        await one.close()
