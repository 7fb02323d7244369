"""What a CDA header must say, and what its body must hold: the rules that the official layers state or leave to us.

Subject: one `CdaDocument`. A document that could not be read has already said so by its issues, and is not judged here.

Sources: CI-SIS Structuration minimale des documents de santé; value sets J01, J02, J04, J07; CDA R2 4.3 (body).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gateway.documents import rules_actors
from gateway.documents.model import CdaDocument, Code
from gateway.documents.rules_actors import lowered
from gateway.documents.rules_codes import CONFIDENTIALITY_SYSTEM, CodeSet, code_set, unknown, wrong_label, wrong_system
from gateway.documents.rules_times import possible, precise
from gateway.rules import Hit, Rule, RuleContext, Severity, rule
from gateway.rules.phrases import TIME, VALUE_SET
from gateway.values import Located, Text, Where

_FRANCE = "2.16.840.1.113883.2.8.2.1"
_CI_SIS = "1.2.250.1.213.1.1.1.1"
_XDS_SD = "1.3.6.1.4.1.19376.1.2.20"
_OID = re.compile(r"[0-2](\.(0|[1-9]\d*))+\Z")
_VOLET = Text("templateId du volet (1.2.250.1.213.1.1.1.n)", "templateId of the volet (1.2.250.1.213.1.1.1.n)")
_UUID = re.compile(r"[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\Z")
_LANGUAGE = re.compile(r"[a-z]{2}-[A-Z]{2}\Z")
_TOLERATED_MEDIA = frozenset({"text/plain", "text/rtf", "application/rtf", "image/jpeg", "image/tiff"})


@rule("CDA-02")
def conformance_declared(document: CdaDocument, ctx: RuleContext) -> Iterable[Hit]:
    """A document declares HL7 France and the CI-SIS by two templateIds."""
    if not document.places:
        return
    for template in (_FRANCE, _CI_SIS):
        if template not in document.template_ids:
            yield Hit(document.place("templateId"), "∅", f"templateId/@root = {template}")


@rule("CDA-03")
def model_declared(document: CdaDocument, ctx: RuleContext) -> Iterable[Hit]:
    """N1: the three templateIds of an unstructured document and no other. N3: at least that of its volet."""
    if not document.places or document.body is None:
        return
    told = set(document.template_ids)
    where = document.place("templateId")
    if document.body.level == 1 and (_XDS_SD not in told or len(document.template_ids) != 3):
        yield Hit(where, ", ".join(document.template_ids) or "∅", f"{_FRANCE}, {_CI_SIS}, {_XDS_SD}")
    elif document.body.level == 3 and not told - {_FRANCE, _CI_SIS}:
        yield Hit(where, ", ".join(document.template_ids) or "∅", _VOLET)


def _coded(document: CdaDocument) -> Iterator[tuple[str, Code, CodeSet, Where]]:
    """The coded values of a header that a value set governs: name, value, set, place."""
    if document.code is not None:
        yield "code", document.code, code_set("nature"), document.place("code")
    if document.practice_setting is not None:
        yield (
            "standardIndustryClassCode",
            document.practice_setting,
            code_set("practice_setting"),
            document.place("practiceSetting"),
        )
    if document.facility_type is not None:
        yield "healthCareFacility/code", document.facility_type, code_set("facility_type"), document.place("facility")
    for code in document.author_codes:
        yield "assignedAuthor/code", code, code_set("author_specialty"), document.place("author")


@rule("CDA-04")
def code_in_its_set(document: CdaDocument, ctx: RuleContext) -> Iterable[Hit]:
    """A coded value belongs to its value set as we know it."""
    for name, code, known, where in _coded(document):
        if unknown(code, known):
            yield Hit(where, f"{code.code} ({code.system})", VALUE_SET, params={"name": name})


@rule("CDA-05")
def code_under_its_system(document: CdaDocument, ctx: RuleContext) -> Iterable[Hit]:
    """A known code is given under its own codeSystem: the official layers compare the code alone."""
    for name, code, known, where in _coded(document):
        expected = wrong_system(code, known)
        if expected:
            yield Hit(where, f"{code.code} / {code.system or '∅'}", f"{code.code} / {expected}", params={"name": name})
    level = document.confidentiality
    if level is not None and level.system != CONFIDENTIALITY_SYSTEM:
        where = document.place("confidentialityCode")
        yield Hit(where, level.system or "∅", CONFIDENTIALITY_SYSTEM, params={"name": "confidentialityCode"})


@rule("CDA-06")
def label_of_the_code(document: CdaDocument, ctx: RuleContext) -> Iterable[Hit]:
    """The displayName is that of the value set (case, blanks and apostrophes aside)."""
    for name, code, known, where in _coded(document):
        expected = wrong_label(code, known)
        if expected:
            yield Hit(where, code.label, expected, params={"name": name})


@rule("CDA-07")
def header_complete(document: CdaDocument, ctx: RuleContext) -> Iterable[Hit]:
    """The elements that the French header makes mandatory are there."""
    if not document.places:
        return
    title = document.title
    wanted: tuple[tuple[str, object], ...] = (
        ("id", document.document_id),
        ("code", document.code),
        ("title", title is not None and title.value.strip()),
        ("effectiveTime", document.effective_time),
        ("confidentialityCode", document.confidentiality),
        ("languageCode", document.language),
        ("setId", document.set_id),
        ("versionNumber", document.version),
        ("recordTarget", document.identity is not None and document.place("recordTarget").path != _root(document)),
        ("author", document.authors),
        ("custodian", document.custodian),
        ("legalAuthenticator", document.legal_authenticator),
        ("documentationOf/serviceEvent/effectiveTime", document.service_start),
        (
            "documentationOf/serviceEvent/performer/…/standardIndustryClassCode",
            document.practice_setting,
        ),
        ("componentOf/encompassingEncounter/location/healthCareFacility/code", document.facility_type),
        ("component", document.body),
    )
    for name, told in wanted:
        if not told:
            where = document.place(name.partition("/")[0])
            yield Hit(where, "∅", name, params={"name": name}, severity=lowered(ctx))


def _root(document: CdaDocument) -> str:
    return document.places[0].where.path


def _times(document: CdaDocument) -> Iterator[tuple[str, Located]]:
    for name, told in (
        ("effectiveTime", document.effective_time),
        ("serviceEvent/effectiveTime/low", document.service_start),
        ("serviceEvent/effectiveTime/high", document.service_stop),
    ):
        if told is not None:
            yield name, told


@rule("CDA-08")
def possible_time(document: CdaDocument, ctx: RuleContext) -> Iterable[Hit]:
    """A time has the form of a TS and exists in the calendar."""
    for name, told in _times(document):
        if not possible(told.value):
            yield Hit(told.where, told.value[:40], TIME, params={"name": name})


@rule("CDA-09")
def precise_time(document: CdaDocument, ctx: RuleContext) -> Iterable[Hit]:
    """effectiveTime goes to the second with its offset; the start of the act goes beyond the day."""
    told = document.effective_time
    if told is not None and possible(told.value) and not precise(told.value):
        yield Hit(told.where, told.value, TIME, params={"name": "effectiveTime"})
    start = document.service_start
    if start is not None and possible(start.value) and len(start.value) <= 8:
        yield Hit(start.where, start.value, TIME, params={"name": "serviceEvent/effectiveTime/low"})


@rule("CDA-10")
def confidentiality(document: CdaDocument, ctx: RuleContext) -> Iterable[Hit]:
    """N is what exchanges expect; R and V are allowed and told; anything else is unknown."""
    code = document.confidentiality
    if code is None or code.code == "N":
        return
    where = document.place("confidentialityCode")
    yield Hit(where, code.code, "N, R, V", severity=Severity.INFO if code.code in ("R", "V") else None)


@rule("CDA-11")
def one_confidentiality(document: CdaDocument, ctx: RuleContext) -> Iterable[Hit]:
    """The CDA carries one confidentialityCode: masking codes live in the metadata only."""
    if document.confidentiality_count > 1:
        yield Hit(document.place("confidentialityCode"), str(document.confidentiality_count), "1")


@rule("CDA-12")
def language(document: CdaDocument, ctx: RuleContext) -> Iterable[Hit]:
    """Language and country: fr-FR. Another country is told, a bare language is a fault."""
    told = document.language
    if told is None or told.value == "fr-FR":
        return
    yield Hit(told.where, told.value, "fr-FR", severity=Severity.WARNING if _LANGUAGE.match(told.value) else None)


@rule("CDA-13")
def version_number(document: CdaDocument, ctx: RuleContext) -> Iterable[Hit]:
    """versionNumber counts from 1."""
    told = document.version
    if told is not None and not (told.value.isdecimal() and int(told.value[:9]) >= 1):
        yield Hit(told.where, told.value[:20], ">= 1")


@rule("CDA-14")
def version_and_replacement(document: CdaDocument, ctx: RuleContext) -> Iterable[Hit]:
    """A version above 1 names the document it replaces; version 1 replaces nothing."""
    told = document.version
    if told is None or not told.value.isdecimal():
        return
    if int(told.value[:9]) > 1 and not document.replaces:
        yield Hit(told.where, f"versionNumber {told.value}", "relatedDocument[@typeCode='RPLC']/parentDocument/id")
    elif int(told.value[:9]) == 1 and document.replaces:
        yield Hit(document.replaces[0].where, "RPLC, versionNumber 1", "versionNumber > 1")


@rule("CDA-15")
def id_is_not_the_set(document: CdaDocument, ctx: RuleContext) -> Iterable[Hit]:
    """The document and its series of versions have two identifiers."""
    identifier, series = document.document_id, document.set_id
    if identifier is not None and series is not None and identifier.value == series.value:
        yield Hit(series.where, series.value, "setId != id")


@rule("CDA-16")
def id_form(document: CdaDocument, ctx: RuleContext) -> Iterable[Hit]:
    """id/@root is an OID or a UUID."""
    for told in (document.document_id, document.set_id):
        if told is None:
            continue
        root = told.value.partition("^")[0]
        if not (_OID.match(root) or _UUID.match(root)):
            yield Hit(told.where, root[:80], "OID, UUID")


@rule("CDA-23")
def body_media_type(document: CdaDocument, ctx: RuleContext) -> Iterable[Hit]:
    """An unstructured body is a PDF; a few other types are tolerated."""
    body = document.body
    if body is None or body.level != 1 or body.media_type == "application/pdf":
        return
    severity = Severity.WARNING if body.media_type in _TOLERATED_MEDIA else None
    yield Hit(document.place("component"), body.media_type or "∅", "application/pdf", severity=severity)


@rule("CDA-24")
def body_readable(document: CdaDocument, ctx: RuleContext) -> Iterable[Hit]:
    """An unstructured body is base64, declared as such, not empty, and what its media type says."""
    body = document.body
    if body is None or body.level != 1:
        return
    where = document.place("component")
    text = body.media_type.startswith("text/") and body.representation in ("", "TXT")
    if body.representation != "B64" and not text:
        yield Hit(where, f"representation={body.representation or '∅'}", "representation=B64")
    elif not body.base64_valid:
        yield Hit(where, Text("base64 invalide", "invalid base64"), "base64 (RFC 4648)")
    elif body.size_bytes == 0:
        yield Hit(where, "0 octets", "PDF")
    elif body.media_type == "application/pdf" and body.representation == "B64" and not body.starts_with_pdf:
        yield Hit(where, "≠ %PDF-", "%PDF-")


@rule("CDA-25")
def body_is_pdfa(document: CdaDocument, ctx: RuleContext) -> Iterable[Hit]:
    """The PDF of a body carries the PDF/A-1 marker."""
    body = document.body
    if body is not None and body.starts_with_pdf and body.pdfa_part != "1":
        received = f"PDF {body.pdf_version}" + (f", PDF/A-{body.pdfa_part}" if body.pdfa_part else ", ∅ PDF/A")
        yield Hit(document.place("component"), received, "PDF/A-1")


@rule("CDA-26")
def body_is_passive(document: CdaDocument, ctx: RuleContext) -> Iterable[Hit]:
    """The PDF of a body runs nothing and embeds nothing."""
    body = document.body
    if body is not None and body.active_content:
        yield Hit(document.place("component"), ", ".join(body.active_content), "∅")


@rule("CDA-28")
def realm(document: CdaDocument, ctx: RuleContext) -> Iterable[Hit]:
    """realmCode says FR."""
    if document.places and document.realm != "FR":
        yield Hit(document.place("document"), document.realm or "∅", "FR")


@rule("CDA-30")
def facility_identified(document: CdaDocument, ctx: RuleContext) -> Iterable[Hit]:
    """The facility of the encounter has an identifier."""
    if document.facility_type is not None and not document.facility_id:
        yield Hit(document.place("facility"), "∅", "healthCareFacility/id")


@rule("CDA-32")
def style_sheet_not_run(document: CdaDocument, ctx: RuleContext) -> Iterable[Hit]:
    """A self-presenting document is read without running its style sheet."""
    if document.self_presenting:
        yield Hit(document.place("document"), "xsl:stylesheet", "ClinicalDocument")


RULES: tuple[Rule[CdaDocument], ...] = (
    conformance_declared,
    model_declared,
    code_in_its_set,
    code_under_its_system,
    label_of_the_code,
    header_complete,
    possible_time,
    precise_time,
    confidentiality,
    one_confidentiality,
    language,
    version_number,
    version_and_replacement,
    id_is_not_the_set,
    id_form,
    *rules_actors.RULES,
    body_media_type,
    body_readable,
    body_is_pdfa,
    body_is_passive,
    realm,
    facility_identified,
    style_sheet_not_run,
)
