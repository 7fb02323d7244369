"""The IMAP service: a STARTTLS port and a TLS port, their connections, and how they stop."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from asyncio import StreamReader, StreamWriter
from contextlib import AsyncExitStack, closing

import structlog
from pymap.context import connection_exit

from adapters.imap.config import ImapConfig
from adapters.imap.connection import Connection
from adapters.imap.limits import ImapLimits
from adapters.imap.login import CertificateOpens, Gatekeeper
from adapters.imap.postbox import Shared
from gateway.ports import Clock, Sandboxes, Store

_CLOSE_S = 2.0
_STOP_S = 0.1

_log = structlog.get_logger("passerelle.imap")


class ImapListeners:
    """Serves the mailboxes of every workspace. Holds no global state: several may live in one process.

    `context` serves both ports. With `certificate_opens` a client that shows a certificate may use AUTH EXTERNAL; the
    context must then ask for one (`CERT_OPTIONAL`).
    """

    def __init__(
        self,
        store: Store,
        sandboxes: Sandboxes,
        clock: Clock,
        context: ssl.SSLContext,
        *,
        limits: ImapLimits | None = None,
        certificate_opens: CertificateOpens | None = None,
    ) -> None:
        self._limits = limits or ImapLimits()
        self._context = context
        self._config = ImapConfig(context, self._limits)
        self._gatekeeper = Gatekeeper(store, sandboxes, clock, Shared(self._limits), certificate_opens)
        self._servers: list[asyncio.Server] = []
        self._talks: set[asyncio.Task[None]] = set()
        self._writers: set[StreamWriter] = set()
        self.port = 0
        self.tls_port = 0

    async def start(self, host: str = "127.0.0.1", port: int = 0, tls_port: int = 0) -> None:
        """Listen: STARTTLS on `port`, TLS on `tls_port` (0: any free one). Raises OSError when a port is taken."""
        try:
            plain = await self._listen(host, port, None)
            secure = await self._listen(host, tls_port, self._context)
        except OSError:
            await self.stop()
            raise
        self.port = plain.sockets[0].getsockname()[1]
        self.tls_port = secure.sockets[0].getsockname()[1]

    async def _listen(self, host: str, port: int, context: ssl.SSLContext | None) -> asyncio.Server:
        server = await asyncio.start_server(
            self._accept,
            host,
            port,
            limit=self._limits.line_bytes,
            ssl=context,
            ssl_handshake_timeout=self._limits.handshake_s if context else None,
            ssl_shutdown_timeout=_CLOSE_S if context else None,
        )
        self._servers.append(server)
        return server

    async def stop(self, grace_s: float = 2.0) -> None:
        """Stop listening, tell every client BYE, then cut those that linger after `grace_s` seconds."""
        servers, self._servers = self._servers, []
        for server in servers:
            server.close()
        talks = set(self._talks)
        for talk in talks:
            talk.cancel()
        if talks:
            await asyncio.wait(talks, timeout=grace_s)
        for writer in tuple(self._writers):
            writer.transport.abort()
        if talks:
            await asyncio.gather(*talks, return_exceptions=True)
        for server in servers:
            await server.wait_closed()

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._talks)

    def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        talk = asyncio.create_task(self._talk(reader, writer))
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)

    async def _talk(self, reader: StreamReader, writer: StreamWriter) -> None:
        """One client, from the greeting to the close. What fails here fails alone."""
        self._writers.add(writer)
        try:
            async with AsyncExitStack() as stack:
                connection_exit.set(stack)
                connection = stack.enter_context(closing(Connection(self._gatekeeper, self._config, reader, writer)))
                if len(self._talks) > self._limits.connections:
                    await connection.refuse(b"Trop de connexions / too many connections.")
                else:
                    await connection.converse()
        except (ConnectionError, EOFError, ssl.SSLError):
            pass  # the client left
        except Exception as failure:
            # the text of the failure may hold what the client said
            _log.error("imap-connection-failed", failure=type(failure).__name__, exc_info=False)
        finally:
            with contextlib.suppress(Exception):
                # BYE has left; a client that keeps its end of TLS open is not waited for
                await asyncio.wait_for(writer.wait_closed(), _CLOSE_S if self._servers else _STOP_S)
            self._writers.discard(writer)
