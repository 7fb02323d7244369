"""MAIL and RCPT: what is read, and what is refused with which words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.smtp.grammar import MailCommand, RcptCommand, parse_mail, parse_rcpt
from adapters.smtp.texts import Reply
from gateway.values import Lang


@pytest.mark.parametrize(
    ("arg", "expected"),
    [
        ("FROM:<a@b.fr>", MailCommand("a@b.fr")),
        ("from: <A@B.fr> SIZE=12 BODY=8BITMIME", MailCommand("a@b.fr", 12)),
        ("FROM:<>", MailCommand("")),
        ("FROM:<@relais.fr,@autre.fr:a@b.fr>", MailCommand("a@b.fr")),
        ("FROM:<a@b.fr> RET=hdrs ENVID=QQ+2B314159", MailCommand("a@b.fr", 0, "HDRS", "QQ+2B314159")),
        ("FROM:<a@b.fr> AUTH=<>", MailCommand("a@b.fr")),
        ("FROM:<a@b.fr> AUTH=x@y", MailCommand("a@b.fr")),
        ("FROM:a@b.fr", Reply.MAIL_SYNTAX),
        ("FROM:<a@b.fr", Reply.MAIL_SYNTAX),
        ("FROM:<a b@c.fr>", Reply.MAIL_SYNTAX),
        ("<a@b.fr>", Reply.MAIL_SYNTAX),
        ("FROM:<a>", Reply.SENDER_ADDRESS),
        ("FROM:<a@-b.fr>", Reply.SENDER_ADDRESS),
        ("FROM:<a@b.fr> SIZE=douze", Reply.PARAMETER_VALUE),
        ("FROM:<a@b.fr> SIZE=1 SIZE=2", Reply.PARAMETER_SYNTAX),
        ("FROM:<a@b.fr> RET=ALL", Reply.PARAMETER_VALUE),
        ("FROM:<a@b.fr> ENVID=" + "x" * 101, Reply.PARAMETER_VALUE),
        ("FROM:<a@b.fr> ENVID=a+zz", Reply.PARAMETER_VALUE),
        ("FROM:<a@b.fr> BODY=BINARYMIME", Reply.BODY),
        ("FROM:<a@b.fr> SMTPUTF8", Reply.SMTPUTF8),
        ("FROM:<a@b.fr> HOLDFOR=5", Reply.PARAMETER),
        ("FROM:<" + "a" * 65 + "@b.fr>", Reply.ADDRESS_LENGTH),
        ("FROM:<a@" + "b." * 140 + "fr>", Reply.SENDER_ADDRESS),
    ],
)
def test_mail_is_read_or_refused(arg: str, expected: MailCommand | Reply) -> None:
    assert parse_mail(arg) == expected


@pytest.mark.parametrize(
    ("arg", "expected"),
    [
        ("TO:<a@b.fr>", RcptCommand("a@b.fr")),
        (
            "TO:<a@b.fr> NOTIFY=success,FAILURE ORCPT=rfc822;a+2Bb@b.fr",
            RcptCommand("a@b.fr", ("SUCCESS", "FAILURE"), "rfc822;a+2Bb@b.fr"),
        ),
        ("TO:<a@b.fr> NOTIFY=NEVER", RcptCommand("a@b.fr", ("NEVER",))),
        ("TO:<a@b.fr> NOTIFY=NEVER,SUCCESS", Reply.PARAMETER_VALUE),
        ("TO:<a@b.fr> NOTIFY=DELAY,DELAY", Reply.PARAMETER_VALUE),
        ("TO:<a@b.fr> NOTIFY", Reply.PARAMETER_VALUE),
        ("TO:<a@b.fr> ORCPT=rfc822", Reply.PARAMETER_VALUE),
        ("TO:<a@b.fr> SIZE=3", Reply.PARAMETER),
        ("TO:<>", Reply.RECIPIENT_ADDRESS),
        ("TO:<postmaster>", Reply.RECIPIENT_ADDRESS),
        ('TO:<"a b"@c.fr>', RcptCommand('"a b"@c.fr')),
        ("TO: a@b.fr", Reply.RCPT_SYNTAX),
    ],
)
def test_rcpt_is_read_or_refused(arg: str, expected: RcptCommand | Reply) -> None:
    assert parse_rcpt(arg) == expected


@given(st.text(max_size=80))
def test_nothing_that_is_sent_breaks_the_reading_of_commands(text: str) -> None:
    parse_mail(text)
    parse_mail(f"FROM:<{text}")
    parse_rcpt(f"TO:<a@b.fr> {text}")


@pytest.mark.parametrize("reply", list(Reply))
def test_every_fixed_reply_has_an_enhanced_code_of_its_class_and_fits_the_line(reply: Reply) -> None:
    for lang in Lang:
        for line in reply.in_(lang).wire().split("\r\n"):
            code, enhanced = line[:3], line[4:].split(" ")[0]
            assert enhanced.split(".")[0] == (code[0] if code[0] in "245" else "2")
            assert len(line) <= 510
            assert line.isascii()
