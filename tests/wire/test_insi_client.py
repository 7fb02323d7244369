"""The gateway's own client of INSi, against our service and against servers that misbehave."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.insi.client import InsiClient, LotRefused, verification_of
from adapters.insi.routes import BASE
from adapters.pki.contexts import server_context
from adapters.pki.model import Issued, Profile
from gateway.answers.insi import result_for
from gateway.insi.assertion import write_claims
from gateway.insi.base import read_card
from gateway.insi.faults import InsiFaults, Outage, TraitChange
from gateway.insi.model import (
    Answer,
    Code,
    Contradicted,
    Found,
    Ins,
    LocalIdentity,
    Matricule,
    NotFound,
    Operation,
    Refused,
    Several,
    Unavailable,
    Verified,
)
from gateway.ports import InsRegistry
from gateway.sandbox.model import Policy
from gateway.soap.assertion import sign_assertion
from gateway.soap.certificates import subject_written
from tests.support import dmp_world as dmp
from tests.support import insi_world as insi
from tests.support.authority import shared_authority
from tests.support.insi_world import SOFTWARE, SUZANNE_INS, World, live_insi

SUZANNE = LocalIdentity("DELMAS", ("SUZANNE", "MARIE", "LOUISE"), "F", "1939-03-08", "48901")
HOUILLES = LocalIdentity("HOUILLES", ("PIERRE", "PAUL", "JACQUES"), "M", "1993-01-27")
LEONARDO = LocalIdentity("DE VINCI", ("LEONARDO",), "M", "2014-02-01")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with live_insi(tmp_path) as made:
        yield made


def client_of(world: World, issued: Issued | None = None, **options: Any) -> InsiClient:
    tls = dmp.client_tls(issued or insi.software_certificate())
    return InsiClient(world.url + BASE, tls, SOFTWARE, **options)


async def asked(world: World) -> int:
    return len(await world.exchanges(100))


async def test_the_client_is_an_ins_registry(world: World) -> None:
    async with client_of(world) as client:
        registry: InsRegistry = client
        found = await registry.search(SUZANNE)
    assert isinstance(found, Found)
    assert found.individual.active == Ins(Matricule("2390348901017", "55", "NIR"), SUZANNE_INS.oid)
    assert (found.differences, found.calls) == ((), 1)


async def test_an_answer_is_kept_octet_for_octet_with_the_name_of_its_exchange(world: World) -> None:
    async with client_of(world) as client:
        found = await client.search(SUZANNE)
    assert isinstance(found, Found)
    row = await world.last()
    assert found.trace.trace_id == row.id
    assert found.trace.message_id == row.summary["message_id"]
    assert (found.trace.status, found.trace.method) == (200, "rechercherInsAvecTraitsIdentite")
    assert found.trace.raw.startswith(b"<?xml")
    assert b"<CodeCR>00</CodeCR>" in found.trace.raw


async def test_given_names_are_tried_one_by_one_then_together_and_nobody_is_nobody(world: World) -> None:
    async with client_of(world) as client:
        result = await client.search(HOUILLES)
    assert isinstance(result, NotFound)
    assert result.calls == 4
    assert await asked(world) == 4


async def test_several_are_narrowed_by_the_birthplace_and_never_chosen(world: World) -> None:
    async with client_of(world) as client:
        assert isinstance(await client.search(LEONARDO), Several)
        found = await client.search(replace(LEONARDO, birth_place="63220"))
    assert isinstance(found, Found)
    assert found.calls == 2
    assert found.individual.birth_place == "63220"


async def test_histories_are_kept_whole(tmp_path: Path) -> None:
    async with (
        live_insi(tmp_path, policy=Policy(ins_environment="insi-editor-base")) as world,
        client_of(world) as client,
    ):
        found = await client.search(LocalIdentity("ECETINSI", ("PIERRE-ALAIN",), "M", "2009-07-14"))
    assert isinstance(found, Found)
    assert [i.matricule.whole for i in found.individual.history] == ["209076322083439", "209066322012355"]
    assert found.individual.given_names == "PIERRE-ALAIN MURIEL FLORIANT"


async def test_what_is_typed_is_transliterated_and_what_came_back_is_compared_with_what_was_typed(world: World) -> None:
    async with client_of(world) as client:
        found = await client.search(replace(SUZANNE, family="Delmas", given_names=("Suzanne",)))
    assert isinstance(found, Found)
    assert found.differences == ("family", "given_names")


@pytest.mark.parametrize(
    ("person", "code"),
    [
        (replace(SUZANNE, attributes=("fictive",)), "INS-185"),
        (replace(SUZANNE, attributes=("homonyme", "douteuse")), "INS-185"),
        (replace(SUZANNE, given_names=()), "INS-186"),
        (replace(SUZANNE, family=""), "INS-186"),
        (replace(SUZANNE, family="МАРИЯ"), "INS-187"),
        (replace(SUZANNE, given_names=("SUZANNE", "M4RIE")), "INS-187"),
        (replace(SUZANNE, sex="I"), "INS-187"),
    ],
)
async def test_a_call_that_would_be_refused_is_not_made(world: World, person: LocalIdentity, code: str) -> None:
    async with client_of(world) as client:
        result = await client.search(person)
    assert isinstance(result, Refused)
    assert (result.code, result.trace) == (code, None)
    assert await asked(world) == 0


async def test_a_card_is_searched(world: World) -> None:
    card = read_card("CV-SIMULEE-0003", world.insi.base("demo"))
    assert card is not None
    async with client_of(world) as client:
        found = await client.search_card(card)
        again = await client.search_card(card)
        assert isinstance(await client.search_card(replace(card, birth_date="1999-01-01")), NotFound)
    assert isinstance(found, Found)
    assert found.individual.family == "PERRIN"
    assert again is found
    assert await asked(world) == 2


async def test_an_ins_is_verified_or_contradicted(world: World) -> None:
    async with client_of(world, remember_s=0) as client:
        assert isinstance(await client.verify(SUZANNE_INS, SUZANNE), Verified)
        assert isinstance(await client.verify(SUZANNE_INS, replace(SUZANNE, family="DURAND")), Contradicted)
        change = TraitChange("delmas-suzanne", "birth_date", "1939-03-09")
        await world.insi.set_faults("demo", InsiFaults(changes=(change,)))
        assert isinstance(await client.verify(SUZANNE_INS, SUZANNE), Contradicted)
        refused = await client.verify(SUZANNE_INS, replace(SUZANNE, attributes=("douteuse",)))
        typed = await client.verify(SUZANNE_INS, replace(SUZANNE, family="Delmas"))
    assert isinstance(refused, Refused)
    assert refused.code == "INS-185"
    assert isinstance(typed, Refused)
    assert typed.code == "INS-187"
    assert await asked(world) == 3


async def test_a_lot_is_handed_in_and_its_results_read(world: World) -> None:
    lines = [verification_of(SUZANNE_INS, SUZANNE), verification_of(SUZANNE_INS, HOUILLES)]
    async with client_of(world) as client:
        lot = await client.hand_in(lines)
        results = await client.results(lot)
        assert results is not None
        assert [r["cr"] for r in results] == ["00", "01"]
        with pytest.raises(LotRefused):
            await client.results("0" * 32)
        with pytest.raises(LotRefused) as raised:
            await client.hand_in([])
    assert raised.value.status == 422


async def test_a_lot_under_way_has_no_results_yet(tmp_path: Path) -> None:
    async with live_insi(tmp_path, lot_ready_s=3600) as world, client_of(world) as client:
        assert await client.results(await client.hand_in([verification_of(SUZANNE_INS, SUZANNE)])) is None


async def test_a_professional_calls_with_an_assertion(world: World) -> None:
    def made() -> bytes:
        seal = dmp.doctor_seal()
        return sign_assertion(write_claims(insi.claims(), subject_written(seal.certificate)), seal)

    async with client_of(world, dmp.structure_certificate(Profile.AUTH_CLIENT), assertion=made) as client:
        assert isinstance(await client.search(SUZANNE), Found)


# ------------------------------------------------------------------------------------------------------------------- cache


async def test_an_answer_serves_again_for_a_while_then_is_asked_anew(world: World) -> None:
    seconds = [0.0]
    async with client_of(world, remember_s=60, clock=lambda: seconds[0]) as client:
        first = await client.search(SUZANNE)
        assert await client.search(SUZANNE) is first
        assert await asked(world) == 1
        seconds[0] = 60.0
        assert isinstance(await client.search(SUZANNE), Found)
        assert await asked(world) == 2


async def test_failures_are_never_remembered(world: World) -> None:
    async with client_of(world) as client:
        await world.insi.set_faults("demo", InsiFaults(Outage.FAULT))
        assert isinstance(await client.search(SUZANNE), Unavailable)
        await world.insi.set_faults("demo", InsiFaults())
        assert isinstance(await client.search(SUZANNE), Found)


async def test_what_is_remembered_is_named_by_hashes(world: World) -> None:
    async with client_of(world) as client:
        await client.search(SUZANNE)
        names = list(client._memory._held)
    assert len(names) == 1
    assert len(names[0]) == 64
    assert "DELMAS" not in names[0]


# ---------------------------------------------------------------------------------------------------------------- failures


async def test_a_technical_fault_is_never_an_absence(tmp_path: Path) -> None:
    stranger = LocalIdentity("PERSONNE", ("AUCUN", "NUL"), "M", "1950-01-01")
    async with (
        live_insi(tmp_path, policy=Policy(ins_environment="insi-editor-base")) as world,
        client_of(world) as client,
    ):
        result = await client.search(stranger)
        assert await asked(world) == 1  # the search ends: nothing was learnt
    assert isinstance(result, Unavailable)
    assert result.code == "insi_102"
    assert result.trace is not None
    assert b"Fault" in result.trace.raw


@pytest.mark.parametrize(("outage", "code"), [(Outage.FAULT, "insi_102"), (Outage.HTTP, "http-503")])
async def test_an_outage_leaves_everything_unknown(world: World, outage: Outage, code: str) -> None:
    await world.insi.set_faults("demo", InsiFaults(outage))
    async with client_of(world) as client:
        for result in (await client.search(SUZANNE), await client.verify(SUZANNE_INS, SUZANNE)):
            assert isinstance(result, Unavailable)
            assert result.code == code


async def test_a_slow_service_is_not_waited_for(world: World) -> None:
    await world.insi.set_faults("demo", InsiFaults(slow_s=30))
    async with client_of(world, timeout_s=0.3) as client:
        result = await client.search(SUZANNE)
    assert isinstance(result, Unavailable)
    assert result.code == "timeout"


async def test_a_refusal_for_rights_is_told_as_one(world: World) -> None:
    async with client_of(world, insi.software_certificate("MON-LOGICIEL")) as client:
        result = await client.search(SUZANNE)
    assert isinstance(result, Refused)
    assert result.code == "desir_560"
    assert "INSI-03" in result.reason


@asynccontextmanager
async def server(answer: Callable[[bytes], bytes], *, hang: bool = False) -> AsyncIterator[str]:
    """A TLS server that answers whatever it is told to, then closes; `hang`: sends an octet now and then, forever."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(h.partition(b":")[2]) for h in head.split(b"\r\n") if h.lower().startswith(b"content-length"))
        writer.write(answer(await reader.readexactly(length)))
        while hang and not writer.is_closing():
            writer.write(b" ")
            await asyncio.sleep(0.02)
        writer.close()

    served = await asyncio.to_thread(dmp.certificates().gateway, ())
    context: ssl.SSLContext = server_context(shared_authority(), served)
    listener = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}/lps"
    finally:
        listener.close()


