# ruff: noqa: F401, F811
"""Patient indexes and the quarantine queue, on both engines."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from adapters.storage import SqlStore
from gateway.exchange.model import DeliveryState
from gateway.ports import (
    AppendEvent,
    Conflict,
    DecideQuarantine,
    ExchangeFilter,
    FinishDelivery,
    HeldIns,
    IdentityFilter,
    LeaseDeliveries,
    MarkMail,
    NewQuarantine,
    PutIdentity,
    RecordIntegration,
    ResetWorkspace,
)
from tests.support.stores import BAL, NOW, WS, Place, delivery, event, exchange, mail, payload, place, store

HOSPITAL = "ch-brumeval"
ODETTE, COLETTE, OID = "236024890704179", "236024890704278", "1.2.250.1.213.1.4.10"


def record(ipp: str = "CH1", **changes: Any) -> PutIdentity:
    values: dict[str, Any] = {
        "workspace": WS,
        "identity_id": f"id-{ipp}",
        "structure": HOSPITAL,
        "ipp": ipp,
        "expected_version": 0,
        "at": NOW,
        "status": "QUAL",
        "record": {"ipp": ipp},
        "ins": (HeldIns(ODETTE, OID, True),) if ipp == "CH1" else (),
        "family": "BRUNEL",
        "birth_date": "1936-02-14",
        "sex": "F",
    }
    return PutIdentity(**values | changes)


def event_alone(kind: str) -> AppendEvent:
    return AppendEvent(event(kind))


async def ids_known_as(store: SqlStore, matricule: str, oid: str = OID, structure: str = HOSPITAL) -> list[str]:
    return [row.id for row in await store.identities_known_as(WS, structure, [(matricule, oid)])]


async def test_a_record_is_found_by_its_ins_of_today_by_its_former_ones_and_by_its_ipp(store: SqlStore) -> None:
    former = HeldIns(COLETTE, OID, False)
    (version,) = await store.commit(record(ins=(HeldIns(ODETTE, OID, True), former)))
    assert version == 1
    assert await ids_known_as(store, ODETTE) == await ids_known_as(store, COLETTE) == ["id-CH1"]
    found = await store.identities_known_as(WS, HOSPITAL, [(ODETTE, OID), (COLETTE, OID)], ["CH1", "CH2"])
    assert [row.ipp for row in found] == ["CH1"]
    (row,) = found
    assert (row.id, row.structure, row.version, row.status, row.record) == (
        "id-CH1",
        HOSPITAL,
        1,
        "QUAL",
        {"ipp": "CH1"},
    )
    assert (row.created_at, row.updated_at) == (NOW, NOW)
    assert await store.identity(WS, "id-CH1") == row


async def test_a_matricule_without_its_oid_or_in_another_structure_finds_nobody(store: SqlStore) -> None:
    await store.commit(record())
    assert await ids_known_as(store, ODETTE, "1.2.250.1.213.1.4.8") == []
    assert await ids_known_as(store, ODETTE, structure="ehpad-les-tilleuls") == []
    assert await store.identities_known_as("other", HOSPITAL, [(ODETTE, OID)], ["CH1"]) == ()
    assert await store.identity("other", "id-CH1") is None


async def test_a_former_ins_of_one_record_may_be_that_of_another_and_both_are_told(store: SqlStore) -> None:
    former = (HeldIns(ODETTE, OID, False),)
    await store.commit(record("CH2", ins=former), record("CH1"), record("CH0", ins=former))
    assert await ids_known_as(store, ODETTE) == ["id-CH1", "id-CH0", "id-CH2"]


async def test_an_ins_that_a_message_told_finds_its_record_only_when_asked_for(store: SqlStore) -> None:
    told = HeldIns(ODETTE, OID, active=False, received=True)
    await store.commit(record("CH2", ins=(told,)), record("CH3", ins=(told, HeldIns(ODETTE, OID, active=False))))
    with pytest.raises(Conflict, match="ins"):
        await store.commit(record("CH4", ins=(told,)))
    assert await ids_known_as(store, ODETTE) == ["id-CH3"]
    rows = await store.identities_known_as(WS, HOSPITAL, [(ODETTE, OID)], received=True)
    assert [row.id for row in rows] == ["id-CH3", "id-CH2"]


async def test_of_one_structure_one_record_holds_an_ins(store: SqlStore) -> None:
    held = (HeldIns(ODETTE, OID, True),)
    await store.commit(record("CH1"), record("CH2"))
    for other in (record("CH3", ins=held), record("CH2", ins=held, expected_version=1)):
        with pytest.raises(Conflict, match="ins"):
            await store.commit(other, event_alone("never"))
    assert await store.identity(WS, "id-CH3") is None
    assert await store.events(WS) == ()
    await store.commit(
        record("R1", ins=held, structure="ehpad-les-tilleuls"),
        record("CH4", ins=(HeldIns(ODETTE, "1.2.250.1.213.1.4.8", True),)),
        record("CH1", ins=(HeldIns(ODETTE, OID, False),), expected_version=1),
        record("CH2", ins=held, expected_version=1),
    )
    assert await ids_known_as(store, ODETTE) == ["id-CH2", "id-CH1"]


async def test_of_two_records_that_take_one_ins_at_once_one_is_refused(place: Place) -> None:
    stores = [await place.open() for _ in range(2 if place.postgresql else 1)]
    held = (HeldIns(ODETTE, OID, True),)
    await stores[0].commit(record("CH2"), record("CH3"))
    both = [stores[n % len(stores)].commit(record(f"CH{n}", ins=held, expected_version=1)) for n in (2, 3)]
    outcomes = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(map(str, outcomes)) == ["(2,)", "ins"]
    for one in stores:
        await one.close()


async def test_one_matricule_under_two_oids_is_two_identities(store: SqlStore) -> None:
    """INS-202: the key of an identity is (OID, matricule), never the matricule alone."""
    demonstration = "1.2.250.1.213.1.4.11"
    await store.commit(record("CH1"), record("CH2", ins=(HeldIns(ODETTE, demonstration, True),)))
    assert await ids_known_as(store, ODETTE) == ["id-CH1"]
    assert await ids_known_as(store, ODETTE, demonstration) == ["id-CH2"]
    both = await store.identities_known_as(WS, HOSPITAL, [(ODETTE, OID), (ODETTE, demonstration)])
    assert {row.id for row in both} == {"id-CH1", "id-CH2"}


async def test_a_change_replaces_the_ins_by_which_a_record_is_found(store: SqlStore) -> None:
    await store.commit(record())
    changed = record(
        expected_version=1,
        status="PROV",
        ins=(HeldIns(ODETTE, OID, False), HeldIns(ODETTE, OID, False)),
        family="BRUNEL DUVAL",
        events=(event("identity-status", record="id-CH1"),),
    )
    assert await store.commit(changed) == (2,)
    row = await store.identity(WS, "id-CH1")
    assert row is not None
    assert (row.version, row.status) == (2, "PROV")
    assert await ids_known_as(store, ODETTE) == ["id-CH1"]
    assert [e.kind for e in await store.events(WS)] == ["identity-status"]


async def test_of_two_changes_of_one_version_the_second_is_refused(store: SqlStore) -> None:
    await store.commit(record())
    both = [store.commit(record(expected_version=1, record={"by": n})) for n in range(2)]
    outcomes = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(map(str, outcomes)) == ["(2,)", "version"]
    with pytest.raises(Conflict, match="ipp"):
        await store.commit(record(identity_id="another"))
    with pytest.raises(Conflict, match="ipp"):
        await store.commit(record(ipp="CH9", identity_id="id-CH1"))
    with pytest.raises(Conflict, match="version"):
        await store.commit(record(structure="ehpad-les-tilleuls", expected_version=2))


async def test_an_answer_of_insi_is_kept_octet_for_octet(store: SqlStore) -> None:
    answer = payload(b"<RESULTAT>\r\n\xc3\xa9</RESULTAT>")
    await store.commit(record(answers=(answer,)))
    assert await store.blob(WS, answer.sha256) == answer.data


async def test_candidates_have_the_birth_date_as_far_as_it_is_told(store: SqlStore) -> None:
    await store.commit(
        record("CH1"), record("CH2", birth_date="1936-02-15"), record("CH3", sex="M"), record("CH4", birth_date="")
    )

    async def born(birth_date: str, sex: str = "") -> list[str]:
        return [row.ipp for row in await store.identities_born(WS, HOSPITAL, birth_date, sex)]

    assert await born("1936-02-14", "F") == ["CH1"]
    assert await born("1936-02-14") == ["CH1", "CH3"]
    assert await born("1936-02") == ["CH1", "CH2", "CH3"]
    assert await born("1936", "F") == ["CH1", "CH2"]
    assert await born("") == []


async def test_an_index_is_listed_by_ipp_and_filtered(store: SqlStore) -> None:
    rows = [record(f"CH{n}", status="QUAL" if n % 2 else "PROV", family=f"NOM{n}") for n in range(6)]
    await store.commit(*rows, record("R1", structure="ehpad-les-tilleuls", family="É"))

    async def listed(**wanted: Any) -> list[str]:
        return [row.ipp for row in await store.identities(IdentityFilter(WS, HOSPITAL, **wanted))]

    assert await listed() == [f"CH{n}" for n in range(6)]
    assert await listed(status="PROV") == ["CH0", "CH2", "CH4"]
    assert await listed(after="id-CH3") == ["CH4", "CH5"]
    assert await listed(after="another") == []
    assert await listed(limit=2) == ["CH0", "CH1"]
    assert await listed(family="NOM3") == ["CH3"]
    assert await listed(family="NOM") == [f"CH{n}" for n in range(6)]
    assert await listed(ipp="CH5") == ["CH5"]
    assert await listed(birth_date="1936-02-15") == []
    assert await listed(sex="M") == []
    assert len(await listed(sex="F")) == 6
    assert await store.indexes(WS) == {HOSPITAL: 6, "ehpad-les-tilleuls": 1}
    assert await store.indexes("other") == {}


def aside(structure: str = HOSPITAL, **changes: Any) -> NewQuarantine:
    values: dict[str, Any] = {
        "entry_id": f"q-{structure}",
        "structure": structure,
        "line": 5,
        "ack": "904",
        "record": {"candidates": ["id-CH1"]},
    }
    return NewQuarantine(**values | changes)


def integration(exchange_id: str = "e1", **changes: Any) -> RecordIntegration:
    values: dict[str, Any] = {
        "workspace": WS,
        "exchange_id": exchange_id,
        "at": NOW,
        "summary": {"integration": "stopped"},
        "findings": ({"rule": "INS-171", "severity": "blocking"},),
        "quarantined": (aside(),),
        "marks": (MarkMail(BAL, "$Quarantaine"),),
        "events": (event("quarantined", exchange_id),),
    }
    return RecordIntegration(**values | changes)


async def a_delivered_mail(store: SqlStore) -> None:
    body = payload(b"a mail")
    await store.commit(
        exchange(
            "e1",
            body,
            mails=(mail(body, address=BAL.upper()),),
            deliveries=(delivery(kind="integrate"),),
            findings=({"rule": "INS-031", "severity": "info"},),
            summary={"door": "smtp-reception", "integration": "allowed", "rules": ["INS-031"]},
        )
    )


async def test_an_integration_completes_its_exchange_its_mail_and_the_queue(store: SqlStore) -> None:
    await a_delivered_mail(store)
    assert await store.commit(integration()) == (True,)
    row = await store.exchange(WS, "e1")
    assert row is not None
    assert row.summary["integration"] == "stopped"
    assert row.summary["rules"] == ["INS-031", "INS-171"]
    assert [f["rule"] for f in row.findings] == ["INS-031", "INS-171"]
    assert [one.id for one in await store.exchanges(ExchangeFilter(WS, rule="INS-171"))] == ["e1"]
    (held,) = await store.mails(WS, BAL, "INBOX")
    assert held.flags == ("$Quarantaine",)
    (entry,) = await store.quarantined(WS)
    assert (entry.id, entry.exchange_id, entry.structure) == ("q-ch-brumeval", "e1", HOSPITAL)
    assert (entry.line, entry.ack, entry.state, entry.at) == (5, "904", "open", NOW)
    assert (entry.decided_by, entry.decided_at) == ("", None)
    assert entry == await store.quarantine_entry(WS, "q-ch-brumeval")
    assert [e.kind for e in await store.events(WS, exchange_id="e1")] == ["received", "quarantined"]


async def test_structures_add_their_outcomes_one_after_the_other_and_records_find_their_exchanges(
    store: SqlStore,
) -> None:
    await a_delivered_mail(store)
    for structure, row in ((HOSPITAL, 1), ("ehpad-les-tilleuls", 5)):
        done = integration(
            summary={"integrations": {structure: {"row": row}}, "integration_row": row},
            records=(f"id-{structure}",),
            quarantined=(),
            findings=(),
        )
        await store.commit(done)
    row = await store.exchange(WS, "e1")
    assert row is not None
    assert row.summary["integrations"] == {HOSPITAL: {"row": 1}, "ehpad-les-tilleuls": {"row": 5}}
    assert await store.exchanges_of_identity(WS, f"id-{HOSPITAL}") == ("e1",)
    assert await store.exchanges_of_identity("other", f"id-{HOSPITAL}") == ()


async def test_integration_is_allowed_once_every_structure_took_the_documents(store: SqlStore) -> None:
    await a_delivered_mail(store)
    await store.commit(integration(summary={"integration": "stopped", "integrations": {"a": {"state": "quarantined"}}}))
    for structure, state, after in (("b", "attached", "stopped"), ("a", "created", "allowed")):
        done = integration(summary={"integrations": {structure: {"state": state}}}, settles=True, quarantined=())
        await store.commit(done)
        row = await store.exchange(WS, "e1")
        assert row is not None
        assert row.summary["integration"] == after


async def test_an_integration_done_twice_leaves_one_entry_and_each_finding_once(store: SqlStore) -> None:
    await a_delivered_mail(store)
    await store.commit(integration())
    await store.commit(integration(quarantined=(aside(line=7, entry_id="another"),), events=()))
    (entry,) = await store.quarantined(WS)
    assert entry.line == 5
    row = await store.exchange(WS, "e1")
    assert row is not None
    assert len(row.findings) == 2
    (held,) = await store.mails(WS, BAL, "INBOX")
    assert held.flags == ("$Quarantaine",)
    await store.commit(integration(marks=(MarkMail(BAL, "$Quarantaine", present=False),), events=()))
    (held,) = await store.mails(WS, BAL, "INBOX")
    assert held.flags == ()


async def test_the_queue_is_read_page_after_page_in_both_orders(store: SqlStore) -> None:
    for n in range(5):
        name, at = f"e{n}", NOW + timedelta(seconds=n // 2)  # two of the same instant
        await store.commit(exchange(name))
        await store.commit(integration(name, at=at, quarantined=(aside(entry_id=f"q{n}"),), marks=()))

    async def paged(*, oldest_first: bool) -> list[str]:
        read: list[str] = []
        after: tuple[datetime, str] | None = None
        while page := await store.quarantined(WS, oldest_first=oldest_first, after=after, limit=2):
            read += [row.id for row in page]
            after = (page[-1].at, page[-1].id)
        return read

    assert await paged(oldest_first=True) == [f"q{n}" for n in range(5)]
    assert await paged(oldest_first=False) == [f"q{n}" for n in reversed(range(5))]


async def test_the_exchanges_of_a_record_are_read_page_after_page(store: SqlStore) -> None:
    for n in range(3):
        await store.commit(exchange(f"e{n}"))
        await store.commit(integration(f"e{n}", records=("id-CH1",), quarantined=(), marks=()))
    assert await store.exchanges_of_identity(WS, "id-CH1", 2) == ("e2", "e1")
    assert await store.exchanges_of_identity(WS, "id-CH1", 2, "e1") == ("e0",)


async def test_an_integration_of_an_exchange_that_is_gone_writes_nothing(store: SqlStore) -> None:
    assert await store.commit(integration("gone")) == (False,)
    assert await store.quarantined(WS) == ()
    assert await store.events(WS) == ()


async def test_an_integration_ends_its_delivery_with_it_or_not_at_all(store: SqlStore) -> None:
    await a_delivered_mail(store)
    (leased,) = await store.commit(LeaseDeliveries("w1", NOW, 60, 5))
    assert len(leased) == 1
    late = FinishDelivery(leased[0].id, "w2", DeliveryState.DONE, "", integrations=(integration(),))
    assert await store.commit(late) == (False,)
    assert await store.quarantined(WS) == ()
    mine = FinishDelivery(leased[0].id, "w1", DeliveryState.DONE, "", integrations=(integration(),))
    assert await store.commit(mine) == (True,)
    assert len(await store.quarantined(WS)) == 1


async def test_an_entry_is_decided_once(store: SqlStore) -> None:
    await a_delivered_mail(store)
    await store.commit(integration(quarantined=(aside(), aside("ehpad-les-tilleuls"))))
    decision = DecideQuarantine(WS, "q-ch-brumeval", "attached", "aubry-paul", NOW, {"record": "id-CH1"})
    await store.commit(decision)
    with pytest.raises(Conflict, match="decided"):
        await store.commit(decision, record("CH7"))
    assert await store.identity(WS, "id-CH7") is None
    entry = await store.quarantine_entry(WS, "q-ch-brumeval")
    assert entry is not None
    assert (entry.state, entry.decided_by, entry.decided_at) == ("attached", "aubry-paul", NOW)
    assert entry.record == {"candidates": ["id-CH1"], "record": "id-CH1"}
    assert [e.id for e in await store.quarantined(WS, state="open")] == ["q-ehpad-les-tilleuls"]
    assert [e.id for e in await store.quarantined(WS, structure=HOSPITAL)] == ["q-ch-brumeval"]
    assert await store.quarantined(WS, exchange_id="e2") == ()
    assert await store.quarantine_entry("other", "q-ch-brumeval") is None


async def test_a_reset_empties_indexes_and_queue_of_one_workspace(store: SqlStore) -> None:
    await a_delivered_mail(store)
    await store.commit(record(), integration(), record(workspace="other"))
    await store.commit(ResetWorkspace(WS, NOW))
    assert await store.indexes(WS) == {}
    assert await ids_known_as(store, ODETTE) == []
    assert await store.quarantined(WS) == ()
    assert await store.indexes("other") == {HOSPITAL: 1}
