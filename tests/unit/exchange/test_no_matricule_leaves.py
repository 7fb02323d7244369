"""A matricule planted in each header, text and attribute of a mail: no finding, summary, view or answer repeats it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from hashlib import sha256

import pytest

from adapters.api.views import opened_view
from gateway.answers.registry import context_of, response_for
from gateway.answers.smtp import reply_for
from gateway.answers.soap import fault_for
from gateway.exchange.decision import decide
from gateway.exchange.intake import events_of, summary_of
from gateway.exchange.judging import Case, judge_mail
from gateway.exchange.model import Envelope, Payload, Sender, Submission, shown_summary
from gateway.exchange.opening import open_message
from gateway.rules import RuleContext
from gateway.sandbox.model import Limits, Policy
from gateway.values import Direction, Door
from tests.support.handmade import ROOM, cda_bytes, files, mail_bytes, metadata_bytes, zipped
from tests.support.planting import CORSICAN, PLANTED, TERRITORY, planted_in, seen_in, spaced

AT = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
CTX = RuleContext(Direction.EMISSION, Door.SUBMISSION, date(2026, 1, 15))


def outputs(raw: bytes, *, mail_from: str = "a@ch.mssante.fr", to: str = "b@ehpad.mssante.fr", helo: str = "") -> str:
    """Everything that is said of one mail."""
    envelope = Envelope(mail_from, (to,))
    judged = judge_mail(raw, Case(envelope, Limits(), CTX, {}, ()))
    payload = Payload(len(raw), sha256(raw).hexdigest(), raw)
    sender = Sender("mailbox", mail_from)
    attributes = {"helo": helo, "content_type": "text/plain"}
    given = Submission(
        "demo", Door.SUBMISSION, "op", sender, payload, AT, "127.0.0.1:1", envelope, attributes=attributes
    )
    decision = decide(judged.findings, Door.SUBMISSION, Policy(), (to,))
    reply = reply_for(decision, "0" * 32).wire()
    opened = open_message(raw, "mail", envelope, Limits())
    said = [
        reply,
        *(json.dumps(f.to_json(), ensure_ascii=False) + f.line() + context_of(f) for f in judged.findings),
        json.dumps(shown_summary(summary_of(given, judged.opened, decision, reply)), ensure_ascii=False),
        *(json.dumps(e.data, ensure_ascii=False) for e in events_of(given, "x", decision, (to,))),
        json.dumps(opened_view(opened), ensure_ascii=False),
    ]
    if judged.findings:
        said.append(fault_for(judged.findings, "urn:uuid:1", "urn:uuid:2", "x").body.decode())
        said.append(response_for(judged.findings, refused=True).decode())
    return "\n".join(said)


@pytest.mark.parametrize("matricule", PLANTED)
@pytest.mark.parametrize("form", ["{}", "x{}", "{}x", "<{}@patient.mssante.fr>"])
def test_in_each_header_of_a_mail(matricule: str, form: str) -> None:
    plain = mail_bytes()
    head, _, body = plain.partition(b"\r\n\r\n")
    names = [line.split(b":")[0].decode() for line in head.split(b"\r\n") if b":" in line and not line[:1].isspace()]
    value = form.format(matricule)
    others = (
        "Cc",
        "Reply-To",
        "In-Reply-To",
        "References",
        "X-MSS-MES",
        "X-MSS-CODECDA",
        "X_MSS_NIL",
        f"X-{matricule}",
    )
    shown = 0
    for name in (*names, *others):
        kept = b"\r\n".join(li for li in head.split(b"\r\n") if not li.lower().startswith(name.lower().encode() + b":"))
        raw = kept + f"\r\n{name}: {value}\r\n\r\n".encode() + body
        said = outputs(raw)
        assert not seen_in(said), name
        shown += matricule[:4] + "·" in said
    assert shown > 2  # the outputs do repeat what is planted


@pytest.mark.parametrize("matricule", [*PLANTED, spaced(TERRITORY), spaced(CORSICAN, "."), CORSICAN.lower()])
def test_in_the_envelope_the_greeting_the_body_and_the_names_of_files(matricule: str) -> None:
    bare = matricule.replace(" ", ".")
    raw = mail_bytes(
        ("Bonjour,", f"Bonjour, {matricule} et {spaced(matricule.replace('.', '').replace(' ', ''))},"),
        ("20260115_Lettre de liaison_ESSAI", f"20260115_{matricule}_ESSAI"),
        ("Lettre de liaison ESSAI CAMILLE", f"{matricule} ESSAI CAMILLE"),
    )
    said = outputs(raw, mail_from=f"x.{bare}@ch.mssante.fr", to=f"dupont.{bare}@ehpad.mssante.fr", helo=f"x{bare}")
    assert not seen_in(said)
    assert "INS-146" in said


def test_in_the_names_inside_a_package() -> None:
    contents = files()
    contents[f"{ROOM}{TERRITORY}/{CORSICAN}.XML"] = b"<a/>"
    contents[f"{TERRITORY}/../x"] = b""
    assert not seen_in(outputs(mail_bytes(archive=zipped(contents))))


@pytest.mark.parametrize("value", [TERRITORY, f"x{CORSICAN}"])
def test_in_each_text_and_attribute_of_a_document(value: str) -> None:
    count = 0
    for place, document in planted_in(cda_bytes(), value):
        contents = files(document=document)
        assert not seen_in(outputs(mail_bytes(archive=zipped(contents)))), place
        count += 1
    assert count > 60


@pytest.mark.parametrize("value", [TERRITORY, f"urn:oid:1.2.3.{CORSICAN}"])
def test_in_each_text_and_attribute_of_the_metadata(value: str) -> None:
    count = 0
    for place, told in planted_in(metadata_bytes(), value):
        contents = {name: told if name.endswith("METADATA.XML") else octets for name, octets in files().items()}
        assert not seen_in(outputs(mail_bytes(archive=zipped(contents)))), place
        count += 1
    assert count > 20


def test_what_is_kept_of_a_crossing_opens_its_octets_again() -> None:
    boundary = f'multipart/related; boundary="{TERRITORY}"'
    kept = shown_summary({"attributes": {"content_type": boundary, "helo": TERRITORY}, "sender": f"CN={CORSICAN}"})
    assert kept["attributes"]["content_type"] == boundary
    assert not seen_in(str({**kept, "attributes": {"helo": kept["attributes"]["helo"]}}))
    assert not seen_in(str(replace(Sender("certificate"), name=kept["sender"])))
