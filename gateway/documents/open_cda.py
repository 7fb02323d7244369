"""Open a CDA R2 document: its header, who the patient is, and the facts of its body.

Read, never trusted, never transformed: the style sheet of a self-presenting document is not run, its
ClinicalDocument is read where it stands. Values are kept as written.

Source: CI-SIS, volet Structuration minimale des documents de santé (header), HL7 CDA R2 (body).
"""

from __future__ import annotations

import binascii
from hashlib import sha1, sha256

from lxml import etree

from gateway.documents.model import Actor, CdaBody, CdaDocument, Code, Issue
from gateway.documents.open_nodes import Node
from gateway.documents.open_patient import cda_identity
from gateway.documents.open_pdf import pdf_facts
from gateway.documents.xml import encoding_of, local, namespace, parse_xml, xpath_of
from gateway.rules.model import Hit
from gateway.sandbox.model import Limits
from gateway.values import Located, PlaceKind, Where

HL7_V3 = "urn:hl7-org:v3"
XSLT = "http://www.w3.org/1999/XSL/Transform"
XMLDSIG = "http://www.w3.org/2000/09/xmldsig#"
PS_IDNAT = "1.2.250.1.71.4.2.1"
STRUCT_IDNAT = "1.2.250.1.71.4.2.2"

_CLINICAL_DOCUMENT = f"{{{HL7_V3}}}ClinicalDocument"
_BLANKS = b" \t\r\n"


def open_cda(data: bytes, label: str, where: Where, limits: Limits = Limits()) -> CdaDocument:
    """The document found in `data`. What could not be read is in `issues` and leaves fields None; never raises.

    `label` names the container in findings (`cda:DOC0001.XML`); `where` is its place in the message.
    Issues: those of `parse_xml`, and XDM-07 when the XML is no ClinicalDocument.
    """
    root, issue = parse_xml(data, limits, where)
    if root is None:
        return unreadable(data, label, where, (issue,) if issue else ())
    return read_cda(root, data, label, where)


def read_cda(root: etree._Element, data: bytes, label: str, where: Where) -> CdaDocument:
    """The document of a tree already parsed from `data`; same result as `open_cda`."""
    digest, size = sha1(data, usedforsecurity=False).hexdigest(), len(data)
    encoding = encoding_of(data)
    found, self_presenting = _clinical_document(root)
    if found is None:
        hit = Hit(
            where=Where(PlaceKind.XPATH, xpath_of(root), root.sourceline),
            received=f"{{{namespace(root)}}}{local(root)}"[:200],
            expected=f"{{{HL7_V3}}}ClinicalDocument",
        )
        return unreadable(data, label, where, (Issue("XDM-07", hit),))
    node = Node(found, xpath_of(found) if self_presenting else "/ClinicalDocument", HL7_V3)
    event = node.at("documentationOf", "serviceEvent")
    period = event.one("effectiveTime") if event else None
    confidentiality = node.one("confidentialityCode")
    return CdaDocument(
        label=label,
        sha1=digest,
        size_bytes=size,
        where=where,
        document_id=_id(node.one("id")),
        set_id=_id(node.one("setId")),
        version=_attribute(node.one("versionNumber"), "value"),
        code=_code(node.one("code")),
        title=title.told if (title := node.one("title")) is not None else None,
        effective_time=_attribute(node.one("effectiveTime"), "value"),
        confidentiality=_code(confidentiality),
        language=_attribute(node.one("languageCode"), "code"),
        template_ids=tuple(t.attribute("root") for t in node.all("templateId")),
        replaces=_replaced(node),
        identity=cda_identity(node, label),
        authors=tuple(_author(a) for a in node.all("author")),
        custodian=_custodian(node),
        legal_authenticator=_legal_authenticator(node),
        service_start=_bound(period, "low") or _attribute(period, "value"),
        service_stop=_bound(period, "high"),
        practice_setting=_practice_setting(event),
        facility_type=_code(node.at("componentOf", "encompassingEncounter", "location", "healthCareFacility", "code")),
        event_codes=_event_codes(node),
        body=_body(node),
        encoding=encoding,
        self_presenting=self_presenting,
        signed=any(c.tag == f"{{{XMLDSIG}}}Signature" for c in (*found[-3:], *root[-3:])),
        realm=_value(node.one("realmCode"), "code"),
        confidentiality_count=node.count("confidentialityCode"),
        facility_id=_value(
            node.at("componentOf", "encompassingEncounter", "location", "healthCareFacility", "id"), "extension"
        ),
        author_codes=tuple(c for a in node.all("author") if (c := _code(a.at("assignedAuthor", "code"))) is not None),
        places=_places(node),
    )


