"""Open one call of INSi: bytes in, frozen values out. What could not be opened is in `issues`, under the rule that explains it.

Steps, each stopping at the first that fails: media type, XML, envelope, assertion, body.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lxml import etree

from gateway.documents.model import Issue
from gateway.documents.xml import parse_xml
from gateway.insi.assertion import Claims, read_claims
from gateway.insi.model import Caller, Operation, Query
from gateway.insi.names import BAM, LPS, ROOTS, action_of
from gateway.insi.wire import operation_of, read_caller, read_query
from gateway.rules.model import Hit
from gateway.sandbox.model import Limits
from gateway.soap.assertion import SealFault, SealReport, verify_assertion
from gateway.soap.envelope import Envelope, open_envelope
from gateway.values import PlaceKind, Where

SOAP_TYPE = "application/soap+xml"
NO_SEAL = SealReport(SealFault.NO_VIHF)
NO_CALLER = Caller()

_TYPE_PLACE = Where(PlaceKind.HTTP, "Content-Type")
_ROOT = Where(PlaceKind.XPATH, "/Envelope")
_HEADER = _ROOT / "Header"
_BODY = _ROOT / "Body"
_UNDERSTOOD = (f"{{{BAM}}}", f"{{{LPS}}}")


@dataclass(frozen=True, slots=True)
class OpenedCall:
    """One call. `claims` are there when an assertion was, verified or not: `seal` tells. `issues` is empty when all opened."""

    issues: tuple[Issue, ...] = ()
    envelope: Envelope | None = None
    operation: Operation | None = None
    query: Query | None = None
    caller: Caller = NO_CALLER
    seal: SealReport = NO_SEAL
    claims: Claims | None = None

    @property
    def message_id(self) -> str:
        """MessageID of the call, '' when it had none."""
        return self.envelope.message_id[:200] if self.envelope else ""


def open_call(body: bytes, content_type: str, limits: Limits) -> OpenedCall:
    """Open a call. Never raises."""
    media = content_type.partition(";")[0].strip().lower()
    if media != SOAP_TYPE:
        return OpenedCall((Issue("INSI-11", Hit(_TYPE_PLACE, content_type[:120] or "∅", SOAP_TYPE)),))
    root, issue = parse_xml(body, limits, _ROOT, keep_comments=True)
    if root is None:
        return OpenedCall((_explained(issue),) if issue else ())
    opened = open_envelope(root)
    call = OpenedCall(envelope=opened.facts)
    if opened.facts.version != "1.2":
        return replace(call, issues=(Issue("INSI-13", Hit(_ROOT, opened.facts.version or "∅", "SOAP 1.2")),))
    seal = verify_assertion(opened.header)
    if seal.fault is not SealFault.NO_VIHF:
        claims = read_claims(seal.signed, limits) if seal.signed else None
        call = replace(call, seal=replace(seal, signed=b""), claims=claims)
    etree.strip_elements(root, etree.Comment, etree.PI, with_tail=False)  # neither may cut a value in two
    call = replace(call, caller=read_caller(opened.header))
    unknown = [t for t in opened.facts.not_understood if not t.startswith(_UNDERSTOOD)]
    if unknown:
        hit = Hit(_HEADER, ", ".join(unknown)[:200], "ContexteBAM, ContexteLPS, wsa:*, wsse:Security")
        return replace(call, issues=(Issue("INSI-16", hit),))
    return _with_body(call, opened.body, content_type)


def _explained(issue: Issue) -> Issue:
    """Hostile XML keeps its own rule; what is merely not well-formed is this door's rule."""
    return Issue("INSI-12", issue.hit) if issue.rule_id == "CDA-01" else issue


def _with_body(call: OpenedCall, body: etree._Element | None, content_type: str) -> OpenedCall:
    operation = operation_of(body) if body is not None else None
    if body is None or operation is None:
        received = call.envelope.body_name if call.envelope else ""
        expected = ", ".join(name for _, name in ROOTS.values())
        return replace(call, issues=(Issue("INSI-14", Hit(_BODY, received[:80] or "∅", expected)),))
    call = replace(call, operation=operation, query=read_query(operation, body))
    told = (call.envelope.action if call.envelope else "") or _action_parameter(content_type)
    if told and told != action_of(operation):
        return replace(call, issues=(Issue("INSI-15", Hit(_HEADER / "Action", told[:160], action_of(operation))),))
    return call


def _action_parameter(content_type: str) -> str:
    """`action` of the media type, where SOAP 1.2 puts it; '' when absent."""
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.strip().partition("=")
        if name.strip().lower() == "action":
            return value.strip().strip('"')
    return ""
