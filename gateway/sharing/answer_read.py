"""What a DMP answered, read into facts: for our own client, the story and the tests."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from gateway.documents.xml import parse_xml
from gateway.sandbox.model import Limits
from gateway.sharing.constants import HL7, RIM, RS
from gateway.soap.names import SOAP, qname

_UNIQUE_ID = "urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab"
_TYPE = "urn:uuid:f0306f51-975f-434e-a61c-c59651d33983"


@dataclass(frozen=True, slots=True)
class AnswerError:
    """One RegistryError."""

    code: str
    context: str
    location: str
    severity: str


@dataclass(frozen=True, slots=True)
class AnswerEntry:
    """One entry of a LeafClass answer."""

    entry_uuid: str
    unique_id: str
    title: str
    type_code: str
    status: str
    version: str
    hash: str
    size: str


@dataclass(frozen=True, slots=True)
class DmpAnswer:
    """One answer. `subcode` and `reasons` (fr, en) tell a Fault; `status` a RegistryResponse (Success, Failure).

    `existence` is TD0.2's queryResponseCode then patient status (`OK active`, `OK terminated`, `NF`).
    """

    http_status: int
    subcode: str = ""
    reasons: tuple[str, ...] = ()
    status: str = ""
    errors: tuple[AnswerError, ...] = ()
    references: tuple[str, ...] = ()
    entries: tuple[AnswerEntry, ...] = ()
    existence: str = ""
    authorisation: str = ""
    relates_to: str = ""

    @property
    def accepted(self) -> bool:
        """No Fault and no Failure."""
        return self.http_status == 200 and not self.subcode and self.status != "Failure"


def read_answer(http_status: int, body: bytes, limits: Limits | None = None) -> DmpAnswer:
    """Read an answer; what is no envelope gives only its HTTP status."""
    root, _ = parse_xml(body, limits or Limits())
    if root is None:
        return DmpAnswer(http_status)
    related = root.find(f"{qname(SOAP, 'Header')}/{{*}}RelatesTo")
    relates_to = (related.text or "") if related is not None else ""
    holder = root.find(qname(SOAP, "Body"))
    child = next((c for c in holder if isinstance(c.tag, str)), None) if holder is not None else None
    if child is None:
        return DmpAnswer(http_status, relates_to=relates_to)
    if child.tag == qname(SOAP, "Fault"):
        value = child.find(f"{qname(SOAP, 'Code')}/{qname(SOAP, 'Subcode')}/{qname(SOAP, 'Value')}")
        subcode = (value.text or "").rpartition(":")[2] if value is not None else "?"
        reasons = tuple(t.text or "" for t in child.iterfind(f"{qname(SOAP, 'Reason')}/{qname(SOAP, 'Text')}"))
        return DmpAnswer(http_status, subcode, reasons, relates_to=relates_to)
    if child.tag == qname(HL7, "PRPA_IN201308UV02"):
        return _existence(http_status, child, relates_to)
    return DmpAnswer(
        http_status,
        status=child.get("status", "").rpartition(":")[2],
        errors=tuple(
            AnswerError(
                e.get("errorCode", ""),
                e.get("codeContext", ""),
                e.get("location", ""),
                e.get("severity", "").rpartition(":")[2],
            )
            for e in child.iter(qname(RS, "RegistryError"))
        ),
        references=tuple(e.get("id", "") for e in child.iter(qname(RIM, "ObjectRef"))),
        entries=tuple(_entry(e) for e in child.iter(qname(RIM, "ExtrinsicObject"))),
        relates_to=relates_to,
    )


def _existence(http_status: int, answer: etree._Element, relates_to: str) -> DmpAnswer:
    code = next(iter(answer.iter(qname(HL7, "queryResponseCode"))), None)
    patient = next(iter(answer.iter(qname(HL7, "patient"))), None)
    status = patient.find(qname(HL7, "statusCode")) if patient is not None else None
    told = [code.get("code", "") if code is not None else "", status.get("code", "") if status is not None else ""]
    authorisation = ""
    for line in answer.iterfind(qname(HL7, "attentionLine")):
        key, value = line.find(qname(HL7, "keyWordText")), line.find(qname(HL7, "value"))
        if key is not None and value is not None and key.get("code") == "AUTORISATION":
            authorisation = value.get("code", "")
    return DmpAnswer(
        http_status, existence=" ".join(filter(None, told)), authorisation=authorisation, relates_to=relates_to
    )


def _entry(element: etree._Element) -> AnswerEntry:
    slots = {s.get("name", ""): s for s in element.iterchildren(qname(RIM, "Slot"))}

    def slot(name: str) -> str:
        value = slots[name].find(f"{qname(RIM, 'ValueList')}/{qname(RIM, 'Value')}") if name in slots else None
        return (value.text or "") if value is not None else ""

    def first(kind: str, scheme_name: str, scheme: str, attribute: str) -> str:
        found = (c for c in element.iterchildren(qname(RIM, kind)) if c.get(scheme_name) == scheme)
        return next((c.get(attribute, "") for c in found), "")

    title = element.find(f"{qname(RIM, 'Name')}/{qname(RIM, 'LocalizedString')}")
    version = element.find(qname(RIM, "VersionInfo"))
    return AnswerEntry(
        entry_uuid=element.get("id", ""),
        unique_id=first("ExternalIdentifier", "identificationScheme", _UNIQUE_ID, "value"),
        title=title.get("value", "") if title is not None else "",
        type_code=first("Classification", "classificationScheme", _TYPE, "nodeRepresentation"),
        status=element.get("status", "").rpartition(":")[2],
        version=version.get("versionName", "") if version is not None else "",
        hash=slot("hash"),
        size=slot("size"),
    )
