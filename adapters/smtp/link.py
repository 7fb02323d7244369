"""One connection to another operator: dialled, encrypted, judged, then used for one mail after the other.

aiosmtplib carries commands and replies. Two things are done here instead of there: the TLS upgrade, to keep the TLS object of a
handshake that fails (it knows the alert and the certificate shown), and DATA, which aiosmtplib rewrites and copies
several times, while ours leaves octet for octet in slices. Both lean on private names: `tests/wire/test_smtp_contract.py`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aiosmtplib import SMTP, SMTPException, SMTPResponse, SMTPServerDisconnected, SMTPTimeoutError
from aiosmtplib.errors import SMTPConnectResponseError
from aiosmtplib.protocol import SMTPProtocol

from adapters.smtp.tls import upgrade
from gateway.answers.smtp import SmtpReply

_SLICE = 256 * 1024
_HIGH_WATER = 512 * 1024


@dataclass(frozen=True, slots=True)
class Route:
    """Where a domain's mail is handed over: an address to connect to, and the host name its certificate must bear (SNI)."""

    host: str
    port: int
    sni: str


@dataclass(frozen=True, slots=True)
class LinkTimes:
    """Seconds. RFC 5321 §4.5.3.2 asks for minutes where people wait on distant hosts; the sandbox is near."""

    connect_s: float = 10.0
    handshake_s: int = 15
    reply_s: float = 60.0
    final_s: float = 300.0  # the answer to the dot: the other side makes the mail durable


