"""What one connection may ask at each moment.

Deviations from pymap 0.36.7: nothing is authenticated in clear, not even from this machine; the mechanisms offered follow
the connection (TLS or not, client certificate or not); CLOSE of a read-only folder succeeds; FETCH answers are streamed;
a store that cannot write is told as NO [UNAVAILABLE]; a literal that is too long as NO [TOOBIG].
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from pymap.context import connection_exit
from pymap.exceptions import ResponseError
from pymap.imap.state import ConnectionState
from pymap.interfaces.login import LoginInterface
from pymap.parsing.command import Command
from pymap.parsing.command.nonauth import AuthenticateCommand, LoginCommand, StartTLSCommand
from pymap.parsing.command.select import CloseCommand, FetchCommand, IdleCommand, SearchCommand, UidFetchCommand
from pymap.parsing.commands import InvalidCommand
from pymap.parsing.response import (
    CommandResponse,
    ResponseBad,
    ResponseBye,
    ResponseCode,
    ResponseNo,
    ResponseOk,
    UntaggedResponse,
)
from pymap.selected import SelectedMailbox
from pysasl import SASLAuth
from pysasl.creds.server import ServerCredentials

from adapters.imap.commands import NamespaceCommand, UnselectCommand
from adapters.imap.config import NOTHING_IN_CLEAR, PASSWORDS, PASSWORDS_OR_CERTIFICATE, ImapConfig
from adapters.imap.fetching import FetchAnswers
from adapters.imap.login import Gatekeeper, Peer, Refused, TooMany
from adapters.imap.mails import within
from adapters.imap.names import DELIMITER
from adapters.imap.postbox import Postbox
from adapters.imap.session import Session
from gateway.ports import StoreUnavailable

_Answer = tuple[CommandResponse, SelectedMailbox | None]


class PrivacyRequired(ResponseError):
    """A password was offered in clear."""

    def get_response(self, tag: bytes) -> ResponseNo:
        text = b"STARTTLS d'abord: aucun mot de passe en clair / STARTTLS first: no password in clear."
        return ResponseNo(tag, text, ResponseCode.of(b"PRIVACYREQUIRED"))


class NothingStored(ResponseError):
    """The store cannot write now: nothing changed."""

    def get_response(self, tag: bytes) -> ResponseNo:
        text = b"Rien ne peut etre enregistre pour l'instant / nothing can be stored right now."
        return ResponseNo(tag, text, ResponseCode.of(b"UNAVAILABLE"))


class TooManyFailures(ResponseError):
    """Enough wrong passwords for one connection."""

    def get_response(self, tag: bytes) -> ResponseNo:
        response = ResponseNo(tag, Refused.TEXT, ResponseCode.of(b"AUTHENTICATIONFAILED"))
        response.add_untagged(ResponseBye(b"Trop d'essais / too many failed logins."))
        return response


class State(ConnectionState):
    """The state of one connection. `peer` and `encrypted` are set by the connection, again after STARTTLS."""

    def __init__(self, gatekeeper: Gatekeeper, config: ImapConfig, peer: Peer, *, encrypted: bool) -> None:
        # `_login` below is the only user of pymap's login object
        super().__init__(cast(LoginInterface, gatekeeper), config)
        self.gatekeeper = gatekeeper
        self.peer = peer
        self.encrypted = encrypted
        self.append_bytes = config.limits.literal_bytes
        self.failed_logins = 0
        self._limits = config.limits
        if encrypted:
            self._capability.remove(b"STARTTLS")

    @property
    def auth(self) -> SASLAuth:
        """The mechanisms that may be used now."""
        if not self.encrypted:
            return NOTHING_IN_CLEAR
        if self.peer.certificate and self.gatekeeper.knows_certificates:
            return PASSWORDS_OR_CERTIFICATE
        return PASSWORDS

    @auth.setter
    def auth(self, offered: SASLAuth) -> None:
        """pymap sets it when it greets a client of this machine, and at STARTTLS before the handshake: both too early."""

    @property
    def authenticated(self) -> bool:
        """Whether somebody is logged in."""
        return self._session is not None

    @property
    def mailbox(self) -> Session:
        """The session, as our own class."""
        return cast(Session, self.session)

    # ---------------------------------------------------------------------------------------------------------- login

    async def _login(self, creds: ServerCredentials) -> Session:
        try:
            postbox = await self.gatekeeper.admit(creds, self.peer)
        except Refused:
            self.failed_logins += 1
            if self.failed_logins >= self._limits.failed_logins:
                raise TooManyFailures from None
            raise
        except StoreUnavailable:  # a login that cannot be journalled is none
            raise NothingStored from None
        self._count(postbox)
        session = await connection_exit.get().enter_async_context(Session.opened(postbox))
        self.append_bytes = self.gatekeeper.mail_limit(postbox.workspace)
        self._capability.append(b"APPENDLIMIT=%d" % self.append_bytes)
        return session

    def _count(self, postbox: Postbox) -> None:
        """Count this session until the connection ends. Raises TooMany."""
        sessions, key = postbox.shared.sessions, (postbox.workspace, postbox.address)
        if sessions.get(key, 0) >= self._limits.connections_per_mailbox:
            raise TooMany
        sessions[key] = sessions.get(key, 0) + 1

        def leave() -> None:
            sessions[key] -= 1
            if not sessions[key]:
                del sessions[key]

        connection_exit.get().callback(leave)

    async def do_authenticate(
        self, cmd: AuthenticateCommand | LoginCommand, creds: ServerCredentials | None
    ) -> CommandResponse:
        if not self.encrypted:
            raise PrivacyRequired
        return await super().do_authenticate(cmd, creds)

    async def do_login(self, cmd: LoginCommand) -> _Answer:
        if not self.encrypted:
            raise PrivacyRequired
        return await super().do_login(cmd)

    async def do_starttls(self, cmd: StartTLSCommand) -> _Answer:
        if self.encrypted:
            return ResponseNo(cmd.tag, b"TLS est deja etabli / TLS is already on.", ResponseCode.of(b"CANNOT")), None
        return await super().do_starttls(cmd)

    # ------------------------------------------------------------------------------------------------------- commands

    async def do_command(self, cmd: Command) -> CommandResponse:
        """Answer one command; what the store refuses is told, and changes nothing."""
        if isinstance(cmd, InvalidCommand):
            return _invalid(cmd)
        news: list[UntaggedResponse] = []
        try:
            if isinstance(cmd, UidFetchCommand | SearchCommand):
                news = await self._catch_up(cmd)
            if self._selected is not None:
                _bound(cmd, self._selected)
            response = await super().do_command(cmd)
        except StoreUnavailable:
            response = NothingStored().get_response(cmd.tag)
        except ResponseError as refused:
            if not news:
                raise
            response = cast(CommandResponse, refused.get_response(cmd.tag))
        return _after(news, response) if news else response

    async def _catch_up(self, cmd: Command) -> list[UntaggedResponse]:
        """What came is told before a UID FETCH or SEARCH is answered, so that a client which only asks these sees it."""
        if self._selected is None:
            return []
        self._selected.hide_expunged = not getattr(cmd, "uid", False)
        self._selected, untagged = (await self.mailbox.caught_up(self._selected)).fork(cmd)
        return list(untagged)

    async def do_fetch(self, cmd: FetchCommand) -> _Answer:
        if not cmd.uid:
            self.selected.hide_expunged = True
        set_seen = not self.selected.readonly and any(attribute.set_seen for attribute in cmd.attributes)
        mails, updates = await self.mailbox.fetch_messages(self.selected, cmd.sequence_set, set_seen)
        found = list(mails)
        gone = any(mail.expunged for _, mail in found)
        code = ResponseCode.of(b"EXPUNGEISSUED") if gone else None
        response = ResponseOk(cmd.tag, cmd.command + b" completed.", code)
        if found:
            answers = FetchAnswers(self.mailbox.postbox, found, cmd.attributes, self.selected.session_flags)
            response.add_untagged(answers)
        return response, updates

    async def do_close(self, cmd: CloseCommand) -> _Answer:
        if not self.selected.readonly:
            await self.mailbox.expunge_mailbox(self.selected)
        return await self._leave(cmd)

    async def do_unselect(self, cmd: UnselectCommand) -> _Answer:
        return await self._leave(cmd)

    async def _leave(self, cmd: Command) -> _Answer:
        self._selected = None
        self.mailbox.close()
        return ResponseOk(cmd.tag, cmd.command + b" completed."), None

    async def do_namespace(self, cmd: NamespaceCommand) -> _Answer:
        response = ResponseOk(cmd.tag, cmd.command + b" completed.")
        response.add_untagged(UntaggedResponse(b'NAMESPACE (("" "%b")) NIL NIL' % DELIMITER.encode()))
        return response, None

    # ----------------------------------------------------------------------------------------------------------- idle

    async def something_new(self) -> None:
        """Wait until the selected folder may have changed."""
        await self.mailbox.something_new()

    async def news(self, cmd: IdleCommand) -> Iterable[UntaggedResponse]:
        """What changed in the selected folder since the client was last told."""
        selected = await self.mailbox.check_mailbox(self.selected)
        self._selected, untagged = selected.fork(cmd)
        return list(untagged)


def _invalid(cmd: InvalidCommand) -> CommandResponse:
    wrong = cmd.parse_exc.code if cmd.parse_exc is not None else None
    code = bytes(wrong) if wrong is not None else b""
    if code == b"[TOOBIG]":
        return ResponseNo(cmd.tag, b"Message trop grand / message too large.", ResponseCode.of(b"TOOBIG"))
    if code == b"[BADCHARSET]":
        return ResponseNo(cmd.tag, b"Jeu de caracteres inconnu / unknown charset.", ResponseCode.of(b"BADCHARSET"))
    return ResponseBad(cmd.tag, cmd.message)


def _after(news: Iterable[UntaggedResponse], response: CommandResponse) -> CommandResponse:
    """The same response, with news told first."""
    told = type(response)(response.tag, response._text, response.code)
    told.add_untagged(*news, *response._untagged)
    return told


def _bound(cmd: Any, selected: SelectedMailbox) -> None:
    """Bound the sets of a command by the selected folder."""
    if getattr(cmd, "sequence_set", None) is not None:
        cmd.sequence_set = within(cmd.sequence_set, selected)
    if getattr(cmd, "uid_set", None) is not None:
        cmd.uid_set = within(cmd.uid_set, selected)
