"""HL7 v2 messages as a software writes them: ADT of an identity, ORU and MDM with a CDA. French PAM, ER7, UTF-8.

Source: IHE PAM France 2.11.2; CI-SIS, transmission de documents CDA-R2 en HL7v2 2.1.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, replace
from datetime import datetime

from gateway.directory.model import Patient, Structure
from gateway.documents.build_record import ipp_oid
from gateway.documents.model import Code
from gateway.identity.model import INS_NIA

_ESCAPES = str.maketrans({"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\"})
HOME = "4 RUE DU LAVOIR^^BRUMEVAL^^48901^FRA^H"
_LAST_FIELD = 35
_KINDS = {
    "A28": ("ADT", "ADT_A05"),
    "A31": ("ADT", "ADT_A05"),
    "A47": ("ADT", "ADT_A30"),
    "R01": ("ORU", "ORU_R01"),
    "T02": ("MDM", "MDM_T02"),
}


@dataclass(frozen=True, slots=True)
class Er7:
    """A message before it is written: its event, the fields of its PID (by number, already ER7), what follows the PID."""

    event: str
    pid: dict[int, str]
    after: tuple[str, ...] = ()
    second_pid: dict[int, str] = field(default_factory=dict)

    def with_pid(self, **fields: str) -> Er7:
        """The same with other PID fields: `f3="..."`."""
        return replace(self, pid={**self.pid, **{int(name[1:]): value for name, value in fields.items()}})


def escaped(text: str) -> str:
    """A text inside a component."""
    return text.translate(_ESCAPES)


def ins_cx(matricule: str, oid: str, type_code: str = "INS") -> str:
    """An INS as CX, under the name of its authority."""
    authority = "ASIP-SANTE-INS-NIA" if oid == INS_NIA else "ASIP-SANTE-INS-NIR"
    return f"{matricule}^^^{authority}&{oid}&ISO^{type_code}"


def pid_fields(patient: Patient, structure: Structure, *, with_ins: bool) -> dict[int, str]:
    """The fields of the PID of a patient."""
    ids = [f"{patient.ipp[structure.key]}^^^CH-BRUMEVAL&{ipp_oid(structure)}&ISO^PI"]
    if with_ins:
        ids.append(ins_cx(patient.matricule, patient.oid))
    used = ""
    if patient.used_family or patient.used_given:
        family = escaped(patient.used_family or patient.family)
        used = f"~{family}^{escaped(patient.used_given or patient.given)}^^^^^D"
    return {
        1: "1",
        3: "~".join(ids),
        5: f"{escaped(patient.family)}^{escaped(patient.given)}^{escaped(patient.given_list)}^^^^L{used}",
        7: patient.birth_date.replace("-", ""),
        8: patient.sex,
        11: f"{HOME}~^^^^^^BDL^^{patient.birth_place}",
        32: "PROV" if patient.status == "PROV" else "VALI",
    }


def mdm_of(patient: Patient, structure: Structure, cda: bytes, code: str, document: str, *, with_ins: bool) -> Er7:
    """A T02 that carries one CDA; `code` is its LOINC, `document` the number its sender gives it."""
    return Er7(
        "T02",
        pid_fields(patient, structure, with_ins=with_ins),
        ("PV1|1|N", f"TXA|1|CR|TX|||||||||{document}|||||AU", obx_of(cda, f"{code}^Document^LN")),
    )


def oru_of(patient: Patient, structure: Structure, cda: bytes, code: Code, *, with_ins: bool) -> Er7:
    """An R01 that carries one CDA."""
    named = f"{code.code}^{escaped(code.label)}^LN"
    return Er7(
        "R01",
        pid_fields(patient, structure, with_ins=with_ins),
        ("PV1|1|N", "ORC|NW", f"OBR|1|||{named}", obx_of(cda, named)),
    )


def obx_of(cda: bytes, code: str) -> str:
    """The OBX of a CDA: `code` as CE, the octets in base64."""
    return f"OBX|1|ED|{code}||^TEXT^XML^Base64^{base64.b64encode(cda).decode()}||||||F"


def er7_octets(message: Er7, control_id: str, at: datetime, *, codec: str = "utf-8") -> bytes:
    """The message as octets; segments end with CR. `codec` is what it is written in: MSH-18 says UTF-8 whatever it is."""
    family, structure = _KINDS[message.event]
    version = "2.5^FRA^2.11" if family == "ADT" else "2.5"
    when = f"{at:%Y%m%d%H%M%S}"
    kind = f"{family}^{message.event}^{structure}"
    header = (
        f"MSH|^~\\&|DPI|CH-BRUMEVAL|PASSERELLE|SANDBOX|{when}||{kind}|{control_id}|T|{version}|||||FRA|UNICODE UTF-8"
    )
    segments = [
        header,
        *([f"EVN||{when}"] if family != "ORU" else []),
        _segment(message.pid),
        *([_segment(message.second_pid)] if message.second_pid else []),
        *message.after,
    ]
    return "".join(f"{segment}\r" for segment in segments).encode(codec)


def _segment(fields: dict[int, str]) -> str:
    return "|".join(["PID", *(fields.get(n, "") for n in range(1, _LAST_FIELD + 1))]).rstrip("|")