class LinkFailed(Exception):
    """No usable connection. `reason` is a short label (`connect`, `greeting`, `starttls`, `tls`, `lost`)."""

    def __init__(self, reason: str, answer: str, *, permanent: bool = False, tls: object = None) -> None:
        super().__init__(answer)
        self.reason = reason
        self.answer = answer
        self.permanent = permanent
        self.tls = tls


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply of the other side, on one line."""

    code: int
    text: str

    @classmethod
    def of(cls, response: SMTPResponse) -> Answer:
        """From aiosmtplib."""
        return cls(response.code, response.message.replace("\n", " "))

    @property
    def ok(self) -> bool:
        """2xx or 3xx."""
        return 200 <= self.code < 400

    @property
    def permanent(self) -> bool:
        """5xx."""
        return self.code >= 500

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


class Link:
    """A usable connection. `sent` counts the mails it carried; `context` is the TLS context it was made with."""

    def __init__(
        self, client: SMTP, protocol: SMTPProtocol, tls: ssl.SSLObject, context: ssl.SSLContext, times: LinkTimes
    ):
        self._client = client
        self._protocol = protocol
        self._times = times
        self.tls = tls
        self.context = context
        self.sent = 0
        self.idle_since = 0.0
        self.judged: dict[
            tuple[str, str], float
        ] = {}  # (workspace, domain) -> when its certificate was found good for it

    @classmethod
    async def dial(cls, route: Route, context: ssl.SSLContext, hostname: str, times: LinkTimes) -> Link:
        """Connect, STARTTLS, EHLO. Raises LinkFailed; nothing stays open then."""
        client = SMTP(
            hostname=route.host,
            port=route.port,
            local_hostname=hostname,
            timeout=times.connect_s,
            use_tls=False,
            start_tls=False,
        )
        try:
            await _greeted(client)
            if not client.supports_extension("starttls"):
                raise LinkFailed("starttls", "STARTTLS is not offered", permanent=True)
            tls = await _encrypted(client, route, context, times)
            protocol = client.protocol
            if protocol is None:
                raise LinkFailed("tls", "the connection ended after the handshake", tls=tls)
            try:
                await client.ehlo(timeout=times.reply_s)
            except (SMTPException, OSError) as error:
                # TLS 1.3 tells the client nothing until its first read: a refused certificate shows here (RFC 8446 §4.4.2)
                raise LinkFailed(
                    "tls", f"TLS refused by the peer, probably our certificate: {error}", tls=tls
                ) from error
            return cls(client, protocol, tls, context, times)
        except BaseException:
            client.close()
            raise

    @property
    def alive(self) -> bool:
        """As far as is known without asking."""
        return self._protocol.is_connected

    def offers(self, extension: str) -> bool:
        """Whether EHLO announced it."""
        return self._client.supports_extension(extension)

    @property
    def size_limit(self) -> int:
        """SIZE announced; 0 when none is."""
        limit = self._client.esmtp_extensions.get("size", "")
        return int(limit) if limit.isdigit() else 0

    async def command(self, *words: str) -> Answer:
        """One command. Raises LinkFailed when the connection ends, ValueError when a word holds a control character."""
        try:
            octets = [word.encode("ascii") for word in words]
            return Answer.of(await self._client.execute_command(*octets, timeout=self._times.reply_s))
        except (SMTPServerDisconnected, SMTPTimeoutError, OSError) as error:
            raise LinkFailed("lost", str(error) or type(error).__name__) from error

    async def data(self, raw: bytes) -> Answer:
        """DATA and the message, octet for octet with dots doubled; the answer to the dot, or to DATA when it is refused.

        Raises LinkFailed: `lost` before the dot was sent, `unanswered` after it (the mail may have been accepted).
        """
        started = await self.command("DATA")
        if started.code != 354:
            return started
        protocol, reason = self._protocol, "lost"
        transport = protocol.transport
        if not isinstance(transport, asyncio.WriteTransport) or protocol._command_lock is None:
            raise LinkFailed("lost", "the connection ended")
        try:
            async with protocol._command_lock:
                protocol._response_pending = True
                transport.set_write_buffer_limits(high=_HIGH_WATER)
                for octets in stuffed(raw):
                    transport.write(octets)
                    await asyncio.wait_for(protocol._drain_helper(), self._times.reply_s)
                    if protocol._response_waiter is not None and protocol._response_waiter.done():
                        break  # an early refusal: reading it is worth more than going on
                reason = "unanswered"
                self.sent += 1
                return Answer.of(await protocol.read_response(timeout=self._times.final_s))
        except (SMTPServerDisconnected, SMTPTimeoutError, OSError, TimeoutError) as error:
            raise LinkFailed(reason, str(error) or type(error).__name__) from error

    def close(self) -> None:
        """Say goodbye without waiting for the answer."""
        transport = self._protocol.transport
        if isinstance(transport, asyncio.WriteTransport) and not transport.is_closing():
            transport.write(b"QUIT\r\n")
        self._client.close()


async def _greeted(client: SMTP) -> None:
    try:
        await client.connect()
        await client.ehlo()
    except SMTPConnectResponseError as error:
        raise LinkFailed("greeting", f"{error.code} {error.message}", permanent=error.code >= 500) from error
    except (SMTPException, OSError) as error:
        raise LinkFailed("connect", str(error) or type(error).__name__) from error


async def _encrypted(client: SMTP, route: Route, context: ssl.SSLContext, times: LinkTimes) -> ssl.SSLObject:
    """STARTTLS, keeping the TLS object whatever happens."""
    protocol = client.protocol
    if protocol is None or protocol.transport is None:
        raise LinkFailed("connect", "the connection ended before STARTTLS")
    try:
        response = await client.execute_command(b"STARTTLS")
    except (SMTPException, OSError) as error:
        raise LinkFailed("starttls", str(error)) from error
    if response.code != 220:
        raise LinkFailed("starttls", f"{response.code} {response.message}", permanent=response.code >= 500)
    protocol._buffer.clear()  # what came in clear after the 220 is never read as if it were encrypted (RFC 3207 §6)
    layer, above, handshake = upgrade(
        asyncio.get_running_loop(), protocol.transport, protocol, context, times.handshake_s, server_hostname=route.sni
    )
    tls: ssl.SSLObject = layer._sslobj  # type: ignore[attr-defined]
    try:
        await handshake
    except (OSError, ssl.SSLError) as error:
        raise LinkFailed("tls", f"TLS handshake: {_tls_words(error)}", tls=tls) from error
    protocol.transport = client.transport = above
    protocol._over_ssl = True
    client._reset_server_state()
    return tls


def _tls_words(error: Exception) -> str:
    return getattr(error, "verify_message", "") or getattr(error, "reason", "") or str(error) or type(error).__name__


def stuffed(raw: bytes) -> Iterator[bytes | memoryview]:
    """The octets of DATA in slices, the final dot included. Slices without a dot to double are views, not copies."""
    view = memoryview(raw)
    if raw.startswith(b"."):
        yield b"."
    if b"\r\n." not in raw:
        for at in range(0, len(raw), _SLICE):
            yield view[at : at + _SLICE]
    else:
        at = 0
        while at < len(raw):
            end = at + _SLICE + (raw[at + _SLICE - 1 : at + _SLICE] == b"\r")  # CR and LF stay together
            if at and raw.startswith(b".", at) and raw.endswith(b"\r\n", 0, at):
                yield b"."
            yield raw[at:end].replace(b"\r\n.", b"\r\n..")
            at = end
    yield b".\r\n" if not raw or raw.endswith(b"\r\n") else b"\r\n.\r\n"


def failure_text(reply: SmtpReply) -> str:
    """A reply of ours as the answer of a delivery: on one line."""
    return reply.wire().replace("\r\n", " ")


__all__: Sequence[str] = ("Answer", "Link", "LinkFailed", "LinkTimes", "Route", "failure_text", "stuffed")
