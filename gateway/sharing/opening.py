"""Open one request of the DMP door: bytes in, frozen values out. Runs in a worker process when the body is large.

Steps, each stopping at the first that fails: MIME parts, XML, envelope, VIHF and its signature, then the body. What could
not be opened is in `issues`, under the rule that explains it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from lxml import etree

from gateway.documents.model import Issue
from gateway.documents.xml import parse_xml
from gateway.rules.model import Hit
from gateway.sandbox.model import Limits, SignatureMode
from gateway.sharing.constants import ENDPOINT_ACTION, XDS
from gateway.sharing.lot import Lot, open_lot
from gateway.sharing.mtom import Multipart, MultipartError, Part, content_type_of, read_multipart
from gateway.sharing.registry import StoredQuery, read_query
from gateway.sharing.rights import Operation
from gateway.sharing.td02 import Td02Query, read_td02
from gateway.sharing.vihf import Vihf, read_vihf
from gateway.soap.assertion import SealFault, SealReport, verify_assertion
from gateway.soap.certificates import ChainFault, TrustStore, judge_chain
from gateway.soap.envelope import Envelope, OpenEnvelope, open_envelope
from gateway.soap.names import qname
from gateway.values import PlaceKind, Where

HTTP_PLACE = Where(PlaceKind.HTTP, "Content-Type")
ROOT_PLACE = Where(PlaceKind.XPATH, "/Envelope")
ACTION_PLACE = Where(PlaceKind.XPATH, "/Envelope/Header/Action")
BODY_PLACE = Where(PlaceKind.XPATH, "/Envelope/Body")

SOAP_TYPE = "application/soap+xml"
NO_SEAL = SealReport(SealFault.NO_VIHF)


class Endpoint(StrEnum):
    """The endpoints played, as named in the URL."""

    REPOSITORY = "repository"
    PATIENTS = "patients"
    REGISTRY = "registry"


@dataclass(frozen=True, slots=True)
class OpenSettings:
    """How strictly to open, whom to believe, and what time it really is."""

    limits: Limits
    trust: TrustStore
    now: datetime
    lot_signature: SignatureMode
    lenient: bool = False


@dataclass(frozen=True, slots=True)
class OpenedRequest:
    """One request. `vihf` is there only when its signature is right; `told` is the VIHF as claimed, for the journal only.

    `lot_chain` and `vihf_chain` say whether the signer's certificate is trusted.
    """

    endpoint: Endpoint
    issues: tuple[Issue, ...] = ()
    envelope: Envelope | None = None
    seal: SealReport = NO_SEAL
    vihf_chain: ChainFault = ChainFault.NONE
    vihf: Vihf | None = None
    told: Vihf | None = None
    lot: Lot | None = None
    lot_chain: ChainFault = ChainFault.NONE
    query: StoredQuery | None = None
    td02: Td02Query | None = None
    tolerated: tuple[str, ...] = ()

    @property
    def message_id(self) -> str:
        """wsa:MessageID, '' when unknown."""
        return self.envelope.message_id if self.envelope else ""

    @property
    def operation(self) -> Operation:
        """What is asked for, as the rights matrix names it."""
        if self.endpoint is Endpoint.REPOSITORY:
            return Operation.DEPOSIT
        if self.endpoint is Endpoint.PATIENTS:
            return Operation.EXISTENCE
        return Operation.REFERENCE if self.query is not None and self.query.by_reference else Operation.SEARCH

    @property
    def kind(self) -> str:
        """The kind of message, for the journal."""
        return {"repository": "iti-41", "patients": "td0.2", "registry": "iti-18"}[self.endpoint.value]


def open_request(body: bytes, content_type: str, endpoint: Endpoint, settings: OpenSettings) -> OpenedRequest:
    """Open a request. Never raises."""
    multipart, issue = _parts(body, content_type, endpoint, settings)
    if multipart is None:
        return OpenedRequest(endpoint, (issue,) if issue else ())
    root, issue = parse_xml(multipart.root.content, settings.limits, ROOT_PLACE, keep_comments=True)
    if root is None:
        return OpenedRequest(endpoint, (_not_xml(issue),) if issue else ())
    opened = open_envelope(root)
    request = OpenedRequest(endpoint, envelope=opened.facts, tolerated=multipart.lenient)
    issues = _envelope_issues(opened.facts, endpoint, settings)
    if issues:
        return replace(request, issues=issues)
    seal = verify_assertion(opened.header)
    told = read_vihf(seal.signed, settings.limits) if seal.signed else None
    request = replace(request, seal=replace(seal, signed=b""), told=told)
    if seal.fault is SealFault.NONE:
        chain = judge_chain(seal.certificates[0], seal.certificates[1:], settings.trust, settings.now)
        request = replace(request, vihf=told, vihf_chain=chain)
    etree.strip_elements(root, etree.Comment, with_tail=False)  # a comment must not cut a value in two
    return _body(request, opened, multipart, settings)


def _parts(
    body: bytes, content_type: str, endpoint: Endpoint, settings: OpenSettings
) -> tuple[Multipart | None, Issue | None]:
    media, params = content_type_of(content_type)
    if endpoint is not Endpoint.REPOSITORY and media == SOAP_TYPE:
        return Multipart(Part("", media, body), {}), None
    if media == "multipart/related" and params.get("type", "application/xop+xml").lower() == "application/xop+xml":
        try:
            return read_multipart(content_type, body, lenient=settings.lenient), None
        except MultipartError as error:
            place = Where(PlaceKind.MIME, "multipart/related")
            return None, Issue("DMP-06", Hit(place, error.received, error.expected))
    mtom = 'multipart/related; type="application/xop+xml"'
    expected = mtom if endpoint is Endpoint.REPOSITORY else SOAP_TYPE
    return None, Issue("DMP-05", Hit(HTTP_PLACE, content_type[:120] or "∅", expected))


def _not_xml(issue: Issue) -> Issue:
    """Hostile XML keeps its own rule; what is merely not well-formed is the envelope's rule here."""
    return Issue("DMP-07", issue.hit) if issue.rule_id == "CDA-01" else issue


