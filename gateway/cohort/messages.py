"""The messages of a person, clean, or spoilt at one of the places where a product can go wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from gateway.cohort.model import Form, Person
from gateway.cohort.population import STRUCTURE
from gateway.directory.model import Patient, Structure
from gateway.directory.territory import load_territory
from gateway.documents.build_cda import build_cda
from gateway.documents.build_codes import document_kinds
from gateway.documents.build_metadata import Lot, LotEntry, ids_from
from gateway.documents.build_pdf import Letter, letter_pdf
from gateway.documents.build_record import CdaRecord
from gateway.documents.build_xdm import METADATA, package_files, zip_of
from gateway.hl7v2.build import Er7, er7_octets, ins_cx, mdm_of, pid_fields
from gateway.messaging.compose import Draft
from gateway.partners.build_fhir import patient_resource, resource_octets
from gateway.samples import SAMPLE_TIME
from gateway.samples.parts import SECRETARIAT, Bench

_KIND = "lettre-sortie"


@dataclass(frozen=True, slots=True)
class Spoiling:
    """What is changed, and where; by default nothing is.

    `patient` changes the person everywhere; `cda`, `metadata` and `draft` one container of a document or mail; `er7` a
    message of HL7 v2; `resource` a FHIR Patient, in place; `ins` says X-MSS-INS and the INS of the document (False: none);
    `second` is another patient whose document is put into the same package.
    """

    patient: Callable[[Patient], Patient] = lambda patient: patient
    cda: Callable[[bytes], bytes] = lambda octets: octets
    metadata: Callable[[bytes], bytes] = lambda octets: octets
    metadata_patient: Callable[[Patient], Patient] | None = None
    draft: Callable[[Draft], Draft] = lambda draft: draft
    er7: Callable[[Er7], Er7] = lambda message: message
    resource: Callable[[dict[str, Any]], None] = lambda resource: None
    second: Patient | None = None


CLEAN = Spoiling()


def written(
    person: Person, form: Form, spoiling: Spoiling = CLEAN, label: str = "", at: datetime = SAMPLE_TIME
) -> bytes:
    """The message as octets. `label` makes its identifiers; by default they follow from the person and the form."""
    label = label or f"{form.value}-{person.key}"
    patient = spoiling.patient(person.patient)
    structure = load_territory().structures[STRUCTURE]
    if form is Form.FHIR:
        newer = int(person.key[1:]) % 2 == 0
        resource = patient_resource(
            patient, structure, with_ins=person.with_ins, newer=newer, status=person.patient.status
        )
        spoiling.resource(resource)
        return resource_octets(resource)
    if form is Form.ADT:
        return er7_octets(spoiling.er7(_adt_of(person, patient, structure)), label, at)
    record = _record(label, person, patient, structure, at)
    document = spoiling.cda(build_cda(record))
    if form is Form.CDA:
        return document
    if form is Form.MDM:
        number = f"DOC-{person.key}"
        message = mdm_of(patient, structure, document, record.kind.type.code, number, with_ins=person.with_ins)
        return er7_octets(spoiling.er7(message), label, at)
    bench = Bench(at)
    lot = _lot(bench, label, record, document, spoiling)
    files = [(name, spoiling.metadata(data) if name == METADATA else data) for name, data in package_files(lot)]
    return bench.mail(label, record, package=zip_of(files, at), sender=SECRETARIAT, edit=spoiling.draft)


def _adt_of(person: Person, patient: Patient, structure: Structure) -> Er7:
    """The A28 of a person, or the A47 that replaces a former INS."""
    pid = pid_fields(patient, structure, with_ins=person.with_ins)
    if person.former[0]:
        return Er7("A47", pid, (f"MRG|{ins_cx(*person.former)}",))
    return Er7("A28", pid)


def _record(label: str, person: Person, patient: Patient, structure: Structure, at: datetime) -> CdaRecord:
    actors, ids = load_territory(), ids_from(label)
    return CdaRecord(
        document_id=ids.document_id,
        set_id=ids.document_set_id,
        kind=document_kinds()[_KIND],
        patient=patient,
        author=actors.professionals["vannier-claire"],
        structure=structure,
        at=at,
        service_start=at,
        service_stop=at,
        pdf=_pdf(at),
        ins=person.with_ins,
    )


@cache
def _pdf(at: datetime) -> bytes:
    """One body for every document: it names nobody."""
    return letter_pdf(Letter("Lettre", "CH de Brumeval", "", (), ("Document fictif d'une cohorte.",), "", at))


def _lot(bench: Bench, label: str, record: CdaRecord, document: bytes, spoiling: Spoiling) -> Lot:
    """The lot of the document; its metadata may name another patient, and a second document may stand beside."""
    told = spoiling.metadata_patient
    entry_record = record if told is None else replace(record, patient=told(record.patient))
    lot = bench.lot(label, entry_record, document)
    if spoiling.second is None:
        return lot
    ids = ids_from(f"{label}-2")
    beside = replace(record, document_id=ids.document_id, set_id=ids.document_set_id, patient=spoiling.second, ins=True)
    return replace(lot, entries=(*lot.entries, LotEntry(beside, build_cda(beside), ids.entry_id, "DOC0002.XML")))
