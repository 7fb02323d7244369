"""The national base as a workspace sees it: its own patients, then the identities published for tests.

One matricule is one person. Patients of the workspace come first; a published identity whose matricule they hold is
theirs. Identities published with traits or a key that no national base would hold (mixed case, wrong key outside the INSi
base) are left out. OIDs follow the workspace's environment: `.10` by default (a demonstration INS keeps `.11`, a NIA
`.9`); `.8` and `.9` in `insi-editor-base` and `production`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from gateway.directory.model import Patient, Territory
from gateway.identity.known import published_identities
from gateway.identity.matricule import has_right_key, is_whole
from gateway.identity.model import INS_DEMO, INS_NIA, INS_NIR, INS_TEST
from gateway.identity.traits import canon, is_clean
from gateway.insi.faults import TraitChange
from gateway.insi.model import CardData, Individual, Ins, Matricule, Traits
from gateway.tables import read_yaml

EDITOR_BASE = "insi-editor-base"
FORBIDDEN = frozenset({"douteuse", "fictive"})


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the base. `key` is the patient's key or the published id; `given_only`: answered by `Prenom` alone."""

    key: str
    individual: Individual
    given_only: bool = False

    def answered(self) -> Individual:
        """As the service writes it: in practice the list of given names alone (public recordings)."""
        told = self.individual
        return replace(told, given=told.given_list, given_list="") if self.given_only else told


@dataclass(frozen=True, slots=True)
class Card:
    """A simulated carte Vitale. `holder` is the insured person's matricule ('' = the person's own)."""

    number: str
    person: str
    holder: str = ""
    rank: str = "1"


@dataclass(frozen=True, slots=True)
class NationalBase:
    """Everybody, indexed. Rebuilt whole when the territory, the environment or a change differs."""

    environment: str
    people: Mapping[str, Person]
    by_traits: Mapping[tuple[str, str, str], tuple[Person, ...]]  # (canonical family, sex, birth date)
    by_matricule: Mapping[str, Person]
    doubtful: Mapping[tuple[str, str, str], tuple[Patient, ...]]

    def with_traits(self, asked: Traits) -> tuple[Person, ...]:
        """Who answers to these traits: a given name is any of the list, or the list, or its head."""
        found = self.by_traits.get(_traits_key(asked.family, asked.sex, asked.birth_date), ())
        return tuple(
            p
            for p in found
            if given_matches(asked.given, p.individual.given_list)
            and (not asked.birth_place or asked.birth_place == p.individual.birth_place)
        )

    def on_card(self, card: CardData) -> tuple[Person, ...]:
        """Whom a card designates: the beneficiary's matricule, else the insured person's with date and rank."""
        if card.own is not None and card.own.number:
            person = self.by_matricule.get(card.own.number)
            if person is None or (card.own.key and card.own.key != person.individual.active.matricule.key):
                return ()
            return (person,) if _agrees(card, person) else ()
        if card.holder is None or not card.holder.number:
            return ()
        found = []
        for held in cards():
            person = self.people.get(held.person)
            if person is None or (card.rank and card.rank != held.rank):
                continue
            holder = held.holder or person.individual.active.matricule.whole
            if holder[:13] == card.holder.number and _agrees(card, person):
                found.append(person)
        return tuple(found)

    def mark_of(self, asked: Traits) -> str:
        """`douteuse` or `fictive` when the workspace holds the one asked for under that mark; '' otherwise."""
        found = self.doubtful.get(_traits_key(asked.family, asked.sex, asked.birth_date), ())
        patient = next((p for p in found if given_matches(asked.given, p.given_list or p.given)), None)
        return next((a for a in patient.attributes if a in FORBIDDEN), "") if patient is not None else ""


def _agrees(card: CardData, person: Person) -> bool:
    told = person.individual
    same_name = not card.family or canon(card.family) == canon(told.family)
    return same_name and card.birth_date == told.birth_date


def given_matches(asked: Iterable[str], given_list: str) -> bool:
    """The asked given names are the list, its head, or one name of it. Hyphen and apostrophe read as spaces."""
    wanted, whole = canon(" ".join(asked)), canon(given_list)
    if not wanted:
        return False
    return whole == wanted or whole.startswith(wanted + " ") or wanted in map(canon, given_list.split())


def national_base(territory: Territory, environment: str, changes: tuple[TraitChange, ...] = ()) -> NationalBase:
    """The base of one workspace."""
    people: dict[str, Person] = {}
    taken: set[str] = set()
    patients = territory.patients.values()
    held = (p for p in map(_of_patient, patients) if p is not None)
    for person in (*held, *_published()):
        number = person.individual.active.matricule.number
        if number in taken:
            continue
        taken.add(number)
        people[person.key] = _in_environment(_changed(person, changes), environment)
    by_traits: dict[tuple[str, str, str], tuple[Person, ...]] = {}
    for person in people.values():
        told = person.individual
        key = _traits_key(told.family, told.sex, told.birth_date)
        by_traits[key] = (*by_traits.get(key, ()), person)
    doubtful: dict[tuple[str, str, str], tuple[Patient, ...]] = {}
    for patient in patients:
        if FORBIDDEN & set(patient.attributes):
            key = _traits_key(patient.family, patient.sex, patient.birth_date)
            doubtful[key] = (*doubtful.get(key, ()), patient)
    by_matricule = {p.individual.active.matricule.number: p for p in people.values()}
    return NationalBase(environment, people, by_traits, by_matricule, doubtful)


