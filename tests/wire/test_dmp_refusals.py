"""What the DMP refuses, over real HTTPS: the native answer, its rule, and an exchange in the journal each time."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from lxml import etree

from adapters.clients.dmp import new_ids
from adapters.pki.model import Fault, Profile, Subject
from gateway.documents.build_cda import build_cda
from gateway.documents.build_metadata import Lot, LotEntry
from gateway.documents.model import Code
from gateway.ports import PutDmp
from gateway.sandbox.model import SignatureMode
from gateway.sharing import mtom
from gateway.sharing.answer_read import DmpAnswer
from gateway.sharing.build import build_find_documents, signed
from gateway.sharing.vihf import Vihf, patient_id, write_vihf
from gateway.soap.names import SAML, WSSE, qname
from tests.support import dmp_world as dmp
from tests.support.authority import shared_authority
from tests.support.dmp_world import World, live_dmp


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with live_dmp(tmp_path) as made:
        yield made


async def refused(world: World, answer: DmpAnswer, rule: str, subcode: str = "", error: str = "") -> None:
    """The answer says it natively, the journal tells the same story, and nothing was registered."""
    row = await world.last_exchange()
    if subcode:
        assert answer.subcode == subcode, answer
        assert row.summary["answer"].startswith(f"Fault {subcode}")
    else:
        assert error in [e.code for e in answer.errors if e.severity == "Error"], answer
        assert row.summary["answer"].startswith("Failure")
    rules = [f["rule"] for f in row.findings]
    assert rule in rules, rules
    assert row.summary["outcome"] == "reject"
    person = dmp.patient()
    assert not await world.store.entries("demo", person.matricule, person.oid)


async def deposit(
    world: World, lot: Lot | None = None, vihf: Vihf | None = None, edit: Callable[[bytes], bytes] = lambda b: b
) -> DmpAnswer:
    content_type, body = dmp.iti41(lot, vihf)
    edited = edit(body)
    return await world.send("repository", content_type, edited)


# ------------------------------------------------------------------------------------------------------------------- TLS


async def test_without_a_client_certificate_nothing_is_read(world: World) -> None:
    content_type, body = dmp.iti41()
    async with dmp.DmpClient(world.url, dmp.client_tls(None), dmp.seal()) as client:
        answer = await client.send("repository", content_type, body)
    await refused(world, answer, "DMP-01", "DMPInvalidCertificate")
    row = await world.last_exchange()
    assert row.summary["sender_kind"] == "anonymous"
    assert await world.store.blob("demo", row.sha256) == body


@pytest.mark.parametrize(
    ("fault", "reason"), [(Fault.EXPIRED, "expiré"), (Fault.REVOKED, "révoqué"), (Fault.OTHER_CA, "autorité inconnue")]
)
async def test_a_bad_client_certificate_is_refused_with_its_reason(tmp_path: Path, fault: Fault, reason: str) -> None:
    subject = Subject("tls", "EHPAD", dmp.structure().struct_id_nat)
    issued = shared_authority().ensure(Profile.AUTH_CLIENT, subject, key=f"dmp:{fault.value}", fault=fault)
    async with live_dmp(tmp_path) as world:
        content_type, body = dmp.iti41()
        answer = await world.send("repository", content_type, body, issued)
        await refused(world, answer, "DMP-02", "DMPInvalidCertificate")
    assert reason in answer.reasons[0]


# ------------------------------------------------------------------------------------------------------------------ VIHF


async def send_assertion(world: World, make: Callable[[bytes], bytes]) -> DmpAnswer:
    """A search whose assertion was replaced after the message was made."""
    ids = new_ids()
    claimed = dmp.vihf()
    content_type, body = build_find_documents(claimed.resource_id, claimed, dmp.seal(), ids)
    start, end = body.index(b"<saml2:Assertion"), body.index(b"</saml2:Assertion>") + len(b"</saml2:Assertion>")
    return await world.send("registry", content_type, body[:start] + make(body[start:end]) + body[end:])


async def test_a_missing_vihf(world: World) -> None:
    await refused(world, await send_assertion(world, lambda _: b""), "DMP-20", "DMPInvalidVIHF")


async def test_an_unsigned_vihf(world: World) -> None:
    unsigned = write_vihf(replace(dmp.vihf(), assertion_id="_x")).encode()
    await refused(world, await send_assertion(world, lambda _: unsigned), "DMP-21", "DMPInvalidVIHF")


async def test_a_tampered_vihf(world: World) -> None:
    answer = await send_assertion(world, lambda a: a.replace(b"INDIRECTE", b"DIRECTE"))
    await refused(world, answer, "DMP-22", "DMPInvalidVIHF")


async def test_a_wrapped_vihf(world: World) -> None:
    content_type, body = dmp.iti41()
    read = mtom.read_multipart(content_type, body)
    root = etree.fromstring(read.root.content)
    security = root.find(f".//{qname(WSSE, 'Security')}")
    assert security is not None
    original = security[0]
    evil = copy.deepcopy(original)
    evil.set("ID", "_evil")
    security.replace(original, evil)
    etree.SubElement(root[0], "{urn:x}Aside").append(original)
    assert root.find(f".//{{urn:x}}Aside/{qname(SAML, 'Assertion')}") is not None
    edited = body.replace(read.root.content, etree.tostring(root))
    await refused(world, await world.send("repository", content_type, edited), "DMP-23", "DMPInvalidVIHF")


async def test_a_vihf_signed_by_the_authentication_certificate(world: World) -> None:
    answer = await send_assertion(world, lambda _: signed(dmp.vihf(), new_ids(), dmp.seal(Profile.AUTH_CLIENT)))
    await refused(world, answer, "DMP-26", "DMPInvalidCertificate")
    assert answer.reasons[0].startswith("Not a valid signature certificate")


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda v: replace(v, version="1.0"), "DMP-30"),
        (lambda v: replace(v, mode="MIXTE"), "DMP-31"),
        (lambda v: replace(v, sector=""), "DMP-32"),
        (lambda v: replace(v, lps_homologation=""), "DMP-32"),
        (lambda v: replace(v, roles=v.roles[:1]), "DMP-33"),
        (lambda v: replace(v, structure_id="1999999999"), "DMP-34"),
        (lambda v: replace(v, structure_id=dmp.structure("ehpad-les-glycines").struct_id_nat), "DMP-35"),
        (lambda v: replace(v, mode="DIRECTE"), "DMP-36"),
        (lambda v: replace(v, resource_id=""), "DMP-37"),
        (lambda v: replace(v, resource_urn="urn:autre"), "DMP-37"),
        (lambda v: replace(v, purpose=Code("curiosite", "1.2.250.1.213.1.1.4.248")), "DMP-38"),
        (lambda v: replace(v, purpose=Code("bris_de_glace", "1.2.250.1.213.1.1.4.248")), "DMP-38"),
        (lambda v: replace(v, issue_instant=f"{dmp.now() - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"), "DMP-39"),
        (lambda v: replace(v, not_on_or_after=f"{dmp.now() - timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}"), "DMP-39"),
    ],
)
async def test_each_wrong_claim_is_a_vihf_fault(world: World, change: Callable[[Vihf], Vihf], rule: str) -> None:
    answer = await deposit(world, vihf=change(dmp.vihf()))
    await refused(world, answer, rule, "DMPInvalidVIHF")
    row = await world.last_exchange()
    assert row.summary["answer"].startswith("Fault DMPInvalidVIHF")


async def test_a_reinforced_assertion_serves_once(world: World) -> None:
    air = replace(dmp.vihf(), mode="INDIRECTE_RENFORCEE")
    ids = new_ids()
    request = build_find_documents(air.resource_id, air, dmp.seal(), ids)
    first = await world.send("registry", *request)
    second = await world.send("registry", *request)
    assert first.accepted
    assert (second.subcode, "DMP-39" in second.reasons[0]) == ("DMPInvalidVIHF", True)


async def test_a_resource_id_of_another_form(world: World) -> None:
    answer = await deposit(world, vihf=replace(dmp.vihf(), resource_id=dmp.patient().matricule))
    await refused(world, answer, "DMP-40", "DMPInvalidIdentity")
    assert dmp.patient().matricule not in " ".join(answer.reasons)


async def test_a_vihf_made_for_another_patient(world: World) -> None:
    other = dmp.patient("brunel-odette")
    await refused(world, await deposit(world, vihf=dmp.vihf(other)), "INS-134", "DMPInvalidVIHF")
    async with world.client() as client:
        answer = await client.exists(other.matricule, other.oid, dmp.vihf())
    await refused(world, answer, "DMP-41", "DMPInvalidVIHF")


# ---------------------------------------------------------------------------------------------------------------- rights


async def test_a_doctor_without_authorisation_and_one_the_patient_blocked(world: World) -> None:
    person = dmp.patient()
    card = dmp.doctor_certificate(Profile.PROFESSIONAL_AUTH)
    for state, rule, subcode in (
        ("EXPIRE", "DMP-51", "DMPAuthorizationMissing"),
        ("INTERDIT", "DMP-52", "DMPAccessDenied"),
    ):
        given = {dmp.doctor().ps_id_nat: state}
        await world.store.commit(PutDmp("demo", person.matricule, person.oid, "active", given))
        async with world.client(card, dmp.doctor_seal()) as doctor:
            answer = await doctor.find(person.matricule, person.oid, dmp.vihf(direct=True))
            exists = await doctor.exists(person.matricule, person.oid, dmp.vihf(direct=True))
        assert exists.authorisation == state
        assert (answer.subcode, rule in answer.reasons[0]) == (subcode, True)


async def test_a_masked_document_is_seen_by_its_author_alone(world: World) -> None:
    person = dmp.patient()
    other = dmp.doctor("bellec-sofia")
    given = {other.ps_id_nat: "VALIDE"}
    await world.store.commit(PutDmp("demo", person.matricule, person.oid, "active", given))
    async with world.client() as software:
        await software.deposit(dmp.lot(masks=("MASQUE_PS",)), dmp.vihf())
    found = {}
    for key, structure in (("aubry-paul", dmp.EHPAD), ("bellec-sofia", "ehpad-les-glycines")):
        claimed = replace(
            dmp.vihf(direct=True),
            name_id=dmp.doctor(key).ps_id_nat,
            structure_id=dmp.structure(structure).struct_id_nat,
        )
        card = dmp.doctor_certificate(Profile.PROFESSIONAL_AUTH, key)
        async with world.client(card, dmp.doctor_seal(key)) as doctor:
            found[key] = len((await doctor.find(person.matricule, person.oid, claimed)).entries)
    assert found == {"aubry-paul": 1, "bellec-sofia": 0}


async def test_a_depositor_who_is_no_author(world: World) -> None:
    made = dmp.record(structure=dmp.structure("ehpad-les-glycines"), author=dmp.doctor("bellec-sofia"))
    await refused(world, await deposit(world, dmp.lot(made)), "DMP-61", "DMPAccessDenied")


# ------------------------------------------------------------------------------------------------------------------- lot


async def test_a_missing_mtom_part(world: World) -> None:
    answer = await deposit(world, edit=lambda b: b.replace(b"Content-ID: <document01@", b"Content-ID: <autre@"))
    await refused(world, answer, "DMP-62", error="XDSMissingDocument")


async def test_a_document_without_entry(world: World) -> None:
    answer = await deposit(
        world, edit=lambda b: b.replace(b'<Document id="Document01">', b'<Document id="Document99">')
    )
    await refused(world, answer, "DMP-63", error="XDSMissingDocumentMetadata")


async def test_a_document_in_base64_instead_of_a_part(world: World) -> None:
    content_type, body = dmp.iti41()
    start = body.index(b'<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include" href="cid:document01')
    end = body.index(b"/>", start) + 2
    answer = await world.send("repository", content_type, body[:start] + b"PGEvPg==" + body[end:])
    await refused(world, answer, "DMP-13", error="XDSMissingDocument")


async def test_hash_and_size_that_are_not_those_of_the_octets(world: World) -> None:
    made = dmp.lot()
    right = build_cda(made.entries[0].record)
    lot = replace(made, digests=True)
    answer = await deposit(world, lot, edit=lambda b: b.replace(right[-40:], right[-40:] + b"\n", 1))
    assert {"DMP-64", "DMP-65"} <= {e.context.partition(" ")[0] for e in answer.errors}
    await refused(world, answer, "DMP-64", error="XDSRepositoryMetadataError")


async def test_metadata_that_contradict_the_document(world: World) -> None:
    made = dmp.record()
    other = replace(made, at=made.at + timedelta(days=1))
    answer = await deposit(world, dmp.lot(made, document=build_cda(other)))
    await refused(world, answer, "DOC-META-02", error="XDSRepositoryMetadataError")


async def test_a_document_that_is_not_a_cda_and_one_with_a_doctype(world: World) -> None:
    for octets, rule in (
        (b"<a/>", "XDM-07"),
        (b"<a>", "CDA-01"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "ABU-01"),
    ):
        answer = await deposit(world, dmp.lot(document=octets))
        await refused(world, answer, rule, error="InvalidDocumentContent")


async def test_a_document_over_the_limit(world: World) -> None:
    limits = replace(world.sandboxes.policy_now.limits, dmp_document_bytes=10_000)
    world.sandboxes.policy_now = replace(world.sandboxes.policy_now, limits=limits)
    await refused(world, await deposit(world), "DMP-70", error="DMPDocumentTooLarge")


async def test_two_patients_in_one_lot(world: World) -> None:
    first, second = dmp.lot(), dmp.record(dmp.patient("brunel-odette"))
    entries = (*first.entries, LotEntry(second, build_cda(second), "Document02", "DOC0002.XML"))
    answer = await deposit(world, replace(first, entries=entries))
    # the VIHF was made for one of them: the other is not the patient of the request
    await refused(world, answer, "INS-134", "DMPInvalidVIHF")


async def test_masks_that_exclude_each_other(world: World) -> None:
    answer = await deposit(world, dmp.lot(masks=("MASQUE_PS", "INVISIBLE_PATIENT")))
    await refused(world, answer, "DMP-78", error="XDSRepositoryMetadataError")


async def test_a_lot_signature_that_does_not_cover_the_document_sent(world: World) -> None:
    answer = await deposit(world, edit=lambda b: b.replace(b"<title>", b"<title> ", 1))
    await refused(world, answer, "DMP-83", error="DMPInvalidDocumentSignature")


async def test_an_unsigned_lot_where_the_workspace_verifies(world: World) -> None:
    world.sandboxes.policy_now = replace(world.sandboxes.policy_now, dmp_signature=SignatureMode.VERIFY)
    content_type, body = dmp.iti41(sign=False)
    answer = await world.send("repository", content_type, body)
    await refused(world, answer, "DMP-82", error="DMPInvalidDocumentSignature")


async def test_an_unqualified_identity_or_a_production_oid_is_refused(world: World) -> None:
    real = replace(dmp.patient(), oid="1.2.250.1.213.1.4.8")
    answer = await deposit(world, dmp.lot(dmp.record(real)), dmp.vihf(real))
    await refused(world, answer, "INS-135", "DMPInvalidIdentity")


# --------------------------------------------------------------------------------------------------------------- queries


async def test_a_query_badly_written_gets_a_registry_failure(world: World) -> None:
    person = dmp.patient()
    card = dmp.doctor_certificate(Profile.PROFESSIONAL_AUTH)
    claimed = dmp.vihf(direct=True)
    cx = patient_id(person.matricule, person.oid)
    content_type, body = build_find_documents(cx, claimed, dmp.doctor_seal(), new_ids())
    for old, new, error in (
        (b"$XDSDocumentEntryStatus", b"$XDSDocumentEntryStatut", "XDSStoredQueryMissingParam"),
        (b"urn:uuid:14d4debf", b"urn:uuid:00000000", "XDSUnknownStoredQuery"),
        (b"<Value>'", b"<Value>('", "XDSStoredQueryParamNumber"),
    ):
        edited = body.replace(old, new)
        if error.endswith("ParamNumber"):
            edited = edited.replace(b"^NH'<", b"^NH')<")
        answer = await world.send("registry", content_type, edited, card)
        assert (answer.status, [e.code for e in answer.errors]) == ("Failure", [error]), answer
        assert (await world.last_exchange()).summary["outcome"] == "reject"


async def test_a_patient_with_no_document_gets_an_empty_success(world: World) -> None:
    person = dmp.patient()
    async with world.client(dmp.doctor_certificate(Profile.PROFESSIONAL_AUTH), dmp.doctor_seal()) as doctor:
        answer = await doctor.find(person.matricule, person.oid, dmp.vihf(direct=True))
    assert (answer.status, answer.entries, answer.errors) == ("Success", (), ())
    row = await world.last_exchange()
    assert (row.summary["kind"], row.summary["transaction"], row.summary["outcome"]) == ("iti-18", "TD3.1a", "accept")


async def test_too_many_results_are_refused_not_cut(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.exchange.deposit.MAX_RESULTS", 1)
    person = dmp.patient()
    async with world.client() as software:
        for _ in range(2):
            assert (await software.deposit(dmp.lot(), dmp.vihf())).accepted
    async with world.client(dmp.doctor_certificate(Profile.PROFESSIONAL_AUTH), dmp.doctor_seal()) as doctor:
        answer = await doctor.find(person.matricule, person.oid, dmp.vihf(direct=True))
    assert [e.code for e in answer.errors] == ["XDSTooManyResults"]
    assert (await world.last_exchange()).summary["outcome"] == "reject"
