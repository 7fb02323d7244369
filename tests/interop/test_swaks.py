"""Clients nobody here wrote: swaks, curl, openssl, smtplib and aiosmtplib against the SMTP doors."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from pathlib import Path

import aiosmtplib

from tests.support.reference import need_tool
from tests.support.smtp_client import client_tls
from tests.support.smtp_world import ALICE, APPLI, BOB, EHPAD, SECRET, Doors

pytest_plugins = ("tests.support.smtp_fixtures",)

LETTER = "Message-ID: <lettre@x>\r\nSubject: lettre\r\n\r\n.un point\r\nfin\r\n"


async def run(*command: str, stdin: bytes = b"") -> tuple[int, str]:
    """A tool, to its end: exit code and what it wrote."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(stdin), 30)
    except TimeoutError:
        process.kill()
        raise
    return process.returncode or 0, out.decode(errors="replace")


async def swaks(doors: Doors, door: str, *options: str) -> tuple[int, str]:
    tool = need_tool("swaks", "apt-get install swaks")
    return await run(tool, "--server", "127.0.0.1", "--port", str(doors.ports[door]), *options)


async def test_swaks_submits_with_an_application_password(doors: Doors) -> None:
    code, out = await swaks(
        doors, "submission", "-tls", "-a", "PLAIN", "-au", ALICE, "-ap", SECRET, "-f", ALICE, "-t", BOB
    )
    assert code == 0, out
    assert "250 2.0.0" in out
    assert doors.world.taken[0].sender.name == ALICE


async def test_swaks_relays_with_a_client_certificate(doors: Doors) -> None:
    chain, key = doors.world.pki.files("nord")
    code, out = await swaks(doors, "sud", "-tls", "--tls-cert", chain, "--tls-key", key, "-f", ALICE, "-t", BOB)
    assert code == 0, out
    assert doors.world.taken[0].sender.fingerprint == doors.world.pki.issued["nord"].fingerprint


async def test_swaks_is_told_why_it_is_refused(doors: Doors) -> None:
    code, out = await swaks(doors, "sud", "-tls", "-f", ALICE, "-t", BOB)
    assert code != 0
    assert "554" in out
    assert "GW-TLS-01" in out
    code, out = await swaks(doors, "sud", "-f", ALICE, "-t", BOB)
    assert "530" in out
    chain, key = doors.world.pki.files("nord")
    tls = ("-tls", "--tls-cert", chain, "--tls-key", key)
    code, out = await swaks(doors, "sud", *tls, "-f", ALICE, "-t", f"inconnu@{EHPAD}")
    assert "550" in out
    assert "GW-ENV-02" in out


async def test_swaks_may_pipeline(doors: Doors) -> None:
    chain, key = doors.world.pki.files("nord")
    tls = ("-tls", "--tls-cert", chain, "--tls-key", key)
    _, out = await swaks(doors, "sud", *tls, "--pipeline", "-f", ALICE, "-t", f"{BOB},inconnu@{EHPAD}")
    assert "250 2.0.0" in out, out
    assert doors.world.taken[0].envelope is not None
    assert doors.world.taken[0].envelope.recipients == (BOB,)


async def test_curl_submits_by_starttls(doors: Doors, tmp_path: Path) -> None:
    tool = need_tool("curl", "apt-get install curl")
    letter = tmp_path / "lettre.eml"
    letter.write_bytes(LETTER.encode())
    code, out = await run(
        tool, "-sS", "--ssl-reqd", "--cacert", doors.world.pki.ca, "--url", f"smtp://localhost:{doors.ports['submission']}",
        "--user", f"{ALICE}:{SECRET}", "--mail-from", ALICE, "--mail-rcpt", BOB, "--upload-file", str(letter),
    )  # fmt: skip
    assert code == 0, out
    assert doors.world.bytes_taken == [LETTER.encode()]


async def test_curl_shows_the_certificate_of_an_application_mailbox(doors: Doors, tmp_path: Path) -> None:
    tool = need_tool("curl", "apt-get install curl")
    letter = tmp_path / "lettre.eml"
    letter.write_bytes(LETTER.encode())
    chain, key = doors.world.pki.files("appli")
    code, out = await run(
        tool, "-sS", "--ssl-reqd", "--cacert", doors.world.pki.ca, "--url", f"smtp://localhost:{doors.ports['submission']}",
        "--cert", chain, "--key", key, "--mail-from", APPLI, "--mail-rcpt", BOB, "--upload-file", str(letter),
    )  # fmt: skip
    assert code == 0, out
    assert doors.world.taken[0].sender.name == APPLI


async def test_openssl_sees_the_certificate_of_each_door_and_reads_the_refusal(doors: Doors) -> None:
    tool = need_tool("openssl", "apt-get install openssl")
    target = f"127.0.0.1:{doors.ports['sud']}"
    command = (
        tool,
        "s_client",
        "-connect",
        target,
        "-starttls",
        "smtp",
        "-crlf",
        "-quiet",
        "-CAfile",
        doors.world.pki.ca,
    )
    said = f"EHLO x\nMAIL FROM:<{ALICE}>\nQUIT\n"
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    assert process.stdin is not None
    process.stdin.write(said.encode())
    await process.stdin.drain()
    out, _ = await asyncio.wait_for(process.communicate(), 20)
    assert b"smtp.sud.mssante.fr" in out
    assert b"554-5.7.1 GW-TLS-01" in out or b"554 5.7.1 GW-TLS-01" in out
    assert b"221 2.0.0" in out


async def test_openssl_offers_neither_tls_1_1_nor_a_weak_suite_a_way_in(doors: Doors) -> None:
    tool = need_tool("openssl", "apt-get install openssl")
    target = f"127.0.0.1:{doors.ports['sud']}"
    for weak in (("-tls1_1",), ("-tls1_2", "-cipher", "AES128-SHA")):
        code, out = await run(tool, "s_client", "-connect", target, "-starttls", "smtp", *weak)
        assert code != 0, out


async def test_smtplib_submits_several_mails_on_one_connection(doors: Doors) -> None:
    def submit() -> None:
        with smtplib.SMTP("127.0.0.1", doors.ports["submission"], "localhost", timeout=10) as client:
            client.starttls(context=client_tls(doors.world.pki))
            client.login(ALICE, SECRET)
            for _ in range(3):
                assert client.sendmail(ALICE, [BOB], LETTER, mail_options=["BODY=8BITMIME", "RET=FULL"]) == {}

    await asyncio.to_thread(submit)
    assert doors.world.bytes_taken == [LETTER.encode()] * 3


async def test_aiosmtplib_relays_and_learns_which_recipient_was_refused(doors: Doors) -> None:
    client = aiosmtplib.SMTP(
        hostname="127.0.0.1",
        local_hostname="localhost",
        port=doors.ports["sud"],
        start_tls=True,
        tls_context=client_tls(doors.world.pki, "nord"),
    )
    async with client:
        errors, answer = await client.sendmail(ALICE, [BOB, f"inconnu@{EHPAD}"], LETTER.encode())
    assert errors[f"inconnu@{EHPAD}"].code == 550
    assert answer.startswith("2.0.0")


async def test_a_server_name_is_not_asked_of_clients_that_connect_by_address(doors: Doors) -> None:
    context = ssl.create_default_context(cafile=doors.world.pki.ca)
    context.check_hostname = False
    client = aiosmtplib.SMTP(
        hostname="127.0.0.1",
        local_hostname="localhost",
        port=doors.ports["submission"],
        start_tls=True,
        tls_context=context,
    )
    async with client:
        await client.login(ALICE, SECRET)
        assert (await client.noop()).code == 250
