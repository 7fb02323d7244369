"""A CDA R2 level 1 document with a PDF body, from a `CdaRecord`.

Source: CI-SIS, volet Structuration minimale des documents de santé (header), CDA R2 schema order.
"""

from __future__ import annotations

import base64

from lxml import etree

from gateway.directory.model import Patient, Professional, Structure
from gateway.documents.build_codes import CONFIDENTIALITY, SPECIALTY_SYSTEM, facility_type, practice_setting
from gateway.documents.build_record import PS_OID, STRUCTURE_OID, CdaRecord, ipp_oid, ts
from gateway.documents.model import Code

NS = "urn:hl7-org:v3"
_TEMPLATES = ("2.16.840.1.113883.2.8.2.1", "1.2.250.1.213.1.1.1.1", "1.3.6.1.4.1.19376.1.2.20")
_GENDER = {
    "M": Code("M", "2.16.840.1.113883.5.1", "Masculin"),
    "F": Code("F", "2.16.840.1.113883.5.1", "Féminin"),
    "I": Code("UN", "2.16.840.1.113883.5.1", "Indéterminé"),
}
_PROFESSION_SYSTEM = "1.2.250.1.213.1.6.1.4"


def build_cda(record: CdaRecord) -> bytes:
    """The document, UTF-8 with its declaration. Raises KeyError when a code is outside its value set."""
    root = etree.Element(f"{{{NS}}}ClinicalDocument", nsmap={None: NS})
    _head(root, record)
    _patient(root, record)
    _author(root, record)
    _custodian(root, record.structure)
    _signer(root, record)
    _act(root, record)
    if record.replaces:
        related = _add(root, "relatedDocument", typeCode="RPLC")
        _add(_add(related, "parentDocument"), "id", root=record.replaces)
    _encounter(root, record)
    _body(root, record.pdf)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _add(parent: etree._Element, name: str, text: str = "", /, **attributes: str) -> etree._Element:
    element = etree.SubElement(parent, f"{{{NS}}}{name}", attributes)
    if text:
        element.text = text
    return element


def _code(parent: etree._Element, name: str, code: Code) -> None:
    _add(parent, name, code=code.code, displayName=code.label, codeSystem=code.system)


def _head(root: etree._Element, record: CdaRecord) -> None:
    _add(root, "realmCode", code="FR")
    _add(root, "typeId", root="2.16.840.1.113883.1.3", extension="POCD_HD000040")
    for template in _TEMPLATES:
        _add(root, "templateId", root=template)
    _add(root, "id", root=record.document_id)
    _code(root, "code", record.kind.type)
    _add(root, "title", record.heading)
    _add(root, "effectiveTime", value=ts(record.at))
    _code(root, "confidentialityCode", CONFIDENTIALITY[record.confidentiality])
    _add(root, "languageCode", code="fr-FR")
    _add(root, "setId", root=record.set_id)
    _add(root, "versionNumber", value=str(record.version))


def _patient(root: etree._Element, record: CdaRecord) -> None:
    patient = record.patient
    role = _add(_add(root, "recordTarget"), "patientRole")
    if record.with_ins:
        _add(role, "id", root=patient.oid, extension=patient.matricule)
    if record.ipp or not record.with_ins:
        _add(role, "id", root=ipp_oid(record.structure), extension=record.ipp or patient.key)
    _add(role, "addr", nullFlavor="NASK")
    _add(role, "telecom", nullFlavor="NASK")
    person = _add(role, "patient")
    _names(_add(person, "name"), patient)
    _code(person, "administrativeGenderCode", _GENDER[patient.sex])
    _add(person, "birthTime", value=patient.birth_date.replace("-", ""))
    if patient.birth_place:
        place = _add(_add(person, "birthplace"), "place")
        _add(_add(place, "addr"), "county", patient.birth_place)


def _names(name: etree._Element, patient: Patient) -> None:
    _add(name, "family", patient.family, qualifier="BR")
    if patient.used_family:
        _add(name, "family", patient.used_family, qualifier="CL")
    _add(name, "given", patient.given_list)
    _add(name, "given", patient.given, qualifier="BR")
    if patient.used_given:
        _add(name, "given", patient.used_given, qualifier="CL")


