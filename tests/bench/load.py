"""A client that loads an SMTP door over raw sockets, and a ledger of what the door acknowledged.

One asyncio protocol for each connection, STARTTLS with a client certificate, one command after the other as most
softwares do. `python -m tests.bench.load --help` runs it alone.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.mails import Mail, Source

HELO = b"EHLO charge.example\r\n"


class Ledger:
    """Message-IDs acknowledged, one a line, on the disk before `note` returns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("ab", buffering=0)

    def note(self, message_id: str) -> None:
        """The door said 250 for this one."""
        self._file.write(message_id.encode() + b"\n")
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file; it stays."""
        self._file.close()


def noted(path: Path) -> list[str]:
    """The Message-IDs of a ledger; a last line cut by a crash of the client itself is left out."""
    return path.read_text(encoding="ascii").split("\n")[:-1] if path.exists() else []


@dataclass(frozen=True, slots=True)
class Door:
    """Where to send. `tls` is None for a conversation in clear."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None


def client_tls(ca: Path, chain: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """A context that trusts `ca` and shows a certificate when one is given. Host names are not the matter here."""
    context = ssl.create_default_context(cafile=str(ca))
    context.check_hostname = False
    if chain is not None:
        context.load_cert_chain(str(chain), str(key) if key else None)
    return context


@dataclass(slots=True)
class Tally:
    """What became of the mails. `first_trouble` is the first refusal or error; `took_s` the seconds of each mail.

    `in_doubt` are those whose connection broke: perhaps taken, never acknowledged. A real sender sends them again.
    """

    accepted: int = 0
    refused: int = 0
    errors: int = 0
    seconds: float = 0.0
    first_trouble: str = ""
    took_s: list[float] = field(default_factory=list)
    in_doubt: list[Mail] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        """Mails acknowledged each second."""
        return self.accepted / self.seconds if self.seconds else 0.0

    def trouble(self, text: str) -> None:
        """Keep the first one."""
        self.first_trouble = self.first_trouble or text


class Line(asyncio.Protocol):
    """One connection: octets out, replies in."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self._buffer = b""
        self._waiting: asyncio.Future[None] | None = None
        self._lost: BaseException | None = None
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        self._lost = error or ConnectionError("closed by the server")
        self._writable.set()
        self._wake()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def reply(self) -> tuple[int, str]:
        """The code and the last line of the next reply. Raises ConnectionError."""
        while True:
            start = 0
            while (end := self._buffer.find(b"\n", start)) >= 0:
                line = self._buffer[start:end]
                start = end + 1
                if line[3:4] != b"-":
                    self._buffer = self._buffer[start:]
                    return int(line[:3]), line.decode("utf-8", "replace").rstrip()
            if self._lost is not None:
                raise ConnectionError(str(self._lost))
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting

    async def say(self, octets: bytes) -> tuple[int, str]:
        """Send a command, read its reply."""
        self.transport.write(octets)
        return await self.reply()

    async def pour(self, octets: bytes) -> None:
        """Send a body in slices, no faster than the other side reads."""
        view = memoryview(octets)
        for start in range(0, len(view), 256 * 1024):
            self.transport.write(bytes(view[start : start + 256 * 1024]) if len(view) > 256 * 1024 else octets)
            await self._writable.wait()
            if self._lost is not None:
                raise ConnectionError(str(self._lost))


async def connect(door: Door) -> Line:
    """A connection greeted and, when the door has TLS, encrypted. Raises OSError."""
    loop = asyncio.get_running_loop()
    _, line = await loop.create_connection(Line, door.host, door.port)
    await line.reply()
    await line.say(HELO)
    if door.tls is not None:
        code, text = await line.say(b"STARTTLS\r\n")
        if code != 220:
            raise ConnectionError(text)
        secured = await loop.start_tls(line.transport, line, door.tls, server_hostname=door.host)
        if secured is None:
            raise ConnectionError("TLS was not established")
        line.transport = secured
        await line.say(HELO)
    return line


async def send(line: Line, mail: Mail) -> tuple[int, str]:
    """One transaction; the reply that decided. Raises ConnectionError."""
    for command in (mail.mail_from, mail.rcpt_to, b"DATA\r\n"):
        code, text = await line.say(command)
        if code >= 400:
            await line.say(b"RSET\r\n")
            return code, text
    await line.pour(mail.data)
    return await line.reply()


async def leave(line: Line) -> None:
    """QUIT, without waiting for the goodbye."""
    with contextlib.suppress(Exception):
        line.transport.write(b"QUIT\r\n")
        line.transport.close()


@dataclass(frozen=True, slots=True)
class Load:
    """How to send: `connections` at once, a new one for each mail or kept, until `count` mails or `stop` says so.

    `patience_s` is the rest after an error (a gateway being killed); `pause_s` the rest after each mail.
    """

    door: Door
    source: Source
    connections: int = 20
    count: int | None = None
    new_each: bool = False
    ledger: Ledger | None = None
    stop: Callable[[], bool] = lambda: False
    patience_s: float = 0.0
    pause_s: float = 0.0

    async def run(self) -> Tally:
        """Send until done."""
        tally = Tally()
        turns = iter(range(self.count)) if self.count is not None else _endless()
        started = time.perf_counter()
        await asyncio.gather(*(self._one(turns, tally) for _ in range(self.connections)))
        tally.seconds = time.perf_counter() - started
        return tally

    async def _one(self, turns: Iterator[int], tally: Tally) -> None:
        line: Line | None = None
        for _ in turns:
            if self.stop():
                break
            mail = self.source.next()
            began = time.perf_counter()
            try:
                if line is None:
                    line = await connect(self.door)
                code, text = await send(line, mail)
            except (OSError, ValueError) as error:
                tally.errors += 1
                tally.trouble(repr(error))
                tally.in_doubt.append(mail)
                line = None
                await asyncio.sleep(self.patience_s)
                continue
            if code < 300:
                tally.accepted += 1
                tally.took_s.append(time.perf_counter() - began)
                if self.ledger is not None:
                    self.ledger.note(mail.message_id)
            else:
                tally.refused += 1
                tally.trouble(text)
            if self.new_each:
                await leave(line)
                line = None
            if self.pause_s:
                await asyncio.sleep(self.pause_s)
        if line is not None:
            await leave(line)


def _endless() -> Iterator[int]:
    turn = 0
    while True:
        yield turn
        turn += 1


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.load", description=__doc__)
    parser.add_argument("target", help="HOST:PORT")
    parser.add_argument("--kind", choices=("small", "xdm"), default="small")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--connections", type=int, default=20)
    parser.add_argument("--new-each", action="store_true", help="a new connection for each mail")
    parser.add_argument("--tls", nargs=3, type=Path, metavar=("CA", "CHAIN", "KEY"))
    parser.add_argument("--ledger", type=Path)
    given = parser.parse_args()
    host, _, port = given.target.rpartition(":")
    ledger = Ledger(given.ledger) if given.ledger else None
    door = Door(host, int(port), client_tls(*given.tls) if given.tls else None)
    load = Load(door, Source.of(given.kind), given.connections, given.count, given.new_each, ledger)
    tally = asyncio.run(load.run())
    shown: dict[str, Any] = {
        "accepted": tally.accepted,
        "refused": tally.refused,
        "errors": tally.errors,
        "seconds": round(tally.seconds, 2),
        "per_second": round(tally.per_second, 1),
        "first_trouble": tally.first_trouble,
    }
    print(json.dumps(shown, ensure_ascii=False))


if __name__ == "__main__":
    main()
