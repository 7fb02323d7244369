"""What only one kind of container says of a patient: the fields of a PID and its Z segments, the slices of a FHIR Patient.

An `IdentityView` tells what every container tells; the rules that speak of one standard (INS-100 to 129) need more. Values
are as written, each with its place; nothing here is judged.

Sources: IHE PAM France 2.11.2 (PID, MRG, ZFD, ZFA); FR Core 2.1 and 2.2 (Patient, identity-reliability).
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.values import Located, Where


@dataclass(frozen=True, slots=True)
class CodeTold:
    """A code as written. `system` is '' where the standard has one table only (PID-32), or where it was left out."""

    code: str
    where: Where
    system: str = ""


@dataclass(frozen=True, slots=True)
class DeclaredStatus:
    """How reliable the container says the identity is. '' and None where it says nothing.

    `codes` are the repetitions of PID-32, or the identityStatus of each reliability extension; `comments` the FHIR
    annotations (attributes such as DOUT stand there). `method` is how the identity was obtained (ZFD-5,
    methodCollection), `asked_on` the date INSi was called (ZFD-6, dateInterrogationINSi), `proof` the document shown
    (ZFD-7, validationMode), `proof_ends` its last day (ZFD-8).
    """

    codes: tuple[CodeTold, ...] = ()
    comments: tuple[CodeTold, ...] = ()
    method: Located | None = None
    asked_on: Located | None = None
    proof: Located | None = None
    proof_ends: Located | None = None

    def has(self, *codes: str) -> bool:
        """One of these codes is told, as a status or as an annotation."""
        return any(told.code in codes for told in (*self.codes, *self.comments))


@dataclass(frozen=True, slots=True)
class XpnName:
    """One repetition of PID-5: its components as written, `type_code` being XPN-7."""

    where: Where
    family: str
    given: str
    given_list: str
    type_code: str
    suffix: str = ""  # XPN-4
    degree: str = ""  # XPN-6, where a shifted type letter ends up
    representation: str = ""  # XPN-8, idem

    @property
    def misplaced_type(self) -> str:
        """The type letter found beside its place, '' when none."""
        return next((v for v in (self.degree, self.representation) if v in ("L", "D")), "")


@dataclass(frozen=True, slots=True)
class XadAddress:
    """One repetition of PID-11: its type (XAD-7) and every component that holds something, by number."""

    where: Where
    type_code: str
    components: tuple[tuple[int, str], ...]

    def component(self, number: int) -> str:
        """A component by its number, '' when it is empty."""
        return next((value for at, value in self.components if at == number), "")


@dataclass(frozen=True, slots=True)
class MergedId:
    """One identifier of MRG-1: the one that is replaced or withdrawn."""

    value: str
    oid: str
    type_code: str
    where: Where


@dataclass(frozen=True, slots=True)
class Hl7Facts:
    """The PID of one patient group with its MRG, ZFD and ZFA.

    `message` and `event` are those of MSH-9 (`ADT`, `A47`). `has_merge` tells a MRG segment, even an empty one.
    """

    message: str = ""
    event: str = ""
    names: tuple[XpnName, ...] = ()
    addresses: tuple[XadAddress, ...] = ()
    social_security: Located | None = None  # PID-19, forbidden
    birth_rank: Located | None = None  # PID-25
    has_merge: bool = False
    merged: tuple[MergedId, ...] = ()
    lunar_date: Located | None = None  # ZFD-1
    corrected_date: Located | None = None  # ZFD-4
    dmp_status: Located | None = None  # ZFA-1: ACTIF, FERME, INEXISTANT
    dmp_feeding: Located | None = None  # ZFA-9: IO opposed, INO not opposed, NA
    dmp_reading: Located | None = None  # ZFA-11: IC, INC, NA

    @property
    def birth_names(self) -> tuple[XpnName, ...]:
        """The repetitions of type L, one whose type letter is misplaced included."""
        return tuple(n for n in self.names if n.type_code == "L" or (not n.type_code and n.misplaced_type == "L"))


@dataclass(frozen=True, slots=True)
class FhirFacts:
    """One Patient, or one reference to a patient.

    `whole` is False where the resource only points at the patient (a logical reference, the sourcePatientInfo of an
    exchange of documents): what it leaves out is no fault. `subject_of` names what the patient is the subject of
    (`DocumentReference`), '' for a Patient alone. Counts are those of `name` with `use = official`.
    """

    whole: bool = True
    profiles: tuple[str, ...] = ()
    official_names: int = 0
    official_given: int = 0
    has_given_list: bool = False
    official_where: Where | None = None
    obsolete: tuple[CodeTold, ...] = ()  # codes of systems that FR Core has left
    subject_of: str = ""
    lunar_date: Located | None = None
    corrected_date: Located | None = None

    @property
    def declares_ins(self) -> bool:
        """One of the profiles is a patient with an INS."""
        return any(p.partition("|")[0].endswith("patient-ins") for p in self.profiles)
