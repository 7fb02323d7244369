"""What a step saw, and whether it is what was expected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Checks:
    """Expectations verified, with words for those that failed."""

    passed: int = 0
    failures: list[str] = field(default_factory=list)

    def truth(self, what: str, holds: bool) -> None:
        """Something must be so."""
        if holds:
            self.passed += 1
        else:
            self.failures.append(f"{what}: no")

    def equal(self, what: str, expected: object, seen: object) -> None:
        """Two values must be the same."""
        self._verdict(what, expected, seen, expected == seen)

    def one_of(self, what: str, expected: Iterable[object], seen: object) -> None:
        """A value must be among several."""
        allowed = list(expected)
        self._verdict(what, " | ".join(map(str, allowed)), seen, seen in allowed)

    def contains(self, what: str, expected: object, seen: Iterable[object]) -> None:
        """A value must be in a list."""
        found = list(seen)
        self._verdict(what, expected, ", ".join(map(str, found)) or "—", expected in found)

    def _verdict(self, what: str, expected: object, seen: object, holds: bool) -> None:
        if holds:
            self.passed += 1
        else:
            self.failures.append(f"{what}: {expected} expected, {seen} seen")


@dataclass(frozen=True, slots=True)
class Seen:
    """The outcome of one step: the other side's words, the checks, facts for the machine form, findings worth showing."""

    said: str
    checks: Checks
    facts: Mapping[str, Any]
    findings: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step played."""

    act: int
    step: str
    title: Mapping[str, str]
    seen: Seen
    seconds: float

    @property
    def held(self) -> bool:
        """Every expectation held."""
        return not self.seen.checks.failures

    def to_json(self) -> dict[str, Any]:
        """The machine form."""
        return {
            "act": self.act,
            "step": self.step,
            "title": dict(self.title),
            "held": self.held,
            "said": self.seen.said,
            "failures": list(self.seen.checks.failures),
            "facts": dict(self.seen.facts),
        }
