"""Metadata against the document they describe: what is written twice must be the same.

Subject: a pair (DocumentEntry, CdaDocument). In a package these are warnings (the document decides); a registry that
deposits by metadata makes them blocking by an override. The patient is not compared here: the cross rules of identity
say it (INS-132, INS-150 to 156), once.

Source: CI-SIS (correspondence of the header and the XDS metadata); 110 of the 110 ANS packages agree on the times,
identifiers and codes compared here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.documents.model import Actor, CdaDocument, Code, DocumentEntry
from gateway.documents.rules_codes import format_by_template
from gateway.documents.rules_times import same_instant
from gateway.rules import ComparedValue, Hit, Rule, RuleContext, rule
from gateway.values import Where

Pair = tuple[DocumentEntry, CdaDocument]


def _differ(pair: Pair, where: Where, in_metadata: str, in_cda: str, name: str) -> Hit:
    """One value written two ways, shown side by side."""
    entry, document = pair
    return Hit(
        where=where,
        received=in_metadata or "∅",
        expected=in_cda or "∅",
        values=(
            ComparedValue(entry.label, entry.where.path, in_metadata or "∅"),
            ComparedValue(document.label, where.path, in_cda or "∅"),
        ),
        params={"name": name},
        container=entry.label,
    )


@rule("XDM-09")
def identifier_and_type(pair: Pair, ctx: RuleContext) -> Iterable[Hit]:
    """uniqueId is ClinicalDocument/id, typeCode is ClinicalDocument/code."""
    entry, document = pair
    told, identifier = entry.unique_id, document.document_id
    if told is not None and identifier is not None and told.value.lower() != identifier.value.lower():
        yield _differ(pair, identifier.where, told.value, identifier.value, "uniqueId")
    yield from _codes(pair, "typeCode", entry.type_code, document.code, document.place("code"))


@rule("DOC-META-01")
def title(pair: Pair, ctx: RuleContext) -> Iterable[Hit]:
    """The title of the entry is that of the document, letter for letter."""
    entry, document = pair
    told = document.title
    if told is not None and entry.title and " ".join(entry.title.split()) != " ".join(told.value.split()):
        yield _differ(pair, told.where, entry.title, told.value, "title")


@rule("DOC-META-02")
def times(pair: Pair, ctx: RuleContext) -> Iterable[Hit]:
    """creationTime and the service times are those of the document, in UTC."""
    entry, document = pair
    for name, in_metadata, in_cda in (
        ("creationTime", entry.creation_time, document.effective_time),
        ("serviceStartTime", entry.service_start, document.service_start),
        ("serviceStopTime", entry.service_stop, document.service_stop),
    ):
        if in_metadata and in_cda is not None and same_instant(in_cda.value, in_metadata) is False:
            yield _differ(pair, in_cda.where, in_metadata, in_cda.value, name)


@rule("DOC-META-03")
def language(pair: Pair, ctx: RuleContext) -> Iterable[Hit]:
    """languageCode is that of the document."""
    entry, document = pair
    told = document.language
    if told is not None and entry.language and entry.language != told.value:
        yield _differ(pair, told.where, entry.language, told.value, "languageCode")


@rule("DOC-META-04")
def context_codes(pair: Pair, ctx: RuleContext) -> Iterable[Hit]:
    """practiceSettingCode and healthcareFacilityTypeCode are those of the document."""
    entry, document = pair
    where = document.place("practiceSetting")
    yield from _codes(pair, "practiceSettingCode", entry.practice_setting, document.practice_setting, where)
    where = document.place("facility")
    yield from _codes(pair, "healthcareFacilityTypeCode", entry.facility_type, document.facility_type, where)


def _codes(pair: Pair, name: str, in_metadata: Code | None, in_cda: Code | None, where: Where) -> Iterator[Hit]:
    if in_metadata is None or in_cda is None:
        return
    if in_metadata.code != in_cda.code:
        yield _differ(pair, where, in_metadata.code, in_cda.code, name)
    elif in_metadata.system and in_cda.system and in_metadata.system != in_cda.system:
        left, right = f"{in_metadata.code} / {in_metadata.system}", f"{in_cda.code} / {in_cda.system}"
        yield _differ(pair, where, left, right, name)


@rule("DOC-META-05")
def authors(pair: Pair, ctx: RuleContext) -> Iterable[Hit]:
    """The authors of the entry are those of the document, by their national identifiers."""
    entry, document = pair
    in_metadata = [_told(a) for a in entry.authors]
    in_cda = [_told(a) for a in document.authors]
    if in_metadata and in_cda and not set(in_metadata) <= set(in_cda):
        yield _differ(pair, document.place("author"), ", ".join(in_metadata), ", ".join(in_cda), "author")


@rule("DOC-META-06")
def legal_authenticator(pair: Pair, ctx: RuleContext) -> Iterable[Hit]:
    """legalAuthenticator is that of the document."""
    entry, document = pair
    told, signer = entry.legal_authenticator, document.legal_authenticator
    if told is None or signer is None or not told.person_id or not signer.person_id:
        return
    if told.person_id != signer.person_id:
        where = document.place("legalAuthenticator")
        yield _differ(pair, where, _told(told), _told(signer), "legalAuthenticator")


def _told(actor: Actor) -> str:
    """Who an actor is: national identifier, or the name of a device."""
    identifier = actor.person_id
    if len(identifier) == 15:  # a patient author: an INS is never shown
        return f"{identifier[:4]}…"
    return identifier or actor.family


@rule("DOC-META-07")
def confidentiality(pair: Pair, ctx: RuleContext) -> Iterable[Hit]:
    """The confidentialityCode of the document is among those of the entry; masking codes come on top."""
    entry, document = pair
    told = document.confidentiality
    if told is not None and entry.confidentiality and told.code not in {c.code for c in entry.confidentiality}:
        in_metadata = ", ".join(c.code for c in entry.confidentiality)
        yield _differ(pair, document.place("confidentialityCode"), in_metadata, told.code, "confidentialityCode")


@rule("DOC-META-08")
def format_of_the_model(pair: Pair, ctx: RuleContext) -> Iterable[Hit]:
    """formatCode is that of the model the document declares."""
    entry, document = pair
    known = [f for t in document.template_ids for f in format_by_template().get(t, ())]
    if entry.format_code is not None and known and entry.format_code.code not in known:
        yield _differ(pair, document.place("templateId"), entry.format_code.code, " | ".join(known), "formatCode")


@rule("DOC-META-09")
def replacement_announced(pair: Pair, ctx: RuleContext) -> Iterable[Hit]:
    """In a package, a document above version 1 announces the action C (replace), and version 1 does not."""
    entry, document = pair
    version = document.version
    if version is None or not version.value.isdecimal() or entry.uri is None or entry.action == "D":
        return
    if int(version.value[:9]) > 1 and entry.action != "C":
        yield _differ(pair, version.where, entry.action, f"C (versionNumber {version.value})", "action")
    elif int(version.value[:9]) == 1 and entry.action == "C":
        yield _differ(pair, version.where, entry.action, f"∅ (versionNumber {version.value})", "action")


@rule("DOC-META-10")
def acts(pair: Pair, ctx: RuleContext) -> Iterable[Hit]:
    """The acts of the entry (eventCodeList) are acts of the document."""
    entry, document = pair
    in_cda = {c.code for c in document.event_codes}
    missing = [c.code for c in entry.event_codes if c.code not in in_cda]
    if missing and in_cda:
        where = document.place("practiceSetting")
        yield _differ(pair, where, ", ".join(missing), ", ".join(sorted(in_cda)), "eventCodeList")


RULES: tuple[Rule[Pair], ...] = (
    identifier_and_type,
    title,
    times,
    language,
    context_codes,
    authors,
    legal_authenticator,
    confidentiality,
    format_of_the_model,
    replacement_announced,
    acts,
)