def _envelope_issues(facts: Envelope, endpoint: Endpoint, settings: OpenSettings) -> tuple[Issue, ...]:
    expected = ENDPOINT_ACTION[endpoint.value]
    if facts.version != "1.2" and not (facts.version == "1.1" and settings.lenient):
        return (Issue("DMP-08", Hit(ROOT_PLACE, facts.version or "∅", "SOAP 1.2")),)
    issues: list[Issue] = []
    if facts.not_understood:
        place = Where(PlaceKind.XPATH, "/Envelope/Header")
        issues.append(Issue("DMP-09", Hit(place, ", ".join(facts.not_understood)[:200], "wsa:*, wsse:Security")))
    if facts.action != expected:
        issues.append(Issue("DMP-10", Hit(ACTION_PLACE, facts.action[:200] or "∅", expected)))
    return tuple(issues)


_WANTED: Mapping[Endpoint, str] = {
    Endpoint.REPOSITORY: "ProvideAndRegisterDocumentSetRequest",
    Endpoint.PATIENTS: "PRPA_IN201307UV02",
    Endpoint.REGISTRY: "AdhocQueryRequest",
}


def _body(request: OpenedRequest, opened: OpenEnvelope, multipart: Multipart, settings: OpenSettings) -> OpenedRequest:
    body = opened.body
    if body is not None and request.endpoint is Endpoint.REPOSITORY:
        if body.tag == qname(XDS, "ProvideAndRegisterDocumentSetRequest"):
            return _with_lot(request, body, multipart, settings)
    elif body is not None and request.endpoint is Endpoint.REGISTRY:
        query = read_query(body)
        if query is not None:
            return replace(request, query=query)
    elif body is not None:
        td02 = read_td02(body)
        if td02 is not None:
            return replace(request, td02=td02)
    received = request.envelope.body_name if request.envelope else ""
    issue = Issue("DMP-90", Hit(BODY_PLACE, received or "∅", _WANTED[request.endpoint]))
    return replace(request, issues=(*request.issues, issue))


def _with_lot(
    request: OpenedRequest, body: etree._Element, multipart: Multipart, settings: OpenSettings
) -> OpenedRequest:
    verify = settings.lot_signature is not SignatureMode.OFF
    lot = open_lot(body, multipart, settings.limits, lenient=settings.lenient, verify=verify)
    if lot.seal is None or not lot.seal.certificates:
        return replace(request, lot=lot)
    chain = judge_chain(lot.seal.certificates[0], lot.seal.certificates[1:], settings.trust, settings.now)
    return replace(request, lot=lot, lot_chain=chain)
