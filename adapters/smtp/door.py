"""What the SMTP doors are handed by the outside, and what they remember of one connection and one transaction."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from aiosmtpd.smtp import Envelope as AioEnvelope
from aiosmtpd.smtp import Session

from adapters.smtp.grammar import MailCommand, RcptCommand
from gateway.answers.smtp import SmtpReply
from gateway.directory.model import Mailbox
from gateway.exchange.model import Decision, DsnRequest, Sender, Submission
from gateway.messaging.trust import HandshakeFailure, PeerCertificate, Standing
from gateway.ports import Clock, Operation, Sandboxes
from gateway.rules import Finding, RuleBook
from gateway.sandbox.model import DEFAULT_WORKSPACE
from gateway.values import Door, Lang


class Taken(Protocol):
    """What the road answers (`gateway.exchange.intake.Verdict`): the exchange is durable, the decision is taken."""

    @property
    def exchange_id(self) -> str: ...

    @property
    def decision(self) -> Decision: ...


class Road(Protocol):
    """The road a message travels: judged, made durable, answered."""

    async def take(self, submission: Submission) -> Taken:
        """Raises StoreUnavailable when nothing could be made durable."""
        ...

    async def refuse(self, submission: Submission, findings: tuple[Finding, ...], reply: SmtpReply) -> Taken:
        """Write down a message the door itself refused, or that was cut before its end. Raises as `take`."""
        ...


class Journal(Protocol):
    """The part of the store a door writes to by itself: refusals that brought no message."""

    async def commit(self, *operations: Operation) -> tuple[Any, ...]: ...


class TrustDesk(Protocol):
    """The keys and the authority's word. Contexts are asked for at each connection, so that a revocation acts at once."""

    def server_context(self, key: str) -> ssl.SSLContext:
        """TLS server context of one door; `key` is an operator's id, or `services` for the shared doors."""
        ...

    def client_context(self, operator: str) -> ssl.SSLContext:
        """TLS client context that presents this operator's certificate."""
        ...

    def certificate_of(self, operator: str) -> str:
        """SHA-256 of the certificate this operator presents now."""
        ...

    def peer_of(self, tls: object) -> PeerCertificate | None:
        """Who stands at the other end of an established connection; None without a certificate."""
        ...

    def standing(self, peer: PeerCertificate) -> Standing:
        """Chain and revocation of a certificate, now."""
        ...

    def failure_of(self, tls: object) -> HandshakeFailure | None:
        """What was seen of a handshake that failed; None when it ended without an alert."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """What every door is handed. `spool` is a private folder for large messages while they are received."""

    road: Road
    journal: Journal
    sandboxes: Sandboxes
    clock: Clock
    trust: TrustDesk
    book: RuleBook
    spool: Path
    lang: Lang = Lang.FR


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """Seconds, counts and octets of one listener. RFC 5321 §4.5.3.2 gives the times."""

    command_s: float = 300.0
    data_s: float = 180.0
    handshake_s: int = 30
    connections: int = 500
    errors: int = 10
    failed_logins: int = 3
    refusals_journalled: int = 50
    overrun_bytes: int = 64 * 1024 * 1024  # read and thrown away above the size limit before the connection is cut


class Conversation(Session):
    """One connection. After STARTTLS everything the client said before is forgotten (RFC 3207 §4.2)."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.host_name: str | None = None
        self.peer_text = ""
        self.secured = False
        self.tls: Mapping[str, str] = {}
        self.certificate: PeerCertificate | None = None
        self.certificate_name = ""  # its DN, fit for answers and logs
        self.workspace = DEFAULT_WORKSPACE
        self.attributed = False  # the certificate or the mailbox says whose workspace this is
        self.account: Mailbox | None = None
        self.mechanism = ""
        self.failed_logins = 0
        # (workspace, domain of MAIL FROM) -> when it was judged, and the judgement
        self.trusted: dict[tuple[str, str | None], tuple[float, Refused | None, tuple[Finding, ...]]] = {}
        self.bypassed: list[Finding] = []  # INS-204 on what opened the session


class Transaction(AioEnvelope):
    """One mail being announced: from MAIL to the reply to DATA."""

    def __init__(self) -> None:
        super().__init__()
        self.mail: MailCommand | None = None
        self.workspace = DEFAULT_WORKSPACE
        self.account: Mailbox | None = None
        self.recipients: dict[str, DsnRequest] = {}
        self.bypassed: list[Finding] = []  # INS-204: rules that would have refused this mail before there was one


@dataclass(frozen=True, slots=True)
class Refused:
    """A refusal before any message: what was found, and the reply."""

    findings: tuple[Finding, ...]
    reply: SmtpReply


class Role(Protocol):
    """What a door is for. A role judges; it never touches the connection."""

    @property
    def door(self) -> Door:
        """The door of the submissions made here."""
        ...

    @property
    def certificate_key(self) -> str:
        """Whose certificate this door presents."""
        ...

    def extensions(self, conversation: Conversation) -> tuple[str, ...]:
        """EHLO keywords of this role besides those every door has."""
        ...

    def secured(self, conversation: Conversation) -> None:
        """TLS is up: note what the certificate says of the client."""
        ...

    def judge_sender(self, conversation: Conversation, transaction: Transaction, mail: MailCommand) -> Refused | None:
        """MAIL FROM."""
        ...

    def judge_recipient(
        self, conversation: Conversation, transaction: Transaction, rcpt: RcptCommand
    ) -> Refused | None:
        """RCPT TO."""
        ...

    def sender(self, conversation: Conversation, transaction: Transaction) -> tuple[Sender, str]:
        """Who submits, and the local operator whose door this is."""
        ...

    async def log_in(self, conversation: Conversation, mechanism: str, address: str, secret: str) -> Refused | None:
        """Check credentials and note the mailbox; only called where `extensions` offers AUTH."""
        ...
