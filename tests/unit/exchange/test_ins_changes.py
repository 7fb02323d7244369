"""An A47 and the index of the structure that receives it: what is applied, what waits for a human, what is journalled."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.clock import SystemClock
from adapters.ids import UuidSeven
from adapters.storage import SqlStore, open_store
from gateway.directory.territory import load_territory
from gateway.documents.build_record import ipp_oid
from gateway.exchange.identity_seed import identities_of
from gateway.exchange.indexed import indexed, name_of
from gateway.exchange.ins_changes import Changed, InsChanges
from gateway.identity.local import Ins, LocalIdentity
from gateway.identity.status import Status
from gateway.rules import RuleBook, load_catalogue
from gateway.values import Direction
from tests.support.hl7_messages import INS, IPP, NULL_INS, Pid, adt
from tests.support.hl7_messages import view_of as read
from tests.support.identity_views import COLETTE, ODETTE, context
from tests.support.stores import NOW

HOSPITAL, NUMBER = "ch-brumeval", "CH000102"
OID = "1.2.250.1.213.1.4.10"
OTHER_INS = f"{COLETTE}^^^ASIP-SANTE-INS-NIR&{OID}&ISO^INS"
OURS = f"{NUMBER}^^^CH-BRUME&{ipp_oid(load_territory().structures[HOSPITAL])}&ISO^PI"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    opened = await open_store(f"sqlite:///{tmp_path}/store.db", tmp_path)
    await opened.commit(*identities_of(load_territory(), "demo", NOW))
    yield opened
    await opened.close()


async def a47(store: SqlStore, ids: str, former: str) -> Changed:
    view = read(adt(replace(Pid(), ids=ids), f"MRG|{former}", event="A47", structure="ADT_A30"))
    changes = InsChanges(store, SystemClock(), UuidSeven(), RuleBook(load_catalogue()))
    ctx = context(Direction.RECEPTION)
    (done,) = await changes.take("demo", HOSPITAL, [view], load_territory(), ctx, "DPI")
    return done


async def odette(store: SqlStore) -> LocalIdentity:
    row = await store.identity("demo", name_of("demo", HOSPITAL, NUMBER))
    assert row is not None
    return indexed("demo", row).local


async def events(store: SqlStore) -> list[str]:
    return [e.data["event"] for e in await store.events("demo") if e.kind == "identity-ins"]


async def test_a_deletion_takes_the_ins_away_and_keeps_it_in_the_history(store: SqlStore) -> None:
    done = await a47(store, f"{OURS}~{NULL_INS}", INS)
    assert (done.findings, done.ack) == ((), "")
    held = await odette(store)
    assert (held.ins, held.ins_received, held.reliability.status) == (None, None, Status.VALI)
    assert Ins(ODETTE, OID) in held.ins_history
    assert await events(store) == ["ins-withdrawn"]


async def test_a_new_ins_is_kept_aside_until_insi_tells_it(store: SqlStore) -> None:
    done = await a47(store, f"{OURS}~{OTHER_INS}", INS)
    assert (done.findings, done.ack) == ((), "")
    held = await odette(store)
    assert (held.ins, held.ins_received, held.sends_ins) == (None, Ins(COLETTE, OID), False)
    assert held.reliability.status is Status.VALI


async def test_a_message_taken_twice_changes_the_record_once(store: SqlStore) -> None:
    for ids in (f"{OURS}~{OTHER_INS}", f"{OURS}~{OTHER_INS}", f"{OURS}~{NULL_INS}", f"{OURS}~{NULL_INS}"):
        assert (await a47(store, ids, INS)).ack == ""
    assert await events(store) == ["ins-replaced", "ins-withdrawn"]
    assert (await odette(store)).ins_received is None


async def test_an_ins_to_replace_that_is_not_the_local_one_waits_for_a_human(store: SqlStore) -> None:
    before = await odette(store)
    for ids in (f"{OURS}~{NULL_INS}", f"{OURS}~{INS}"):
        done = await a47(store, ids.replace(INS, OTHER_INS), OTHER_INS.replace(COLETTE, "238054890300588"))
        assert ([f.rule for f in done.findings], done.ack) == (["INS-115"], "902")
        assert ODETTE not in str(done.findings[0].to_json())
    assert await odette(store) == before


async def test_a_number_of_another_domain_finds_nobody(store: SqlStore) -> None:
    done = await a47(store, f"{IPP}~{NULL_INS}", INS)
    assert ([f.rule for f in done.findings], done.ack) == (["INS-176"], "902")
    assert (await odette(store)).ins == Ins(ODETTE, OID)
