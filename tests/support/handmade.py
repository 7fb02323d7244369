"""Valid documents, metadata, packages and mails made by hand for tests, and the means to break one thing in them.

Each builder takes changes, `(old, new)` pairs of text that must be present: a test says exactly what it breaks.
Persons are fictitious: born in a commune that does not exist, INS under the test OID.
"""

from __future__ import annotations

import base64
import zipfile
from hashlib import sha1
from io import BytesIO

from gateway.documents.model import CdaDocument, DocumentEntry, XdmPackage, XdsMetadata
from gateway.documents.open_cda import open_cda
from gateway.documents.open_metadata import open_metadata
from gateway.documents.open_xdm import open_xdm
from gateway.messaging.model import MailMessage
from gateway.messaging.opening import open_mail
from gateway.values import PlaceKind, Where

Change = tuple[str, str]

INS = "239034890101755"
PDF = b"%PDF-1.4\n<pdfaid:part>1</pdfaid:part>\n%%EOF\n"
HERE = Where(PlaceKind.FILE, "test")
ROOM = "IHE_XDM/SUBSET01/"

CDA = """<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3">
  <realmCode code="FR"/>
  <typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
  <templateId root="2.16.840.1.113883.2.8.2.1"/>
  <templateId root="1.2.250.1.213.1.1.1.1"/>
  <templateId root="1.3.6.1.4.1.19376.1.2.20"/>
  <id root="1.2.250.1.999.1.1.42.1"/>
  <code code="11490-0" codeSystem="2.16.840.1.113883.6.1"
    displayName="Lettre de liaison à la sortie d'un établissement de soins"/>
  <title>Lettre de liaison</title>
  <effectiveTime value="20260115103000+0100"/>
  <confidentialityCode code="N" displayName="Normal" codeSystem="2.16.840.1.113883.5.25"/>
  <languageCode code="fr-FR"/>
  <setId root="1.2.250.1.999.1.1.42"/>
  <versionNumber value="1"/>
  <recordTarget>
    <patientRole>
      <id root="1.2.250.1.213.1.4.10" extension="239034890101755"/>
      <id root="1.2.250.1.999.1.1.7" extension="IPP0001"/>
      <telecom value="mailto:239034890101755@patient.mssante.fr"/>
      <patient>
        <name>
          <family qualifier="BR">ESSAI</family>
          <given>CAMILLE ANNE</given>
          <given qualifier="BR">CAMILLE</given>
          <family qualifier="CL">MODELE</family>
          <given qualifier="CL">CAMILLE</given>
        </name>
        <administrativeGenderCode code="F" codeSystem="2.16.840.1.113883.5.1"/>
        <birthTime value="19390301"/>
        <birthplace><place><addr><county>48901</county></addr></place></birthplace>
      </patient>
    </patientRole>
  </recordTarget>
  <author>
    <time value="20260115102500+0100"/>
    <assignedAuthor>
      <id root="1.2.250.1.71.4.2.1" extension="899900000011"/>
      <code code="G15_10/SM26" displayName="Médecin - Qualifié en médecine générale (SM)" codeSystem="1.2.250.1.213.1.1.4.5"/>
      <assignedPerson><name><family>MODELE</family><given>Alix</given></name></assignedPerson>
      <representedOrganization>
        <id root="1.2.250.1.71.4.2.2" extension="1999999998"/><name>CH du Bac à Sable</name>
      </representedOrganization>
    </assignedAuthor>
  </author>
  <custodian><assignedCustodian><representedCustodianOrganization>
    <id root="1.2.250.1.71.4.2.2" extension="1999999998"/><name>CH du Bac à Sable</name>
  </representedCustodianOrganization></assignedCustodian></custodian>
  <legalAuthenticator>
    <time value="20260115102900+0100"/><signatureCode code="S"/>
    <assignedEntity>
      <id root="1.2.250.1.71.4.2.1" extension="899900000011"/>
      <assignedPerson><name><family>SIGNATAIRE</family><given>Alix</given></name></assignedPerson>
    </assignedEntity>
  </legalAuthenticator>
  <documentationOf><serviceEvent>
    <code code="IMP"/>
    <effectiveTime><low value="20260110080000+0100"/><high value="20260114100000+0100"/></effectiveTime>
    <performer typeCode="PRF"><assignedEntity>
      <id root="1.2.250.1.71.4.2.1" extension="899900000011"/>
      <representedOrganization>
        <standardIndustryClassCode code="ETABLISSEMENT" displayName="Etablissement de santé"
          codeSystem="1.2.250.1.213.1.1.4.9"/>
      </representedOrganization>
    </assignedEntity></performer>
  </serviceEvent></documentationOf>
  <componentOf><encompassingEncounter>
    <effectiveTime><low value="20260110080000+0100"/></effectiveTime>
    <location><healthCareFacility>
      <id root="1.2.250.1.71.4.2.2" extension="1999999998"/>
      <code code="SA01" displayName="Etablissement public de santé" codeSystem="1.2.250.1.71.4.2.4"/>
    </healthCareFacility></location>
  </encompassingEncounter></componentOf>
  <component><nonXMLBody>
    <text mediaType="application/pdf" representation="B64">{body}</text>
  </nonXMLBody></component>
</ClinicalDocument>
""".replace("{body}", base64.b64encode(PDF).decode())

