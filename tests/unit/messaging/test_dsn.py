"""Reports as octets: what a program reads, what a person reads, and the original as it came."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from email.policy import default

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.messaging.dsn import WHOLE_BYTES, Fate, Report, Told, build_report, from_xtext, wanted
from gateway.messaging.opening import open_mail
from gateway.messaging.report_parts import automatic_headers, field
from gateway.values import Text

AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
TOLD = Told(
    address="inconnu@ehpad.mssante.fr",
    status="5.1.1",
    answer="550 5.1.1 GW-ENV-02 La BAL n'existe pas",
    cause=Text("BAL inconnue", "Unknown mailbox"),
    cure=Text("Vérifiez l'adresse.", "Check the address."),
    label="550",
    orcpt="rfc822;in+2Bconnu@ehpad.fr",
    remote="smtp.sud.mssante.fr",
)
REPORT = Report(
    fate=Fate.FAILED,
    told=(TOLD,),
    to="secretariat@ch.mssante.fr",
    postmaster="postmaster@ch.mssante.fr",
    postmaster_name="Opérateur du Nord",
    reporting="smtp.nord.mssante.fr",
    message_id="n1@ch.mssante.fr",
    at=AT,
    arrived_at=AT - timedelta(minutes=1),
    about="m1@ch.mssante.fr",
    envid="QQ+2B1",
)
ORIGINAL = b"Message-ID: <m1@ch.mssante.fr>\r\nSubject: lettre\r\n\r\n.point\r\nBonjour.\r\n"


def parts(report: Report, original: bytes = ORIGINAL) -> list[Message]:
    mail = message_from_bytes(build_report(report, original), policy=default)
    assert mail.get_content_type() == "multipart/report"
    assert not mail.defects
    return list(mail.iter_parts())


def groups(report: Report) -> list[Message]:
    found = parts(report)[1].get_payload()
    assert isinstance(found, list)
    return [g for g in found if isinstance(g, Message)]


def test_a_program_reads_every_field_of_the_standard() -> None:
    about, told = groups(REPORT)
    assert dict(about.items()) == {
        "Original-Envelope-Id": "QQ+1",
        "Reporting-MTA": "dns; smtp.nord.mssante.fr",
        "Arrival-Date": "Tue, 24 Nov 2026 09:29:00 +0000",
    }
    assert dict(told.items()) == {
        "Original-Recipient": "rfc822; in+connu@ehpad.fr",
        "Final-Recipient": "rfc822; inconnu@ehpad.mssante.fr",
        "Action": "failed",
        "Status": "5.1.1",
        "Remote-MTA": "dns; smtp.sud.mssante.fr",
        "Diagnostic-Code": "smtp; 550 5.1.1 GW-ENV-02 La BAL n'existe pas",
        "X-Passerelle-SMTPERRORCODE": "550",
    }


def test_a_person_reads_the_cause_and_the_cure_in_french_then_in_english() -> None:
    text = parts(REPORT)[0].get_content()  # type: ignore[attr-defined]
    french, english = text.split("-- English --")
    assert "Cause : BAL inconnue" in french
    assert "Que faire : Vérifiez l'adresse." in french
    assert "Cause: Unknown mailbox" in english
    assert "What to do: Check the address." in english


def test_the_header_says_who_writes_about_what_and_that_no_one_did_by_hand() -> None:
    raw = build_report(REPORT, ORIGINAL)
    head = raw.partition(b"\r\n\r\n")[0]
    assert head.isascii()
    mail = message_from_bytes(raw, policy=default)
    assert str(mail["From"]) == "Opérateur du Nord <postmaster@ch.mssante.fr>"
    assert (mail["In-Reply-To"], mail["References"]) == ("<m1@ch.mssante.fr>", "<m1@ch.mssante.fr>")
    assert mail["Auto-Submitted"] == "auto-replied"


@pytest.mark.parametrize("original", [ORIGINAL, "Subject: é\r\n\r\naccentué".encode(), b"\x00\xff bare\nlines\n"])
def test_the_original_goes_back_octet_for_octet(original: bytes) -> None:
    raw = build_report(replace(REPORT, ret="FULL"), original)
    assert original in raw
    encoding = "7bit" if original.isascii() else "8bit"
    assert f"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode() + original in raw


@pytest.mark.parametrize(
    ("fate", "ret", "size", "whole"),
    [
        (Fate.FAILED, "", 10, True),
        (Fate.FAILED, "", WHOLE_BYTES + 1, False),
        (Fate.FAILED, "FULL", WHOLE_BYTES + 1, True),
        (Fate.FAILED, "HDRS", 10, False),
        (Fate.DELAYED, "FULL", 10, False),
        (Fate.DELIVERED, "FULL", 10, False),
    ],
)
def test_the_original_is_whole_or_by_its_headers_as_ret_asks(fate: Fate, ret: str, size: int, whole: bool) -> None:
    original = b"Subject: x\r\n\r\n" + b"y" * size
    part = parts(replace(REPORT, fate=fate, ret=ret), original)[2]
    assert part.get_content_type() == ("message/rfc822" if whole else "text/rfc822-headers")
    assert (b"y" * size in build_report(replace(REPORT, fate=fate, ret=ret), original)) is whole


def test_a_lost_original_leaves_the_report_standing() -> None:
    assert len(parts(REPORT, b"")) == 2


def test_a_delay_says_until_when_it_is_tried() -> None:
    late = replace(REPORT, fate=Fate.DELAYED, until=AT + timedelta(hours=48))
    assert groups(late)[1]["Will-Retry-Until"] == "Thu, 26 Nov 2026 09:30:00 +0000"
    assert "2026-11-26 09:30 UTC" in parts(late)[0].get_content()  # type: ignore[attr-defined]


def test_our_own_reader_sees_a_report_whose_original_is_evidence() -> None:
    mail = open_mail(build_report(REPORT, ORIGINAL))
    assert (mail.content_type, mail.issues) == ("multipart/report", ())
    assert (mail.parts[0].content_type, mail.parts[0].quoted) == ("text/plain", False)
    assert mail.parts[-1].quoted


@pytest.mark.parametrize(
    ("fate", "notify", "asked"),
    [
        (Fate.FAILED, (), True),
        (Fate.DELAYED, (), True),
        (Fate.DELIVERED, (), False),
        (Fate.RELAYED, (), False),
        (Fate.FAILED, ("NEVER",), False),
        (Fate.DELAYED, ("FAILURE",), False),
        (Fate.RELAYED, ("SUCCESS",), True),
        (Fate.FAILED, ("SUCCESS",), False),
    ],
)
def test_a_report_is_sent_when_notify_asks_for_it(fate: Fate, notify: tuple[str, ...], asked: bool) -> None:
    assert wanted(fate, notify) is asked


def test_xtext_is_read_and_never_leaves_the_line() -> None:
    assert from_xtext("a+2Bb+0D+0Ac") == "a+b??c"


@given(st.text(), st.text(max_size=300))
def test_no_answer_breaks_out_of_its_field(answer: str, orcpt: str) -> None:
    told = replace(TOLD, answer=answer, orcpt=f"rfc822;{orcpt}")
    found = groups(replace(REPORT, told=(told,)))
    assert len(found) == 2
    assert found[1]["Action"] == "failed"
    assert [k for k in found[1] if k.startswith("X-")] == ["X-Passerelle-SMTPERRORCODE"]


@given(st.text(), st.text())
@example("CH\r\nBcc: tous@x.fr", "m1@x>\r\nBcc: <tous@x.fr")
@example("é\n\nCorps", "m1@x")
def test_no_name_or_identifier_breaks_out_of_the_header(name: str, about: str) -> None:
    headers = automatic_headers(
        sender="a@b.fr", sender_name=name, to="c@d.fr", subject=name, at=AT, message_id="x@y", about=about
    )
    for header in headers:
        assert header.isascii()
        assert all(line.startswith((" ", "\t")) for line in header.split("\r\n")[1:])
        assert "\n" not in header.replace("\r\n", "")


def test_a_long_field_is_folded_at_spaces() -> None:
    written = field("Diagnostic-Code", "smtp; " + "mot " * 40)
    assert all(len(line) <= 78 for line in written.split("\r\n"))
    assert " ".join(written.split()) == "Diagnostic-Code: smtp; " + ("mot " * 40).strip()


@pytest.mark.parametrize(
    ("raw", "about"),
    [
        (build_report(REPORT, ORIGINAL), "m1@ch.mssante.fr"),
        (build_report(replace(REPORT, about=""), ORIGINAL), "m1@ch.mssante.fr"),  # as the quoted original says
        (build_report(replace(REPORT, about="", ret="HDRS"), ORIGINAL), "m1@ch.mssante.fr"),
        (build_report(replace(REPORT, about=""), b""), ""),
        (
            b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n\r\nOriginal-Message-ID:\r\n <m2@x>\r\n--b--",
            "m2@x",
        ),
        (b"In-Reply-To: <m3@x>\r\nSubject: Re: lettre\r\n\r\nBonjour", ""),  # a person answers: another story
        (b"Auto-Submitted: auto-replied\r\nReferences: <m4@x> <m5@x>\r\n\r\nabsent", "m5@x"),
    ],
)
def test_a_report_is_linked_to_the_mail_it_is_about(raw: bytes, about: str) -> None:
    assert open_mail(raw).about == about


def test_people_read_a_masked_address_and_programs_the_one_that_was_written() -> None:
    address = "s.239034890101755@ehpad.mssante.fr"
    told = replace(TOLD, address=address, answer=f"550 5.1.1 <{address}> unknown", orcpt=f"rfc822;{address}")
    report = replace(REPORT, told=(told,))
    text = parts(report)[0].get_content()  # type: ignore[attr-defined]
    assert "239034890101755" not in text
    assert text.count("s.2390·········55@ehpad.mssante.fr") == 4
    fields = groups(report)[1]
    assert fields["Final-Recipient"] == f"rfc822; {address}"
    assert fields["Original-Recipient"] == f"rfc822; {address}"
    assert fields["Diagnostic-Code"] == "smtp; 550 5.1.1 <s.2390.........55@ehpad.mssante.fr> unknown"
