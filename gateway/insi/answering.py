"""Ask the national base: the answer to one call, or the code of a technical fault. Pure.

| asked    | nobody                                  | one                     | several |
|----------|-----------------------------------------|-------------------------|---------|
| traits   | CR 01; insi_102 in the editor base      | CR 00 and the individual | CR 02   |
| card     | CR 01; insi_101 in the editor base      | CR 00 and the individual | CR 02   |
| verify   | CR 01 (not equal), whatever the base     | CR 00 alone              |         |

The editor base has no national branch: it faults where production answers CR 01 (public recordings). A verification
compares INS and traits letter for letter and gives no correction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.identity.traits import canon
from gateway.insi.base import EDITOR_BASE, NationalBase, Person, always_unknown
from gateway.insi.model import Answer, CardData, Code, Operation, Query, Traits, Verification
from gateway.insi.names import TECHNICAL


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, or a technical fault by its INSi code (`insi_101`, `insi_102`)."""

    answer: Answer | None
    technical: str = ""


def ask(base: NationalBase, operation: Operation, query: Query) -> Reply:
    """What the service says to one call whose traits are complete."""
    if isinstance(query, Verification):
        return Reply(Answer(Code.FOUND if agrees(base.by_matricule, query) else Code.NONE))
    found = base.on_card(query) if isinstance(query, CardData) else base.with_traits(query)
    if len(found) == 1:
        return Reply(Answer(Code.FOUND, found[0].answered()))
    if found:
        return Reply(Answer(Code.SEVERAL))
    if base.environment == EDITOR_BASE and not _expected_unknown(query):
        return Reply(None, TECHNICAL[operation])
    return Reply(Answer(Code.NONE))


def _expected_unknown(query: Query) -> bool:
    return isinstance(query, Traits) and (canon(query.family[:200]), query.birth_date) in always_unknown()


def agrees(people: Mapping[str, Person], asked: Verification) -> bool:
    """INS and traits are, letter for letter, those of one person of the base (by the 13 characters of the matricule)."""
    person = people.get(asked.ins.matricule.number)
    if person is None:
        return False
    active = person.individual.active
    same_ins = (asked.ins.matricule.key, asked.ins.oid) == (active.matricule.key, active.oid)
    return same_ins and _same_traits(person, asked.traits)


def _same_traits(person: Person, asked: Traits) -> bool:
    """The list of given names when it is told, else the given names as its head; the birthplace when it is told."""
    told = person.individual
    given = " ".join(asked.given)
    head = told.given_list == given or told.given_list.startswith(given + " ")
    same_list = not asked.given_list or asked.given_list == told.given_list
    same_place = not asked.birth_place or not told.birth_place or asked.birth_place == told.birth_place
    strict = (asked.family, asked.sex, asked.birth_date) == (told.family, told.sex, told.birth_date)
    return strict and head and same_list and same_place