_METADATA = """<?xml version="1.0" encoding="UTF-8"?>
<lcm:SubmitObjectsRequest xmlns:lcm="urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"
    xmlns="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">
<RegistryObjectList>
<RegistryPackage id="Lot01">
  <Slot name="submissionTime"><ValueList><Value>20260115100000</Value></ValueList></Slot>
  <Name><LocalizedString value="Lettre de liaison"/></Name>
  <Classification id="c1" classifiedObject="Lot01"
    classificationNode="urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd"/>
  <Classification id="c2" classifiedObject="Lot01" nodeRepresentation=""
    classificationScheme="urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d">
    <Slot name="authorPerson"><ValueList><Value>{person}</Value></ValueList></Slot></Classification>
  <Classification id="c3" classifiedObject="Lot01" nodeRepresentation="04"
    classificationScheme="urn:uuid:aa543740-bdda-424e-8c96-df4873be8500">
    <Slot name="codingScheme"><ValueList><Value>1.2.250.1.213.2.2</Value></ValueList></Slot>
    <Name><LocalizedString value="Hospitalisation de jour"/></Name></Classification>
  <ExternalIdentifier id="e1" registryObject="Lot01" value="{ins}"
    identificationScheme="urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446"/>
  <ExternalIdentifier id="e2" registryObject="Lot01" value="1.2.250.1.999.1.1"
    identificationScheme="urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832"/>
  <ExternalIdentifier id="e3" registryObject="Lot01" value="1.2.250.1.999.1.1.42.100"
    identificationScheme="urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8"/>
</RegistryPackage>
<ExtrinsicObject id="Doc01" mimeType="text/xml" objectType="urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1">
  <Slot name="hash"><ValueList><Value>{hash}</Value></ValueList></Slot>
  <Slot name="size"><ValueList><Value>{size}</Value></ValueList></Slot>
  <Slot name="URI"><ValueList><Value>DOC0001.XML</Value></ValueList></Slot>
  <Slot name="creationTime"><ValueList><Value>20260115093000</Value></ValueList></Slot>
  <Slot name="languageCode"><ValueList><Value>fr-FR</Value></ValueList></Slot>
  <Slot name="serviceStartTime"><ValueList><Value>20260110070000</Value></ValueList></Slot>
  <Slot name="serviceStopTime"><ValueList><Value>20260114090000</Value></ValueList></Slot>
  <Slot name="legalAuthenticator"><ValueList><Value>{person}</Value></ValueList></Slot>
  <Slot name="sourcePatientId"><ValueList><Value>IPP0001^^^&amp;1.2.250.1.999.1.1.7&amp;ISO^PI</Value></ValueList></Slot>
  <Slot name="sourcePatientInfo"><ValueList>
    <Value>PID-5|ESSAI^CAMILLE^CAMILLE ANNE^^^^L</Value><Value>PID-5|MODELE^CAMILLE^^^^^D</Value>
    <Value>PID-7|19390301</Value><Value>PID-8|F</Value><Value>PID-11|^^^^^^BDL^^48901</Value>
  </ValueList></Slot>
  <Name><LocalizedString value="Lettre de liaison"/></Name>
  <Classification id="d1" classifiedObject="Doc01" nodeRepresentation=""
    classificationScheme="urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d">
    <Slot name="authorPerson"><ValueList><Value>{person}</Value></ValueList></Slot>
    <Slot name="authorInstitution"><ValueList>
      <Value>CH du Bac à Sable^^^^^&amp;1.2.250.1.71.4.2.2&amp;ISO^IDNST^^^1999999998</Value></ValueList></Slot>
    <Slot name="authorSpecialty"><ValueList>
      <Value>G15_10/SM26^Médecin - Qualifié en médecine générale (SM)^1.2.250.1.213.1.1.4.5</Value></ValueList></Slot>
  </Classification>
{codes}
  <ExternalIdentifier id="f1" registryObject="Doc01" value="{ins}"
    identificationScheme="urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427"/>
  <ExternalIdentifier id="f2" registryObject="Doc01" value="1.2.250.1.999.1.1.42.1"
    identificationScheme="urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab"/>
</ExtrinsicObject>
<Association id="a1" associationType="urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"
  sourceObject="Lot01" targetObject="Doc01">
  <Slot name="SubmissionSetStatus"><ValueList><Value>Original</Value></ValueList></Slot></Association>
</RegistryObjectList>
</lcm:SubmitObjectsRequest>
"""

