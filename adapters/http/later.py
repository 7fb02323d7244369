"""Pages that are made a little after the doors open: their modules are a third of what a start imports."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

EARLY = "/health"


class LaterPages:
    """An ASGI application made in a thread by `make`. What asks for it meanwhile waits; `/health` is served by `early` at once.

    When `make` fails, each request raises what it raised.
    """

    def __init__(self, make: Callable[[], ASGIApp], early: ASGIApp) -> None:
        self._make, self._early = make, early
        self._making: asyncio.Future[ASGIApp] | None = None
        self._made: ASGIApp | None = None

    def begin(self) -> asyncio.Future[ASGIApp]:
        """Start making it, once."""
        if self._making is None:
            self._making = asyncio.ensure_future(asyncio.to_thread(self._make))
        return self._making

    async def settled(self) -> None:
        """Wait until they are made, or failed: that is logged, and each request is told."""
        try:
            await self.begin()
        except Exception:
            logging.getLogger("passerelle").exception("pages")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if self._made is None:
            if scope["type"] == "http" and scope["path"].startswith(EARLY):
                await self._early(scope, receive, send)
                return
            self._made = await asyncio.shield(self.begin())
        await self._made(scope, receive, send)
