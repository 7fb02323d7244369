"""Bad input, bad luck and bad manners: each gets its reply, nothing is half-stored, the other connections do not notice."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path

import pytest

from adapters.smtp.body import EVIDENCE_BYTES, Body
from adapters.smtp.door import SessionLimits
from tests.support.smtp_client import MESSAGE, RawClient, client_tls
from tests.support.smtp_world import ALICE, BOB, SECRET, Doors, World, open_doors

pytest_plugins = ("tests.support.smtp_fixtures",)


async def sud(doors: Doors) -> RawClient:
    return await RawClient.secured(doors.ports["sud"], doors.world.pki, "nord")


async def started(doors: Doors) -> RawClient:
    """Ready to send the octets of a message."""
    client = await sud(doors)
    await client.mail(ALICE, BOB)
    assert (await client.say("DATA")).code == 354
    return client


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r\n", b"\r\n.\r", b"\n.\r"])
async def test_no_other_end_than_crlf_dot_crlf_smuggles_a_second_mail(doors: Doors, end: bytes) -> None:
    client = await started(doors)
    smuggled = b"MAIL FROM:<%b>\r\nRCPT TO:<%b>\r\nDATA\r\nSubject: faux\r\n" % (ALICE.encode(), BOB.encode())
    await client.send(b"Subject: vrai\r\n\r\ncorps" + end + smuggled + b"\r\n.\r\n")
    assert (await client.reply()).code == 250
    assert len(doors.world.taken) == 1
    assert smuggled in doors.world.bytes_taken[0]


async def test_dots_chunk_borders_and_long_lines_arrive_as_they_were_sent(doors: Doors) -> None:
    client = await started(doors)
    message = b".dot first\r\n..two\r\n" + b"x" * 5000 + b"\r\n\xe9t\xe9\r\nfin\r\n"
    wire = message.replace(b"\r\n.", b"\r\n..")
    for octet in b"." + wire + b".\r\n":
        client.writer.write(bytes((octet,)))
        if octet in b"\r\n.":
            await client.writer.drain()
            await asyncio.sleep(0)
    assert (await client.reply()).code == 250
    assert doors.world.bytes_taken == [message]


async def test_pipelined_commands_are_answered_in_order_and_bytes_after_the_dot_are_commands(doors: Doors) -> None:
    client = await sud(doors)
    await client.send(f"MAIL FROM:<{ALICE}>\r\nRCPT TO:<x@y.fr>\r\nRCPT TO:<{BOB}>\r\nDATA\r\n".encode())
    assert [(await client.reply()).code for _ in range(4)] == [250, 550, 250, 354]
    await client.send(MESSAGE + b".\r\nNOOP\r\nQUIT\r\n")
    assert [(await client.reply()).code for _ in range(3)] == [250, 250, 221]
    assert await client.closed()


async def test_commands_in_clear_behind_starttls_are_never_obeyed(doors: Doors) -> None:
    client = await RawClient.connect(doors.ports["sud"])
    await client.say("EHLO a.example")
    await client.send(b"STARTTLS\r\nEHLO vole\r\nMAIL FROM:<a@b.fr>\r\n")
    reply = await client.reply()
    assert (reply.code, reply.enhanced) == (554, "5.5.0")
    assert await client.closed()
    assert doors.world.refused_rules == [["GW-ENV-14"]]


async def test_after_tls_everything_said_in_clear_is_forgotten(doors: Doors) -> None:
    client = await RawClient.connect(doors.ports["sud"])
    await client.say("EHLO clair.example")
    await client.say("STARTTLS")
    await client.writer.start_tls(client_tls(doors.world.pki, "nord"), server_hostname="localhost")
    assert (await client.say(f"MAIL FROM:<{ALICE}>")).code == 503
    assert (await client.say("STARTTLS")).code == 503


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"\r\n", 500),
        (b"NOOP\n", 500),
        (b"NO\rOP\r\n", 500),
        (b"NOOP \x00\r\n", 500),
        (b"MAIL FROM:<\xe9@b.fr>\r\n", 500),
        (b"FROBNICATE\r\n", 500),
        (b"EXPN liste\r\n", 502),
        (b"VRFY a@b.fr\r\n", 252),
        (b"HELP\r\n", 214),
        (b"EHLO\r\n", 501),
        (b"DATA\r\n", 503),
        (b"RCPT TO:<a@b.fr>\r\n", 503),
        (b"noop bonjour\r\n", 250),
        (b"X" * 5000 + b"\r\n", 500),
        (b"MAIL FROM:<" + b"a" * 400 + b"@b.fr>\r\n", 553),
    ],
)
async def test_a_bad_command_gets_a_reply_with_its_enhanced_code_and_the_session_goes_on(
    doors: Doors, line: bytes, code: int
) -> None:
    client = await sud(doors)
    await client.send(line)
    reply = await client.reply()
    assert reply.code == code
    assert reply.enhanced.count(".") == 2
    assert (await client.say("NOOP")).code == 250


async def test_an_endless_line_is_thrown_away_as_it_comes(doors: Doors) -> None:
    client = await sud(doors)
    for _ in range(100):
        await client.send(b"A" * 10_000)
    await client.send(b"\r\n")
    assert (await client.reply()).code == 500
    assert (await client.say("NOOP")).code == 250


async def test_too_many_errors_end_the_session(doors: Doors) -> None:
    client = await sud(doors)
    codes = [(await client.say("BLA")).code for _ in range(10)]
    assert codes == [500] * 10
    assert (await client.reply()).code == 421
    assert await client.closed()


async def test_a_declared_size_above_the_limit_is_refused_before_the_message(doors: Doors) -> None:
    client = await sud(doors)
    reply = await client.say(f"MAIL FROM:<{ALICE}> SIZE=90000000")
    assert (reply.code, reply.enhanced) == (552, "5.3.4")
    assert "GW-ENV-07" in reply.text


async def test_a_message_above_the_limit_is_read_to_its_end_refused_and_not_kept(doors: Doors) -> None:
    doors.world.limit(mail_bytes=3_000_000)
    client = await started(doors)
    await client.send(b"Subject: gros\r\n\r\n" + b"x" * 4_000_000 + b"\r\n.\r\n")
    reply = await client.reply()
    assert (reply.code, reply.enhanced) == (552, "5.3.4")
    assert "GW-ENV-08" in reply.text
    assert not doors.world.taken
    ((refused, rules),) = doors.world.not_taken
    assert rules == ["GW-ENV-08"]
    assert refused.payload.data is not None
    assert refused.payload.data.startswith(b"Subject: gros")
    assert refused.attributes["announced"] == str(len(b"Subject: gros\r\n\r\n") + 4_000_000 + 2)
    assert not list(doors.spool.glob("*"))
    await client.mail(ALICE, BOB)
    assert (await client.data()).code == 250


async def flood(client: RawClient) -> None:
    for _ in range(1000):
        await client.send(b"x" * 65536)


async def test_a_flood_above_the_limit_is_cut(world: World, tmp_path: Path) -> None:
    world.limit(mail_bytes=100_000)
    opened = await open_doors(world, tmp_path, SessionLimits(overrun_bytes=1_000_000))
    try:
        client = await started(opened)
        with pytest.raises(ConnectionError):
            await flood(client)
        assert not world.taken
    finally:
        await opened.listeners.stop(1)


async def test_a_large_message_is_spooled_while_it_is_received_and_the_spool_is_left_empty(doors: Doors) -> None:
    client = await started(doors)
    message = b"Subject: gros\r\n\r\n" + b"y" * 5_000_000 + b"\r\n"
    await client.send(message + b".\r\n")
    assert (await client.reply()).code == 250
    assert doors.world.taken[0].payload.data is None
    assert doors.world.bytes_taken == [message]
    assert not list(doors.spool.glob("*"))


async def test_a_message_cut_short_is_an_exchange_that_keeps_its_first_octets_and_nothing_else(doors: Doors) -> None:
    client = await started(doors)
    await client.send(b"Subject: x\r\n\r\n" + b"z" * 2_000_000)
    client.writer.transport.abort()
    for _ in range(200):
        if doors.world.not_taken:
            break
        await asyncio.sleep(0.01)
    ((cut, rules),) = doors.world.not_taken
    assert rules == ["GW-ENV-15"]
    assert cut.payload.data is not None
    assert cut.payload.data.startswith(b"Subject: x")
    assert cut.payload.size_bytes == len(cut.payload.data) == EVIDENCE_BYTES
    assert not doors.world.taken
    assert not list(doors.spool.glob("*"))
    assert (await (await sud(doors)).say("NOOP")).code == 250


async def test_a_full_disk_while_receiving_is_temporary_and_the_session_goes_on(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Body) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    client = await started(doors)
    monkeypatch.setattr(Body, "_to_file", full)
    await client.send(b"y" * 3_000_000 + b"\r\n.\r\n")
    reply = await client.reply()
    assert (reply.code, reply.enhanced) == (452, "4.3.1")
    assert not doors.world.taken
    monkeypatch.undo()
    await client.mail(ALICE, BOB)
    assert (await client.data()).code == 250


async def test_when_the_store_is_away_nothing_is_acknowledged(doors: Doors) -> None:
    doors.world.unavailable = True
    client = await sud(doors)
    await client.mail(ALICE, BOB)
    reply = await client.data()
    assert (reply.code, reply.enhanced) == (421, "4.3.0")
    assert await client.closed()
    doors.world.unavailable = False
    again = await sud(doors)
    await again.mail(ALICE, BOB)
    assert (await again.data()).code == 250


async def test_an_unforeseen_error_on_the_road_is_not_an_acknowledgement(doors: Doors, world: World) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("imprévu")

    world.decide = broken  # type: ignore[assignment]
    client = await sud(doors)
    await client.mail(ALICE, BOB)
    assert (await client.data()).code == 421
    assert await client.closed()


async def test_an_idle_client_is_told_and_disconnected(world: World, tmp_path: Path) -> None:
    opened = await open_doors(world, tmp_path, SessionLimits(command_s=0.2, data_s=0.2))
    try:
        client = await sud(opened)
        assert (await client.reply()).code == 421
        assert await client.closed()
        silent = await started(opened)
        await silent.send(b"Subject: debut\r\n")
        reply = await silent.reply()
        assert (reply.code, reply.enhanced) == (421, "4.4.2")
    finally:
        await opened.listeners.stop(1)
    assert opened.listeners.connections == 0


async def test_a_client_that_drips_octets_without_a_line_is_disconnected(world: World, tmp_path: Path) -> None:
    opened = await open_doors(world, tmp_path, SessionLimits(command_s=0.3))
    try:
        client = await RawClient.connect(opened.ports["sud"])
        for _ in range(60):
            if client.reader.at_eof() or opened.listeners.connections == 0:
                break
            client.writer.write(b"N")
            await asyncio.sleep(0.02)
        assert opened.listeners.connections == 0
    finally:
        await opened.listeners.stop(1)


async def test_one_connection_too_many_is_told_to_come_back(world: World, tmp_path: Path) -> None:
    opened = await open_doors(world, tmp_path, SessionLimits(connections=2))
    try:
        kept = [await RawClient.connect(opened.ports["sud"]) for _ in range(2)]
        reader, _writer = await asyncio.open_connection("127.0.0.1", opened.ports["sud"])
        assert (await reader.readline()).startswith(b"421 4.7.0 ")
        assert (await kept[0].say("NOOP")).code == 250
        assert (await (await RawClient.connect(opened.ports["nord"])).say("NOOP")).code == 250
        await kept[0].say("QUIT")
        await kept[0].closed()
        await asyncio.sleep(0.05)
        assert (await (await RawClient.connect(opened.ports["sud"])).say("NOOP")).code == 250
    finally:
        await opened.listeners.stop(1)


async def test_stopping_waits_for_the_transaction_that_is_being_judged(doors: Doors) -> None:
    doors.world.hold = asyncio.Event()
    idle, busy = await sud(doors), await sud(doors)
    await busy.mail(ALICE, BOB)
    await busy.say("DATA")
    await busy.send(MESSAGE + b".\r\n")
    await asyncio.sleep(0.05)
    stopping = asyncio.create_task(doors.listeners.stop(5))
    assert (await idle.reply()).code == 421
    doors.world.hold.set()
    assert (await busy.reply()).code == 250
    assert (await busy.reply()).code == 421
    await stopping
    assert doors.listeners.connections == 0
    with pytest.raises(OSError):
        await RawClient.connect(doors.ports["sud"])


async def test_a_client_that_leaves_while_its_mail_is_judged_disturbs_nobody(doors: Doors) -> None:
    doors.world.hold = asyncio.Event()
    client = await started(doors)
    await client.send(b"y" * 2_000_000 + b"\r\n.\r\n")
    await asyncio.sleep(0.2)
    client.writer.transport.abort()
    await asyncio.sleep(0.05)
    doors.world.hold.set()
    for _ in range(100):
        if doors.world.taken:
            break
        await asyncio.sleep(0.01)
    assert len(doors.world.bytes_taken) == 1
    await asyncio.sleep(0.05)
    assert not list(doors.spool.glob("*"))


async def test_a_client_that_never_reads_its_replies_does_not_fill_the_memory(doors: Doors) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", doors.ports["sud"], limit=1024)
    await reader.readline()
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    for _ in range(50):
        writer.write(b"HELP\r\n" * 10_000)
    await asyncio.sleep(0.5)
    (member,) = doors.listeners._members["sud"]
    assert member.transport is not None
    assert member.transport.get_write_buffer_size() < 1_000_000
    assert len(member._buffer) < 1_000_000
    writer.transport.abort()


async def test_a_helo_client_is_told_to_use_tls(doors: Doors) -> None:
    client = await RawClient.connect(doors.ports["submission"])
    assert (await client.say("HELO vieux.example")).code == 250
    assert (await client.say(f"MAIL FROM:<{ALICE}>")).code == 530
    secured = await RawClient.secured(doors.ports["submission"], doors.world.pki)
    await secured.say("HELO vieux.example")
    assert (await secured.plain(ALICE, SECRET)).code == 235
