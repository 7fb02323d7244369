"""The assertion of a professional who calls INSi with another certificate than a software's: SAML 2.0, signed by the card.

What public clients show: NameID with NameQualifier CPS or PSC, attributes identifiantFacturation, codeSpecialite,
secteurActivite; a life of twenty minutes (CNDA cases 1.02, 1.03). A DMP VIHF is such an assertion too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from gateway.documents.xml import local, parse_xml
from gateway.sandbox.model import Limits
from gateway.soap.names import SAML, instant, qname
from gateway.values import PlaceKind, Where

ASSERTION = Where(PlaceKind.XPATH, "/Envelope/Header/Security/Assertion")
LIFE = timedelta(minutes=20)
DRIFT = timedelta(minutes=5)  # between two honest clocks


@dataclass(frozen=True, slots=True)
class Claims:
    """What one assertion says, as written ('' when absent). `attributes` by name."""

    assertion_id: str = ""
    name_id: str = ""
    qualifier: str = ""
    issued: str = ""
    not_before: str = ""
    not_on_or_after: str = ""
    attributes: tuple[tuple[str, str], ...] = ()

    def life(self) -> tuple[datetime, datetime] | None:
        """When it may serve: within its Conditions, twenty minutes at most; None when no instant can be read."""
        start = instant(self.not_before) or instant(self.issued)
        if start is None:
            return None
        end = start + LIFE
        return start, min(instant(self.not_on_or_after) or end, end)


def read_claims(octets: bytes, limits: Limits) -> Claims | None:
    """The assertion from the octets that were verified; None when they are no assertion."""
    root, _ = parse_xml(octets, limits, ASSERTION)
    if root is None or root.tag != qname(SAML, "Assertion"):
        return None
    name = root.find(f"{qname(SAML, 'Subject')}/{qname(SAML, 'NameID')}")
    conditions = root.find(qname(SAML, "Conditions"))
    return Claims(
        assertion_id=root.get("ID", ""),
        name_id=(name.text or "").strip() if name is not None else "",
        qualifier=name.get("NameQualifier", "") if name is not None else "",
        issued=root.get("IssueInstant", ""),
        not_before=conditions.get("NotBefore", "") if conditions is not None else "",
        not_on_or_after=conditions.get("NotOnOrAfter", "") if conditions is not None else "",
        attributes=tuple(_attributes(root)),
    )


def _attributes(root: etree._Element) -> list[tuple[str, str]]:
    found = []
    for attribute in root.iter(qname(SAML, "Attribute")):
        value = next((v for v in attribute if local(v) == "AttributeValue"), None)
        found.append((attribute.get("Name", ""), (value.text or "").strip() if value is not None else ""))
    return found


def write_claims(claims: Claims, issuer: str) -> str:
    """The assertion as XML, unsigned, on one line: every whitespace inside is signed."""
    told = "".join(
        f"<saml2:Attribute Name={quoteattr(name)}><saml2:AttributeValue>{escape(value)}</saml2:AttributeValue>"
        "</saml2:Attribute>"
        for name, value in claims.attributes
    )
    bounds = (("NotBefore", claims.not_before), ("NotOnOrAfter", claims.not_on_or_after))
    written = "".join(f" {name}={quoteattr(value)}" for name, value in bounds if value)
    return (
        f'<saml2:Assertion xmlns:saml2="{SAML}" ID={quoteattr(claims.assertion_id)}'
        f' IssueInstant={quoteattr(claims.issued)} Version="2.0">'
        f"<saml2:Issuer>{escape(issuer)}</saml2:Issuer><saml2:Subject>"
        f"<saml2:NameID NameQualifier={quoteattr(claims.qualifier)}>{escape(claims.name_id)}</saml2:NameID>"
        f"</saml2:Subject><saml2:Conditions{written}/>"
        f"<saml2:AttributeStatement>{told}</saml2:AttributeStatement></saml2:Assertion>"
    )
