"""What the patient index promises about INSi: answers kept identical (INS-191), history kept whole (INS-193)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.clock import SystemClock
from adapters.ids import UuidSeven
from adapters.storage import SqlStore, open_store
from gateway.exchange.identities import Draft, Identities
from gateway.exchange.identity_seed import identities_of
from gateway.exchange.indexed import IndexedIdentity
from gateway.exchange.insi_answers import answer_of
from gateway.identity.local import Ins, Traits
from gateway.identity.records import local_of
from gateway.insi import model as insi
from gateway.insi.wire import write_result
from tests.support.dmp_world import load_territory
from tests.support.identity_views import ODETTE, with_key
from tests.support.stores import NOW

OID = "1.2.250.1.213.1.4.10"
ENTERED = Traits("BRUNEL", "ODETTE", "ODETTE", "F", "1936-02-14", "48907")


@dataclass
class Registry:
    """An INSi that answers one thing."""

    told: insi.Individual

    @property
    def raw(self) -> bytes:
        return write_result(insi.Answer(insi.Code.FOUND, self.told))

    async def search(self, person: insi.LocalIdentity) -> insi.SearchResult:
        return insi.Found(self.told, insi.Trace("search", "m", "t", "2026-03-01", 200, self.raw))

    async def search_card(self, card: insi.CardData) -> insi.SearchResult:
        raise NotImplementedError

    async def verify(self, ins: insi.Ins, person: insi.LocalIdentity) -> insi.VerifyResult:
        return insi.Verified(insi.Trace("verify", "m", "t", "2026-03-01", 200, b"<CR>00</CR>"))


def told(changes: int) -> insi.Individual:
    """An answer whose INS changed so many times."""
    former = tuple(answer_of(Ins(with_key(f"2360248907{100 + n:03}"), OID)) for n in range(changes))
    active = answer_of(Ins(ODETTE, OID))
    return insi.Individual(active, "BRUNEL", "ODETTE JEANNE", "F", "1936-02-14", "48907", history=former)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    opened = await open_store(f"sqlite:///{tmp_path}/store.db", tmp_path)
    yield opened
    await opened.close()


async def confirmed(store: SqlStore, registry: Registry) -> IndexedIdentity:
    """A record created, asked about, and confirmed; read again from the store."""
    identities = Identities(store, SystemClock(), UuidSeven())
    record = await identities.create("demo", "ehpad-les-tilleuls", Draft(ENTERED), "x")
    record, trace = await identities.asked(record, registry, "x")
    await identities.confirmed(record, trace.answer_sha256, "x")
    kept = await identities.one("demo", record.id)
    assert kept is not None
    return kept


@pytest.mark.parametrize("changes", [0, 1, 10])
async def test_every_former_ins_of_an_answer_is_kept(store: SqlStore, changes: int) -> None:
    kept = await confirmed(store, Registry(told(changes)))
    assert len(kept.local.ins_history) == changes
    assert kept.local.history_lost == ()
    first, *_ = [*kept.local.ins_history, kept.local.ins]
    assert first is not None
    rows = await store.identities_known_as("demo", kept.structure, [(first.matricule, first.oid)])
    assert [row.id for row in rows] == [kept.id]


async def test_the_octets_of_an_answer_and_its_traits_are_kept_identical(store: SqlStore) -> None:
    registry = Registry(told(2))
    kept = await confirmed(store, registry)
    (trace,) = kept.local.insi
    assert trace.answer_sha256 == sha256(registry.raw).hexdigest()
    assert await store.blob("demo", trace.answer_sha256) == registry.raw
    assert kept.local.altered == ()
    assert kept.local.traits.given_list == "ODETTE JEANNE"


async def test_a_trait_changed_by_hand_takes_the_ins_away_rather_than_alter_the_answer(store: SqlStore) -> None:
    kept = await confirmed(store, Registry(told(2)))
    identities = Identities(store, SystemClock(), UuidSeven())
    after = await identities.changed(kept, replace(kept.local.traits, birth_family="MARTIN"), "x")
    assert (after.local.ins, after.local.altered, after.local.history_lost) == (None, (), ())
    assert len(after.local.ins_history) == 3
    assert after.local.insi == kept.local.insi


@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
def test_an_answer_comes_back_from_the_store_letter_for_letter(family: str, given_list: str) -> None:
    from gateway.exchange.insi_answers import trace_of
    from gateway.identity.local import LocalIdentity
    from gateway.identity.records import record_of

    found = insi.Found(
        replace(told(1), family=family, given_list=given_list),
        insi.Trace("search", "m", "t", "2026-03-01", 200, b"<x/>"),
    )
    trace, _ = trace_of(found, NOW, "x", None, ENTERED)
    again = local_of(record_of(LocalIdentity("P1", ENTERED, insi=(trace,)))).insi[0]
    assert again == trace
    assert again.traits is not None
    assert (again.traits.birth_family, again.traits.given_list) == (family, given_list)


def test_the_records_the_sandbox_ships_keep_what_insi_told() -> None:
    shipped = [local_of(op.record) for op in identities_of(load_territory(), "demo", NOW)]
    assert len(shipped) > 10
    assert [r.ipp for r in shipped if r.altered or r.history_lost] == []
