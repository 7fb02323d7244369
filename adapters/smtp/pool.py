"""Connections to other operators, kept for the next mail: a mutual TLS handshake costs as much as ten mails.

A link is lent to one delivery at a time. It is asked RSET before it is lent again, never revived when that fails, and closed
after so many mails, so much idle time, or when the TLS context it was made with is no longer the one in force.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from adapters.smtp.link import Link, LinkFailed, Route


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """Per destination and certificate."""

    connections: int = 8
    messages: int = 200
    idle_s: float = 20.0


@dataclass(frozen=True, slots=True)
class LinkKey:
    """Links are shared by deliveries to the same port that present the same certificate."""

    route: Route
    operator: str
    fingerprint: str


Dial = Callable[[LinkKey, ssl.SSLContext], Awaitable[Link]]


class SmtpPool:
    """Lends links. `dial` makes one; `current` gives the TLS context in force for an operator."""

    def __init__(self, dial: Dial, current: Callable[[str], ssl.SSLContext], limits: PoolLimits = PoolLimits()) -> None:
        self._dial = dial
        self._current = current
        self._limits = limits
        self._idle: dict[LinkKey, list[Link]] = {}
        self._places: dict[LinkKey, asyncio.Semaphore] = {}
        self._lent: set[Link] = set()
        self._sweep: asyncio.TimerHandle | None = None
        self._closed = False
        self.dialled = 0  # connections made since the start

    async def lend(self, key: LinkKey, *, fresh: bool = False) -> tuple[Link, bool]:
        """A link ready for MAIL, and whether it had served before. Waits for a free place. Raises LinkFailed, LookupError."""
        place = self._places.setdefault(key, asyncio.Semaphore(self._limits.connections))
        await place.acquire()
        try:
            context = self._current(key.operator)
            link = None if fresh else await self._kept(key, context)
            reused = link is not None
            if link is None:
                self.dialled += 1
                link = await self._dial(key, context)
        except BaseException:
            place.release()
            raise
        self._lent.add(link)
        return link, reused

    async def _kept(self, key: LinkKey, context: ssl.SSLContext) -> Link | None:
        kept = self._idle.get(key, [])
        while kept:
            link = kept.pop()
            if link.alive and link.context is context:
                try:
                    if (await link.command("RSET")).ok:
                        return link
                except LinkFailed:
                    continue
            link.close()
        return None

    def give_back(self, key: LinkKey, link: Link, *, usable: bool) -> None:
        """End of the loan. An unusable link is closed."""
        self._lent.discard(link)
        self._places[key].release()
        if not usable or self._closed or not link.alive or link.sent >= self._limits.messages:
            link.close()
            return
        loop = asyncio.get_running_loop()
        link.idle_since = loop.time()
        self._idle.setdefault(key, []).append(link)
        if self._sweep is None:
            self._sweep = loop.call_later(self._limits.idle_s, self._close_idle)

    def _close_idle(self) -> None:
        """Close what has waited too long; come back while something still waits."""
        self._sweep = None
        loop = asyncio.get_running_loop()
        oldest = loop.time()
        for kept in self._idle.values():
            for link in [k for k in kept if loop.time() - k.idle_since >= self._limits.idle_s]:
                kept.remove(link)
                link.close()
            oldest = min([oldest, *(k.idle_since for k in kept)])
        if self.idle:
            self._sweep = loop.call_at(oldest + self._limits.idle_s, self._close_idle)

    @property
    def idle(self) -> int:
        """Links waiting for work."""
        return sum(len(kept) for kept in self._idle.values())

    def close(self) -> None:
        """Close every link, the lent ones as well: their deliveries fail and are tried again later."""
        self._closed = True
        for link in [*self._lent, *(link for kept in self._idle.values() for link in kept)]:
            link.close()
        self._idle.clear()
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
