"""TD0.2, test of existence: the HL7 v3 query PRPA_IN201307UV02 read, its answer PRPA_IN201308UV02 written.

A patient without DMP is no error: `NF`. A closed DMP is `OK` with patient status `terminated`. Source: GIE SESAM-Vitale
TD0.2 samples v02.05.00; code systems as they stand there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from gateway.documents.xml import local
from gateway.identity.model import ContainerKind, IdentityView, PatientIdentifier
from gateway.sharing.constants import DMP_DEVICE, HL7
from gateway.soap.names import XSI, qname
from gateway.values import PlaceKind, Where

INTERACTION = "PRPA_IN201307UV02"
REASON = "TEST_EXST"
REASON_SYSTEM = "1.2.250.1.213.1.1.4.11"
PLACE = Where(PlaceKind.XPATH, "/Envelope/Body/PRPA_IN201307UV02")
PATIENT_PLACE = Where(
    PlaceKind.XPATH, f"{PLACE.path}/controlActProcess/queryByParameter/parameterList/patientIdentifier/value"
)

_AUTHORISATION = ("1.2.250.1.213.4.1.2.6.1", "1.2.250.1.213.4.1.2.6.2")
_TREATING = "1.2.250.1.213.4.1.2.6.3"
_INTERNET = "1.2.250.1.213.4.1.2.9"
_CONSENTS = "1.2.250.1.213.4.1.2.3"


@dataclass(frozen=True, slots=True)
class Td02Query:
    """One test of existence. Identifiers are (root, extension) pairs, echoed in the answer. `matricule` is '' when absent."""

    message_id: tuple[str, str]
    query_id: tuple[str, str]
    matricule: str
    oid: str
    reason: str
    sender: str = ""
    sender_name: str = ""
    line: int | None = None

    def view(self) -> IdentityView:
        """The patient the query asks about."""
        place = Where(PlaceKind.XPATH, PATIENT_PLACE.path, self.line)
        identifiers = (PatientIdentifier(self.matricule, self.oid, place, "NH"),) if self.matricule else ()
        return IdentityView(ContainerKind.DMP, "td0.2", place, identifiers)


@dataclass(frozen=True, slots=True)
class Existence:
    """What the DMP says of a patient: `state` is absent, active or closed; `authorisation` of the one who asks."""

    state: str
    authorisation: str = "NON_EXISTE"
    treating_doctor: bool = False
    family: str = ""
    given: str = ""
    sex: str = ""
    birth_date: str = ""  # AAAAMMJJ


def read_td02(body: etree._Element) -> Td02Query | None:
    """The query of a SOAP body; None when it is not a PRPA_IN201307UV02."""
    if body.tag != qname(HL7, INTERACTION):
        return None
    query = _at(body, "controlActProcess", "queryByParameter")
    value = _at(query, "parameterList", "patientIdentifier", "value")
    device = _at(body, "sender", "device")
    name = _at(device, "softwareName")
    reason = _at(body, "controlActProcess", "reasonCode")
    return Td02Query(
        message_id=_pair(_at(body, "id")),
        query_id=_pair(_at(query, "queryId")),
        matricule=value.get("extension", "") if value is not None else "",
        oid=value.get("root", "") if value is not None else "",
        reason=reason.get("code", "") if reason is not None else "",
        sender=_pair(_at(device, "id"))[0],
        sender_name=(name.text or "") if name is not None else "",
        line=value.sourceline if value is not None else None,
    )


def _at(element: etree._Element | None, *names: str) -> etree._Element | None:
    for name in names:
        if element is None:
            return None
        element = next((c for c in element if isinstance(c.tag, str) and local(c) == name), None)
    return element


def _pair(element: etree._Element | None) -> tuple[str, str]:
    return (element.get("root", ""), element.get("extension", "")) if element is not None else ("", "")


def write_td02(message_id: tuple[str, str], query_id: tuple[str, str], matricule: str, oid: str, at: datetime) -> bytes:
    """A test of existence as a software sends it."""
    stamp = at.strftime("%Y%m%d%H%M%S")
    return (
        f'<PRPA_IN201307UV02 xmlns="{HL7}" xmlns:xsi="{XSI}" ITSVersion="XML_1.0">'
        f'{_id(message_id)}<creationTime value="{stamp}"/>'
        f'<interactionId root="2.16.840.1.113883.1.6" extension="{INTERACTION}"/>'
        '<processingCode code="D"/><processingModeCode code="T"/><acceptAckCode code="AL"/>'
        f"{_device('receiver', 'RCV', DMP_DEVICE, 'DMP')}{_device('sender', 'SND', message_id[0], 'passerelle')}"
        '<attentionLine xsi:nil="true"/><controlActProcess classCode="CACT" moodCode="EVN">'
        f'<reasonCode code="{REASON}" codeSystem="{REASON_SYSTEM}" displayName="Test d\'existence de dossier"/>'
        f'<queryByParameter>{_id(query_id, "queryId")}<statusCode code="new"/><parameterList><patientIdentifier>'
        f"<value root={quoteattr(oid)} extension={quoteattr(matricule)}/><semanticsText>Patient.id</semanticsText>"
        "</patientIdentifier></parameterList></queryByParameter></controlActProcess></PRPA_IN201307UV02>"
    ).encode()


def answer_td02(query: Td02Query, existence: Existence, answer_id: str, at: datetime) -> bytes:
    """The answer to a test of existence."""
    found = existence.state in ("active", "closed")
    attention = _attention(existence) if found else ""
    subject = _subject(query, existence) if found else ""
    return (
        f'<PRPA_IN201308UV02 xmlns="{HL7}" xmlns:xsi="{XSI}" ITSVersion="XML_1.0">'
        f'<id root={quoteattr(answer_id)}/><creationTime value="{at:%Y%m%d%H%M%S}"/>'
        '<interactionId root="2.16.840.1.113883.1.6" extension="PRPA_IN201308UV02"/>'
        '<processingCode code="P"/><processingModeCode code="T"/><acceptAckCode code="NE"/>'
        f"{_device('receiver', 'RCV', query.sender, query.sender_name)}{_device('sender', 'SND', DMP_DEVICE, 'DMP')}"
        f'{attention}<acknowledgement typeCode="AA"><targetMessage>{_id(query.message_id)}</targetMessage>'
        '</acknowledgement><controlActProcess classCode="CACT" moodCode="EVN">'
        f'<reasonCode code="{REASON}" codeSystem="{REASON_SYSTEM}" displayName="Test d\'existence de dossier"/>{subject}'
        f'<queryAck>{_id(query.query_id, "queryId")}<queryResponseCode code="{"OK" if found else "NF"}"/></queryAck>'
        "</controlActProcess></PRPA_IN201308UV02>"
    ).encode()


def _attention(existence: Existence) -> str:
    key, values = _AUTHORISATION
    treating = "true" if existence.treating_doctor else "false"
    return (
        f'<attentionLine><keyWordText code="AUTORISATION" codeSystem="{key}"/><value xsi:type="CV" '
        f'code={quoteattr(existence.authorisation)} codeSystem="{values}"/></attentionLine>'
        f'<attentionLine><keyWordText code="STATUT_MT" codeSystem="{_TREATING}"/>'
        f'<value xsi:type="BL" value="{treating}"/></attentionLine>'
    )


def _subject(query: Td02Query, existence: Existence) -> str:
    status = "active" if existence.state == "active" else "terminated"
    traits = ""
    if existence.family:
        traits = (
            f'<name><given>{escape(existence.given)}</given><family qualifier="BR">{escape(existence.family)}</family>'
            f"</name><administrativeGenderCode code={quoteattr(existence.sex)}/>"
            f"<birthTime value={quoteattr(existence.birth_date)}/>"
        )
    return (
        '<subject typeCode="SUBJ" contextConductionInd="false"><registrationEvent classCode="REG" moodCode="EVN">'
        '<statusCode code="completed"/><subject1 typeCode="SBJ"><patient classCode="PAT">'
        f'<id root={quoteattr(query.oid)} extension={quoteattr(query.matricule)}/><statusCode code="{status}"/>'
        f'<patientPerson classCode="PSN" determinerCode="INSTANCE">{traits}</patientPerson>'
        f"{_observed('COMPTE_INTERNET_OUVERT', _INTERNET)}{_observed('RATTACHEMENT_ENS', _CONSENTS)}"
        '</patient></subject1><custodian typeCode="CST"><assignedEntity classCode="ASSIGNED">'
        f'<id root="{DMP_DEVICE}"/></assignedEntity></custodian></registrationEvent></subject>'
    )


def _observed(code: str, system: str) -> str:
    return (
        '<subjectOf typeCode="SBJ"><administrativeObservation classCode="OBS" moodCode="EVN">'
        f'<code code="{code}" codeSystem="{system}"/><value xsi:type="BL" value="true"/>'
        "</administrativeObservation></subjectOf>"
    )


def _id(pair: tuple[str, str], name: str = "id") -> str:
    extension = f" extension={quoteattr(pair[1])}" if pair[1] else ""
    return f"<{name} root={quoteattr(pair[0])}{extension}/>"


def _device(role: str, type_code: str, root: str, name: str) -> str:
    return (
        f'<{role} typeCode="{type_code}"><device classCode="DEV" determinerCode="INSTANCE"><id root={quoteattr(root)}/>'
        f"<softwareName>{escape(name)}</softwareName></device></{role}>"
    )
