"""Mutations of the PID and of what stands beside it in a message of HL7 v2."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gateway.cohort.messages import Spoiling
from gateway.cohort.model import Form
from gateway.cohort.mutations import PIDS, Case, Mutation, mutation
from gateway.hl7v2.build import HOME, Er7, ins_cx

_ADT = (Form.ADT,)
_MDM = (Form.MDM,)


def _er7(change: Callable[[Er7, Case], Er7]) -> Callable[[Case], Spoiling]:
    return lambda case: Spoiling(er7=lambda message: change(message, case))


def _field(number: int, change: Callable[[str, Case], str]) -> Callable[[Case], Spoiling]:
    """One field of the PID, from what it was."""
    return _er7(lambda er7, case: replace(er7, pid={**er7.pid, number: change(er7.pid.get(number, ""), case)}))


def _birth_name(change: Callable[[list[str]], list[str]]) -> Callable[[Case], Spoiling]:
    """The components of the first name of PID-5."""

    def changed(value: str, case: Case) -> str:
        birth, *others = value.split("~")
        return "~".join(["^".join(change(birth.split("^"))), *others])

    return _field(5, changed)


def _before_ins(value: str, case: Case) -> str:
    patient = case.person.patient
    return value.replace(ins_cx(patient.matricule, patient.oid), "")


def _type(code: str) -> Callable[[str, Case], str]:
    def changed(value: str, case: Case) -> str:
        patient = case.person.patient
        return _before_ins(value, case) + ins_cx(patient.matricule, patient.oid, code)

    return changed


def _without_oid(value: str, case: Case) -> str:
    return f"{_before_ins(value, case)}{case.person.patient.matricule}^^^ASIP-SANTE-INS-NIR^INS"


def _other_ins(value: str, case: Case) -> str:
    return value.replace(case.person.patient.matricule, case.other.patient.matricule)


HL7_MUTATIONS: tuple[Mutation, ...] = (
    mutation("PID-32-absent", "PID-32", PIDS, "INS-100", _field(32, lambda value, case: "")),
    mutation("PID-32-PROV", "PID-32", PIDS, "INS-101", _field(32, lambda value, case: "PROV")),
    mutation("PID-32-QUAL", "PID-32", PIDS, "INS-102", _field(32, lambda value, case: "QUAL")),
    mutation("PID-32-deux-statuts", "PID-32", PIDS, "INS-078", _field(32, lambda value, case: "VALI~PROV")),
    mutation("PID-32-douteuse", "PID-32", PIDS, "INS-076", _field(32, lambda value, case: "VALI~DOUT")),
    mutation("PID-32-fictive-et-douteuse", "PID-32", PIDS, "INS-075", _field(32, lambda value, case: "VALI~DOUT~FICT")),
    mutation("XPN-7-sans-L", "PID-5", PIDS, "INS-103", _birth_name(lambda xpn: [*xpn[:6], "D"])),
    mutation("XPN-7-inconnu", "PID-5", PIDS, "INS-104", _field(5, lambda value, case: f"{value}~DURAND^ANNE^^^^^Z")),
    mutation("XPN-7-décalé", "PID-5", PIDS, "INS-106", _birth_name(lambda xpn: [*xpn[:5], "L"])),
    mutation("XPN-3-absent", "PID-5", PIDS, "INS-105", _birth_name(lambda xpn: [*xpn[:2], "", *xpn[3:]])),
    mutation("XPN-2-absent", "PID-5", PIDS, "INS-106", _birth_name(lambda xpn: [xpn[0], "", *xpn[2:]])),
    mutation("PID-7-absent", "PID-7", PIDS, "INS-032", _field(7, lambda value, case: "")),
    mutation("PID-7-à-tirets", "PID-7", PIDS, "INS-052", _field(7, lambda value, case: case.person.patient.birth_date)),
    mutation("PID-8-absent", "PID-8", PIDS, "INS-032", _field(8, lambda value, case: "")),
    mutation("PID-8-hors-table", "PID-8", PIDS, "INS-112", _field(8, lambda value, case: "X")),
    mutation("BDL-absent", "PID-11", PIDS, "INS-108", _field(11, lambda value, case: value.split("~")[0])),
    mutation(
        "COG-au-domicile",
        "PID-11",
        PIDS,
        "INS-109",
        _field(11, lambda value, case: f"{HOME}^^{case.person.patient.birth_place}"),
    ),
    mutation("CX-7-daté", "PID-3", PIDS, "INS-110", _field(3, lambda value, case: f"{value}^^20240101")),
    mutation("CX-5-NH", "PID-3", PIDS, "INS-026", _field(3, _type("NH"))),
    mutation("CX-4-sans-OID", "PID-3", PIDS, "INS-020", _field(3, _without_oid)),
    mutation("CX-5-INS-C", "PID-3", PIDS, "INS-024 INS-025", _field(3, lambda v, case: v.replace(".4.10&", ".4.6&"))),
    mutation(
        "deux-INS-dans-PID-3",
        "PID-3",
        PIDS,
        "INS-028",
        _field(3, lambda v, case: f"{v}~{ins_cx(case.other.patient.matricule, case.other.patient.oid)}"),
    ),
    mutation("PID-19-rempli", "PID-19", PIDS, "INS-111", _field(19, lambda value, case: case.person.patient.matricule)),
    mutation("ZFD-4-Y", "ZFD", PIDS, "INS-107", _er7(lambda er7, case: replace(er7, after=("ZFD||||Y", *er7.after)))),
    mutation(
        "ZFD-5-inconnu", "ZFD", PIDS, "INS-116", _er7(lambda er7, case: replace(er7, after=("ZFD|||||XX", *er7.after)))
    ),
    mutation("A47-sans-MRG", "MRG", _ADT, "INS-113", _er7(lambda er7, case: replace(er7, event="A47"))),
    mutation(
        "A47-INS-inchangée",
        "MRG",
        _ADT,
        "INS-113",
        _er7(
            lambda er7, case: replace(
                er7, event="A47", after=(f"MRG|{ins_cx(case.person.patient.matricule, case.person.patient.oid)}",)
            )
        ),
    ),
    mutation("PID-INS-d-un-autre", "PID-3 et CDA", _MDM, "INS-157", _field(3, _other_ins)),
    mutation(
        "PID-IPP-d-un-autre", "PID-3 et CDA", _MDM, "INS-157", _field(3, lambda v, case: v.replace("CO0", "CX0", 1))
    ),
    mutation("deux-PID", "PID", _MDM, "HL7-13", _er7(lambda er7, case: replace(er7, second_pid=er7.pid))),
    mutation(
        "nom-et-prénom-permutés",
        "PID-5 et CDA",
        _MDM,
        "INS-151",
        _birth_name(lambda xpn: [xpn[1], xpn[0], *xpn[2:]]),
        lambda p: p.patient.family != p.patient.given,
    ),
)
