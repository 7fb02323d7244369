"""`/exchanges`: list, explain, fetch the bytes."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from adapters.api.context import Context, WorkspaceName, known_workspace
from adapters.api.filters import Listed, in_the_query
from adapters.api.known import ApiContext
from adapters.api.opened import open_again, raw_of
from adapters.api.problems import not_found
from adapters.api.views import delivery_view, event_view, exchange_brief, exchange_full, opened_view
from gateway.ports import EventRow, ExchangeFilter, ExchangeRow

router = APIRouter(tags=["exchanges"])

EVENTS_PAGE = 500


@router.get("/exchanges")
async def list_exchanges(known: Context, wanted: Annotated[Listed, Query()]) -> dict[str, Any]:
    """Door crossings, newest first. `next` is the `before` of the following page."""
    in_the_query(wanted)
    return await search_exchanges(known, wanted)


@router.post("/exchanges/search")
async def search_exchanges(known: Context, wanted: Listed) -> dict[str, Any]:
    """The same list, the filters in the body: for addresses that hold a matricule."""
    known_workspace(known, wanted.workspace)
    rows = await known.store.exchanges(wanted.filter(after=wanted.since, before=wanted.before, limit=wanted.limit))
    more = rows[-1].seq if len(rows) == wanted.limit else None
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
    row = await found(known, workspace, exchange_id)
    headers = {
        "Content-Disposition": f'attachment; filename="{row.id}.{ending(row)}"',
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "no-store",
    }
    return Response(await raw_of(known, row), media_type="application/octet-stream", headers=headers)


@router.get("/exchanges/{exchange_id}/opened")
async def opened(known: Context, workspace: WorkspaceName, exchange_id: str) -> dict[str, Any]:
    """What was inside: parts, packages, documents, identities side by side (masked)."""
    return opened_view(await open_again(known, await found(known, workspace, exchange_id)))


@router.get("/exchanges/{exchange_id}/events")
async def events(known: Context, workspace: WorkspaceName, exchange_id: str) -> list[dict[str, Any]]:
    """What happened to it, in order."""
    row = await found(known, workspace, exchange_id)
    return [event_view(e) for e in await events_of(known, row)]


@router.get("/exchanges/{exchange_id}/story")
async def story(known: Context, workspace: WorkspaceName, exchange_id: str) -> dict[str, Any]:
    """Every hop of the same message, in order, with the events of each and the deliveries still under way."""
    row = await found(known, workspace, exchange_id)
    hops = []
    for hop in await hops_of(known, row):
        happened = [event_view(e) for e in await events_of(known, hop)]
        waiting = [delivery_view(d) for d in await known.store.deliveries(workspace, exchange_id=hop.id)]
        hops.append({**exchange_brief(hop), "events": happened, "deliveries": waiting})
    return {"correlation_id": row.correlation_id, "hops": hops}


async def found(known: ApiContext, workspace: str, exchange_id: str) -> ExchangeRow:
    """The exchange, or a 404 problem."""
    row = await known.store.exchange(workspace, exchange_id)
    if row is None:
        raise not_found("exchange-not-found", exchange_id)
    return row


async def events_of(known: ApiContext, row: ExchangeRow) -> tuple[EventRow, ...]:
    """Everything that happened to one exchange."""
    return await known.store.events(row.workspace, exchange_id=row.id, limit=EVENTS_PAGE)


async def hops_of(known: ApiContext, row: ExchangeRow) -> tuple[ExchangeRow, ...]:
    """Every exchange of the same correlation, oldest first; the one asked for is always among them."""
    if not row.correlation_id:
        return (row,)
    wanted = ExchangeFilter(row.workspace, correlation_id=row.correlation_id, newest_first=False, limit=100)
    hops = await known.store.exchanges(wanted)
    return hops if any(hop.id == row.id for hop in hops) else (*hops, row)


def ending(row: ExchangeRow) -> str:
    """What the name of the downloaded file ends with."""
    return "eml" if row.summary.get("kind") == "mail" else "bin"
