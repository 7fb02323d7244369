"""HTTPS routes of INSi: calls and WSDL at `/lps`, verification lots at `/lps/lots`.

A route reads the body, never more than a call needs, and hands it with the client's certificate to the road. It judges
nothing. The WSDL and its schemas are for everyone; calls need a client certificate, which the road asks for.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from functools import cache
from xml.sax.saxutils import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.http.body import BodyRules, Patience, Received, receive
from adapters.http.peer import certificate_of
from gateway.exchange.insi import CALL_BYTES, Insi, InsiVerdict
from gateway.exchange.insi_lot import read_lot, take_lot
from gateway.exchange.insi_record import InsiRequest
from gateway.exchange.model import Payload, Sender, Submission
from gateway.insi.lot import MAX_BYTES
from gateway.ports import Clock
from gateway.tables import read_text
from gateway.values import Door

BASE = "/lps"  # the path of the editor's test host ends so
BODY_RULES = BodyRules(encoded="INSI-22", too_large="INSI-10", too_slow="INSI-19", cut="INSI-22")
WSDL_TYPE = "text/xml; charset=utf-8"
LOCATION = "{location}"

Handler = Callable[[Request], Awaitable[Response]]


def insi_routes(insi: Insi, clock: Clock, *, patience: Patience | None = None) -> list[Route]:
    """The routes to mount on an HTTPS server that asks for client certificates."""
    waits = patience or Patience()

    async def call(request: Request) -> Response:
        received = await receive(request, CALL_BYTES, waits, BODY_RULES)
        verdict = await insi.take(_request(insi, clock, request, received))
        return await _answer(verdict, cut=received.broken is not None)

    async def lot(request: Request) -> Response:
        received = await receive(request, MAX_BYTES, waits, BODY_RULES)
        verdict = await take_lot(insi, _request(insi, clock, request, received))
        return await _answer(verdict, cut=received.broken is not None)

    async def results(request: Request) -> Response:
        nothing = Received(Payload(0, hashlib.sha256().hexdigest(), b""), None, 0)
        asked = _request(insi, clock, request, nothing)
        return await _answer(await read_lot(insi, asked, request.path_params["lot"]))

    return [
        Route(BASE, _wsdl, methods=["GET"]),
        Route(BASE, call, methods=["POST"]),
        Route(f"{BASE}/lots", lot, methods=["POST"]),
        Route(f"{BASE}/lots/{{lot}}", results, methods=["GET"]),
    ]


def _request(insi: Insi, clock: Clock, request: Request, received: Received) -> InsiRequest:
    certificate = certificate_of(request)
    fingerprint = certificate.fingerprint if certificate else ""
    workspace, known = insi.workspace_of(fingerprint)
    content_type = request.headers.get("content-type", "")
    submission = Submission(
        workspace=workspace,
        door=Door.INSI,
        operator="insi",
        sender=Sender(
            kind="certificate" if certificate else "anonymous",
            name=certificate.dn if certificate else "",
            fingerprint=fingerprint,
        ),
        payload=received.payload,
        received_at=clock.now(),
        peer=f"{request.client.host}:{request.client.port}" if request.client else "",
        attributes={
            "content_type": content_type[:500],
            "tls_version": str(request.scope.get("state", {}).get("tls_version", "")),
            **({} if known else {"attributed": "no"}),
            **({"declared_size": str(received.declared)} if received.broken and received.declared else {}),
        },
    )
    return InsiRequest(submission, content_type, certificate.der if certificate else b"", received.broken)


async def _answer(verdict: InsiVerdict, *, cut: bool = False) -> Response:
    if verdict.delay_s:
        await asyncio.sleep(verdict.delay_s)  # a slowness the workspace switched on
    reply = verdict.reply
    headers = {"Content-Type": reply.content_type, "Cache-Control": "no-store"}
    if verdict.exchange_id:
        headers["X-Passerelle-Exchange"] = verdict.exchange_id
    if verdict.location:
        headers["Location"] = f"{BASE}/{verdict.location}"
    if reply.status == 503:
        headers["Retry-After"] = "5"
    if cut:
        headers["Connection"] = "close"  # the rest of the body is not wanted
    return Response(reply.body, reply.status, headers)


@cache
def _wsdl_text() -> str:
    return read_text("insi/ServiceIdentiteCertifiee.wsdl")


async def _wsdl(request: Request) -> Response:
    """The contract, with the address it was asked at; its schemas are inside, nothing else has to be fetched."""
    if "wsdl" not in {name.lower() for name in request.query_params}:
        told = f"INSi (bac à sable) : POST {BASE} en SOAP 1.2, contrat à {BASE}?wsdl\n"
        return Response(told, 405, {"Allow": "POST", "Content-Type": "text/plain; charset=utf-8"})
    address = str(request.url.replace(query="", fragment=""))
    text = _wsdl_text().replace(LOCATION, escape(address, {'"': "&quot;"}))
    return Response(text, headers={"Content-Type": WSDL_TYPE, "Cache-Control": "no-store"})
