"""Our own DMP requests: a signed deposit (ITI-41), a test of existence (TD0.2), queries (ITI-18).

Ids, times and keys are arguments. Source: GIE SESAM-Vitale samples v02.05.00; IHE ITI TF-2 3.18 and 3.41.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

from gateway.directory.model import Professional, Structure
from gateway.documents.build_cda import build_cda
from gateway.documents.build_codes import CONFIDENTIALITY, facility_type, practice_setting
from gateway.documents.build_metadata import Lot, LotEntry, patient_cx, submit_objects_request, xcn, xon
from gateway.documents.build_record import CdaRecord, source_oid, ts_utc
from gateway.documents.model import Code
from gateway.sandbox.model import Limits
from gateway.sharing import mtom
from gateway.sharing.constants import (
    ACTION_ITI18,
    ACTION_ITI41,
    ACTION_TD02,
    DOCUMENT_ENTRY_TYPE,
    HIDDEN_PATIENT,
    MASKED_PS,
    MODE_DIRECT,
    MODE_INDIRECT,
    QUERY,
    RIM,
    SIGNATURE_FORMAT,
    XDS,
    XOP,
)
from gateway.sharing.lot import SIGNATURE_CLASS
from gateway.sharing.registry import ENTRY_UUID, FIND_DOCUMENTS, GET_DOCUMENTS, PATIENT, STATUS_PARAM, UNIQUE_ID
from gateway.sharing.registry_answer import status_urn
from gateway.sharing.td02 import write_td02
from gateway.sharing.vihf import PURPOSE_SYSTEM, SPECIALTY_DOCTOR, Vihf, patient_id
from gateway.sharing.vihf_signature import sign_vihf
from gateway.sharing.xades import PURPOSE_SOURCE, sign_lot
from gateway.soap.envelope import write_request
from gateway.soap.signing import Seal

PROFESSION_SYSTEM = "1.2.250.1.71.1.2.7"  # TRE_G15
PROFESSIONS = {"10": "Médecin", "21": "Pharmacien", "60": "Infirmier", "70": "Masseur-Kinésithérapeute"}
SIGNATURE_ID = "Signature01"
_ASSOCIATION = "urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:Association"


@dataclass(frozen=True, slots=True)
class RequestIds:
    """Identifiers of one request: UUIDs (without `urn:uuid:`), and the OID of the lot's signature document."""

    message: str
    assertion: str
    signature_oid: str = ""

    @property
    def message_id(self) -> str:
        """wsa:MessageID."""
        return f"urn:uuid:{self.message}"

    @property
    def boundary(self) -> str:
        """A MIME boundary no document can guess."""
        return f"MIMEBoundary_{self.message}"


def vihf_of(
    structure: Structure, professional: Professional, matricule: str, oid: str, at: datetime, *, direct: bool = False
) -> Vihf:
    """The VIHF of a structure acting for one of its professionals (INDIRECTE), or of the professional (DIRECTE).

    `assertion_id` and `issuer` are set when it is signed.
    """
    roles = [
        Code(professional.profession, PROFESSION_SYSTEM, PROFESSIONS.get(professional.profession, "Professionnel"))
    ]
    specialty = professional.specialty.partition("/")[2]
    if professional.profession == "10" and specialty:
        roles.append(Code(specialty, SPECIALTY_DOCTOR, professional.specialty_label or specialty))
    return Vihf(
        assertion_id="",
        issue_instant=at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        issuer="",
        name_id=professional.ps_id_nat,
        version="3.0",
        mode=MODE_DIRECT if direct else MODE_INDIRECT,
        structure_id=structure.struct_id_nat,
        sector=f"{structure.facility_type}^1.2.250.1.71.4.2.4",
        subject_id=f"{professional.given} {professional.family}",
        roles=tuple(roles),
        resource_id=patient_id(matricule, oid),
        resource_urn="urn:dmp",
        purpose=Code("normal", PURPOSE_SYSTEM, "Accès normal"),
        lps_name="passerelle",
        lps_version="1.0",
        lps_homologation="BAC-A-SABLE-0001",
        lps_id="PASSERELLE",
    )


def signed(vihf: Vihf, ids: RequestIds, seal: Seal, *, algorithm: str = "sha256") -> bytes:
    """A VIHF under the assertion id of a request, signed."""
    return sign_vihf(replace(vihf, assertion_id=f"_{ids.assertion}"), seal, algorithm=algorithm)


