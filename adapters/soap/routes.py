"""HTTPS routes of the DMP: /repository, /registry and /patients under one base.

A route reads the body as it comes, never more than the workspace takes nor longer than a patient server waits, and hands
it with the client's certificate to the road. It judges nothing: what went wrong on the wire is told as an issue.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.http.peer import certificate_of
from gateway.documents.model import Issue
from gateway.exchange.deposit import Deposit
from gateway.exchange.deposit_record import DmpRequest
from gateway.exchange.model import Payload, Sender, Submission
from gateway.ports import Clock
from gateway.rules import Hit
from gateway.sharing.opening import Endpoint
from gateway.values import Door, PlaceKind, Where

BASE = "/si-dmp-server/v2/services"
KEPT_OF_REFUSED = 64 * 1024  # octets kept of a body refused for its size: the evidence, not the burden

_BODY = Where(PlaceKind.HTTP, "corps")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a body may take, in seconds: between two chunks, and in all."""

    idle_s: float = 20.0
    whole_s: float = 300.0


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
        received = await _receive(request, deposit.limits_of(workspace), patience)
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


@dataclass(frozen=True, slots=True)
class _Received:
    """What came: the octets, what broke if anything, and the size the client announced (0 when it did not)."""

    payload: Payload
    broken: Issue | None
    declared: int


async def _receive(request: Request, limit: int, patience: Patience) -> _Received:
    declared = request.headers.get("content-length", "")
    announced = int(declared) if declared.isdecimal() and len(declared) < 16 else 0
    if encoding := request.headers.get("content-encoding", ""):
        issue = Issue("DMP-05", Hit(Where(PlaceKind.HTTP, "Content-Encoding"), encoding[:40], "identity"))
        return _Received(_payload(b"", hashlib.sha256()), issue, announced)
    if announced > limit:
        return _Received(_payload(b"", hashlib.sha256()), _too_large(announced, limit), announced)
    chunks: list[bytes] = []
    digest = hashlib.sha256()
    size = 0
    broken: Issue | None = None
    stream = request.stream()
    try:
        async with asyncio.timeout(patience.whole_s):
            while True:
                async with asyncio.timeout(patience.idle_s):
                    chunk = await anext(stream, None)
                if chunk is None:
                    break
                size += len(chunk)
                if size > limit:
                    broken = _too_large(size, limit)
                    break
                digest.update(chunk)
                chunks.append(chunk)
    except TimeoutError:
        broken = Issue("DMP-11", Hit(_BODY, f"{size} octets", f"{announced or '?'} octets"))
    except ClientDisconnect:
        broken = Issue("DMP-06", Hit(_BODY, f"connexion coupée après {size} octets", f"{announced or '?'} octets"))
    body = b"".join(chunks)
    if broken is not None and broken.rule_id == "DMP-04":
        body = body[:KEPT_OF_REFUSED]
        digest = hashlib.sha256(body)
    return _Received(_payload(body, digest), broken, announced)


def _too_large(size: int, limit: int) -> Issue:
    return Issue("DMP-04", Hit(_BODY, f"{size} octets", f"{limit} octets"))


def _payload(body: bytes, digest: hashlib._Hash) -> Payload:
    return Payload(len(body), digest.hexdigest(), body)
