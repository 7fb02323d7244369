"""The truth of a cohort as files: who is who, what is special of each, what each message must be told."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO

from gateway.cohort.messages import written
from gateway.cohort.model import ENDINGS, Person
from gateway.cohort.mutations import mutated_case, spoilt
from gateway.cohort.population import population
from gateway.cohort.scoring import clean_form

COLUMNS = (
    "key",
    "human",
    "kind",
    "linked",
    "family",
    "given",
    "given_list",
    "used_family",
    "used_given",
    "sex",
    "birth_date",
    "birth_place",
    "matricule",
    "oid",
    "former_matricule",
    "former_oid",
    "status",
    "attributes",
    "ipp",
    "tells",
    "source",
)


@dataclass(frozen=True, slots=True)
class Message:
    """One message to write. `rules` must be told: one of them when it is mutated, all of them when it is clean."""

    filename: str
    person: str
    form: str
    mutation: str
    container: str
    rules: tuple[str, ...]
    octets: bytes


def row_of(person: Person) -> dict[str, str]:
    """A record and its truth, one text a column; lists are separated by spaces."""
    patient = person.patient
    return {
        "key": person.key,
        "human": person.human,
        "kind": person.kind,
        "linked": " ".join(person.linked),
        "family": patient.family,
        "given": patient.given,
        "given_list": patient.given_list,
        "used_family": patient.used_family,
        "used_given": patient.used_given,
        "sex": patient.sex,
        "birth_date": patient.birth_date,
        "birth_place": patient.birth_place,
        "matricule": patient.matricule,
        "oid": patient.oid,
        "former_matricule": person.former[0],
        "former_oid": person.former[1],
        "status": patient.status,
        "attributes": " ".join(patient.attributes),
        "ipp": " ".join(patient.ipp.values()),
        "tells": " ".join(person.tells),
        "source": patient.source,
    }


def as_csv(people: Sequence[Person]) -> str:
    """The population as CSV (comma, header line)."""
    out = StringIO()
    table = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(map(row_of, people))
    return out.getvalue()


def as_json(people: Sequence[Person], seed: int) -> str:
    """The population as JSON."""
    return json.dumps({"seed": seed, "people": [row_of(p) for p in people]}, ensure_ascii=False, indent=1) + "\n"


def messages(seed: int, size: int, mutations: int) -> Iterator[Message]:
    """One clean message of each person, then the mutated ones: the very messages that are scored."""
    for number, person in enumerate(population(seed, size)):
        form = clean_form(seed, size, number)
        name = f"clean/{person.key}-{form.value}.{ENDINGS[form]}"
        rules = tuple(sorted(person.announced(form)))
        yield Message(name, person.key, form.value, "", "", rules, written(person, form))
    for number in range(mutations):
        mutation, case = mutated_case(seed, size, number)
        form, rules = case.form, tuple(sorted(mutation.rules))
        name = f"mutated/{number:05d}-{mutation.name}.{ENDINGS[form]}"
        octets = spoilt(mutation, case)
        yield Message(name, case.person.key, form.value, mutation.name, mutation.container, rules, octets)
