"""uvicorn inside our own event loop: no signal handler, no process of its own, started and stopped with the gateway."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from adapters.http.peer import PeerProtocol

STOP_S = 3


class _Embedded(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield


class HttpServer:
    """One port. `context` is asked for at each connection, so that a revocation acts at once; None serves plain HTTP."""

    def __init__(self, app: ASGIApp, host: str, port: int, context: Callable[[], ssl.SSLContext] | None = None) -> None:
        self._app, self._host, self._port, self._context = app, host, port, context
        self._server: _Embedded | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> int:
        """Listen, then return the port. Raises OSError, naming the door, when it is taken."""
        # asyncio sets TCP_NODELAY only where the protocol is named: without it each answer waits 40 ms for an acknowledgement
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self._host, self._port))
        except OSError as error:
            listener.close()
            raise OSError(error.errno, f"HTTP {self._host}:{self._port}: {error.strerror}") from error
        config = uvicorn.Config(
            self._app,
            http=PeerProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=STOP_S,
            h11_max_incomplete_event_size=64 * 1024,
        )
        config.load()
        config.ssl = self._outer()
        self._server = _Embedded(config)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        while not self._server.started:
            if self._serving.done():
                await self._serving
                raise OSError(f"HTTP {self._host}:{self._port}: the server ended before it listened")
            await asyncio.sleep(0.005)
        port: int = listener.getsockname()[1]
        return port

    def _outer(self) -> ssl.SSLContext | None:
        """The context of the listening socket; each handshake swaps it for the one in force now."""
        if self._context is None:
            return None
        current = self._context
        outer = current()
        inner = outer.sni_callback

        def fresh(connection: ssl.SSLObject, name: str, context: ssl.SSLContext) -> int | None:
            connection.context = current()
            return inner(connection, name, context) if inner else None

        outer.sni_callback = fresh
        return outer

    async def stop(self) -> None:
        """Accept no more, let requests end for a few seconds, then cut (live event streams never end by themselves)."""
        if self._server is None or self._serving is None:
            return
        self._server.should_exit = True
        try:
            await asyncio.wait_for(self._serving, STOP_S + 2)
        except (TimeoutError, asyncio.CancelledError):
            self._serving.cancel()
