"""A rule bypassed by derogation: asked by the API, journalled, and told on every message that breaks it (INS-204)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from adapters.testing.running import RunningGateway
from tests.support.command import Ran
from tests.support.command import passerelle as command
from tests.support.indexes import HOSPITAL, act, record_of
from tests.support.live import LETTER, SENDER, api, plain_mail, send_sample

SUSPENDED = "ancienne.adresse@ehpad-la-source.val-de-brume.mssante.fr"
SUSPENDED_RULE = "GW-ENV-03"
WHO = {"by": "aubry-paul", "reason": "recette du lot 3"}


@contextmanager
def bypassed(gateway: RunningGateway, rule: str, severity: str) -> Iterator[None]:
    with api(gateway) as http:
        answer = http.put(f"/rules/{rule}/override", json={"severity": severity, **WHO})
        assert answer.status_code == 200, answer.text
        try:
            yield
        finally:
            assert http.post(f"/rules/{rule}/override/lift", json=WHO).status_code == 204


def test_a_message_that_breaks_a_bypassed_rule_passes_and_says_so(passerelle: RunningGateway) -> None:
    act(passerelle, record_of(passerelle, HOSPITAL, "CH000101"), "status", event="proof-invalidated")
    assert send_sample(passerelle, LETTER).code == 554
    with bypassed(passerelle, "INS-072", "silenced"):
        assert [o["rule"] for o in passerelle.get("/rules/overrides")] == ["INS-072"]
        assert send_sample(passerelle, LETTER).code == 250
        exchange = passerelle.wait_for(door="smtp-submission", rule="INS-204")
        (told,) = [f for f in exchange["findings"] if f["rule"] == "INS-204"]
        assert "INS-072" not in [f["rule"] for f in exchange["findings"]]
        assert exchange["summary"]["outcome"] == "accept_with_alerts"
        assert told["received"]["fr"] == "INS-072 : ignorée"
        assert told["values"][0]["path"].startswith("aubry-paul 20")
        assert told["values"][0]["value"] == "recette du lot 3"
    assert passerelle.get("/rules/overrides") == []
    assert send_sample(passerelle, LETTER).code == 554
    journal = [e["data"] for e in passerelle.get("/journal")["events"] if e["kind"] == "rule-override"]
    assert [(e["rule"], e["now"], e["by"], e["reason"]) for e in journal] == [
        ("INS-072", "silenced", *WHO.values()),
        ("INS-072", "card", *WHO.values()),
    ]


def test_a_message_that_breaks_nothing_is_not_told_of_derogations(passerelle: RunningGateway) -> None:
    with bypassed(passerelle, "INS-072", "info"):
        assert send_sample(passerelle, LETTER).code == 250
        exchange = passerelle.wait_for(door="smtp-submission")
        assert "INS-204" not in exchange["summary"]["rules"]


def test_a_derogation_that_says_neither_who_nor_why_is_refused_in_both_languages(passerelle: RunningGateway) -> None:
    with api(passerelle) as http:
        answer = http.put("/rules/INS-072/override", json={"severity": "info", "by": "", "reason": "x"})
        assert (answer.status_code, answer.json()["rule"]) == (422, "INS-204")
        assert set(answer.json()["why"]) == {"fr", "en"}
        assert http.put("/rules/INS-204/override", json={"severity": "info", **WHO}).status_code == 422
        assert http.post("/rules/INS-072/override/lift", json=WHO).status_code == 404
    assert passerelle.get("/rules/overrides") == []


def test_a_rule_of_the_session_that_was_bypassed_is_told_on_the_mail_it_let_in(passerelle: RunningGateway) -> None:
    with bypassed(passerelle, SUSPENDED_RULE, "silenced"):
        assert passerelle.submit(plain_mail(to=SUSPENDED), SENDER, SUSPENDED).code == 250
        arrived = passerelle.wait_for(door="smtp-reception", rule="INS-204")
    (told,) = [f for f in arrived["findings"] if f["rule"] == "INS-204"]
    assert told["received"]["en"] == f"{SUSPENDED_RULE}: silenced"
    assert arrived["summary"]["outcome"] == "accept_with_alerts"


def test_a_rule_is_lowered_listed_and_lifted_from_the_command_line_and_the_console_shows_it(
    passerelle: RunningGateway,
) -> None:
    def run(*words: str) -> Ran:
        return command("derogations", *words, "--data", passerelle.data)

    assert "Aucune" in run("list").out
    changed = run("set", "INS-072", "warning", "--reason", "recette du lot 4", "--by", "aubry-paul")
    assert (changed.code, "→ Alerte" in changed.out) == (0, True), changed.all
    try:
        listed = run("list", "--lang", "en").out
        assert all(word in listed for word in ("INS-072", "Blocking", "Warning", "aubry-paul", "recette du lot 4"))
        page = httpx.Client(base_url=f"http://127.0.0.1:{passerelle.port('http')}")
        page.post("/entrer", data={"token": passerelle.run["token"]})
        assert "recette du lot 4" in page.get("/regles").text
    finally:
        assert run("lift", "INS-072", "--reason", "fin de recette").code == 0
    assert run("lift", "INS-072", "--reason", "encore").code == 1
    wrong = run("set", "INS-072", "grave", "--reason", "x")
    assert (wrong.code, "silenced" in wrong.err) == (2, True)
    unknown = run("set", "INS-999", "info", "--reason", "x")
    assert (unknown.code, "INS-999" in unknown.err, "Traceback" in unknown.err) == (1, True, False)
