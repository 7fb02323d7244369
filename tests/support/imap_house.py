"""A running IMAP service over a real SQLite store, in its own thread, for clients that block (imaplib, curl, mbsync)."""

from __future__ import annotations

import asyncio
import imaplib
import socket
import ssl
import threading
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar
from uuid import uuid4

from adapters.clock import SystemClock
from adapters.imap import ImapLimits, ImapListeners
from adapters.imap.login import CertificateOpens
from adapters.pki.contexts import server_context
from adapters.pki.model import Issued, Profile, Subject
from adapters.secrets import hash_secret
from adapters.storage import SqlStore, open_store
from gateway.directory.model import Mailbox, MailboxKind, MailboxState, Territory
from gateway.exchange.model import Payload
from gateway.ports import EventRow, FolderRow, MailRow, NewMail, RecordExchange
from gateway.sandbox.model import Limits, Policy
from tests.support.authority import shared_authority

T = TypeVar("T")

DOMAIN = "ehpad-les-tilleuls.val-de-brume.mssante.fr"
OTHER_DOMAIN = "ehpad-les-tilleuls.classe-b.val-de-brume.mssante.fr"
ADDRESS = f"accueil@{DOMAIN}"
COLLEAGUE = f"soins@{DOMAIN}"
APPLICATION = f"dui@{DOMAIN}"
SUSPENDED = f"suspendue@{DOMAIN}"
DELETED = f"supprimee@{DOMAIN}"
OTHER = f"accueil@{OTHER_DOMAIN}"
PASSWORD = "mot de passe d'été"

_NONE: Mapping[str, Any] = MappingProxyType({})


def _territory(mailboxes: Sequence[Mailbox]) -> Territory:
    return Territory(_NONE, _NONE, _NONE, {m.address: m for m in mailboxes}, _NONE, ())


@cache
def _stored() -> str:
    return hash_secret(PASSWORD)


def _mailbox(address: str, state: MailboxState = MailboxState.ACTIVE, kind: MailboxKind = MailboxKind.ORG) -> Mailbox:
    return Mailbox(address, kind, "operateur", "ehpad", secret=_stored(), state=state)


@dataclass
class TwoSandboxes:
    """Implements `Sandboxes`: workspaces `demo` and `classe-b`, each with a domain."""

    mail_bytes: int = Limits().mail_bytes
    territories: Mapping[str, Territory] = field(
        default_factory=lambda: {
            "demo": _territory(
                (
                    _mailbox(ADDRESS),
                    _mailbox(COLLEAGUE),
                    _mailbox(APPLICATION, kind=MailboxKind.APP),
                    _mailbox(SUSPENDED, MailboxState.SUSPENDED),
                    _mailbox(DELETED, MailboxState.DELETED),
                )
            ),
            "classe-b": _territory((_mailbox(OTHER),)),
        }
    )

    def policy(self, workspace: str) -> Policy:
        return Policy(limits=Limits(mail_bytes=self.mail_bytes))

    def territory(self, workspace: str) -> Territory:
        return self.territories[workspace]

    def workspace_of_domain(self, domain: str) -> str:
        return "classe-b" if domain == OTHER_DOMAIN else "demo"

    def workspace_of_certificate(self, fingerprint: str) -> str:
        return "demo"


def server_card() -> Issued:
    """The certificate of the service."""
    subject = Subject("imap.val-de-brume.example", "PASSERELLE", "1999999992", "Lozère (48)")
    return shared_authority().ensure(Profile.SERVER, subject, key="imap", hosts=("localhost", "127.0.0.1"))


def client_card() -> Issued:
    """The certificate of a structure's software."""
    subject = Subject("dui.ehpad-les-tilleuls", "EHPAD LES TILLEULS", "1999999992", "Lozère (48)")
    return shared_authority().ensure(Profile.AUTH_CLIENT, subject, key="imap-client")


