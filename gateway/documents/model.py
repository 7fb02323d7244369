"""What was found inside documents and packages: frozen, picklable, without any XML element left.

Everything here was read from bytes nobody vouches for. What could not be opened is an `Issue`: the id of the rule that
explains it and a hit, so that the road goes on.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.identity.model import IdentityView
from gateway.rules.model import Hit
from gateway.values import Located, Where


@dataclass(frozen=True, slots=True)
class Issue:
    """Something that could not be opened, under the rule that explains it."""

    rule_id: str
    hit: Hit


@dataclass(frozen=True, slots=True)
class Code:
    """A coded value: code, code system OID (or URN), displayed label."""

    code: str
    system: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Actor:
    """A professional, a structure or a device as a document or its metadata names it.

    `person_id` is a PS_IdNat (`8` + RPPS), `structure_id` a Struct_IdNat (`1` + FINESS, `3` + SIRET).
    """

    person_id: str = ""
    family: str = ""
    given: str = ""
    structure_id: str = ""
    structure_name: str = ""
    specialty: Code | None = None
    role: str = ""


@dataclass(frozen=True, slots=True)
class CdaBody:
    """Level 1 (`nonXMLBody`) or 3 (`structuredBody`). `media_type`, `size_bytes` and `sha256` tell the decoded N1 body."""

    level: int
    media_type: str = ""
    representation: str = ""
    size_bytes: int = 0
    sha256: str = ""
    starts_with_pdf: bool = False
    base64_valid: bool = True
    pdf_version: str = ""
    pdfa_part: str = ""
    active_content: tuple[str, ...] = ()  # names of active PDF features found (JavaScript, Launch, ...)


@dataclass(frozen=True, slots=True)
class CdaDocument:
    """The header of one CDA R2 document and the facts of its body.

    `label` is the container name used in findings (`cda:DOC0001.XML`). `sha1` (hex, lower case) and `size_bytes` are those
    of the exact octets received. Times are written as in the document.
    """

    label: str
    sha1: str
    size_bytes: int
    where: Where
    document_id: Located | None  # id/@root, or root^extension
    set_id: Located | None
    version: Located | None
    code: Code | None
    title: Located | None
    effective_time: Located | None
    confidentiality: Code | None
    language: Located | None
    template_ids: tuple[str, ...]
    replaces: tuple[Located, ...]  # relatedDocument[@typeCode='RPLC']/parentDocument/id
    identity: IdentityView | None
    authors: tuple[Actor, ...]
    custodian: Actor | None
    legal_authenticator: Actor | None
    service_start: Located | None
    service_stop: Located | None
    practice_setting: Code | None
    facility_type: Code | None
    event_codes: tuple[Code, ...]
    body: CdaBody | None
    encoding: str = "utf-8"
    self_presenting: bool = False
    signed: bool = False
    issues: tuple[Issue, ...] = ()
    realm: str = ""
    confidentiality_count: int = 0
    facility_id: str = ""
    author_codes: tuple[Code, ...] = ()
    places: tuple[Located, ...] = ()  # header elements by short name: where a rule sends its reader

    def place(self, name: str) -> Where:
        """Where a header element stands (`code`, `custodian`, `component`…); the document itself when it is missing."""
        return next(
            (p.where for p in self.places if p.value == name), self.places[0].where if self.places else self.where
        )


@dataclass(frozen=True, slots=True)
class DocumentEntry:
    """One ExtrinsicObject of XDS or XDM metadata, values as written, with the place of the object.

    `hash_sha1` and `size` are the declared ones ('' when absent). `identity` is the view of `patientId`,
    `sourcePatientId` and `sourcePatientInfo` together.
    """

    entry_id: str
    where: Where
    label: str
    mime_type: str
    unique_id: Located | None
    patient_id: Located | None
    source_patient_id: Located | None
    source_patient_info: tuple[Located, ...]
    identity: IdentityView | None
    title: str
    type_code: Code | None
    class_code: Code | None
    format_code: Code | None
    confidentiality: tuple[Code, ...]
    facility_type: Code | None
    practice_setting: Code | None
    event_codes: tuple[Code, ...]
    authors: tuple[Actor, ...]
    legal_authenticator: Actor | None
    creation_time: str
    service_start: str
    service_stop: str
    language: str
    hash_sha1: Located | None
    size: Located | None
    uri: Located | None
    action: str = ""  # extra metadata: '' | C (replace) | D (delete)
    reference_ids: tuple[str, ...] = ()
    logical_id: str = ""
    repeated: tuple[str, ...] = ()  # metadata given more often than allowed, by name
    unknown_schemes: tuple[str, ...] = ()  # classification and identifier schemes no profile knows
    unlabelled: tuple[str, ...] = ()  # coded metadata without codingScheme or Name, by name


@dataclass(frozen=True, slots=True)
class SubmissionSet:
    """The RegistryPackage: who deposits what, for whom."""

    entry_id: str
    where: Where
    unique_id: Located | None
    source_id: Located | None
    patient_id: Located | None
    submission_time: str
    content_type: Code | None
    title: str
    comments: str
    authors: tuple[Actor, ...]
    identity: IdentityView | None = None  # the view of patientId alone, labelled `metadata:lot`
    classified: bool = True  # carries the classification node that makes it a SubmissionSet


@dataclass(frozen=True, slots=True)
class Association:
    """HasMember, RPLC, signs, UpdateAvailabilityStatus: ids as written, slots flattened."""

    kind: str  # last part of the type URN: HasMember, RPLC, signs, ...
    source: str
    target: str
    slots: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class XdsMetadata:
    """A SubmitObjectsRequest: one submission set, its entries, their associations."""

    label: str
    where: Where
    submission_set: SubmissionSet | None
    entries: tuple[DocumentEntry, ...]
    associations: tuple[Association, ...]
    folders: int = 0
    issues: tuple[Issue, ...] = ()
    submission_sets: int = 1  # how many RegistryPackages of that kind; only the first is told
    stray_references: int = 0  # classifiedObject and registryObject that do not name the object they stand in
    duplicate_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """One file of the ZIP: path as written, real size and digests of its octets."""

    path: str
    size_bytes: int
    sha1: str


@dataclass(frozen=True, slots=True)
class XdmPackage:
    """An IHE_XDM.zip. `where` is its MIME part (or file). Documents pair with entries by the URI of the entry."""

    label: str
    where: Where
    files: tuple[PackagedFile, ...]
    metadata: tuple[XdsMetadata, ...]
    documents: tuple[CdaDocument, ...]
    has_index: bool
    has_readme: bool
    issues: tuple[Issue, ...] = ()
