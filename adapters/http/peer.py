"""Who stands at the other end of an HTTPS request: the client certificate, which ASGI servers do not show by default.

Pin-sensitive: leans on `uvicorn.protocols.http.httptools_impl.HttpToolsProtocol` keeping `app_state` and
`connection_made`; a contract test watches.
"""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from adapters.pki.contexts import peer_of
from gateway.messaging.trust import PeerCertificate


class PeerProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with the peer's certificate in the state of each request of the connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A copy of the state: it is shared by all connections, and one partner must never be taken for the next."""
        self.app_state: dict[str, Any] = {
            **self.app_state,
            "peer_certificate": peer_of(transport),
            "tls_version": _tls_version(transport),
        }
        super().connection_made(transport)


def _tls_version(transport: asyncio.Transport) -> str:
    tls = transport.get_extra_info("ssl_object")
    return (tls.version() or "") if tls is not None else ""


def certificate_of(request: Request) -> PeerCertificate | None:
    """The client certificate of a request; None without one."""
    found: PeerCertificate | None = request.scope.get("state", {}).get("peer_certificate")
    return found
