"""What the metadata of a lot must say, whether they came in a package or in a deposit.

Subject: one `XdsMetadata`. The metadata that only a package needs (hash, size, URI) are the package rules' business.
The entry that holds the signature of a DMP lot is not a health document: it is left out.

Sources: IHE ITI TF-3 4.2 (cardinalities), CI-SIS value sets, practice of the ANS packages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gateway.documents.model import Code, DocumentEntry, XdsMetadata
from gateway.documents.rules_codes import (
    FACILITY_SYSTEM,
    CodeSet,
    class_of_type,
    code_set,
    unknown,
    wrong_label,
    wrong_system,
)
from gateway.rules import Hit, Rule, RuleContext, Severity, rule
from gateway.rules.phrases import TIME_UTC, VALUE_SET
from gateway.values import PlaceKind, Where

SIGNATURE_CLASS = "urn:oid:1.3.6.1.4.1.19376.1.2.1.1.1"
SIGNATURE_FORMAT = "http://www.w3.org/2000/09/xmldsig#"
_DTM = re.compile(r"\d{4}(\d{2}){0,5}\Z")
_OID = re.compile(r"[0-2](\.(0|[1-9]\d*))+\Z")
_LOT = Where(PlaceKind.XPATH, "/SubmitObjectsRequest/RegistryObjectList")


def documents_of(metadata: XdsMetadata) -> Iterator[DocumentEntry]:
    """The entries that describe health documents."""
    for entry in metadata.entries:
        by_class = entry.class_code is not None and entry.class_code.code == SIGNATURE_CLASS
        by_format = entry.format_code is not None and entry.format_code.code == SIGNATURE_FORMAT
        if not by_class and not by_format:
            yield entry


def _readable(metadata: XdsMetadata) -> bool:
    return not metadata.issues


@rule("MET-01")
def one_submission_set(metadata: XdsMetadata, ctx: RuleContext) -> Iterable[Hit]:
    """A lot is one SubmissionSet, classified as such."""
    if not _readable(metadata):
        return
    if metadata.submission_sets != 1:
        yield Hit(_LOT, f"{metadata.submission_sets} RegistryPackage", "1 RegistryPackage (SubmissionSet)")
    elif metadata.submission_set is not None and not metadata.submission_set.classified:
        yield Hit(metadata.submission_set.where, "∅", "Classification[@classificationNode='urn:uuid:a54d6aa5-…']")


@rule("MET-02")
def at_least_one_entry(metadata: XdsMetadata, ctx: RuleContext) -> Iterable[Hit]:
    """A lot describes a document."""
    if _readable(metadata) and not metadata.entries:
        yield Hit(_LOT, "0 ExtrinsicObject", ">= 1 ExtrinsicObject")


@rule("MET-03")
def metadata_complete(metadata: XdsMetadata, ctx: RuleContext) -> Iterable[Hit]:
    """The mandatory metadata of the lot and of each document are there."""
    lot = metadata.submission_set
    if lot is not None:
        wanted = (
            ("patientId", lot.patient_id),
            ("sourceId", lot.source_id),
            ("uniqueId", lot.unique_id),
            ("submissionTime", lot.submission_time),
            ("contentTypeCode", lot.content_type),
            ("author", lot.authors),
        )
        yield from _absent("XDSSubmissionSet", wanted, lot.where)
    for entry in documents_of(metadata):
        yield from _absent("XDSDocumentEntry", _entry_duties(entry), entry.where, entry.label)


def _entry_duties(entry: DocumentEntry) -> tuple[tuple[str, object], ...]:
    return (
        ("patientId", entry.patient_id),
        ("uniqueId", entry.unique_id),
        ("typeCode", entry.type_code),
        ("classCode", entry.class_code),
        ("formatCode", entry.format_code),
        ("confidentialityCode", entry.confidentiality),
        ("healthcareFacilityTypeCode", entry.facility_type),
        ("practiceSettingCode", entry.practice_setting),
        ("creationTime", entry.creation_time),
        ("languageCode", entry.language),
        ("serviceStartTime", entry.service_start),
        ("title", entry.title),
        ("author", entry.authors),
        ("legalAuthenticator", entry.legal_authenticator),
        ("mimeType", entry.mime_type),
    )


def _absent(kind: str, wanted: Iterable[tuple[str, object]], where: Where, container: str = "") -> Iterator[Hit]:
    for name, told in wanted:
        if not told:
            yield Hit(where, "∅", f"{kind}.{name}", params={"name": name}, container=container)


@rule("MET-04")
def metadata_not_repeated(metadata: XdsMetadata, ctx: RuleContext) -> Iterable[Hit]:
    """A metadata occurs no more often than its cardinality allows."""
    for entry in metadata.entries:
        for name in entry.repeated:
            most = "1..4" if name == "confidentialityCode" else "1..1"
            yield Hit(entry.where, name, most, params={"name": name}, container=entry.label)


@rule("MET-05")
def codes_labelled(metadata: XdsMetadata, ctx: RuleContext) -> Iterable[Hit]:
    """A coded metadata has its system (slot codingScheme) and its label (Name)."""
    for entry in documents_of(metadata):
        for name in entry.unlabelled:
            yield Hit(entry.where, name, "codingScheme, Name", params={"name": name}, container=entry.label)


@rule("MET-06")
def dates_in_dtm(metadata: XdsMetadata, ctx: RuleContext) -> Iterable[Hit]:
    """A date of the metadata is 4 to 14 digits, in UTC, without offset."""
    lot = metadata.submission_set
    if lot is not None and lot.submission_time and not _DTM.match(lot.submission_time):
        yield Hit(lot.where, lot.submission_time[:40], TIME_UTC, params={"name": "submissionTime"})
    for entry in metadata.entries:
        for name, told in (
            ("creationTime", entry.creation_time),
            ("serviceStartTime", entry.service_start),
            ("serviceStopTime", entry.service_stop),
        ):
            if told and not _DTM.match(told):
                yield Hit(entry.where, told[:40], TIME_UTC, params={"name": name}, container=entry.label)


@rule("MET-08")
def known_schemes(metadata: XdsMetadata, ctx: RuleContext) -> Iterable[Hit]:
    """A classification or an identifier follows a scheme that XDS defines."""
    for entry in metadata.entries:
        for scheme in entry.unknown_schemes:
            yield Hit(entry.where, scheme[:80], "IHE ITI TF-3, table 4.2.5", container=entry.label)


@rule("MET-09")
def associations_resolve(metadata: XdsMetadata, ctx: RuleContext) -> Iterable[Hit]:
    """Each document is tied to the lot by a HasMember whose two ends exist."""
    lot = metadata.submission_set
    if lot is None:
        return
    members = {a.target for a in metadata.associations if a.kind == "HasMember" and a.source == lot.entry_id}
    for entry in metadata.entries:
        if entry.entry_id not in members:
            expected = f"Association HasMember {lot.entry_id} → {entry.entry_id}"
            yield Hit(entry.where, "∅", expected, container=entry.label)


@rule("MET-10")
def references_name_their_object(metadata: XdsMetadata, ctx: RuleContext) -> Iterable[Hit]:
    """classifiedObject and registryObject name the object they stand in (all 110 ANS packages fail here)."""
    if metadata.stray_references:
        yield Hit(_LOT, str(metadata.stray_references), "0")


@rule("MET-11")
def ids_are_unique(metadata: XdsMetadata, ctx: RuleContext) -> Iterable[Hit]:
    """An id names one object of the lot."""
    for identifier in metadata.duplicate_ids:
        yield Hit(_LOT, f"{identifier[:80] or '∅'} (2)", "1")


def _coded(entry: DocumentEntry) -> Iterator[tuple[str, Code, CodeSet]]:
    if entry.type_code is not None:
        yield "typeCode", entry.type_code, code_set("nature")
    if entry.class_code is not None:
        yield "classCode", entry.class_code, code_set("class")
    if entry.practice_setting is not None:
        yield "practiceSettingCode", entry.practice_setting, code_set("practice_setting")
    if entry.facility_type is not None:
        yield "healthcareFacilityTypeCode", entry.facility_type, code_set("facility_type")
    for author in entry.authors:
        if author.specialty is not None:
            yield "authorSpecialty", author.specialty, code_set("author_specialty")


@rule("MET-12")
def codes_in_their_set(metadata: XdsMetadata, ctx: RuleContext) -> Iterable[Hit]:
    """A coded metadata belongs to its value set as we know it, with its label."""
    for entry in documents_of(metadata):
        for name, code, known in _coded(entry):
            if unknown(code, known):
                received = f"{code.code} ({code.system})"
                yield Hit(entry.where, received, VALUE_SET, params={"name": name}, container=entry.label)
            elif expected := wrong_label(code, known):
                yield Hit(
                    entry.where,
                    code.label,
                    expected,
                    params={"name": name},
                    severity=Severity.INFO,
                    container=entry.label,
                )


@rule("MET-13")
def codes_under_their_system(metadata: XdsMetadata, ctx: RuleContext) -> Iterable[Hit]:
    """A known code is given under its own system."""
    for entry in documents_of(metadata):
        for name, code, known in _coded(entry):
            expected = wrong_system(code, known)
            if expected:
                received = f"{code.code} / {code.system or '∅'}"
                yield Hit(
                    entry.where, received, f"{code.code} / {expected}", params={"name": name}, container=entry.label
                )


@rule("MET-14")
def class_follows_type(metadata: XdsMetadata, ctx: RuleContext) -> Iterable[Hit]:
    """The class of a document is the one its type belongs to."""
    for entry in documents_of(metadata):
        if entry.type_code is None or entry.class_code is None:
            continue
        expected = class_of_type().get(entry.type_code.code)
        if expected and entry.class_code.code != expected:
            yield Hit(entry.where, entry.class_code.code, expected, container=entry.label)


@rule("MET-15")
def content_type_is_an_activity(metadata: XdsMetadata, ctx: RuleContext) -> Iterable[Hit]:
    """contentTypeCode names the activity that produced the lot; the ANS packages carry the facility code instead."""
    lot = metadata.submission_set
    if lot is not None and lot.content_type is not None and lot.content_type.system == FACILITY_SYSTEM:
        yield Hit(lot.where, f"{lot.content_type.code} ({FACILITY_SYSTEM})", "1.2.250.1.213.2.2")


@rule("MET-17")
def unique_ids_are_oids(metadata: XdsMetadata, ctx: RuleContext) -> Iterable[Hit]:
    """uniqueId and sourceId are OIDs of at most 64 characters (uniqueId: or OID^extension)."""
    lot = metadata.submission_set
    for told in (lot.unique_id, lot.source_id) if lot is not None else ():
        if told is not None and (len(told.value) > 64 or not _OID.match(told.value)):
            yield Hit(told.where, told.value[:80], "OID (64)")
    for entry in metadata.entries:
        told = entry.unique_id
        if told is not None and (len(told.value) > 128 or not _OID.match(told.value.partition("^")[0])):
            yield Hit(told.where, told.value[:80], "OID (64), OID^extension", container=entry.label)


RULES: tuple[Rule[XdsMetadata], ...] = (
    one_submission_set,
    at_least_one_entry,
    metadata_complete,
    metadata_not_repeated,
    codes_labelled,
    dates_in_dtm,
    known_schemes,
    associations_resolve,
    references_name_their_object,
    ids_are_unique,
    codes_in_their_set,
    codes_under_their_system,
    class_follows_type,
    content_type_is_an_activity,
    unique_ids_are_oids,
)
