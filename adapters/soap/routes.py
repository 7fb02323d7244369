"""HTTPS routes of the DMP: /repository, /registry and /patients under one base.

A route reads the body, never more than the workspace takes, and hands it with the client's certificate to the road. It
judges nothing: what went wrong on the wire is told as an issue.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.http.body import BodyRules, Patience, receive
from adapters.http.peer import certificate_of
from gateway.exchange.deposit import Deposit
from gateway.exchange.deposit_record import DmpRequest
from gateway.exchange.model import Sender, Submission
from gateway.ports import Clock
from gateway.sharing.opening import Endpoint
from gateway.values import Door

BASE = "/si-dmp-server/v2/services"
BODY_RULES = BodyRules(encoded="DMP-05", too_large="DMP-04", too_slow="DMP-11", cut="DMP-06")


def dmp_routes(deposit: Deposit, clock: Clock, *, patience: Patience | None = None) -> list[Route]:
    """The routes to mount on an HTTPS server that asks for client certificates."""
    waits = patience or Patience()
    return [Route(f"{BASE}/{e.value}", _endpoint(deposit, clock, e, waits), methods=["POST"]) for e in Endpoint]


def _endpoint(
    deposit: Deposit, clock: Clock, endpoint: Endpoint, patience: Patience
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        certificate = certificate_of(request)
        fingerprint = certificate.fingerprint if certificate else ""
        workspace, known = deposit.workspace_of(fingerprint)
        received = await receive(request, deposit.limits_of(workspace), patience, BODY_RULES)
        submission = Submission(
            workspace=workspace,
            door=Door.DMP,
            operator="dmp",
            sender=Sender(
                kind="certificate" if certificate else "anonymous",
                name=certificate.dn if certificate else "",
                fingerprint=fingerprint,
            ),
            payload=received.payload,
            received_at=clock.now(),
            peer=f"{request.client.host}:{request.client.port}" if request.client else "",
            attributes={
                "endpoint": endpoint.value,
                "content_type": request.headers.get("content-type", "")[:500],
                "tls_version": str(request.scope.get("state", {}).get("tls_version", "")),
                **({} if known else {"attributed": "no"}),
                **({"declared_size": str(received.declared)} if received.broken and received.declared else {}),
            },
        )
        verdict = await deposit.take(
            DmpRequest(
                submission,
                endpoint,
                request.headers.get("content-type", ""),
                certificate.der if certificate else b"",
                received.broken,
            )
        )
        reply = verdict.reply
        headers = {"Content-Type": reply.content_type, "Cache-Control": "no-store"}
        if verdict.exchange_id:
            headers["X-Passerelle-Exchange"] = verdict.exchange_id
        if reply.status == 503:
            headers["Retry-After"] = "5"
        if received.broken is not None:
            headers["Connection"] = "close"  # the rest of the body is not wanted
        return Response(reply.body, reply.status, headers)

    return answer
