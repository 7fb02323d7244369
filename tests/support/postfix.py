"""A private Postfix: its own configuration, queue and data in a throw-away folder, on loopback, stopped by its own instance."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.reference import need_tool

INSTALL = "apt-get install postfix"
_SERVICES = (
    "pickup unix n - n 60 1 pickup",
    "cleanup unix n - n - 0 cleanup",
    "qmgr unix n - n 300 1 qmgr",
    "postlog unix-dgram n - n - 1 postlogd",
    "showq unix n - n - - showq",
    "flush unix n - n 1000? 0 flush",
    "tlsmgr unix - - n 1000? 1 tlsmgr",
    *(f"{name} unix - - n - - {name}" for name in ("smtp", "error", "anvil", "proxymap", "discard")),
    "rewrite unix - - n - - trivial-rewrite",
    "retry unix - - n - - error",
    "scache unix - - n - 1 scache",
    "virtual unix - n n - - virtual",
    *(f"{name} unix - - n - 0 bounce" for name in ("bounce", "defer", "trace")),
)
_SETTINGS: Mapping[str, object] = {
    "compatibility_level": "3.6",
    "mydestination": "",
    "inet_interfaces": "127.0.0.1",
    "inet_protocols": "ipv4",
    "mynetworks": "127.0.0.0/8",
    "alias_maps": "",
    "alias_database": "",
    "local_recipient_maps": "",
    "smtp_tls_loglevel": "1",
    "smtp_host_lookup": "native",
    "smtp_dns_support_level": "disabled",
    "smtpd_tls_loglevel": "1",
    "smtpd_relay_restrictions": "permit_mynetworks, reject",
}


@dataclass
class Postfix:
    """A private instance; `port` takes mails of applications, in clear, and relays them."""

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
            need_tool(tool, INSTALL), "-c", str(self.config), *arguments,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        out, _ = await asyncio.wait_for(process.communicate(), 30)
        return out.decode()

    async def logged(self, *texts: str, timeout: float = 20) -> str:
        """Wait until one line of the log says all of these."""
        for _ in range(int(timeout / 0.1)):
            found = [line for line in self.log().splitlines() if all(text in line for text in texts)]
            if found:
                return found[-1]
            await asyncio.sleep(0.1)
        raise AssertionError(f"{texts!r} not in one line of the log of Postfix:\n{self.log()[-4000:]}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def keep_tls(folder: Path, chain: Path | bytes, key: Path | bytes, authority: Path) -> Path:
    """Copy a certificate chain, its key and the bundle to trust where Postfix reads them: chain.pem, key.pem, ca.pem."""
    own = folder / "tls"
    own.mkdir(exist_ok=True)
    for source, name in ((chain, "chain.pem"), (key, "key.pem"), (authority, "ca.pem")):
        (own / name).write_bytes(source if isinstance(source, bytes) else source.read_bytes())
    (own / "key.pem").chmod(0o600)
    return own


@asynccontextmanager
async def running_postfix(
    folder: Path, settings: Mapping[str, object], services: Sequence[str] = ()
) -> AsyncIterator[Postfix]:
    """Start an instance in `folder` (readable by all), wait until it listens, stop it at the end."""
    instance = Postfix(folder, free_port())
    for name in ("etc", "queue", "data", "log"):
        (folder / name).mkdir()
    given = {
        **_SETTINGS,
        "queue_directory": folder / "queue",
        "data_directory": folder / "data",
        "maillog_file": folder / "log" / "postfix.log",
        "maillog_file_prefixes": folder,
        **settings,
    }
    (folder / "etc" / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in given.items()))
    lines = [f"127.0.0.1:{instance.port} inet n - n - - smtpd", *services, *_SERVICES]
    (folder / "etc" / "master.cf").write_text("\n".join(lines) + "\n")
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


@asynccontextmanager
async def postfix_folder() -> AsyncIterator[Path]:
    """A folder for an instance, gone afterwards. Skips where Postfix cannot be started."""
    need_tool("postfix", INSTALL)
    if os.geteuid() != 0:
        pytest.skip("Postfix's master needs to be started by root")
    folder = Path(tempfile.mkdtemp(prefix="postfix-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
