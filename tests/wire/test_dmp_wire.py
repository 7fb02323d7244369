"""The DMP's HTTPS door under strange hands: curl, broken bodies, slow and cut connections, a store that is away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.http.body import Patience
from adapters.pki.model import Profile
from adapters.soap.routes import BASE
from adapters.storage import open_store
from gateway.exchange.deposit import OFFLOAD_BYTES
from gateway.ports import Conflict, RecordExchange, StoreUnavailable
from gateway.sandbox.model import Policy
from gateway.sharing.answer_read import read_answer
from gateway.sharing.constants import ACTION_TD02
from gateway.soap import envelope as soap
from tests.support import dmp_world as dmp
from tests.support.authority import shared_authority
from tests.support.dmp_world import World, live_dmp
from tests.support.reference import need_tool


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with live_dmp(tmp_path, patience=Patience(idle_s=0.4, whole_s=20)) as made:
        yield made


def raw_post(endpoint: str, content_type: str, length: int | str) -> bytes:
    return (
        f"POST {BASE}/{endpoint} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


async def connected(world: World) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    context = dmp.client_tls(dmp.structure_certificate(Profile.AUTH_CLIENT))
    return await asyncio.open_connection("127.0.0.1", world.port, ssl=context)


async def answered(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    length = next(int(h.partition(b":")[2]) for h in head.split(b"\r\n") if h.lower().startswith(b"content-length"))
    return status, await reader.readexactly(length)


async def rules_of_last(world: World) -> list[str]:
    return [f["rule"] for f in (await world.last_exchange()).findings]


async def test_curl_deposits_a_lot_with_a_client_certificate(world: World, tmp_path: Path) -> None:
    curl = need_tool("curl", "apt-get install curl")
    content_type, body = dmp.iti41()
    (tmp_path / "lot.mime").write_bytes(body)
    (tmp_path / "ca.pem").write_bytes(shared_authority().bundle_pem())
    issued = dmp.structure_certificate(Profile.AUTH_CLIENT)
    command = [
        *(curl, "--silent", "--show-error", "--tlsv1.2", "--cacert", str(tmp_path / "ca.pem")),
        *("--cert", str(shared_authority().chain_path(issued)), "--key", str(shared_authority().key_path(issued))),
        *("-H", f"Content-Type: {content_type}", "--data-binary", f"@{tmp_path / 'lot.mime'}"),
        *("-w", "\n%{http_code} %{content_type}", f"{world.url}{BASE}/repository"),
    ]
    process = await asyncio.create_subprocess_exec(*command, stdout=-1, stderr=-1)
    out, err = await process.communicate()
    assert process.returncode == 0, err
    answer, _, told = out.rpartition(b"\n")
    assert told.startswith(b"200 application/soap+xml")
    assert read_answer(200, answer).status == "Success"
    row = await world.last_exchange()
    assert row.summary["sender"].startswith("CN=ehpad-les-tilleuls")
    assert row.summary["attributes"]["tls_version"].startswith("TLSv1")


@pytest.mark.parametrize(
    ("endpoint", "content_type", "body", "rule", "status"),
    [
        ("repository", "text/xml", b"<a/>", "DMP-05", 415),
        ("repository", "application/soap+xml", b"<a/>", "DMP-05", 415),
        ("patients", "text/xml", b"<a/>", "DMP-05", 415),
        ("registry", "application/soap+xml", b"", "DMP-07", 500),
        ("registry", "application/soap+xml", b"<a>", "DMP-07", 500),
        ("registry", "application/soap+xml", b"<!DOCTYPE a><a/>", "ABU-01", 500),
        ("registry", "application/soap+xml", "<!DOCTYPE a><a/>".encode("utf-16"), "ABU-01", 500),
        ("registry", "application/soap+xml", b"<a/>", "DMP-08", 500),
        (
            "registry",
            "application/soap+xml",
            soap.write_request(ACTION_TD02, "urn:uuid:1", b"", b"<x/>"),
            "DMP-10",
            500,
        ),
        (
            "registry",
            "application/soap+xml",
            soap.write_request(ACTION_TD02, "urn:uuid:1", b"", b"").replace(soap.SOAP.encode(), soap.SOAP_11.encode()),
            "DMP-08",
            500,
        ),
        (
            "patients",
            "application/soap+xml",
            soap.write_request(ACTION_TD02, "urn:uuid:1", b"", b"<x/>").replace(
                b"<wsa:To/>", b'<z:h xmlns:z="urn:z" soap:mustUnderstand="1"/>'
            ),
            "DMP-09",
            500,
        ),
    ],
)
async def test_what_is_no_request_of_the_endpoint_is_a_fault_and_an_exchange(
    world: World, endpoint: str, content_type: str, body: bytes, rule: str, status: int
) -> None:
    answer = await world.send(endpoint, content_type, body)
    assert (answer.http_status, answer.subcode) == (status, "DMPInvalidRequest")
    assert rule in await rules_of_last(world)
    assert (await world.last_exchange()).size_bytes == len(body)


async def test_the_body_of_another_transaction_under_the_right_action_is_a_fault(world: World) -> None:
    content_type, body = dmp.iti41()
    answer = await world.send(
        "repository", content_type, body.replace(b"ProvideAndRegisterDocumentSetRequest", b"Autre")
    )
    assert (answer.subcode, await rules_of_last(world)) == ("DMPInvalidRequest", ["DMP-90"])


async def test_a_truncated_multipart_is_a_fault(world: World) -> None:
    content_type, body = dmp.iti41()
    answer = await world.send("repository", content_type, body[:-200])
    assert (answer.subcode, await rules_of_last(world)) == ("DMPInvalidRequest", ["DMP-06"])


async def test_the_answer_relates_to_the_request(world: World) -> None:
    ids = dmp.new_ids()
    answer = await world.send("repository", *dmp.iti41(ids=ids))
    assert answer.relates_to == ids.message_id


async def test_an_announced_body_over_the_limit_is_refused_before_it_is_sent(world: World) -> None:
    reader, writer = await connected(world)
    writer.write(raw_post("repository", "multipart/related", 10**9))
    status, body = await answered(reader)
    assert (status, read_answer(status, body).subcode) == (413, "DMPDocumentTooLarge")
    assert await rules_of_last(world) == ["DMP-04"]
    assert (await world.last_exchange()).summary["attributes"]["declared_size"] == str(10**9)
    writer.close()


async def test_a_chunked_body_is_cut_at_the_limit_and_only_its_head_is_kept(tmp_path: Path) -> None:
    limits = replace(Policy().limits, xml_bytes=200_000)
    async with live_dmp(tmp_path, policy=replace(Policy(), limits=limits)) as world:
        reader, writer = await connected(world)
        head = raw_post("repository", "multipart/related", 0).replace(
            b"Content-Length: 0", b"Transfer-Encoding: chunked"
        )
        writer.write(head + b"".join(b"10000\r\n" + b"x" * 0x10000 + b"\r\n" for _ in range(4)))
        status, _ = await answered(reader)
        assert status == 413
        assert (await world.last_exchange()).size_bytes == 64 * 1024
        writer.close()


async def test_a_body_that_stops_coming_is_told_so_and_holds_nobody_up(world: World) -> None:
    reader, writer = await connected(world)
    writer.write(raw_post("repository", "multipart/related", 1000) + b"only this")
    other = await world.send("repository", *dmp.iti41())
    status, body = await answered(reader)
    assert other.status == "Success"
    assert (status, read_answer(status, body).subcode) == (408, "DMPInvalidRequest")
    rows = {r.summary["outcome"]: [f["rule"] for f in r.findings] for r in await exchanges(world)}
    assert rows["reject"] == ["DMP-11"]
    writer.close()


async def test_a_connection_cut_in_the_middle_leaves_an_exchange_and_nothing_registered(world: World) -> None:
    content_type, body = dmp.iti41()
    _, writer = await connected(world)
    writer.write(raw_post("repository", content_type, len(body)) + body[: len(body) // 2])
    await writer.drain()
    await asyncio.sleep(0.05)
    writer.transport.abort()
    for _ in range(100):
        if await exchanges(world):
            break
        await asyncio.sleep(0.02)
    assert await rules_of_last(world) == ["DMP-06"]
    person = dmp.patient()
    assert not await world.store.entries("demo", person.matricule, person.oid)


async def exchanges(world: World) -> tuple[Any, ...]:
    from gateway.ports import ExchangeFilter

    return await world.store.exchanges(ExchangeFilter("demo"))


async def test_two_clients_on_one_server_keep_their_own_certificate(world: World) -> None:
    content_type, body = dmp.iti41()
    glycines = dmp.structure_certificate(Profile.AUTH_CLIENT, "ehpad-les-glycines")
    ours, theirs, nobody = await asyncio.gather(
        world.send("repository", content_type, body),
        world.send("repository", *dmp.iti41(), glycines),
        anonymous(world),
    )
    assert ours.status == "Success"
    assert (theirs.subcode, "DMP-35" in theirs.reasons[0]) == ("DMPInvalidVIHF", True)
    assert "DMP-01" in nobody.reasons[0]


async def anonymous(world: World) -> Any:
    async with dmp.DmpClient(world.url, dmp.client_tls(None), dmp.seal()) as client:
        return await client.send("repository", *dmp.iti41())


async def test_a_large_lot_is_opened_out_of_the_loop(world: World) -> None:
    big = dmp.record(pdf=dmp.pdf() + b"%" + b"x" * OFFLOAD_BYTES)
    answer = await world.send("repository", *dmp.iti41(dmp.lot(big)))
    assert answer.status == "Success"
    assert world.offload.runs == 1


async def test_what_is_opened_out_of_the_loop_can_travel_between_processes() -> None:
    import pickle

    from gateway.sandbox.model import SignatureMode
    from gateway.sharing.opening import Endpoint, OpenSettings, open_request

    settings = OpenSettings(Policy().limits, dmp.trust(), dmp.now(), SignatureMode.VERIFY)
    content_type, body = dmp.iti41()
    opened = open_request(body, content_type, Endpoint.REPOSITORY, pickle.loads(pickle.dumps(settings)))  # noqa: S301
    assert pickle.loads(pickle.dumps(opened)) == opened  # noqa: S301
    assert opened.lot is not None


class Away:
    """A store that reads but cannot make anything durable."""

    def __init__(self, store: Any, error: Exception) -> None:
        self._store, self._error, self.refuse = store, error, 1

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, *operations: Any) -> Any:
        if self.refuse and any(isinstance(o, RecordExchange) for o in operations):
            self.refuse -= 1
            raise self._error
        return await self._store.commit(*operations)


async def test_when_nothing_can_be_made_durable_the_answer_is_503_and_nothing_remains(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path}/store.db", tmp_path)
    away = Away(store, StoreUnavailable("disk full"))
    async with live_dmp(tmp_path, store=away) as world:  # type: ignore[arg-type]
        first = await world.send("repository", *dmp.iti41())
        rows = await exchanges(world)
        second = await world.send("repository", *dmp.iti41())
    assert (first.http_status, first.subcode, rows) == (503, "XDSRegistryBusy", ())
    assert second.status == "Success"
    await store.close()


async def test_a_document_registered_meanwhile_by_another_is_a_duplicate(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path}/store.db", tmp_path)
    away = Away(store, Conflict("2.25.1"))
    async with live_dmp(tmp_path, store=away) as world:  # type: ignore[arg-type]
        answer = await world.send("repository", *dmp.iti41())
        row = await world.last_exchange()
    assert [e.code for e in answer.errors] == ["XDSDuplicateUniqueIdInRegistry"]
    assert (row.summary["outcome"], [f["rule"] for f in row.findings]) == ("reject", ["DMP-67"])
    await store.close()


async def test_two_deposits_of_one_document_at_once_leave_one_document(world: World) -> None:
    made = dmp.record()
    answers = await asyncio.gather(*(world.send("repository", *dmp.iti41(dmp.lot(made))) for _ in range(4)))
    assert sorted(a.status for a in answers) == ["Failure", "Failure", "Failure", "Success"]
    codes = {e.code for a in answers for e in a.errors}
    assert codes == {"XDSDuplicateUniqueIdInRegistry"}


async def test_no_matricule_and_no_trait_stand_in_clear_in_the_journal(world: World) -> None:
    person = dmp.patient()
    wrong = dmp.wrong_key(person)
    for lot, claimed in ((dmp.lot(), dmp.vihf()), (dmp.lot(dmp.record(wrong)), dmp.vihf(wrong))):
        await world.send("repository", *dmp.iti41(lot, claimed))
    for row in await exchanges(world):
        told = json.dumps([dict(row.summary), list(row.findings)], ensure_ascii=False, default=str)
        events = [dict(e.data) for e in await world.store.events("demo", exchange_id=row.id)]
        for secret in (person.matricule, wrong.matricule, "SUZANNE", "DELMAS"):
            assert secret not in told
            assert secret not in json.dumps(events, ensure_ascii=False)
