# ruff: noqa: F401, F811
"""The journal: a chain that shows every change, survives a purge, and is closed by a reset."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from adapters.storage import SqlStore
from adapters.storage.blobs import ROW_LIMIT
from gateway.exchange.model import DeliveryState
from gateway.ports import AppendEvent, ExchangeFilter, PutActors, PutDmp, ResetWorkspace
from tests.support.stores import BAL, NOW, WS, Place, delivery, event, exchange, execute, mail, payload, place, store


async def three_events(place: Place) -> None:
    store = await place.open()
    for kind in ("received", "decided", "delivered"):
        await store.commit(AppendEvent(event(kind, "e1", answer="250")))
    await store.close()


async def verdict(place: Place) -> tuple[int, str]:
    store = await place.open()
    told = await store.verify_chain(WS)
    await store.close()
    return told


async def test_events_are_read_in_their_order_from_where_a_reader_stands(store: SqlStore) -> None:
    for number in range(5):
        await store.commit(AppendEvent(event(f"k{number}", f"e{number % 2}", n=number)))
    rows = await store.events(WS, after_seq=2, limit=2)
    assert [(row.seq, row.kind, row.data, row.at) for row in rows] == [
        (3, "k2", {"n": 2}, NOW),
        (4, "k3", {"n": 3}, NOW),
    ]
    assert [row.kind for row in await store.events(WS, exchange_id="e1")] == ["k1", "k3"]
    assert await store.last_seq(WS) == 5
    assert await store.last_seq("other") == 0


@pytest.mark.parametrize(
    ("change", "place_told"),
    [
        ('UPDATE event SET data = \'{"answer":"554"}\' WHERE seq = 2', "seq 2: the data"),
        ("UPDATE event SET kind = 'refused' WHERE seq = 2", "seq 2: link 2"),
        ("UPDATE event SET at = at + 1 WHERE seq = 3", "seq 3: link 3"),
        ("DELETE FROM event WHERE seq = 2", "seq 3: link 3"),
        ("DELETE FROM event WHERE seq = 3", "3 links were written, 2 are there"),
        ("DELETE FROM chain", "is unknown"),
    ],
)
async def test_a_change_behind_the_back_of_the_journal_is_seen(place: Place, change: str, place_told: str) -> None:
    await three_events(place)
    assert await verdict(place) == (3, "")
    execute(place, change)
    _, told = await verdict(place)
    assert place_told in told


async def test_each_process_has_its_own_chain_and_all_are_verified(place: Place) -> None:
    await three_events(place)
    await three_events(place)
    store = await place.open()
    chains = [row.chain for row in await store.events(WS)]
    assert len(set(chains[:3])) == len(set(chains[3:])) == 1
    assert chains[0] != chains[3]
    assert await store.verify_chain(WS) == (6, "")
    await store.close()


async def test_purged_payloads_do_not_break_the_chain(store: SqlStore) -> None:
    kept, purged, large = payload(b"in a mailbox"), payload(b"seen only"), payload(b"L" * (ROW_LIMIT + 1))
    await store.commit(exchange("e1", kept, mails=(mail(kept),)), exchange("e2", purged), exchange("e3", large))
    waiting = payload(b"to relay")
    await store.commit(exchange("e4", waiting, deliveries=(delivery("d"),)))
    await store.commit(AppendEvent(event("decided", "e2", answer="250")))
    assert await store.purge(WS, NOW + timedelta(seconds=1)) == 2
    assert await store.blob(WS, kept.sha256) == kept.data
    assert await store.blob(WS, purged.sha256) is None
    assert await store.blob(WS, large.sha256) is None
    assert await store.blob(WS, waiting.sha256) == waiting.data
    assert [dict(row.data) for row in await store.events(WS, exchange_id="e2")] == [{}, {}]
    assert await store.verify_chain(WS) == (5, "")
    assert await store.exchange(WS, "e2") is not None


async def test_a_reset_empties_the_workspace_and_closes_its_journal_with_a_signature(place: Place) -> None:
    signed: list[bytes] = []

    def sign(data: bytes) -> bytes:
        signed.append(data)
        return b"signature"

    store = await place.open(sign)
    body = payload(b"m")
    await store.commit(
        exchange("e1", body, mails=(mail(body, "k"),), deliveries=(delivery("d"),)),
        PutDmp(WS, "1900", ".10", "active"),
        PutActors(WS, (("structure", "ehpad", {"name": "Les Tilleuls"}),)),
        exchange("other", workspace="ws2"),
    )
    assert await store.commit(ResetWorkspace(WS, NOW)) == (None,)
    assert await store.exchanges(ExchangeFilter(WS)) == ()
    assert await store.deliveries(WS) == ()
    assert await store.mails(WS, BAL, "INBOX") == ()
    assert await store.blob(WS, body.sha256) is None
    assert await store.dmp(WS, "1900", ".10") is None
    assert len(await store.actors(WS)) == 1
    assert await store.exchange("ws2", "other") is not None
    assert await store.events(WS) == ()
    (data,) = signed
    assert data.startswith(b"passerelle journal closed\x1fdemo\x1f")
    (recorded,) = await store.commit(exchange("e2", body, mails=(mail(body, "k"),)))
    assert recorded.uids == (1,)
    assert [row.kind for row in await store.events(WS)] == ["received"]
    assert await store.verify_chain(WS) == (3, "")
    await store.commit(ResetWorkspace(WS, NOW, actors=True))
    assert await store.actors(WS) == ()
    assert len(signed) == 2
    await store.close()


async def test_a_reset_in_a_batch_that_fails_did_not_happen(store: SqlStore) -> None:
    await store.commit(exchange("e1"))
    with pytest.raises(TypeError):
        await store.commit(exchange("e2"), ResetWorkspace(WS, NOW), AppendEvent(event("odd", thing=object())))
    assert [row.id for row in await store.exchanges(ExchangeFilter(WS))] == ["e1"]
    await store.commit(AppendEvent(event("next")))
    assert [row.kind for row in await store.events(WS)] == ["received", "next"]
    assert await store.verify_chain(WS) == (2, "")


async def test_a_reset_among_neighbours_takes_those_before_it_only(store: SqlStore) -> None:
    results = await asyncio.gather(
        store.commit(exchange("e1")), store.commit(ResetWorkspace(WS, NOW)), return_exceptions=True
    )
    assert not any(isinstance(result, Exception) for result in results)
    await store.commit(exchange("e3"))
    assert "e3" in [row.id for row in await store.exchanges(ExchangeFilter(WS))]
    _, told = await store.verify_chain(WS)
    assert told == ""


@pytest.mark.postgresql
async def test_a_reset_by_one_gateway_closes_the_chains_of_the_others(place: Place) -> None:
    if not place.postgresql:
        return
    one, two = await place.open(), await place.open()
    await one.commit(exchange("e1"))
    await two.commit(exchange("e2"))
    await one.commit(ResetWorkspace(WS, NOW))
    await two.commit(exchange("e3"))
    await one.commit(exchange("e4"))
    rows = await two.events(WS)
    assert [row.exchange_id for row in rows] == ["e3", "e4"]
    assert await one.verify_chain(WS) == (5, "")
    assert await two.deliveries(WS, state=DeliveryState.READY) == ()
    await one.close()
    await two.close()
