"""Matricules planted at the mail doors of a live gateway: greeting, AUTH, envelope, each header, files, packages, IMAP."""

from __future__ import annotations

import base64
import contextlib
import imaplib
import smtplib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import uuid4

from adapters.pki.contexts import client_context
from adapters.pki.model import Issued
from adapters.player.world import World
from adapters.testing.running import RunningGateway
from tests.support.handmade import ROOM, cda_bytes, files, zipped
from tests.support.live import NURSING_HOME, SENDER, as_new, plain_mail
from tests.support.planting import planted_in, spaced

PATIENTS = "patient.mssante.fr"


@dataclass
class Out:
    """A live gateway, and what came out of it, by where it was read."""

    gateway: RunningGateway
    world: World
    read: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def keep(self, where: str, text: str | bytes) -> None:
        """One more text read."""
        self.read[where].append(text if isinstance(text, str) else text.decode("utf-8", "replace"))


@contextlib.contextmanager
def _session(made: Out, port: int, greeting: str, issued: Issued | None = None) -> Iterator[smtplib.SMTP]:
    client = smtplib.SMTP("127.0.0.1", port, local_hostname=greeting, timeout=60)
    try:
        client.starttls(context=client_context(made.world.authority, issued))
        client.ehlo()
        yield client
    finally:
        client.close()


def _say(made: Out, client: smtplib.SMTP, *lines: str) -> None:
    for line in lines:
        with contextlib.suppress(smtplib.SMTPServerDisconnected):
            made.keep("smtp", client.docmd(line)[1])


def _say_data(made: Out, client: smtplib.SMTP, raw: bytes) -> None:
    try:
        made.keep("smtp", client.data(raw)[1])
    except smtplib.SMTPDataError as refused:
        error = refused.smtp_error
        made.keep("smtp", error if isinstance(error, bytes) else error.encode())
        client.rset()