def deposit_lot(
    record: CdaRecord,
    unique_id: str,
    submitted_at: datetime,
    *,
    document: bytes | None = None,
    replaces_entry: str = "",
    masks: Sequence[str] = (),
) -> Lot:
    """The lot of one document, ready for a deposit. `document` replaces the octets the record makes."""
    octets = build_cda(record) if document is None else document
    return Lot(
        unique_id=unique_id,
        source_id=source_oid(record.structure),
        submitted_at=submitted_at,
        author=record.author,
        structure=record.structure,
        entries=(LotEntry(record, octets, masks=tuple(masks), replaces_entry=replaces_entry),),
    )


def build_iti41(
    lot: Lot, vihf: Vihf, seal: Seal, ids: RequestIds, *, sign: bool = True, limits: Limits | None = None
) -> tuple[str, bytes]:
    """Content-Type and body of a deposit: VIHF and lot signed with `seal` (`sign=False` leaves the lot unsigned)."""
    documents = [(entry.entry_id, entry.document) for entry in lot.entries]
    told = lot
    if sign:
        contents = [(entry.record.document_id, entry.document) for entry in lot.entries]
        octets = sign_lot(lot.unique_id, contents, seal, lot.submitted_at, limits or Limits())
        documents.append((SIGNATURE_ID, octets))
        told = replace(lot, extra=(*lot.extra, *signature_objects(lot, ids.signature_oid)))
    parts = "".join(
        f"<Document id={quoteattr(entry_id)}>"
        f'<xop:Include xmlns:xop="{XOP}" href="cid:{entry_id.lower()}@{ids.message}"/></Document>'
        for entry_id, _ in documents
    )
    body = (
        f'<ProvideAndRegisterDocumentSetRequest xmlns="{XDS}">'.encode()
        + submit_objects_request(told, declaration=False)
        + parts.encode()
        + b"</ProvideAndRegisterDocumentSetRequest>"
    )
    root = write_request(ACTION_ITI41, ids.message_id, signed(vihf, ids, seal), body)
    return mtom.write_multipart(
        root,
        [mtom.Attachment(f"{entry_id.lower()}@{ids.message}", octets) for entry_id, octets in documents],
        boundary=ids.boundary,
        root_id=f"root@{ids.message}",
        action=ACTION_ITI41,
    )


def signature_objects(lot: Lot, signature_oid: str) -> tuple[bytes, ...]:
    """What tells the registry of a lot's signature: its ExtrinsicObject, HasMember and `signs`."""
    first = lot.entries[0].record
    stamp = ts_utc(lot.submitted_at)
    cx = patient_cx(first)
    slots = "".join(
        _slot(name, value)
        for name, value in (
            ("creationTime", stamp),
            ("languageCode", "art"),
            ("legalAuthenticator", xcn(lot.author)),
            ("serviceStartTime", stamp),
            ("serviceStopTime", stamp),
            ("sourcePatientId", cx),
        )
    )
    codes = (
        ("41a5887f-8865-4c09-adf7-e362475b143a", Code(SIGNATURE_CLASS, "URN", "Digital Signature")),
        ("f4f85eac-e6cb-4883-b524-f2705394840f", CONFIDENTIALITY["N"]),
        ("f4f85eac-e6cb-4883-b524-f2705394840f", CONFIDENTIALITY[MASKED_PS]),
        ("f4f85eac-e6cb-4883-b524-f2705394840f", CONFIDENTIALITY[HIDDEN_PATIENT]),
        ("2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4", Code(PURPOSE_SOURCE, "1.2.840.10065.1.12", "Source")),
        ("a09d5840-386c-46f2-b5ad-9c3699a4309d", Code(SIGNATURE_FORMAT, "URN", "Default Signature Style")),
        ("f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1", facility_type(lot.structure.facility_type)),
        ("cccf5598-8b07-4b77-a05e-ae952c785ead", practice_setting(lot.structure.practice_setting)),
        ("f0306f51-975f-434e-a61c-c59651d33983", Code("E1762", "ASTM", "Full Document")),
    )
    author = (
        f'<Classification id="sg-author" classificationScheme="urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d"'
        f' classifiedObject="{SIGNATURE_ID}" nodeRepresentation="">'
        f"{_slot('authorInstitution', xon(lot.structure))}{_slot('authorPerson', xcn(lot.author))}</Classification>"
    )
    classified = "".join(
        f'<Classification id="sg-{n}" classificationScheme="urn:uuid:{scheme}" classifiedObject="{SIGNATURE_ID}"'
        f" nodeRepresentation={quoteattr(code.code)}>{_slot('codingScheme', code.system)}{_name(code.label)}"
        "</Classification>"
        for n, (scheme, code) in enumerate(codes)
    )
    identified = "".join(
        f'<ExternalIdentifier id="sg-{name}" registryObject="{SIGNATURE_ID}" identificationScheme="urn:uuid:{scheme}"'
        f" value={quoteattr(value)}>{_name(f'XDSDocumentEntry.{name}')}</ExternalIdentifier>"
        for name, scheme, value in (
            ("patientId", "58a6f841-87b3-4a3e-92fd-a8ffeff98427", cx),
            ("uniqueId", "2e82c1f6-a085-4c72-9da3-8640a32e42ab", signature_oid),
        )
    )
    entry = (
        f'<ExtrinsicObject xmlns="{RIM}" id="{SIGNATURE_ID}" mimeType="text/xml" objectType="{DOCUMENT_ENTRY_TYPE}">'
        f"{slots}{_name('Source')}{author}{classified}{identified}</ExtrinsicObject>"
    )
    member = (
        f'<Association xmlns="{RIM}" id="sg-member" objectType="{_ASSOCIATION}"'
        ' associationType="urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember"'
        f' sourceObject="{lot.set_id}" targetObject="{SIGNATURE_ID}">{_slot("SubmissionSetStatus", "Original")}'
        "</Association>"
    )
    signs = (
        f'<Association xmlns="{RIM}" id="sg-signs" objectType="{_ASSOCIATION}"'
        f' associationType="urn:ihe:iti:2007:AssociationType:signs" sourceObject="{SIGNATURE_ID}"'
        f' targetObject="{lot.set_id}"/>'
    )
    return entry.encode(), member.encode(), signs.encode()


