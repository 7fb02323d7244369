"""Mutations of a FHIR Patient: slices, use, types, status, name, extensions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.cohort.messages import Spoiling
from gateway.cohort.mutations import FHIR, Case, Mutation, mutation
from gateway.identity.rules_fhir import STATUS_2_1, STATUS_2_2, TYPES
from gateway.partners.build_fhir import ins_identifier, reliability

_OBSOLETE = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-fiabilite-identite"
_INS, _BIRTH_PLACE = 0, 1  # places in `identifier` and `extension`


def _resource(change: Callable[[dict[str, Any], Case], None]) -> Callable[[Case], Spoiling]:
    return lambda case: Spoiling(resource=lambda resource: change(resource, case))


def _put(value: Any, *path: str | int) -> Callable[[Case], Spoiling]:
    """One element replaced by `value`; None takes it away."""

    def change(resource: dict[str, Any], case: Case) -> None:
        target: Any = resource
        for step in path[:-1]:
            target = target[step]
        if value is None:
            del target[path[-1]]
        else:
            target[path[-1]] = value

    return _resource(change)


def _two_official(resource: dict[str, Any], case: Case) -> None:
    resource["name"].append({"use": "official", "family": "DURAND", "given": ["ANNE"]})


def _two_ins(resource: dict[str, Any], case: Case) -> None:
    resource["identifier"].append(ins_identifier(case.other.patient.matricule, case.other.patient.oid))


def _national_number(resource: dict[str, Any], case: Case) -> None:
    found = ins_identifier(case.person.patient.matricule, "1.2.250.1.213.1.4.13")
    found["type"] = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "NH"}]}
    resource["identifier"].append(found)


def _status(code: str, system: str) -> Callable[[Case], Spoiling]:
    return _put(reliability(code, system), "extension", 0)


def _validated_without_ins(resource: dict[str, Any], case: Case) -> None:
    del resource["identifier"][_INS]
    resource["extension"][0] = reliability("VALI", STATUS_2_1)


def _year_alone(resource: dict[str, Any], case: Case) -> None:
    resource["birthDate"] = resource["birthDate"][:4]


def _compact_date(resource: dict[str, Any], case: Case) -> None:
    resource["birthDate"] = resource["birthDate"].replace("-", "")


_TYPE = ("identifier", _INS, "type", "coding", 0)

FHIR_MUTATIONS: tuple[Mutation, ...] = (
    mutation("type-d-une-autre-tranche", "identifier.type", FHIR, "INS-120", _put("INS-NIR", *_TYPE, "code")),
    mutation("type-sans-système", "identifier.type", FHIR, "INS-120", _put(None, *_TYPE, "system")),
    mutation("type-absent", "identifier.type", FHIR, "INS-120", _put(None, "identifier", _INS, "type")),
    mutation("use-temp", "identifier.use", FHIR, "INS-121", _put("temp", "identifier", _INS, "use")),
    mutation("use-absent", "identifier.use", FHIR, "INS-121", _put(None, "identifier", _INS, "use")),
    mutation("use-old", "identifier.use", FHIR, "INS-129", _put("old", "identifier", _INS, "use")),
    mutation(
        "période-terminée",
        "identifier.period",
        FHIR,
        "INS-129",
        _put({"end": "2020-01-01"}, "identifier", _INS, "period"),
    ),
    mutation(
        "système-sans-OID",
        "identifier.system",
        FHIR,
        "INS-020",
        _put("https://ehpad.test/ins", "identifier", _INS, "system"),
    ),
    mutation("deux-INS-FHIR", "identifier", FHIR, "INS-028", _resource(_two_ins)),
    mutation("numéro-de-sécurité-sociale", "identifier", FHIR, "INS-128", _resource(_national_number)),
    mutation("validée-sans-INS", "identityStatus", FHIR, "INS-122", _resource(_validated_without_ins)),
    mutation("statut-système-inconnu", "identityStatus", FHIR, "INS-123", _status("VALI", TYPES)),
    mutation("statut-système-obsolète", "identityStatus", FHIR, "INS-127", _status("VALI", _OBSOLETE)),
    mutation("statut-absent", "identityStatus", FHIR, "INS-079", _put([], "extension", 0, "extension")),
    mutation(
        "statut-douteux",
        "identityStatus",
        FHIR,
        "INS-076",
        _resource(
            lambda resource, case: resource["extension"][0]["extension"].append(
                {"url": "identityStatus", "valueCoding": {"system": STATUS_2_2, "code": "DOUT"}}
            )
        ),
    ),
    mutation("deux-noms-officiels", "name", FHIR, "INS-124", _resource(_two_official)),
    mutation("deux-prénoms-officiels", "name.given", FHIR, "INS-124", _put(["ANNE", "MARIE"], "name", 0, "given")),
    mutation("nom-sans-use", "name.use", FHIR, "INS-124", _put(None, "name", 0, "use")),
    mutation("liste-des-prénoms-absente", "name.extension", FHIR, "INS-124", _put([], "name", 0, "extension")),
    mutation("nom-de-famille-absent", "name.family", FHIR, "INS-032", _put(None, "name", 0, "family")),
    mutation(
        "lieu-de-naissance-absent",
        "extension",
        FHIR,
        "INS-125",
        _put([], "extension", _BIRTH_PLACE, "valueAddress", "extension"),
    ),
    mutation("genre-other", "gender", FHIR, "INS-126", _put("other", "gender")),
    mutation("genre-absent", "gender", FHIR, "INS-126", _put(None, "gender")),
    mutation("année-seule", "birthDate", FHIR, "INS-126", _resource(_year_alone)),
    mutation("date-compacte", "birthDate", FHIR, "INS-052", _resource(_compact_date)),
    mutation("date-absente", "birthDate", FHIR, "INS-126", _put(None, "birthDate")),
)
