"""One connection: reading within bounds, STARTTLS that lets nothing slip in, IDLE, and how it ends.

Deviations from pymap 0.36.7: every line, literal and silence is bounded (its LITERAL+ reading is not, nor is its APPEND before
login); what is pipelined behind STARTTLS ends the connection; credentials that are no UTF-8 are refused instead of crashing;
IDLE keeps the path open; nothing is logged of what is said.
"""

from __future__ import annotations

import asyncio
import re
from asyncio import StreamReader, StreamWriter
from base64 import b64decode, b64encode
from collections.abc import Awaitable
from typing import Any
from uuid import uuid4

from proxyprotocol.sock import SocketInfoLocal
from pymap.imap import IMAPConnection
from pymap.imap.state import ConnectionState
from pymap.parsing.command import Command
from pymap.parsing.command.select import IdleCommand
from pymap.parsing.response import (
    CommandResponse,
    Response,
    ResponseBad,
    ResponseBye,
    ResponseCode,
    ResponseContinuation,
    ResponseOk,
    UntaggedResponse,
)
from pymap.parsing.state import ExpectContinuation, ParsingExpectation, ParsingInterrupt, ParsingState
from pysasl.creds.server import ServerCredentials
from pysasl.exception import AuthenticationError
from pysasl.mechanism import ChallengeResponse, ServerChallenge

from adapters.imap.commands import SafeAuthenticate
from adapters.imap.config import ImapConfig
from adapters.imap.login import Gatekeeper, Peer
from adapters.imap.outlet import Outlet
from adapters.imap.state import State
from gateway.ports import StoreUnavailable

_LITERAL_PLUS = re.compile(rb"\{(\d{1,10})\+\}\r?\n$")
_PIECE_BYTES = 256 * 1024
_UNREADABLE = "Reponse SASL illisible / unreadable SASL response."


class Goodbye(EOFError):
    """The connection must end; `reason` is the last thing the client hears."""

    def __init__(self, reason: bytes, code: bytes = b"") -> None:
        super().__init__()
        self.response = ResponseBye(reason, ResponseCode.of(code) if code else None)


def _too_long() -> Goodbye:
    return Goodbye(b"Ligne ou litteral trop long / line or literal too long.", b"LIMIT")


