"""What a document says, before it is written: one record from which the CDA, its metadata and its twin are all made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.directory.model import Patient, Professional, Structure
from gateway.documents.build_codes import DocumentKind
from gateway.documents.build_pdf import Letter, letter_pdf
from gateway.identity.datamatrix import NotPrintable
from gateway.identity.local import Ins, Traits
from gateway.identity.printing import text_of
from gateway.identity.status import Attribute, Reliability, Status

IPP_ARC = "1.2.250.1.999.48.1"  # example arc; one branch for each structure of the territory
DOCUMENT_ARC = "1.2.250.1.999.48.2"
PS_OID = "1.2.250.1.71.4.2.1"
STRUCTURE_OID = "1.2.250.1.71.4.2.2"


def ipp_oid(structure: Structure) -> str:
    """The OID under which a structure numbers its patients (IPP)."""
    return f"{IPP_ARC}.{int(structure.finess or structure.siret)}"


def source_oid(structure: Structure) -> str:
    """The OID of the system that deposits for a structure (sourceId), built on its Struct_IdNat."""
    return f"{STRUCTURE_OID}.{int(structure.struct_id_nat)}"


def ts(at: datetime) -> str:
    """A CDA time to the second with its offset: 20260115103000+0100."""
    return at.strftime("%Y%m%d%H%M%S%z")


def ts_utc(at: datetime) -> str:
    """An XDS time: 14 digits, UTC."""
    return at.astimezone(UTC).strftime("%Y%m%d%H%M%S")


@dataclass(frozen=True, slots=True)
class CdaRecord:
    """One document. Times are timezone-aware; ids are OIDs given by the caller.

    `ipp` is the patient's number at `structure`. `replaces` is the id of the previous version: then `version` is
    above 1 and `set_id` is that of the family. `pdf` is the body. `ins` says whether the INS and its OID are written:
    by default only for a qualified identity, as the reference on INS asks.
    """

    document_id: str
    set_id: str
    kind: DocumentKind
    patient: Patient
    author: Professional
    structure: Structure
    at: datetime
    service_start: datetime
    pdf: bytes
    title: str = ""
    version: int = 1
    replaces: str = ""
    service_stop: datetime | None = None
    legal_authenticator: Professional | None = None  # the author when absent
    confidentiality: str = "N"
    ins: bool | None = None

    @property
    def heading(self) -> str:
        """The title: the one given, else that of the kind."""
        return self.title or self.kind.title

    @property
    def signer(self) -> Professional:
        """Who takes responsibility for the document."""
        return self.legal_authenticator or self.author

    @property
    def ipp(self) -> str:
        """The patient's local number at the structure, '' when it has none."""
        return self.patient.ipp.get(self.structure.key, "")

    @property
    def with_ins(self) -> bool:
        """Whether the INS is written."""
        if self.ins is not None:
            return self.ins
        return self.patient.status == "QUAL" and bool(self.patient.matricule)


def letter_of(
    kind: DocumentKind, patient: Patient, author: Professional, structure: Structure, at: datetime, title: str = ""
) -> Letter:
    """The letter of a kind, its paragraphs filled in."""
    filled = {
        "{patient}": f"{patient.used_given or patient.given} {patient.used_family or patient.family}",
        "{structure}": structure.name,
        "{author}": f"{author.given} {author.family}",
        "{date}": at.strftime("%d/%m/%Y"),
    }
    return Letter(
        title=title or kind.title,
        structure=structure.name,
        structure_address=f"{structure.postal_code} {structure.city}".strip(),
        identity=_identity_lines(patient),
        paragraphs=tuple(_fill(text, filled) for text in kind.paragraphs),
        signature=f"{author.given} {author.family}, {structure.name}",
        at=at,
        datamatrix=datamatrix_of(patient),
    )


def datamatrix_of(patient: Patient) -> str:
    """The text form of the patient's INS datamatrix, '' when it may not be printed (EXI DIF 02)."""
    names = (patient.family, patient.given, patient.given_list)
    traits = Traits(*names, patient.sex, patient.birth_date, patient.birth_place)
    ins = Ins(patient.matricule, patient.oid) if patient.matricule else None
    reliability = Reliability(Status(patient.status), frozenset(map(Attribute, patient.attributes)))
    try:
        return text_of(traits, ins, reliability)
    except NotPrintable:
        return ""


def kind_pdf(
    kind: DocumentKind, patient: Patient, author: Professional, structure: Structure, at: datetime, title: str = ""
) -> bytes:
    """The PDF/A-1b of a kind of document."""
    return letter_pdf(letter_of(kind, patient, author, structure, at, title))


def _fill(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def _identity_lines(patient: Patient) -> tuple[str, ...]:
    year, month, day = patient.birth_date.split("-")
    lines = [
        f"Nom de naissance : {patient.family}",
        f"Prénom(s) de naissance : {patient.given_list}",
        f"Né(e) le {day}/{month}/{year}   Sexe : {patient.sex}   Lieu (COG) : {patient.birth_place}",
    ]
    if patient.used_family:
        lines.append(f"Nom utilisé : {patient.used_family}")
    if patient.status == "QUAL" and patient.matricule:
        lines.append(f"Matricule INS : {patient.matricule}   OID : {patient.oid}")
    return tuple(lines)
