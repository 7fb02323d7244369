"""Patient records changed by the core's own use cases, over a store of their own: no gateway, no socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.ids import UuidSeven
from adapters.storage import SqlStore, open_store
from gateway.directory.model import Territory
from gateway.directory.territory import load_territory
from gateway.exchange.identities import Draft, Identities, NotAllowed
from gateway.exchange.indexed import IndexedIdentity
from gateway.exchange.quarantine import QuarantineDesk
from gateway.exchange.received import Told, told_record
from gateway.identity.local import Ins, Traits
from gateway.identity.matching import Received
from gateway.insi import model as insi
from gateway.ports import NewQuarantine, QuarantineRow, RecordIntegration
from gateway.rules.masking import mask_text
from gateway.sandbox.model import Policy
from gateway.values import PlaceKind, Where
from tests.support.stores import NOW, exchange

WS, HOME = "demo", "ehpad-les-tilleuls"
OID = "1.2.250.1.213.1.4.10"
ODETTE = "236024890704179"
COLETTE = "236024890704278"
TRAITS = Traits("BRUNEL", "ODETTE", "ODETTE JEANNE", "F", "1936-02-14", "48907")


@dataclass
class Sandbox:
    """One territory, the default policy, and the time of the machine."""

    territory_: Territory = field(default_factory=load_territory)

    def territory(self, workspace: str) -> Territory:
        return self.territory_

    def policy(self, workspace: str) -> Policy:
        return Policy()

    def workspace_of_domain(self, domain: str) -> str:
        return WS

    def workspace_of_certificate(self, fingerprint: str) -> str:
        return ""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def virtual_now(self, workspace: str) -> datetime:
        return self.now()


@dataclass
class Registry:
    """INSi, answering what the test put there, one answer a call."""

    answers: list[Any] = field(default_factory=list)

    async def search(self, person: insi.LocalIdentity) -> Any:
        return self.answers.pop(0)

    async def verify(self, ins: insi.Ins, person: insi.LocalIdentity) -> Any:
        return self.answers.pop(0)


def trace(raw: bytes) -> insi.Trace:
    """The evidence of one call."""
    return insi.Trace("rechercherInsAvecTraitsIdentite", "m", "t", "2026-01-01", 200, raw)


def told(matricule: str = ODETTE, **changes: str) -> insi.Found:
    """CR 00: the person of `TRAITS`, under this matricule."""
    active = insi.Ins(insi.Matricule(matricule[:13], matricule[13:], "NIR"), OID)
    person = insi.Individual(active, "BRUNEL", "ODETTE JEANNE", "F", "1936-02-14", "48907")
    person = replace(person, **changes) if changes else person
    return insi.Found(person, trace(f"{matricule}{sorted(changes.items())}".encode()))


@dataclass
class Desks:
    """The use cases, their store, and an INSi that answers as it is told."""

    store: SqlStore
    sandbox: Sandbox = field(default_factory=Sandbox)
    registry: Registry = field(default_factory=Registry)

    @property
    def identities(self) -> Identities:
        """Where records are changed."""
        return Identities(self.store, self.sandbox, UuidSeven())

    @property
    def quarantine(self) -> QuarantineDesk:
        """Where entries of the queue are decided. Nothing is copied here: there is no worker process."""
        nobody: Any = None
        return QuarantineDesk(self.store, self.sandbox, self.sandbox, UuidSeven(), nobody)

    async def record(self, ipp: str = "P1", traits: Traits = TRAITS, **more: Any) -> IndexedIdentity:
        """A new provisional record."""
        return await self.identities.create(WS, HOME, Draft(traits, ipp=ipp, **more), "test")

    async def again(self, record: IndexedIdentity) -> IndexedIdentity:
        """The record as it is stored now."""
        found = await self.identities.one(WS, record.id)
        assert found is not None
        return found

    async def asked(self, record: IndexedIdentity, *answers: Any, verify: bool = False) -> IndexedIdentity:
        """The record after these answers of INSi, one call each."""
        for answer in answers:
            self.registry.answers = [answer]
            record, _ = await self.identities.asked(record, self.registry, "test", verify=verify)  # type: ignore[arg-type]
        return record

    async def confirmed(self, record: IndexedIdentity, **more: Any) -> IndexedIdentity:
        """The record once its last answer is confirmed."""
        return await self.identities.confirmed(record, record.local.insi[-1].answer_sha256, "test", **more)


@pytest.fixture
async def desks(tmp_path: Path) -> AsyncIterator[Desks]:
    """An empty index."""
    store = await open_store(f"sqlite:///{tmp_path}/store.db", tmp_path)
    yield Desks(store)
    await store.close()


async def refused_by(change: Any) -> str:
    """The rule that forbids a change."""
    with pytest.raises(NotAllowed) as refused:
        await change
    assert mask_text(refused.value.why.fr) == refused.value.why.fr
    return refused.value.rule


async def entry_for(desks: Desks, exchange_id: str = "e1", structure: str = HOME, **changes: Any) -> QuarantineRow:
    """A mail that waits in the queue of a structure: what it says of its patient is `TRAITS`, under `changes`."""
    told_ = {"traits": TRAITS, "ins": Ins(ODETTE, OID), **changes}
    received = told_record(Told(Received(**told_), "cda", Where(PlaceKind.XPATH, "/id", 1)))
    if await desks.store.exchange(WS, exchange_id) is None:
        await desks.store.commit(exchange(exchange_id))
    name = f"{exchange_id}-{structure}"
    aside = NewQuarantine(
        name,
        structure,
        10,
        "902",
        {"received": received, "candidates": [], "rules": [], "addresses": [f"a@{structure}"]},
    )
    outcome = {"state": "quarantined", "row": 10, "ack": "902", "entry": name}
    summary = {"integrations": {structure: outcome}, "integration": "stopped"}
    await desks.store.commit(RecordIntegration(WS, exchange_id, NOW, summary, quarantined=(aside,)))
    found = await desks.store.quarantine_entry(WS, name)
    assert found is not None
    return found
