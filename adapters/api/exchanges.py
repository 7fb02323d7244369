"""`/exchanges`: list, explain, fetch raw bytes; `/wait`: block until something matching happened."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from gateway.exchange.opening import open_message

from adapters.api.context import ApiContext, Context, WorkspaceName
from adapters.api.problems import Problem, not_found
from adapters.api.views import delivery_view, event_view, exchange_brief, exchange_full, opened_view
from gateway.exchange.model import OpenedMessage, Payload
from gateway.ports import ExchangeFilter, ExchangeRow

router = APIRouter(tags=["exchanges"])

_DELIVERED = frozenset({"delivered", "relayed", "read"})
_UNTIL = {"decided": frozenset({"decided"}), "delivered": _DELIVERED, "read": frozenset({"read"})}


@router.get("/exchanges")
async def list_exchanges(
    known: Context,
    workspace: WorkspaceName,
    door: str = "",
    outcome: str = "",
    participant: str = "",
    rule: str = "",
    message_id: str = "",
    before: Annotated[int, Query(ge=0, description="sequence number: older than")] = 0,
    since: Annotated[int, Query(ge=0, description="sequence number: newer than")] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """Door crossings, newest first. `next` is the `before` of the following page."""
    wanted = ExchangeFilter(
        workspace,
        door=door,
        outcome=outcome,
        participant=participant,
        rule=rule,
        message_id=message_id.strip("<>"),
        before_seq=before,
        after_seq=since,
        limit=limit,
    )
    rows = await known.store.exchanges(wanted)
    more = rows[-1].seq if len(rows) == limit else None
    return {"exchanges": [exchange_brief(row) for row in rows], "next": more}


@router.get("/exchanges/{exchange_id}")
async def one_exchange(known: Context, workspace: WorkspaceName, exchange_id: str) -> dict[str, Any]:
    """One exchange: who, what, the decision, every finding."""
    return exchange_full(await found(known, workspace, exchange_id))


@router.get("/exchanges/{exchange_id}/findings")
async def findings(known: Context, workspace: WorkspaceName, exchange_id: str) -> list[dict[str, Any]]:
    """The findings alone."""
    return [dict(f) for f in (await found(known, workspace, exchange_id)).findings]


@router.get("/exchanges/{exchange_id}/raw", response_class=Response)
async def raw(known: Context, workspace: WorkspaceName, exchange_id: str) -> Response:
    """The octets as received."""
    data = await raw_of(known, await found(known, workspace, exchange_id))
    headers = {"Content-Disposition": f'attachment; filename="{exchange_id}.bin"', "X-Content-Type-Options": "nosniff"}
    return Response(data, media_type="application/octet-stream", headers=headers)


@router.get("/exchanges/{exchange_id}/opened")
async def opened(known: Context, workspace: WorkspaceName, exchange_id: str) -> dict[str, Any]:
    """What was inside: parts, packages, documents, identities side by side (masked)."""
    return opened_view(await open_again(known, await found(known, workspace, exchange_id)))


@router.get("/exchanges/{exchange_id}/events")
async def events(known: Context, workspace: WorkspaceName, exchange_id: str) -> list[dict[str, Any]]:
    """What happened to it, in order."""
    await found(known, workspace, exchange_id)
    return [event_view(e) for e in await known.store.events(workspace, exchange_id=exchange_id)]


@router.get("/exchanges/{exchange_id}/story")
async def story(known: Context, workspace: WorkspaceName, exchange_id: str) -> dict[str, Any]:
    """Every hop of the same message, in order, with the events of each and the deliveries still under way."""
    row = await found(known, workspace, exchange_id)
    hops = []
    for hop in await hops_of(known, row):
        happened = [event_view(e) for e in await known.store.events(workspace, exchange_id=hop.id)]
        waiting = [delivery_view(d) for d in await known.store.deliveries(workspace, exchange_id=hop.id)]
        hops.append({**exchange_brief(hop), "events": happened, "deliveries": waiting})
    return {"correlation_id": row.correlation_id, "hops": hops}


@router.get("/wait")
async def wait(
    known: Context,
    workspace: WorkspaceName,
    since: Annotated[int, Query(ge=0)] = 0,
    until: Literal["decided", "delivered", "read"] = "decided",
    door: str = "",
    outcome: str = "",
    participant: str = "",
    rule: str = "",
    message_id: str = "",
    timeout_s: Annotated[float, Query(gt=0, le=120)] = 10,
) -> dict[str, Any]:
    """The first matching exchange after `since` that got as far as `until`; a 408 problem when time runs out."""
    wanted = ExchangeFilter(
        workspace,
        door=door,
        outcome=outcome,
        participant=participant,
        rule=rule,
        message_id=message_id.strip("<>"),
        after_seq=since,
        newest_first=False,
    )
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            return exchange_full(await _first(known, wanted, _UNTIL[until]))
    raise Problem(408, "wait-timeout", f"no exchange matched within {timeout_s:g} s", until=until, since=since)


async def _first(known: ApiContext, wanted: ExchangeFilter, kinds: frozenset[str]) -> ExchangeRow:
    changes = known.store.subscribe(f"events:{wanted.workspace}")
    while True:
        page = wanted
        while rows := await known.store.exchanges(page):
            for row in rows:
                happened = await known.store.events(wanted.workspace, exchange_id=row.id)
                if kinds & {e.kind for e in happened}:
                    return row
            page = replace(page, after_seq=rows[-1].seq)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(anext(changes), 1.0)


async def found(known: ApiContext, workspace: str, exchange_id: str) -> ExchangeRow:
    """The exchange, or a 404 problem."""
    row = await known.store.exchange(workspace, exchange_id)
    if row is None:
        raise not_found("exchange-not-found", exchange_id[:64])
    return row


async def hops_of(known: ApiContext, row: ExchangeRow) -> tuple[ExchangeRow, ...]:
    """Every exchange of the same correlation, oldest first."""
    wanted = ExchangeFilter(row.workspace, correlation_id=row.correlation_id, newest_first=False, limit=100)
    return await known.store.exchanges(wanted) if row.correlation_id else (row,)


async def raw_of(known: ApiContext, row: ExchangeRow) -> bytes:
    """The octets of an exchange, or a 410 problem when they are gone or damaged."""
    data = await known.store.blob(row.workspace, row.sha256)
    if data is None:
        raise Problem(410, "bytes-gone", "the octets were purged, or do not match their digest any more")
    return data


async def open_again(known: ApiContext, row: ExchangeRow) -> OpenedMessage:
    """Open the stored octets once more: what they hold is a pure function of them."""
    data = await raw_of(known, row)
    payload = Payload(row.size_bytes, row.sha256, data)
    kind = str(row.summary.get("kind", "mail"))
    return await known.offload.open(open_message, payload, kind, None, known.sandboxes.policy(row.workspace).limits)
