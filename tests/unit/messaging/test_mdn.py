"""Disposition notifications: who may be told by a program, and what it says."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default

import pytest

from gateway.exchange.opening import open_message
from gateway.messaging.mdn import Disposition, asked_by, build_mdn, label_of, subject_of
from gateway.rules import load_catalogue
from gateway.values import Text

ME = "secretariat.geriatrie@ch-brumeval.val-de-brume.mssante.fr"
HOME = "soins@ehpad-les-tilleuls.val-de-brume.mssante.fr"
MATRICULE = "239034890101755"
ORIGINAL = b"Subject: XDM/1.0/DDM+essai\r\n\r\nBonjour.\r\n"
STOPPED = Disposition(
    recipient=HOME,
    recipient_name="EHPAD Les Tilleuls",
    asked_by=ME,
    message_id="1@ehpad-les-tilleuls.val-de-brume.mssante.fr",
    at=datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
    about="0@ch-brumeval.val-de-brume.mssante.fr",
    subject="XDM/1.0/DDM+essai",
    code="904",
    rule="INS-171",
    cause=Text("Même INS, identité différente", "Same INS, different identity"),
    cure=Text("Vérifiez.", "Check."),
)


def asked(*headers: str, mail_from: str = ME) -> str:
    raw = "".join(f"{h}\r\n" for h in (f"From: <{ME}>", *headers, "Subject: essai")) + "\r\nBonjour.\r\n"
    mail = open_message(raw.encode(), "mail").mail
    assert mail is not None
    return asked_by(mail, mail_from)


def test_who_asked_is_told_when_the_address_is_that_of_the_envelope() -> None:
    assert asked(f"Disposition-Notification-To: <{ME}>") == ME
    assert asked(f"disposition-notification-to: Geriatrie <{ME.upper()}>") == ME


@pytest.mark.parametrize(
    "headers",
    [
        (),
        ("Disposition-Notification-To: <autre@ch-brumeval.val-de-brume.mssante.fr>",),
        (f"Disposition-Notification-To: <{ME}>, <{HOME}>",),
        ("Disposition-Notification-To: personne",),
        (f"Disposition-Notification-To: <{ME}>", f"Disposition-Notification-To: <{ME}>"),
        (f"Disposition-Notification-To: <{ME}>", "Auto-Submitted: auto-replied"),
        (f"Disposition-Notification-To: <{ME}>", "Content-Type: multipart/report; boundary=x"),
    ],
)
def test_nobody_is_told_otherwise(headers: tuple[str, ...]) -> None:
    assert asked(*headers) == ""


def test_a_mail_without_a_sender_owes_nothing() -> None:
    assert asked(f"Disposition-Notification-To: <{ME}>", mail_from="") == ""


def test_an_error_stands_in_its_own_field_as_rfc_8098_wants() -> None:
    mail = message_from_bytes(build_mdn(STOPPED, ORIGINAL), policy=default)
    text, fields, original = mail.iter_parts()  # type: ignore[attr-defined]
    (group,) = fields.get_payload()
    assert group["Disposition"] == "automatic-action/MDN-sent-automatically; processed/error"
    assert group["Error"] == "904^INS ou traits differents de ceux du dossier"
    assert mail["Subject"] == "[KO Intégration système !][904] XDM/1.0/DDM+essai"
    assert original.get_content_type() == "message/rfc822"
    assert "Cause : Même INS, identité différente" in text.get_content()
    assert "Cause: Same INS, different identity" in text.get_content()


def test_an_original_too_large_to_quote_leaves_its_header() -> None:
    mail = message_from_bytes(build_mdn(STOPPED, ORIGINAL, whole=False), policy=default)
    *_, original = mail.iter_parts()  # type: ignore[attr-defined]
    assert original.get_content_type() == "text/rfc822-headers"
    assert b"Bonjour" not in build_mdn(STOPPED, ORIGINAL, whole=False)
    assert len(list(message_from_bytes(build_mdn(STOPPED, b""), policy=default).iter_parts())) == 2  # type: ignore[attr-defined]


def test_a_citizen_s_address_is_masked_for_people_and_whole_for_programs() -> None:
    from dataclasses import replace

    address = f"{MATRICULE}@patient.mssante.fr"
    mail = message_from_bytes(build_mdn(replace(STOPPED, recipient=address), b""), policy=default)
    text, fields = mail.iter_parts()  # type: ignore[attr-defined]
    assert MATRICULE not in text.get_content()
    assert fields.get_payload()[0]["Final-Recipient"] == f"rfc822;{address}"


def test_every_code_a_rule_may_give_has_its_words() -> None:
    other = label_of("906")
    for code in {card.hl7_error for card in load_catalogue() if card.hl7_error.startswith("90")} - {"906"}:
        assert label_of(code) != other
        assert label_of(code).fr != label_of(code).en
    assert label_of("207") == other
    assert subject_of("", "x") == "x"
