"""INSi of a whole gateway: a certificate from the command, calls beside the DMP, incidents switched by the API."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from adapters.insi.client import InsiClient
from adapters.insi.routes import BASE
from adapters.testing.clients import tls_context
from adapters.testing.running import RunningGateway
from gateway.insi.asking import Software
from gateway.insi.model import Found, LocalIdentity, NotFound, Unavailable
from tests.support.live import MATRICULE, api

SUZANNE = LocalIdentity("DELMAS", ("SUZANNE",), "F", "1939-03-08")
SOFTWARE = Software("PASSERELLE01", "mon logiciel", "1", "900000001", "0001")


@pytest.fixture
async def client(passerelle: RunningGateway, tmp_path: Path) -> AsyncIterator[InsiClient]:
    """A software that received its certificate from `passerelle pki issue`."""
    command = [sys.executable, "-m", "adapters.cli.main", "pki", "issue", "auth-client", "INSI-AUTO"]
    command += ["--data", str(passerelle.data), "--out", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True)
    tls = tls_context(passerelle.ca_file)
    (certificate,), (key,) = tmp_path.glob("*.pem"), tmp_path.glob("*.key")
    tls.load_cert_chain(certificate, key)
    url = f"https://localhost:{passerelle.port('https')}{BASE}"
    async with InsiClient(url, tls, SOFTWARE, remember_s=0) as made:
        yield made


async def test_a_search_is_an_exchange_that_the_faces_show_masked(
    passerelle: RunningGateway, client: InsiClient
) -> None:
    found = await client.search(SUZANNE)
    assert isinstance(found, Found)
    assert found.individual.active.matricule.whole == MATRICULE
    seen = passerelle.wait_for(door="insi")
    assert seen["id"] == found.trace.trace_id
    with api(passerelle) as http:
        for path in (
            f"/exchanges/{seen['id']}",
            f"/exchanges/{seen['id']}/findings",
            f"/exchanges/{seen['id']}/events",
        ):
            told = http.get(path)
            assert told.status_code == 200, told.text
            assert MATRICULE not in told.text
            assert "DELMAS" not in told.text
        assert http.get(f"/exchanges/{seen['id']}/opened").status_code == 200
        assert b"DELMAS" in http.get(f"/exchanges/{seen['id']}/raw").content
    base = f"http://127.0.0.1:{passerelle.port('http')}"
    with httpx.Client(base_url=base, headers={"Accept": "text/html"}, follow_redirects=True) as console:
        console.post("/entrer", data={"token": passerelle.run["token"]})
        page = console.get(f"/echanges/{seen['id']}")
        assert page.status_code == 200
        assert "INSi" in page.text
        assert MATRICULE not in page.text


async def test_incidents_are_switched_by_the_api_and_end_with_a_reset(
    passerelle: RunningGateway, client: InsiClient
) -> None:
    with api(passerelle) as http:
        told = http.put("/insi/faults", json={"outage": "fault"})
        assert (told.status_code, told.json()["outage"]) == (200, "fault")
        assert isinstance(await client.search(SUZANNE), Unavailable)
        change = {"person": "delmas-suzanne", "trait": "family", "value": "DURAND"}
        told = http.put("/insi/faults", json={"changes": [change]})
        assert told.json() == {"outage": "", "slow_s": 0.0, "changes": ["family"]}
        assert isinstance(await client.search(SUZANNE), NotFound)
        assert http.get("/insi/faults").json()["changes"] == ["family"]
        passerelle.reset()
        assert http.get("/insi/faults").json() == {"outage": "", "slow_s": 0.0, "changes": []}
    assert isinstance(await client.search(SUZANNE), Found)


@pytest.mark.parametrize(
    "record",
    [{"outage": "partial"}, {"slow_s": -1}, {"slow_s": 1e6}, {"panne": True}, {"changes": [{"person": "a"}]}],
)
def test_an_incident_that_cannot_be_played_is_a_problem(passerelle: RunningGateway, record: dict[str, object]) -> None:
    with api(passerelle) as http:
        told = http.put("/insi/faults", json=record)
    assert told.status_code == 422
    assert told.headers["content-type"].startswith("application/problem+json")


def test_incidents_are_for_who_holds_the_token(passerelle: RunningGateway) -> None:
    assert httpx.put(f"{passerelle.url}/insi/faults", json={}).status_code == 401
