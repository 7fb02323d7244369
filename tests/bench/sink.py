"""The peer: aiosmtpd's own server and its Sink handler, which throws every mail away.

python -m tests.bench.sink CHAIN KEY CA — STARTTLS with the given certificate, a client certificate asked for. Prints its
port, then serves until it is ended.
"""

from __future__ import annotations

import asyncio
import ssl
import sys

from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import SMTP

SIZE_LIMIT = 100_000_000


async def serve(chain: str, key: str, ca: str) -> None:
    """Serve for ever."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=ca)
    context.load_cert_chain(chain, key)
    context.verify_mode = ssl.CERT_OPTIONAL
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(Sink(), data_size_limit=SIZE_LIMIT, tls_context=context), "127.0.0.1", 0
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:4]))
