"""Two sandboxes in one gateway: what belongs to one answers 404 in the other, whatever the verb."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from adapters.pki.authority import Authority
from adapters.provision import Certificates, Provisioning
from adapters.sandboxes import LiveSandboxes
from adapters.storage import open_store
from adapters.testing.running import RunningGateway, start_gateway
from gateway.exchange.model import Event, Payload
from gateway.ports import NewDelivery, NewMail, RecordExchange
from gateway.sandbox.model import Policy
from tests.support.live import api, raw_api

OTHER = "salle-2"
SECRET = "Un secret de la salle 2"
BOX = "soins@ehpad-les-tilleuls.salle-2.val-de-brume.mssante.fr"


@dataclass(frozen=True)
class Two:
    """A gateway with two workspaces, and what the other one holds."""

    gateway: RunningGateway
    exchange: str


async def _furnish(data: Path, exchange: str) -> None:
    """A second workspace with its actors, one exchange, its mail and a waiting delivery."""
    data.mkdir(parents=True)
    store = await open_store(f"sqlite:///{data / 'passerelle.sqlite'}", data)
    sandboxes = LiveSandboxes(store, Policy())
    await sandboxes.load()
    await sandboxes.create(OTHER, "Salle 2", Policy())
    certificates = Certificates(Authority.open(data / "pki", public_url="http://127.0.0.1:8080"))
    await Provisioning(store, sandboxes, certificates).seed(OTHER)
    now, raw = datetime.now(UTC), b"Subject: " + SECRET.encode() + b"\r\n\r\nBonjour\r\n"
    payload = Payload(len(raw), sha256(raw).hexdigest(), raw)
    await store.commit(
        RecordExchange(
            workspace=OTHER,
            exchange_id=exchange,
            at=now,
            payload=payload,
            summary={"door": "smtp-submission", "outcome": "accept", "subject": SECRET, "kind": "mail"},
            findings=[],
            correlation_id=exchange,
            events=(Event("decided", now, OTHER, exchange, {"outcome": "accept", "note": SECRET}),),
            mails=(NewMail(OTHER, BOX, "INBOX", payload.sha256, payload.size_bytes, now, exchange_id=exchange),),
            deliveries=(
                NewDelivery(OTHER, "elsewhere", f"{OTHER}.example", {"note": SECRET}, now, exchange_id=exchange),
            ),
        )
    )
    await store.close()


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    data = tmp_path_factory.mktemp("two") / "data"
    exchange = uuid.uuid4().hex
    asyncio.run(_furnish(data, exchange))
    with start_gateway(data) as gateway:
        yield Two(gateway, exchange)


def test_each_workspace_sees_its_own(two: Two) -> None:
    with api(two.gateway) as client:
        inside = client.get(f"/exchanges/{two.exchange}", params={"workspace": OTHER})
        box = client.post("/mailboxes/messages", params={"workspace": OTHER}, json={"address": BOX})
        waited = client.get("/wait", params={"workspace": OTHER, "timeout_s": 1})
        held = client.get("/deliveries", params={"workspace": OTHER})
    assert inside.json()["summary"]["subject"] == SECRET
    assert [m["exchange_id"] for m in box.json()] == [two.exchange]
    assert waited.json()["id"] == two.exchange
    assert [d["exchange_id"] for d in held.json()] == [two.exchange]


@pytest.mark.parametrize("part", ["", "/raw", "/opened", "/findings", "/events", "/story"])
def test_an_exchange_of_the_other_workspace_does_not_exist(two: Two, part: str) -> None:
    with api(two.gateway) as client:
        answer = client.get(f"/exchanges/{two.exchange}{part}")
        nothing = client.get(f"/exchanges/{'0' * 32}{part}")
    assert answer.status_code == nothing.status_code == 404
    assert answer.json()["code"] == nothing.json()["code"] == "exchange-not-found"


def test_no_resource_of_one_workspace_shows_the_other(two: Two) -> None:
    with api(two.gateway) as client:
        answers = [
            client.get("/exchanges"),
            client.get("/journal", params={"exchange": two.exchange}),
            client.get("/deliveries"),
            client.get("/mailboxes"),
            client.get("/actors"),
            client.post("/exchanges/search", json={"correlation_id": two.exchange}),
            client.post("/mailboxes/messages", json={"address": BOX}),
            client.get("/wait", params={"timeout_s": 0.2}),
        ]
    for answer in answers:
        assert SECRET not in answer.text
        assert two.exchange not in answer.text
        assert f"{OTHER}." not in answer.text
    assert [a.status_code for a in answers][-2:] == [404, 408]


def test_the_console_shows_the_default_workspace_alone(two: Two) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{two.gateway.port('http')}") as browser:
        browser.post("/entrer", data={"token": two.gateway.run["token"]})
        pages = [browser.get(path, headers={"Accept": "text/html"}) for path in ("/", "/lignes?since=0", "/territoire")]
        missing = [browser.get(f"/echanges/{two.exchange}{part}") for part in ("", "/histoire", "/octets")]
    assert [p.status_code for p in pages] == [200, 200, 200]
    assert [p.status_code for p in missing] == [404, 404, 404]
    assert not [p for p in (*pages, *missing) if SECRET in p.text]


def test_a_workspace_nobody_made_answers_404_on_every_verb(two: Two) -> None:
    with api(two.gateway) as client:
        asked = {"workspace": "salle-3"}
        answers = [
            client.get("/exchanges", params=asked),
            client.post("/exchanges/search", json=asked),
            client.get("/wait", params=asked),
            client.get("/events", params=asked),
            client.get("/journal", params=asked),
            client.post("/reset", params=asked, json={}),
            client.post("/actors", params=asked, json={"kind": "structure", "fields": ["name=X"]}),
        ]
    assert [a.status_code for a in answers] == [404] * len(answers)
    assert {a.json()["code"] for a in answers} == {"workspace-not-found"}
    with raw_api(two.gateway) as stranger:
        base = f"http://127.0.0.1:{two.gateway.port('http')}"
        assert stranger.get(f"{base}/listeblanchemssante.xml", params=asked).status_code == 404
        own = stranger.get(f"{base}/listeblanchemssante.xml", params={"workspace": OTHER})
    assert f".{OTHER}." in own.text


def test_a_reset_empties_its_own_workspace_alone(two: Two) -> None:
    two.gateway.reset()
    with api(two.gateway) as client:
        assert client.get(f"/exchanges/{two.exchange}", params={"workspace": OTHER}).status_code == 200
        assert client.post("/reset", params={"workspace": OTHER}, json={}).status_code == 204
        assert client.get(f"/exchanges/{two.exchange}", params={"workspace": OTHER}).status_code == 404
        assert client.get("/journal/proof", params={"workspace": OTHER}).json()["intact"] is True
