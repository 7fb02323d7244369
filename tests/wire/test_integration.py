"""Matching on receipt through real doors: a letter sent, relayed, received, and what the recipient's index makes of it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from adapters.testing.running import RunningGateway
from gateway.samples import sample_named
from tests.support.indexes import HOSPITAL, TILLEULS, act, integrated, letter_received, record_of, waiting
from tests.support.live import LETTER, MATRICULE, NURSING_HOME, api, as_new, send_sample

GLYCINES = "ehpad-les-glycines"
NURSE = "nora.lemaire@ehpad-les-tilleuls.val-de-brume.mssante.fr"
OTHER_HOME = "soins@ehpad-les-glycines.val-de-brume.mssante.fr"
SUZANNE = {
    "birth_family": "DELMAS",
    "birth_given": "SUZANNE",
    "given_list": "SUZANNE MARIE LOUISE",
    "sex": "F",
    "birth_date": "1939-03-08",
    "birth_place": "48901",
}


def outcome(exchange: dict[str, Any]) -> tuple[int, str, str]:
    told = exchange["summary"]["integrations"][TILLEULS]
    return told["row"], told["ack"], exchange["summary"]["integration"]


def rules(exchange: dict[str, Any]) -> set[str]:
    return {f["rule"] for f in exchange["findings"]}


def flags(gateway: RunningGateway, exchange_id: str, address: str = NURSING_HOME) -> list[str]:
    mails = gateway.post("/mailboxes/messages", {"address": address})
    return next(m["flags"] for m in mails if m["exchange_id"] == exchange_id)


def test_row_1_the_exact_identity_joins_its_record_by_itself(passerelle: RunningGateway) -> None:
    exchange = letter_received(passerelle)
    assert outcome(exchange) == (1, "", "allowed")
    assert "INS-161" in rules(exchange)
    assert flags(passerelle, exchange["id"]) == []
    assert waiting(passerelle) == []
    record = record_of(passerelle, TILLEULS, "R0001")
    assert passerelle.get(f"/patients/{TILLEULS}/{record['id']}/history")["exchanges"] == [exchange["id"]]


@pytest.mark.parametrize(
    ("event", "row", "rule"),
    [
        ("proof-invalidated", 2, "INS-178"),
        ("insi-invalidated", 6, "INS-175"),
        ("marked-doubtful", 16, "INS-177"),
        ("marked-homonym", 1, "INS-077"),
    ],
)
def test_the_status_of_the_local_record_stops_what_it_should(
    passerelle: RunningGateway, event: str, row: int, rule: str
) -> None:
    act(passerelle, record_of(passerelle, TILLEULS, "R0001"), "status", event=event)
    exchange = letter_received(passerelle)
    assert outcome(exchange) == (row, "904", "stopped")
    assert rule in rules(exchange)
    assert exchange["summary"]["outcome"] == "accept"
    assert flags(passerelle, exchange["id"]) == ["$Quarantaine"]
    assert MATRICULE not in str(exchange)


def elsewhere(gateway: RunningGateway) -> dict[str, Any]:
    """The same letter sent to another nursing home, once it met that index."""
    sample = sample_named(LETTER)
    assert sample.envelope is not None
    reply = gateway.submit(as_new(sample.build()), sample.envelope.mail_from, OTHER_HOME)
    assert reply.code == 250, reply
    return integrated(gateway, gateway.wait_for(door="smtp-reception", participant=OTHER_HOME)["id"], GLYCINES)


@pytest.mark.parametrize(
    ("known", "row", "ack", "rule"),
    [
        (None, 10, "902", "INS-176"),
        ({}, 8, "904", "INS-170"),
        ({"birth_given": "JEANNE", "given_list": "JEANNE MARIE"}, 9, "904", "INS-174"),
        ({"birth_family": "DELMAZ"}, 10, "902", "INS-180"),
    ],
)
def test_an_ins_the_index_does_not_hold_is_never_attached_by_traits(
    passerelle: RunningGateway, known: dict[str, str] | None, row: int, ack: str, rule: str
) -> None:
    if known is not None:
        passerelle.post(f"/patients/{GLYCINES}", {**SUZANNE, **known})
    exchange = elsewhere(passerelle)
    told = exchange["summary"]["integrations"][GLYCINES]
    assert (told["row"], told["ack"], exchange["summary"]["integration"]) == (row, ack, "stopped")
    assert rule in rules(exchange)
    (entry,) = waiting(passerelle, GLYCINES)
    assert len(entry["candidates"]) == (0 if known is None else 1)


def test_row_5_the_same_ins_on_other_traits_overwrites_nothing(passerelle: RunningGateway) -> None:
    record = record_of(passerelle, TILLEULS, "R0001")
    change = {"person": "delmas-suzanne", "trait": "family", "value": "DURAND"}
    with api(passerelle) as http:
        http.put("/insi/faults", json={"changes": [change]})
        try:
            record = act(passerelle, record, "traits", **{**SUZANNE, "birth_family": "DURAND"})
            answer = passerelle.post(f"/patients/{TILLEULS}/{record['id']}/insi", {})["answer"]
        finally:
            http.put("/insi/faults", json={})
    record = act(passerelle, record, "insi/confirm", sha256=answer["sha256"])
    exchange = letter_received(passerelle)
    assert outcome(exchange) == (5, "904", "stopped")
    assert "INS-171" in rules(exchange)
    assert record_of(passerelle, TILLEULS, "R0001")["version"] == record["version"]


def test_the_queue_shows_what_was_received_beside_the_local_record(passerelle: RunningGateway) -> None:
    act(passerelle, record_of(passerelle, TILLEULS, "R0001"), "status", event="proof-invalidated")
    exchange = letter_received(passerelle)
    (entry,) = waiting(passerelle)
    full = passerelle.get(f"/quarantine/{entry['id']}")
    assert full["exchange_id"] == exchange["id"]
    assert [b["ipp"] for b in full["beside"]] == ["R0001"]
    assert all(line["same"] for line in full["beside"][0]["lines"])


def decide(gateway: RunningGateway, entry: dict[str, Any], status: int = 200, **body: str) -> dict[str, Any]:
    with api(gateway) as http:
        answer = http.post(f"/quarantine/{entry['id']}/decide", json=body)
        assert answer.status_code == status, answer.text
        told: dict[str, Any] = answer.json()
        return told


def stopped(gateway: RunningGateway) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """A letter that waits: its exchange, its entry, the record it is about."""
    record = act(gateway, record_of(gateway, TILLEULS, "R0001"), "status", event="insi-invalidated")
    exchange = letter_received(gateway)
    (entry,) = waiting(gateway)
    return exchange, entry, record


def test_attach_joins_the_record_and_promotes_nothing(passerelle: RunningGateway) -> None:
    exchange, entry, record = stopped(passerelle)
    other = record_of(passerelle, HOSPITAL, "CH000101")
    assert decide(passerelle, entry, 422, decision="attach", record=other["id"])["rule"] == "INS-176"
    assert decide(passerelle, entry, 422, decision="attach")["code"] == "record-missing"
    done = decide(passerelle, entry, decision="attach", record=record["id"], by="aubry-paul")
    assert done["state"] == "attached"
    assert flags(passerelle, exchange["id"]) == []
    assert passerelle.get(f"/exchanges/{exchange['id']}")["summary"]["integration"] == "allowed"
    after = record_of(passerelle, TILLEULS, "R0001")
    assert (after["status"], after["ins"]) == ("VALI", None)
    assert decide(passerelle, entry, 409, decision="refuse")["code"] == "already-decided"
    told = [e["data"] for e in passerelle.get("/journal")["events"] if e["kind"] == "quarantine-decided"]
    assert [(t["state"], t["by"], t["row"]) for t in told] == [("attached", "aubry-paul", 6)]


def test_create_keeps_the_received_ins_aside_until_insi_verifies_it(passerelle: RunningGateway) -> None:
    _, known, _ = stopped(passerelle)
    assert decide(passerelle, known, 422, decision="create")["rule"] == "INS-179"
    elsewhere(passerelle)
    (entry,) = waiting(passerelle, GLYCINES)
    done = decide(passerelle, entry, decision="create", ipp="R7777")
    made = record_of(passerelle, GLYCINES, "R7777")
    assert done["remarks"] == []
    assert (done["state"], done["record"]) == ("created", made["id"])
    assert (made["status"], made["ins"], made["origin"], made["sends_ins"]) == ("PROV", None, "RECD", False)
    assert made["ins_received"]["matricule"] == "2390·········55"
    path = f"/patients/{GLYCINES}/{made['id']}"
    with api(passerelle) as http:
        bare = http.post(f"{path}/status", json={"event": "insi-confirmed"})
        assert (bare.status_code, bare.json()["rule"]) == (422, "INS-170")
    answer = passerelle.post(f"{path}/insi", {"verify": True})["answer"]
    verified = act(passerelle, made, "insi/confirm", sha256=answer["sha256"])
    assert (verified["status"], verified["ins_received"]) == ("RECUP", None)


def test_a_record_that_says_otherwise_is_joined_once_somebody_says_so(passerelle: RunningGateway) -> None:
    exchange, entry, record = stopped(passerelle)
    act(passerelle, record, "traits", **{**SUZANNE, "birth_family": "DURAND"}, still_proven=True)
    told = decide(passerelle, entry, 422, decision="attach", record=record["id"])
    assert (told["rule"], "nom de naissance" in str(told["why"])) == ("INS-180", True)
    (beside,) = passerelle.get(f"/quarantine/{entry['id']}")["beside"]
    assert beside["differences"] == ["birth_family"]
    line = [sys.executable, "-m", "adapters.cli.main", "quarantine", "decide", entry["id"], "attach"]
    line += ["--ipp", "R0001", "--data", str(passerelle.data)]
    assert subprocess.run(line, capture_output=True, check=False).returncode == 1
    assert subprocess.run([*line, "--accept-differences"], capture_output=True, check=False).returncode == 0
    assert passerelle.get(f"/exchanges/{exchange['id']}")["summary"]["integration"] == "allowed"
    told = decide(passerelle, entry, 409, decision="refuse")
    assert (told["code"], told["state"]) == ("already-decided", "attached")


def test_refuse_leaves_the_mail_readable_and_marked(passerelle: RunningGateway) -> None:
    exchange, entry, _ = stopped(passerelle)
    assert decide(passerelle, entry, decision="refuse", note="pas chez nous")["state"] == "refused"
    assert flags(passerelle, exchange["id"]) == ["$Quarantaine"]
    assert passerelle.get(f"/exchanges/{exchange['id']}")["summary"]["integration"] == "stopped"
    with passerelle.imap(NURSING_HOME) as client:
        assert client.search(None, "ALL")[1] == [b"1"]


def test_a_copy_without_the_ins_is_a_new_linked_exchange_and_the_original_stays(passerelle: RunningGateway) -> None:
    exchange, entry, _ = stopped(passerelle)
    copy_id = decide(passerelle, entry, decision="copy")["copy"]
    copy = passerelle.get(f"/exchanges/{copy_id}")
    assert (copy["parent_id"], copy["summary"]["copy_of"]) == (exchange["id"], exchange["id"])
    assert copy["correlation_id"] == exchange["correlation_id"]
    inside = passerelle.get(f"/exchanges/{copy_id}/opened")["identities"]
    assert [i["matricule"] for i in inside] == [""] * len(inside)
    assert "$SansINS" in flags(passerelle, copy_id)
    assert passerelle.get(f"/exchanges/{exchange['id']}")["sha256"] == exchange["sha256"]
    assert any(i["matricule"] for i in passerelle.get(f"/exchanges/{exchange['id']}/opened")["identities"])


def test_the_same_mail_sent_twice_is_integrated_once(passerelle: RunningGateway) -> None:
    sample = sample_named(LETTER)
    assert sample.envelope is not None
    raw = as_new(sample.build())
    for _ in range(2):
        assert passerelle.submit(raw, sample.envelope.mail_from, *sample.envelope.recipients).code == 250
    integrated(passerelle, passerelle.wait_for(door="smtp-reception")["id"])
    letter_received(passerelle)  # another one, after both: whatever was owed to the first two is done
    joined = [e for e in passerelle.get("/journal")["events"] if e["kind"] == "integrated"]
    assert len(joined) == 2


def test_a_copy_of_the_same_mail_in_another_mailbox_of_the_structure_is_stopped_too(passerelle: RunningGateway) -> None:
    act(passerelle, record_of(passerelle, TILLEULS, "R0001"), "status", event="proof-invalidated")
    sample = sample_named(LETTER)
    assert sample.envelope is not None
    raw = as_new(sample.build())
    for address in (NURSING_HOME, NURSE):
        assert passerelle.submit(raw, sample.envelope.mail_from, address).code == 250
        received = passerelle.wait_for(door="smtp-reception", participant=address)
        exchange = integrated(passerelle, received["id"])
        assert outcome(exchange) == (2, "904", "stopped")
        assert "duplicate_of" not in exchange["summary"]
        assert flags(passerelle, exchange["id"], address) == ["$Quarantaine"]
    assert len(waiting(passerelle)) == 2


def test_an_ins_does_not_leave_a_structure_whose_record_is_not_qualified(passerelle: RunningGateway) -> None:
    act(passerelle, record_of(passerelle, HOSPITAL, "CH000101"), "status", event="proof-invalidated")
    reply = send_sample(passerelle, LETTER)
    assert reply.code == 554
    refused = passerelle.wait_for(door="smtp-submission", rule="INS-072")
    assert refused["summary"]["outcome"] == "reject"
    (finding,) = [f for f in refused["findings"] if f["rule"] == "INS-072"]
    assert finding["values"][-1] == {"container": "index:ch-brumeval", "path": "IPP CH000101", "value": "RECUP"}
    assert MATRICULE not in reply.text + str(refused)


def test_a_doubtful_record_forbids_its_ins_by_the_number_beside_it(passerelle: RunningGateway) -> None:
    act(passerelle, record_of(passerelle, HOSPITAL, "CH000101"), "status", event="marked-doubtful")
    assert send_sample(passerelle, LETTER).code == 554
    assert passerelle.wait_for(door="smtp-submission", rule="INS-074")["summary"]["outcome"] == "reject"


def test_the_queue_is_decided_from_the_command_line(passerelle: RunningGateway) -> None:
    _, entry, _ = stopped(passerelle)
    line = [sys.executable, "-m", "adapters.cli.main", "quarantine", "decide", entry["id"], "attach"]
    line += ["--ipp", "R0001", "--data", str(passerelle.data)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()[0]) == (0, "rattaché"), done.stderr
    assert waiting(passerelle) == []
    elsewhere(passerelle)
    (entry,) = waiting(passerelle, GLYCINES)
    line = [*line[:4], "decide", entry["id"], "refuse", "--json", "--data", str(passerelle.data)]
    told = json.loads(subprocess.run(line, capture_output=True, text=True, check=True).stdout)
    assert told == {"state": "refused", "record": "", "copy": "", "remarks": []}
