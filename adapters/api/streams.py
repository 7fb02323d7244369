"""Live streams: a subscription that always ends with its reader, Server-Sent Events, and how many there may be."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.responses import StreamingResponse
from starlette.types import Send

from adapters.api.problems import Problem
from gateway.ports import Changes
from gateway.values import Text

STREAMS = 200  # at once: a room of learners with several tabs each, and a bound on what slow readers hold
_FULL = Text(f"{STREAMS} flux sont déjà ouverts", f"{STREAMS} live streams are open already")
SSE_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@contextlib.asynccontextmanager
async def listening(changes: Changes, topic: str) -> AsyncIterator[AsyncIterator[str]]:
    """A subscription that ends with its reader, however it ends."""
    subscription = changes.subscribe(topic)
    try:
        yield subscription
    finally:
        close = getattr(subscription, "aclose", None)
        if close is not None:
            await close()


async def paused(changes: AsyncIterator[str], closing: asyncio.Event, seconds: float) -> bool:
    """Wait for a change, for the end, or for `seconds`. True when there was a change."""
    change = asyncio.ensure_future(anext(changes, None))
    stop = asyncio.ensure_future(closing.wait())
    try:
        await asyncio.wait({change, stop}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        ended = change.done() and change.result() is None
        if ended:
            closing.set()  # the store closed: nothing will ever come
        return change.done() and not ended
    finally:
        for waiter in (change, stop):
            waiter.cancel()
        await asyncio.gather(change, stop, return_exceptions=True)


class EventStream(StreamingResponse):
    """Server-Sent Events. Its source is closed when the reader leaves, even while it was too slow to take a line."""

    def __init__(self, source: AsyncIterator[str], headers: dict[str, str] | None = None) -> None:
        super().__init__(source, media_type="text/event-stream", headers={**SSE_HEADERS, **(headers or {})})

    async def stream_response(self, send: Send) -> None:
        """The lines, then the end."""
        try:
            await super().stream_response(send)
        finally:
            close = getattr(self.body_iterator, "aclose", None)
            if close is not None:
                await close()


class Streams:
    """How many live streams are open, so that there is a last one."""

    def __init__(self) -> None:
        self.open = 0

    def one_more(self, source: AsyncIterator[str]) -> AsyncIterator[str]:
        """The lines of one more stream. Raises a 503 problem when there are too many."""
        if self.open >= STREAMS:
            raise Problem(503, "too-many-streams", _FULL)
        return self._counted(source)

    async def _counted(self, source: AsyncIterator[str]) -> AsyncIterator[str]:
        self.open += 1
        try:
            async for line in source:
                yield line
        finally:
            self.open -= 1
            close = getattr(source, "aclose", None)
            if close is not None:
                await close()