def unreadable(data: bytes, label: str, where: Where, issues: tuple[Issue, ...]) -> CdaDocument:
    """A document of which only the octets are known, and why."""
    return CdaDocument(
        label=label,
        sha1=sha1(data, usedforsecurity=False).hexdigest(),
        size_bytes=len(data),
        where=where,
        document_id=None,
        set_id=None,
        version=None,
        code=None,
        title=None,
        effective_time=None,
        confidentiality=None,
        language=None,
        template_ids=(),
        replaces=(),
        identity=None,
        authors=(),
        custodian=None,
        legal_authenticator=None,
        service_start=None,
        service_stop=None,
        practice_setting=None,
        facility_type=None,
        event_codes=(),
        body=None,
        encoding=encoding_of(data),
        issues=issues,
    )


def _clinical_document(root: etree._Element) -> tuple[etree._Element | None, bool]:
    """The ClinicalDocument, and whether it stands inside its own style sheet."""
    if root.tag == _CLINICAL_DOCUMENT:
        return root, False
    if namespace(root) == XSLT and local(root) in ("stylesheet", "transform"):
        return next(root.iter(_CLINICAL_DOCUMENT), None), True
    return None, False


def _places(node: Node) -> tuple[Located, ...]:
    """Where the coded values of the header stand: value = the element's short name."""
    wanted = {
        "code": node.one("code"),
        "confidentialityCode": node.one("confidentialityCode"),
        "recordTarget": node.one("recordTarget"),
        "custodian": node.one("custodian"),
        "legalAuthenticator": node.one("legalAuthenticator"),
        "author": node.one("author"),
        "practiceSetting": node.one("documentationOf"),
        "facility": node.one("componentOf"),
        "component": node.one("component"),
        "templateId": node.one("templateId"),
    }
    found = [Located(name, step.where) for name, step in wanted.items() if step is not None]
    return (Located("document", node.where), *found)


def _id(node: Node | None) -> Located | None:
    """`root`, or `root^extension`; None without an @root."""
    if node is None:
        return None
    root, extension = node.attribute("root"), node.attribute("extension")
    if not root:
        return None
    return Located(f"{root}^{extension}" if extension else root, node.where)


def _attribute(node: Node | None, name: str) -> Located | None:
    return None if node is None else node.located(name)


def _value(node: Node | None, name: str) -> str:
    return "" if node is None else node.attribute(name)


def _code(node: Node | None) -> Code | None:
    if node is None or node.element.get("code") is None:
        return None
    return Code(node.attribute("code"), node.attribute("codeSystem"), node.attribute("displayName"))


def _bound(period: Node | None, name: str) -> Located | None:
    return None if period is None else _attribute(period.one(name), "value")


def _replaced(node: Node) -> tuple[Located, ...]:
    found = []
    for related in node.all("relatedDocument"):
        if related.attribute("typeCode") == "RPLC":
            identifier = _id(related.at("parentDocument", "id"))
            if identifier is not None:
                found.append(identifier)
    return tuple(found)


def _event_codes(node: Node) -> tuple[Code, ...]:
    codes = (_code(d.at("serviceEvent", "code")) for d in node.all("documentationOf"))
    return tuple(code for code in codes if code is not None)


