"""What senders are told, on real sockets: reports of failure, delay and success, partial refusals, citizens not there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message
from typing import Any

import pytest

from adapters.player.world import Composed
from adapters.testing.running import launch
from tests.support.correspondents import (
    EMERGENCY,
    GERIATRICS,
    GLYCINES,
    SIAO,
    SOURCE,
    SUSPENDED,
    TILLEULS,
    Found,
    Letter,
    Town,
)

UNKNOWN = "inconnu@ehpad-les-tilleuls.val-de-brume.mssante.fr"
PATIENTS = "patient.mssante.fr"
ANSWERS_ALL = f"reponse.automatique-test@{PATIENTS}"
# an hour passes in a quarter of a second: the delay is told after 1 s, and a mail given up after 12 s
FAST = {"PASSERELLE_RETRY_SPEED": "14400", "PASSERELLE_LANG": "fr"}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    gateway = launch(tmp_path_factory.mktemp("notices"), FAST, 120)
    yield Town(gateway)
    gateway.stop()


def parts_of(found: Found) -> list[Message]:
    """Text, status, original."""
    assert found.mail.get_content_type() == "multipart/report"
    assert found.mail.get_param("report-type") == "delivery-status"
    return list(found.mail.iter_parts())  # type: ignore[attr-defined]


def statuses(found: Found) -> list[Message]:
    """The groups of message/delivery-status: one about the mail, then one for each recipient."""
    groups = parts_of(found)[1].get_payload()
    assert isinstance(groups, list)
    return [g for g in groups if isinstance(g, Message)]


def text_of(found: Found) -> str:
    body = next(p for p in found.mail.walk() if p.get_content_type() == "text/plain")
    return str(body.get_content())  # type: ignore[attr-defined]


def fates(found: list[Found]) -> list[tuple[str, str, str]]:
    """(recipient, action, status) of each recipient of each report."""
    return [
        (str(g["Final-Recipient"]).partition("; ")[2].strip(), str(g["Action"]), str(g["Status"]))
        for one in found
        for g in statuses(one)[1:]
    ]


def original_of(found: Found) -> bytes:
    """What stands in the last part, octet for octet."""
    boundary = str(found.mail.get_boundary()).encode()
    last = found.raw.split(b"--" + boundary)[-2]
    return last.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")


# --------------------------------------------------------------------------------------------------------------- failure


def test_a_sender_learns_who_refused_why_and_how_to_mend_it(town: Town) -> None:
    letter = town.write(GERIATRICS, UNKNOWN, more="X-Essai: =?utf-8?q?=C3=A9?=\r\n")
    asked = ["NOTIFY=FAILURE,DELAY", "ORCPT=rfc822;ancien+2Bnom@ehpad.fr"]
    code, _ = town.send(letter, GERIATRICS, [UNKNOWN], options=["RET=FULL", "ENVID=lot+2B1"], dsn={UNKNOWN: asked})
    assert code == 250
    (found,) = town.about(letter, GERIATRICS)
    mail = found.mail
    assert "postmaster@ch-brumeval.val-de-brume.mssante.fr" in str(mail["From"])
    assert (str(mail["To"]), mail["Auto-Submitted"]) == (GERIATRICS, "auto-replied")
    about, told = statuses(found)
    assert about["Original-Envelope-Id"] == "lot+1"
    assert about["Reporting-MTA"] == "dns; smtp.plateau.val-de-brume.mssante.fr"
    assert told["Original-Recipient"] == "rfc822; ancien+nom@ehpad.fr"
    assert told["Remote-MTA"] == "dns; smtp.grades.val-de-brume.mssante.fr"
    assert "550 5.1.1 GW-ENV-02" in told["Diagnostic-Code"]
    assert told["X-Passerelle-SMTPERRORCODE"] == "550"
    assert fates([found]) == [(UNKNOWN, "failed", "5.1.1")]
    text = text_of(found)
    assert "Cause : BAL inconnue" in text
    assert "Que faire : Vérifiez l'adresse" in text
    assert "What to do: Check the address" in text
    assert original_of(found) == letter.raw


def test_the_report_is_an_exchange_of_the_story_and_its_mail_is_not_quarantined(town: Town) -> None:
    letter = town.write(GERIATRICS, UNKNOWN)
    town.send(letter, GERIATRICS, [UNKNOWN])
    (found,) = town.about(letter, GERIATRICS)
    sent, notice = town.story(letter)
    assert (notice["summary"]["door"], notice["parent_id"]) == ("notice", sent["id"])
    assert notice["summary"]["notice"] == "failed"
    assert [e["kind"] for e in sent["events"]] == ["received", "decided", "dead"]
    assert [e["kind"] for e in notice["events"]] == ["notified", "delivered"]
    assert f"<{notice['summary']['message_id']}>" == found.mail["Message-ID"]
    assert found.flags == ()
    listed = town.gateway.get("/exchanges", door="notice", participant=GERIATRICS)["exchanges"]
    assert notice["id"] in [e["id"] for e in listed]


def test_headers_alone_go_back_when_the_sender_asks_so(town: Town) -> None:
    letter = town.write(GERIATRICS, UNKNOWN)
    town.send(letter, GERIATRICS, [UNKNOWN], options=["RET=HDRS"])
    (found,) = town.about(letter, GERIATRICS)
    assert parts_of(found)[2].get_content_type() == "text/rfc822-headers"
    assert original_of(found).strip() == letter.raw.partition(b"\r\n\r\n")[0]


@pytest.mark.parametrize("notify", ["NEVER", "SUCCESS"])
def test_a_sender_who_wants_no_failure_report_gets_none(town: Town, notify: str) -> None:
    letter = town.write(GERIATRICS, UNKNOWN)
    town.send(letter, GERIATRICS, [UNKNOWN], dsn={UNKNOWN: [f"NOTIFY={notify}"]})
    town.wait(lambda: town.happened(letter), lambda kinds: "dead" in kinds)
    assert [h["summary"]["door"] for h in town.story(letter)] == ["smtp-submission"]


def test_nothing_is_told_about_a_mail_without_a_sender(town: Town) -> None:
    letter = town.write(GERIATRICS, UNKNOWN)
    town.send(letter, "", [UNKNOWN], login=GERIATRICS, dsn={UNKNOWN: ["NOTIFY=SUCCESS,FAILURE,DELAY"]})
    town.wait(lambda: town.happened(letter), lambda kinds: "dead" in kinds)
    assert [h["summary"]["door"] for h in town.story(letter)] == ["smtp-submission"]


def test_each_recipient_is_reached_once_told_once_and_given_up_alone(town: Town) -> None:
    letter = town.write(GERIATRICS, TILLEULS, UNKNOWN, SOURCE, SUSPENDED)
    town.send(letter, GERIATRICS, [TILLEULS, UNKNOWN, SOURCE, SUSPENDED])
    found = town.about(letter, GERIATRICS, 60, count=3)
    assert fates(found) == [
        (UNKNOWN, "failed", "5.1.1"),
        (SUSPENDED, "delayed", "4.2.1"),
        (SUSPENDED, "failed", "4.2.1"),
    ]
    assert statuses(found[1])[1]["Will-Retry-Until"]
    assert "Abandon prévu" in text_of(found[1])
    assert "sans succès" in text_of(found[2])
    (arrived,) = town.exchanges(letter, "smtp-reception")[:1]
    assert arrived["summary"]["recipients"] in ([TILLEULS], [SOURCE])
    assert len(town.exchanges(letter, "smtp-reception")) == 2  # one for each domain, none repeated
    for address in (TILLEULS, SOURCE):
        copies = [f for f in town.inbox(address) if f.mail["Message-ID"] == f"<{letter.message_id}>"]
        assert len(copies) == 1
    kinds = town.happened(letter)
    assert (kinds.count("relayed"), kinds.count("dead"), kinds.count("duplicate")) == (2, 2, 0)


# --------------------------------------------------------------------------------------------------------------- success


def test_success_is_told_by_the_operator_that_holds_the_mailbox(town: Town) -> None:
    letter = town.write(GERIATRICS, TILLEULS, GLYCINES)
    town.send(letter, GERIATRICS, [TILLEULS, GLYCINES], dsn={TILLEULS: ["NOTIFY=SUCCESS"], GLYCINES: ["NOTIFY=NEVER"]})
    (found,) = town.about(letter, GERIATRICS)
    assert fates([found]) == [(TILLEULS, "delivered", "2.1.5")]
    assert statuses(found)[0]["Reporting-MTA"] == "dns; smtp.grades.val-de-brume.mssante.fr"
    assert "postmaster@ehpad-les-tilleuls" in str(found.mail["From"])
    assert parts_of(found)[2].get_content_type() == "text/rfc822-headers"
    assert found.flags == ()
    doors = [h["summary"]["door"] for h in town.story(letter)]
    assert sorted(doors) == ["notice", "smtp-reception", "smtp-reception", "smtp-reception", "smtp-submission"]


def test_success_at_the_same_operator_is_told_as_well(town: Town) -> None:
    letter = town.write(GERIATRICS, EMERGENCY)
    town.send(letter, GERIATRICS, [EMERGENCY], dsn={EMERGENCY: ["NOTIFY=SUCCESS"]})
    (found,) = town.about(letter, GERIATRICS)
    assert fates([found]) == [(EMERGENCY, "delivered", "2.1.5")]
    assert [h["summary"]["door"] for h in town.story(letter)] == ["smtp-submission", "notice"]


def test_the_same_mail_sent_twice_is_reported_once(town: Town) -> None:
    letter = town.write(GERIATRICS, EMERGENCY)
    for _ in range(2):
        assert town.send(letter, GERIATRICS, [EMERGENCY], dsn={EMERGENCY: ["NOTIFY=SUCCESS"]})[0] == 250
    first, second = (h for h in town.story(letter) if h["summary"]["door"] == "smtp-submission")
    assert ([d["kind"] for d in first["deliveries"]], second["deliveries"]) == (["notice"], [])
    assert len(town.about(letter, GERIATRICS)) == 1


# --------------------------------------------------------------------------------------------------------------- restart


def test_who_was_reached_and_who_is_left_survive_a_kill(tmp_path: Any) -> None:
    settings = {
        "PASSERELLE_RETRY_SPEED": "60",
        "PASSERELLE_LEASE_S": "2",
    }  # the second attempt comes after five seconds
    gateway = launch(tmp_path, settings, 120)
    town = Town(gateway)
    left = SUSPENDED.replace("ancienne.adresse", "pleine")
    letter = town.write(GERIATRICS, SOURCE, left)
    try:
        town.send(letter, GERIATRICS, [SOURCE, left])
        town.wait(lambda: town.happened(letter), lambda kinds: "deferred" in kinds)
    finally:
        gateway.kill()
    gateway = launch(tmp_path, settings, 120)
    try:
        town = Town(gateway)
        kinds = town.wait(lambda: town.happened(letter), lambda kinds: kinds.count("deferred") == 2)
        assert (kinds.count("relayed"), kinds.count("duplicate")) == (1, 0)
        assert len(town.exchanges(letter, "smtp-reception")) == 1
    finally:
        gateway.stop()


# --------------------------------------------------------------------------------------------------------------- partial


def document_to(town: Town, *recipients: str) -> Letter:
    """A letter of liaison with its CDA, which a SIAO may not receive."""
    world = town.world
    record = world.record(
        "lettre-sortie", world.patient("delmas-suzanne"), world.structure("ch-brumeval"), _author(town)
    )
    mail: Composed = world.mail(GERIATRICS, recipients[0], record)
    return Letter(mail.message_id, mail.raw)


def _author(town: Town) -> Any:
    return town.world.professional("vannier-claire")


def test_by_default_one_recipient_that_may_not_receive_stops_the_mail_for_all_by_name(town: Town) -> None:
    letter = document_to(town, TILLEULS, SIAO)
    code, text = town.send(letter, GERIATRICS, [TILLEULS, SIAO])
    assert code == 554
    assert "GW-RIGHTS-01" in text
    assert SIAO in text
    (refused,) = town.story(letter)
    assert refused["summary"]["outcome"] == "reject"
    assert refused["deliveries"] == []


def test_with_partial_the_others_receive_and_the_sender_is_told_who_does_not(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    settings = {**FAST, "PASSERELLE_POLICY__PARTIAL": "true"}
    gateway = launch(tmp_path_factory.mktemp("partial"), settings, 120)
    try:
        town = Town(gateway)
        letter = document_to(town, TILLEULS, SIAO)
        code, text = town.send(letter, GERIATRICS, [TILLEULS, SIAO])
        assert code == 250
        assert f"non transmis a {SIAO}" in text
        (found,) = town.about(letter, GERIATRICS)
        assert fates([found]) == [(SIAO, "failed", "5.7.1")]
        assert "GW-RIGHTS-01" in statuses(found)[1]["Diagnostic-Code"]
        assert "Retirez ce destinataire" in text_of(found)
        assert "Remove this recipient" in text_of(found)
        sent = next(h for h in town.story(letter) if h["summary"]["door"] == "smtp-submission")
        assert (sent["summary"]["outcome"], sent["summary"]["excluded"]) == ("accept_with_alerts", [SIAO])
        town.wait(lambda: [f for f in town.inbox(TILLEULS) if f.mail["Message-ID"] == f"<{letter.message_id}>"], len)
        assert not [f for f in town.inbox(SIAO) if f.mail["Message-ID"] == f"<{letter.message_id}>"]
        alone = document_to(town, SIAO)
        assert town.send(alone, GERIATRICS, [SIAO])[0] == 554  # nobody would be left
    finally:
        gateway.stop()


# -------------------------------------------------------------------------------------------------------------- citizens


def undelivered(town: Town, letter: Letter, cause: str) -> Found:
    (found,) = town.about(letter, GERIATRICS)
    mail = found.mail
    assert f"<ne-pas-repondre@{PATIENTS}>" in str(mail["From"])
    assert (str(mail["Subject"]), mail["Auto-Submitted"]) == ("Message non distribué", "auto-replied")
    assert re.search(rf"^Cause: {cause}\r?$", text_of(found), re.MULTILINE)
    assert original_of(found) == letter.raw
    assert found.flags == ()  # neither judged as a health mail nor set aside
    return found


def test_a_mail_to_a_citizen_nobody_knows_comes_back_by_mail_and_is_kept_in_no_mailbox(town: Town) -> None:
    to = f"{town.world.patient('mercier-jeanne-1938').matricule}@{PATIENTS}"
    letter = town.write(GERIATRICS, to)
    assert town.send(letter, GERIATRICS, [to])[0] == 250
    undelivered(town, letter, "PATIENT_NON_TROUVE")
    sent, arrived, notice, back = town.story(letter)
    assert [e["kind"] for e in arrived["events"]] == ["received", "decided"]
    assert (notice["summary"]["notice"], notice["parent_id"]) == ("undelivered", arrived["id"])
    assert [e["kind"] for e in notice["events"]] == ["notified", "relayed"]
    assert (back["summary"]["outcome"], back["summary"]["mail_from"]) == ("accept", "")
    assert sent["summary"]["door"] == "smtp-submission"
    shown = str(town.story(letter))
    assert to.partition("@")[0] not in shown


def test_a_mail_to_a_closed_mailbox_comes_back_by_mail(town: Town) -> None:
    citizen = next(m for m in town.world.territory.mailboxes.values() if m.address.endswith(f"@{PATIENTS}"))
    fields = [f"address={citizen.address}", "kind=PATIENT", "operator=op-citoyen", f"holder={citizen.holder}"]
    town.gateway.post("/actors", {"kind": "bal", "fields": [*fields, "state=deleted"]})
    letter = town.write(GERIATRICS, citizen.address)
    try:
        assert town.send(letter, GERIATRICS, [citizen.address])[0] == 250
        undelivered(town, letter, "MESSAGERIE_FERMEE")
    finally:
        town.gateway.post("/actors", {"kind": "bal", "fields": [*fields, "state=active"]})
    again = town.write(GERIATRICS, citizen.address)
    town.send(again, GERIATRICS, [citizen.address])
    town.wait(lambda: town.happened(again), lambda kinds: "delivered" in kinds)


def test_a_malformed_citizen_address_is_accepted_by_its_operator_and_comes_back_by_mail(town: Town) -> None:
    to = f"jeanne.mercier@{PATIENTS}"
    letter = town.write(GERIATRICS, to)
    assert town.send_as_operator("op-plateau", "op-citoyen", letter, GERIATRICS, [to])[0] == 250
    undelivered(town, letter, "ADRESSE_INVALIDE")


def test_the_document_returned_with_the_mail_is_evidence_and_is_not_judged_again(town: Town) -> None:
    patient = town.world.patient("mercier-jeanne-1938")
    to = f"{patient.matricule}@{PATIENTS}"
    world = town.world
    record = world.record("lettre-sortie", patient, world.structure("ch-brumeval"), _author(town))
    mail = world.mail(GERIATRICS, to, record)
    letter = Letter(mail.message_id, mail.raw)
    code, text = town.send_as_operator("op-plateau", "op-citoyen", letter, GERIATRICS, [to])
    assert code == 250, text
    undelivered(town, letter, "PATIENT_NON_TROUVE")
    back = town.story(letter)[-1]
    assert (back["summary"]["documents"], back["summary"]["rules"]) == ([], [])


def test_the_test_mailbox_answers_everyone_but_machines(town: Town) -> None:
    letter = town.write(GERIATRICS, ANSWERS_ALL, subject="Essai de raccordement")
    assert town.send(letter, GERIATRICS, [ANSWERS_ALL])[0] == 250
    (found,) = town.about(letter, GERIATRICS)
    assert f"<{ANSWERS_ALL}>" in str(found.mail["From"])
    assert letter.message_id in text_of(found)
    machine = town.write(GERIATRICS, ANSWERS_ALL, more="Auto-Submitted: auto-generated\r\n")
    assert town.send(machine, GERIATRICS, [ANSWERS_ALL])[0] == 250
    town.wait(lambda: town.exchanges(machine, "smtp-reception"), len)
    assert [h["summary"]["door"] for h in town.story(machine)] == ["smtp-submission", "smtp-reception"]
    assert town.story(machine)[1]["deliveries"] == []
