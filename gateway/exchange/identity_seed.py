"""The first filling of the patient indexes: a record in each structure where a patient of the territory has a number (IPP).

A validated or qualified record rests on a proof, a récupérée or qualified one on an answer of INSi, kept as the national base
of the sandbox would have written it: what the product demands of everybody's records holds for those it ships.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from gateway.directory.model import Patient, Territory
from gateway.exchange.indexed import IndexedIdentity, name_of, put
from gateway.exchange.model import Event, Payload
from gateway.identity.local import FOUND, Change, Ins, InsiTrace, LocalIdentity, Proof, Traits
from gateway.identity.status import Attribute, Reliability, Status
from gateway.insi.base import national_base
from gateway.insi.model import Answer, Code, Individual, Operation
from gateway.insi.wire import write_result
from gateway.ports import HeldIns, PutIdentity

BY = "territoire"  # who filled them
CREATED = "created"
SEEDED = "identities-seeded"
_PROOF = "CN"
_WITH_ANSWER = frozenset({Status.RECUP, Status.QUAL})
_PROVEN = frozenset({Status.VALI, Status.QUAL})


def identities_of(territory: Territory, workspace: str, at: datetime) -> tuple[PutIdentity, ...]:
    """Every record of the territory's patients, new; of two that would hold one INS in one structure, the first."""
    people = national_base(territory, "test").people
    told = {key: person.individual for key, person in people.items()}
    made = [
        op
        for patient in territory.patients.values()
        for op in records_of_patient(patient, told.get(patient.key), workspace, at, territory.structures)
    ]
    first: dict[tuple[str, HeldIns], str] = {}
    for op in made:
        for ins in held_by(op):
            first.setdefault((op.structure, ins), op.identity_id)
    return tuple(op for op in made if all(first[op.structure, ins] == op.identity_id for ins in held_by(op)))


def held_by(op: PutIdentity) -> tuple[HeldIns, ...]:
    """The INS a record would hold; none when it has none."""
    return tuple(ins for ins in op.ins if ins.active)


def records_of_patient(
    patient: Patient, told: Individual | None, workspace: str, at: datetime, structures: Iterable[str]
) -> tuple[PutIdentity, ...]:
    """The records of one patient, one for each structure that numbers him."""
    local, answer = _local(patient, told, at)
    answers = (answer,) if answer is not None else ()
    known = set(structures)
    return tuple(
        put(IndexedIdentity(name_of(workspace, key, ipp), workspace, key, replace(local, ipp=ipp)), at, answers=answers)
        for key, ipp in patient.ipp.items()
        if key in known
    )


def seeded(workspace: str, at: datetime, operations: Iterable[PutIdentity]) -> Event:
    """What the journal keeps of a first filling."""
    structures: dict[str, int] = {}
    for op in operations:
        structures[op.structure] = structures.get(op.structure, 0) + 1
    return Event(SEEDED, at, workspace, "", {"structures": structures})


def _local(patient: Patient, told: Individual | None, at: datetime) -> tuple[LocalIdentity, Payload | None]:
    status = Status(patient.status)
    traits = Traits(
        patient.family, patient.given, patient.given_list, patient.sex, patient.birth_date, patient.birth_place
    )
    ins = Ins(patient.matricule, patient.oid) if patient.matricule and patient.oid else None
    trace, answer = None, None
    if status in _WITH_ANSWER and told is not None and ins is not None:
        active = replace(told.active, oid=ins.oid)
        raw = write_result(Answer(Code.FOUND, replace(told, active=active)))
        answer = Payload(len(raw), sha256(raw).hexdigest(), raw)
        former = tuple(Ins(one.matricule.whole, one.oid) for one in told.history)
        history = tuple(dict.fromkeys(one for one in former if one != ins))
        trace = InsiTrace(FOUND, Operation.TRAITS.value, at, BY, answer.sha256, traits, ins, history)
    return (
        LocalIdentity(
            ipp="",
            traits=traits,
            reliability=Reliability(status, frozenset(map(Attribute, patient.attributes))),
            ins=ins if status in _WITH_ANSWER else None,
            used_family=patient.used_family,
            used_given=patient.used_given,
            ins_history=trace.history if trace is not None else (),
            proofs=(Proof(_PROOF, True, at, BY, BY),) if status in _PROVEN else (),
            insi=(trace,) if trace is not None else (),
            changes=(Change(CREATED, at, BY, "", status.value),),
        ),
        answer,
    )
