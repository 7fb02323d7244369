"""Who may open a mailbox: its address with its application password, or a client certificate (APP mailboxes).

An unknown mailbox, one without a password and a wrong password get the same answer after the same work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from pymap.exceptions import InvalidAuth, ResponseError
from pymap.parsing.response import ResponseCode, ResponseNo
from pysasl.creds.external import ExternalCredentials
from pysasl.creds.plain import PlainCredentials
from pysasl.creds.server import ServerCredentials
from pysasl.identity import Identity

from adapters.imap.postbox import Postbox, Shared
from adapters.secrets import secret_matches_off_loop
from gateway.directory.model import Mailbox, MailboxState
from gateway.ports import Clock, Sandboxes, Store

CertificateOpens = Callable[[bytes, str, str], bool]
"""Whether the holder of a client certificate (DER, as presented) may open a mailbox: `(der, workspace, address)`."""

_AT_ONCE = 2  # password derivations at the same time: each takes a core for tens of milliseconds


class Refused(InvalidAuth):
    """The one answer to every wrong login."""

    TEXT = b"Adresse inconnue ou mot de passe d'application faux / unknown address or wrong application password."

    def __init__(self) -> None:
        super().__init__(self.TEXT.decode())


class Suspended(ResponseError):
    """The password is right, but the mailbox is closed for now."""

    def get_response(self, tag: bytes) -> ResponseNo:
        text = b"BAL suspendue par son operateur / mailbox suspended by its operator."
        return ResponseNo(tag, text, ResponseCode.of(b"CONTACTADMIN"))


class TooMany(ResponseError):
    """The mailbox already has as many sessions as one may open."""

    def get_response(self, tag: bytes) -> ResponseNo:
        text = b"Trop de connexions sur cette BAL / too many connections to this mailbox."
        return ResponseNo(tag, text, ResponseCode.of(b"LIMIT"))


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end: `ip:port`, and its certificate (DER) when TLS brought one."""

    address: str
    certificate: bytes | None = None


class Gatekeeper:
    """Judges credentials."""

    def __init__(
        self,
        store: Store,
        sandboxes: Sandboxes,
        clock: Clock,
        shared: Shared,
        certificate_opens: CertificateOpens | None = None,
    ) -> None:
        self._store = store
        self._sandboxes = sandboxes
        self._clock = clock
        self._shared = shared
        self._certificate_opens = certificate_opens
        self._derivations = asyncio.Semaphore(_AT_ONCE)

    @property
    def knows_certificates(self) -> bool:
        """Whether AUTH EXTERNAL can succeed here."""
        return self._certificate_opens is not None

    def mail_limit(self, workspace: str) -> int:
        """The largest message a client may append, in bytes."""
        return self._sandboxes.policy(workspace).limits.mail_bytes

    async def admit(self, credentials: ServerCredentials, peer: Peer) -> Postbox:
        """The mailbox these credentials open. Raises Refused or Suspended. Both outcomes are journalled."""
        address = credentials.authzid.casefold()
        workspace = self._sandboxes.workspace_of_domain(address.rpartition("@")[2])
        mailbox = self._sandboxes.territory(workspace).mailboxes.get(address)
        if mailbox is not None and mailbox.state is MailboxState.DELETED:
            mailbox = None
        known = await self._proven(credentials, mailbox, workspace, peer)
        # an address that does not exist may be anything, a password for instance: it is not kept
        postbox = Postbox(self._store, self._clock, self._shared, workspace, address if mailbox else "?")
        told = {"peer": peer.address, "mechanism": _mechanism(credentials)}
        if mailbox is None or not known:
            await postbox.trace("imap-refused", told)
            raise Refused
        if mailbox.state is MailboxState.SUSPENDED:
            await postbox.trace("imap-refused", {**told, "state": "suspended"})
            raise Suspended
        await postbox.trace("imap-login", told)
        return postbox

    async def _proven(
        self, credentials: ServerCredentials, mailbox: Mailbox | None, workspace: str, peer: Peer
    ) -> bool:
        if isinstance(credentials, PlainCredentials):
            stored = mailbox.secret if mailbox is not None else ""
            async with self._derivations:
                matches = await secret_matches_off_loop(_secret_of(credentials), stored)
            return matches and credentials.authcid.casefold() == credentials.authzid.casefold()
        if isinstance(credentials, ExternalCredentials) and self._certificate_opens and peer.certificate:
            return mailbox is not None and self._certificate_opens(peer.certificate, workspace, mailbox.address)
        return False


class _Listener(Identity):
    """Hears the password that credentials carry: pysasl offers it only for comparison."""

    heard = ""

    @property
    def authcid(self) -> str:
        return ""

    def compare_authcid(self, authcid: str) -> bool:
        return True

    def compare_secret(self, value: str) -> bool:
        self.heard = value
        return False

    def get_clear_secret(self) -> None:
        return None


def _secret_of(credentials: PlainCredentials) -> str:
    """The password, made encodable: octets that are no UTF-8 can be no password of ours."""
    listener = _Listener()
    credentials.verify(listener)
    return listener.heard.encode("utf-8", "replace").decode("utf-8")


def _mechanism(credentials: ServerCredentials) -> str:
    return "certificate" if isinstance(credentials, ExternalCredentials) else "password"
