"""Rules on a lot: what it lacks, what contradicts, what the registry already holds, and its signature."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from gateway.rules.model import ComparedValue, Hit, RuleContext, Severity, rule
from gateway.sandbox.model import SignatureMode
from gateway.sharing.case import Case, masked_cx
from gateway.sharing.constants import HIDDEN_PATIENT, MASKED_PS, MODE_DIRECT
from gateway.sharing.lot import Lot, LotDocument, author_ids
from gateway.sharing.registry_answer import bare
from gateway.sharing.xades import LotSealFault, LotSealReport
from gateway.soap.certificates import ChainFault, holder_of
from gateway.values import PlaceKind, Text, Where, in_lang

LOT = Where(PlaceKind.XPATH, "/Envelope/Body/ProvideAndRegisterDocumentSetRequest")
_OID = re.compile(r"^[0-2](?:\.(?:0|[1-9]\d*))+$")
_UUID = re.compile(r"^(?:urn:uuid:)?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$", re.IGNORECASE)


def _document_place(identifier: str) -> Where:
    return LOT / f"Document[@id='{identifier[:60]}']"


@rule("DMP-61")
def depositor_is_author(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """Who deposits is an author of each document. Source: EX_2.1-1140; DMP text `Aucun AuthorInstitution ne correspond`.

    Direct: NameID is an authorPerson or the legalAuthenticator. Otherwise: the structure is an authorInstitution.
    """
    vihf, lot = case.request.vihf, case.request.lot
    if vihf is None or lot is None:
        return
    direct = vihf.mode == MODE_DIRECT
    wanted = vihf.name_id if direct else vihf.structure_id
    for document in lot.clinical:
        authors = author_ids(document.entry)
        if wanted not in authors:
            received = ", ".join(authors)[:160] or "∅"
            yield Hit(document.entry.where, received, wanted, container=document.entry.label)


@rule("DMP-13")
def sent_as_parts(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """Documents travel as MTOM parts. Source: EX_2.1-1260."""
    for identifier in _lot(case).inline:
        yield Hit(_document_place(identifier), "base64", "xop:Include")


@rule("DMP-14")
def same_case(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """Document/@id equals ExtrinsicObject/@id, letter for letter. Source: IHE ITI TF-2 3.41; the official sample differs."""
    severity = Severity.WARNING if ctx.profile != "strict" else None
    for identifier in _lot(case).other_case:
        yield Hit(_document_place(identifier), identifier[:60], "ExtrinsicObject/@id", severity=severity)


@rule("DMP-62")
def every_entry_has_its_octets(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """Each DocumentEntry comes with its document. Source: IHE ITI TF-3 4.2.4.1, XDSMissingDocument."""
    for identifier in _lot(case).missing:
        yield Hit(_document_place(identifier), "∅", f"Document[@id='{identifier[:60]}'] + xop:Include")


@rule("DMP-63")
def every_document_has_an_entry(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """Each document comes with its DocumentEntry. Source: IHE ITI TF-3 4.2.4.1, XDSMissingDocumentMetadata."""
    for identifier in _lot(case).orphans:
        yield Hit(_document_place(identifier), identifier[:60] or "∅", "ExtrinsicObject")


@rule("DMP-64")
def hash_right(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """A hash that is sent must be the SHA-1 of the octets received."""
    for document in _lot(case).documents:
        declared = document.entry.hash_sha1
        if declared is not None and declared.value.strip().lower() != document.sha1:
            yield Hit(declared.where, declared.value[:60], document.sha1, container=document.entry.label)


@rule("DMP-65")
def size_right(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """A size that is sent must be the number of octets received."""
    for document in _lot(case).documents:
        declared = document.entry.size
        if declared is not None and declared.value.strip() != str(document.size_bytes):
            yield Hit(declared.where, declared.value[:20], str(document.size_bytes), container=document.entry.label)


@rule("DMP-66")
def unique_in_the_lot(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """No uniqueId occurs twice in a lot. Source: IHE ITI TF-3 4.2.4.1, XDSRepositoryDuplicateUniqueIdInMessage."""
    counted = Counter(e.unique_id.value for e in _lot(case).metadata.entries if e.unique_id)
    for entry in _lot(case).metadata.entries:
        if entry.unique_id is not None and counted.pop(entry.unique_id.value, 0) > 1:
            yield Hit(
                entry.unique_id.where,
                entry.unique_id.value[:80],
                Text("1 fiche par uniqueId", "1 entry for each uniqueId"),
                container=entry.label,
            )


@rule("DMP-67")
def not_yet_registered(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """A document is deposited once. Source: IHE ITI TF-3 4.2.4.1, XDSDuplicateUniqueIdInRegistry."""
    for document in _lot(case).documents:
        known = case.by_unique_id.get(document.unique_id)
        if known is not None and known.sha256 == document.sha256:
            yield Hit(_unique_place(document), document.unique_id, _NEW, container=document.entry.label)


@rule("DMP-68")
def not_registered_otherwise(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """A uniqueId never names other content. Source: IHE ITI TF-3 4.2.4.1, XDSNonIdenticalHash."""
    for document in _lot(case).documents:
        known = case.by_unique_id.get(document.unique_id)
        if known is not None and known.sha256 != document.sha256:
            yield Hit(_unique_place(document), document.unique_id, _NEW, container=document.entry.label)


@rule("DMP-69")
def patient_has_a_dmp(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """The patient has an open DMP. Source: IHE ITI TF-3 4.2.4.1, XDSUnknownPatientId."""
    vihf = case.request.vihf
    if case.request.lot is None or case.state == "active" or vihf is None:
        return
    found = case.request.lot.metadata.submission_set
    place = found.patient_id.where if found and found.patient_id else LOT
    closed = case.state == "closed"
    state = Text("fermé", "closed") if closed else Text("inexistant", "absent")
    yield Hit(place, masked_cx(vihf.resource_id), Text("DMP ouvert", "open DMP"), params={"state": state})


@rule("DMP-70")
def not_too_large(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """A document stays under the size limit of the workspace (no published figure: 5 MB by default)."""
    limit = case.limits.dmp_document_bytes
    for document in _lot(case).documents:
        if document.size_bytes > limit:
            received = f"{document.size_bytes} octets"
            yield Hit(
                _document_place(document.entry.entry_id), received, f"≤ {limit} octets", container=document.entry.label
            )


@rule("DMP-71")
def replaced_is_known(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """RPLC names the entryUUID of a registered document, never its uniqueId. Source: IHE ITI TF-3 4.2.2.2.3."""
    for source, target in _lot(case).replaced:
        if bare(target) not in case.by_uuid:
            expected = "entryUUID (TD3.1b)" if _UUID.match(target) else "urn:uuid:…"
            yield Hit(_association(source), target[:80] or "∅", expected)


@rule("DMP-72")
def replaced_is_current(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """Only an approved document is replaced. Source: IHE ITI TF-3 4.2.4.1, XDSRegistryDeprecatedDocumentError."""
    for source, target in _lot(case).replaced:
        known = case.by_uuid.get(bare(target))
        if known is not None and known.status != "Approved":
            yield Hit(_association(source), f"{target[:60]} ({known.status})", "Approved")


@rule("DMP-73")
def replaced_by_its_author(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """Only an author, or its structure, replaces. Source: EX_2.1-1140."""
    vihf = case.request.vihf
    for source, target in _lot(case).replaced:
        known = case.by_uuid.get(bare(target))
        if known is None or vihf is None:
            continue
        wanted = vihf.name_id if vihf.mode == MODE_DIRECT else vihf.structure_id
        if wanted not in known.author_ids:
            yield Hit(_association(source), wanted, ", ".join(known.author_ids)[:160])


@rule("DMP-74")
def replaced_for_the_same_patient(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """A replacement stays with its patient."""
    lot = _lot(case)
    wanted = lot.patient_ids[0] if lot.patient_ids else ""
    for source, target in lot.replaced:
        known = case.by_uuid.get(bare(target))
        if known is not None and wanted and _same_patient(known.patient_id) != _same_patient(wanted):
            values = (
                ComparedValue("registre", "patientId", masked_cx(known.patient_id, (wanted,))),
                ComparedValue("metadata", "patientId", masked_cx(wanted, (known.patient_id,))),
            )
            yield Hit(_association(source), values[1].value, values[0].value, values)


@rule("DMP-75")
def unique_id_is_an_oid(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """uniqueId is a bare OID of 64 characters at most; OID^extension is not supported."""
    lot = _lot(case)
    told = [(e.label, e.unique_id) for e in lot.metadata.entries]
    if lot.metadata.submission_set is not None:
        told.append((lot.metadata.label, lot.metadata.submission_set.unique_id))
    for label, unique_id in told:
        if unique_id is not None and not (_OID.match(unique_id.value) and len(unique_id.value) <= 64):
            yield Hit(unique_id.where, unique_id.value[:80] or "∅", "OID (≤ 64)", container=label)


@rule("DMP-76")
def traits_sent(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """Each document's entry tells the patient's traits (sourcePatientInfo); the lot's signature does not. Source: CI-SIS."""
    for document in _lot(case).clinical:
        if not document.entry.source_patient_info:
            yield Hit(document.entry.where, "∅", "sourcePatientInfo", container=document.entry.label)


