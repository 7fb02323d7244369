"""Traits of two sources compared: exact, equal once folded, a prefix, missing, different.

Names are never matched by similarity: an edit distance only ranks candidates for a human. Source: matching on receipt,
reference comparison.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.identity.local import Traits
from gateway.identity.traits import canon

NAMES = ("birth_family", "birth_given", "given_list")
EXACT_ONLY = ("sex", "birth_date", "birth_place")


class Likeness(StrEnum):
    """How one trait of two sources compares."""

    EXACT = "exact"
    CANONICAL = "canonical"
    PREFIX = "prefix"
    MISSING = "missing"
    DIFFERENT = "diff"


class Grade(StrEnum):
    """How two identities compare as a whole."""

    EXACT = "exact"
    APPROXIMATE = "approximate"  # names equal once folded, or one list the head of the other
    INCOMPLETE = "incomplete"
    MISMATCH = "mismatch"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The grade, and how each trait compares."""

    grade: Grade
    traits: Mapping[str, Likeness]

    @property
    def differing(self) -> tuple[str, ...]:
        """The traits that are truly different."""
        return tuple(name for name, likeness in self.traits.items() if likeness is Likeness.DIFFERENT)

    @property
    def could_be_twins(self) -> bool:
        """Same name, date and sex; only a given name (and so the list) sets them apart."""
        told = self.traits
        same = all(told[name] is Likeness.EXACT for name in ("birth_family", "birth_date", "sex"))
        return same and bool(self.differing) and set(self.differing) <= {"birth_given", "given_list"}


def compared(received: Traits, local: Traits) -> Comparison:
    """Two sets of traits, trait by trait."""
    told = {name: _likeness(getattr(received, name), getattr(local, name), name) for name in (*NAMES, *EXACT_ONLY)}
    return Comparison(_grade(set(told.values())), told)


def _likeness(received: str, local: str, name: str) -> Likeness:
    if not received or not local:
        return Likeness.MISSING
    if received == local:
        return Likeness.EXACT
    if name in EXACT_ONLY:
        return Likeness.DIFFERENT
    left, right = canon(received), canon(local)
    if left == right:
        return Likeness.CANONICAL
    if name == "given_list" and (left.startswith(f"{right} ") or right.startswith(f"{left} ")):
        return Likeness.PREFIX
    return Likeness.DIFFERENT


def _grade(seen: set[Likeness]) -> Grade:
    if seen == {Likeness.EXACT}:
        return Grade.EXACT
    if Likeness.DIFFERENT in seen:
        return Grade.MISMATCH
    return Grade.INCOMPLETE if Likeness.MISSING in seen else Grade.APPROXIMATE
