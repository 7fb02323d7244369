"""A person of a cohort: the record a structure holds, and the truth about the human behind it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.directory.model import Patient


class Form(StrEnum):
    """The messages a person travels in."""

    MAIL = "mail"  # IHE_XDM.zip with a CDA, and the PDF twin
    CDA = "cda"
    ADT = "adt"  # HL7 v2 A28, or A47 when the INS has changed
    MDM = "mdm"  # HL7 v2 T02 with a PID and a CDA
    FHIR = "fhir"  # Patient


FORMS = tuple(Form)
ENDINGS = {Form.MAIL: "eml", Form.CDA: "xml", Form.ADT: "hl7", Form.MDM: "hl7", Form.FHIR: "json"}
WITH_DOCUMENT = frozenset({Form.MAIL, Form.CDA, Form.MDM})


@dataclass(frozen=True, slots=True)
class Person:
    """One record. `patient` is what the structure believes; `human` names who it really is.

    `kind` says what is special (`jumeaux`, `doublon`...), `linked` the other records it must not be confused with, or
    should be joined to. `tells` are the rules that this identity breaks by nature, in every message: a lunar date is a fact
    worth a warning. `former` is an INS it bore before, as (matricule, OID).
    """

    patient: Patient
    kind: str
    human: str
    linked: tuple[str, ...] = ()
    tells: tuple[str, ...] = ()
    former: tuple[str, str] = ("", "")
    published: bool = False

    @property
    def key(self) -> str:
        """The key of the record."""
        return self.patient.key

    @property
    def with_ins(self) -> bool:
        """A qualified identity, whose INS travels."""
        return self.patient.status == "QUAL" and bool(self.patient.matricule)

    @property
    def forms(self) -> tuple[Form, ...]:
        """The messages it can travel in: FHIR has no way to write a day that no calendar knows."""
        return tuple(f for f in FORMS if f is not Form.FHIR) if self.kind == "date-lunaire" else FORMS

    def announced(self, form: Form) -> frozenset[str]:
        """The rules that a clean message of this form must tell: nothing else of it is worth a warning."""
        without = {"INS-031"} if form in WITH_DOCUMENT and not self.with_ins else set()
        return frozenset(without | set(self.tells))
