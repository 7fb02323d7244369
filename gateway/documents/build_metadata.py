"""XDS metadata of a lot of documents: METADATA.XML of a package, or the SubmitObjectsRequest of an ITI-41 deposit.

Everything is derived from the records that made the documents, hash and size from the finished octets. Source: IHE ITI
TF-3 (ebRIM 3.0), CI-SIS volets Partage and Échange de documents de santé.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha1, sha256
from uuid import UUID

from lxml import etree

from gateway.directory.model import Patient, Professional, Structure
from gateway.documents.build_cda import specialty_of
from gateway.documents.build_codes import CONFIDENTIALITY, facility_type, practice_setting
from gateway.documents.build_record import DOCUMENT_ARC, PS_OID, STRUCTURE_OID, CdaRecord, ipp_oid, ts_utc
from gateway.documents.model import Code

LCM = "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"
RIM = "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_APPROVED = "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"
_ASSOCIATION = "urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:Association"
_PACKAGE = "urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:RegistryPackage"
_DOCUMENT = "urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1"
_SCHEMES = {
    "node": "a54d6aa5-d40d-43f9-88c5-b4633d873bdd",
    "set-author": "a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d",
    "contentType": "aa543740-bdda-424e-8c96-df4873be8500",
    "set-patientId": "6b5aea1a-874d-4603-a4bc-96a0a7b38446",
    "set-sourceId": "554ac39e-e3fe-47fe-b233-965d2a147832",
    "set-uniqueId": "96fdda7c-d067-4183-912e-bf5ee74998a8",
    "author": "93606bcf-9494-43ec-9b4e-a7748d1a838d",
    "class": "41a5887f-8865-4c09-adf7-e362475b143a",
    "confidentiality": "f4f85eac-e6cb-4883-b524-f2705394840f",
    "format": "a09d5840-386c-46f2-b5ad-9c3699a4309d",
    "facility": "f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1",
    "practice": "cccf5598-8b07-4b77-a05e-ae952c785ead",
    "type": "f0306f51-975f-434e-a61c-c59651d33983",
    "patientId": "58a6f841-87b3-4a3e-92fd-a8ffeff98427",
    "uniqueId": "2e82c1f6-a085-4c72-9da3-8640a32e42ab",
}
_SET_NAMES = {
    "set-patientId": "XDSSubmissionSet.patientId",
    "set-sourceId": "XDSSubmissionSet.sourceId",
    "set-uniqueId": "XDSSubmissionSet.uniqueId",
    "patientId": "XDSDocumentEntry.patientId",
    "uniqueId": "XDSDocumentEntry.uniqueId",
}


@dataclass(frozen=True, slots=True)
class LotEntry:
    """One document of a lot: its record and its finished octets.

    `entry_id` is `urn:uuid:...` in a package, a symbolic id (`Document01`) in a deposit. `masks` are confidentiality
    codes that live in metadata only. `replaces_entry` is the entryUUID of the version it replaces in the registry.
    """

    record: CdaRecord
    document: bytes
    entry_id: str = "Document01"
    uri: str = "DOC0001.XML"
    masks: tuple[str, ...] = ()
    replaces_entry: str = ""


@dataclass(frozen=True, slots=True)
class Lot:
    """A submission set. `package` is True for METADATA.XML (hash, size, URI, status and C action are written).

    `digests` asks for hash and size in a deposit too. `extra` are ready XML objects (a lot signature and its
    associations) put at the end of the list as they are.
    """

    unique_id: str
    source_id: str
    submitted_at: datetime
    author: Professional
    structure: Structure
    entries: tuple[LotEntry, ...]
    set_id: str = "SubmissionSet01"
    title: str = ""
    content_type: Code | None = None
    package: bool = False
    digests: bool = False
    extra: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class LotIds:
    """Ids of a lot of one document: entry ids as `urn:uuid:...`, unique ids as OIDs of at most 64 characters."""

    set_id: str
    entry_id: str
    set_unique_id: str
    document_id: str
    document_set_id: str


def ids_from(seed: str) -> LotIds:
    """Ids that depend on the seed alone: the same seed always gives the same lot."""
    return LotIds(
        set_id=_urn(seed, "set"),
        entry_id=_urn(seed, "entry"),
        set_unique_id=oid_from(seed, "lot"),
        document_id=oid_from(seed, "document"),
        document_set_id=oid_from(seed, "family"),
    )


def oid_from(seed: str, purpose: str) -> str:
    """An OID of the example arc that depends on the seed and purpose alone."""
    number = int.from_bytes(sha256(f"{purpose}|{seed}".encode()).digest()[:12], "big")
    return f"{DOCUMENT_ARC}.{number}"


def _urn(seed: str, purpose: str) -> str:
    return UUID(bytes=sha256(f"{purpose}|{seed}".encode()).digest()[:16], version=4).urn


def submit_objects_request(lot: Lot, *, declaration: bool = True) -> bytes:
    """The whole lot as `lcm:SubmitObjectsRequest`, UTF-8; without XML declaration it can stand inside another document."""
    root = etree.Element(f"{{{LCM}}}SubmitObjectsRequest", nsmap={"lcm": LCM})
    root.append(registry_object_list(lot))
    return etree.tostring(root, xml_declaration=declaration, encoding="UTF-8", pretty_print=True)


def registry_object_list(lot: Lot) -> etree._Element:
    """`rim:RegistryObjectList`: the set, its entries, their associations, then what is extra."""
    objects = etree.Element(f"{{{RIM}}}RegistryObjectList", nsmap={None: RIM})
    numbers = _Numbers()
    _set(objects, lot, numbers)
    for entry in lot.entries:
        _entry(objects, lot, entry, numbers)
    for entry in lot.entries:
        _member(objects, lot.set_id, entry.entry_id, numbers)
        if entry.replaces_entry:
            _add(
                objects,
                "Association",
                id=numbers.next("as"),
                associationType="urn:ihe:iti:2007:AssociationType:RPLC",
                objectType=_ASSOCIATION,
                sourceObject=entry.entry_id,
                targetObject=entry.replaces_entry,
            )
    for fragment in lot.extra:
        objects.append(etree.fromstring(fragment))
    return objects


def xcn(professional: Professional) -> str:
    """A professional as XCN, PS_IdNat first."""
    return (
        f"{professional.ps_id_nat}^{_hl7(professional.family)}^{_hl7(professional.given)}^^^^^^&{PS_OID}&ISO^D^^^IDNPS"
    )


def xon(structure: Structure) -> str:
    """A structure as XON, Struct_IdNat last."""
    return f"{_hl7(structure.name)}^^^^^&{STRUCTURE_OID}&ISO^IDNST^^^{structure.struct_id_nat}"


def patient_cx(record: CdaRecord) -> str:
    """patientId: the INS as CX typed NH, or the local number typed PI when the INS may not travel."""
    if record.with_ins:
        return f"{record.patient.matricule}^^^&{record.patient.oid}&ISO^NH"
    return _ipp_cx(record)


def source_patient_cx(record: CdaRecord) -> str:
    """sourcePatientId: the local number, else the INS."""
    return _ipp_cx(record) if record.ipp or not record.with_ins else patient_cx(record)


def source_patient_info(patient: Patient) -> tuple[str, ...]:
    """The values of sourcePatientInfo: PID-5 (birth name, then used name), PID-7, PID-8, PID-11."""
    values = [f"PID-5|{_hl7(patient.family)}^{_hl7(patient.given)}^{_hl7(patient.given_list)}^^^^L"]
    if patient.used_family or patient.used_given:
        used = patient.used_family or patient.family
        values.append(f"PID-5|{_hl7(used)}^{_hl7(patient.used_given or patient.given)}^^^^^D")
    values += [f"PID-7|{patient.birth_date.replace('-', '')}", f"PID-8|{patient.sex}"]
    if patient.birth_place:
        values.append(f"PID-11|^^^^^^BDL^^{patient.birth_place}")
    return tuple(values)


def _ipp_cx(record: CdaRecord) -> str:
    return f"{record.ipp or record.patient.key}^^^&{ipp_oid(record.structure)}&ISO^PI"


def _hl7(text: str) -> str:
    """A component value: the HL7 separators have no place in a name."""
    for separator in "^&|~":
        text = text.replace(separator, " ")
    return text


class _Numbers:
    """Ids of classifications, identifiers and associations, unique within one list."""

    def __init__(self) -> None:
        self._last = 0

    def next(self, prefix: str) -> str:
        self._last += 1
        return f"{prefix}{self._last:03d}"


def _add(parent: etree._Element, name: str, /, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{RIM}}}{name}", attributes)


def _slot(parent: etree._Element, name: str, values: Iterable[str]) -> None:
    listed = _add(_add(parent, "Slot", name=name), "ValueList")
    for value in values:
        _add(listed, "Value").text = value


def _label(parent: etree._Element, value: str, name: str = "Name") -> None:
    _add(_add(parent, name), "LocalizedString", charset="UTF8", value=value).set(_LANG, "FR")


def _classified(parent: etree._Element, scheme: str, owner: str, code: Code, numbers: _Numbers) -> None:
    element = _add(
        parent,
        "Classification",
        id=numbers.next("cl"),
        classificationScheme=f"urn:uuid:{_SCHEMES[scheme]}",
        classifiedObject=owner,
        nodeRepresentation=code.code,
    )
    _slot(element, "codingScheme", [code.system])
    _label(element, code.label)


def _authored(
    parent: etree._Element, scheme: str, owner: str, author: Professional, structure: Structure, numbers: _Numbers
) -> None:
    element = _add(
        parent,
        "Classification",
        id=numbers.next("cl"),
        classificationScheme=f"urn:uuid:{_SCHEMES[scheme]}",
        classifiedObject=owner,
        nodeRepresentation="",
    )
    specialty = specialty_of(author)
    _slot(element, "authorInstitution", [xon(structure)])
    _slot(element, "authorPerson", [xcn(author)])
    _slot(element, "authorSpecialty", [f"{specialty.code}^{specialty.label}^{specialty.system}"])


def _identified(parent: etree._Element, scheme: str, owner: str, value: str, numbers: _Numbers) -> None:
    element = _add(
        parent,
        "ExternalIdentifier",
        id=numbers.next("ei"),
        registryObject=owner,
        identificationScheme=f"urn:uuid:{_SCHEMES[scheme]}",
        value=value,
    )
    _label(element, _SET_NAMES[scheme])


def _set(objects: etree._Element, lot: Lot, numbers: _Numbers) -> None:
    first = lot.entries[0].record
    package = _add(objects, "RegistryPackage", id=lot.set_id, objectType=_PACKAGE)
    if lot.package:
        package.set("status", _APPROVED)
    _slot(package, "submissionTime", [ts_utc(lot.submitted_at)])
    _label(package, lot.title or first.heading)
    _add(
        package,
        "Classification",
        id=numbers.next("cl"),
        classifiedObject=lot.set_id,
        classificationNode=f"urn:uuid:{_SCHEMES['node']}",
        nodeRepresentation="",
    )
    _authored(package, "set-author", lot.set_id, lot.author, lot.structure, numbers)
    _classified(package, "contentType", lot.set_id, lot.content_type or first.kind.content_type, numbers)
    _identified(package, "set-patientId", lot.set_id, patient_cx(first), numbers)
    _identified(package, "set-sourceId", lot.set_id, lot.source_id, numbers)
    _identified(package, "set-uniqueId", lot.set_id, lot.unique_id, numbers)


def _entry(objects: etree._Element, lot: Lot, entry: LotEntry, numbers: _Numbers) -> None:
    record, owner = entry.record, entry.entry_id
    document = _add(objects, "ExtrinsicObject", id=owner, mimeType="text/xml", objectType=_DOCUMENT)
    if lot.package:
        document.set("status", _APPROVED)
    _slots(document, lot, entry)
    _label(document, record.heading)
    _authored(document, "author", owner, record.author, record.structure, numbers)
    _classified(document, "class", owner, record.kind.class_code, numbers)
    for code in (record.confidentiality, *entry.masks):
        _classified(document, "confidentiality", owner, CONFIDENTIALITY[code], numbers)
    _classified(document, "format", owner, record.kind.format, numbers)
    _classified(document, "facility", owner, facility_type(record.structure.facility_type), numbers)
    _classified(document, "practice", owner, practice_setting(record.structure.practice_setting), numbers)
    _classified(document, "type", owner, record.kind.type, numbers)
    _identified(document, "patientId", owner, patient_cx(record), numbers)
    _identified(document, "uniqueId", owner, record.document_id, numbers)


def _slots(document: etree._Element, lot: Lot, entry: LotEntry) -> None:
    record = entry.record
    if lot.package or lot.digests:
        _slot(document, "hash", [sha1(entry.document, usedforsecurity=False).hexdigest().upper()])
        _slot(document, "size", [str(len(entry.document))])
    if lot.package:
        _slot(document, "URI", [entry.uri])
    _slot(document, "creationTime", [ts_utc(record.at)])
    _slot(document, "languageCode", ["fr-FR"])
    _slot(document, "legalAuthenticator", [xcn(record.signer)])
    _slot(document, "serviceStartTime", [ts_utc(record.service_start)])
    if record.service_stop is not None:
        _slot(document, "serviceStopTime", [ts_utc(record.service_stop)])
    _slot(document, "sourcePatientId", [source_patient_cx(record)])
    _slot(document, "sourcePatientInfo", source_patient_info(record.patient))
    if lot.package and record.version > 1:
        _slot(document, "urn:action:extraMetadataSlot", ["C"])


def _member(objects: etree._Element, source: str, target: str, numbers: _Numbers) -> None:
    element = _add(
        objects,
        "Association",
        id=numbers.next("as"),
        associationType="urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember",
        objectType=_ASSOCIATION,
        sourceObject=source,
        targetObject=target,
    )
    _slot(element, "SubmissionSetStatus", ["Original"])
