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
_BOUND = 500  # characters of a name that are compared folded


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
    one_letter: str = ""  # the only name that differs, and only by one letter; '' otherwise

    @property
    def differing(self) -> tuple[str, ...]:
        """The traits that are truly different."""
        return tuple(name for name, likeness in self.traits.items() if likeness is Likeness.DIFFERENT)

    @property
    def almost(self) -> bool:
        """Nothing differs but, at most, one letter of one name: worth showing to a human, never more."""
        return self.differing in ((), (self.one_letter,))

    @property
    def could_be_twins(self) -> bool:
        """Same name, date and sex; only a given name (and so the list) sets them apart."""
        told = self.traits
        same = all(told[name] is Likeness.EXACT for name in ("birth_family", "birth_date", "sex"))
        return same and bool(self.differing) and set(self.differing) <= {"birth_given", "given_list"}


def compared(received: Traits, local: Traits, *, coarse_date: bool = False) -> Comparison:
    """Two sets of traits, trait by trait.

    `coarse_date`: a birth date told to the year or the month agrees with a fuller one (only where there is no INS).
    """
    told = {name: _likeness(getattr(received, name), getattr(local, name), name) for name in (*NAMES, *EXACT_ONLY)}
    if coarse_date and told["birth_date"] is Likeness.DIFFERENT and _within(received.birth_date, local.birth_date):
        told["birth_date"] = Likeness.PREFIX
    names = [n for n in NAMES if told[n] is Likeness.DIFFERENT]
    one_letter = next(iter(names), "")
    if len(names) != 1 or not differ_by_one(getattr(received, one_letter), getattr(local, one_letter)):
        one_letter = ""
    return Comparison(_grade(set(told.values())), told, one_letter)


def differ_by_one(one: str, other: str) -> bool:
    """Edit distance 1 once folded: a letter more, less, or other. It ranks candidates, and decides nothing."""
    left, right = sorted((canon(one[:_BOUND]), canon(other[:_BOUND])), key=len)
    if len(right) - len(left) > 1 or left == right:
        return False
    start = next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), len(left))
    return left[start + (len(left) == len(right)) :] == right[start + 1 :]


def _within(one: str, other: str) -> bool:
    return other.startswith(f"{one}-") or one.startswith(f"{other}-")


def _likeness(received: str, local: str, name: str) -> Likeness:
    if not received or not local:
        return Likeness.MISSING
    if received == local:
        return Likeness.EXACT
    if name in EXACT_ONLY:
        return Likeness.DIFFERENT
    left, right = canon(received[:_BOUND]), canon(local[:_BOUND])
    if left == right and (len(received) <= _BOUND or received[_BOUND:] == local[_BOUND:]):
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
