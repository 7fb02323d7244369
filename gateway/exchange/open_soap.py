"""A SOAP message kept as a file: a deposit, a query, a test of existence, an INSi call, or an answer to one of them.

A file has no door: nobody's certificate, no clock, no trust. The VIHF is read as it claims, its signature is not judged, and
the rights of the caller are not either. What remains is what every container says of the patient, the metadata and
documents and, in a whole MIME message, whether the lot agrees with its parts. The root part alone (XML) opens as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from lxml import etree

from gateway.documents.model import CdaDocument, Issue, XdsMetadata
from gateway.documents.open_cda import open_cda
from gateway.documents.open_metadata import metadata_from_element
from gateway.documents.open_patient import parse_cx
from gateway.documents.xml import local, parse_xml
from gateway.exchange.open_insi import insi_file
from gateway.identity.model import ContainerKind, IdentityView, PatientIdentifier
from gateway.rules.model import Hit, RuleContext
from gateway.sandbox.model import Limits
from gateway.sharing.case import Case
from gateway.sharing.lot import Lot, is_signature, open_lot
from gateway.sharing.mtom import Multipart, MultipartError, Part, read_multipart
from gateway.sharing.opening import Endpoint, OpenedRequest
from gateway.sharing.registry import PATIENT, StoredQuery, read_query
from gateway.sharing.rules_lot import (
    every_document_has_an_entry,
    every_entry_has_its_octets,
    hash_right,
    lot_is_signed,
    size_right,
    unique_in_the_lot,
)
from gateway.sharing.td02 import read_td02
from gateway.sharing.vihf import read_vihf
from gateway.soap.certificates import Peer
from gateway.soap.envelope import open_envelope
from gateway.soap.names import SAML, qname
from gateway.values import Direction, Door, PlaceKind, Text, Where

_BODY = Where(PlaceKind.XPATH, "/Envelope/Body")
_HEADERS = re.compile(rb"\A(?:[!-9;-~]{1,80}:[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*\r?\n)+\r?\n")
_CONTENT_TYPE = re.compile(rb"(?im)^content-type:[ \t]*([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)")
_BOUNDARY = re.compile(rb"\A\s*--([^\r\n]{1,70})\r?\n")
_HINT = b"ClinicalDocument"
_NO_TIME = datetime(2000, 1, 1, tzinfo=UTC)  # no rule run here looks at the time
_CONTEXT = RuleContext(Direction.EMISSION, Door.FILE, date(2000, 1, 1))
_LOT_RULES = (
    every_entry_has_its_octets,
    every_document_has_an_entry,
    unique_in_the_lot,
    hash_right,
    size_right,
    lot_is_signed,
)

# Answers that carry no patient: told by their kind alone.
_PLAIN = {
    "RegistryResponse": "registry-response",
    "Fault": "soap-fault",
    "PRPA_IN201308UV02": "td0.2-answer",
    "RetrieveDocumentSetRequest": "iti-43",
    "setAuthorization": "td0.3",
    "setAuthorizationResponse": "td0.3-answer",
}
_EXPECTED = (
    "ProvideAndRegisterDocumentSetRequest, SubmitObjectsRequest, AdhocQueryRequest, RetrieveDocumentSetResponse, "
    "PRPA_IN201307UV02, RECSANSVITALE, RECVITALE, RESULTAT"
)


@dataclass(frozen=True, slots=True)
class SoapFile:
    """One SOAP file opened. `kind` is what its body is: iti-41, iti-18, iti-43, td0.2, insi-request, soap…"""

    kind: str
    views: tuple[IdentityView, ...] = ()
    metadata: tuple[XdsMetadata, ...] = ()
    documents: tuple[CdaDocument, ...] = ()
    issues: tuple[Issue, ...] = ()


def open_soap(raw: bytes, where: Where, limits: Limits) -> SoapFile:
    """Open a file whose root is a SOAP envelope, a VIHF or a body of INSi alone. Never raises."""
    multipart, issue = _parts(raw)
    if multipart is None:
        return SoapFile("soap", issues=(issue,) if issue else ())
    root, issue = parse_xml(multipart.root.content, limits, where)
    if root is None:
        return SoapFile("soap", issues=(issue,) if issue else ())
    if root.tag == qname(SAML, "Assertion"):
        return SoapFile("vihf", _vihf_view(root, limits))
    bare = insi_file(root)
    if bare is not None:
        return SoapFile(bare[0], bare[1], issues=bare[2])
    opened = open_envelope(root)
    if opened.body is None:
        count = opened.facts.body_count
        received = opened.facts.body_name or Text(f"{count} éléments", f"{count} elements")
        return SoapFile("soap", issues=(Issue("DMP-90", Hit(_BODY, received, _EXPECTED)),))
    claimed = _vihf_view(opened.header, limits)
    found = _body(opened.body, multipart, limits)
    return SoapFile(found.kind, (*claimed, *found.views), found.metadata, found.documents, found.issues)


def _parts(raw: bytes) -> tuple[Multipart | None, Issue | None]:
    if raw[:200].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00").startswith(b"<"):
        return Multipart(Part("", "application/soap+xml", raw), {}), None
    headers = _HEADERS.match(raw)
    written, body = "", raw
    if headers is not None:
        told = _CONTENT_TYPE.search(headers.group())
        written = " ".join(told[1].decode("latin-1").split()) if told is not None else ""
        body = raw[headers.end() :]
    if not written:
        boundary = _BOUNDARY.match(raw)
        written = f'multipart/related; boundary="{boundary[1].decode("latin-1")}"' if boundary is not None else ""
    try:
        return read_multipart(written, body.lstrip(b"\r\n"), lenient=True), None
    except MultipartError as error:
        place = Where(PlaceKind.MIME, "multipart/related")
        return None, Issue("DMP-06", Hit(place, error.received, error.expected))


def _vihf_view(header: etree._Element | None, limits: Limits) -> tuple[IdentityView, ...]:
    """The patient the assertion claims to be about."""
    assertion = next(header.iter(qname(SAML, "Assertion")), None) if header is not None else None
    if assertion is None:
        return ()
    vihf = read_vihf(etree.tostring(assertion, with_tail=False), limits)
    view = vihf.view() if vihf is not None else None
    return (view,) if view is not None else ()


def _body(body: etree._Element, multipart: Multipart, limits: Limits) -> SoapFile:
    name = local(body)
    if name == "ProvideAndRegisterDocumentSetRequest":
        return _deposit(body, multipart, limits)
    if name == "SubmitObjectsRequest":
        metadata = metadata_from_element(body, "metadata", _BODY)
        return SoapFile("iti-57", _metadata_views(metadata), issues=metadata.issues)  # an update, not a whole lot
    if name == "AdhocQueryRequest":
        query = read_query(body)
        return _query(query) if query is not None else _unknown(name)
    if name == "AdhocQueryResponse":
        return SoapFile("iti-18-answer", _answer_views(body))
    if name == "RetrieveDocumentSetResponse":
        documents = tuple(_retrieved(multipart, limits))
        return SoapFile("iti-43-answer", tuple(d.identity for d in documents if d.identity), (), documents)
    td02 = read_td02(body)
    if td02 is not None:
        return SoapFile("td0.2", (td02.view(),))
    insi = insi_file(body)
    if insi is not None:
        return SoapFile(insi[0], insi[1], issues=insi[2])
    return SoapFile(_PLAIN[name]) if name in _PLAIN else _unknown(name)


def _unknown(name: str) -> SoapFile:
    return SoapFile("soap", issues=(Issue("DMP-90", Hit(_BODY, name[:80], _EXPECTED)),))


def _deposit(body: etree._Element, multipart: Multipart, limits: Limits) -> SoapFile:
    lot = open_lot(body, multipart, limits, lenient=True, verify=False)
    documents = tuple(d.cda for d in lot.clinical if d.cda is not None)
    told = [lot.metadata.submission_set.identity] if lot.metadata.submission_set else []
    told += [entry.identity for entry in lot.metadata.entries if not is_signature(entry)]
    told += [document.identity for document in documents]
    issues = tuple(_lot_issues(lot, limits)) if multipart.parts else ()
    return SoapFile("iti-41", tuple(v for v in told if v is not None), (lot.metadata,), documents, issues)


def _lot_issues(lot: Lot, limits: Limits) -> Iterator[Issue]:
    """What the lot itself belies, with nobody at the door and an empty registry."""
    request = OpenedRequest(Endpoint.REPOSITORY, lot=lot)
    case = Case(request, Peer(presented=False), _NO_TIME, limits)
    for told in _LOT_RULES:
        yield from (Issue(told.id, hit) for hit in told.check(case, _CONTEXT))


def _metadata_views(metadata: XdsMetadata) -> tuple[IdentityView, ...]:
    told = [metadata.submission_set.identity] if metadata.submission_set else []
    told += [entry.identity for entry in metadata.entries]
    return tuple(view for view in told if view is not None)


def _query(query: StoredQuery) -> SoapFile:
    written = query.one(PATIENT)
    if not written:
        return SoapFile("iti-18", issues=query.issues)
    value, oid, kind = parse_cx(written)
    place = Where(PlaceKind.XPATH, f"{_BODY.path}/AdhocQueryRequest/AdhocQuery/Slot[@name='{PATIENT}']")
    identifier = PatientIdentifier(value, oid, place, kind, written=written)
    view = IdentityView(ContainerKind.XDM, "query", place, (identifier,), ins_expected=True)
    return SoapFile("iti-18", (view,), issues=query.issues)


def _answer_views(body: etree._Element) -> tuple[IdentityView, ...]:
    """The patient of each entry a registry answers with. The list is read as that of a submission without its set."""
    objects = next((c for c in body if local(c) == "RegistryObjectList"), None)
    if objects is None:
        return ()
    holder = etree.Element("SubmitObjectsRequest")
    holder.append(objects)
    return tuple(e.identity for e in metadata_from_element(holder, "metadata", _BODY).entries if e.identity is not None)


def _retrieved(multipart: Multipart, limits: Limits) -> list[CdaDocument]:
    found = []
    for number, part in enumerate(multipart.parts.values(), 1):
        if _HINT in part.content[:65536].replace(b"\x00", b""):
            label = f"cda:{part.content_id[:60] or number}"
            found.append(
                open_cda(part.content, label, Where(PlaceKind.MIME, part.content_id[:60] or str(number)), limits)
            )
    return found
