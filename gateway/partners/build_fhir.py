"""A FHIR Patient under FR Core 2.1 or 2.2: they name the reliability of an identity by different code systems.

Source: Interop'Santé, FR Core 2.1.0 and 2.2.0 (fr-core-patient-ins).
"""

from __future__ import annotations

import json
from typing import Any

from gateway.directory.model import Patient, Structure
from gateway.documents.build_record import ipp_oid
from gateway.identity.model import INS_DEMO, INS_NIA, INS_NIR, INS_TEST
from gateway.identity.rules_fhir import FR_CORE, STATUS_2_1, STATUS_2_2, TYPES

DEFINITIONS = f"{FR_CORE}/StructureDefinition"
_BIRTH_PLACE = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"
_SLICES = {
    INS_NIR: ("INS-NIR", "official"),
    INS_NIA: ("INS-NIA", "temp"),
    INS_TEST: ("INS-NIR-TEST", "official"),
    INS_DEMO: ("INS-NIR-DEMO", "official"),
}
_GENDERS = {"M": "male", "F": "female"}


def patient_resource(
    patient: Patient, structure: Structure, *, with_ins: bool, newer: bool, status: str = ""
) -> dict[str, Any]:
    """The resource, open to changes. `newer` is FR Core 2.2; without an INS it is always that (2.1 has no VALI without).

    `status` is what an identity without an INS is told to be; that of the patient by default.
    """
    identifiers: list[dict[str, Any]] = []
    if with_ins:
        identifiers.append(ins_identifier(patient.matricule, patient.oid))
    identifiers.append(
        {
            "use": "usual",
            "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "PI"}]},
            "system": f"urn:oid:{ipp_oid(structure)}",
            "value": patient.ipp[structure.key],
        }
    )
    listed = {"url": f"{DEFINITIONS}/fr-core-patient-birth-list-given-name", "valueString": patient.given_list}
    told: list[dict[str, Any]] = [
        {"use": "official", "family": patient.family, "given": [patient.given], "extension": [listed]}
    ]
    if patient.used_family or patient.used_given:
        used = {"use": "usual", "family": patient.used_family or patient.family}
        told.append({**used, "given": [patient.used_given or patient.given]})
    profile = "fr-core-patient-ins" if with_ins else "fr-core-patient"
    insee = {"url": f"{DEFINITIONS}/fr-core-address-insee-code", "valueCoding": {"code": patient.birth_place}}
    return {
        "resourceType": "Patient",
        "id": patient.key,
        "meta": {"profile": [f"{DEFINITIONS}/{profile}"]},
        "extension": [
            reliability(*_status(status or patient.status, with_ins=with_ins, newer=newer)),
            {"url": _BIRTH_PLACE, "valueAddress": {"extension": [insee]}},
        ],
        "identifier": identifiers,
        "name": told,
        "gender": _GENDERS[patient.sex],
        "birthDate": patient.birth_date,
    }


def _status(status: str, *, with_ins: bool, newer: bool) -> tuple[str, str]:
    if not with_ins:
        return status, STATUS_2_2
    return ("QUAL", STATUS_2_2) if newer else ("VALI", STATUS_2_1)


def reliability(code: str, system: str) -> dict[str, Any]:
    """The reliability extension with one status."""
    coding = {"system": system, "code": code}
    return {
        "url": f"{DEFINITIONS}/fr-core-identity-reliability",
        "extension": [{"url": "identityStatus", "valueCoding": coding}],
    }


def ins_identifier(matricule: str, oid: str) -> dict[str, Any]:
    """An INS in the slice of its OID; under another OID, as a product would that took it for an INS."""
    code, use = _SLICES.get(oid, ("INS-NIR", "official"))
    coded = {"coding": [{"system": TYPES, "code": code}]}
    return {"use": use, "type": coded, "system": f"urn:oid:{oid}", "value": matricule}


def resource_octets(resource: dict[str, Any]) -> bytes:
    """As sent."""
    return json.dumps(resource, ensure_ascii=False, indent=1).encode()