def _word(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def submission(made: Out, m: str) -> None:
    """At the submission door."""
    port, domain = made.gateway.port("submission"), NURSING_HOME.rpartition("@")[2]
    commands = (m, f"VRFY {m}", f"EXPN {m}", f"HELP {m}", f"AUTH {m}", f"STARTTLS {m}", f"NOOP {m}", f"RSET {m}")
    with _session(made, port, f"x{m}.fr") as client:
        _say(made, client, *commands)
    with _session(made, port, f"x{m}.fr") as client:
        _say(made, client, f"AUTH PLAIN {_word(f'{chr(0)}x{m}@{domain}{chr(0)}{m}')}", f"AUTH PLAIN {_word(m)}")
        _say(made, client, f"AUTH PLAIN {_word(f'{chr(0)}s.{m}{chr(0)}{m}')}")
    with _session(made, port, m) as client:
        _say(made, client, "AUTH LOGIN", _word(f"x{m}"), _word(m), f"MAIL FROM:<{m}@{domain}>")
    envelope = (
        f"MAIL FROM:<s.{m}@{domain}>",
        f"MAIL FROM:<{m}@{PATIENTS}>",
        f"MAIL FROM:<{SENDER}> X={m}",
        f"MAIL FROM:<{SENDER}> SIZE={m}",
        f"MAIL FROM:<{SENDER}> RET=HDRS ENVID=x{m}",
        f"RCPT TO:<dupont.{m}@{domain}> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;x{m}@x.fr",
        f"RCPT TO:<x@{m}.fr>",
        f"RCPT TO:<{m}@ch-brumeval.val-de-brume.mssante.fr>",
        f"RCPT TO:<{m}>",
        f"RCPT TO:<{m}@{PATIENTS}> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;{m}@{PATIENTS}",
    )
    with _session(made, port, f"x{m}.fr") as client:
        client.login(SENDER, made.gateway.password(SENDER))
        _say(made, client, *envelope)
        _say_data(made, client, plain_mail(f"Essai {spaced(m)}", to=f"{m}@{PATIENTS}"))
        for raw in mails(m):
            _say(made, client, f"MAIL FROM:<{SENDER}> ENVID=x{m}", f"RCPT TO:<{NURSING_HOME}> NOTIFY=SUCCESS")
            _say_data(made, client, raw)


def mails(m: str) -> Iterator[bytes]:
    """One mail for each header, accepted or refused; then bodies, names of files and packages."""
    head, _, body = plain_mail().partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    names = [line.partition(b":")[0].decode() for line in lines]
    others = ("Cc", "Reply-To", "In-Reply-To", "References", "X-MSS-INS", "X-MSS-CODECDA", "X-MSS-MES", f"X-{m}")
    for name in (*names, *others):
        kept = [line for line in lines if line.partition(b":")[0].decode().lower() != name.lower()]
        named = f'"{spaced(m, "-")}" <x.{m}@ch-brumeval.val-de-brume.mssante.fr>'
        for value in (f"x{m}", named, f"<x.{m}.{uuid4().hex}@x.fr>"):
            raw = b"\r\n".join([*kept, f"{name}: {value}".encode(), b"", body])
            yield raw if name == "Message-ID" else as_new(raw)
    yield plain_mail(f"XDM/1.0/DDM+Lettre de liaison {m} DURAND Odette 08/03/1939")
    yield plain_mail("Une INS", body=f"Bonjour, {m} ou {spaced(m)} ou {spaced(m, chr(0xA0))}.")
    archive = zipped({f"{ROOM}{m}.XML": cda_bytes(), f"{m}/{m}.txt": m.encode(), **files()})
    yield _with_part(m, archive, "IHE_XDM.zip", "application/zip")
    yield _with_part(m, m.encode(), f"{m}.pdf", "application/pdf")
    for number, (_, document) in enumerate(planted_in(cda_bytes(), f"x{m}")):
        if number % 7 == 0:  # each place is tried without a gateway; some are enough here
            yield _with_part(m, zipped(files(document=document)), "IHE_XDM.zip", "application/zip")


def _with_part(m: str, octets: bytes, name: str, kind: str) -> bytes:
    boundary = f"_{m}_"
    head, _, _ = plain_mail(f"XDM/1.0/DDM+Lettre de liaison {spaced(m)}").partition(b"\r\n\r\n")
    kept = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-type:")]
    kept.append(f'Content-Type: multipart/mixed; boundary="{boundary}"'.encode())
    part = (
        f'--{boundary}\r\nContent-Type: {kind}; name="{name}"\r\nContent-Disposition: attachment; filename="{name}"\r\n'
        f"Content-ID: <{m}@x>\r\nContent-Description: {m}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    )
    return b"\r\n".join([*kept, b"", part.encode() + base64.encodebytes(octets), f"--{boundary}--".encode(), b""])


def reception(made: Out, m: str) -> None:
    """At two operators' doors, as another operator."""
    world, domain = made.world, SENDER.rpartition("@")[2]
    issued = world.certificates.operator(world.territory.operators[world.mailbox(SENDER).operator])
    with _session(
        made, made.gateway.port(f"smtp:{world.mailbox(NURSING_HOME).operator}"), f"x{m}.fr", issued
    ) as client:
        _say(made, client, f"MAIL FROM:<s.{m}@inconnu.fr>", f"MAIL FROM:<s.{m}@{domain}>")
        _say(made, client, f"RCPT TO:<s.{m}@{NURSING_HOME.rpartition('@')[2]}>", f"RCPT TO:<{m}@ailleurs.fr>")
        _say(made, client, f"RCPT TO:<{NURSING_HOME}>")
        _say_data(made, client, plain_mail(f"Reçu {m}", sender=f"s.{m}@{domain}"))
    with _session(made, made.gateway.port("smtp:op-citoyen"), f"x{m}.fr", issued) as client:
        addresses = (f"{m}@{PATIENTS}", f"x{m}@{PATIENTS}", f"reponse.automatique-test@{PATIENTS}")
        _say(made, client, f"MAIL FROM:<{SENDER}>", *(f"RCPT TO:<{a}>" for a in addresses))
        _say_data(made, client, plain_mail(f"Pour {m}", to=f"{m}@{PATIENTS}"))


def imap(made: Out, m: str) -> None:
    """A stranger logs in; a mailbox's owner writes names of folders and keywords."""
    stranger = imaplib.IMAP4("127.0.0.1", made.gateway.port("imap"), timeout=60)
    stranger.starttls(client_context(made.world.authority, None))
    with contextlib.suppress(imaplib.IMAP4.error):
        stranger.login(f"{m}@{PATIENTS}", m)
    stranger.shutdown()
    with made.gateway.imap(NURSING_HOME) as client:
        for command, *words in (
            ("create", f"x{m}"),
            ("append", "INBOX", f"(k{m})", "", plain_mail(m)),
            ("store", "1", "+FLAGS", f"(k{m})"),
            ("select", m),
            ("rename", f"x{m}", f"y{m}"),
        ):
            with contextlib.suppress(imaplib.IMAP4.error):
                getattr(client, str(command))(*words)
