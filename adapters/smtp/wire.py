"""One SMTP connection as octets: lines in, replies out, TLS, times. What the commands mean is in `server`.

Theory of operation. aiosmtpd gives the shape: one protocol object and one task per connection, `smtp_*` methods for commands,
a session and an envelope. Its way of reading is replaced: a stream reader that is asked for one line at a time costs a
timer, a regex and several copies for each command, and a list of lines for each message. Here

* `data_received` keeps octets in one buffer; the task takes whole lines from it and only sleeps when there is none;
* replies are gathered and leave in one write when the client has nothing more to say (RFC 2920 §3.2);
* while a message is received its octets go straight to the `Body`, without waking the task;
* one timer per connection looks at a deadline; nothing is cancelled and armed again for each command.

Everything that leans on private names of aiosmtpd or asyncio is in this file and in `tls`;
`tests/wire/test_smtp_contract.py` watches it.
"""

from __future__ import annotations

import asyncio
import math
from typing import Any

import structlog
from aiosmtpd.smtp import SMTP

from adapters.smtp.body import Body
from adapters.smtp.data import DataReader
from adapters.smtp.door import Conversation, SessionLimits, Transaction
from adapters.smtp.texts import Reply, wire
from adapters.smtp.tls import SmallSslProtocol, upgrade
from gateway.answers.smtp import SmtpReply
from gateway.values import Lang

log = structlog.get_logger("smtp")

LINE_LIMIT = 2048  # RFC 5321 §4.5.3.1.4 gives 512, SIZE, DSN and AUTH add to it
RESPONSE_LIMIT = 12288  # a response inside AUTH (RFC 4954 §4)
_BUFFER_LIMIT = 64 * 1024
_GROUP = 100  # replies gathered before they are sent


class Gone(Exception):
    """The connection is over: the client left, or time ran out."""


