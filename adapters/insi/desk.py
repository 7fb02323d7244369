"""INSi as the structures of the sandbox call it: each with its own software certificate, at our own HTTPS door."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING

from adapters.insi.certificates import attributed_certificate
from adapters.insi.routes import BASE
from adapters.pki.authority import Authority
from adapters.pki.model import Issued
from adapters.sandboxes import LiveSandboxes
from gateway import __version__
from gateway.insi.asking import Software
from gateway.insi.model import CardData, Ins, LocalIdentity, SearchResult, Unavailable, VerifyResult
from gateway.ports import InsRegistry

if TYPE_CHECKING:
    from adapters.insi.client import InsiClient


class InsiDesk:
    """One client for each structure of each workspace, made at its first call. Used from one event loop."""

    def __init__(self, authority: Authority, sandboxes: LiveSandboxes, port: Callable[[], int]) -> None:
        self._authority, self._sandboxes, self._port = authority, sandboxes, port
        self._clients: dict[tuple[str, str], InsiClient] = {}
        self._making = asyncio.Lock()

    async def registry(self, workspace: str, structure: str) -> InsRegistry:
        """The structure's client; one that has no certificate to show gets no answer."""
        known = self._sandboxes.territory(workspace).structures.get(structure)
        if known is None:
            return NoInsi()
        async with self._making:
            client = self._clients.get((workspace, structure))
            if client is None:
                from adapters.insi.client import InsiClient  # with its HTTP stack: at the first call, not at the start

                issued = await attributed_certificate(self._authority, self._sandboxes, known, workspace)
                tls = await asyncio.to_thread(self._tls, issued)
                software = Software("PASSERELLE01", "passerelle", __version__, known.finess or known.siret, structure)
                url = f"https://localhost:{self._port()}{BASE}"
                # each question is asked: an answer kept in a record is proof of a call, not of a memory
                client = InsiClient(url, tls, software, remember_s=0)
                self._clients[workspace, structure] = client
        return client

    def _tls(self, issued: Issued) -> ssl.SSLContext:
        context = ssl.create_default_context(cadata=self._authority.bundle_pem().decode("ascii"))
        context.load_cert_chain(self._authority.chain_path(issued), self._authority.key_path(issued))
        return context

    async def close(self) -> None:
        """Give the connections back."""
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.close()


class NoInsi:
    """What answers for somebody who cannot call."""

    async def search(self, person: LocalIdentity) -> SearchResult:
        """No answer."""
        return _NONE

    async def search_card(self, card: CardData) -> SearchResult:
        """No answer."""
        return _NONE

    async def verify(self, ins: Ins, person: LocalIdentity) -> VerifyResult:
        """No answer."""
        return _NONE


_NONE = Unavailable("certificate", "only a structure has a software certificate to call INSi with")
