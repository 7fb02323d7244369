"""People who write and read mail through a live gateway, with the standard library's clients."""

from __future__ import annotations

import imaplib
import smtplib
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import default
from typing import Any
from uuid import uuid4

from adapters.pki.contexts import client_context
from adapters.player.world import World, world_of
from adapters.testing.running import RunningGateway

HOST = "127.0.0.1"
GERIATRICS = "secretariat.geriatrie@ch-brumeval.val-de-brume.mssante.fr"
EMERGENCY = "urgences@ch-brumeval.val-de-brume.mssante.fr"
TILLEULS = "soins@ehpad-les-tilleuls.val-de-brume.mssante.fr"
GLYCINES = "soins@ehpad-les-glycines.val-de-brume.mssante.fr"
SUSPENDED = "ancienne.adresse@ehpad-la-source.val-de-brume.mssante.fr"
SOURCE = "soins@ehpad-la-source.val-de-brume.mssante.fr"
SIAO = "orientation@siao.val-de-brume.mssante.fr"


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail that left."""

    message_id: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Found:
    """A mail read by IMAP."""

    raw: bytes
    flags: tuple[str, ...]

    @property
    def mail(self) -> Message:
        return message_from_bytes(self.raw, policy=default)


@dataclass
class Town:
    """A gateway and those who use it."""

    gateway: RunningGateway
    world: World = field(init=False)

    def __post_init__(self) -> None:
        self.world = world_of(self.gateway)

    def write(self, sender: str, *recipients: str, subject: str = "essai", more: str = "") -> Letter:
        """A plain letter, not sent yet."""
        message_id = f"{uuid4().hex}@ch-brumeval.val-de-brume.mssante.fr"
        raw = (
            f"From: Secretariat <{sender}>\r\nTo: {', '.join(recipients)}\r\nSubject: {subject}\r\n"
            f"Date: Tue, 24 Nov 2026 10:00:00 +0100\r\nMessage-ID: <{message_id}>\r\nX-MSS-NIL: DEV000000\r\n{more}"
            "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nBonjour.\r\n.point\r\n"
        )
        return Letter(message_id, raw.encode())

    def send(
        self,
        letter: Letter,
        mail_from: str,
        recipients: Sequence[str],
        *,
        login: str = "",
        options: Sequence[str] = (),
        dsn: Mapping[str, Sequence[str]] | None = None,
    ) -> tuple[int, str]:
        """Submit; the reply to DATA, or to the first command that was refused."""
        with smtplib.SMTP(HOST, self.gateway.port("submission"), "localhost", timeout=30) as client:
            client.starttls(context=client_context(self.world.authority, None))
            client.ehlo()
            client.login(login or mail_from, self.world.passwords[login or mail_from])
            return hand_over(client, letter, mail_from, recipients, options, dsn or {})

    def send_as_operator(
        self, operator: str, to_operator: str, letter: Letter, mail_from: str, recipients: Sequence[str]
    ) -> tuple[int, str]:
        """Relay straight to an operator's door, with another operator's certificate."""
        issued = self.world.certificates.operator(self.world.territory.operators[operator])
        with smtplib.SMTP(HOST, self.gateway.port(f"smtp:{to_operator}"), "localhost", timeout=30) as client:
            client.starttls(context=client_context(self.world.authority, issued))
            client.ehlo()
            return hand_over(client, letter, mail_from, recipients, (), {})

    def inbox(self, address: str) -> list[Found]:
        """Every mail of a mailbox, oldest first."""
        tls: ssl.SSLContext = client_context(self.world.authority, None)
        with closing(_Imap(HOST, self.gateway.port("imap"), timeout=30)) as client:
            client.starttls(tls)
            token = f"\0{address}\0{self.world.passwords[address]}".encode()
            client.authenticate("PLAIN", lambda _: token)
            client.select("INBOX", readonly=True)
            _, (uids,) = client.uid("SEARCH", "ALL")
            return [_fetched(client, uid.decode()) for uid in uids.split()]

    def about(self, letter: Letter, address: str, timeout_s: float = 30, count: int = 1) -> list[Found]:
        """Wait for the mails that answer a letter (In-Reply-To)."""
        found: list[Found] = self.wait(
            lambda: [f for f in self.inbox(address) if f.mail["In-Reply-To"] == f"<{letter.message_id}>"],
            lambda found: len(found) >= count,
            timeout_s,
        )
        return found

    def wait(self, look: Callable[[], Any], enough: Callable[[Any], object], timeout_s: float = 30) -> Any:
        """Look again until it is enough; fails with what was seen last."""
        deadline = time.monotonic() + timeout_s
        while not enough(seen := look()):
            assert time.monotonic() < deadline, f"not in time; seen last: {seen!r}"
            time.sleep(0.1)
        return seen

    def exchanges(self, letter: Letter, door: str = "") -> list[Mapping[str, Any]]:
        """The crossings of a letter."""
        wanted = {"message_id": letter.message_id, **({"door": door} if door else {})}
        found: list[Mapping[str, Any]] = self.gateway.get("/exchanges", **wanted)["exchanges"]
        return found

    def story(self, letter: Letter) -> list[Mapping[str, Any]]:
        """Every hop of a letter's story, with its events."""
        first = self.exchanges(letter)[-1]
        hops: list[Mapping[str, Any]] = self.gateway.get(f"/exchanges/{first['id']}/story")["hops"]
        return hops

    def happened(self, letter: Letter) -> list[str]:
        """The kinds of all events of a story."""
        return [event["kind"] for hop in self.story(letter) for event in hop["events"]]


class _Imap(imaplib.IMAP4):
    def close(self) -> tuple[str, list[Any]]:
        with suppress(OSError, imaplib.IMAP4.error):
            self.logout()
        return "OK", []


def hand_over(
    client: smtplib.SMTP,
    letter: Letter,
    mail_from: str,
    recipients: Sequence[str],
    options: Sequence[str],
    dsn: Mapping[str, Sequence[str]],
) -> tuple[int, str]:
    """MAIL, each RCPT, DATA; the first refusal ends it."""
    code, text = client.mail(mail_from, options)
    for recipient in recipients if code < 300 else ():
        code, text = client.rcpt(recipient, dsn.get(recipient, ()))
        if code >= 300:
            break
    if code < 300:
        code, text = client.data(letter.raw)
    return code, text.decode("ascii", "replace")


def _fetched(client: imaplib.IMAP4, uid: str) -> Found:
    _, flags = client.uid("FETCH", uid, "(FLAGS)")
    _, parts = client.uid("FETCH", uid, "(BODY.PEEK[])")
    octets = next(p[1] for p in parts if isinstance(p, tuple))  # news of other mails may come first
    return Found(octets, tuple(f.decode() for f in imaplib.ParseFlags(flags[0])))