def oid_in(oid: str, environment: str) -> str:
    """The OID under which the service answers an INS held under `oid`."""
    if oid == INS_NIA:
        return INS_NIA
    if environment in (EDITOR_BASE, "production"):
        return INS_NIR
    return INS_DEMO if oid == INS_DEMO else INS_TEST


def _in_environment(person: Person, environment: str) -> Person:
    told = person.individual
    history = tuple(replace(i, oid=oid_in(i.oid, environment)) for i in told.history)
    active = replace(told.active, oid=oid_in(told.active.oid, environment))
    return replace(person, individual=replace(told, active=active, history=history))


def _changed(person: Person, changes: tuple[TraitChange, ...]) -> Person:
    told = person.individual
    for change in changes:
        if change.person != person.key:
            continue
        if change.trait == "matricule":
            active = replace(told.active, matricule=_matricule(change.value, told.active.oid))
            told = replace(told, active=active, history=(told.active, *told.history))
        else:
            told = _WITH_TRAIT[change.trait](told, change.value)
    return replace(person, individual=told)


_WITH_TRAIT: Mapping[str, Callable[[Individual, str], Individual]] = {
    "family": lambda told, value: replace(told, family=value),
    "given_list": lambda told, value: replace(told, given_list=value),
    "sex": lambda told, value: replace(told, sex=value),
    "birth_date": lambda told, value: replace(told, birth_date=value),
    "birth_place": lambda told, value: replace(told, birth_place=value),
}


def _of_patient(patient: Patient) -> Person | None:
    """A patient of the workspace; None for one without a matricule, whom the national base does not know."""
    if not is_whole(patient.matricule) or not patient.oid or FORBIDDEN & set(patient.attributes):
        return None
    individual = Individual(
        active=Ins(_matricule(patient.matricule, patient.oid), patient.oid),
        family=patient.family,
        given_list=patient.given_list or patient.given,
        sex=patient.sex,
        birth_date=patient.birth_date,
        birth_place=patient.birth_place,
        history=_histories().get(patient.matricule, ()),
    )
    return Person(patient.key, individual)


def _matricule(whole: str, oid: str) -> Matricule:
    return Matricule(whole[:13], whole[13:], "NIA" if oid == INS_NIA else "NIR")


@cache
def _behaviours() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = read_yaml("insi/behaviours.yaml")
    return loaded


@cache
def _histories() -> Mapping[str, tuple[Ins, ...]]:
    """Former INS by active matricule, as the INSi editor base tells them."""
    return {
        active: tuple(
            Ins(_matricule(row["matricule"], INS_NIR), INS_NIR, row.get("from", ""), row.get("to", "")) for row in rows
        )
        for active, rows in _behaviours()["history"].items()
    }


@cache
def _published() -> tuple[Person, ...]:
    """The published identities a national base can hold, then those whose matricule we made."""
    found = []
    for row in published_identities():
        in_insi_base = row.corpus.startswith("INSi")
        if not is_whole(row.matricule) or not (has_right_key(row.matricule) or in_insi_base):
            continue
        if not (is_clean(row.birth_family) and is_clean(row.given_list or row.birth_given)):
            continue
        individual = Individual(
            active=Ins(_matricule(row.matricule, row.oid), row.oid),
            family=row.birth_family,
            given_list=row.given_list or row.birth_given,
            sex=row.sex,
            birth_date=row.birth_date,
            birth_place=row.birth_place,
            history=_histories().get(row.matricule, ()),
        )
        found.append(Person(row.id, individual))
    for made in _behaviours()["people"]:
        individual = Individual(
            active=Ins(_matricule(made["matricule"], INS_TEST), INS_TEST),
            family=made["family"],
            given_list=made["given_list"],
            sex=made["sex"],
            birth_date=made["birth_date"],
            birth_place=made["birth_place"],
        )
        found.append(Person(made["id"], individual, given_only=made.get("given_only", False)))
    return tuple(found)


@cache
def always_unknown() -> frozenset[tuple[str, str]]:
    """(canonical family, birth date) of identities the editor's tests expect CR 01 for, whatever the environment."""
    return frozenset((canon(row["family"]), row["birth_date"]) for row in _behaviours()["always_unknown"])


@cache
def cards() -> tuple[Card, ...]:
    """The simulated cartes Vitale."""
    rows = read_yaml("insi/cards.yaml")["cards"]
    return tuple(Card(r["number"], r["person"], r.get("holder", ""), str(r.get("rank", "1"))) for r in rows)


def read_card(number: str, base: NationalBase) -> CardData | None:
    """What a reader finds on a simulated card; None for an unknown number."""
    card = next((c for c in cards() if c.number == number), None)
    person = base.people.get(card.person) if card is not None else None
    if card is None or person is None:
        return None
    told = person.individual
    own = None if card.holder else replace(told.active.matricule, type_code="")
    holder = Matricule(card.holder[:13], card.holder[13:]) if card.holder else own
    return CardData(own, holder, told.family, told.birth_date, card.rank)


def _traits_key(family: str, sex: str, birth_date: str) -> tuple[str, str, str]:
    return canon(family[:200]), sex, birth_date