@rule("DMP-78")
def masks_add_to_n(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """A mask is added to N, never in its place; MASQUE_PS and INVISIBLE_PATIENT exclude each other."""
    for document in _lot(case).clinical:
        codes = [c.code for c in document.entry.confidentiality]
        shown = ", ".join(codes)[:120]
        where, label = document.entry.where, document.entry.label
        if codes and not {"N", "R", "V"} & set(codes):
            yield Hit(where, shown, f"N, {codes[0][:40]}", container=label)
        if MASKED_PS in codes and HIDDEN_PATIENT in codes:
            yield Hit(where, shown, f"{MASKED_PS} | {HIDDEN_PATIENT}", container=label)


@rule("DMP-79")
def not_restricted(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """Restricted and very restricted documents should not be shared."""
    for document in _lot(case).clinical:
        if {"R", "V"} & {c.code for c in document.entry.confidentiality}:
            shown = ", ".join(c.code for c in document.entry.confidentiality)[:120]
            yield Hit(document.entry.where, shown, "N", container=document.entry.label)


@rule("DMP-80")
def no_folder(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """The DMP knows no XDS folder (none was found in public material: choice of this sandbox)."""
    if _lot(case).metadata.folders:
        yield Hit(LOT, f"{_lot(case).metadata.folders} Folder", "0")


@rule("DMP-82")
def lot_is_signed(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """A lot carries its XAdES signature, with `signs` to the set. Absent is a warning, unless the workspace verifies."""
    lot = _lot(case)
    if case.lot_signature is SignatureMode.OFF:
        return
    severity = Severity.BLOCKING if case.lot_signature is SignatureMode.VERIFY else None
    if lot.signature is None:
        yield Hit(LOT, "∅", f"formatCode {_SIGNATURE_FORMAT}", severity=severity)
        return
    source, found = lot.signature.entry.entry_id, lot.metadata.submission_set
    signs = any(a.kind == "signs" and a.source == source for a in lot.metadata.associations)
    if found is not None and not signs:
        yield Hit(lot.signature.entry.where, "∅", f"signs {source} → {found.entry_id}", severity=severity)


_NEW = Text("uniqueId nouveau", "new uniqueId")
_NO_RPLC = Text("relatedDocument sans RPLC", "relatedDocument without RPLC")
_RPLC_ALONE = Text("RPLC sans relatedDocument", "RPLC without relatedDocument")
_SIGNATURE_FORMAT = "http://www.w3.org/2000/09/xmldsig#"


@rule("DMP-83")
def lot_signature_right(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """A lot's signature that is there must be right: shape, digests, certificate, holder."""
    lot = _lot(case)
    if lot.seal is None or lot.signature is None:
        return
    place = Where(PlaceKind.MIME, f"Document[@id='{lot.signature.entry.entry_id}']")
    if lot.seal.fault is not LotSealFault.NONE:
        yield Hit(place, _why(lot.seal), Text("signature XAdES valide", "valid XAdES signature"))
        return
    if case.request.lot_chain is not ChainFault.NONE:
        yield Hit(place, case.request.lot_chain.words, "IGC-Santé ORG_SIGN, CPS")
        return
    holder = holder_of(lot.seal.certificates[0])
    if holder is None or not holder.may_sign:
        yield Hit(place, holder.common_name if holder else "?", "keyUsage nonRepudiation")
        return
    seal = holder_of(case.request.seal.certificates[0]) if case.request.seal.certificates else None
    if seal is not None and seal.dn != holder.dn:
        yield Hit(place, holder.dn[:160], seal.dn[:160])


def _why(seal: LotSealReport) -> Text:
    words = seal.fault.words
    if not seal.detail:
        return words
    return Text(f"{words.fr} ({in_lang(seal.detail, 'fr')[:120]})", f"{words.en} ({in_lang(seal.detail, 'en')[:120]})")


@rule("DMP-84")
def replacement_told_twice(case: Case, ctx: RuleContext) -> Iterator[Hit]:
    """RPLC in the lot and relatedDocument in the CDA say the same."""
    lot = _lot(case)
    replacing = {source for source, _ in lot.replaced}
    for document in lot.clinical:
        if document.cda is None or document.cda.issues:
            continue
        entry_id = document.entry.entry_id
        if bool(document.cda.replaces) != (entry_id in replacing):
            received = _NO_RPLC if document.cda.replaces else _RPLC_ALONE
            yield Hit(document.entry.where, received, "RPLC + relatedDocument", container=document.entry.label)


def _lot(case: Case) -> Lot:
    lot = case.request.lot
    assert lot is not None  # noqa: S101  # LOT_RULES only judge requests whose lot was opened
    return lot


def _unique_place(document: LotDocument) -> Where:
    return document.entry.unique_id.where if document.entry.unique_id else document.entry.where


def _association(source: str) -> Where:
    return LOT / f"Association[@sourceObject='{source[:60]}']"


def _same_patient(cx: str) -> str:
    """A patientId without the date that official samples append after NH."""
    return re.sub(r"\^\^\d{8}$", "", cx.strip())


AUTHOR_RULES = (depositor_is_author,)
LOT_RULES = (
    sent_as_parts,
    same_case,
    every_entry_has_its_octets,
    every_document_has_an_entry,
    traits_sent,
    unique_id_is_an_oid,
    unique_in_the_lot,
    no_folder,
    masks_add_to_n,
    not_restricted,
    not_too_large,
    hash_right,
    size_right,
    lot_is_signed,
    lot_signature_right,
    replacement_told_twice,
)
REGISTRY_RULES = (
    patient_has_a_dmp,
    not_yet_registered,
    not_registered_otherwise,
    replaced_is_known,
    replaced_is_current,
    replaced_by_its_author,
    replaced_for_the_same_patient,
)
