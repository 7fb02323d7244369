"""A DMP deposit against the depositor's own patient index, over real HTTPS: an INS leaves only for a qualified identity."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.exchange.identity_seed import identities_of
from gateway.exchange.indexed import IndexedIdentity, indexed, name_of, put
from gateway.identity.status import Attribute, Reliability, Status
from gateway.ports import IdentityFilter
from gateway.sandbox.model import Policy, Vigilance
from gateway.sharing.answer_read import DmpAnswer
from tests.support import dmp_world as dmp
from tests.support.dmp_world import World, live_dmp

NURSING_HOME_NUMBER = "R0001"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A DMP beside the patient indexes the territory ships with."""
    async with live_dmp(tmp_path) as made:
        await made.store.commit(*identities_of(dmp.load_territory(), "demo", dmp.now()))
        yield made


async def held(world: World) -> IndexedIdentity:
    """The nursing home's record of the patient."""
    row = await world.store.identity("demo", name_of("demo", dmp.EHPAD, NURSING_HOME_NUMBER))
    assert row is not None
    return indexed("demo", row)


async def verified(world: World, days_ago: int) -> None:
    """The same record, whose INS was told by INSi so many days ago."""
    record = await held(world)
    (trace,) = record.local.insi
    older = replace(record.local, insi=(replace(trace, at=dmp.now() - timedelta(days=days_ago)),))
    await world.store.commit(put(replace(record, local=older), dmp.now()))


async def held_as(world: World, status: Status, *attributes: Attribute) -> None:
    """The same record, under another status."""
    record = await held(world)
    local = replace(record.local, reliability=Reliability(status, frozenset(attributes)))
    await world.store.commit(put(replace(record, local=local), dmp.now()))


async def deposit(world: World, key: str = dmp.PATIENT) -> DmpAnswer:
    person = dmp.patient(key)
    async with world.client() as software:
        return await software.deposit(dmp.lot(dmp.record(person)), dmp.vihf(person))


async def registered(world: World) -> bool:
    person = dmp.patient()
    return bool(await world.store.entries("demo", person.matricule, person.oid))


async def test_a_qualified_record_lets_its_ins_leave(world: World) -> None:
    answer = await deposit(world)
    assert (answer.status, answer.errors) == ("Success", ())
    assert await registered(world)


@pytest.mark.parametrize(
    ("status", "attributes", "rule"),
    [
        (Status.RECUP, (), "INS-072"),
        (Status.VALI, (), "INS-072"),
        (Status.PROV, (Attribute.FICTIVE,), "INS-073"),
        (Status.PROV, (Attribute.DOUTEUSE,), "INS-074"),
    ],
)
async def test_a_deposit_is_refused_by_the_status_of_the_depositor_s_own_record(
    world: World, status: Status, attributes: tuple[Attribute, ...], rule: str
) -> None:
    await held_as(world, status, *attributes)
    answer = await deposit(world)
    assert answer.status == "Failure"
    (error,) = answer.errors
    assert (error.code, error.context.partition(" ")[0]) == ("XDSRepositoryMetadataError", rule)
    assert dmp.patient().matricule not in str(answer)
    row = await world.last_exchange()
    assert (row.summary["outcome"], row.summary["rules"]) == ("reject", [rule])
    (finding,) = row.findings
    shown = " + ".join((status.value, *(a.value for a in attributes)))
    assert finding["values"][-1] == {
        "container": f"index:{dmp.EHPAD}",
        "path": f"IPP {NURSING_HOME_NUMBER}",
        "value": shown,
    }
    assert {v["container"] for v in finding["values"]} >= {"metadata:lot", f"index:{dmp.EHPAD}"}
    assert not await registered(world)


async def test_a_patient_the_depositor_s_index_does_not_hold_gives_no_finding(world: World) -> None:
    held = await world.store.identities(IdentityFilter("demo", dmp.EHPAD, limit=500))
    numbers = {row.ipp for row in held}
    stranger = next(
        p
        for p in dmp.load_territory().patients.values()
        if p.dmp_state == "active" and p.status == "QUAL" and not set(p.ipp.values()) & numbers
    )
    answer = await deposit(world, stranger.key)
    assert (answer.status, (await world.last_exchange()).summary["rules"]) == ("Success", [])


async def test_the_index_of_another_structure_says_nothing_about_this_depositor(world: World) -> None:
    row = await world.store.identity("demo", name_of("demo", "ch-brumeval", "CH000101"))
    assert row is not None
    record = indexed("demo", row)
    local = replace(record.local, reliability=Reliability(Status.PROV))
    await world.store.commit(put(replace(record, local=local), dmp.now()))
    assert (await deposit(world)).status == "Success"


async def test_a_workspace_that_only_observes_registers_the_deposit_and_tells(world: World) -> None:
    world.sandboxes.policy_now = Policy(vigilance=Vigilance.OBSERVE)
    await held_as(world, Status.RECUP)
    assert (await deposit(world)).status == "Success"
    row = await world.last_exchange()
    assert (row.summary["outcome"], row.summary["rules"]) == ("accept_with_alerts", ["INS-072"])
    assert await registered(world)


async def test_an_ins_verified_too_long_ago_is_told_where_the_workspace_sets_a_period(world: World) -> None:
    assert (await deposit(world)).status == "Success"
    assert (await world.last_exchange()).summary["rules"] == []  # no period by default
    world.sandboxes.policy_now = Policy(insi_verification_days=365)
    await verified(world, days_ago=365)
    await deposit(world)
    assert (await world.last_exchange()).summary["rules"] == []
    await verified(world, days_ago=367)
    answer = await deposit(world)
    assert (answer.status, [e.severity for e in answer.errors]) == ("Success", ["Warning"])
    row = await world.last_exchange()
    assert (row.summary["outcome"], row.summary["rules"]) == ("accept_with_alerts", ["INS-195"])


async def test_an_index_whose_record_left_its_insi_answer_sends_no_ins(world: World) -> None:
    record = await held(world)
    altered = replace(record.local, traits=replace(record.local.traits, birth_place="48902"))
    await world.store.commit(put(replace(record, local=altered), dmp.now()))
    answer = await deposit(world)
    assert (answer.status, [e.context.partition(" ")[0] for e in answer.errors]) == ("Failure", ["INS-191"])


async def test_a_search_of_documents_sends_nobody_s_data_and_is_not_asked(world: World) -> None:
    await held_as(world, Status.RECUP)
    person = dmp.patient()
    async with world.client() as software:
        exists = await software.exists(person.matricule, person.oid, dmp.vihf())
    assert exists.existence == "OK active"
