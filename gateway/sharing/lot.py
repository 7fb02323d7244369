"""A lot of submission (ITI-41): its metadata paired with its documents, digests computed, its seal verified.

The repository computes hash and size itself, over the octets received; what the metadata declare is only compared.
Source: IHE ITI TF-2 3.41; GIE SESAM-Vitale samples v02.05.00.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from gateway.documents.model import CdaDocument, Code, DocumentEntry, XdsMetadata
from gateway.documents.open_cda import open_cda
from gateway.documents.open_metadata import metadata_from_element
from gateway.sandbox.model import Limits
from gateway.sharing.constants import MASKED_PS, RIM, SIGNATURE_FORMAT, XDS, XOP
from gateway.sharing.mtom import Multipart
from gateway.sharing.xades import LotSealReport, verify_lot
from gateway.soap.names import qname
from gateway.values import PlaceKind, Where

SIGNATURE_CLASS = "urn:oid:1.3.6.1.4.1.19376.1.2.1.1.1"
CDA_TYPES = ("text/xml", "application/xml", "application/xslt+xml", "application/hl7-sda+xml")


@dataclass(frozen=True, slots=True)
class LotDocument:
    """One entry with its octets. `cda` is None for the signature and for what is no XML document."""

    entry: DocumentEntry
    content: bytes
    sha1: str
    sha256: str
    extrinsic: str  # the ExtrinsicObject as sent, for the registry's answers
    cda: CdaDocument | None = None

    @property
    def size_bytes(self) -> int:
        """Octets received."""
        return len(self.content)

    @property
    def unique_id(self) -> str:
        """DocumentEntry.uniqueId, '' when absent."""
        return self.entry.unique_id.value if self.entry.unique_id else ""

    @property
    def masked(self) -> bool:
        """Hidden from professionals."""
        return any(c.code == MASKED_PS for c in self.entry.confidentiality)


@dataclass(frozen=True, slots=True)
class Lot:
    """Everything one ITI-41 brought. Ids are those of the ExtrinsicObjects and of `Document/@id`.

    `missing`: entries whose octets are absent; `orphans`: octets without entry; `inline`: octets not sent as a MIME part;
    `other_case`: ids that match only when case is folded (as in the official sample).
    """

    metadata: XdsMetadata
    documents: tuple[LotDocument, ...]
    missing: tuple[str, ...] = ()
    orphans: tuple[str, ...] = ()
    inline: tuple[str, ...] = ()
    other_case: tuple[str, ...] = ()
    seal: LotSealReport | None = None
    set_xml: str = field(default="", repr=False)

    @property
    def signature(self) -> LotDocument | None:
        """The signature document of the lot."""
        return next((d for d in self.documents if is_signature(d.entry)), None)

    @property
    def clinical(self) -> tuple[LotDocument, ...]:
        """The documents that are not the signature."""
        return tuple(d for d in self.documents if not is_signature(d.entry))

    @property
    def set_unique_id(self) -> str:
        """SubmissionSet.uniqueId, '' when absent."""
        found = self.metadata.submission_set
        return found.unique_id.value if found and found.unique_id else ""

    @property
    def patient_ids(self) -> tuple[str, ...]:
        """patientId of the set, then of each entry that has one."""
        told = [self.metadata.submission_set.patient_id] if self.metadata.submission_set else []
        told += [entry.patient_id for entry in self.metadata.entries]
        return tuple(one.value for one in told if one is not None)

    @property
    def replaced(self) -> tuple[tuple[str, str], ...]:
        """(new entry id, target as written) of each RPLC association."""
        return tuple((a.source, a.target) for a in self.metadata.associations if a.kind == "RPLC")


def is_signature(entry: DocumentEntry) -> bool:
    """The entry describes the lot's own signature."""
    return (entry.format_code is not None and entry.format_code.code == SIGNATURE_FORMAT) or (
        entry.class_code is not None and entry.class_code.code == SIGNATURE_CLASS
    )