def http(status: int, body: bytes, headers: str = "") -> bytes:
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


NOBODY = result_for(Answer(Code.NONE), Operation.TRAITS, "uuid:2", "uuid:another").body


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (http(200, NOBODY), "unreadable"),  # the answer to somebody else's call
        (http(200, b"<html/>"), "unreadable"),
        (http(200, b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>"), "unreadable"),
        (http(200, b" " * 300_000), "unreadable"),
        (http(302, b"", "Location: https://127.0.0.1:1/\r\n"), "http-302"),
        (http(504, b"gateway timeout"), "http-504"),
        (b"HTTP/1.1 200 X\r\nContent-Length: 900\r\n\r\n<soap", "connection"),
        (b"bonjour\r\n\r\n", "connection"),
        (b"", "connection"),
    ],
)
async def test_a_server_that_misbehaves_teaches_nothing_about_the_identity(answer: bytes, code: str) -> None:
    tls = dmp.client_tls(insi.software_certificate())
    async with server(lambda _: answer) as url, InsiClient(url, tls, SOFTWARE, timeout_s=5) as client:
        result = await client.search(HOUILLES)
    assert isinstance(result, Unavailable)
    assert result.code == code


async def test_the_time_out_bounds_the_whole_call_not_each_silence() -> None:
    tls, head = dmp.client_tls(insi.software_certificate()), b"HTTP/1.1 200 X\r\nContent-Length: 90000\r\n\r\n"
    async with server(lambda _: head, hang=True) as url, InsiClient(url, tls, SOFTWARE, timeout_s=0.4) as client:
        result = await client.search(HOUILLES)
    assert isinstance(result, Unavailable)
    assert result.code == "timeout"


async def test_nobody_listening_is_no_absence() -> None:
    tls = dmp.client_tls(insi.software_certificate())
    async with InsiClient("https://127.0.0.1:1/lps", tls, SOFTWARE, timeout_s=2) as client:
        result = await client.search(HOUILLES)
    assert isinstance(result, Unavailable)
    assert result.code == "connection"
