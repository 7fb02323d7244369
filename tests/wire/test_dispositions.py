"""What a sender who asked is told of the integration of his documents (MDN), on real sockets and read by IMAP."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import Message
from typing import Any

import pytest

from adapters.testing.running import RunningGateway, launch
from gateway.rules import load_catalogue
from tests.support.correspondents import GERIATRICS, GLYCINES, TILLEULS, Found, Letter, Town
from tests.support.indexes import act, integrated, record_of
from tests.support.live import MATRICULE

HOME, OTHER_HOME = "ehpad-les-tilleuls", "ehpad-les-glycines"
ASKED = f"Disposition-Notification-To: Secretariat <{GERIATRICS}>\r\n"
KO = "[KO Intégration système !]"


def letter(town: Town, to: str, headers: str = ASKED) -> Letter:
    """A letter of liaison with its CDA, under a Message-ID of its own."""
    world = town.world
    patient, author = world.patient("delmas-suzanne"), world.professional("vannier-claire")
    record = world.record("lettre-sortie", patient, world.structure("ch-brumeval"), author)
    mail = world.mail(GERIATRICS, to, record)
    return Letter(mail.message_id, headers.encode() + mail.raw)


def received(town: Town, sent: Letter, to: str, structure: str) -> dict[str, Any]:
    """Its reception, once the recipient's index was met: an MDN, if any, is of the same commit."""
    assert town.send(sent, GERIATRICS, [to])[0] == 250
    (hop,) = town.wait(lambda: town.exchanges(sent, "smtp-reception"), len)
    return integrated(town.gateway, hop["id"], structure)


def told(town: Town, exchange: dict[str, Any]) -> list[dict[str, Any]]:
    """The notices of an exchange."""
    hops = town.gateway.get(f"/exchanges/{exchange['id']}/story")["hops"]
    return [h for h in hops if h["summary"]["door"] == "notice"]


def fields_of(found: Found) -> Message:
    """message/disposition-notification."""
    mail = found.mail
    assert (mail.get_content_type(), mail.get_param("report-type")) == ("multipart/report", "disposition-notification")
    _, fields, _ = mail.iter_parts()  # type: ignore[attr-defined]
    (group,) = fields.get_payload()
    assert isinstance(group, Message)
    return group


def text_of(found: Found) -> str:
    body = next(p for p in found.mail.walk() if p.get_content_type() == "text/plain")
    return str(body.get_content())  # type: ignore[attr-defined]


@pytest.fixture
def town(passerelle: RunningGateway) -> Town:
    """As it is by default: failures are told to who asked."""
    return Town(passerelle)


