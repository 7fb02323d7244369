"""In which order a client tries the given names of one person, as the CNDA asks (cases 2.06 and 2.07). No I/O.

Every given name one after another, then all together. On CR 02: all the given names together, then the birthplace; never
a choice. A search ends at the first CR 00; `plan.next()` is what to ask now, `plan.told(code)` what was answered.

    PIERRE → 01, PAUL → 01, JACQUES → 01, PIERRE PAUL JACQUES → 01          nobody
    LEONARDO → 02, LEONARDO + 63220 → 00                                     found
"""

from __future__ import annotations

from dataclasses import replace

from gateway.insi.model import Code, LocalIdentity, Traits


class SearchPlan:
    """One search under way."""

    def __init__(self, person: LocalIdentity) -> None:
        """`person` holds the traits as INSi admits them."""
        self._person = person
        names = tuple(dict.fromkeys(person.given_names))
        self._whole = " ".join(person.given_names)
        self._widening = [*names, self._whole] if len(person.given_names) > 1 else list(names)
        self._narrowing: list[Traits] | None = None  # what is left to ask since a CR 02; None while there was none
        self._asked: set[Traits] = set()
        self._last: Traits | None = None
        self.outcome: Code | None = None  # None while the search is under way

    def next(self) -> Traits | None:
        """What to ask now; None when the search is over."""
        if self.outcome is not None:
            return None
        waiting = self._narrowing if self._narrowing is not None else list(map(self._traits, self._widening))
        for traits in waiting:
            if traits not in self._asked:
                self._asked.add(traits)
                self._last = traits
                return traits
        # a CR 02 that nothing resolved stays: somebody is there, and nobody chooses
        self.outcome = Code.NONE if self._narrowing is None else Code.SEVERAL
        return None

    def told(self, code: Code) -> None:
        """The answer to what `next` gave."""
        if code is Code.FOUND:
            self.outcome = code
        elif code is Code.SEVERAL and self._last is not None and self._narrowing is None:
            self._narrowing = self._narrower(self._last)

    def _narrower(self, ambiguous: Traits) -> list[Traits]:
        """The other given names, then the birthplace with them, then the birthplace with what was ambiguous."""
        whole, place = self._traits(self._whole), self._person.birth_place
        if not place:
            return [whole]
        return [whole, replace(whole, birth_place=place), replace(ambiguous, birth_place=place)]

    def _traits(self, given: str) -> Traits:
        person = self._person
        return Traits(person.family, (given,), person.sex, person.birth_date)
