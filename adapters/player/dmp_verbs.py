"""The DMP steps: test, deposit, resolve, find; as a structure's software or as a doctor with his card."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from adapters.clients.dmp import DmpClient
from adapters.pki.contexts import client_context
from adapters.pki.model import Issued, Profile
from adapters.player.mail_verbs import HOST
from adapters.player.result import Checks, Seen
from adapters.player.world import World
from gateway.directory.identifiers import matricule_key
from gateway.directory.model import Patient, Professional, Structure
from gateway.documents.build_cda import build_cda
from gateway.documents.build_metadata import oid_from
from gateway.scenarios.model import Step
from gateway.sharing.answer_read import DmpAnswer
from gateway.sharing.build import deposit_lot, vihf_of
from gateway.sharing.vihf import Vihf


def exists(world: World, step: Step) -> Seen:
    """TD0.2 as a structure."""
    patient, structure = world.patient(step.args["patient"]), world.structure(step.args["structure"])
    vihf = _vihf(world, structure, patient)
    answer = _asked(world, structure, lambda dmp: dmp.exists(patient.matricule, patient.oid, vihf))
    checks = _checked(step, answer)
    if "status" in step.expect:
        checks.equal("status", step.expect["status"], answer.existence.rpartition(" ")[2])
    return Seen(
        f"TD0.2 : {answer.existence}, autorisation {answer.authorisation}", checks, {"existence": answer.existence}
    )


def deposit(world: World, step: Step) -> Seen:
    """TD2.1 as a structure; `fault` names what is made wrong on purpose."""
    structure = world.structure(step.args["structure"])
    author = world.professional(step.args["author"])
    patient = world.patient(step.args["patient"])
    wrong = replace(patient, matricule=_with_wrong_key(patient.matricule))
    told = wrong if step.args.get("fault") == "wrong-key-everywhere" else patient
    record = world.record(step.args["document"], told, structure, author)
    in_cda = replace(record, patient=wrong) if step.args.get("fault") == "wrong-key-in-cda" else record
    lot = deposit_lot(record, oid_from(uuid4().hex, "lot"), record.at, document=build_cda(in_cda))
    vihf = vihf_of(structure, author, told.matricule, told.oid, datetime.now(UTC))
    answer = _asked(world, structure, lambda dmp: dmp.deposit(lot, vihf))
    world.documents[step.id] = record
    checks = _checked(step, answer)
    if "status" in step.expect:
        checks.equal("status", step.expect["status"], answer.status)
    if "error" in step.expect:
        checks.contains("error", step.expect["error"], [e.code for e in answer.errors])
    said = " ".join(e.context for e in answer.errors) + " ".join(answer.reasons)
    for rule in step.expect.get("rules", ()):
        checks.truth(f"{rule} cited", rule in said)
    return Seen(
        _told(answer), checks, {"status": answer.status, "fault": answer.subcode, "document": record.document_id}
    )


def resolve(world: World, step: Step) -> Seen:
    """TD3.1b: the entryUUID of a document deposited earlier."""
    structure = world.structure(step.args["structure"])
    document = world.documents[step.args["deposit"]]
    vihf = _vihf(world, structure, document.patient)
    answer = _asked(world, structure, lambda dmp: dmp.resolve([document.document_id], vihf))
    checks = _checked(step, answer)
    checks.equal("found", step.expect.get("found", 1), len(answer.references))
    return Seen(f"TD3.1b : {', '.join(answer.references)}", checks, {"references": list(answer.references)})


def find(world: World, step: Step) -> Seen:
    """TD3.1a as a doctor (DIRECTE) or as a structure (INDIRECTE)."""
    patient = world.patient(step.args["patient"])
    if "doctor" in step.args:
        doctor = world.professional(step.args["doctor"])
        structure = world.structure(doctor.structures[0])
        vihf = vihf_of(structure, doctor, patient.matricule, patient.oid, datetime.now(UTC), direct=True)
        answer = _asked(world, doctor, lambda dmp: dmp.find(patient.matricule, patient.oid, vihf))
    else:
        structure = world.structure(step.args["structure"])
        vihf = _vihf(world, structure, patient)
        answer = _asked(world, structure, lambda dmp: dmp.find(patient.matricule, patient.oid, vihf))
    checks = _checked(step, answer)
    if "found" in step.expect:
        checks.equal("found", step.expect["found"], len(answer.entries))
    titles = ", ".join(f"{e.type_code} {e.title}" for e in answer.entries)
    return Seen(f"TD3.1a : {titles}" if answer.entries else _told(answer), checks, {"found": len(answer.entries)})


def _asked(world: World, who: Structure | Professional, ask: Callable[[DmpClient], Awaitable[DmpAnswer]]) -> DmpAnswer:
    """One call with the certificates of its author: one authenticates, the other signs."""
    shown, seal = _certificates(world, who)

    async def call() -> DmpAnswer:
        tls = client_context(world.authority, shown)
        url = f"https://{HOST}:{world.gateway.port('https')}"
        async with DmpClient(url, tls, world.authority.signer(seal)) as dmp:
            return await ask(dmp)

    return asyncio.run(call())


def _certificates(world: World, who: Structure | Professional) -> tuple[Issued, Issued]:
    given = world.certificates
    if isinstance(who, Structure):
        return given.structure(who, Profile.AUTH_CLIENT), given.structure(who, Profile.SIGN)
    return given.professional(who, Profile.PROFESSIONAL_AUTH), given.professional(who, Profile.PROFESSIONAL_SIGN)


def _vihf(world: World, structure: Structure, patient: Patient) -> Vihf:
    """A structure's VIHF, on behalf of one of its professionals."""
    author = next(p for p in world.territory.professionals.values() if structure.key in p.structures)
    return vihf_of(structure, author, patient.matricule, patient.oid, datetime.now(UTC))


def _with_wrong_key(matricule: str) -> str:
    right = int(matricule_key(matricule[:13]))
    return f"{matricule[:13]}{right % 97 + 1:02d}"


def _checked(step: Step, answer: DmpAnswer) -> Checks:
    """A Fault is only welcome when it is expected."""
    checks = Checks()
    checks.equal("fault", step.expect.get("fault", ""), answer.subcode)
    return checks


def _told(answer: DmpAnswer) -> str:
    if answer.subcode:
        return f"SOAP Fault {answer.subcode} : {answer.reasons[0] if answer.reasons else ''}"
    errors = " | ".join(f"{e.code} : {e.context}" for e in answer.errors)
    return f"RegistryResponse {answer.status} {errors}".strip()
