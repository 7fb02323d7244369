"""The mutations: each has a name, the container it touches, the forms it can strike, and the rules one of which must speak.

They take turns, so that K mutated messages hold each as often. Whom one strikes, and in which form, follows from the seed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from gateway.cohort.draws import Draws
from gateway.cohort.messages import Spoiling, written
from gateway.cohort.model import Form, Person
from gateway.cohort.population import population

EVERYWHERE = (Form.MAIL, Form.CDA, Form.ADT, Form.MDM, Form.FHIR)
CDAS = (Form.MAIL, Form.CDA, Form.MDM)
MAIL = (Form.MAIL,)
PIDS = (Form.ADT, Form.MDM)
FHIR = (Form.FHIR,)


@dataclass(frozen=True, slots=True)
class Case:
    """Whom a mutation strikes: `other` is another qualified person, the twin where there is one."""

    person: Person
    other: Person
    form: Form
    draws: Draws
    label: str


def anyone(person: Person) -> bool:
    """Every qualified person born in the fictitious territory whose identity announces nothing by itself."""
    return person.with_ins and not person.published and not person.tells and not person.former[0]


@dataclass(frozen=True, slots=True)
class Mutation:
    """`rules`: one of them at least must be told. `fits` says whom it can strike so that something really changes."""

    name: str
    container: str
    forms: tuple[Form, ...]
    rules: frozenset[str]
    spoil: Callable[[Case], Spoiling]
    fits: Callable[[Person], bool] = anyone


def mutation(
    name: str,
    container: str,
    forms: tuple[Form, ...],
    rules: str,
    spoil: Callable[[Case], Spoiling],
    fits: Callable[[Person], bool] = lambda person: True,
) -> Mutation:
    """A line of the table: `rules` separated by spaces, `fits` beside `anyone`."""
    return Mutation(name, container, forms, frozenset(rules.split()), spoil, lambda p: anyone(p) and fits(p))


def spoilt(chosen: Mutation, case: Case) -> bytes:
    """The mutated message. Raises ValueError when nothing was changed: such a message would prove nothing."""
    octets = written(case.person, case.form, chosen.spoil(case), case.label)
    if octets == written(case.person, case.form, label=case.label):
        raise ValueError(f"{chosen.name}: nothing was spoilt for {case.person.key} ({case.form.value})")
    return octets


@cache
def all_mutations() -> tuple[Mutation, ...]:
    """Every mutation, in the order of the containers."""
    from gateway.cohort.mutations_document import DOCUMENT_MUTATIONS
    from gateway.cohort.mutations_everywhere import EVERYWHERE_MUTATIONS
    from gateway.cohort.mutations_fhir import FHIR_MUTATIONS
    from gateway.cohort.mutations_hl7 import HL7_MUTATIONS
    from gateway.cohort.mutations_mail import MAIL_MUTATIONS

    return (*EVERYWHERE_MUTATIONS, *DOCUMENT_MUTATIONS, *MAIL_MUTATIONS, *HL7_MUTATIONS, *FHIR_MUTATIONS)


def mutated_case(seed: int, size: int, number: int) -> tuple[Mutation, Case]:
    """Mutation `number` of a population and whom it strikes. Raises ValueError when the population is too small for it."""
    table = all_mutations()
    chosen = table[number % len(table)]
    draws = Draws("mutation", seed, number)
    candidates = _candidates(seed, size, chosen.name)
    if not candidates:
        raise ValueError(f"nobody in this population fits the mutation {chosen.name}: take a larger one")
    person = draws.pick(candidates)
    other = _other(seed, size, person, draws)
    return chosen, Case(person, other, draws.pick(chosen.forms), draws, f"{number}-{person.key}")


@cache
def _candidates(seed: int, size: int, name: str) -> tuple[Person, ...]:
    chosen = next(m for m in all_mutations() if m.name == name)
    return tuple(person for person in population(seed, size) if chosen.fits(person))


@cache
def _apart(seed: int, size: int) -> tuple[Person, ...]:
    return tuple(person for person in population(seed, size) if anyone(person))


def _other(seed: int, size: int, person: Person, draws: Draws) -> Person:
    """A twin where there is one, else another qualified person of another name and birth date."""
    apart = _apart(seed, size)
    if person.kind in ("jumeaux", "quadruplés"):
        twin = next((other for other in apart if other.key in person.linked), None)
        if twin is not None:
            return twin
    start = draws.below(len(apart))
    for step in range(len(apart)):
        other = apart[(start + step) % len(apart)]
        mine, theirs = person.patient, other.patient
        if mine.family != theirs.family and mine.given != theirs.given and mine.birth_date != theirs.birth_date:
            return other
    raise ValueError("everybody of this population is alike: take a larger one")