def _slot(name: str, value: str) -> str:
    return f"<Slot name={quoteattr(name)}><ValueList><Value>{escape(value)}</Value></ValueList></Slot>"


def _name(label: str) -> str:
    return f'<Name><LocalizedString charset="UTF8" xml:lang="FR" value={quoteattr(label)}/></Name>'


SOAP_TYPE = "application/soap+xml; charset=UTF-8"


def build_td02(
    matricule: str, oid: str, sender_oid: str, vihf: Vihf, seal: Seal, ids: RequestIds, at: datetime
) -> tuple[str, bytes]:
    """Content-Type and body of a test of existence."""
    body = write_td02((sender_oid, ids.message), (f"{sender_oid}.2", ids.message), matricule, oid, at)
    return _plain(ACTION_TD02, vihf, seal, ids, body)


def build_find_documents(
    patient: str, vihf: Vihf, seal: Seal, ids: RequestIds, *, statuses: Sequence[str] = ("Approved",)
) -> tuple[str, bytes]:
    """TD3.1a: every document of a patient (`INS^^^&OID&ISO^NH`) under some statuses, whole."""
    listed = ",".join(f"'{status_urn(status)}'" for status in statuses)
    params = _slot(PATIENT, f"'{patient}'") + _slot(STATUS_PARAM, f"({listed})")
    return _plain(ACTION_ITI18, vihf, seal, ids, _query(FIND_DOCUMENTS, params, "LeafClass"))


def build_get_documents(
    vihf: Vihf,
    seal: Seal,
    ids: RequestIds,
    *,
    unique_ids: Sequence[str] = (),
    entry_uuids: Sequence[str] = (),
    return_type: str = "ObjectRef",
) -> tuple[str, bytes]:
    """TD3.1b: documents by uniqueId or by entryUUID; references unless LeafClass is asked for."""
    name, values = (UNIQUE_ID, unique_ids) if unique_ids else (ENTRY_UUID, entry_uuids)
    listed = ",".join(f"'{value}'" for value in values)
    return _plain(ACTION_ITI18, vihf, seal, ids, _query(GET_DOCUMENTS, _slot(name, f"({listed})"), return_type))


def _query(query_id: str, params: str, return_type: str) -> bytes:
    return (
        f'<query:AdhocQueryRequest xmlns:query="{QUERY}" xmlns="{RIM}">'
        f'<query:ResponseOption returnComposedObjects="true" returnType="{return_type}"/>'
        f'<AdhocQuery id="{query_id}">{params}</AdhocQuery></query:AdhocQueryRequest>'
    ).encode()


def _plain(action: str, vihf: Vihf, seal: Seal, ids: RequestIds, body: bytes) -> tuple[str, bytes]:
    content_type = f'{SOAP_TYPE}; action="{action}"'
    return content_type, write_request(action, ids.message_id, signed(vihf, ids, seal), body)
