"""The citizen space's own mails."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default

import pytest

from gateway.directory.model import Mailbox, MailboxKind, MailboxState
from gateway.exchange.model import Envelope
from gateway.messaging.citizen import (
    CitizenNotice,
    NotDelivered,
    build_answer,
    build_undelivered,
    not_delivered,
)
from gateway.messaging.opening import is_patient, open_mail
from gateway.messaging.service_addresses import is_service

AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
HER = "239034890101755@patient.mssante.fr"
NOTICE = CitizenNotice(HER, "secretariat@ch.mssante.fr", "n1@patient.mssante.fr", AT, "m1@ch", "{accolades} é")
ORIGINAL = b"Subject: \xe9\r\nContent-Type: text/plain\r\n\r\nBonjour\r\n"


def mailbox(state: MailboxState = MailboxState.ACTIVE) -> Mailbox:
    return Mailbox(HER, MailboxKind.PATIENT, "op-citoyen", "delmas-suzanne", state=state)


@pytest.mark.parametrize(
    ("address", "box", "cause"),
    [
        (HER, mailbox(), None),
        (HER, mailbox(MailboxState.DELETED), NotDelivered.CLOSED),
        (HER, mailbox(MailboxState.SUSPENDED), NotDelivered.CLOSED),
        (HER, None, NotDelivered.NOT_FOUND),
        ("239034890101756@patient.mssante.fr", None, NotDelivered.NOT_FOUND),  # the key is not judged here
        ("239032a90101756@patient.mssante.fr", None, NotDelivered.NOT_FOUND),
        ("2390348901017@patient.mssante.fr", None, NotDelivered.INVALID),
        ("suzanne.delmas@patient.mssante.fr", None, NotDelivered.INVALID),
        ("939034890101755@patient.mssante.fr", None, NotDelivered.INVALID),
    ],
)
def test_a_citizen_is_there_or_not_for_a_stated_cause(
    address: str, box: Mailbox | None, cause: NotDelivered | None
) -> None:
    assert not_delivered(address, box) is cause


@pytest.mark.parametrize("cause", list(NotDelivered))
def test_an_undelivered_mail_says_its_cause_on_a_stable_line_and_holds_the_original(cause: NotDelivered) -> None:
    raw = build_undelivered(NOTICE, cause, ORIGINAL)
    assert ORIGINAL in raw
    mail = message_from_bytes(raw, policy=default)
    text, original = mail.iter_parts()  # type: ignore[attr-defined]
    assert f"\nCause: {cause.value}\n" in text.get_content().replace("\r\n", "\n")
    assert "What to do:" in text.get_content()
    assert original.get_content_type() == "message/rfc822"
    assert str(mail["Subject"]) == "Message non distribué"
    assert "ne-pas-repondre@patient.mssante.fr" in str(mail["From"])
    opened = open_mail(raw, Envelope("", (NOTICE.to,)))
    assert (opened.identity, opened.issues) == (None, ())
    assert opened.parts[-1].quoted


def test_the_test_mailbox_repeats_what_it_received() -> None:
    mail = message_from_bytes(build_answer(NOTICE, 1234), policy=default)
    text = mail.get_content()  # type: ignore[attr-defined]
    assert "{accolades} é" in text
    assert "1234 octets" in text
    assert "<m1@ch>" in text
    assert mail["In-Reply-To"] == "<m1@ch>"


def test_what_a_named_sender_attaches_to_an_automatic_mail_is_still_opened() -> None:
    raw = build_undelivered(NOTICE, NotDelivered.NOT_FOUND, ORIGINAL)
    assert not open_mail(raw, Envelope("secretariat@ch.mssante.fr", ())).parts[-1].quoted


def test_robots_of_the_citizen_space_are_no_patients() -> None:
    assert is_service("Reponse.Automatique-Test@patient.mssante.fr")
    assert not is_patient("reponse.automatique-test@patient.mssante.fr")
    assert is_patient(HER)


def test_the_texts_show_the_citizen_s_matricule_masked() -> None:
    notice = CitizenNotice(HER, "a@ch.fr", "n1@patient.mssante.fr", AT, f"m.{HER}", f"pour {HER}")
    for raw in (build_undelivered(notice, NotDelivered.NOT_FOUND, b""), build_answer(notice, 10)):
        mail = message_from_bytes(raw, policy=default)
        body = mail if not mail.is_multipart() else next(mail.iter_parts())  # type: ignore[attr-defined]
        text = body.get_content()  # type: ignore[attr-defined]
        assert "239034890101755" not in text
        assert "2390·········55@patient.mssante.fr" in text
