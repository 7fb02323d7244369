"""Mutations of the person, told alike in every container: the matricule, its OID, the traits."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gateway.cohort.messages import Spoiling
from gateway.cohort.model import Form, Person
from gateway.cohort.mutations import CDAS, EVERYWHERE, MAIL, PIDS, Case, Mutation, mutation
from gateway.directory.identifiers import matricule_key
from gateway.directory.model import Patient
from gateway.identity.cog import cog_tables

_ACCENTS = str.maketrans({"E": "É", "A": "À", "I": "Ï", "O": "Ô", "U": "Ù"})


def everywhere(change: Callable[[Patient, Case], Patient]) -> Callable[[Case], Spoiling]:
    """One change of the person, in every container of the message."""

    def spoil(case: Case) -> Spoiling:
        changed = change(case.person.patient, case)
        return Spoiling(patient=lambda patient: changed)

    return spoil


def _matricule(change: Callable[[str, Case], str]) -> Callable[[Case], Spoiling]:
    return everywhere(lambda patient, case: replace(patient, matricule=change(patient.matricule, case)))


def _trait(name: str, change: Callable[[Patient, Case], str]) -> Callable[[Case], Spoiling]:
    def changed(patient: Patient, case: Case) -> Patient:
        told: dict[str, Any] = {name: change(patient, case)}
        return replace(patient, **told)

    return everywhere(changed)


def _family(change: Callable[[str], str]) -> Callable[[Case], Spoiling]:
    return _trait("family", lambda patient, case: change(patient.family))


def _oid(oid: str) -> Callable[[Case], Spoiling]:
    return _trait("oid", lambda patient, case: oid)


def _keyed(number: str) -> str:
    return number + matricule_key(number)


def _other_key(matricule: str, case: Case) -> str:
    return f"{matricule[:13]}{int(matricule[13:]) % 97 + 1:02d}"


def _digits_swapped(matricule: str, case: Case) -> str:
    places = [n for n in range(12) if matricule[n] != matricule[n + 1]]
    n = case.draws.pick(places)
    return matricule[:n] + matricule[n + 1] + matricule[n] + matricule[n + 2 :]


def _digit_changed(matricule: str, case: Case) -> str:
    n = case.draws.between(1, 12)
    digit = (int(matricule[n]) + case.draws.between(1, 9)) % 10
    return f"{matricule[:n]}{digit}{matricule[n + 1 :]}"


def _letter(matricule: str, case: Case) -> str:
    return matricule.replace("0", "O", 1)


def _spaced(matricule: str, case: Case) -> str:
    cuts = (0, 1, 3, 5, 7, 10, 13, 15)
    return " ".join(matricule[start:end] for start, end in itertools.pairwise(cuts))


def _day(date: str) -> int:
    return int(date[8:])


def _swappable(person: Person) -> bool:
    date = person.patient.birth_date
    return _day(date) <= 12 and _day(date) != int(date[5:7])


def _swapped_date(patient: Patient, case: Case) -> str:
    year, month, day = patient.birth_date.split("-")
    return f"{year}-{day}-{month}"


def _years_later(years: int) -> Callable[[Patient, Case], str]:
    return lambda patient, case: f"{int(patient.birth_date[:4]) + years}{patient.birth_date[4:]}"


def _other_place(patient: Patient, case: Case) -> str:
    return case.draws.pick([p for p in sorted(cog_tables().fictional) if p != patient.birth_place])


EVERYWHERE_MUTATIONS: tuple[Mutation, ...] = (
    mutation("clé-fausse", "matricule", EVERYWHERE, "INS-004", _matricule(_other_key)),
    mutation("chiffres-permutés", "matricule", EVERYWHERE, "INS-004", _matricule(_digits_swapped)),
    mutation("chiffre-changé", "matricule", EVERYWHERE, "INS-004", _matricule(_digit_changed)),
    mutation("clé-hors-bornes", "matricule", EVERYWHERE, "INS-005", _matricule(lambda m, case: f"{m[:13]}99")),
    mutation("clé-perdue", "matricule", EVERYWHERE, "INS-002", _matricule(lambda m, case: m[:13])),
    mutation("un-caractère-de-moins", "matricule", EVERYWHERE, "INS-001", _matricule(lambda m, case: m[:14])),
    mutation("un-caractère-de-trop", "matricule", EVERYWHERE, "INS-001", _matricule(lambda m, case: f"{m}0")),
    mutation(
        "lettre-O-pour-zéro",
        "matricule",
        EVERYWHERE,
        "INS-003",
        _matricule(_letter),
        lambda p: "0" in p.patient.matricule,
    ),
    mutation("matricule-espacé", "matricule", EVERYWHERE, "INS-010", _matricule(_spaced)),
    mutation("mois-13", "matricule", EVERYWHERE, "INS-008", _matricule(lambda m, case: _keyed(f"{m[:3]}13{m[5:13]}"))),
    mutation("ordre-000", "matricule", EVERYWHERE, "INS-009", _matricule(lambda m, case: _keyed(f"{m[:10]}000"))),
    mutation(
        "immatriculation-provisoire",
        "matricule",
        EVERYWHERE,
        "INS-006",
        _matricule(lambda m, case: _keyed(f"7{m[1:13]}")),
    ),
    mutation(
        "premier-chiffre-3", "matricule", EVERYWHERE, "INS-007", _matricule(lambda m, case: _keyed(f"3{m[1:13]}"))
    ),
    mutation("OID-de-production", "OID", EVERYWHERE, "INS-023", _oid("1.2.250.1.213.1.4.8")),
    mutation("OID-INS-C", "OID", EVERYWHERE, "INS-024", _oid("1.2.250.1.213.1.4.2")),
    mutation("OID-inconnu", "OID", (Form.ADT, Form.FHIR), "INS-021 INS-025", _oid("1.2.250.1.213.1.4.99")),
    # nothing in a CDA says that an id under another root was meant as an INS: it bears none, against X-MSS-INS in a mail
    mutation("OID-inconnu-dans-un-document", "OID", (Form.CDA, Form.MDM), "INS-031", _oid("1.2.250.1.213.1.4.99")),
    mutation("OID-du-NSS", "OID", (*PIDS, Form.FHIR), "INS-025 INS-029 INS-128", _oid("1.2.250.1.213.1.4.13")),
    mutation("OID-du-NSS-dans-un-document", "OID", (Form.CDA,), "INS-031", _oid("1.2.250.1.213.1.4.13")),
    mutation("OID-du-NSS-dans-un-mail", "OID", MAIL, "INS-140", _oid("1.2.250.1.213.1.4.13")),
    mutation("minuscules", "nom de naissance", EVERYWHERE, "INS-040", _family(str.title)),
    mutation(
        "accent",
        "nom de naissance",
        EVERYWHERE,
        "INS-041",
        _family(lambda name: name.translate(_ACCENTS)),
        lambda p: any(char in "AEIOU" for char in p.patient.family),
    ),
    mutation("ligature", "nom de naissance", EVERYWHERE, "INS-042", _family(lambda name: f"{name}ŒUR")),
    mutation("apostrophe-courbe", "nom de naissance", EVERYWHERE, "INS-043", _family(lambda name: f"D’{name}")),
    mutation("chiffre-dans-le-nom", "nom de naissance", EVERYWHERE, "INS-044", _family(lambda name: f"{name}2")),
    mutation("séparateurs-doublés", "nom de naissance", EVERYWHERE, "INS-045", _family(lambda name: f"{name} -DURAND")),
    mutation("tiret-en-tête", "nom de naissance", EVERYWHERE, "INS-046", _family(lambda name: f"-{name}")),
    mutation(
        "nom-trop-long", "nom de naissance", EVERYWHERE, "INS-047", _family(lambda name: (name + "A" * 101)[:101])
    ),
    mutation(
        "nom-tronqué-à-27", "nom de naissance", EVERYWHERE, "INS-048", _family(lambda name: (name + "A" * 27)[:27])
    ),
    mutation("civilité-dans-le-nom", "nom de naissance", EVERYWHERE, "INS-051", _family(lambda name: f"MME {name}")),
    mutation("nom-de-remplissage", "nom de naissance", EVERYWHERE, "INS-034", _family(lambda name: "INCONNU")),
    mutation(
        "prénom-hors-liste",
        "prénoms",
        EVERYWHERE,
        "INS-049",
        _trait("given", lambda patient, case: "BARNABE"),
    ),
    mutation(
        "liste-d-un-autre", "prénoms", EVERYWHERE, "INS-049", _trait("given_list", lambda patient, case: "BARNABE ELOI")
    ),
    mutation(
        "jour-et-mois-permutés",
        "date de naissance",
        EVERYWHERE,
        "INS-062",
        _trait("birth_date", _swapped_date),
        _swappable,
    ),
    mutation("année-plus-une", "date de naissance", EVERYWHERE, "INS-061", _trait("birth_date", _years_later(1))),
    mutation("dans-le-futur", "date de naissance", EVERYWHERE, "INS-053", _trait("birth_date", _years_later(110))),
    mutation("siècle-précédent", "date de naissance", EVERYWHERE, "INS-054", _trait("birth_date", _years_later(-200))),
    mutation(
        "jour-32",
        "date de naissance",
        (*CDAS, Form.ADT),
        "INS-055",
        _trait("birth_date", lambda patient, case: f"{patient.birth_date[:8]}32"),
    ),
    mutation(
        "sexe-inversé",
        "sexe",
        EVERYWHERE,
        "INS-060",
        _trait("sex", lambda patient, case: "F" if patient.sex == "M" else "M"),
    ),
    mutation("autre-commune", "lieu de naissance", EVERYWHERE, "INS-065", _trait("birth_place", _other_place)),
    mutation(
        "né-à-l-étranger", "lieu de naissance", EVERYWHERE, "INS-069", _trait("birth_place", lambda p, case: "99109")
    ),
    mutation(
        "département-inconnu",
        "lieu de naissance",
        EVERYWHERE,
        "INS-059",
        _trait("birth_place", lambda p, case: "96012"),
    ),
    mutation(
        "COG-mal-formé",
        "lieu de naissance",
        EVERYWHERE,
        "INS-058 INS-092",
        _trait("birth_place", lambda p, case: p.birth_place[:4]),
    ),
    mutation(
        "lieu-absent",
        "lieu de naissance",
        (*PIDS, Form.CDA),
        "INS-092 INS-108",
        _trait("birth_place", lambda p, case: ""),
    ),
)
