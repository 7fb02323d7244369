"""What a client remembers of its answers: by a keyed hash of the question, for a while, never more than so many.

The key is made at start and dies with the process: whoever reads a hash cannot find the traits by trying them all.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict
from hashlib import sha256
from typing import Generic, TypeVar

from gateway.insi.model import LocalIdentity, Query

T = TypeVar("T")


class Memory(Generic[T]):
    """Answers kept `ttl_s` seconds (0 keeps none), the least recently used leaving first. `clock` counts seconds."""

    def __init__(self, ttl_s: float, size: int, clock: Callable[[], float]) -> None:
        self._ttl_s, self._size, self._clock = ttl_s, size, clock
        self._key = secrets.token_bytes(32)
        self._held: OrderedDict[str, tuple[float, T]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def digest(self, operation: str, question: Query | LocalIdentity) -> str:
        """The name under which an answer is kept; holds nothing of the question."""
        written = json.dumps([operation, asdict(question)], ensure_ascii=True, sort_keys=True)
        return hmac.new(self._key, written.encode(), sha256).hexdigest()

    def get(self, digest: str) -> T | None:
        """The answer, if it is fresh."""
        found = self._held.get(digest)
        if found is None:
            return None
        if self._clock() >= found[0]:
            del self._held[digest]
            return None
        self._held.move_to_end(digest)
        return found[1]

    def put(self, digest: str, answer: T) -> None:
        """Keep an answer."""
        if self._ttl_s <= 0:
            return
        self._held[digest] = (self._clock() + self._ttl_s, answer)
        self._held.move_to_end(digest)
        while len(self._held) > self._size:
            self._held.popitem(last=False)

    def forget(self) -> None:
        """Keep nothing."""
        self._held.clear()
