# ruff: noqa: F401, F811
"""Exchanges and their octets: all or nothing, never twice, found again by what is known of them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from adapters.storage import SqlStore
from adapters.storage.blobs import ROW_LIMIT
from gateway.exchange.model import DeliveryState, Payload
from gateway.ports import AppendEvent, Conflict, ExchangeFilter, FinishDelivery, PutActors, Recorded
from tests.support.stores import (
    BAL,
    NOW,
    WS,
    Place,
    delivery,
    event,
    exchange,
    execute,
    mail,
    payload,
    place,
    store,
)


async def test_an_exchange_is_read_as_it_was_recorded(store: SqlStore) -> None:
    body = payload("Subject: é\r\n".encode())
    summary = {
        "door": "dmp",
        "sender": "a@b",
        "recipients": ["c@d"],
        "subject": "Lettre é\udce9\0",
        "documents": [{"code": "11490-0"}],
    }
    findings = [{"rule": "INS-004", "values": [1, None, True]}]
    op = exchange("e1", body, summary=summary, findings=findings, parent_id="p", correlation_id="story")
    assert await store.commit(op) == (Recorded(),)
    row = await store.exchange(WS, "e1")
    assert row is not None
    assert (row.id, row.seq, row.workspace, row.at, row.parent_id, row.correlation_id) == (
        "e1",
        1,
        WS,
        NOW,
        "p",
        "story",
    )
    assert (row.size_bytes, row.sha256, row.summary, list(row.findings)) == (
        body.size_bytes,
        body.sha256,
        summary,
        findings,
    )
    assert await store.blob(WS, body.sha256) == body.data


async def test_another_workspace_sees_nothing(store: SqlStore) -> None:
    op = exchange("e1", mails=(mail(payload(b"m")),))
    await store.commit(op)
    assert await store.exchange("other", "e1") is None
    assert await store.exchanges(ExchangeFilter("other")) == ()
    assert await store.blob("other", op.payload.sha256) is None
    assert await store.events("other") == ()
    assert await store.mails("other", BAL, "INBOX") == ()


async def test_a_batch_is_written_whole_or_not_at_all(store: SqlStore) -> None:
    await store.commit(exchange("taken"))
    with pytest.raises(Conflict) as refused:
        await store.commit(
            PutActors(WS, (("structure", "ehpad", {"name": "x"}),)),
            exchange("new", mails=(mail(payload(b"m")),), deliveries=(delivery("d"),)),
            exchange("taken", b"other"),
        )
    assert refused.value.key == "taken"
    assert await store.actors(WS) == ()
    assert await store.exchange(WS, "new") is None
    assert await store.mails(WS, BAL, "INBOX") == ()
    assert await store.deliveries(WS) == ()
    assert [row.exchange_id for row in await store.events(WS)] == ["taken"]
    assert await store.verify_chain(WS) == (1, "")


async def test_a_batch_that_fails_does_not_undo_its_neighbours(store: SqlStore) -> None:
    await store.commit(exchange("taken"))
    bad = [exchange("taken", b"other"), AppendEvent(event("odd", thing=object()))]
    good = [exchange(f"good{n}", mails=(mail(payload(b"m%d" % n)),)) for n in range(40)]
    outcomes = await asyncio.gather(
        *(store.commit(op) for op in [*good[:20], *bad, *good[20:]]), return_exceptions=True
    )
    assert isinstance(outcomes[20], Conflict)
    assert isinstance(outcomes[21], TypeError)
    assert sum(isinstance(outcome, tuple) for outcome in outcomes) == 40
    assert len(await store.exchanges(ExchangeFilter(WS, limit=100))) == 41
    assert [row.uid for row in await store.mails(WS, BAL, "INBOX")] == list(range(1, 41))
    assert await store.verify_chain(WS) == (41, "")


async def test_the_same_mail_is_delivered_once_and_told(store: SqlStore) -> None:
    body = payload(b"one message")
    first = exchange("e1", body, mails=(mail(body, "mid|a"),), deliveries=(delivery("mid|b"),))
    again = exchange("e2", body, mails=(mail(body, "mid|a"),), deliveries=(delivery("mid|b"), delivery("mid|c")))
    assert (await store.commit(first))[0] == Recorded(uids=(1,))
    told = (await store.commit(again))[0]
    assert told == Recorded(skipped=("mid|a", "mid|b"), duplicate_of="e1")
    assert len(await store.mails(WS, BAL, "INBOX")) == 1
    assert len(await store.deliveries(WS)) == 2
    row = await store.exchange(WS, "e2")
    assert row is not None
    assert row.summary["duplicate_of"] == "e1"
    kinds = [(e.kind, dict(e.data)) for e in await store.events(WS, exchange_id="e2")]
    assert kinds == [("received", {}), ("duplicate", {"of": "e1", "skipped": 2})]


async def test_the_same_id_with_other_octets_is_a_new_mail_flagged(store: SqlStore) -> None:
    one, two = payload(b"one"), payload(b"two")
    await store.commit(exchange("e1", one, mails=(mail(one, "mid|a"),)))
    told = (await store.commit(exchange("e2", two, mails=(mail(two, "mid|a"),))))[0]
    assert told == Recorded(conflicts=("mid|a",), uids=(2,))
    third = (await store.commit(exchange("e3", one, mails=(mail(one, "mid|a"),))))[0]
    assert (third.skipped, third.duplicate_of) == (("mid|a",), "e1")


async def test_a_relayed_message_may_still_be_received(store: SqlStore) -> None:
    body = payload(b"hop")
    await store.commit(exchange("out", body, deliveries=(delivery("mid|a"),)))
    assert (await store.commit(exchange("in", body, mails=(mail(body, "mid|a"),))))[0].uids == (1,)


async def test_keys_of_two_workspaces_do_not_meet(store: SqlStore) -> None:
    body = payload(b"same")
    await store.commit(exchange("a", body, mails=(mail(body, "k"),)))
    other = exchange("b", body, workspace="ws2", mails=(mail(body, "k", workspace="ws2"),))
    assert (await store.commit(other))[0] == Recorded(uids=(1,))


async def test_many_duplicates_at_the_same_moment_are_delivered_once(store: SqlStore) -> None:
    body = payload(b"storm")
    told = await asyncio.gather(*(store.commit(exchange("", body, mails=(mail(body, "mid"),))) for _ in range(50)))
    assert sum(bool(recorded.uids) for (recorded,) in told) == 1
    assert sum(bool(recorded.duplicate_of) for (recorded,) in told) == 49
    assert len(await store.mails(WS, BAL, "INBOX")) == 1


async def test_exchanges_are_found_by_what_is_known_of_them(store: SqlStore) -> None:
    def one(number: int, **summary: object) -> object:
        rule = "INS-004" if number % 2 else "XDM-01"
        base = {
            "door": "smtp-reception",
            "outcome": "accept",
            "sender": "Ch@x.fr",
            "recipients": [f"U{number % 3}@y.fr"],
        }
        return exchange(
            f"e{number}", summary=base | summary, findings=[{"rule": rule}], correlation_id=f"c{number // 5}"
        )

    for number in range(10):
        extra = {"message_id": f"m{number}@x"} | ({"outcome": "reject", "door": "dmp"} if number == 7 else {})
        await store.commit(one(number, **extra))  # type: ignore[arg-type]

    async def ids(**wanted: object) -> list[str]:
        return [row.id for row in await store.exchanges(ExchangeFilter(WS, **wanted))]  # type: ignore[arg-type]

    assert await ids(limit=3) == ["e9", "e8", "e7"]
    assert await ids(newest_first=False, limit=2, after_seq=4) == ["e4", "e5"]
    assert await ids(before_seq=3) == ["e1", "e0"]
    assert await ids(participant="u1@Y.FR") == ["e7", "e4", "e1"]
    assert len(await ids(participant="ch@x.fr")) == 10
    assert await ids(rule="XDM-01", limit=2) == ["e8", "e6"]
    assert await ids(door="dmp") == await ids(outcome="reject") == ["e7"]
    assert await ids(message_id="m3@x") == ["e3"]
    assert await ids(correlation_id="c0", rule="INS-004", participant="u1@y.fr") == ["e1"]


async def test_headers_that_no_engine_could_index_are_stored_all_the_same(store: SqlStore) -> None:
    long = "<" + "x" * 9000 + ">"
    await store.commit(
        exchange("e1", summary={"message_id": long, "sender": "nul\0\udcff@x", "recipients": ["y" * 4000]})
    )
    found = await store.exchanges(ExchangeFilter(WS, message_id=long, participant="y" * 4000))
    assert [row.summary["message_id"] for row in found] == [long]


@pytest.mark.parametrize("spooled", [False, True])
async def test_a_large_payload_is_durable_before_its_row(place: Place, tmp_path: Path, spooled: bool) -> None:
    data = b"%PDF" * (ROW_LIMIT // 2)
    body = payload(data)
    if spooled:
        spool = tmp_path / "spool"
        spool.write_bytes(data)
        body = Payload(len(data), body.sha256, None, str(spool))
    store = await place.open()
    await store.commit(exchange("e1", body), exchange("e2", body))
    if spooled:
        spool.unlink()
    files = list((place.data_dir / "blobs").rglob(body.sha256))
    assert len(files) == (0 if place.postgresql else 1)  # gateways of one PostgreSQL may share no disk
    assert await store.blob(WS, body.sha256) == data
    await store.close()
    again = await place.open()
    assert await again.blob(WS, body.sha256) == data
    await again.close()


async def test_a_bit_that_flipped_is_seen(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    store = await place.open()
    small, large = payload(b"small"), payload(b"L" * (ROW_LIMIT + 1))
    await store.commit(exchange("e1", small), exchange("e2", large))
    execute(place, "UPDATE blob SET data = ? WHERE sha256 = ?", b"smalm", small.sha256)
    if not place.postgresql:
        file = next((place.data_dir / "blobs").rglob(large.sha256))
        damaged = bytearray(file.read_bytes())
        damaged[100] ^= 1
        file.write_bytes(damaged)
        assert await store.blob(WS, large.sha256) is None
    assert await store.blob(WS, small.sha256) is None
    assert "no longer matches its digest" in caplog.text
    await store.close()


async def test_two_loops_of_one_process_share_a_store(store: SqlStore) -> None:
    def elsewhere(number: int) -> tuple[object, ...]:
        return asyncio.run(store.commit(exchange(f"thread{number}")))

    await asyncio.gather(*(asyncio.to_thread(elsewhere, number) for number in range(4)), store.commit(exchange("here")))
    assert len(await store.exchanges(ExchangeFilter(WS))) == 5


async def test_a_task_that_stops_waiting_hurts_nobody(store: SqlStore) -> None:
    impatient = asyncio.create_task(store.commit(exchange("gone")))
    await asyncio.sleep(0)
    impatient.cancel()
    await store.commit(exchange("patient"))
    assert await store.exchange(WS, "patient") is not None


async def test_a_commit_of_several_kinds_gives_one_result_each(store: SqlStore) -> None:
    results = await store.commit(
        exchange("e1"), AppendEvent(event("noted")), FinishDelivery("99", "w", DeliveryState.DONE, "250")
    )
    assert results == (Recorded(), None, False)