def _author(root: etree._Element, record: CdaRecord) -> None:
    author = _add(root, "author")
    _add(author, "time", value=ts(record.at))
    assigned = _add(author, "assignedAuthor")
    _add(assigned, "id", root=PS_OID, extension=record.author.ps_id_nat)
    _code(assigned, "code", specialty_of(record.author))
    _add(assigned, "addr", nullFlavor="NASK")
    _add(assigned, "telecom", nullFlavor="NASK")
    _person(assigned, record.author)
    organization = _add(assigned, "representedOrganization")
    _add(organization, "id", root=STRUCTURE_OID, extension=record.structure.struct_id_nat)
    _add(organization, "name", record.structure.name)


def specialty_of(professional: Professional) -> Code:
    """authorSpecialty (JDV_J01): the specialty, else the profession of a social worker."""
    if professional.specialty:
        return Code(professional.specialty, SPECIALTY_SYSTEM, professional.specialty_label)
    return Code(professional.profession, _PROFESSION_SYSTEM, "Assistant de service social")


def _person(parent: etree._Element, professional: Professional) -> None:
    name = _add(_add(parent, "assignedPerson"), "name")
    _add(name, "family", professional.family)
    _add(name, "given", professional.given)


def _custodian(root: etree._Element, structure: Structure) -> None:
    organization = _add(_add(_add(root, "custodian"), "assignedCustodian"), "representedCustodianOrganization")
    _add(organization, "id", root=STRUCTURE_OID, extension=structure.struct_id_nat)
    _add(organization, "name", structure.name)
    _add(organization, "telecom", nullFlavor="NASK")
    address = _add(organization, "addr")
    if structure.postal_code and structure.city:
        _add(address, "postalCode", structure.postal_code)
        _add(address, "city", structure.city)
    else:
        address.set("nullFlavor", "NASK")


def _signer(root: etree._Element, record: CdaRecord) -> None:
    signer = _add(root, "legalAuthenticator")
    _add(signer, "time", value=ts(record.at))
    _add(signer, "signatureCode", code="S")
    entity = _add(signer, "assignedEntity")
    _add(entity, "id", root=PS_OID, extension=record.signer.ps_id_nat)
    _person(entity, record.signer)


def _period(parent: etree._Element, record: CdaRecord) -> None:
    period = _add(parent, "effectiveTime")
    _add(period, "low", value=ts(record.service_start))
    if record.service_stop is not None:
        _add(period, "high", value=ts(record.service_stop))


def _act(root: etree._Element, record: CdaRecord) -> None:
    event = _add(_add(root, "documentationOf"), "serviceEvent")
    _period(event, record)
    entity = _add(_add(event, "performer", typeCode="PRF"), "assignedEntity")
    _add(entity, "id", root=PS_OID, extension=record.author.ps_id_nat)
    _person(entity, record.author)
    organization = _add(entity, "representedOrganization")
    _add(organization, "id", root=STRUCTURE_OID, extension=record.structure.struct_id_nat)
    _add(organization, "name", record.structure.name)
    _code(organization, "standardIndustryClassCode", practice_setting(record.structure.practice_setting))


def _encounter(root: etree._Element, record: CdaRecord) -> None:
    encounter = _add(_add(root, "componentOf"), "encompassingEncounter")
    _period(encounter, record)
    facility = _add(_add(encounter, "location"), "healthCareFacility")
    _add(facility, "id", root=STRUCTURE_OID, extension=record.structure.struct_id_nat)
    _code(facility, "code", facility_type(record.structure.facility_type))


def _body(root: etree._Element, pdf: bytes) -> None:
    body = _add(_add(root, "component"), "nonXMLBody")
    encoded = base64.encodebytes(pdf).decode("ascii")  # lines of 76, as mail readers and XML tools expect
    _add(body, "text", "\n" + encoded, mediaType="application/pdf", representation="B64")
