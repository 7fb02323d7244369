"""Who a container says the patient is: one `IdentityView` per container in which a patient appears.

A view never separates a matricule from its OID, keeps every value exactly as written with the place it stands at, and
judges nothing. Rules compare views; they never read a CDA or a mail themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.identity.facts import DeclaredStatus, FhirFacts, Hl7Facts
from gateway.values import Located, Where

INS_NIR = "1.2.250.1.213.1.4.8"
INS_NIA = "1.2.250.1.213.1.4.9"
INS_TEST = "1.2.250.1.213.1.4.10"
INS_DEMO = "1.2.250.1.213.1.4.11"
INS_C = "1.2.250.1.213.1.4.2"
INS_OIDS = frozenset({INS_NIR, INS_NIA, INS_TEST, INS_DEMO})


class ContainerKind(StrEnum):
    """The kinds of container a patient can appear in, spelt as the rule catalogue's `applies_to`."""

    CDA = "CDA"
    XDM = "XDM"  # metadata of a package or of an ITI-41 lot: patientId, sourcePatientInfo
    MAIL = "mail"
    HL7 = "HL7v2"
    FHIR = "FHIR"
    DMP = "DMP"
    VIHF = "VIHF"
    DATAMATRIX = "datamatrix"
    INSI = "INSi"  # a call of the teleservice, or its answer


@dataclass(frozen=True, slots=True)
class PatientIdentifier:
    """One identifier of the patient: value and OID together, always.

    `type_code` is CX-5 or the FHIR type (INS, NH, PI, ...), empty where the container has none.
    """

    value: str
    oid: str
    where: Where
    type_code: str = ""
    assigning_name: str = ""
    written: str = ""  # the whole field, where the value is a part of it (CX); '' when not kept
    type_system: str = ""  # FHIR: the code system of the type
    use: str = ""  # FHIR: official, temp, old, usual, secondary
    starts: str = ""  # CX-7, period.start, as written
    ends: str = ""  # CX-8, period.end, as written

    @property
    def is_ins(self) -> bool:
        """Under one of the four INS OIDs."""
        return self.oid in INS_OIDS


@dataclass(frozen=True, slots=True)
class IdentityView:
    """The patient as one container tells it. Absent traits are None; empty ones are a Located of ''.

    `label` names the container in findings: `cda:DOC0001.XML`, `metadata:DOC0001.XML`, `mail`, `vihf`, `pid`.
    `birth_date` is written as in the container (AAAAMMJJ in CDA, AAAA-MM-JJ in FHIR); `sex` likewise (M, F, UN).
    `ins_expected` is True where the container declares that what it holds is an INS (a CDA with an INS root, a
    `patientId`, a CX typed INS), so that a missing part is a fault and not an absence.
    """

    kind: ContainerKind
    label: str
    where: Where
    identifiers: tuple[PatientIdentifier, ...] = ()
    birth_family: Located | None = None
    birth_given: Located | None = None  # first given name (premier prénom de naissance)
    given_list: Located | None = None  # list of the birth certificate, separated by spaces
    used_family: Located | None = None
    used_given: Located | None = None
    birth_date: Located | None = None
    sex: Located | None = None
    birth_place: Located | None = None  # COG code
    status: Located | None = None  # identity reliability, as written
    mailbox: Located | None = None  # patient MSSanté address
    document_date: Located | None = None  # effectiveTime: to compare with the birth date
    name_qualifiers: tuple[Located, ...] = ()  # CDA qualifiers as written, for the CDA-specific rules
    null_traits: tuple[Located, ...] = ()  # traits carried with a nullFlavor: value = trait name
    subject_count: int = 1  # how many patients the container holds (recordTarget, PID, ...)
    has_source_id: bool | None = None  # a metadata entry carries a sourcePatientId; None where it is not told
    ins_expected: bool = False
    ins_optional: bool = False  # a purely social document: its recipients may not use the INS
    person: str = ""  # which of the message's persons; views of different persons are never compared
    declared: DeclaredStatus | None = None  # PID-32 and ZFD, or the FHIR reliability extension
    hl7: Hl7Facts | None = None
    fhir: FhirFacts | None = None

    @property
    def ins(self) -> PatientIdentifier | None:
        """The first identifier under an INS OID."""
        return next((i for i in self.identifiers if i.is_ins), None)

    @property
    def claimed_ins(self) -> PatientIdentifier | None:
        """The INS, or else what is declared as one (typed INS or NH) under another OID or none."""
        return self.ins or next((i for i in self.identifiers if i.type_code in ("INS", "NH", "INS-C")), None)
