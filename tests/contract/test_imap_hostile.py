"""What a broken or hostile client sends: bounded, answered, and never felt by the others."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from adapters.imap import ImapLimits
from tests.support.imap_house import ADDRESS, PASSWORD, ImapHouse, mail


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ImapHouse]:
    with ImapHouse(tmp_path, mail_bytes=100_000) as running:
        yield running


def alive(house: ImapHouse) -> bool:
    """Whether another client is still served."""
    with house.raw() as client:
        client.line()
        return client.log_in().startswith(b"l OK")


def test_nothing_pipelined_behind_starttls_is_obeyed(house: ImapHouse) -> None:
    with house.raw(tls=False) as client:
        client.line()
        client.send(
            b"a STARTTLS\r\nb LOGIN %b {%d+}\r\n%b\r\n" % (ADDRESS.encode(), len(PASSWORD.encode()), PASSWORD.encode())
        )
        lines = client.rest()
    assert not any(line.startswith(b"b ") for line in lines)
    assert alive(house)


def test_what_is_not_tls_after_starttls_ends_the_connection(house: ImapHouse) -> None:
    with house.raw(tls=False) as client:
        client.line()
        assert client.ask(b"STARTTLS")[-1].startswith(b"t OK")
        client.send(b"b NOOP\r\n" * 10)
        assert not any(line.startswith(b"b ") for line in client.rest())
    assert alive(house)


def test_starttls_is_offered_once(house: ImapHouse) -> None:
    client = house.connect(tls=False)
    client.starttls(house.client_context())
    assert client.xatom("STARTTLS")[0] == "NO"
    assert isinstance(client.sock, ssl.SSLSocket)


@pytest.mark.parametrize("logged_in", [False, True])
def test_an_endless_line_ends_the_connection(house: ImapHouse, *, logged_in: bool) -> None:
    with house.raw() as client:
        client.line()
        if logged_in:
            client.log_in()
        try:
            client.send(b"a NOOP " + b"x" * 300_000)
            lines = client.rest()
        except OSError:
            lines = []
        assert not lines or lines[-1].startswith(b"* BYE")
    assert alive(house)


@pytest.mark.parametrize(
    "command",
    [
        b"a LOGIN {999999999}",
        b"a LOGIN {999999999+}",
        b"a APPEND INBOX {50000}",
        b"a APPEND INBOX {50000+}",
        b"a AUTHENTICATE {99999999+}",
        b"a LOGIN {99999999999999999999}",
    ],
)
def test_a_huge_literal_before_login_is_not_read(house: ImapHouse, command: bytes) -> None:
    with house.raw() as client:
        client.line()
        client.send(command + b"\r\n")
        answer = client.line() or b""
        assert answer.startswith((b"a NO", b"a BAD", b"* BYE")), answer
    assert alive(house)


@pytest.mark.parametrize(
    "command", [b"SELECT {5000}", b"SELECT {999999999+}", b"APPEND INBOX {100001}", b"APPEND INBOX {999999999+}"]
)
def test_a_huge_literal_after_login_is_not_read(house: ImapHouse, command: bytes) -> None:
    with house.raw() as client:
        client.line()
        client.log_in()
        client.send(b"a " + command + b"\r\n")
        answer = client.line() or b""
        assert answer.startswith((b"a NO [TOOBIG]", b"a BAD", b"* BYE")), answer
    assert alive(house)


def test_many_small_literals_are_bounded(house: ImapHouse) -> None:
    with house.raw() as client:
        client.line()
        client.log_in()
        client.send(b"a SEARCH OR SUBJECT {1+}\r\nx" + b" OR SUBJECT {4000+}\r\n" + b"x" * 4000)
        with suppress(OSError):
            client.send((b" OR SUBJECT {4000+}\r\n" + b"x" * 4000) * 40)
        lines = client.rest()
        assert not lines or lines[-1].startswith(b"* BYE")
    assert alive(house)


@pytest.mark.parametrize(
    "command",
    [
        b"SEARCH " + b"(" * 5000,
        b"SEARCH " + b"NOT " * 5000 + b"ALL",
        b"SEARCH " + b"OR " * 5000 + b"ALL",
        b"FETCH 1 (" + b"BODY[" * 1000,
        b"FETCH " + b"9" * 5000 + b" FLAGS",
        b"FETCH 0 FLAGS",
        b"FETCH 1 BODY[99999999999999999999]<5.5",
        b"STORE 1 +FLAGS (\xff\xfe)",
        b'SEARCH SUBJECT "\xff\xfe"',
        b"SEARCH CHARSET rot13 SUBJECT x",
        b'APPEND INBOX "not a date" {3+}\r\nabc',
        b"UID",
        b"UID UID FETCH 1 FLAGS",
        b"\0\0\0",
        b"FETCH 1 BODY[HEADER.FIELDS ()]",
    ],
)
def test_nonsense_is_answered_bad_and_the_connection_lives(house: ImapHouse, command: bytes) -> None:
    house.deliver(mail())
    with house.raw() as client:
        client.line()
        client.log_in()
        client.ask(b"SELECT INBOX")
        assert client.ask(command)[-1].startswith((b"t BAD", b"t NO"))
        assert client.ask(b"NOOP")[-1].startswith(b"t OK")


def test_enough_nonsense_ends_the_connection(house: ImapHouse) -> None:
    with house.raw() as client:
        client.line()
        client.send(b"".join(b"x%d FROTZ\r\n" % number for number in range(50)))
        assert len(client.rest()) < 10


def test_sets_written_to_be_costly_cost_nothing(house: ImapHouse) -> None:
    for number in range(5):
        house.deliver(mail(str(number)))
    with house.raw() as client:
        client.line()
        client.log_in()
        client.ask(b"SELECT INBOX")
        wide = b",".join([b"1:4294967295"] * 4000)
        assert len(client.ask(b"UID FETCH " + wide + b" (UID)")) == 6
        assert client.ask(b"SEARCH UID " + wide)[0] == b"* SEARCH 1 2 3 4 5"
        assert client.ask(b"FETCH 4294967295 (UID)")[-1].startswith(b"t OK")


def test_keywords_are_bounded(house: ImapHouse) -> None:
    house.deliver(mail())
    with house.raw() as client:
        client.line()
        client.log_in()
        client.ask(b"SELECT INBOX")
        many = b" ".join(b"k%d" % number for number in range(65))
        assert client.ask(b"STORE 1 +FLAGS (%b)" % many)[-1].startswith(b"t NO")
        assert client.ask(b"STORE 1 +FLAGS (%b)" % (b"k" * 200))[-1].startswith(b"t NO")


@pytest.mark.parametrize(
    "raw",
    [
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--a\r\n" * 3000,
        b"".join(b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (n, n) for n in range(500)),
        b"Content-Type: message/rfc822\r\n\r\n" * 500,
        b"Content-Type: multipart/mixed; boundary=\r\n\r\n--\r\n\r\n",
        b'Content-Type: multipart/mixed; boundary="unclosed\r\n\r\n--x',
        b"Content-Type: multipart/mixed\r\n\r\n",
        b"Content-Type: /;;;=\r\nContent-Disposition: ;=\"\r\n\r\n",
        b"From: " + b"(" * 3000 + b"\r\nTo: " + b'"' * 999 + b"\r\nCc: <<<@@@>>>,,,:;\r\n\r\n",
        b"Subject: =?utf-8?b?%%%?= =?x?q?=?= \xff\0\r\nDate: never\r\n\r\n",
        b"A" * 70_000,
        b"\r\n" * 1000,
        b"Content-Type: text/plain; charset=klingon\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!",
        b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nQQ==",
    ],
)  # fmt: skip
def test_a_mail_made_to_harm_is_still_read(house: ImapHouse, raw: bytes) -> None:
    house.deliver(raw)
    with house.raw() as client:
        client.line()
        client.log_in()
        client.ask(b"SELECT INBOX")
        for what in (
            b"BODYSTRUCTURE",
            b"BODY",
            b"ENVELOPE",
            b"BODY.PEEK[1.1.1.1.1]",
            b"BINARY.PEEK[1]",
            b"BODY.PEEK[HEADER]",
        ):
            assert client.ask(b"FETCH 1 (%b)" % what)[-1].startswith(b"t OK"), what
        for key in (b"TEXT x", b"SUBJECT x", b"SENTSINCE 1-Jan-2020", b"FROM x"):
            assert client.ask(b"SEARCH " + key)[-1].startswith(b"t OK"), key


def test_a_client_that_does_not_read_is_let_go(tmp_path: Path) -> None:
    with ImapHouse(tmp_path, limits=ImapLimits(stall_s=0.2)) as house:
        house.deliver(mail("gros", "x" * 78 + "\r\n" * 2 + "y" * 20_000_000))
        with house.raw() as client:
            client.line()
            client.log_in()
            client.ask(b"SELECT INBOX")
            client.send(b"a FETCH 1 BODY[]\r\n")
            # nothing is read here until the service has given up
            for _ in range(200):
                if house.listeners.connections == 0:
                    break
                house.call(_turn())
            assert house.listeners.connections == 0
        assert alive(house)


async def _turn() -> None:
    await asyncio.sleep(0.05)