def _practice_setting(event: Node | None) -> Code | None:
    if event is None:
        return None
    return _code(event.at("performer", "assignedEntity", "representedOrganization", "standardIndustryClassCode"))


def _author(author: Node) -> Actor:
    assigned = author.one("assignedAuthor")
    if assigned is None:
        return Actor()
    role = _value(author.one("functionCode"), "displayName")
    device = assigned.at("assignedAuthoringDevice", "softwareName")
    if device is not None:
        organization = _actor(assigned, role)
        return Actor(
            person_id=organization.person_id,
            family=device.text,
            structure_id=organization.structure_id,
            structure_name=organization.structure_name,
            specialty=organization.specialty,
            role=role,
        )
    return _actor(assigned, role)


def _legal_authenticator(node: Node) -> Actor | None:
    assigned = node.at("legalAuthenticator", "assignedEntity")
    return None if assigned is None else _actor(assigned, "")


def _custodian(node: Node) -> Actor | None:
    organization = node.at("custodian", "assignedCustodian", "representedCustodianOrganization")
    if organization is None:
        return None
    return Actor(
        structure_id=_value(organization.one("id"), "extension"),
        structure_name=name.text if (name := organization.one("name")) is not None else "",
    )


def _actor(assigned: Node, role: str) -> Actor:
    """An assignedAuthor or assignedEntity."""
    identifiers = assigned.all("id")
    identifier = next(
        (i for i in identifiers if i.attribute("root") == PS_IDNAT), identifiers[0] if identifiers else None
    )
    name = assigned.at("assignedPerson", "name")
    organization = assigned.one("representedOrganization")
    return Actor(
        person_id=_value(identifier, "extension"),
        family=family.text if name is not None and (family := name.one("family")) is not None else "",
        given=given.text if name is not None and (given := name.one("given")) is not None else "",
        structure_id="" if organization is None else _value(organization.one("id"), "extension"),
        structure_name=told.text if organization is not None and (told := organization.one("name")) is not None else "",
        specialty=_code(assigned.one("code")),
        role=role,
    )


def _body(node: Node) -> CdaBody | None:
    component = node.one("component")
    if component is None:
        return None
    if component.count("structuredBody"):
        return CdaBody(level=3)
    text = component.at("nonXMLBody", "text")
    if text is None:
        return CdaBody(level=1, base64_valid=False) if component.count("nonXMLBody") else None
    media_type, representation = text.attribute("mediaType"), text.attribute("representation")
    content = text.element.text or ""
    if representation != "B64":
        return _plain_body(media_type, representation, content)
    decoded = strict_base64(content)
    if decoded is None:
        return CdaBody(level=1, media_type=media_type, representation=representation, base64_valid=False)
    facts = pdf_facts(decoded)
    return CdaBody(
        level=1,
        media_type=media_type,
        representation=representation,
        size_bytes=len(decoded),
        sha256=sha256(decoded).hexdigest(),
        starts_with_pdf=facts.starts_with_pdf,
        pdf_version=facts.version,
        pdfa_part=facts.pdfa_part,
        active_content=facts.active_content,
    )


def _plain_body(media_type: str, representation: str, content: str) -> CdaBody:
    octets = content.encode("utf-8", "surrogatepass")
    return CdaBody(
        level=1,
        media_type=media_type,
        representation=representation,
        size_bytes=len(octets.strip()),
        sha256=sha256(octets).hexdigest(),
        starts_with_pdf=False,
    )


def strict_base64(content: str) -> bytes | None:
    """The octets of a base64 text, blanks aside; None when it breaks RFC 4648 (alphabet, padding, trailing text)."""
    try:
        return binascii.a2b_base64(content.encode("ascii").translate(None, _BLANKS), strict_mode=True)
    except (UnicodeEncodeError, binascii.Error):
        return None
