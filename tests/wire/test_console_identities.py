"""The console's pages of patient indexes and of the queue: seen, acted upon, masked, and closed to strangers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from adapters.testing.running import RunningGateway
from tests.support.dmtx import painted, read
from tests.support.indexes import TILLEULS, act, letter_received, record_of, waiting
from tests.support.live import MATRICULE
from tests.wire.test_console import HTML, assert_inert, csrf_of


@pytest.fixture
def inside(passerelle: RunningGateway) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{passerelle.port('http')}", headers=HTML) as client:
        client.post("/entrer", data={"token": passerelle.run["token"]})
        yield client


def seen(client: httpx.Client, path: str, status: int = 200) -> httpx.Response:
    page = client.get(path)
    assert page.status_code == status, page.text[:500]
    assert_inert(page.text, path)
    assert MATRICULE not in page.text
    assert "DELMAS" not in page.text
    return page


def test_indexes_records_and_queue_are_pages_in_both_languages(
    passerelle: RunningGateway, inside: httpx.Client
) -> None:
    record = record_of(passerelle, TILLEULS, "R0001")
    assert "EHPAD Les Tilleuls" in seen(inside, "/identites").text
    index = seen(inside, f"/identites/{TILLEULS}?status=QUAL").text
    assert record["id"] in index
    assert "R0099" not in index
    page = seen(inside, f"/identites/{TILLEULS}/{record['id']}").text
    assert "Identité qualifiée" in page
    assert "Qualified identity" in seen(inside, f"/identites/{TILLEULS}/{record['id']}?lang=en").text
    assert "Nothing waits." in seen(inside, "/quarantaine?lang=en").text
    seen(inside, "/identites/nowhere", 404)
    seen(inside, f"/identites/{TILLEULS}/unknown", 404)
    seen(inside, "/quarantaine/unknown", 404)


def test_an_identity_is_created_proven_and_refused_what_it_may_not(inside: httpx.Client) -> None:
    path = f"/identites/{TILLEULS}"
    token = csrf_of(seen(inside, path))
    entered = {"birth_family": "BRUNEL", "birth_given": "ODILE", "birth_date": "1936-05", "sex": "F"}
    made = inside.post(path, data={"csrf": token, **entered})
    assert made.status_code == 303
    record = made.headers["location"]
    assert "date incertaine" in seen(inside, record).text
    version = re.search(r'name="version" value="(\d+)"', inside.get(record).text)
    assert version
    fields = {"csrf": token, "version": version[1]}
    refused = inside.post(record, data={**fields, "act": "status", "event": "proof-checked"})
    assert refused.status_code == 422
    assert "INS-080" in refused.text
    assert inside.post(record, data={**fields, "act": "proof", "kind": "CN"}).status_code == 303
    stale = inside.post(record, data={**fields, "act": "status", "event": "proof-checked"})
    assert stale.status_code == 422
    assert "quelqu&#39;un a modifié ce dossier entre-temps" in stale.text
    fields["version"] = str(int(version[1]) + 1)
    assert inside.post(record, data={**fields, "act": "status", "event": "proof-checked"}).status_code == 303
    assert "Identité validée" in seen(inside, record).text
    missing = inside.post(
        path, data={"csrf": token, "birth_family": "BRUNEL", "birth_given": "ODILE", "birth_date": "?"}
    )
    assert missing.status_code == 422
    assert "INS-052" in missing.text


def test_clear_values_are_shown_on_a_journalled_click_only(passerelle: RunningGateway, inside: httpx.Client) -> None:
    record = record_of(passerelle, TILLEULS, "R0001")
    path = f"/identites/{TILLEULS}/{record['id']}"
    token = csrf_of(seen(inside, path))
    shown = inside.post(path, data={"csrf": token, "act": "reveal", "reason": "formation"})
    assert MATRICULE in shown.text
    events = [e for e in passerelle.get("/journal")["events"] if e["kind"] == "identity-revealed"]
    assert [(e["data"]["record"], e["data"]["reason"]) for e in events] == [(record["id"], "formation")]


def test_the_datamatrix_is_drawn_with_the_clear_values_of_a_qualified_identity_only(
    passerelle: RunningGateway, inside: httpx.Client, tmp_path: Path
) -> None:
    record = record_of(passerelle, TILLEULS, "R0001")
    path = f"/identites/{TILLEULS}/{record['id']}"
    masked = seen(inside, path)
    assert 'class="datamatrix"' not in masked.text
    asked = {"csrf": csrf_of(masked), "act": "reveal", "reason": "impression"}
    shown = inside.post(path, data=asked).text
    assert_inert(shown, path)
    (drawn,) = re.findall(r'<figure class="datamatrix">(<svg.*?</svg>)', shown)
    assert f"S1{MATRICULE}" in read(painted(drawn, tmp_path / "symbol.pgm"))
    act(passerelle, record, "status", event="proof-invalidated")
    shown = inside.post(path, data=asked).text
    assert 'class="datamatrix"' not in shown
    assert "INS-159" in shown
    assert "qualifiée" in shown


def test_a_form_of_another_site_changes_nothing(passerelle: RunningGateway, inside: httpx.Client) -> None:
    record = record_of(passerelle, TILLEULS, "R0001")
    path = f"/identites/{TILLEULS}/{record['id']}"
    for data in ({"act": "status", "event": "marked-doubtful"}, {"act": "reveal", "reason": "xxx", "csrf": "0" * 64}):
        assert inside.post(path, data=data).status_code == 403
    assert record_of(passerelle, TILLEULS, "R0001")["version"] == record["version"]
    with httpx.Client(base_url=str(inside.base_url), headers=HTML) as stranger:
        assert stranger.get(path).status_code == 303
        assert stranger.get("/quarantaine").status_code == 303


def test_the_queue_shows_both_identities_and_takes_a_decision(passerelle: RunningGateway, inside: httpx.Client) -> None:
    record = record_of(passerelle, TILLEULS, "R0001")
    act(passerelle, record, "status", event="proof-invalidated")
    exchange = letter_received(passerelle)
    (entry,) = waiting(passerelle)
    assert "dossier non qualifié" in seen(inside, "/quarantaine").text
    page = seen(inside, f"/quarantaine/{entry['id']}")
    assert "INS-178" in page.text
    assert page.text.count("<form") >= 6  # leave, attach, attach to another, create, copy, refuse
    assert "/quarantaine/" in seen(inside, f"/echanges/{exchange['id']}").text
    token = csrf_of(page)
    path = f"/quarantaine/{entry['id']}"
    twice = inside.post(path, data={"csrf": token, "decision": "create"})
    assert twice.status_code == 422
    assert "déjà un dossier" in twice.text
    assert inside.post(path, data={"csrf": token, "decision": "burn"}).status_code == 422
    done = inside.post(path, data={"csrf": token, "decision": "attach", "record": record["id"]})
    assert (done.status_code, done.headers["location"]) == (303, f"/identites/{TILLEULS}/{record['id']}")
    assert exchange["id"] in seen(inside, done.headers["location"]).text
    assert "rattaché" in seen(inside, path).text
    assert "Nothing waits" in seen(inside, "/quarantaine?lang=en").text
