"""Live notification: topics, their subscribers, and what a group of writes says to them.

A subscriber keeps a few pending values, newest last, and loses the oldest when it is slow: it reads again from its own
last sequence number, so it misses a notification, never data.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Mapping
from typing import Self

_PENDING = 64


class Subscription:
    """An endless asynchronous iterator of one topic, bound to the loop it was made in. Ends when the store closes."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.loop = asyncio.get_running_loop()
        self._pending: dict[str, None] = {}
        self._wake = asyncio.Event()
        self._closed = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        while not self._pending:
            if self._closed:
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()
        value = next(iter(self._pending))
        del self._pending[value]
        return value

    async def aclose(self) -> None:
        """Stop listening."""
        self.end()

    def offer(self, value: str) -> None:
        """A value to deliver; called in the subscriber's loop."""
        if self.topic.startswith("events:"):
            self._pending.clear()  # only the newest sequence number matters
        self._pending.pop(value, None)
        self._pending[value] = None
        if len(self._pending) > _PENDING:
            del self._pending[next(iter(self._pending))]
        self._wake.set()

    def end(self) -> None:
        """No more values will come; called in the subscriber's loop."""
        self._closed = True
        self._wake.set()


class Hub:
    """The subscribers of one store, whatever their loops."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._topics: dict[str, weakref.WeakSet[Subscription]] = {}
        self._closed = False

    def subscribe(self, topic: str) -> Subscription:
        """Listen to a topic from now on; forgotten when nobody holds the subscription any more."""
        subscription = Subscription(topic)
        with self._lock:
            if self._closed:
                subscription.end()
            else:
                self._topics.setdefault(topic, weakref.WeakSet()).add(subscription)
        return subscription

    def topics(self, prefix: str) -> tuple[str, ...]:
        """The topics that somebody listens to."""
        with self._lock:
            for topic in [topic for topic, who in self._topics.items() if not who]:
                del self._topics[topic]
            return tuple(topic for topic in self._topics if topic.startswith(prefix))

    def publish(self, told: Mapping[str, tuple[str, ...]]) -> None:
        """Tell values to the subscribers of their topics. Called from any thread."""
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Subscription, str]]] = {}
        with self._lock:
            for topic, values in told.items():
                for subscription in self._topics.get(topic, ()):
                    by_loop.setdefault(subscription.loop, []).extend((subscription, value) for value in values)
        for loop, offers in by_loop.items():
            try:
                loop.call_soon_threadsafe(_offer, offers)
            except RuntimeError:  # that loop is closed
                continue

    def close(self) -> None:
        """End every subscription."""
        with self._lock:
            self._closed = True
            everyone = [one for subscriptions in self._topics.values() for one in subscriptions]
            self._topics.clear()
        for subscription in everyone:
            try:
                subscription.loop.call_soon_threadsafe(subscription.end)
            except RuntimeError:
                continue


def _offer(offers: list[tuple[Subscription, str]]) -> None:
    for subscription, value in offers:
        subscription.offer(value)
