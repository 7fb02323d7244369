"""What anyone may fetch over plain HTTP: health, the whitelist, CRL and CA certificates, metrics."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable

from prometheus_client import CollectorRegistry, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from adapters.api.problems import Problem, no_workspace, safe
from adapters.pki.authority import Authority
from adapters.pki.leaves import CA_PATH, CRL_PATH, OCSP_PATH, ROOT_CRL_PATH, ROOT_PATH
from adapters.sandboxes import LiveSandboxes
from gateway.messaging.whitelist import build_whitelist, entries_of
from gateway.ports import Clock, Signer, Store, StoreUnavailable
from gateway.sandbox.model import DEFAULT_WORKSPACE
from gateway.values import Text

WHITELIST_PATH = "/listeblanchemssante.xml"
OCSP_BYTES = 4096
_OCSP_TOO_LARGE = Text(
    f"une requête OCSP compte moins de {OCSP_BYTES} octets", f"an OCSP request is smaller than {OCSP_BYTES} octets"
)


class PublicPages:
    """The open routes of one gateway. `ready` says whether every door listens."""

    def __init__(
        self,
        *,
        store: Store,
        sandboxes: LiveSandboxes,
        authority: Authority,
        whitelist_signer: Signer,
        clock: Clock,
        registry: CollectorRegistry,
        ready: Callable[[], bool],
        metrics_token: str = "",
    ) -> None:
        self._store = store
        self._sandboxes = sandboxes
        self._authority = authority
        self._signer = whitelist_signer
        self._clock = clock
        self._registry = registry
        self._ready = ready
        self._metrics_token = metrics_token

    def routes(self) -> list[BaseRoute]:
        """Health, trust material, metrics."""
        published = [Route(path, self.trust) for path in (CRL_PATH, ROOT_CRL_PATH, CA_PATH, ROOT_PATH)]
        return [
            Route("/health/live", self.live),
            Route("/health/ready", self.ready),
            Route(WHITELIST_PATH, self.whitelist),
            Route("/metrics", self.metrics),
            Route(OCSP_PATH, self.ocsp, methods=["POST"]),
            *published,
        ]

    async def live(self, _: Request) -> Response:
        """The process answers."""
        return JSONResponse({"status": "ok"})

    async def ready(self, _: Request) -> Response:
        """Every door listens and the store answers; 503 otherwise."""
        if not self._ready():
            return JSONResponse({"status": "starting"}, 503)
        try:
            await self._store.last_seq(DEFAULT_WORKSPACE)
        except StoreUnavailable as error:
            return JSONResponse({"status": "storage unavailable", "detail": safe(str(error))}, 503)
        return JSONResponse({"status": "ready"})

    async def trust(self, request: Request) -> Response:
        """CRL and CA certificates, at the addresses written in the certificates."""
        found = self._authority.publication(request.url.path)
        if found is None:
            raise Problem(
                404, "not-published", Text("rien n'est publié à cette adresse", "nothing is published at this address")
            )
        media_type, data = found
        return Response(data, media_type=media_type)

    async def ocsp(self, request: Request) -> Response:
        """RFC 6960 over POST."""
        asked = b""
        async for chunk in request.stream():
            asked += chunk
            if len(asked) > OCSP_BYTES:
                raise Problem(413, "too-large", _OCSP_TOO_LARGE)
        answer = await asyncio.to_thread(self._authority.ocsp, asked)
        return Response(answer, media_type="application/ocsp-response")

    async def whitelist(self, request: Request) -> Response:
        """The signed list of domains and certificates of a workspace (`?workspace=`)."""
        workspace = request.query_params.get("workspace", DEFAULT_WORKSPACE)
        if workspace not in self._sandboxes.names():
            raise no_workspace(workspace)
        listings = self._sandboxes.territory(workspace).listings
        now = self._clock.now()
        data = build_whitelist(entries_of(listings, updated_at=now), generated_at=now, seal=self._signer)
        return Response(data, media_type="application/xml")

    async def metrics(self, request: Request) -> Response:
        """Prometheus text; no label holds an address or an identity. Beyond loopback it asks for the token."""
        given = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        if not hmac.compare_digest(given.encode(), self._metrics_token.encode()) and self._metrics_token:
            return Response("token required", 401, headers={"WWW-Authenticate": "Bearer"})
        return Response(generate_latest(self._registry), media_type="text/plain; version=0.0.4")