def open_lot(body: etree._Element, multipart: Multipart, limits: Limits, *, lenient: bool, verify: bool) -> Lot:
    """Pair what a ProvideAndRegisterDocumentSetRequest holds. Never raises: what does not pair is listed."""
    metadata = metadata_from_element(body, "metadata", Where(PlaceKind.XPATH, "/Envelope/Body"))
    objects = {str(o.get("id", "")): o for o in body.iter(qname(RIM, "ExtrinsicObject"))}
    octets, inline = _octets(body, multipart)
    other_case: list[str] = []
    documents: list[LotDocument] = []
    missing: list[str] = []
    for entry in metadata.entries:
        key = entry.entry_id
        if key not in octets:
            folded = next((i for i in octets if i.casefold() == key.casefold()), None)
            if folded is not None:
                other_case.append(folded)
                key = folded if lenient else key
        content = octets.pop(key, None)
        if content is None:
            missing.append(entry.entry_id)
            continue
        documents.append(_document(entry, content, objects.get(entry.entry_id), limits))
    package = next(body.iter(qname(RIM, "RegistryPackage")), None)
    lot = Lot(
        metadata=metadata,
        documents=tuple(documents),
        missing=tuple(missing),
        orphans=tuple(i for i in octets if not (other_case and i in other_case)),
        inline=inline,
        other_case=tuple(other_case),
        set_xml=_text_of(package),
    )
    if not verify or lot.signature is None:
        return lot
    signed = {d.unique_id: d.content for d in lot.clinical}
    seal = verify_lot(lot.signature.content, lot.set_unique_id, signed, limits)
    return Lot(
        lot.metadata, lot.documents, lot.missing, lot.orphans, lot.inline, lot.other_case, seal, set_xml=lot.set_xml
    )


def _octets(body: etree._Element, multipart: Multipart) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """The octets of each `Document`, by its id, and the ids of those that are not MIME parts. A part not found is left out."""
    found: dict[str, bytes] = {}
    inline: list[str] = []
    for document in body.iterchildren(qname(XDS, "Document")):
        identifier = document.get("id", "")
        include = document.find(qname(XOP, "Include"))
        if include is not None:
            part = multipart.by_cid(include.get("href", ""))
            if part is not None:
                found[identifier] = part.content
            continue
        try:
            found[identifier] = base64.b64decode("".join((document.text or "").split()), validate=True)
        except (binascii.Error, ValueError):
            continue
        inline.append(identifier)
    return found, tuple(inline)


def _document(entry: DocumentEntry, content: bytes, extrinsic: etree._Element | None, limits: Limits) -> LotDocument:
    cda: CdaDocument | None = None
    if not is_signature(entry) and entry.mime_type.lower() in CDA_TYPES:
        place = Where(PlaceKind.MIME, f"Document[@id='{entry.entry_id}']")
        cda = open_cda(content, f"cda:{entry.entry_id}", place, limits)
    return LotDocument(
        entry=entry,
        content=content,
        sha1=cda.sha1 if cda else hashlib.sha1(content, usedforsecurity=False).hexdigest(),
        sha256=hashlib.sha256(content).hexdigest(),
        extrinsic=_text_of(extrinsic),
        cda=cda,
    )


def _text_of(element: etree._Element | None) -> str:
    return etree.tostring(element, encoding="unicode", with_tail=False) if element is not None else ""


def entry_facts(document: LotDocument) -> dict[str, Any]:
    """The JSON of an entry as registered: what queries filter on, and the ExtrinsicObject to answer with."""
    entry = document.entry
    return {
        "extrinsic": document.extrinsic,
        "hash": document.sha1,
        "size": document.size_bytes,
        "patient_id": entry.patient_id.value if entry.patient_id else "",
        "mime_type": entry.mime_type,
        "title": entry.title,
        "type_code": _coded(entry.type_code),
        "class_code": _coded(entry.class_code),
        "format_code": _coded(entry.format_code),
        "practice_setting": _coded(entry.practice_setting),
        "facility_type": _coded(entry.facility_type),
        "confidentiality": [_coded(c) for c in entry.confidentiality],
        "event_codes": [_coded(c) for c in entry.event_codes],
        "creation_time": entry.creation_time,
        "service_start": entry.service_start,
        "service_stop": entry.service_stop,
        "authors": [f"{a.person_id}^{a.family}^{a.given}" for a in entry.authors],
        "structures": [a.structure_id for a in entry.authors if a.structure_id],
        "signature": is_signature(entry),
    }


def set_facts(lot: Lot) -> dict[str, Any]:
    """The JSON of a submission set as registered."""
    found = lot.metadata.submission_set
    return {
        "registry_package": lot.set_xml,
        "title": found.title if found else "",
        "submission_time": found.submission_time if found else "",
        "content_type": _coded(found.content_type) if found else "",
        "associations": [{"kind": a.kind, "source": a.source, "target": a.target} for a in lot.metadata.associations],
    }


def author_ids(entry: DocumentEntry) -> tuple[str, ...]:
    """Everyone who may later act as an author: persons and structures, each once."""
    told = [i for a in entry.authors for i in (a.person_id, a.structure_id) if i]
    if entry.legal_authenticator is not None and entry.legal_authenticator.person_id:
        told.append(entry.legal_authenticator.person_id)
    return tuple(dict.fromkeys(told))


def _coded(code: Code | None) -> str:
    return f"{code.code}^^{code.system}" if code is not None else ""
