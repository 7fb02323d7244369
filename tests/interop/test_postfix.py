"""A real Postfix as the relay of a foreign operator: mandatory TLS with its client certificate, DSN, refusals, retries.

Its own configuration, queue and data folders, loopback only; started and stopped by the test, by its own instance.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.reference import need_tool
from tests.support.smtp_world import ALICE, AWAY, BOB, EHPAD, Doors

pytest_plugins = ("tests.support.smtp_fixtures",)


@dataclass
class Postfix:
    """A private instance that relays everything to one port of ours."""

    folder: Path
    port: int

    @property
    def config(self) -> Path:
        return self.folder / "etc"

    def log(self) -> str:
        path = self.folder / "log" / "postfix.log"
        return path.read_text() if path.exists() else ""

    async def run(self, tool: str, *arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            need_tool(tool, "apt-get install postfix"), "-c", str(self.config), *arguments,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        out, _ = await asyncio.wait_for(process.communicate(), 30)
        return out.decode()

    async def logged(self, text: str, timeout: float = 20) -> str:
        """Wait until the log says so."""
        for _ in range(int(timeout / 0.1)):
            found = [line for line in self.log().splitlines() if text in line]
            if found:
                return found[-1]
            await asyncio.sleep(0.1)
        raise AssertionError(f"{text!r} not in the log of Postfix:\n{self.log()[-4000:]}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _configure(folder: Path, doors: Doors, port: int) -> None:
    chain, key = doors.world.pki.files("nord")
    own = folder / "tls"
    own.mkdir()
    for source, name in ((chain, "chain.pem"), (key, "key.pem"), (doors.world.pki.ca, "ca.pem")):
        shutil.copy(source, own / name)
    (own / "key.pem").chmod(0o600)
    for name in ("etc", "queue", "data", "log"):
        (folder / name).mkdir()
    settings = {
        "compatibility_level": "3.6",
        "queue_directory": folder / "queue",
        "data_directory": folder / "data",
        "maillog_file": folder / "log" / "postfix.log",
        "maillog_file_prefixes": folder,
        "myhostname": "smtp.nord.mssante.fr",
        "mydestination": "",
        "inet_interfaces": "127.0.0.1",
        "inet_protocols": "ipv4",
        "mynetworks": "127.0.0.0/8",
        "relayhost": f"[127.0.0.1]:{doors.ports['sud']}",
        "alias_maps": "",
        "alias_database": "",
        "local_recipient_maps": "",
        "smtp_tls_security_level": "secure",
        "smtp_tls_secure_cert_match": "smtp.sud.mssante.fr",
        "smtp_tls_CAfile": own / "ca.pem",
        "smtp_tls_cert_file": own / "chain.pem",
        "smtp_tls_key_file": own / "key.pem",
        "smtp_tls_loglevel": "1",
        "smtp_host_lookup": "native",
        "smtp_dns_support_level": "disabled",
        "smtpd_relay_restrictions": "permit_mynetworks, reject",
    }
    (folder / "etc" / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
    public = ("pickup unix n - n 60 1 pickup", "cleanup unix n - n - 0 cleanup", "qmgr unix n - n 300 1 qmgr")
    services = [f"127.0.0.1:{port} inet n - n - - smtpd", *public, "postlog unix-dgram n - n - 1 postlogd"]
    services += ["showq unix n - n - - showq", "flush unix n - n 1000? 0 flush", "tlsmgr unix - - n 1000? 1 tlsmgr"]
    services += [f"{name} unix - - n - - {name}" for name in ("smtp", "error", "anvil", "proxymap", "discard")]
    services += ["rewrite unix - - n - - trivial-rewrite", "retry unix - - n - - error", "scache unix - - n - 1 scache"]
    services += [f"{name} unix - - n - 0 bounce" for name in ("bounce", "defer", "trace")]
    (folder / "etc" / "master.cf").write_text("\n".join(services) + "\n")


@pytest.fixture
async def postfix(doors: Doors) -> AsyncIterator[Postfix]:
    need_tool("postfix", "apt-get install postfix")
    if os.geteuid() != 0:
        pytest.skip("Postfix's master needs to be started by root")
    folder = Path(tempfile.mkdtemp(prefix="postfix-", dir="/tmp"))
    folder.chmod(0o755)
    instance = Postfix(folder, free_port())
    _configure(folder, doors, instance.port)
    user = pwd.getpwnam("postfix")
    for name in ("data", "log"):
        os.chown(folder / name, user.pw_uid, user.pw_gid)
    started = await instance.run("postfix", "start")
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", instance.port)) == 0:
                    break
            await asyncio.sleep(0.1)
        else:
            raise AssertionError(f"Postfix did not start: {started}\n{instance.log()}")
        yield instance
    finally:
        await instance.run("postfix", "stop")
        shutil.rmtree(folder, ignore_errors=True)


async def hand_over(postfix: Postfix, *recipients: str, dsn: bool = False, subject: str = "lettre") -> None:
    """Give Postfix a mail to relay, as an application would."""
    import smtplib

    def give() -> None:
        with smtplib.SMTP("127.0.0.1", postfix.port, timeout=10) as client:
            options = ["NOTIFY=SUCCESS,FAILURE"] if dsn else []
            body = f"Message-ID: <{subject}@postfix>\r\nSubject: {subject}\r\n\r\n.point\r\nfin\r\n"
            client.sendmail(ALICE, list(recipients), body, rcpt_options=options)

    await asyncio.to_thread(give)


async def test_postfix_relays_to_an_operator_with_its_client_certificate(doors: Doors, postfix: Postfix) -> None:
    await hand_over(postfix, BOB, dsn=True)
    line = await postfix.logged("status=sent")
    assert "250 2.0.0" in line
    assert "Verified TLS connection established to 127.0.0.1" in postfix.log()
    (taken,) = doors.world.taken
    assert taken.sender.fingerprint == doors.world.pki.issued["nord"].fingerprint
    assert taken.envelope is not None
    assert set(taken.envelope.dsn[BOB].notify) == {"SUCCESS", "FAILURE"}
    assert taken.envelope.dsn[BOB].orcpt.lower() == f"rfc822;{BOB}"
    assert doors.world.bytes_taken[0].endswith(b"\r\n\r\n.point\r\nfin\r\n")


async def test_postfix_bounces_what_we_refuse_for_good_and_defers_the_rest_with_our_words(
    doors: Doors, postfix: Postfix
) -> None:
    await hand_over(postfix, BOB, AWAY, f"inconnu@{EHPAD}")
    assert "GW-ENV-02" in await postfix.logged("status=bounced")
    assert "GW-ENV-03" in await postfix.logged("status=deferred")
    assert BOB in await postfix.logged("status=sent")
    assert doors.world.taken[0].envelope is not None
    assert doors.world.taken[0].envelope.recipients == (BOB,)


async def test_postfix_keeps_a_mail_that_we_cannot_store_and_sends_it_again(doors: Doors, postfix: Postfix) -> None:
    doors.world.unavailable = True
    await hand_over(postfix, BOB)
    assert "4.3.0" in await postfix.logged("status=deferred")
    doors.world.unavailable = False
    await postfix.run("postqueue", "-f")
    await postfix.logged("status=sent")
    assert len(doors.world.taken) == 1
