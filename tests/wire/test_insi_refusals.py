"""Who and what INSi refuses, and its incidents: the native fault, its rule, an exchange each time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.http.body import Patience
from adapters.insi.routes import BASE
from adapters.pki.model import Fault, Issued, Profile, Subject
from adapters.storage import open_store
from gateway.insi.assertion import Claims, write_claims
from gateway.insi.faults import InsiFaults, Outage, TraitChange
from gateway.insi.model import CardData, Matricule, Operation, Traits, Verification
from gateway.ports import RecordExchange, StoreUnavailable
from gateway.rules import Override
from gateway.sandbox.model import Policy, Vigilance
from gateway.soap.assertion import sign_assertion
from gateway.soap.certificates import subject_written
from tests.support import dmp_world as dmp
from tests.support import insi_world as insi
from tests.support.authority import shared_authority
from tests.support.insi_world import SUZANNE, SUZANNE_INS, TYPE, Said, World, live_insi

FICTIVE = Traits("FORMATION", ("ZOE",), "F", "1990-01-01")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with live_insi(tmp_path, patience=Patience(idle_s=0.4, whole_s=20)) as made:
        yield made


async def refused(world: World, said: Said, rule: str, code: str, status: int = 500) -> None:
    """The fault says it natively and the journal tells the same."""
    assert (said.status, said.fault) == (status, code), said.raw
    row = await world.last()
    assert row.summary["outcome"] == "reject"
    assert row.summary["answer"].startswith(f"Fault {code} : {rule}")
    assert rule in [f["rule"] for f in row.findings]
    assert said.headers["x-passerelle-exchange"] == row.id
    assert rule in said.raw.decode()


# -------------------------------------------------------------------------------------------------------------------- peer


async def test_without_a_client_certificate_nothing_is_read(world: World) -> None:
    import httpx

    async with httpx.AsyncClient(base_url=world.url, verify=dmp.client_tls(None)) as client:
        response = await client.post(BASE, content=b"<!DOCTYPE", headers={"Content-Type": TYPE})
    await refused(world, Said(response.status_code, response.content, response.headers), "INSI-01", "desir_560")


@pytest.mark.parametrize("fault", [Fault.EXPIRED, Fault.REVOKED, Fault.OTHER_CA])
async def test_a_bad_client_certificate_is_refused_with_its_reason(tmp_path: Path, fault: Fault) -> None:
    subject = Subject("INSI-AUTO", "EDITEUR", dmp.structure().struct_id_nat)
    issued = shared_authority().ensure(Profile.AUTH_CLIENT, subject, key=f"insi:{fault.value}", fault=fault)
    async with live_insi(tmp_path) as world:  # after the certificate: the door reads rogue roots when it opens
        said = await world.ask(SUZANNE, issued=issued)
        await refused(world, said, "INSI-02", "desir_560")


@pytest.mark.parametrize("name", ["MON-LOGICIEL", "insi-auto", "INSI_AUTO", "INSI-AUTO "])
async def test_the_common_name_is_exact(world: World, name: str) -> None:
    said = await world.ask(SUZANNE, issued=insi.software_certificate(name))
    await refused(world, said, "INSI-03", "desir_560")
    assert "INSI-AUTO" in said.raw.decode()


async def test_both_software_names_open(world: World) -> None:
    for name in ("INSI-AUTO", "INSI-MANU"):
        assert (await world.ask(SUZANNE, issued=insi.software_certificate(name))).code == "00"


# --------------------------------------------------------------------------------------------------------------- assertion


def assertion(claims: Claims | None = None, signer: Any = None) -> bytes:
    seal = signer or dmp.doctor_seal()
    return sign_assertion(write_claims(claims or insi.claims(), subject_written(seal.certificate)), seal)


def structure() -> Issued:
    return dmp.structure_certificate(Profile.AUTH_CLIENT)


async def with_assertion(world: World, made: bytes) -> Said:
    return await world.send(insi.call_xml(SUZANNE, assertion=made), issued=structure())


async def test_a_structures_certificate_with_a_card_assertion_opens(world: World) -> None:
    assert (await with_assertion(world, assertion())).code == "00"
    row = await world.last()
    assert row.summary["professional"] == dmp.doctor().ps_id_nat


async def test_a_vihf_is_such_an_assertion(world: World) -> None:
    from adapters.clients.dmp import new_ids
    from gateway.sharing.build import signed

    assert (await with_assertion(world, signed(dmp.vihf(), new_ids(), dmp.seal()))).code == "00"


async def test_an_assertion_changed_after_signing(world: World) -> None:
    said = await with_assertion(world, assertion().replace(b"SA01", b"SA02"))
    await refused(world, said, "INSI-04", "desir_560")


async def test_an_unsigned_assertion(world: World) -> None:
    said = await with_assertion(world, write_claims(insi.claims(), "x").encode())
    await refused(world, said, "INSI-04", "desir_560")


async def test_an_assertion_signed_by_an_authentication_certificate(world: World) -> None:
    said = await with_assertion(world, assertion(signer=dmp.seal(Profile.AUTH_CLIENT)))
    await refused(world, said, "INSI-05", "desir_560")


async def test_an_assertion_of_an_hour_ago(world: World) -> None:
    said = await with_assertion(world, assertion(insi.claims(issued="2026-01-01T00:00:00Z")))
    await refused(world, said, "INSI-06", "desir_560")


async def test_an_assertion_that_names_nobody(world: World) -> None:
    await refused(world, await with_assertion(world, assertion(insi.claims(name_id=""))), "INSI-07", "desir_560")


async def test_a_wrong_assertion_is_refused_even_beside_a_software_certificate(world: World) -> None:
    said = await world.send(insi.call_xml(SUZANNE, assertion=assertion().replace(b"SA01", b"SA02")))
    await refused(world, said, "INSI-04", "desir_560")


# ---------------------------------------------------------------------------------------------------------------- envelope


async def test_an_unknown_software(world: World) -> None:
    said = await world.send(insi.call_xml(SUZANNE, software=replace(insi.SOFTWARE, idam="")))
    await refused(world, said, "INSI-17", "desir_550")
    assert said.subcode.endswith("siram_100")


async def test_a_call_without_contexte_bam_is_served_with_a_word(world: World) -> None:
    body = insi.call_xml(SUZANNE)
    start = body.index(b"<ctxbam:ContexteBAM")
    end = body.index(b"</ctxbam:ContexteBAM>") + len(b"</ctxbam:ContexteBAM>")
    assert (await world.send(body[:start] + body[end:])).code == "00"
    row = await world.last()
    assert row.summary["outcome"] == "accept_with_alerts"
    assert [f["rule"] for f in row.findings] == ["INSI-18"]


CALL = insi.call_xml(SUZANNE)


@pytest.mark.parametrize(
    ("body", "content_type", "rule", "status"),
    [
        (CALL, "text/xml", "INSI-11", 415),
        (b"", TYPE, "INSI-12", 500),
        (CALL[: len(CALL) // 2], TYPE, "INSI-12", 500),
        (CALL.replace(b"DELMAS", b"D\xc9LMAS"), TYPE, "INSI-12", 500),
        (CALL.replace(b"UTF-8", b"EBCDIC-CP-FR"), TYPE, "ABU-11", 500),
        (CALL.replace(b"?>\n", b'?>\n<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>'), TYPE, "ABU-01", 500),
        (
            CALL.decode().replace("UTF-8", "utf-16").replace("?>\n", "?>\n<!DOCTYPE a>").encode("utf-16"),
            TYPE,
            "ABU-01",
            500,
        ),
        (CALL.replace(b"soap-envelope", b"autre"), TYPE, "INSI-13", 500),
        (CALL.replace(b"RECSANSVITALE", b"AUTRE"), TYPE, "INSI-14", 500),
        (CALL.replace(b"TraitsIdentite<", b"CarteVitale<"), TYPE, "INSI-15", 500),
    ],
)
async def test_hostile_and_wrong_calls_have_their_fault(
    world: World, body: bytes, content_type: str, rule: str, status: int
) -> None:
    await refused(world, await world.send(body, content_type), rule, "passerelle_message", status)


@pytest.mark.parametrize(("path", "size"), [(BASE, 1024 * 1024 + 1), (f"{BASE}/lots", 4 * 1024 * 1024 + 1)])
async def test_a_body_over_the_size_is_refused_before_it_comes(world: World, path: str, size: int) -> None:
    context = dmp.client_tls(insi.software_certificate())
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port, ssl=context)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {TYPE}\r\nContent-Length: {size}\r\n\r\n"
    writer.write(head.encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    assert answer.startswith(b"HTTP/1.1 413")
    row = await world.last()
    assert [f["rule"] for f in row.findings] == ["INSI-10"]
    assert row.summary["attributes"]["declared_size"] == str(size)


async def test_a_compressed_body_is_not_unpacked(world: World) -> None:
    async with world.http() as client:
        headers = {"Content-Type": TYPE, "Content-Encoding": "gzip"}
        response = await client.post(BASE, content=b"\x1f\x8b", headers=headers)
    said = Said(response.status_code, response.content, response.headers)
    await refused(world, said, "INSI-22", "passerelle_message", 415)


async def test_a_body_that_never_ends_is_not_waited_for(world: World) -> None:
    context = dmp.client_tls(insi.software_certificate())
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port, ssl=context)
    head = f"POST {BASE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {TYPE}\r\nContent-Length: 900\r\n\r\n<a"
    writer.write(head.encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    assert answer.startswith(b"HTTP/1.1 408")
    assert [f["rule"] for f in (await world.last()).findings] == ["INSI-19"]


async def test_a_connection_cut_in_the_body_is_an_exchange_too(world: World) -> None:
    context = dmp.client_tls(insi.software_certificate())
    _, writer = await asyncio.open_connection("127.0.0.1", world.port, ssl=context)
    head = f"POST {BASE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {TYPE}\r\nContent-Length: 900\r\n\r\n<a"
    writer.write(head.encode())
    await writer.drain()
    writer.transport.abort()
    for _ in range(100):
        if rows := await world.exchanges():
            break
        await asyncio.sleep(0.05)
    assert [f["rule"] for f in rows[0].findings] == ["INSI-22"]


# ---------------------------------------------------------------------------------------------------------------- identity


async def test_a_fictive_identity_is_never_searched(world: World) -> None:
    await refused(world, await world.ask(FICTIVE), "INS-185", "passerelle_identite_interdite")
    verification = Verification(SUZANNE_INS, FICTIVE)
    said = await world.ask(verification, Operation.VERIFY)
    await refused(world, said, "INS-185", "passerelle_identite_interdite")


async def test_a_missing_trait(world: World) -> None:
    said = await world.ask(replace(SUZANNE, sex=""))
    await refused(world, said, "INS-186", "insi_102")
    assert said.subcode.endswith("siram_40")


async def test_a_card_without_a_number_has_the_code_of_the_card_search(world: World) -> None:
    said = await world.ask(CardData(birth_date="1939-03-08"), Operation.CARD)
    await refused(world, said, "INS-186", "insi_101")


async def test_ligatures_sent_as_typed_fault_as_recorded(world: World) -> None:
    said = await world.ask(Traits("D’ÆION", ("CŒUR",), "M", "1987-01-01"))
    await refused(world, said, "INS-187", "insi_102")


async def test_a_name_of_half_a_million_letters_is_refused_and_shown_short(world: World) -> None:
    said = await world.ask(replace(SUZANNE, family="A" * 500_000))
    await refused(world, said, "INS-187", "insi_102")
    assert len(said.raw) < 20_000


async def test_observing_serves_what_may_be_searched_and_nothing_else(tmp_path: Path) -> None:
    async with live_insi(tmp_path, policy=Policy(vigilance=Vigilance.OBSERVE)) as world:
        assert (await world.ask(replace(SUZANNE, family="Delmas"))).code == "00"
        row = await world.last()
        assert row.summary["outcome"] == "accept_with_alerts"
        assert {"INS-187", "INS-190"} <= {f["rule"] for f in row.findings}
        assert (await world.ask(FICTIVE)).code == "01"
        await refused(world, await world.ask(replace(SUZANNE, sex="")), "INS-186", "insi_102")
        said = await world.ask(SUZANNE, issued=insi.software_certificate("MON-LOGICIEL"))
        await refused(world, said, "INSI-03", "desir_560")


async def test_a_workspace_may_lower_a_rule(tmp_path: Path) -> None:
    policy = Policy(overrides={"INS-185": Override(None, "formation")})
    async with live_insi(tmp_path, policy=policy) as world:
        assert (await world.ask(FICTIVE)).code == "01"


async def test_answers_that_ask_for_a_person_are_served_and_marked(world: World) -> None:
    said = await world.ask(replace(SUZANNE, given=("LOUISE",)))
    assert said.code == "00"
    row = await world.last()
    assert (row.summary["outcome"], row.summary["integration"]) == ("accept_with_alerts", "stopped")
    assert [f["rule"] for f in row.findings] == ["INS-190"]


@pytest.mark.parametrize(
    ("traits", "code", "rule"),
    [
        (Traits("HOUILLES", ("PIERRE",), "M", "1993-01-27"), "01", "INS-188"),
        (Traits("DE VINCI", ("LEONARDO",), "M", "2014-02-01"), "02", "INS-189"),
    ],
)
async def test_cr_01_and_cr_02_are_told_with_what_to_do_next(
    world: World, traits: Traits, code: str, rule: str
) -> None:
    said = await world.ask(traits)
    assert (said.status, said.code) == (200, code)
    row = await world.last()
    assert [f["rule"] for f in row.findings] == [rule]
    assert row.summary["outcome"] == "accept_with_alerts"


async def test_the_editor_base_faults_where_nobody_is_found(tmp_path: Path) -> None:
    async with live_insi(tmp_path, policy=Policy(ins_environment="insi-editor-base")) as world:
        said = await world.ask(Traits("PERSONNE", ("AUCUN",), "M", "1950-01-01"))
        assert (said.status, said.fault, said.code) == (500, "insi_102", "")
        card = CardData(own=Matricule("1500148901999"), birth_date="1950-01-01")
        assert (await world.ask(card, Operation.CARD)).fault == "insi_101"
        row = await world.last()
        assert [f["rule"] for f in row.findings] == ["INS-194"]
        assert row.summary["outcome"] == "accept_with_alerts"
        houilles = Traits("HOUILLES", ("PIERRE",), "M", "1993-01-27")
        assert (await world.ask(houilles)).code == "01"


# --------------------------------------------------------------------------------------------------------------- incidents


async def test_an_outage_faults_and_says_that_it_is_played(world: World) -> None:
    await world.insi.set_faults("demo", InsiFaults(Outage.FAULT))
    said = await world.ask(SUZANNE)
    assert (said.status, said.fault, said.code) == (500, "insi_102", "")
    row = await world.last()
    assert {f["rule"] for f in row.findings} == {"INS-194", "INSI-30"}
    await world.insi.set_faults("demo", InsiFaults())
    assert (await world.ask(SUZANNE)).code == "00"
    kinds = [(e.kind, e.data.get("outage")) for e in await world.store.events("demo") if e.kind == "fault"]
    assert kinds == [("fault", "fault"), ("fault", "")]


async def test_an_outage_may_be_of_http_itself(world: World) -> None:
    await world.insi.set_faults("demo", InsiFaults(Outage.HTTP))
    said = await world.ask(SUZANNE)
    assert (said.status, said.raw) == (503, b"")
    assert (await world.last()).summary["status"] == 503
    async with world.http() as client:
        assert (await client.post(f"{BASE}/lots", json={"lignes": [{}]})).status_code == 503


async def test_an_outage_tells_strangers_nothing(world: World) -> None:
    await world.insi.set_faults("demo", InsiFaults(Outage.FAULT))
    said = await world.ask(SUZANNE, issued=insi.software_certificate("MON-LOGICIEL"))
    assert said.fault == "insi_102"  # down is down, whoever calls with a good certificate


async def test_slowness_waits_and_other_workspaces_do_not(world: World) -> None:
    await world.insi.set_faults("demo", InsiFaults(slow_s=0.3))
    clock = asyncio.get_running_loop()
    before = clock.time()
    assert (await world.ask(SUZANNE)).code == "00"
    assert clock.time() - before >= 0.3
    assert world.insi.faults("autre") == InsiFaults()


async def test_a_changed_trait_turns_a_verification_from_00_to_01(world: World) -> None:
    verification = Verification(SUZANNE_INS, SUZANNE)
    assert (await world.ask(verification, Operation.VERIFY)).code == "00"
    await world.insi.set_faults("demo", InsiFaults(changes=(TraitChange("delmas-suzanne", "family", "DURAND"),)))
    assert (await world.ask(verification, Operation.VERIFY)).code == "01"
    assert (await world.ask(replace(SUZANNE, family="DURAND"))).code == "00"


async def test_when_nothing_can_be_kept_nothing_is_answered(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path}/store.db", tmp_path)

    class Away:
        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        async def commit(self, *operations: Any) -> Any:
            if any(isinstance(o, RecordExchange) for o in operations):
                raise StoreUnavailable
            return await store.commit(*operations)

    async with live_insi(tmp_path, store=Away()) as world:  # type: ignore[arg-type]
        said = await world.ask(SUZANNE)
        assert (said.status, said.fault, said.code) == (503, "passerelle_stockage", "")
        assert "x-passerelle-exchange" not in said.headers
        async with world.http() as client:
            lot = await client.post(f"{BASE}/lots", json={"lignes": [{}]})
        assert (lot.status_code, lot.headers["retry-after"]) == (503, "5")
    await store.close()  # type: ignore[attr-defined]
