"""`/events`: the journal live (Server-Sent Events, `Last-Event-ID`), and `/journal`: the same by pages, with its proof."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from starlette.responses import StreamingResponse

from adapters.api.context import Context, WorkspaceName
from adapters.api.filters import MAX_SEQ
from adapters.api.known import ApiContext
from adapters.api.streams import EventStream, listening, paused
from adapters.api.views import event_view

router = APIRouter(tags=["events"])

HEARTBEAT_S = 15.0
RETRY_MS = 1000
BATCH = 200


@router.get("/events", response_class=StreamingResponse)
async def live_events(
    known: Context,
    workspace: WorkspaceName,
    last_event_id: Annotated[str, Header(description="resume after this sequence number")] = "",
    since: Annotated[int | None, Query(ge=0, le=MAX_SEQ, description="resume after this sequence number")] = None,
) -> EventStream:
    """Events as they happen. Resumes after `Last-Event-ID` (or `since`); without either, from now on."""
    start = sequence_of(last_event_id, since)
    if start is None:
        start = await known.store.last_seq(workspace)
    return EventStream(known.streams.one_more(stream(known, workspace, start)))


def sequence_of(last_event_id: str, since: int | None = None) -> int | None:
    """Where to resume; None for from now on. What is no sequence number of ours is not believed."""
    if last_event_id.isascii() and last_event_id.isdecimal() and len(last_event_id) < 19:
        return int(last_event_id)
    return since


async def stream(known: ApiContext, workspace: str, after: int) -> AsyncIterator[str]:
    """The SSE text: one `data` line of JSON an event, a comment when nothing happens. Ends when the gateway stops."""
    async with listening(known.store, f"events:{workspace}") as changes:
        yield f"retry: {RETRY_MS}\n\n"
        while not known.closing.is_set():
            rows = await known.store.events(workspace, after_seq=after, limit=BATCH)
            for row in rows:
                after = row.seq
                yield f"id: {row.seq}\nevent: {row.kind}\ndata: {json.dumps(event_view(row), ensure_ascii=False)}\n\n"
            if not rows and not await paused(changes, known.closing, HEARTBEAT_S):
                yield ": still here\n\n"


@router.get("/journal")
async def journal(
    known: Context,
    workspace: WorkspaceName,
    since: Annotated[int, Query(ge=0, le=MAX_SEQ)] = 0,
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