class ImapHouse:
    """The service. `folder` holds the database: a house opened again on it finds everything."""

    def __init__(
        self,
        folder: Path,
        *,
        limits: ImapLimits | None = None,
        mail_bytes: int = Limits().mail_bytes,
        certificate_opens: CertificateOpens | None = None,
    ) -> None:
        self.folder = folder
        self.limits = limits
        self.sandboxes = TwoSandboxes(mail_bytes)
        self.certificate_opens = certificate_opens
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="imap-house")
        self.store: SqlStore
        self.listeners: ImapListeners

    def __enter__(self) -> ImapHouse:
        self._thread.start()
        self.call(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self.call(self._stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    async def _start(self) -> None:
        self.store = await open_store(f"sqlite:///{self.folder / 'mail.sqlite'}", self.folder)
        context = server_context(shared_authority(), server_card(), ask=self.certificate_opens is not None)
        self.listeners = ImapListeners(
            self.store,
            self.sandboxes,
            SystemClock(),
            context,
            limits=self.limits,
            certificate_opens=self.certificate_opens,
        )
        await self.listeners.start()

    async def _stop(self) -> None:
        await self.listeners.stop()
        await self.store.close()

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run in the service's loop and wait."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(60)

    # ------------------------------------------------------------------------------------------ the product, beside IMAP

    def deliver(
        self,
        raw: bytes,
        address: str = ADDRESS,
        *,
        workspace: str = "demo",
        flags: tuple[str, ...] = (),
        exchange_id: str = "",
    ) -> str:
        """Deliver a mail as the road does; the exchange's id."""
        exchange_id = exchange_id or uuid4().hex
        digest = sha256(raw).hexdigest()
        mail = NewMail(workspace, address, "INBOX", digest, len(raw), datetime.now(UTC), flags, exchange_id)
        record = RecordExchange(
            workspace, exchange_id, datetime.now(UTC), Payload(len(raw), digest, raw), {}, [], mails=(mail,)
        )
        self.call(self.store.commit(record))
        return exchange_id

    def events(self, kind: str, exchange_id: str = "", workspace: str = "demo") -> list[EventRow]:
        """Journalled events of one kind."""
        rows = self.call(self.store.events(workspace, exchange_id=exchange_id, limit=1000))
        return [row for row in rows if row.kind == kind]

    def mails(self, folder: str = "INBOX", address: str = ADDRESS) -> tuple[MailRow, ...]:
        """The mails of a folder, as stored."""
        return self.call(self.store.mails("demo", address, folder))

    def folders(self, address: str = ADDRESS) -> dict[str, FolderRow]:
        """The folders of a mailbox, as stored."""
        return {row.name: row for row in self.call(self.store.folders("demo", address))}

    # --------------------------------------------------------------------------------------------------------- clients

    @property
    def ca_file(self) -> str:
        """The authorities a client trusts, PEM."""
        return str(shared_authority().bundle_path)

    def client_context(self, card: Issued | None = None) -> ssl.SSLContext:
        """A client's TLS context, showing a certificate when there is one."""
        context = ssl.create_default_context(cafile=self.ca_file)
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if card is not None:
            authority = shared_authority()
            context.load_cert_chain(authority.chain_path(card), authority.key_path(card))
        return context

    def connect(self, *, tls: bool = True) -> imaplib.IMAP4:
        """An imaplib client, not logged in."""
        if tls:
            return imaplib.IMAP4_SSL(
                "localhost", self.listeners.tls_port, ssl_context=self.client_context(), timeout=30
            )
        return imaplib.IMAP4("localhost", self.listeners.port, timeout=30)

    def log_in(self, address: str = ADDRESS, password: str = PASSWORD) -> imaplib.IMAP4:
        """An imaplib client, logged in."""
        client = self.connect()
        client.authenticate("PLAIN", lambda _: f"\0{address}\0{password}".encode())
        return client

    def raw(self, *, tls: bool = True, card: Issued | None = None) -> RawClient:
        """A client that says exactly what it is told."""
        port = self.listeners.tls_port if tls else self.listeners.port
        plain = socket.create_connection(("localhost", port), timeout=10)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        context = self.client_context(card)
        return RawClient(context.wrap_socket(plain, server_hostname="localhost") if tls else plain)


class RawClient:
    """Octets out, lines in."""

    def __init__(self, link: socket.socket) -> None:
        self.link = link
        self.file = link.makefile("rb")

    def __enter__(self) -> RawClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.link.close()

    def send(self, octets: bytes) -> None:
        """Say octets."""
        self.link.sendall(octets)

    def line(self) -> bytes | None:
        """The next line, without its end; None when the server left."""
        try:
            line = self.file.readline()
        except OSError:
            return None
        return line.rstrip(b"\r\n") if line else None

    def until(self, prefix: bytes) -> list[bytes]:
        """Lines up to one that begins with `prefix`, included; fails when the server leaves first."""
        lines = []
        while (line := self.line()) is not None:
            lines.append(line)
            if line.startswith(prefix):
                return lines
        raise AssertionError(f"{prefix!r} never came: {lines[-5:]!r}")

    def ask(self, command: bytes, tag: bytes = b"t") -> list[bytes]:
        """One command and its answer."""
        self.send(tag + b" " + command + b"\r\n")
        return self.until(tag + b" ")

    def rest(self) -> list[bytes]:
        """Every line until the server leaves."""
        lines = []
        while (line := self.line()) is not None:
            lines.append(line)
        return lines

    def log_in(self, address: str = ADDRESS, password: str = PASSWORD) -> bytes:
        """LOGIN with literals; the tagged answer."""
        secret = password.encode()
        self.send(b"l LOGIN %b {%d+}\r\n%b\r\n" % (address.encode(), len(secret), secret))
        return self.until(b"l ")[-1]


def mail(subject: str = "Essai", body: str = "Bonjour.\r\n", **headers: str) -> bytes:
    """A small mail."""
    lines = [
        "From: Dr_Marie_MARTIN <marie.martin@ch-brumeval.val-de-brume.mssante.fr>",
        f"To: <{ADDRESS}>",
        f"Subject: {subject}",
        "Date: Mon, 05 Oct 2026 10:00:00 +0200",
        f"Message-ID: <{sha256((subject + body).encode()).hexdigest()[:16]}@ch-brumeval.example>",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()
