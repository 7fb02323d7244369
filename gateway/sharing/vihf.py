"""VIHF (vecteur d'identification et d'habilitation formelles): the SAML 2.0 assertion that says who asks, for whom, how.

`Vihf` is what one says; `read_vihf` reads it from the very octets whose signature was verified; `write_vihf` writes one
to be signed. Sources: GIE SESAM-Vitale samples v02.05.00 (DIRECTE, INDIRECTE, INDIRECTE_RENFORCEE); ANS HL7v2 volet,
mapping; DMP requirement EX_AIR-040.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from gateway.documents.model import Code
from gateway.documents.xml import parse_xml
from gateway.identity.model import ContainerKind, IdentityView, PatientIdentifier
from gateway.sandbox.model import Limits
from gateway.sharing.constants import HL7, MODE_AIR, MODE_DIRECT, MODE_INDIRECT
from gateway.soap.names import SAML, XSI, qname
from gateway.values import PlaceKind, Where

ASSERTION = Where(PlaceKind.XPATH, "/Envelope/Header/Security/Assertion")

ROLE = "urn:oasis:names:tc:xacml:2.0:subject:role"
RESOURCE_ID = "urn:oasis:names:tc:xacml:2.0:resource:resource-id"
SUBJECT_ID = "urn:oasis:names:tc:xspa:1.0:subject:subject-id"
PURPOSE = "urn:oasis:names:tc:xspa:1.0:subject:purposeofuse"
SECRET = "urn:oasis:names:tc:xspa:1.0:resource:patient:hl7:confidentiality-code"  # noqa: S105  # an attribute name

PURPOSE_SYSTEM = "1.2.250.1.213.1.1.4.248"
PROFESSION_SYSTEMS = frozenset({"1.2.250.1.71.1.2.7", "1.2.250.1.71.1.2.8"})  # G15, G16
SPECIALTY_DOCTOR = "1.2.250.1.71.4.2.5"  # R01
SPECIALTY_PHARMACIST = "1.2.250.1.71.4.2.6"  # G05

AUTHN_CLASS = {
    MODE_DIRECT: "urn:oasis:names:tc:SAML:2.0:ac:classes:SmartcardPKI",
    MODE_INDIRECT: "urn:oasis:names:tc:SAML:2.0:ac:classes:TLSClient",
    MODE_AIR: "urn:oasis:names:tc:SAML:2.0:ac:classes:MobileTwoFactorUnregistered",
}
MODES = (MODE_DIRECT, MODE_INDIRECT, MODE_AIR)

# purpose of use as written by known clients -> access mode (codes other than `normal` are a choice of this sandbox)
ACCESS_MODES = {
    "normal": "normal",
    "bris_de_glace": "bris_de_glace",
    "brisdeglace": "bris_de_glace",
    "centre_15": "regulation",
    "centre15": "regulation",
}

# a CX without assigning name, as patientId and resource-id: INS^^^&OID&ISO^NH; official samples append ^^20100907
PATIENT_CX = re.compile(r"^([^\^&|]*)\^\^\^([^\^&]*)&([^\^&]*)&([^\^&]*)\^([^\^]*)(?:\^\^\d{8})?$")


@dataclass(frozen=True, slots=True)
class Vihf:
    """What one assertion says, as written ('' when absent). `repeated` names the attributes given more than once."""

    assertion_id: str
    issue_instant: str
    issuer: str
    name_id: str
    version: str
    mode: str
    structure_id: str
    sector: str
    subject_id: str
    roles: tuple[Code, ...]
    resource_id: str
    resource_urn: str
    purpose: Code | None
    lps_name: str
    lps_version: str
    lps_homologation: str
    lps_id: str = ""
    access_reason: str = ""
    secret_connection: str = ""
    authn_class: str = ""
    authn_declaration: str = ""
    not_before: str = ""
    not_on_or_after: str = ""
    repeated: tuple[str, ...] = ()

    @property
    def patient(self) -> tuple[str, str] | None:
        """Matricule and OID of the resource-id; None when it has not the form of a patientId."""
        return patient_of(self.resource_id)

    @property
    def access(self) -> str:
        """`normal`, `bris_de_glace` or `regulation`; '' when the purpose is unknown."""
        return ACCESS_MODES.get(self.purpose.code.lower(), "") if self.purpose else ""

    @property
    def profession(self) -> Code | None:
        """The first role."""
        return self.roles[0] if self.roles else None

    @property
    def is_doctor(self) -> bool:
        """Profession 10 of G15 (or G16, in training)."""
        return self._professes("10")

    @property
    def is_pharmacist(self) -> bool:
        """Profession 21."""
        return self._professes("21")

    def _professes(self, code: str) -> bool:
        first = self.profession
        return first is not None and first.system in PROFESSION_SYSTEMS and first.code == code

    def view(self) -> IdentityView | None:
        """Who the patient is, as the VIHF tells it; None when it targets nobody."""
        if not self.resource_id:
            return None
        where = attribute_place(RESOURCE_ID)
        match = PATIENT_CX.match(self.resource_id)
        if match is None:
            identifiers: tuple[PatientIdentifier, ...] = ()
        else:
            identifiers = (PatientIdentifier(match[1], match[3], where, match[5], match[2], self.resource_id),)
        return IdentityView(ContainerKind.VIHF, "vihf", where, identifiers, ins_expected=True)


def patient_of(cx: str) -> tuple[str, str] | None:
    """Matricule and OID of `INS^^^&OID&ISO^NH`; None for any other form."""
    match = PATIENT_CX.match(cx)
    return (match[1], match[3]) if match is not None and match[1] and match[3] else None


def patient_id(matricule: str, oid: str) -> str:
    """The CX of a patient in the DMP: patientId of the metadata and resource-id of the VIHF."""
    return f"{matricule}^^^&{oid}&ISO^NH"


def attribute_place(name: str) -> Where:
    """The place of one attribute of the assertion."""
    return Where(PlaceKind.XPATH, f"{ASSERTION.path}/AttributeStatement/Attribute[@Name='{name}']")


def read_vihf(canonical_octets: bytes, limits: Limits) -> Vihf | None:
    """The assertion from its canonical octets; None when they are no Assertion.

    Given the octets that were digested, what is read here is what was signed, whatever surrounds it in the message.
    """
    root, _ = parse_xml(canonical_octets, limits, ASSERTION)
    if root is None or root.tag != qname(SAML, "Assertion"):
        return None
    attributes: dict[str, list[etree._Element]] = {}
    for attribute in root.iterfind(f"{qname(SAML, 'AttributeStatement')}/{qname(SAML, 'Attribute')}"):
        attributes.setdefault(attribute.get("Name", "").lower(), []).append(attribute)

    def text(name: str) -> str:
        found = attributes.get(name.lower())
        return _text(found[0].find(qname(SAML, "AttributeValue"))) if found else ""

    def coded(name: str) -> tuple[Code, ...]:
        found = attributes.get(name.lower())
        values = found[0].iterfind(qname(SAML, "AttributeValue")) if found else ()
        return tuple(
            Code(child.get("code", ""), child.get("codeSystem", ""), child.get("displayName", ""))
            for value in values
            for child in value.iterchildren(f"{{{HL7}}}*")
        )

    def below(path: str) -> str:
        return _text(root.find("/".join(qname(SAML, step) for step in path.split("/"))))

    conditions = root.find(qname(SAML, "Conditions"))
    purposes = coded(PURPOSE)
    return Vihf(
        assertion_id=root.get("ID", ""),
        issue_instant=root.get("IssueInstant", ""),
        issuer=below("Issuer"),
        name_id=below("Subject/NameID"),
        version=text("VIHF_Version"),
        mode=text("Authentification_Mode"),
        structure_id=text("Identifiant_Structure"),
        sector=text("Secteur_Activite"),
        subject_id=text(SUBJECT_ID),
        roles=coded(ROLE),
        resource_id=text(RESOURCE_ID),
        resource_urn=text("Ressource_URN"),
        purpose=purposes[0] if purposes else None,
        lps_name=text("LPS_Nom"),
        lps_version=text("LPS_Version"),
        lps_homologation=text("LPS_ID_HOMOLOGATION_DMP"),
        lps_id=text("LPS_ID"),
        access_reason=text("Mode_Acces_Raison"),
        secret_connection=text(SECRET),
        authn_class=below("AuthnStatement/AuthnContext/AuthnContextClassRef"),
        authn_declaration=below("AuthnStatement/AuthnContext/AuthnContextDecl"),
        not_before=conditions.get("NotBefore", "") if conditions is not None else "",
        not_on_or_after=conditions.get("NotOnOrAfter", "") if conditions is not None else "",
        repeated=tuple(name for name, found in attributes.items() if len(found) > 1),
    )


def _text(element: etree._Element | None) -> str:
    return (element.text or "").strip() if element is not None else ""


def write_vihf(vihf: Vihf) -> str:
    """The assertion as XML, unsigned, on one line: every whitespace inside is signed."""
    statement = "".join(
        [
            _attribute("VIHF_Version", vihf.version),
            _attribute("Authentification_Mode", vihf.mode),
            _attribute("Identifiant_Structure", vihf.structure_id),
            _attribute("Secteur_Activite", vihf.sector),
            _attribute(SUBJECT_ID, vihf.subject_id),
            _coded(ROLE, "Role", vihf.roles),
            _attribute(RESOURCE_ID, vihf.resource_id),
            _attribute("Ressource_URN", vihf.resource_urn),
            _coded(PURPOSE, "PurposeOfUse", (vihf.purpose,) if vihf.purpose else (), "mode acces VIHF 2.0"),
            _attribute("Mode_Acces_Raison", vihf.access_reason),
            _attribute(SECRET, vihf.secret_connection),
            _attribute("LPS_ID", vihf.lps_id),
            _attribute("LPS_Nom", vihf.lps_name),
            _attribute("LPS_Version", vihf.lps_version),
            _attribute("LPS_ID_HOMOLOGATION_DMP", vihf.lps_homologation),
        ]
    )
    conditions = ""
    if vihf.not_before or vihf.not_on_or_after:
        bounds = (("NotBefore", vihf.not_before), ("NotOnOrAfter", vihf.not_on_or_after))
        told = "".join(f" {name}={quoteattr(value)}" for name, value in bounds if value)
        conditions = f"<saml2:Conditions{told}/>"
    declaration = ""
    if vihf.authn_declaration:
        declaration = f"<saml2:AuthnContextDecl>{escape(vihf.authn_declaration)}</saml2:AuthnContextDecl>"
    authn_class = vihf.authn_class or AUTHN_CLASS.get(vihf.mode, AUTHN_CLASS[MODE_INDIRECT])
    return (
        f'<saml2:Assertion xmlns:saml2="{SAML}" xmlns:xsi="{XSI}" ID={quoteattr(vihf.assertion_id)}'
        f' IssueInstant={quoteattr(vihf.issue_instant)} Version="2.0">'
        '<saml2:Issuer Format="urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName">'
        f"{escape(vihf.issuer)}</saml2:Issuer>"
        f"<saml2:Subject><saml2:NameID>{escape(vihf.name_id)}</saml2:NameID></saml2:Subject>{conditions}"
        f"<saml2:AuthnStatement AuthnInstant={quoteattr(vihf.issue_instant)}><saml2:AuthnContext>"
        f"<saml2:AuthnContextClassRef>{escape(authn_class)}</saml2:AuthnContextClassRef>{declaration}"
        "</saml2:AuthnContext></saml2:AuthnStatement>"
        f"<saml2:AttributeStatement>{statement}</saml2:AttributeStatement></saml2:Assertion>"
    )


def _attribute(name: str, value: str) -> str:
    if not value:
        return ""
    return (
        f"<saml2:Attribute Name={quoteattr(name)}><saml2:AttributeValue>{escape(value)}</saml2:AttributeValue>"
        "</saml2:Attribute>"
    )


def _coded(name: str, element: str, codes: tuple[Code, ...], system_name: str = "") -> str:
    if not codes:
        return ""
    named = f" codeSystemName={quoteattr(system_name)}" if system_name else ""
    values = "".join(
        f'<saml2:AttributeValue><{element} xmlns="{HL7}" xsi:type="CE" code={quoteattr(c.code)}'
        f" codeSystem={quoteattr(c.system)}{named} displayName={quoteattr(c.label)}/></saml2:AttributeValue>"
        for c in codes
    )
    return f"<saml2:Attribute Name={quoteattr(name)}>{values}</saml2:Attribute>"
