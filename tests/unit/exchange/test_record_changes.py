# ruff: noqa: F401, F811
"""What INSi answered about a record, and which answer a user may still confirm."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.api.identities import journal_reveal
from adapters.api.identity_views import trace_view
from adapters.api.problems import Problem
from gateway.directory.territory import load_territory
from gateway.exchange.identities import NotAllowed
from gateway.exchange.identity_seed import identities_of
from gateway.exchange.insi_answers import trace_of
from gateway.identity.status import Event, Status
from gateway.insi import model as insi
from tests.support.desks import COLETTE, TRAITS, Desks, desks, refused_by, told, trace
from tests.support.stores import NOW


async def test_the_last_answer_is_confirmed_whatever_faults_followed_it(desks: Desks) -> None:
    record = await desks.asked(await desks.record(), told(), insi.Unavailable("insi_102", "later", trace(b"fault")))
    views = [trace_view(t, record.local) for t in record.local.insi]
    assert [v["confirmable"] for v in views] == [True, False]
    done = await desks.identities.confirmed(record, record.local.insi[0].answer_sha256, "test")
    assert (done.local.reliability.status, done.local.ins) == (Status.RECUP, record.local.insi[0].ins)


@pytest.mark.parametrize(
    "answer", [insi.NotFound(trace(b"01")), insi.Several(trace(b"02")), told(COLETTE)], ids=["01", "02", "another"]
)
async def test_an_answer_that_another_one_followed_is_confirmed_no_more(desks: Desks, answer: Any) -> None:
    record = await desks.asked(await desks.record(), told(), answer)
    first = record.local.insi[0]
    assert trace_view(first, record.local)["confirmable"] is False
    assert await refused_by(desks.identities.confirmed(record, first.answer_sha256, "test")) == "INS-192"
    assert (await desks.again(record)).local.ins is None


async def test_an_answer_older_than_the_removal_of_the_ins_is_confirmed_no_more(desks: Desks) -> None:
    record = await desks.confirmed(await desks.asked(await desks.record(), told()))
    record = await desks.identities.happened(record, Event.INSI_INVALIDATED, "test")
    assert await refused_by(desks.confirmed(record)) == "INS-192"
    record = await desks.asked(record, told())
    assert (await desks.confirmed(record)).local.reliability.status is Status.RECUP


async def test_an_answer_older_than_a_doubt_or_a_change_of_traits_is_confirmed_no_more(desks: Desks) -> None:
    record = await desks.asked(await desks.record(), told())
    record = await desks.identities.happened(record, Event.MARKED_DOUBTFUL, "test")
    assert await refused_by(desks.confirmed(record)) == "INS-185"
    record = await desks.identities.happened(record, Event.UNMARKED, "test")
    assert await refused_by(desks.confirmed(record)) == "INS-192"
    record = await desks.asked(record, told())
    record = await desks.identities.changed(record, replace(TRAITS, sex="M"), "test")
    assert await refused_by(desks.confirmed(record, accept_differences=True)) == "INS-192"


async def test_of_two_records_confirmed_at_once_with_one_ins_the_second_is_a_collision(desks: Desks) -> None:
    both = [await desks.asked(await desks.record(ipp), told()) for ipp in ("P1", "P2")]
    outcomes = await asyncio.gather(*map(desks.confirmed, both), return_exceptions=True)
    refused = [o for o in outcomes if isinstance(o, NotAllowed)]
    assert [o.rule for o in refused] == ["INS-172"]
    held = [(await desks.again(record)).local.ins for record in both]
    assert held.count(None) == 1


async def test_a_territory_with_one_ins_twice_in_a_structure_fills_its_index_with_the_first(desks: Desks) -> None:
    territory = load_territory()
    held = next(p for p in territory.patients.values() if p.status == "QUAL" and p.ipp)
    twin = replace(held, key="twin", ipp=dict.fromkeys(held.ipp, "TWIN"))
    territory = replace(territory, patients={held.key: held, "twin": twin})
    made = identities_of(territory, "demo", NOW)
    await desks.store.commit(*made)
    assert {op.ipp for op in made} == set(held.ipp.values())


@pytest.mark.parametrize("code", ["00", "01", "02"])
def test_a_fault_whose_code_is_written_like_an_answer_is_not_read_as_one(code: str) -> None:
    for fault in (insi.Unavailable(code, "panne", trace(b"x")), insi.Refused(code, "panne", trace(b"x"))):
        kept, _ = trace_of(fault, NOW, "test", None, TRAITS)
        assert kept.code == f"fault-{code}"
        assert (kept.ins, kept.reason) == (None, "panne")


async def test_an_answer_under_a_production_oid_is_not_shown_in_clear_though_nobody_confirmed_it(desks: Desks) -> None:
    answer = told()
    under = replace(answer.individual, active=replace(answer.individual.active, oid="1.2.250.1.213.1.4.8"))
    record = await desks.asked(await desks.record(), replace(answer, individual=under))
    known: Any = SimpleNamespace(store=desks.store, clock=desks.sandbox)
    await journal_reveal(known, record, "test", "because")
    with pytest.raises(Problem, match="production"):
        await journal_reveal(known, record, "test", "because", record.local.insi[-1])
    kinds = [event.kind for event in await desks.store.events("demo")]
    assert kinds.count("identity-revealed") == 1


@pytest.mark.parametrize(("typed", "rule"), [("2199-01-01", "INS-053"), ("1939-13-45", "INS-052")])
async def test_nobody_is_born_on_a_day_that_cannot_be_or_is_to_come(desks: Desks, typed: str, rule: str) -> None:
    record = await desks.record()
    impossible = replace(TRAITS, birth_date=typed)
    assert await refused_by(desks.record("P2", impossible)) == rule
    assert await refused_by(desks.identities.changed(record, impossible, "test")) == rule


async def test_traits_that_insi_would_refuse_are_called_by_their_names(desks: Desks) -> None:
    record = await desks.record()
    for answer, fr, en in (
        (insi.Refused("INS-186", "sex, given_names"), "sexe, liste des prénoms", "sex, given names"),
        (insi.Refused("INS-187", "family"), "nom de naissance", "birth name"),
    ):
        with pytest.raises(NotAllowed) as refused:
            await desks.asked(record, answer)
        assert (fr in refused.value.why.fr, en in refused.value.why.en) == (True, True)
    record = await desks.asked(record, told(family="MARCHAND"))
    with pytest.raises(NotAllowed, match="birth name") as differing:
        await desks.confirmed(record)
    assert "nom de naissance" in differing.value.why.fr
