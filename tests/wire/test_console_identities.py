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
    assert re.findall(r'<option value="([a-z-]*marked[a-z-]*)"', page) == [
        "marked-doubtful",
        "marked-fictive",
        "marked-homonym",
    ]
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
    twin = inside.post(path, data={"csrf": token, **entered, "birth_date": "1937"})
    assert "INS-077" in seen(inside, twin.headers["location"]).text
    version = re.search(r'name="version" value="(\d+)"', inside.get(record).text)
    assert version
    fields = {"csrf": token, "version": version[1]}
    refused = inside.post(record, data={**fields, "act": "status", "event": "proof-checked"})
    assert refused.status_code == 422
    assert "INS-080" in refused.text
    assert inside.post(record, data={**fields, "act": "proof", "kind": "CN"}).status_code == 303
    stale = inside.post(record, data={**fields, "act": "status", "event": "proof-checked"})
    assert stale.status_code == 422
    assert "quelqu&#39;un a modifié ce dossier" in stale.text
    english = inside.post(f"{record}?lang=en", data={**fields, "act": "status", "event": "proof-checked"})
    assert "somebody changed" in english.text
    inside.get(f"{record}?lang=fr")
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
    assert entry["id"] in seen(inside, f"/quarantaine?structure={TILLEULS}").text
    assert entry["id"] not in seen(inside, "/quarantaine?structure=ch-brumeval").text
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


def test_a_record_that_says_otherwise_is_joined_with_a_tick(passerelle: RunningGateway, inside: httpx.Client) -> None:
    record = act(passerelle, record_of(passerelle, TILLEULS, "R0001"), "status", event="proof-invalidated")
    letter_received(passerelle)
    (entry,) = waiting(passerelle)
    path = f"/quarantaine/{entry['id']}"
    assert seen(inside, path).text.count('name="accept_differences"') == 1  # only where another record is named
    traits = {"birth_family": "DURAND", "birth_given": "SUZANNE", "given_list": "SUZANNE MARIE LOUISE", "sex": "F"}
    act(passerelle, record, "traits", **traits, birth_date="1939-03-08", birth_place="48901")
    page = seen(inside, path)
    assert page.text.count('name="accept_differences"') == 2
    fields = {"csrf": csrf_of(page), "decision": "attach", "record": record["id"]}
    refused = inside.post(path, data=fields)
    assert (refused.status_code, "nom de naissance" in refused.text) == (422, True)
    by_number = {"csrf": csrf_of(page), "decision": "attach", "accept_differences": "1"}
    nobody = inside.post(path, data={**by_number, "ipp": "R9999"})
    assert (nobody.status_code, "R9999" in nobody.text) == (422, True)
    assert inside.post(path, data={**by_number, "ipp": "R0001"}).status_code == 303


def test_clear_values_are_not_shown_without_a_reason(passerelle: RunningGateway, inside: httpx.Client) -> None:
    path = f"/identites/{TILLEULS}/{record_of(passerelle, TILLEULS, 'R0001')['id']}"
    token = csrf_of(seen(inside, path))
    for reason in ({}, {"reason": "  x  "}):
        page = inside.post(path, data={"csrf": token, "act": "reveal", **reason})
        assert page.status_code == 422
        assert MATRICULE not in page.text
        assert "trois caractères" in page.text
    assert "identity-revealed" not in {e["kind"] for e in passerelle.get("/journal")["events"]}


def test_a_form_that_no_page_made_is_refused_in_words(passerelle: RunningGateway, inside: httpx.Client) -> None:
    record = record_of(passerelle, TILLEULS, "R0001")
    path = f"/identites/{TILLEULS}/{record['id']}"
    fields = {"csrf": csrf_of(seen(inside, path)), "act": "status", "event": "marked-doubtful"}
    for version in ({}, {"version": "9" * 5000}, {"version": "x"}, {"version": "1", "act": "burn"}):
        assert inside.post(path, data={**fields, **version}).status_code == 422
    assert record_of(passerelle, TILLEULS, "R0001")["version"] == record["version"]
    index = f"/identites/{TILLEULS}"
    entered = {"birth_family": "BRUNEL", "birth_given": "ODILE", "birth_date": "1936-05"}
    wrong = {"sex": "X", "birth_place": "489070", "ipp": "A\x1bB", "deceased_on": "?", "birth_family": "A" * 101}
    for name, value in wrong.items():
        page = inside.post(index, data={"csrf": fields["csrf"], **entered, name: value})
        assert page.status_code == 422, name
        assert "À corriger" in page.text
