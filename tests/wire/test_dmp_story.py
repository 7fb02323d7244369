"""The DMP over real HTTPS: what an EHPAD does in a day, and what it is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.pki.model import Profile
from gateway.documents.build_cda import build_cda
from tests.support import dmp_world as dmp
from tests.support.dmp_world import World, live_dmp


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with live_dmp(tmp_path) as made:
        yield made


async def test_a_signed_lot_is_deposited_resolved_and_found_by_an_authorised_doctor(world: World) -> None:
    person, made = dmp.patient(), dmp.record()
    async with world.client() as software:
        exists = await software.exists(person.matricule, person.oid, dmp.vihf())
        answer = await software.deposit(dmp.lot(made), dmp.vihf())
        resolved = await software.resolve([made.document_id], dmp.vihf())
    assert (exists.existence, exists.authorisation) == ("OK active", "VALIDE")
    assert (answer.status, answer.errors) == ("Success", ())
    assert len(resolved.references) == 1
    card = dmp.doctor_certificate(Profile.PROFESSIONAL_AUTH)
    async with world.client(card, dmp.doctor_seal()) as doctor:
        found = await doctor.find(person.matricule, person.oid, dmp.vihf(direct=True))
    assert [(e.unique_id, e.type_code, e.status, e.version) for e in found.entries] == [
        (made.document_id, "74207-2", "Approved", "1")
    ]
    assert found.entries[0].entry_uuid == resolved.references[0]
    assert found.entries[0].size == str(len(build_cda(made)))


async def test_a_structure_certificate_may_not_list_documents(world: World) -> None:
    person = dmp.patient()
    async with world.client() as software:
        answer = await software.find(person.matricule, person.oid, dmp.vihf())
    assert (answer.http_status, answer.subcode) == (500, "DMPAccessDenied")
    assert "DMP-50" in answer.reasons[0]


async def test_a_wrong_key_in_vihf_and_lot_is_an_identity_fault(world: World) -> None:
    wrong = dmp.wrong_key(dmp.patient())
    async with world.client() as software:
        answer = await software.deposit(dmp.lot(dmp.record(wrong)), dmp.vihf(wrong))
    assert answer.subcode == "DMPInvalidIdentity"
    assert "INS-004" in answer.reasons[0]
    assert wrong.matricule not in " ".join(answer.reasons)


async def test_a_wrong_key_in_the_cda_alone_is_a_registry_error_that_cites_both_rules(world: World) -> None:
    made = dmp.record()
    spoilt = dmp.record(dmp.wrong_key(dmp.patient()), document_id=made.document_id, set_id=made.set_id)
    async with world.client() as software:
        answer = await software.deposit(dmp.lot(made, document=build_cda(spoilt)), dmp.vihf())
    assert answer.status == "Failure"
    cited = {e.context.partition(" ")[0]: e.code for e in answer.errors}
    assert cited["INS-004"] == cited["INS-150"] == "XDSRepositoryMetadataError"
    assert dmp.patient().matricule not in str(answer.errors)
    assert not await world.store.entries("demo", dmp.patient().matricule, dmp.patient().oid)


async def test_a_replacement_makes_the_old_document_obsolete(world: World) -> None:
    first = dmp.record()
    second = dmp.record(set_id=first.set_id, version=2, replaces=first.document_id)
    async with world.client() as software:
        await software.deposit(dmp.lot(first), dmp.vihf())
        (target,) = (await software.resolve([first.document_id], dmp.vihf())).references
        answer = await software.deposit(dmp.lot(second, replaces_entry=target), dmp.vihf())
        again = await software.deposit(
            dmp.lot(dmp.record(set_id=first.set_id, version=2, replaces=first.document_id), replaces_entry=target),
            dmp.vihf(),
        )
    assert answer.status == "Success"
    old = await world.store.entry_by_unique_id("demo", first.document_id)
    assert old is not None
    assert old.status == "Deprecated"
    assert [e.code for e in again.errors] == ["XDSRegistryDeprecatedDocumentError"]


async def test_the_uniqueid_of_a_document_is_no_replacement_target(world: World) -> None:
    first = dmp.record()
    second = dmp.record(set_id=first.set_id, version=2, replaces=first.document_id)
    async with world.client() as software:
        await software.deposit(dmp.lot(first), dmp.vihf())
        answer = await software.deposit(dmp.lot(second, replaces_entry=first.document_id), dmp.vihf())
    assert [e.code for e in answer.errors] == ["XDSRegistryMetadataError"]


async def test_the_same_lot_twice_is_a_duplicate_and_other_content_is_not_identical(world: World) -> None:
    made = dmp.record()
    other = dmp.record(document_id=made.document_id, title="Un autre titre")
    async with world.client() as software:
        await software.deposit(dmp.lot(made), dmp.vihf())
        same = await software.deposit(dmp.lot(made), dmp.vihf())
        changed = await software.deposit(dmp.lot(other), dmp.vihf())
    assert [e.code for e in same.errors] == ["XDSDuplicateUniqueIdInRegistry"]
    assert [e.code for e in changed.errors] == ["XDSNonIdenticalHash"]


@pytest.mark.parametrize(("key", "existence"), [("gauthier-rene", "OK terminated"), ("lambert-elise", "NF")])
async def test_a_closed_or_absent_dmp_is_told_by_td02_and_refused_by_the_registry(
    world: World, key: str, existence: str
) -> None:
    person = dmp.patient(key)
    async with world.client() as software:
        exists = await software.exists(person.matricule, person.oid, dmp.vihf(person))
        answer = await software.deposit(dmp.lot(dmp.record(person)), dmp.vihf(person))
    assert exists.existence == existence
    assert "XDSUnknownPatientId" in [e.code for e in answer.errors]


async def test_every_request_is_an_exchange_with_its_findings_and_its_bytes(world: World) -> None:
    content_type, body = dmp.iti41(sign=False)
    answer = await world.send("repository", content_type, body)
    row = await world.last_exchange()
    assert answer.status == "Success"
    assert [e.severity for e in answer.errors] == ["Warning"]
    assert (row.summary["kind"], row.summary["outcome"]) == ("iti-41", "accept_with_alerts")
    assert [f["rule"] for f in row.findings] == ["DMP-82"]
    assert await world.store.blob("demo", row.sha256) == body
    kinds = [e.kind for e in await world.store.events("demo", exchange_id=row.id)]
    assert kinds == ["received", "decided", "registered"]
