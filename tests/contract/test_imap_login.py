"""Who gets in, and what the others hear. Black box: any IMAP4rev1 server behind the same mailboxes must pass."""

from __future__ import annotations

import base64
import imaplib
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.imap import ImapLimits
from tests.support.imap_house import (
    ADDRESS,
    APPLICATION,
    DELETED,
    DOMAIN,
    OTHER,
    PASSWORD,
    SUSPENDED,
    ImapHouse,
    client_card,
    mail,
)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ImapHouse]:
    with ImapHouse(tmp_path) as running:
        yield running


def plain(address: str, password: str, authzid: str = "") -> bytes:
    return base64.b64encode(f"{authzid}\0{address}\0{password}".encode())


def test_no_password_is_taken_before_tls(house: ImapHouse) -> None:
    with house.raw(tls=False) as client:
        greeting = client.line() or b""
        assert b"LOGINDISABLED" in greeting
        assert b"STARTTLS" in greeting
        assert b"AUTH=" not in greeting
        assert client.log_in().startswith(b"l NO [PRIVACYREQUIRED]")
        assert client.ask(b"AUTHENTICATE PLAIN " + plain(ADDRESS, PASSWORD))[-1].startswith(b"t NO [PRIVACYREQUIRED]")


def test_starttls_then_login_opens_the_mailbox(house: ImapHouse) -> None:
    house.deliver(mail())
    client = house.connect(tls=False)
    client.starttls(house.client_context())
    assert "STARTTLS" not in client.capabilities
    client.authenticate("PLAIN", lambda _: f"\0{ADDRESS}\0{PASSWORD}".encode())
    assert client.select()[1] == [b"1"]
    client.logout()


def test_the_address_is_read_whatever_its_case(house: ImapHouse) -> None:
    house.log_in(ADDRESS.upper()).logout()


@pytest.mark.parametrize("mechanism", ["LOGIN command", "PLAIN", "LOGIN", "PLAIN with an initial response"])
def test_every_password_mechanism_works(house: ImapHouse, mechanism: str) -> None:
    with house.raw() as client:
        client.line()
        if mechanism == "LOGIN command":
            answer = client.log_in()
        elif mechanism == "PLAIN":
            client.send(b"l AUTHENTICATE PLAIN\r\n")
            assert client.line() in (b"+ ", b"+")
            client.send(plain(ADDRESS, PASSWORD) + b"\r\n")
            answer = client.until(b"l ")[-1]
        elif mechanism == "LOGIN":
            client.send(b"l AUTHENTICATE LOGIN\r\n")
            client.line()
            client.send(base64.b64encode(ADDRESS.encode()) + b"\r\n")
            client.line()
            client.send(base64.b64encode(PASSWORD.encode()) + b"\r\n")
            answer = client.until(b"l ")[-1]
        else:
            answer = client.ask(b"AUTHENTICATE PLAIN " + plain(ADDRESS, PASSWORD), b"l")[-1]
        assert answer.startswith(b"l OK")


def test_unknown_mailbox_and_wrong_password_look_alike(house: ImapHouse) -> None:
    answers = set()
    for address, password in [
        (ADDRESS, "autre"),
        (f"personne@{DOMAIN}", PASSWORD),
        ("qui@ailleurs.example", PASSWORD),
        (DELETED, PASSWORD),
        (ADDRESS, ""),
    ]:
        with house.raw() as client:
            client.line()
            answers.add(client.log_in(address, password))
    (answer,) = answers
    assert answer.startswith(b"l NO [AUTHENTICATIONFAILED]")


def test_nobody_logs_in_for_another(house: ImapHouse) -> None:
    with house.raw() as client:
        client.line()
        answer = client.ask(b"AUTHENTICATE PLAIN " + plain(ADDRESS, PASSWORD, authzid=OTHER))[-1]
    assert answer.startswith(b"t NO [AUTHENTICATIONFAILED]")


def test_a_suspended_mailbox_says_so_to_its_holder_only(house: ImapHouse) -> None:
    with house.raw() as client:
        client.line()
        assert client.log_in(SUSPENDED, "autre").startswith(b"l NO [AUTHENTICATIONFAILED]")
        assert client.log_in(SUSPENDED).startswith(b"l NO [CONTACTADMIN]")


def test_unreadable_credentials_are_refused_and_the_connection_lives(house: ImapHouse) -> None:
    with house.raw() as client:
        client.line()
        assert client.ask(b"AUTHENTICATE PLAIN " + base64.b64encode(b"\0\xff\xfe\0\xff"))[-1].startswith(b"t BAD")
        assert client.ask(b"AUTHENTICATE PLAIN !!!")[-1].startswith(b"t BAD")
        assert client.ask(b"AUTHENTICATE GSSAPI")[-1].startswith(b"t NO")
        client.send(b"l LOGIN %b {3+}\r\n\xff\xfe\xfd\r\n" % ADDRESS.encode())
        assert client.until(b"l ")[-1].startswith(b"l NO [AUTHENTICATIONFAILED]")
        assert client.log_in().startswith(b"l OK")


def test_a_client_that_guesses_is_turned_away(tmp_path: Path) -> None:
    with ImapHouse(tmp_path, limits=ImapLimits(failed_logins=2)) as house, house.raw() as client:
        client.line()
        assert b"NO" in client.log_in(password="un")
        client.send(b"l LOGIN %b deux\r\n" % ADDRESS.encode())
        assert [line[:6] for line in client.rest()] == [b"* BYE ", b"l NO ["]


def test_another_workspace_is_another_world(house: ImapHouse) -> None:
    house.deliver(mail("Pour la classe B"), OTHER, workspace="classe-b")
    client = house.log_in(OTHER)
    assert client.select()[1] == [b"1"]
    client.logout()
    client = house.log_in(ADDRESS)
    assert client.select()[1] == [b"0"]
    assert client.select(f"user/{OTHER}/INBOX")[0] == "NO"
    client.logout()


def test_logins_and_refusals_are_journalled_without_secrets(house: ImapHouse) -> None:
    house.log_in().logout()
    with pytest.raises(imaplib.IMAP4.error):
        house.log_in(password="faux")
    (login,) = house.events("imap-login")
    assert login.data["mailbox"] == ADDRESS
    assert login.data["peer"].startswith("127.0.0.1:")
    (refusal,) = house.events("imap-refused")
    assert "faux" not in str(refusal.data)


def test_a_certificate_opens_the_mailbox_of_an_application(tmp_path: Path) -> None:
    shown = []

    def opens(der: bytes, workspace: str, address: str) -> bool:
        shown.append((der, workspace))
        return address == APPLICATION

    with ImapHouse(tmp_path, certificate_opens=opens) as house:
        with house.raw(card=client_card()) as client:
            assert b"AUTH=EXTERNAL" in (client.line() or b"")
            wrong = client.ask(b"AUTHENTICATE EXTERNAL " + base64.b64encode(ADDRESS.encode()))[-1]
            assert wrong.startswith(b"t NO [AUTHENTICATIONFAILED]")
            right = client.ask(b"AUTHENTICATE EXTERNAL " + base64.b64encode(APPLICATION.encode()))[-1]
            assert right.startswith(b"t OK")
        with house.raw() as client:
            assert b"EXTERNAL" not in (client.line() or b"")
        assert house.events("imap-login")[0].data["mechanism"] == "certificate"
    assert {workspace for _, workspace in shown} == {"demo"}
