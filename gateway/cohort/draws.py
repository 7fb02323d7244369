"""Choices that follow from a seed alone: SHA-256 of a label and a counter. Not for secrets."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import TypeVar

T = TypeVar("T")


class Draws:
    """A sequence of choices. Two of the same label make the same choices in the same order, in any process."""

    __slots__ = ("_count", "_label")

    def __init__(self, *label: object) -> None:
        self._label = "|".join(map(str, label)).encode()
        self._count = 0

    def below(self, bound: int) -> int:
        """A number from 0 to `bound` - 1; `bound` is at least 1 and far below 2**64, so that the bias cannot be seen."""
        digest = sha256(b"%s|%d" % (self._label, self._count)).digest()
        self._count += 1
        return int.from_bytes(digest[:8], "big") % bound

    def between(self, low: int, high: int) -> int:
        """A number from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def pick(self, choices: Sequence[T]) -> T:
        """One of the choices, each as likely."""
        return choices[self.below(len(choices))]

    def chance(self, percent: int) -> bool:
        """True in `percent` cases out of a hundred."""
        return self.below(100) < percent