@pytest.fixture(scope="module")
def talkative(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A gateway that tells successes too."""
    gateway = launch(tmp_path_factory.mktemp("mdn"), {"PASSERELLE_POLICY__MDN": "all"}, 120)
    yield Town(gateway)
    gateway.stop()


@pytest.mark.parametrize(
    ("event", "rule"),
    [("proof-invalidated", "INS-178"), ("insi-invalidated", "INS-175"), ("marked-doubtful", "INS-177")],
)
def test_an_integration_stopped_for_an_identity_is_told_with_the_code_of_its_rule(
    town: Town, event: str, rule: str
) -> None:
    act(town.gateway, record_of(town.gateway, HOME, "R0001"), "status", event=event)
    sent = letter(town, TILLEULS)
    exchange = received(town, sent, TILLEULS, HOME)
    (found,) = town.about(sent, GERIATRICS)
    fields = fields_of(found)
    code = load_catalogue()[rule].hl7_error
    assert fields["Disposition"] == "automatic-action/MDN-sent-automatically; processed/error"
    assert str(fields["Error"]).startswith(f"{code}^")
    assert fields["X-Passerelle-Regle"] == rule
    assert fields["Original-Message-ID"].strip() == f"<{sent.message_id}>"
    assert fields["Original-Recipient"] == fields["Final-Recipient"] == f"rfc822;{TILLEULS}"
    assert str(found.mail["Subject"]).startswith(f"{KO}[{code}] XDM/1.0/DDM+")
    assert TILLEULS in str(found.mail["From"])
    assert found.mail["Auto-Submitted"] == "auto-replied"
    assert found.raw.count(sent.raw.rstrip()) == 1  # the whole original, once
    assert found.flags == ()
    text = text_of(found)
    assert f"Code : {code}" in text
    assert f"Code: {code}" in text
    assert load_catalogue()[rule].title.fr in text
    assert load_catalogue()[rule].title.en in text
    assert MATRICULE not in text
    (notice,) = told(town, exchange)
    assert (notice["summary"]["notice"], notice["parent_id"]) == ("not-integrated", exchange["id"])
    assert notice["summary"]["rules"] == [rule]
    assert MATRICULE not in str(notice)
    assert exchange["summary"]["outcome"] == "accept"  # the mail itself was delivered


def test_a_package_that_contradicts_its_document_is_told_with_the_rule_that_saw_it(town: Town) -> None:
    world = town.world
    odette, author = world.patient("brunel-odette"), world.professional("vannier-claire")
    record = world.record("lettre-sortie", odette, world.structure("ch-brumeval"), author)
    mail = world.mail(GERIATRICS, TILLEULS, record, twin=world.patient("brunel-colette"))
    sent = Letter(mail.message_id, ASKED.encode() + mail.raw)
    serving = world.territory.operator_of_domain(TILLEULS.rpartition("@")[2])
    assert serving is not None
    assert town.send_as_operator("op-plateau", serving.id, sent, GERIATRICS, [TILLEULS])[0] == 250
    (hop,) = town.exchanges(sent, "smtp-reception")
    exchange = integrated(town.gateway, hop["id"], HOME)
    assert exchange["summary"]["integration_row"] == 0
    (found,) = town.about(sent, GERIATRICS)
    fields = fields_of(found)
    assert str(fields["Error"]).startswith("904^")
    assert load_catalogue()[str(fields["X-Passerelle-Regle"])].hl7_error == "904"
    assert str(fields["X-Passerelle-Regle"]) in exchange["summary"]["rules"]


def test_an_unknown_patient_is_902(town: Town) -> None:
    town.gateway.post(
        f"/patients/{OTHER_HOME}",
        {"birth_family": "DURAND", "birth_given": "PAUL", "sex": "M", "birth_date": "1950-01-01"},
    )
    sent = letter(town, GLYCINES)
    received(town, sent, GLYCINES, OTHER_HOME)
    (found,) = town.about(sent, GERIATRICS)
    assert fields_of(found)["Error"] == "902^Patient inconnu"


def test_a_notification_is_no_health_mail_and_owes_none_in_turn(town: Town) -> None:
    act(town.gateway, record_of(town.gateway, HOME, "R0001"), "status", event="proof-invalidated")
    sent = letter(town, TILLEULS)
    exchange = received(town, sent, TILLEULS, HOME)
    town.about(sent, GERIATRICS)
    hops = town.gateway.get(f"/exchanges/{exchange['id']}/story")["hops"]
    back = [h for h in hops if h["summary"]["door"] == "smtp-reception" and h["summary"]["mail_from"] == ""]
    assert [(h["summary"]["outcome"], h["summary"]["rules"], h["summary"]["documents"]) for h in back] == [
        ("accept", [], [])
    ]
    assert len(told(town, exchange)) == 1


@pytest.mark.parametrize(
    "headers",
    [
        "",
        "Disposition-Notification-To: urgences@ch-brumeval.val-de-brume.mssante.fr\r\n",
        f"{ASKED}{ASKED}",
        f"{ASKED}Auto-Submitted: auto-generated\r\n",
    ],
    ids=["not asked", "another address than Return-Path", "asked twice", "written by a program"],
)
def test_nobody_is_told_who_may_not_be_told_without_a_human(town: Town, headers: str) -> None:
    act(town.gateway, record_of(town.gateway, HOME, "R0001"), "status", event="proof-invalidated")
    exchange = received(town, letter(town, TILLEULS, headers), TILLEULS, HOME)
    assert exchange["summary"]["integration"] == "stopped"
    assert told(town, exchange) == []


def test_a_success_is_told_only_where_the_workspace_says_so(town: Town, talkative: Town) -> None:
    exchange = received(town, letter(town, TILLEULS), TILLEULS, HOME)
    assert exchange["summary"]["integration"] == "allowed"
    assert told(town, exchange) == []
    sent = letter(talkative, TILLEULS)
    received(talkative, sent, TILLEULS, HOME)
    (found,) = talkative.about(sent, GERIATRICS)
    fields = fields_of(found)
    assert fields["Disposition"] == "automatic-action/MDN-sent-automatically; processed"
    assert fields["Error"] is None
    assert str(found.mail["Subject"]).startswith("XDM/1.0/DDM+")
    assert "Cela ne dit pas qu'ils ont été lus" in text_of(found)