class Connection(IMAPConnection):
    """A connection and its state."""

    def __init__(self, gatekeeper: Gatekeeper, config: ImapConfig, reader: StreamReader, writer: StreamWriter) -> None:
        super().__init__(config.commands, config, reader, writer, SocketInfoLocal(writer, unique_id=uuid4().bytes))
        self.limits = config.limits
        self.outlet = Outlet(writer, config.limits.stall_s)
        self.state = State(gatekeeper, config, self._peer(), encrypted=self._encrypted())
        self._literals = 0  # octets of literals still allowed in the command being read
        self._initial: bytes | None = None  # SASL-IR of the command just read
        self._farewell = False

    @classmethod
    def _print(cls, log_format: str, output: str | bytes) -> None:
        """Nothing said here is logged: it holds passwords and health data."""

    async def converse(self) -> None:
        """Greet, then answer commands until one side leaves."""
        await self.run(self.state)

    # --------------------------------------------------------------------------------------------------------- reading

    async def read_command(self, state: ConnectionState) -> Command:
        """The next command, its literals included, each in a piece of its own so that none is ever copied whole."""
        try:
            self._literals = self._literal_room()
            pieces = [await self._line()]
            await self._unasked(pieces)
            while True:
                views = [memoryview(piece) for piece in pieces[1:]]
                params = self.params.copy(ParsingState(continuations=views), max_append_len=self.state.append_bytes)
                try:
                    command, _ = self.commands.parse(memoryview(pieces[0]), params)
                except ParsingInterrupt as interrupt:
                    await self._asked(interrupt.expected, pieces)
                else:
                    self._initial = command.initial if isinstance(command, SafeAuthenticate) else None
                    return command
        except Goodbye as goodbye:
            await self._leave(goodbye)
            raise

    def _literal_room(self) -> int:
        """How many octets of literals a command may bring: little before login, one message after it."""
        room = self.limits.literal_bytes * 4
        return room + self.state.append_bytes if self.state.authenticated else room

    async def _asked(self, expected: ParsingExpectation[Any], pieces: list[bytearray]) -> None:
        """Ask for a literal, read it and the rest of its line."""
        if len(pieces) > self.limits.literals or not isinstance(expected, ExpectContinuation):
            raise _too_long()
        await self.write_response(ResponseContinuation(expected.message))
        pieces.append(await self._piece(expected.literal_length))
        await self._unasked(pieces)

    async def _unasked(self, pieces: list[bytearray]) -> None:
        """Read the non-synchronising literals (RFC 7888) that follow; the parser is shown them as literals it asked for."""
        while (literal := _LITERAL_PLUS.search(bytes(pieces[-1][-24:]))) is not None:
            if len(pieces) > self.limits.literals:
                raise _too_long()
            length = int(literal.group(1))
            del pieces[-1][-len(literal.group(0)) :]
            pieces[-1] += b"{%d}\r\n" % length
            pieces.append(await self._piece(length))

    async def read_continuation(self, literal_length: int) -> memoryview:
        """A literal, or nothing, and the rest of its line."""
        return memoryview(await self._piece(literal_length))

    async def _piece(self, length: int) -> bytearray:
        piece = bytearray()
        await self._read_into(piece, length)
        piece += await self._line()
        return piece

    async def _read_into(self, buffer: bytearray, length: int) -> None:
        self._literals -= length
        if self._literals < 0:
            raise _too_long()
        while length:
            piece = await self._patiently(self.reader.read(min(length, _PIECE_BYTES)), self.limits.stall_s)
            if not piece:
                raise EOFError
            buffer += piece
            length -= len(piece)

    async def _line(self) -> bytearray:
        patience = self.limits.idle_s if self.state.authenticated else self.limits.login_s
        try:
            line = await self._patiently(self.reader.readuntil(b"\n"), patience)
        except asyncio.LimitOverrunError:
            raise _too_long() from None
        except asyncio.IncompleteReadError:
            raise EOFError from None
        return bytearray(line)

    async def _patiently(self, reading: Awaitable[bytes], patience_s: float) -> bytes:
        try:
            async with asyncio.timeout(patience_s):
                return await reading
        except TimeoutError:
            raise Goodbye(b"Trop long silence / idle for too long.", b"UNAVAILABLE") from None

    # ----------------------------------------------------------------------------------------------------------- login

    async def authenticate(self, state: ConnectionState, mech_name: bytes) -> ServerCredentials | None:
        """The SASL exchange; None for a mechanism not offered. What is malformed is an AuthenticationError, answered BAD."""
        mechanism = state.auth.get_server(mech_name)
        if mechanism is None:
            return None
        responses: list[ChallengeResponse] = []
        while True:
            try:
                credentials, _ = mechanism.server_attempt(responses)
            except ServerChallenge as challenge:
                responses.append(ChallengeResponse(challenge.data, await self._response_to(challenge.data)))
            except (ValueError, LookupError) as malformed:
                raise AuthenticationError(_UNREADABLE) from malformed
            else:
                return credentials

    async def _response_to(self, challenge: bytes) -> bytes:
        """What the client answers: first what it gave with the command itself (SASL-IR)."""
        given, self._initial = self._initial, None
        if given is None:
            await self.write_response(ResponseContinuation(b64encode(challenge)))
            given = bytes(await self.read_continuation(0)).strip()
        if given == b"*":
            raise AuthenticationError("Abandon / canceled.")
        try:
            return b64decode(given, validate=True)
        except ValueError as malformed:
            raise AuthenticationError(_UNREADABLE) from malformed

    async def start_tls(self) -> None:
        """The handshake. Octets already received were sent in clear behind STARTTLS: an injection, or a broken client."""
        if not self.reader.at_eof() and self.reader._buffer:  # type: ignore[attr-defined]
            raise ConnectionAbortedError
        try:
            await self.writer.start_tls(self.config.ssl_context, ssl_handshake_timeout=self.limits.handshake_s)
        except OSError as failed:
            raise ConnectionAbortedError from failed
        self.state.encrypted = True
        self.state.peer = self._peer()

    def _encrypted(self) -> bool:
        return self.writer.get_extra_info("ssl_object") is not None

    def _peer(self) -> Peer:
        name = self.writer.get_extra_info("peername") or ("", 0)
        tls = self.writer.get_extra_info("ssl_object")
        return Peer(f"{name[0]}:{name[1]}", tls.getpeercert(True) if tls is not None else None)

    # --------------------------------------------------------------------------------------------------------- writing

    async def write_response(self, resp: Response) -> None:
        """Send one response; a client that left is noticed at the next reading."""
        try:
            await resp.async_write(self.outlet)
            await self.outlet.drain()
        except ConnectionError:
            self._farewell = True

    async def send_error_disconnect(self) -> None:
        """Say why the connection ends, unless that was said."""
        if not self._farewell:
            self._farewell = True
            await super().send_error_disconnect()

    async def refuse(self, reason: bytes) -> None:
        """Turn a client away before greeting it."""
        await self._leave(Goodbye(reason, b"UNAVAILABLE"))

    async def _leave(self, goodbye: Goodbye) -> None:
        if not self._farewell:
            self._farewell = True
            await self.write_response(goodbye.response)

    # ------------------------------------------------------------------------------------------------------------ idle

    async def idle(self, state: ConnectionState, cmd: IdleCommand) -> CommandResponse:
        """RFC 2177: tell what changes until the client says DONE, with a word now and then to keep the path open."""
        response = await self.state.do_command(cmd)
        if not isinstance(response, ResponseOk):
            return response
        await self.write_response(ResponseContinuation(b"Idling."))
        done = asyncio.ensure_future(self.read_continuation(0))
        try:
            while not done.done():
                await self._wait_for_news(done)
                if done.done():
                    break
                news = await self.state.news(cmd)
                for untagged in news:
                    await self.write_response(untagged)
                if any(untagged.is_terminal for untagged in news):
                    raise EOFError
            ended, _ = cmd.parse_done(await done)
        except StoreUnavailable:
            await self._leave(Goodbye(b"Base indisponible / store unavailable.", b"UNAVAILABLE"))
            raise EOFError from None
        except Goodbye as goodbye:
            await self._leave(goodbye)
            raise
        finally:
            done.cancel()
        return response if ended else ResponseBad(cmd.tag, b'Expected "DONE".')

    async def _wait_for_news(self, done: asyncio.Future[memoryview]) -> None:
        """Wait for DONE or for a change."""
        news = asyncio.ensure_future(self.state.something_new())
        try:
            while not (done.done() or news.done()):
                await asyncio.wait((done, news), timeout=self.limits.still_here_s, return_when=asyncio.FIRST_COMPLETED)
                if not (done.done() or news.done()):
                    await self.write_response(UntaggedResponse(b"Still here.", condition=b"OK"))
        finally:
            news.cancel()