class SmtpWire(SMTP):
    """Reads lines and messages, writes replies, upgrades to TLS, watches the clock."""

    lang: Lang = Lang.FR

    def __init__(self, limits: SessionLimits, members: set[SmtpWire]) -> None:
        # aiosmtpd's own constructor is not run: it inspects every method and makes a stream reader for each connection
        self.loop = asyncio.get_running_loop()
        self.limits = limits
        self.members = members
        self.transport: asyncio.Transport | None = None
        self.session: Conversation = self._create_session()
        self.envelope: Transaction = self._create_envelope()
        self._original_transport: asyncio.Transport | None = None
        self._layer: SmallSslProtocol | None = None
        self._handler_coroutine: asyncio.Task[None] | None = None
        self._buffer = b""
        self._at = 0  # what comes before was obeyed
        self._skipping = False  # inside a line that is too long
        self._reading_paused = False
        self._replies: list[bytes] = []
        self._arrival: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None  # set while the client does not read
        self._over = False  # nothing more can be read
        self._cut = False  # nothing more can be written
        self._reader_of_data: DataReader | None = None
        self._body: Body | None = None
        self._body_lost = False
        self._deadline = math.inf
        self._tick: asyncio.TimerHandle | None = None
        self.busy = False  # between MAIL and the end of its transaction
        self.leaving = False  # close after this transaction

    def _create_session(self) -> Conversation:
        return Conversation(self.loop)

    def _create_envelope(self) -> Transaction:
        return Transaction()

    # ------------------------------------------------------------------------------------------------- asyncio protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connected."""
        self.transport = transport  # type: ignore[assignment]
        peer = transport.get_extra_info("peername") or ("", 0)
        self.session.peer_text = f"{peer[0]}:{peer[1]}" if isinstance(peer, tuple) else str(peer)
        if len(self.members) >= self.limits.connections:
            transport.write(wire(Reply.TOO_MANY_CONNECTIONS, self.lang))  # type: ignore[attr-defined]
            transport.close()
            self._over = self._cut = True
            return
        self.members.add(self)
        self._allow(self.limits.command_s)
        self._handler_coroutine = self.loop.create_task(self._handle_client())

    def data_received(self, data: bytes) -> None:
        """Octets: of a message, or of commands."""
        if self._reader_of_data is not None:
            self._take_data(data)
            return
        self._buffer = self._buffer[self._at :] + data
        self._at = 0
        if self._arrival is not None:
            self._wake()
        elif len(self._buffer) > _BUFFER_LIMIT and not self._reading_paused and self.transport is not None:
            self._reading_paused = True
            self.transport.pause_reading()

    def eof_received(self) -> bool:
        """The client will say no more. What it already said is still answered, in clear; TLS allows no half-close."""
        self._over = True
        self._wake()
        return self._layer is None

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone; the task ends by itself at its next step."""
        self._over = self._cut = True
        if self._original_transport is not None:
            self._original_transport.close()
        self.resume_writing()
        self._wake()

    def pause_writing(self) -> None:
        """The client does not read its replies: nothing more is obeyed until it does."""
        self._writable = self.loop.create_future()

    def resume_writing(self) -> None:
        """It reads again."""
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    def _wake(self) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)

    # ---------------------------------------------------------------------------------------------------------- reading

    async def _more(self) -> None:
        """Wait for octets. Raises Gone when none will come."""
        if self._over:
            raise Gone
        self._flush()
        if self._writable is not None:
            await self._writable
        self._arrival = self.loop.create_future()
        if self._reading_paused and self.transport is not None:
            self._reading_paused = False
            self.transport.resume_reading()
        try:
            await self._arrival
        finally:
            self._arrival = None

    def _next_line(self, limit: int = LINE_LIMIT) -> bytes | Reply | None:
        """The next whole line without its end; a `Reply` when it is no sound line; None when more octets are needed."""
        end = self._buffer.find(b"\n", self._at)
        if end < 0:
            if len(self._buffer) - self._at > limit:
                self._skipping, self._buffer, self._at = True, b"", 0
            return None
        line = self._buffer[self._at : end]
        self._at = end + 1
        if self._skipping or len(line) >= limit:
            self._skipping = False
            return Reply.LINE_TOO_LONG
        if line[-1:] != b"\r":
            return Reply.BARE_LF
        return line[:-1]

    def _unread(self) -> bytes:
        """Take what arrived and was not read as a line."""
        rest, self._buffer, self._at = self._buffer[self._at :], b"", 0
        return rest

    async def breathe(self) -> None:
        """Between commands of one group: replies leave, a slow reader is waited for, other connections get their turn."""
        if len(self._replies) >= _GROUP:
            self._flush()
            if self._writable is not None:
                await self._writable
            await asyncio.sleep(0)

    async def read_response(self) -> bytes | Reply:
        """One line inside an exchange (AUTH). Raises Gone."""
        while (line := self._next_line(RESPONSE_LIMIT)) is None:
            await self._more()
        return line

    async def read_message(self, body: Body) -> bool:
        """Receive a message into `body` up to CRLF.CRLF. False when it could not be kept (disk full).

        Raises Gone when the connection ends first.
        """
        self._reader_of_data, self._body, self._body_lost = DataReader(), body, False
        begun = self._unread()
        self._flush()
        try:
            if begun:
                self._take_data(begun)
            else:
                self._allow(self.limits.data_s)
            while self._reader_of_data is not None:
                await self._more()
        finally:
            self._reader_of_data = self._body = None
        return not self._body_lost

    def _take_data(self, data: bytes) -> None:
        reader, body = self._reader_of_data, self._body
        if reader is None or body is None:
            return
        octets = reader.feed(data)
        if octets:
            try:
                body.add(octets)
            except OSError as error:
                log.warning("spool failed", error=str(error))
                self._body_lost = True
                body.abandon()
        if reader.done:
            self._buffer, self._at = reader.rest, 0
            self._reader_of_data = None
            self._wake()
        elif body.overrun_bytes > self.limits.overrun_bytes:
            self._over = True
            self._wake()
        else:
            self._allow(self.limits.data_s)

    # ---------------------------------------------------------------------------------------------------------- writing

    def say(self, reply: Reply | SmtpReply) -> None:
        """Queue a reply; it leaves with the others once the client's words are used up."""
        if isinstance(reply, Reply):
            self._replies.append(wire(reply, self.lang))
        else:
            self._replies.append(reply.wire().encode("ascii") + b"\r\n")

    def say_raw(self, octets: bytes) -> None:
        """Queue a reply already on its wire form, CRLF included."""
        self._replies.append(octets)

    async def push(self, status: Any) -> None:
        """aiosmtpd's name for it, used by the commands that are its own."""
        self._replies.append((status.encode("ascii", "replace") if isinstance(status, str) else status) + b"\r\n")

    def _flush(self) -> None:
        if self._replies:
            if not self._cut and self.transport is not None:
                self.transport.write(b"".join(self._replies) if len(self._replies) > 1 else self._replies[0])
            self._replies.clear()

    def _close(self) -> None:
        """Send what is queued, then end the connection."""
        self._flush()
        self._over = self._cut = True
        if self.transport is not None:
            self.transport.close()

    # ------------------------------------------------------------------------------------------------------------- time

    def _allow(self, seconds: float) -> None:
        """The client must have gone on before that many seconds; `math.inf` while it waits for us."""
        self._deadline = deadline = self.loop.time() + seconds
        tick = self._tick
        if tick is None or deadline < tick.when() - 1e-3:
            if tick is not None:
                tick.cancel()
            self._tick = None if deadline == math.inf else self.loop.call_at(deadline, self._timeout_cb)

    def _timeout_cb(self) -> None:
        self._tick = None
        if self._deadline == math.inf:
            self._tick = self.loop.call_later(self.limits.command_s, self._timeout_cb)
        elif self.loop.time() < self._deadline:
            self._tick = self.loop.call_at(self._deadline, self._timeout_cb)
        elif not self._over:
            self.say(Reply.TIMEOUT)
            self._close()
            if self._writable is not None and self.transport is not None:
                self.transport.abort()  # nobody reads: what is queued will never leave
            self._wake()

    def _end(self) -> None:
        """The task is over: nothing of the connection stays."""
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None
        self.members.discard(self)
        self._close()

    # -------------------------------------------------------------------------------------------------------------- TLS

    async def start_tls(self, context: Any) -> None:
        """Upgrade after the 220 reply. Raises the handshake's error; the connection is then unusable."""
        if self.transport is None:
            raise Gone
        self._flush()
        self._original_transport = self.transport
        self._layer, self.transport, handshake = upgrade(
            self.loop, self.transport, self, context, self.limits.handshake_s
        )
        try:
            await handshake
        except BaseException:
            self._over = self._cut = True
            self._original_transport.abort()
            raise
        if self._over:
            raise Gone
        self.session = self._create_session_after(self.session)
        self.envelope = self._create_envelope()

    def _create_session_after(self, clear: Conversation) -> Conversation:
        session = self._create_session()
        session.peer_text, session.secured = clear.peer_text, True
        return session

    # ------------------------------------------------------------------------------------------------------------- stop

    @property
    def task(self) -> asyncio.Task[None] | None:
        """What to wait for until this connection is over."""
        return self._handler_coroutine

    def farewell(self) -> None:
        """The service stops: an idle client is told at once, a busy one after its transaction."""
        self.leaving = True
        if not self.busy and self._arrival is not None:
            self.say(Reply.SHUTTING_DOWN)
            self._close()
            self._wake()
