# ruff: noqa: F401, F811
"""The decisions of humans on the queue, against the index as it is when they decide."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.api import quarantine as queue
from adapters.api.problems import Problem
from gateway.exchange.identities import NotAllowed
from gateway.exchange.quarantine import State
from gateway.identity.local import Ins
from gateway.identity.status import Event
from gateway.ports import Conflict
from tests.support.desks import (
    COLETTE,
    HOME,
    ODETTE,
    OID,
    TRAITS,
    WS,
    Desks,
    desks,
    entry_for,
    refused_by,
    told,
)
from tests.support.stores import exchange

GLYCINES = "ehpad-les-glycines"
OTHER = replace(TRAITS, birth_family="MARCHAND")


class Overtaken:
    """A store where something else is written just before the next commit."""

    def __init__(self, store: Any, first: Any) -> None:
        self._store, self._first = store, first

    async def commit(self, *operations: Any) -> Any:
        first, self._first = self._first, None
        if first is not None:
            await first
        return await self._store.commit(*operations)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def known_to(desks: Desks, meanwhile: Any = None) -> Any:
    """What the API needs to decide; `meanwhile` happens between the reading and the writing."""
    return SimpleNamespace(
        store=Overtaken(desks.store, meanwhile), sandboxes=desks.sandbox, clock=desks.sandbox, offload=None
    )


async def test_a_record_is_made_of_a_patient_that_the_index_does_not_have_with_what_it_is_near_to(desks: Desks) -> None:
    await desks.record(traits=replace(TRAITS, birth_date="1936-02-15", given_list=""))
    done = await desks.quarantine.create(WS, await entry_for(desks), "test", "R1")
    assert (done.state, [r.rule for r in done.remarks]) == (State.CREATED, ["INS-077"])
    made = await desks.identities.one(WS, done.record_id)
    assert made is not None
    assert made.local.ins_received == Ins(ODETTE, OID)


@pytest.mark.parametrize("line", [5, 6, 7, 8, 10, 11, 14])
async def test_whatever_the_line_was_a_record_with_the_same_traits_is_not_doubled(desks: Desks, line: int) -> None:
    entry = replace(await entry_for(desks), line=line)
    await desks.record()  # made after the message was set aside
    assert await refused_by(desks.quarantine.create(WS, entry, "test")) == "INS-179"
    assert len(await desks.store.quarantined(WS, state="open")) == 1


async def test_a_record_that_holds_held_or_received_the_ins_is_not_doubled(desks: Desks) -> None:
    first = await desks.quarantine.create(WS, await entry_for(desks, traits=OTHER), "test")
    second = await entry_for(desks, "e2")
    assert await refused_by(desks.quarantine.create(WS, second, "test")) == "INS-179"
    record = await desks.identities.one(WS, first.record_id)
    assert record is not None
    record = await desks.confirmed(await desks.asked(record, told()), accept_differences=True)
    other = await entry_for(desks, "e3", traits=replace(TRAITS, birth_family="AUTRE"))
    assert await refused_by(desks.quarantine.create(WS, other, "test")) == "INS-179"
    await desks.identities.happened(record, Event.INSI_INVALIDATED, "test")
    assert await refused_by(desks.quarantine.create(WS, other, "test")) == "INS-179"


async def test_of_two_records_made_at_once_of_one_ins_the_second_is_a_double(desks: Desks) -> None:
    entries = [await entry_for(desks), await entry_for(desks, "e2", traits=OTHER)]
    creations = [desks.quarantine.create(WS, entry, "test", f"R{n}") for n, entry in enumerate(entries)]
    outcomes = await asyncio.gather(*creations, return_exceptions=True)
    assert [o.rule for o in outcomes if isinstance(o, NotAllowed)] == ["INS-179"]
    assert len(await desks.store.quarantined(WS, state="open")) == 1


UNFIT: list[dict[str, Any]] = [{"trusted": False}, {"key_valid": False}, {"contradicted": True}, {"complete": False}]


@pytest.mark.parametrize("unfit", UNFIT)
async def test_an_ins_that_may_not_be_kept_aside_is_not(desks: Desks, unfit: dict[str, Any]) -> None:
    record = await desks.record()
    await desks.quarantine.attach(WS, await entry_for(desks, **unfit), record.id, "test")
    after = await desks.again(record)
    assert (after.local.ins_received, after.local.changes[-1].event) == (None, "joined")
    done = await desks.quarantine.create(WS, await entry_for(desks, "e2", traits=OTHER, **unfit), "test")
    made = await desks.identities.one(WS, done.record_id)
    assert made is not None
    assert made.local.ins_received is None


async def test_an_ins_kept_aside_is_not_overwritten_by_another_message(desks: Desks) -> None:
    record = await desks.record()
    await desks.quarantine.attach(WS, await entry_for(desks), record.id, "test")
    await desks.quarantine.attach(WS, await entry_for(desks, "e2", ins=Ins(COLETTE, OID)), record.id, "test")
    after = await desks.again(record)
    assert after.local.ins_received == Ins(ODETTE, OID)
    assert [c.event for c in after.local.changes] == ["created", "attached", "joined"]


async def test_a_record_that_changed_meanwhile_is_not_joined(desks: Desks) -> None:
    record = await desks.confirmed(await desks.asked(await desks.record(), told()))
    entry = await entry_for(desks)
    known = known_to(desks, desks.identities.happened(record, Event.MARKED_DOUBTFUL, "test"))
    attach = queue.Decision(decision="attach", record=record.id, accept_differences=False)
    with pytest.raises(Problem) as late:
        await queue.decided_by(known, WS, entry, attach)
    assert late.value.code == "identity-changed"
    still = await desks.store.quarantine_entry(WS, entry.id)
    assert still is not None
    assert still.state == "open"


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"traits": OTHER}, "INS-171"),
        ({"traits": OTHER, "ins": None}, "INS-180"),
        ({"ins": Ins(COLETTE, OID)}, "INS-173"),
    ],
)
async def test_a_record_that_says_otherwise_is_joined_on_an_explicit_confirmation_only(
    desks: Desks, changes: dict[str, Any], rule: str
) -> None:
    record = await desks.confirmed(await desks.asked(await desks.record(), told()))
    entry = await entry_for(desks, **changes)
    assert await refused_by(desks.quarantine.attach(WS, entry, record.id, "test")) == rule
    done = await desks.quarantine.attach(WS, entry, record.id, "test", accept_differences=True)
    assert (done.state, (await desks.again(record)).local.traits) == (State.ATTACHED, record.local.traits)


async def test_a_copy_is_not_copied_again(desks: Desks) -> None:
    await desks.store.commit(exchange("e1", summary={"door": "copy"}))
    assert await refused_by(desks.quarantine.copy(WS, await entry_for(desks), "test")) == "INS-206"


async def test_two_structures_decided_at_once_let_the_documents_in(desks: Desks) -> None:
    entries = [await entry_for(desks, structure=name) for name in (HOME, GLYCINES)]
    done = await asyncio.gather(*(desks.quarantine.create(WS, entry, "test") for entry in entries))
    assert [d.state for d in done] == [State.CREATED] * 2
    after = await desks.store.exchange(WS, "e1")
    assert after is not None
    assert after.summary["integration"] == "allowed"


async def test_a_structure_that_still_waits_keeps_the_documents_out(desks: Desks) -> None:
    entry, _ = [await entry_for(desks, structure=name) for name in (HOME, GLYCINES)]
    await desks.quarantine.create(WS, entry, "test")
    after = await desks.store.exchange(WS, "e1")
    assert after is not None
    assert after.summary["integration"] == "stopped"


async def test_who_comes_second_is_told_what_was_decided_and_by_whom(desks: Desks) -> None:
    entry, record = await entry_for(desks), await desks.record()
    known = known_to(desks)
    attach = queue.Decision(decision="attach", record=record.id, by="aubry-paul", accept_differences=False)
    await queue.decided_by(known, WS, entry, attach)
    with pytest.raises(Problem) as late:
        await queue.decided_by(known, WS, entry, queue.Decision(decision="refuse", accept_differences=False))
    assert (late.value.code, late.value.detail.fr) == ("already-decided", "aubry-paul a déjà décidé : rattaché")
