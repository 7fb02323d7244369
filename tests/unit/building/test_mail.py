"""The mail that we write, read again by the standard library and by our own opening."""

from __future__ import annotations

import email
import re
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr
from io import BytesIO
from zipfile import ZipFile

import pytest

from gateway.directory.territory import load_territory
from gateway.documents.build_xdm import build_xdm, lot_of
from gateway.messaging.compose import (
    Attachment,
    Draft,
    compose_mail,
    mail_of,
    pdf_name,
    sender_name,
    subject_of,
)
from gateway.messaging.opening import open_mail
from tests.support.documents import AT, IDS, letter, pdf

SENDER = "claire.vannier@ch-brumeval.val-de-brume.mssante.fr"
TO = "soins@ehpad-les-tilleuls.val-de-brume.mssante.fr"
PERSONAL = re.compile(r"^(?:[^_]+_)?[^_]+_[^a-z_]+(?:_[^_]+)?$")


def _letter_mail() -> bytes:
    name = sender_name(load_territory().mailboxes[SENDER], load_territory())
    return mail_of(letter(), IDS, sender=SENDER, sender_name=name, to=[TO], message_id="m1@test", at=AT)


def _parsed(raw: bytes) -> EmailMessage:
    return email.message_from_bytes(raw, policy=default)


def _draft(**changes: object) -> Draft:
    fields: dict[str, object] = {
        "sender": SENDER,
        "to": (TO,),
        "subject": "Objet",
        "text": "Bonjour",
        "date": AT,
        "message_id": "m@test",
    }
    return Draft(**{**fields, **changes})  # type: ignore[arg-type]


def test_the_standard_library_reads_back_every_part_without_a_defect() -> None:
    message = _parsed(_letter_mail())
    assert all(not part.defects for part in message.walk())
    text, package, twin = message.iter_parts()
    assert "Lettre de liaison à la sortie" in text.get_content()
    assert package.get_content_type() == "application/zip"
    assert package.get_filename() == "IHE_XDM.zip"
    assert package.get_content() == build_xdm(lot_of(letter(), IDS, AT))
    assert twin.get_content_type() == "application/pdf"
    assert twin.get_content() == pdf()


def test_headers_say_who_what_and_when() -> None:
    message = _parsed(_letter_mail())
    assert message["From"].addresses[0].addr_spec == SENDER
    assert message["From"].addresses[0].display_name == "Dr_Claire_VANNIER_CH de Brumeval"
    assert message["To"] == TO
    assert message["Message-ID"] == "<m1@test>"
    assert message["Date"].datetime == AT
    assert message["Subject"] == "XDM/1.0/DDM+Lettre de liaison DELMAS SUZANNE 08/03/1939"
    assert (message["X-MSS-CODECDA"], message["X-MSS-INS"], message["X-MSS-NIL"]) == ("11490-0", "O", "DEV000000")


def test_an_unqualified_identity_is_announced_without_ins() -> None:
    raw = mail_of(letter("benali-amina"), IDS, sender=SENDER, sender_name="", to=[TO], message_id="m2@test", at=AT)
    assert _parsed(raw)["X-MSS-INS"] == "N"


def test_lines_stay_short_end_with_crlf_and_are_ascii() -> None:
    raw = _letter_mail()
    assert raw.isascii()
    assert raw.endswith(b"\r\n")
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert max(len(line) for line in raw.split(b"\r\n")) <= 90


@pytest.mark.parametrize(
    "subject",
    [
        "XDM/1.0/DDM+Lettre de liaison d'une très longue étiquette PÈRE-ÉTERNEL ANNE-MARIE-ÉLÉONORE 08/03/1939",
        "é" * 300,
        "a" * 200,
        "mot " * 60,
        "🩺 visite",
        "",
    ],
)
def test_any_subject_comes_back_as_it_was(subject: str) -> None:
    raw = compose_mail(_draft(subject=subject))
    assert _parsed(raw)["Subject"].strip() == subject.strip()
    assert raw.count(b"\r\n\r\n") == 1
    if not subject.isascii():
        assert max(len(line) for line in raw.split(b"\r\n\r\n")[0].split(b"\r\n")) <= 78


@pytest.mark.parametrize("name", ["", 'Service "A" \\ B', "EHPAD Les Tilleuls – Équipe de soins", "É" * 100])
def test_any_display_name_comes_back_as_it_was(name: str) -> None:
    # not the default policy: up to Python 3.13 it leaves the blank between two encoded words of a phrase (RFC 2047 § 6.2)
    written = email.message_from_bytes(compose_mail(_draft(sender_name=name)))["From"]
    decoded = str(make_header(decode_header(written)))
    shown, address = parseaddr(decoded.replace("\r\n", ""))
    assert (shown, address) == (name, SENDER)


def test_text_in_utf8_comes_back_as_it_was() -> None:
    for text in ("Bonjour", "Été, cœur, 10 € et 🩺\n\nseconde ligne"):
        assert _parsed(compose_mail(_draft(text=text))).get_content().replace("\r\n", "\n").rstrip("\n") == text
        with_file = _draft(text=text, attachments=(Attachment("a.bin", "application/octet-stream", bytes(range(256))),))
        first, second = _parsed(compose_mail(with_file)).iter_parts()
        assert first.get_content().replace("\r\n", "\n").rstrip("\n") == text
        assert second.get_content() == bytes(range(256))


def test_a_mail_without_document_has_no_document_header() -> None:
    message = _parsed(compose_mail(_draft()))
    assert message["X-MSS-CODECDA"] is None
    assert message["X-MSS-INS"] is None
    assert not message.is_multipart()


def test_the_pdf_name_follows_the_rule_in_ascii() -> None:
    assert pdf_name(letter()) == "20250317_Lettre-de-liaison_DELMAS_SUZANNE_CH000101.pdf"
    assert pdf_name(letter("d-artemare-anne-marie")) == "20250317_Lettre-de-liaison_D-ARTEMARE_ANNE-MARIE.pdf"


def test_the_subject_names_label_patient_and_birth_date() -> None:
    assert subject_of(letter("d-artemare-anne-marie")).endswith("+Lettre de liaison D'ARTEMARE ANNE-MARIE 19/07/1945")


def test_display_names_of_persons_follow_the_pattern() -> None:
    actors = load_territory()
    for mailbox in actors.mailboxes.values():
        name = sender_name(mailbox, actors)
        if mailbox.kind == "PER":
            assert PERSONAL.match(name), name
        assert name


def test_our_own_opening_finds_one_package_one_document_and_one_twin() -> None:
    mail = open_mail(_letter_mail(), None)
    assert mail.issues == ()
    assert [p.issues for p in mail.packages] == [()]
    assert [d.code.code for d in mail.documents if d.code] == ["11490-0"]
    assert [p.filename for p in mail.parts if p.is_pdf] == [pdf_name(letter())]


def test_the_package_of_the_mail_can_be_replaced_by_other_octets() -> None:
    raw = mail_of(letter(), IDS, sender=SENDER, sender_name="", to=[TO], message_id="m3@test", at=AT, package=b"PK")
    _, package, _ = _parsed(raw).iter_parts()
    assert package.get_content() == b"PK"
    with pytest.raises(Exception, match="zip"):
        ZipFile(BytesIO(package.get_content()))
