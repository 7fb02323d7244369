"""Samples of FHIR R4, in JSON: a Patient under FR Core, and documents (DocumentReference, submission Bundle) with a CDA."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha1, sha256
from typing import Any
from uuid import UUID

from gateway.directory.model import Patient
from gateway.documents.build_cda import build_cda
from gateway.documents.build_record import CdaRecord
from gateway.documents.model import Code
from gateway.partners.build_fhir import patient_resource, resource_octets
from gateway.samples.model import Sample, sample
from gateway.samples.parts import Bench, wrong_key

_LOINC = "http://loinc.org"
_LISTS = "https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes"
_SYSTEMS = {"2.16.840.1.113883.6.1": _LOINC}

Json = dict[str, Any]


def _patient(patient: Patient, bench: Bench) -> Json:
    structure = bench.territory.structures["ch-brumeval"]
    return patient_resource(patient, structure, with_ins=True, newer=False)


def _reference(record: CdaRecord, patient: Patient, bench: Bench) -> Json:
    """A DocumentReference that holds its CDA and, contained, the patient as the source knows him."""
    data, kind = build_cda(record), record.kind
    return {
        "resourceType": "DocumentReference",
        "id": "document-1",
        "contained": [{**_patient(patient, bench), "id": "source"}],
        "masterIdentifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:oid:{record.document_id}"},
        "status": "current",
        "type": _concept(kind.type),
        "subject": {"reference": "#source"},
        "date": record.at.isoformat(),
        "description": record.heading,
        "content": [{"attachment": {**_described(data), "data": base64.b64encode(data).decode()}}],
        "context": {"sourcePatientInfo": {"reference": "#source"}},
    }


def _submission(record: CdaRecord, patient: Patient, bench: Bench) -> Json:
    """A transaction as IHE MHD submits documents: the List, the DocumentReference, its Binary and the Patient."""
    names = {kind: _urn(record.document_id, kind) for kind in ("List", "DocumentReference", "Binary", "Patient")}
    data = build_cda(record)
    reference = _reference(record, patient, bench)
    reference["subject"] = {"reference": names["Patient"]}
    reference["content"] = [{"attachment": {**_described(data), "url": names["Binary"]}}]
    listed = {
        "resourceType": "List",
        "status": "current",
        "mode": "working",
        "code": {"coding": [{"system": _LISTS, "code": "submissionset"}]},
        "subject": {"reference": names["Patient"]},
        "date": record.at.isoformat(),
        "entry": [{"item": {"reference": names["DocumentReference"]}}],
    }
    binary = {"resourceType": "Binary", "contentType": "text/xml", "data": base64.b64encode(data).decode()}
    resources = {
        "List": listed,
        "DocumentReference": reference,
        "Binary": binary,
        "Patient": _patient(patient, bench),
    }
    entries = [
        {"fullUrl": names[kind], "resource": resource, "request": {"method": "POST", "url": kind}}
        for kind, resource in resources.items()
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _described(data: bytes) -> Json:
    digest = base64.b64encode(sha1(data, usedforsecurity=False).digest()).decode()
    return {"contentType": "text/xml", "size": len(data), "hash": digest}


def _concept(code: Code) -> Json:
    system = _SYSTEMS.get(code.system, f"urn:oid:{code.system}")
    return {"coding": [{"system": system, "code": code.code, "display": code.label}]}


def _urn(seed: str, kind: str) -> str:
    return UUID(bytes=sha256(f"{kind}|{seed}".encode()).digest()[:16], version=4).urn


@dataclass(frozen=True, slots=True)
class _Resource:
    """One file. `shape` is `patient`, `reference` or `submission`; what is spoilt: the person everywhere, the resource, octets.

    `carried` is who the CDA is about, when it is not the patient of the resource.
    """

    name: str
    shape: str
    rules: tuple[str, ...]
    fr: str
    en: str
    patient: Callable[[Patient], Patient] = lambda patient: patient
    edit: Callable[[Json], None] = lambda resource: None
    octets: Callable[[bytes], bytes] = lambda octets: octets
    carried: str = ""

    def octets_of(self, bench: Bench) -> bytes:
        """The file."""
        people = bench.territory.patients
        patient = self.patient(people["brunel-odette" if self.carried else "delmas-suzanne"])
        if self.shape == "patient":
            resource = _patient(patient, bench)
        else:
            record = bench.record(self.name, changes=lambda _: people[self.carried] if self.carried else patient)
            write = _reference if self.shape == "reference" else _submission
            resource = write(record, patient, bench)
        self.edit(resource)
        return self.octets(resource_octets(resource))


def _without_type(resource: Json) -> None:
    del resource["identifier"][0]["type"]


def _second_official_name(resource: Json) -> None:
    resource["name"].append({"use": "official", "family": "DURAND", "given": ["ANNE"]})


def _other_contained(resource: Json) -> None:
    resource["contained"][0]["name"][0]["family"] = "DELMASSE"
    resource["contained"][0]["birthDate"] = "1939-03-09"


def _nobody(resource: Json) -> None:
    resource["entry"] = resource["entry"][:-1]  # the Patient


def _other_hash(resource: Json) -> None:
    attachment = resource["content"][0]["attachment"]
    attachment["hash"] = base64.b64encode(bytes(20)).decode()


_RESOURCES = (
    _Resource(
        "valide-fhir-patient",
        "patient",
        (),
        "Patient selon FR Core, identité qualifiée : INS, IPP, liste des prénoms, lieu de naissance.",
        "Patient under FR Core, a qualified identity: INS, IPP, list of given names, place of birth.",
    ),
    _Resource(
        "valide-fhir-documentreference",
        "reference",
        (),
        "DocumentReference : le CDA en base64, la patiente contenue, taille et empreinte justes.",
        "DocumentReference: the CDA in base64, the patient contained, size and hash right.",
    ),
    _Resource(
        "valide-fhir-depot",
        "submission",
        (),
        "Bundle de dépôt (transaction MHD) : List, DocumentReference, Binary et Patient.",
        "Submission Bundle (an MHD transaction): List, DocumentReference, Binary and Patient.",
    ),
    _Resource(
        "fhir-cle-fausse",
        "patient",
        ("INS-004",),
        "La clé du matricule est fausse.",
        "The key of the matricule is wrong.",
        patient=wrong_key,
    ),
    _Resource(
        "fhir-oid-de-production",
        "patient",
        ("INS-023",),
        "L'OID de production dans un bac à sable : avertissement.",
        "The production OID inside a sandbox: a warning.",
        patient=lambda p: replace(p, oid="1.2.250.1.213.1.4.8"),
    ),
    _Resource(
        "fhir-ins-sans-type",
        "patient",
        ("INS-120",),
        "L'identifiant INS n'a pas de type : aucune tranche de FR Core ne le reconnaît.",
        "The INS identifier has no type: no slice of FR Core knows it.",
        edit=_without_type,
    ),
    _Resource(
        "fhir-deux-noms-officiels",
        "patient",
        ("INS-124",),
        "Deux noms `official` : rien ne dit lequel est le nom de naissance.",
        "Two `official` names: nothing tells which is the birth name.",
        edit=_second_official_name,
    ),
    _Resource(
        "fhir-json-coupe",
        "patient",
        ("FHIR-01",),
        "Le JSON est coupé au milieu.",
        "The JSON is cut in the middle.",
        octets=lambda octets: octets[: len(octets) // 2],
    ),
    _Resource(
        "fhir-reference-a-personne",
        "submission",
        ("FHIR-06",),
        "Les ressources désignent un Patient que le Bundle n'apporte pas.",
        "The resources point at a Patient that the Bundle does not bring.",
        edit=_nobody,
    ),
    _Resource(
        "fhir-patient-contenu-different",
        "reference",
        ("INS-151", "INS-155"),
        "Le patient contenu n'a ni le nom ni la date de naissance du CDA.",
        "The contained patient has neither the birth name nor the birth date of the CDA.",
        edit=_other_contained,
    ),
    _Resource(
        "fhir-cda-d-une-jumelle",
        "reference",
        ("INS-150", "INS-153"),
        "DocumentReference d'une jumelle, CDA de l'autre.",
        "The DocumentReference of one twin, the CDA of the other.",
        carried="brunel-colette",
    ),
    _Resource(
        "fhir-empreinte-fausse",
        "reference",
        ("FHIR-10",),
        "L'empreinte de la pièce n'est pas celle de ses octets : avertissement.",
        "The hash of the attachment is not that of its octets: a warning.",
        edit=_other_hash,
    ),
)


def fhir_samples(bench: Bench) -> Iterator[Sample]:
    """Resources of FHIR, valid ones first."""
    for resource in _RESOURCES:
        yield sample(resource.name, "fhir", _builder(resource, bench), resource.rules, resource.fr, resource.en)


def _builder(resource: _Resource, bench: Bench) -> Callable[[], bytes]:
    return lambda: resource.octets_of(bench)
