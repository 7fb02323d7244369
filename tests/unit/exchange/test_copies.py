"""Copies without the INS: what leaves, what stays, and what is never copied."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email import message_from_bytes

import pytest

from gateway.documents.without_ins import Signed, Unreadable, cda_without_ins
from gateway.exchange.opening import open_message
from gateway.exchange.quarantine import copied_mail
from gateway.messaging.without_ins import mail_without_ins
from gateway.samples import sample_named
from gateway.sandbox.model import Limits
from tests.support.live import LETTER, MATRICULE, plain_mail

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


def copy_of(raw: bytes) -> bytes:
    return copied_mail(raw, "c1", "c1@x.mssante.fr", "e1", NOW, Limits())


def test_no_container_of_a_copy_holds_the_ins_and_digests_are_those_of_the_copy() -> None:
    raw = sample_named(LETTER).build()
    before, after = open_message(raw, "mail"), open_message(copy_of(raw), "mail")
    assert all(view.ins is not None for view in before.views if view.kind.value != "mail")
    assert [view.ins for view in after.views] == [None] * len(after.views)
    assert after.mail is not None
    (package,), (document,) = after.mail.packages, after.mail.documents
    (entry,) = package.metadata[0].entries
    assert entry.hash_sha1 is not None
    assert entry.hash_sha1.value.lower() == document.sha1
    assert entry.size is not None
    assert entry.size.value == str(document.size_bytes)


def test_a_copy_has_a_name_of_its_own_and_says_what_it_is() -> None:
    raw = sample_named(LETTER).build()
    before, after = open_message(raw, "mail").mail, open_message(copy_of(raw), "mail").mail
    assert before is not None
    assert after is not None
    assert after.message_id == "c1@x.mssante.fr"
    assert after.header("X-Passerelle-Copie") == "copie sans INS; de=e1"
    assert after.header("X-MSS-INS") == "N"
    assert after.subject == before.subject
    old, new = before.documents[0], after.documents[0]
    assert old.document_id != new.document_id
    assert new.title is not None
    assert new.title.value.endswith("(copie sans INS)")
    assert copy_of(raw) == copy_of(raw)


def signed_cda() -> bytes:
    signature = b'<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/>'
    return b'<ClinicalDocument xmlns="urn:hl7-org:v3"><id root="1.2.3"/>' + signature + b"</ClinicalDocument>"


@pytest.mark.parametrize("kind", ['multipart/signed; boundary="b"', "application/pkcs7-mime", "multipart/encrypted"])
def test_a_signed_or_encrypted_mail_is_never_copied(kind: str) -> None:
    raw = sample_named(LETTER).build()
    sealed = re.sub(
        rb"(?im)^Content-Type: multipart/mixed[^\r\n]*(\r\n[ \t][^\r\n]*)*",
        f"Content-Type: {kind}".encode(),
        raw,
        count=1,
    )
    assert sealed != raw
    with pytest.raises(Signed):
        copy_of(sealed)


def test_a_signed_document_is_never_copied() -> None:
    with pytest.raises(Signed):
        cda_without_ins(signed_cda(), lambda before: before)


def test_what_holds_no_document_is_not_copied() -> None:
    with pytest.raises(Unreadable):
        mail_without_ins(plain_mail(), new_id=str, message_id="x", original="e", at=NOW)
    with pytest.raises(Unreadable):
        cda_without_ins(b"<nothing/>", lambda before: before)


def test_a_matricule_in_the_text_of_a_mail_is_masked_in_its_copy() -> None:
    raw = sample_named(LETTER).build()
    mail = message_from_bytes(raw)
    text = next(part for part in mail.walk() if part.get_content_type() == "text/plain")
    text.set_payload(f"INS {MATRICULE}")
    del text["Content-Transfer-Encoding"]
    copied = message_from_bytes(copy_of(mail.as_bytes()))
    shown = next(part for part in copied.walk() if part.get_content_type() == "text/plain").get_payload(decode=True)
    assert isinstance(shown, bytes)
    assert MATRICULE.encode() not in shown


@pytest.mark.parametrize("declared", ["iso-8859-1", "windows-1252", "klingon", None])
def test_a_masked_text_keeps_its_accents_whatever_its_charset(declared: str | None) -> None:
    mail = message_from_bytes(sample_named(LETTER).build())
    text = next(part for part in mail.walk() if part.get_content_type() == "text/plain")
    text.set_payload(f"ACCENTS, INS {MATRICULE}")
    for name in ("Content-Transfer-Encoding", "Content-Type"):
        del text[name]
    text["Content-Type"] = "text/plain" + (f"; charset={declared}" if declared else "")
    text["Content-Transfer-Encoding"] = "8bit"
    octets = mail.as_bytes().replace(b"ACCENTS", "Née à Vallée".encode("latin-1"))
    copied = message_from_bytes(copy_of(octets))
    shown = next(part for part in copied.walk() if part.get_content_type() == "text/plain")
    body = shown.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert body.decode(shown.get_content_charset() or "ascii").startswith("Née à Vallée, INS 2390·")
