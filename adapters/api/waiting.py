"""`/wait`: block until something matching happened, as a CI job does after it sent a message."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from adapters.api.context import Context, known_workspace
from adapters.api.filters import Awaited, in_the_query
from adapters.api.handlers import RESPONSES
from adapters.api.known import ApiContext
from adapters.api.problems import Problem
from adapters.api.streams import listening, paused
from adapters.api.views import exchange_full
from gateway.ports import ExchangeFilter, ExchangeRow
from gateway.values import Text

router = APIRouter(tags=["exchanges"])

# `registered` is how a DMP deposit arrives
_DELIVERED = frozenset({"delivered", "relayed", "registered", "read"})
_UNTIL = {"decided": frozenset({"decided"}), "delivered": _DELIVERED, "read": frozenset({"read"})}
_STOPPING = Text("la passerelle s'arrête : plus rien n'arrivera", "the gateway stops: nothing more will happen here")
_LOOK_AGAIN_S = 1.0
_PAGE = 100


@router.get("/wait", responses=RESPONSES)
async def wait(request: Request, known: Context, wanted: Annotated[Awaited, Query()]) -> dict[str, Any]:
    """The first matching exchange after `since` that got as far as `until`; a 408 problem when time runs out."""
    in_the_query(wanted)
    return await wait_in_body(request, known, wanted)


@router.post("/wait", responses=RESPONSES)
async def wait_in_body(request: Request, known: Context, wanted: Awaited) -> dict[str, Any]:
    """The same, the filters in the body: for addresses that hold a matricule."""
    known_workspace(known, wanted.workspace)
    question = wanted.filter(after=wanted.since, newest_first=False, limit=_PAGE)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(wanted.timeout_s):
            row = await _first(known, question, _UNTIL[wanted.until], request)
            if row is not None:
                return exchange_full(row)
            raise Problem(503, "gateway-stopping", _STOPPING)
    seconds = f"{wanted.timeout_s:g}"
    detail = Text(f"aucun échange ne convient après {seconds} s", f"no exchange matched within {seconds} s")
    raise Problem(408, "wait-timeout", detail, until=wanted.until, since=wanted.since)


async def _first(
    known: ApiContext, wanted: ExchangeFilter, kinds: frozenset[str], request: Request
) -> ExchangeRow | None:
    """None when the gateway stops or the client went away. Each exchange is read once, each event once."""
    pending: dict[str, ExchangeRow] = {}
    async with listening(known.store, f"events:{wanted.workspace}") as changes:
        seen = await known.store.last_seq(wanted.workspace)
        while not known.closing.is_set():
            for row in await _newer(known, wanted):
                wanted = replace(wanted, after_seq=row.seq)
                if "decided" in kinds or kinds & await _kinds(known, row):
                    return row
                pending[row.id] = row
            while pending and (rows := await known.store.events(wanted.workspace, after_seq=seen, limit=_PAGE)):
                seen = rows[-1].seq
                for event in rows:
                    if event.kind in kinds and event.exchange_id in pending:
                        return pending[event.exchange_id]
            if await request.is_disconnected():
                return None
            await paused(changes, known.closing, _LOOK_AGAIN_S)
    return None


async def _newer(known: ApiContext, wanted: ExchangeFilter) -> list[ExchangeRow]:
    found: list[ExchangeRow] = []
    while rows := await known.store.exchanges(wanted):
        found += rows
        if len(rows) < wanted.limit:
            break
        wanted = replace(wanted, after_seq=rows[-1].seq)
    return found


async def _kinds(known: ApiContext, row: ExchangeRow) -> set[str]:
    return {e.kind for e in await known.store.events(row.workspace, exchange_id=row.id)}
