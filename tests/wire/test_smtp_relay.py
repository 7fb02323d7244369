"""The courier: our relay to our own reception, and to peers that misbehave in known ways."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.pki.contexts import Contexts
from adapters.pki.model import Profile, Subject
from adapters.smtp.link import LinkTimes, Route
from adapters.smtp.pool import PoolLimits
from adapters.smtp.relay import LOOPBACK, RelayCourier
from gateway.directory.model import Listing
from gateway.exchange.model import DeliveryState
from gateway.ports import Delivered, Delivery
from tests.support.smtp_world import ALICE, AWAY, BOB, CH, EHPAD, OPERATOR_HOSTS, Doors, World, make_services

pytest_plugins = ("tests.support.smtp_fixtures",)

MAIL = b"Message-ID: <relais@x>\r\nSubject: relais\r\n\r\n.point\r\nfin\r\n"
TIMES = LinkTimes(connect_s=2, handshake_s=2, reply_s=2, final_s=2)


def delivery(*recipients: str, mail_from: str = ALICE, number: str = "d1", **more: Any) -> Delivery:
    now = datetime.now(UTC)
    payload = {"mail_from": mail_from, "recipients": list(recipients), "operator": "nord", "domain": EHPAD, **more}
    return Delivery(number, "demo", "relay", EHPAD, payload, "x", DeliveryState.LEASED, 1, now, now)


@asynccontextmanager
async def courier(
    doors: Doors,
    port: int | None = None,
    *,
    host: str = "127.0.0.1",
    sni: str = OPERATOR_HOSTS["sud"],
    limits: PoolLimits = PoolLimits(),
    times: LinkTimes = TIMES,
) -> AsyncIterator[RelayCourier]:
    """A courier whose zone serves the EHPAD's domain at one port."""
    routes = {EHPAD: Route(host, port or doors.ports["sud"], sni)}
    made = RelayCourier(doors.services, routes.get, OPERATOR_HOSTS.__getitem__, times=times, limits=limits)
    try:
        yield made
    finally:
        made.pool.close()


Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def peer(script: Script) -> AsyncIterator[int]:
    """A peer played by a script."""
    server = await asyncio.start_server(script, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def scripted(context: ssl.SSLContext | None, *, size: int = 0, answers: dict[bytes, bytes] | None = None) -> Script:
    """A peer that says what it is told to: a reply for each verb (None of them: 250). `b""` cuts the connection."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said = {b"DATA": b"354 go", b".": b"250 2.0.0 ok", **(answers or {})}
        writer.write(said.get(b"greeting", b"220 peer ESMTP") + b"\r\n")
        secured = False
        while line := await reader.readline():
            verb = line.split()[0].upper()
            if verb == b"EHLO":
                starttls = b"250-STARTTLS\r\n" if context and not secured else b""
                writer.write(b"250-peer\r\n" + starttls + b"250 SIZE %d\r\n" % size)
            elif verb == b"STARTTLS" and context:
                writer.write(b"220 go\r\n")
                try:
                    await writer.start_tls(context)
                except OSError:
                    return
                secured = True
            else:
                answer = said.get(verb, b"250 ok")
                if not answer:
                    writer.transport.abort()
                    return
                writer.write(answer + b"\r\n")
                if answer.startswith(b"354"):
                    while await reader.readline() not in (b".\r\n", b""):
                        pass
                    if not said[b"."]:
                        writer.transport.abort()
                        return
                    writer.write(said[b"."] + b"\r\n")

    return play


def server_tls(world: World, name: str = "sud") -> ssl.SSLContext:
    return Contexts(world.pki.authority).server(world.pki.issued[name])


async def test_a_mail_is_relayed_octet_for_octet_under_mutual_tls(doors: Doors) -> None:
    async with courier(doors) as relay:
        result = await relay.deliver(delivery(BOB), MAIL)
    assert (result.accepted, result.permanent, result.reason) == (True, False, "")
    assert result.answer.startswith("250 2.0.0")
    assert doors.world.bytes_taken == [MAIL]
    taken = doors.world.taken[0]
    assert taken.sender.fingerprint == doors.world.pki.issued["nord"].fingerprint
    assert taken.attributes["helo"] == OPERATOR_HOSTS["nord"]


async def test_dsn_parameters_travel_with_the_mail(doors: Doors) -> None:
    dsn = {BOB: {"notify": ("SUCCESS", "FAILURE"), "orcpt": f"rfc822;{BOB}"}}
    async with courier(doors) as relay:
        assert (await relay.deliver(delivery(BOB, ret="HDRS", envid="QQ1", dsn=dsn), MAIL)).accepted
    envelope = doors.world.taken[0].envelope
    assert envelope is not None
    assert (envelope.ret, envelope.envid) == ("HDRS", "QQ1")
    assert envelope.dsn[BOB].notify == ("SUCCESS", "FAILURE")
    assert envelope.dsn[BOB].orcpt == f"rfc822;{BOB}"


async def test_connections_are_kept_and_used_again(doors: Doors) -> None:
    async with courier(doors) as relay:
        for n in range(5):
            assert (await relay.deliver(delivery(BOB, number=f"d{n}"), MAIL)).accepted
        assert (relay.pool.dialled, relay.pool.idle) == (1, 1)


async def test_a_pool_bounds_connections_messages_and_idle_time(doors: Doors) -> None:
    limits = PoolLimits(connections=2, messages=3, idle_s=0.1)
    async with courier(doors, limits=limits) as relay:
        results = await asyncio.gather(*(relay.deliver(delivery(BOB, number=str(n)), MAIL) for n in range(12)))
        assert all(r.accepted for r in results)
        assert doors.listeners.connections <= 2
        assert relay.pool.dialled >= 4
        await asyncio.sleep(0.3)
        assert relay.pool.idle == 0
    assert len(doors.world.taken) == 12


async def test_a_kept_connection_that_died_is_replaced_once_by_a_fresh_one(doors: Doors) -> None:
    async with courier(doors) as relay:
        assert (await relay.deliver(delivery(BOB), MAIL)).accepted
        for member in list(doors.listeners._members["sud"]):
            assert member._original_transport is not None
            member._original_transport.abort()
        assert (await relay.deliver(delivery(BOB, number="d2"), MAIL)).accepted
        assert relay.pool.dialled == 2


async def test_partial_acceptance_is_told_recipient_by_recipient(doors: Doors) -> None:
    async with courier(doors) as relay:
        first = await relay.deliver(delivery(BOB, AWAY, f"inconnu@{EHPAD}"), MAIL)
        assert (first.accepted, first.permanent) == (False, False)
        assert [(r.accepted, r.permanent) for r in first.recipients] == [(True, False), (False, False), (False, True)]
        assert first.answer.startswith("450")
        world = doors.world
        boxes = {**world.territory_.mailboxes, AWAY: replace(world.territory_.mailboxes[BOB], address=AWAY)}
        world.territory_ = replace(world.territory_, mailboxes=boxes)
        again = await relay.deliver(delivery(AWAY, f"inconnu@{EHPAD}"), MAIL)
    assert (again.accepted, again.reason, again.notifies) == (True, "partial", True)
    assert [r.accepted for r in again.recipients] == [True, False]
    assert [t.envelope.recipients for t in doors.world.taken if t.envelope] == [(BOB,), (AWAY,)]


async def test_when_every_recipient_is_refused_for_good_the_mail_is_not_sent(doors: Doors) -> None:
    async with courier(doors) as relay:
        result = await relay.deliver(delivery(f"inconnu@{EHPAD}"), MAIL)
    assert (result.accepted, result.permanent, result.reason) == (False, True, "rcpt")
    assert "GW-ENV-02" in result.answer
    assert not doors.world.taken


async def test_a_domain_outside_the_zone_and_a_host_outside_the_allow_list_are_never_connected_to(doors: Doors) -> None:
    async with courier(doors, host="192.0.2.1") as relay:
        result = await relay.deliver(delivery(BOB), MAIL)
        assert (result.permanent, result.reason) == (True, "allow-list")
        elsewhere = await relay.deliver(delivery(BOB, domain="inconnu.mssante.fr"), MAIL)
        assert (elsewhere.permanent, elsewhere.reason) == (True, "zone")
        assert "5.1.2" in elsewhere.answer
        assert relay.pool.dialled == 0
    assert "192.0.2.1" not in LOOPBACK


async def test_nothing_is_sent_to_a_server_whose_certificate_is_not_listed_for_the_domain(doors: Doors) -> None:
    world = doors.world
    listings = tuple(x for x in world.territory_.listings if x.domain != EHPAD)
    world.territory_ = replace(world.territory_, listings=(*listings, Listing(EHPAD, "CN=autre,O=X,C=FR", "x")))
    async with courier(doors) as relay:
        result = await relay.deliver(delivery(BOB), MAIL)
    assert (result.accepted, result.permanent, result.reason) == (False, True, "GW-TLS-06")
    assert not world.taken


@pytest.mark.parametrize(
    ("certificate", "reason"), [("expired", "GW-TLS-02"), ("revoked", "GW-TLS-04"), ("nord", "GW-TLS-06")]
)
async def test_a_bad_server_certificate_is_refused_with_its_reason(doors: Doors, certificate: str, reason: str) -> None:
    sni = OPERATOR_HOSTS["nord"]
    async with peer(scripted(server_tls(doors.world, certificate))) as port, courier(doors, port, sni=sni) as relay:
        result = await relay.deliver(delivery(BOB), MAIL)
    assert (result.accepted, result.permanent) == (False, True)
    assert result.reason == reason
    assert "5.7." in result.answer


async def test_a_server_with_another_name_than_the_zone_says_is_refused(doors: Doors) -> None:
    async with courier(doors, sni="autre.mssante.fr") as relay:
        result = await relay.deliver(delivery(BOB), MAIL)
    assert (result.permanent, result.reason) == (True, "GW-TLS-16")


async def test_a_server_without_starttls_gets_no_mail(doors: Doors) -> None:
    async with peer(scripted(None)) as port, courier(doors, port) as relay:
        result = await relay.deliver(delivery(BOB), MAIL)
    assert (result.accepted, result.permanent, result.reason) == (False, True, "GW-TLS-12")
    assert "5.7.10" in result.answer


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_peer_that_refuses_our_certificate_in_tls_is_understood_and_not_tried_again(
    doors: Doors, version: ssl.TLSVersion
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)  # trusts other authorities than ours
    context.load_cert_chain(*doors.world.pki.files("sud"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version = context.maximum_version = version
    async with peer(scripted(context)) as port, courier(doors, port) as relay:
        result = await relay.deliver(delivery(BOB), MAIL)
    assert (result.accepted, result.permanent, result.reason) == (False, True, "GW-TLS-20")
    assert "unknown_ca" in result.answer


async def test_a_closed_port_is_tried_again_later(doors: Doors) -> None:
    async with courier(doors, 1) as relay:
        result = await relay.deliver(delivery(BOB), MAIL)
    assert (result.accepted, result.permanent, result.reason) == (False, False, "connect")


@pytest.mark.parametrize(
    ("answers", "permanent", "reason", "shown"),
    [
        ({b"greeting": b"554 5.3.2 ferme"}, True, "greeting", "554"),
        ({b"greeting": b"421 4.3.2 plus tard"}, False, "greeting", "421"),
        ({b"MAIL": b"550 5.7.1 non"}, True, "mail", "550 5.7.1 non"),
        ({b"MAIL": b"451 4.7.1 plus tard"}, False, "mail", "451"),
        ({b"MAIL": b"421 4.3.2 arret"}, False, "mail", "421"),
        ({b"RCPT": b"450 4.2.1 suspendue"}, False, "rcpt", "450"),
        ({b"DATA": b"554 5.5.1 non"}, True, "data", "554"),
        ({b".": b"554 5.7.1 regle"}, True, "data", "554 5.7.1 regle"),
        ({b".": b"452 4.3.1 plein"}, False, "data", "452"),
        ({b".": b""}, False, "unanswered", ""),
        ({b"RCPT": b""}, False, "lost", ""),
    ],
)
async def test_the_other_sides_answers_are_sorted_into_again_and_never(
    doors: Doors, answers: dict[bytes, bytes], permanent: bool, reason: str, shown: str
) -> None:
    async with peer(scripted(server_tls(doors.world), answers=answers)) as port, courier(doors, port) as relay:
        result = await relay.deliver(delivery(BOB), MAIL)
    assert (result.accepted, result.permanent, result.reason) == (False, permanent, reason)
    assert shown in result.answer


async def test_a_mail_larger_than_the_peer_announces_is_not_sent(doors: Doors) -> None:
    async with peer(scripted(server_tls(doors.world), size=100)) as port, courier(doors, port) as relay:
        result = await relay.deliver(delivery(BOB), b"x" * 101)
    assert (result.permanent, result.reason) == (True, "size")
    assert "5.3.4" in result.answer


async def test_a_peer_that_never_answers_is_given_up_for_now(doors: Doors) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    times = LinkTimes(connect_s=0.2, handshake_s=1, reply_s=0.2, final_s=0.2)
    async with peer(silent) as port, courier(doors, port, times=times) as relay:
        result = await relay.deliver(delivery(BOB), MAIL)
    assert (result.accepted, result.permanent, result.reason) == (False, False, "connect")


@pytest.mark.parametrize("address", ["a@b.fr>\r\nRCPT TO:<c@d.fr", "é@b.fr"])
async def test_an_address_that_would_inject_commands_or_is_no_ascii_is_refused_for_good(
    doors: Doors, address: str
) -> None:
    async with courier(doors) as relay:
        result = await relay.deliver(delivery(address), MAIL)
    assert (result.accepted, result.permanent, result.reason) == (False, True, "envelope")
    assert not doors.world.taken


async def test_a_delivery_without_its_fields_is_dead_not_broken(doors: Doors) -> None:
    async with courier(doors) as relay:
        broken = replace(delivery(BOB), payload={})
        assert await relay.deliver(broken, MAIL) == Delivered(
            False, permanent=True, answer="delivery without 'domain'", reason="payload"
        )


async def test_a_revoked_client_certificate_is_not_shown_on_a_kept_connection(doors: Doors) -> None:
    """The context of the pool is the one in force: a revocation anywhere makes new ones, old links are closed."""
    world = doors.world
    async with courier(doors) as relay:
        assert (await relay.deliver(delivery(BOB), MAIL)).accepted
        subject = Subject("jetable.mssante.fr", "JETABLE", "1990000011", "Lozère (48)")
        world.pki.authority.revoke(world.pki.authority.issue(Profile.SERVER, subject, key="jetable"))
        assert (await relay.deliver(delivery(BOB, number="d2"), MAIL)).accepted
        assert relay.pool.dialled == 2


async def test_a_large_mail_leaves_in_slices_and_arrives_whole(doors: Doors) -> None:
    doors.world.limit(mail_bytes=40_000_000)
    raw = b"Subject: gros\r\n\r\n" + (b"x" * 76 + b"\r\n.debut\r\n") * 250_000
    async with courier(doors) as relay:
        result = await relay.deliver(delivery(BOB), raw)
    assert result.accepted
    assert doors.world.bytes_taken == [raw]


def test_the_world_has_two_operators(world: World, tmp_path: Any) -> None:
    services, desk = make_services(world, tmp_path)
    assert desk.certificate_of("nord") == world.pki.issued["nord"].fingerprint
    with pytest.raises(LookupError):
        desk.client_context("inconnu")
    assert services.sandboxes.territory("demo").operator_of_domain(CH) is not None
