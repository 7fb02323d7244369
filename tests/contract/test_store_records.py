# ruff: noqa: F401, F811
"""DMP lots and entries, actors, workspaces."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from adapters.storage import SqlStore
from gateway.ports import Conflict, NewEntry, PutActors, PutDmp, PutWorkspace, RegisterLot
from tests.support.stores import NOW, WS, Place, exchange, payload, place, store

INS, OID = "279035121518989", "1.2.250.1.213.1.4.10"


def entry(name: str, **changes: Any) -> NewEntry:
    values: dict[str, Any] = {
        "entry_uuid": f"urn:uuid:{name}",
        "logical_id": f"urn:uuid:{name}",
        "unique_id": f"1.2.3.{name}",
        "document_sha256": payload(name.encode()).sha256,
        "size_bytes": len(name),
        "status": "Approved",
        "type_code": "74207-2",
        "author_ids": ("899700000001",),
        "service_start": "20261124",
        "metadata": {"title": name},
    }
    return NewEntry(**values | changes)


def lot(name: str, *entries: NewEntry) -> RegisterLot:
    documents = tuple(payload(one.entry_uuid.removeprefix("urn:uuid:").encode()) for one in entries)
    return RegisterLot(WS, INS, OID, f"urn:uuid:set-{name}", f"1.9.{name}", NOW, {"set": name}, entries, documents)


async def test_a_lot_is_registered_with_its_documents(store: SqlStore) -> None:
    await store.commit(exchange("x1", lots=(lot("1", entry("a", masked=True), entry("b")),)))
    a, b = await store.entries(WS, INS, OID)
    assert (a.entry_uuid, a.unique_id, a.set_uuid) == ("urn:uuid:a", "1.2.3.a", "urn:uuid:set-1")
    assert (a.status, a.version, a.masked, b.masked, a.registered_at) == ("Approved", 1, True, False, NOW)
    assert (a.author_ids, a.metadata) == (("899700000001",), {"title": "a"})
    assert await store.blob(WS, a.document_sha256) == b"a"
    assert await store.entry_by_unique_id(WS, "1.2.3.b") == b
    assert await store.entry_by_uuid(WS, "urn:uuid:a") == a
    assert await store.entry_by_uuid("other", "urn:uuid:a") is None
    assert await store.entries(WS, INS, "other oid") == ()


async def test_one_matricule_under_two_oids_is_two_patients_of_the_dmp(store: SqlStore) -> None:
    """INS-202: the key of an identity is (OID, matricule), never the matricule alone."""
    demonstration = "1.2.250.1.213.1.4.11"
    other = replace(lot("2", entry("b")), oid=demonstration)
    await store.commit(exchange("x1", lots=(lot("1", entry("a")),)), exchange("x2", lots=(other,)))
    assert [row.entry_uuid for row in await store.entries(WS, INS, OID)] == ["urn:uuid:a"]
    assert [row.entry_uuid for row in await store.entries(WS, INS, demonstration)] == ["urn:uuid:b"]
    await store.commit(PutDmp(WS, INS, OID, "closed"), PutDmp(WS, INS, demonstration, "active"))
    rows = [await store.dmp(WS, INS, oid) for oid in (OID, demonstration)]
    assert [row and row.state for row in rows] == ["closed", "active"]


@pytest.mark.parametrize(
    ("second", "key"),
    [
        (lot("1", entry("b")), "1.9.1"),
        (lot("2", entry("b"), entry("c", unique_id="1.2.3.a")), "1.2.3.a"),
        (lot("2", entry("b"), entry("a", unique_id="1.2.3.z")), "urn:uuid:a"),
        (lot("2", entry("b"), entry("c", unique_id="1.2.3.b")), "1.2.3.b"),
        (lot("2", entry("b", replaces="urn:uuid:unknown")), "urn:uuid:unknown"),
    ],
)
async def test_a_lot_that_cannot_stand_registers_nothing_and_says_why(
    store: SqlStore, second: RegisterLot, key: str
) -> None:
    await store.commit(exchange("x1", lots=(lot("1", entry("a")),)))
    with pytest.raises(Conflict) as refused:
        await store.commit(exchange("x2", lots=(second,)))
    assert refused.value.key == key
    assert [row.entry_uuid for row in await store.entries(WS, INS, OID)] == ["urn:uuid:a"]
    assert await store.exchange(WS, "x2") is None
    assert await store.blob(WS, payload(b"b").sha256) is None


async def test_a_replaced_document_is_obsolete_from_the_same_instant(store: SqlStore) -> None:
    await store.commit(exchange("x1", lots=(lot("1", entry("a")),)))
    await store.commit(exchange("x2", lots=(lot("2", entry("b", replaces="urn:uuid:a")),)))
    assert [(row.entry_uuid, row.status) for row in await store.entries(WS, INS, OID)] == [
        ("urn:uuid:a", "Deprecated"),
        ("urn:uuid:b", "Approved"),
    ]
    with pytest.raises(Conflict):
        await store.commit(exchange("x3", lots=(lot("3", entry("c", replaces="urn:uuid:a")),)))


async def test_new_metadata_of_a_document_are_its_next_version(store: SqlStore) -> None:
    await store.commit(exchange("x1", lots=(lot("1", entry("a")),)))
    update = entry("a2", logical_id="urn:uuid:a", unique_id="1.2.3.a", masked=True, replaces="urn:uuid:a")
    await store.commit(exchange("x2", lots=(lot("2", update),)))
    latest = await store.entry_by_unique_id(WS, "1.2.3.a")
    assert latest is not None
    assert (latest.entry_uuid, latest.version, latest.masked) == ("urn:uuid:a2", 2, True)


async def test_of_two_simultaneous_lots_with_one_unique_id_one_wins(store: SqlStore) -> None:
    lots = [exchange(f"x{n}", lots=(lot(str(n), entry(f"u{n}", unique_id="1.2.3.same")),)) for n in range(5)]
    outcomes = await asyncio.gather(*(store.commit(op) for op in lots), return_exceptions=True)
    assert sum(isinstance(outcome, tuple) for outcome in outcomes) == 1
    assert {outcome.key for outcome in outcomes if isinstance(outcome, Conflict)} == {"1.2.3.same"}
    assert len(await store.entries(WS, INS, OID)) == 1


async def test_a_dmp_opens_closes_and_remembers_who_may_read_it(store: SqlStore) -> None:
    assert await store.dmp(WS, INS, OID) is None
    await store.commit(PutDmp(WS, INS, OID, "active", {"801": "active", "802": "active"}, ("801",)))
    await store.commit(PutDmp(WS, INS, OID, "closed", {"802": "blocked"}))
    row = await store.dmp(WS, INS, OID)
    assert row is not None
    assert (row.state, row.authorisations, row.treating_doctors) == (
        "closed",
        {"801": "active", "802": "blocked"},
        ("801",),
    )
    await store.commit(PutDmp(WS, INS, OID, "active", {"801": ""}))
    row = await store.dmp(WS, INS, OID)
    assert row is not None
    assert row.authorisations == {"802": "blocked"}


async def test_actors_are_replaced_by_their_key(store: SqlStore) -> None:
    first = tuple(("mailbox", f"bal{n}", {"n": n}) for n in range(1200))
    await store.commit(PutActors(WS, (*first, ("structure", "é", {"name": "Épi"}))))
    await store.commit(PutActors(WS, (("mailbox", "bal7", {"n": "seven"}), ("mailbox", "bal8", {}))))
    actors = {(kind, key): record for kind, key, record in await store.actors(WS)}
    assert len(actors) == 1200
    assert actors["mailbox", "bal7"] == {"n": "seven"}
    assert actors["structure", "é"] == {"name": "Épi"}
    assert await store.actors("other") == ()


async def test_a_workspace_keeps_what_a_change_does_not_name(store: SqlStore) -> None:
    await store.commit(
        PutWorkspace("b", {"title": "B", "policy": {"vigilance": "refuse"}}), PutWorkspace("a", {"title": "A"})
    )
    await store.commit(PutWorkspace("b", {"policy": {"vigilance": "observe"}, "token": "hash"}))
    assert await store.workspaces() == (
        ("a", {"title": "A"}),
        ("b", {"title": "B", "policy": {"vigilance": "observe"}, "token": "hash"}),
    )