_CODES = """\
d2|41a5887f-8865-4c09-adf7-e362475b143a|10|1.2.250.1.213.1.1.4.1|Compte rendu
d3|f4f85eac-e6cb-4883-b524-f2705394840f|N|2.16.840.1.113883.5.25|Normal
d4|a09d5840-386c-46f2-b5ad-9c3699a4309d|urn:ihe:iti:xds-sd:pdf:2008|1.3.6.1.4.1.19376.1.2.3|Document à corps non structuré
d5|f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1|SA01|1.2.250.1.71.4.2.4|Etablissement public de santé
d6|cccf5598-8b07-4b77-a05e-ae952c785ead|ETABLISSEMENT|1.2.250.1.213.1.1.4.9|Etablissement de santé
d7|f0306f51-975f-434e-a61c-c59651d33983|11490-0|2.16.840.1.113883.6.1|Lettre de liaison à la sortie d'un établissement de soins
d8|2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4|IMP|2.16.840.1.113883.5.4|Hospitalisation"""
_CODE = """  <Classification id="{0}" classifiedObject="Doc01" nodeRepresentation="{2}" classificationScheme="urn:uuid:{1}">
    <Slot name="codingScheme"><ValueList><Value>{3}</Value></ValueList></Slot>
    <Name><LocalizedString value="{4}"/></Name></Classification>"""
_PERSON = "899900000011^SIGNATAIRE^Alix^^^^^^&amp;1.2.250.1.71.4.2.1&amp;ISO^D^^^IDNPS"

_MAIL = """From: "Dr_Alix_MODELE_CH du Bac" <alix.modele@operateur-a.mssante.fr>
To: =?utf-8?q?Boite_de_l=27EHPAD?= <ehpad@operateur-b.mssante.fr>
Subject: XDM/1.0/DDM+Lettre de liaison ESSAI CAMILLE 01/03/1939
Date: Thu, 15 Jan 2026 10:40:00 +0100
Message-ID: <20260115.1@operateur-a.mssante.fr>
X-MSS-CODECDA: 11490-0
X-MSS-INS: O
X-MSS-NIL: DEV000000
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="sep"

--sep
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: 8bit

Bonjour, voici le document demandé.

--sep
Content-Type: application/zip
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename="IHE_XDM.zip"

{zip}
--sep
Content-Type: application/pdf
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename="20260115_Lettre de liaison_ESSAI_CAMILLE.pdf"

{pdf}
{more}
--sep--
"""


