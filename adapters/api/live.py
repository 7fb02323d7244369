"""`/events`: the journal live (Server-Sent Events, `Last-Event-ID`), and `/journal`: the same by pages, with its proof."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from starlette.responses import StreamingResponse

from adapters.api.context import ApiContext, Context, WorkspaceName
from adapters.api.views import event_view

router = APIRouter(tags=["events"])

HEARTBEAT_S = 15.0
SSE_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@router.get("/events")
async def live_events(
    known: Context,
    workspace: WorkspaceName,
    last_event_id: Annotated[str, Header()] = "",
    since: int | None = None,
) -> StreamingResponse:
    """Events as they happen. Resumes after `Last-Event-ID` (or `since`); without either, from now on."""
    start = int(last_event_id) if last_event_id.isdigit() else since
    if start is None:
        start = await known.store.last_seq(workspace)
    return StreamingResponse(stream(known, workspace, start), media_type="text/event-stream", headers=SSE_HEADERS)


async def stream(known: ApiContext, workspace: str, after: int) -> AsyncIterator[str]:
    """The SSE text: one `data` line of JSON an event, a comment when nothing happens."""
    changes = known.store.subscribe(f"events:{workspace}")
    while True:
        rows = await known.store.events(workspace, after_seq=after, limit=200)
        for row in rows:
            after = row.seq
            yield f"id: {row.seq}\nevent: {row.kind}\ndata: {json.dumps(event_view(row), ensure_ascii=False)}\n\n"
        if rows:
            continue
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(anext(changes), HEARTBEAT_S)
            continue
        yield ": still here\n\n"


@router.get("/journal")
async def journal(
    known: Context,
    workspace: WorkspaceName,
    since: Annotated[int, Query(ge=0)] = 0,
    exchange: str = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> dict[str, Any]:
    """The event log, oldest first, after a sequence number."""
    rows = await known.store.events(workspace, after_seq=since, exchange_id=exchange, limit=limit)
    return {"events": [event_view(row) for row in rows], "last_seq": await known.store.last_seq(workspace)}


@router.get("/journal/proof")
async def proof(known: Context, workspace: WorkspaceName) -> dict[str, Any]:
    """Verify the hash chain of the journal."""
    links, broken = await known.store.verify_chain(workspace)
    return {"links": links, "intact": not broken, "broken_at": broken}
