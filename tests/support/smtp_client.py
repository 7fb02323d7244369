"""A bare SMTP client for tests: it sends what it is told, well formed or not."""

from __future__ import annotations

import asyncio
import atexit
import shutil
import ssl
import tempfile
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.support.smtp_world import Pki, make_pki

MESSAGE = b"Message-ID: <a@x>\r\nSubject: essai\r\n\r\nBonjour\r\n"


@cache
def shared_pki() -> Pki:
    """One authority for the whole run: making keys is the slow part."""
    folder = Path(tempfile.mkdtemp(prefix="smtp-pki-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return make_pki(folder)


def client_tls(pki: Pki, certificate: str | None = None) -> ssl.SSLContext:
    """A client context, with a certificate of the world or none."""
    context = ssl.create_default_context(cafile=pki.ca)
    context.check_hostname = False
    if certificate:
        context.load_cert_chain(*pki.files(certificate))
    return context


@dataclass
class Reply:
    """A whole reply: its code and its lines."""

    code: int
    lines: list[str]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def enhanced(self) -> str:
        return self.lines[0].split(" ", 1)[0]


class RawClient:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def connect(cls, port: int) -> RawClient:
        client = cls(*await asyncio.open_connection("127.0.0.1", port))
        await client.reply()
        return client

    @classmethod
    async def secured(cls, port: int, pki: Pki, certificate: str | None = None) -> RawClient:
        """Connected, encrypted, greeted."""
        client = await cls.connect(port)
        await client.say("EHLO essai.example")
        assert (await client.say("STARTTLS")).code == 220
        await client.writer.start_tls(client_tls(pki, certificate), server_hostname="localhost")
        await client.say("EHLO essai.example")
        return client

    async def reply(self, timeout: float = 10) -> Reply:
        lines: list[str] = []
        while True:
            line = (await asyncio.wait_for(self.reader.readline(), timeout)).decode()
            if not line:
                raise ConnectionError("closed by the server")
            lines.append(line[4:].rstrip("\r\n"))
            if line[3:4] != "-":
                return Reply(int(line[:3]), lines)

    async def send(self, octets: bytes) -> None:
        self.writer.write(octets)
        await self.writer.drain()

    async def say(self, line: str) -> Reply:
        await self.send(line.encode() + b"\r\n")
        return await self.reply()

    async def mail(self, sender: str, *recipients: str) -> list[Reply]:
        """MAIL and RCPTs."""
        return [await self.say(f"MAIL FROM:<{sender}>")] + [await self.say(f"RCPT TO:<{r}>") for r in recipients]

    async def data(self, octets: bytes = MESSAGE) -> Reply:
        """DATA, the octets as they are, the dot."""
        started = await self.say("DATA")
        if started.code != 354:
            return started
        await self.send(octets + b".\r\n")
        return await self.reply()

    async def plain(self, address: str, secret: str) -> Reply:
        return await self.say("AUTH PLAIN " + b64encode(f"\0{address}\0{secret}".encode()).decode())

    async def closed(self, timeout: float = 5) -> bool:
        """Whether the server ends the connection."""
        try:
            return await asyncio.wait_for(self.reader.read(), timeout) is not None
        except (ConnectionError, ssl.SSLError):
            return True

    async def close(self) -> None:
        self.writer.close()