def changed(text: str, changes: tuple[Change, ...]) -> str:
    """The text with each change made; a change that finds nothing is a fault of the test."""
    for old, new in changes:
        assert old in text, f"nothing to change: {old}"
        text = text.replace(old, new)
    return text


def cda_bytes(*changes: Change) -> bytes:
    """A valid N1 letter, changed."""
    return changed(CDA, changes).encode()


def cda(*changes: Change) -> CdaDocument:
    """The same, opened."""
    return open_cda(cda_bytes(*changes), "cda:DOC0001.XML", HERE)


def metadata_bytes(*changes: Change, document: bytes | None = None) -> bytes:
    """The metadata of `document` (the valid letter by default), changed."""
    document = cda_bytes() if document is None else document
    codes = "\n".join(_CODE.format(*row.split("|")) for row in _CODES.splitlines())
    text = _METADATA.replace("{codes}", codes)
    for name, value in {
        "person": _PERSON,
        "ins": f"{INS}^^^&amp;1.2.250.1.213.1.4.10&amp;ISO^NH",
        "hash": sha1(document, usedforsecurity=False).hexdigest(),
        "size": str(len(document)),
    }.items():
        text = text.replace("{" + name + "}", value)
    return changed(text, changes).encode()


def metadata(*changes: Change) -> XdsMetadata:
    """The same, opened."""
    return open_metadata(metadata_bytes(*changes), "metadata", HERE)


def pair(in_metadata: tuple[Change, ...] = (), in_cda: tuple[Change, ...] = ()) -> tuple[DocumentEntry, CdaDocument]:
    """An entry and its document, each changed."""
    document = cda_bytes(*in_cda)
    lot = open_metadata(metadata_bytes(*in_metadata, document=document), "metadata", HERE)
    return lot.entries[0], open_cda(document, "cda:DOC0001.XML", HERE)


def files(*changes: Change, document: bytes | None = None) -> dict[str, bytes]:
    """The files of a valid package; changes go to the metadata."""
    document = cda_bytes() if document is None else document
    return {
        "INDEX.HTM": b"<html></html>",
        "README.TXT": b"CH du Bac a Sable\r\n",
        f"{ROOM}METADATA.XML": metadata_bytes(*changes, document=document),
        f"{ROOM}DOC0001.XML": document,
    }


def zipped(contents: dict[str, bytes]) -> bytes:
    """An archive of these files, names as given."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    return out.getvalue()


def package(contents: dict[str, bytes] | None = None) -> XdmPackage:
    """A package, opened."""
    return open_xdm(zipped(files() if contents is None else contents), "xdm:IHE_XDM.zip", HERE)


def mail_bytes(*changes: Change, archive: bytes | None = None, parts: tuple[bytes, ...] = ()) -> bytes:
    """A valid mail with its package and PDF twin; changes go to everything but the base64 lines.

    `archive` replaces the package. `parts` are more parts, whole. Line ends are CRLF.
    """
    archive = zipped(files()) if archive is None else archive
    raw = changed(_MAIL, changes).encode("utf-8", "surrogateescape")
    for hole, filling in (
        (b"{zip}\n", base64.encodebytes(archive)),
        (b"{pdf}\n", base64.encodebytes(PDF)),
        (b"{more}\n", b"".join(b"--sep\n" + part + b"\n" for part in parts)),
    ):
        raw = raw.replace(hole, filling)
    return raw.replace(b"\n", b"\r\n")


def mail(*changes: Change, archive: bytes | None = None, parts: tuple[bytes, ...] = ()) -> MailMessage:
    """The same, opened."""
    return open_mail(mail_bytes(*changes, archive=archive, parts=parts))
