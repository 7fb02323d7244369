"""`/quarantine`: the documents whose integration waits for a human, and the decisions on them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from adapters.api.context import Context, WorkspaceName
from adapters.api.cursors import place_of, place_told
from adapters.api.identities import by, identities_of, ipp_taken, refusal, stale
from adapters.api.identity_bodies import Body, By, Ipp
from adapters.api.identity_views import candidate_view, entry_brief, remark_view
from adapters.api.known import ApiContext
from adapters.api.problems import Problem, not_found
from adapters.identity_words import STATES
from adapters.ids import UuidSeven
from gateway.exchange.identities import NotAllowed
from gateway.exchange.quarantine import Decided, Gone, QuarantineDesk, State
from gateway.exchange.received import told_of
from gateway.ports import Conflict, QuarantineRow
from gateway.rules.masking import mask_text
from gateway.values import Text

router = APIRouter(tags=["quarantine"])
_NO_RECORD = Text(
    "attach : désignez le dossier que rejoignent les documents", "attach: name the record the documents join"
)
_GONE = Text("l'échange ou ses octets ne sont plus là", "the exchange or its octets are no longer there")

Choice = Literal["attach", "create", "refuse", "copy"]


class Decision(Body):
    """What to do with the documents.

    attach: they join `record`, one of that structure's index. create: a provisional record is made of what the message says.
    refuse: they join none. copy: a marked copy without the INS, a new linked exchange; never of a signed document.
    """

    decision: Choice
    record: str = Field("", max_length=64, description="attach: the id of the record")
    ipp: Ipp = Field("", max_length=64, description="create: the IPP to give; '' = given by the index")
    accept_differences: bool = Field(False, description="attach: the record says otherwise than the message, and yet")
    note: str = Field("", max_length=200)
    by: By = "api"


@router.get("/quarantine")
async def queue(
    known: Context,
    workspace: WorkspaceName,
    state: Annotated[State | Literal["all"], Query()] = State.OPEN,
    structure: Annotated[str, Query(max_length=255)] = "",
    exchange: Annotated[str, Query(max_length=64)] = "",
    after: Annotated[str, Query(description="the `next` of the page before", max_length=80)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> dict[str, Any]:
    """Entries: the line of the decision table, the acknowledgement code, the rules, the candidates.

    What waits comes oldest first; any other state, newest first.
    """
    rows = await queued(
        known, workspace, "" if state == "all" else State(state).value, structure, exchange, after, limit
    )
    return {"entries": [entry_brief(row) for row in rows], "next": place_of(rows[-1]) if len(rows) == limit else None}


@router.get("/quarantine/{entry_id}")
async def one(known: Context, workspace: WorkspaceName, entry_id: str) -> dict[str, Any]:
    """One entry: what was received beside each candidate record, masked."""
    return await entry_full(known, workspace, await found(known, workspace, entry_id))


@router.post("/quarantine/{entry_id}/decide")
async def decide(known: Context, workspace: WorkspaceName, entry_id: str, asked: Decision) -> dict[str, Any]:
    """Decide. 409 when somebody did already; 422 with the rule that forbids it. `remarks` as for a new record."""
    entry = await found(known, workspace, entry_id)
    decided = await decided_by(known, workspace, entry, asked)
    told = {"state": decided.state.value, "record": decided.record_id, "copy": decided.copy_id}
    return {**told, "remarks": [remark_view(remark) for remark in decided.remarks]}


# ------------------------------------------------------------------------------------------------- shared with the console


async def queued(
    known: ApiContext,
    workspace: str,
    state: str,
    structure: str = "",
    exchange: str = "",
    after: str = "",
    limit: int = 100,
) -> tuple[QuarantineRow, ...]:
    """One page of the queue: what waits, oldest first; else newest first. Raises a 422 problem for an unknown page."""
    return await known.store.quarantined(
        workspace,
        state=state,
        structure=structure,
        exchange_id=exchange,
        oldest_first=state == State.OPEN,
        after=place_told(after),
        limit=limit,
    )


async def found(known: ApiContext, workspace: str, entry_id: str) -> QuarantineRow:
    """One entry, or a 404 problem."""
    entry = await known.store.quarantine_entry(workspace, entry_id)
    if entry is None:
        raise not_found("entry-not-found", entry_id)
    return entry


async def entry_full(known: ApiContext, workspace: str, entry: QuarantineRow) -> dict[str, Any]:
    """An entry with its candidates side by side with what was received."""
    told = told_of(entry.record["received"])
    records = [await identities_of(known).one(workspace, str(name)) for name in entry.record.get("candidates", ())]
    beside = [candidate_view(record, told) for record in records if record is not None]
    return {**entry_brief(entry), "container": mask_text(told.container), "beside": beside}


async def decided_by(known: ApiContext, workspace: str, entry: QuarantineRow, asked: Decision) -> Decided:
    """The decision taken. Raises the problem that says why it was not."""
    desk = QuarantineDesk(known.store, known.sandboxes, known.clock, UuidSeven(), known.offload)
    who, note = by(asked.by), mask_text(asked.note)
    if entry.state != State.OPEN:
        raise _already(entry)
    if asked.decision == "attach" and not asked.record:
        raise Problem(422, "record-missing", _NO_RECORD)
    try:
        if asked.decision == "attach":
            accepted = asked.accept_differences
            return await desk.attach(workspace, entry, asked.record, who, note, accept_differences=accepted)
        if asked.decision == "create":
            return await desk.create(workspace, entry, who, asked.ipp, note)
        if asked.decision == "refuse":
            return await desk.refuse(workspace, entry, who, note)
        return await desk.copy(workspace, entry, who, note)
    except NotAllowed as refused:
        raise refusal(known, refused) from refused
    except Conflict as conflict:
        if conflict.key == "ipp":
            raise ipp_taken() from conflict
        now = await found(known, workspace, entry.id)
        raise (stale() if now.state == State.OPEN else _already(now)) from conflict
    except Gone as gone:
        raise Problem(410, "exchange-gone", _GONE) from gone


def _already(entry: QuarantineRow) -> Problem:
    state, who = STATES.get(entry.state, Text(entry.state, entry.state)), entry.decided_by
    told = Text(f"{who} a déjà décidé : {state.fr}", f"{who} decided already: {state.en}")
    return Problem(409, "already-decided", told, state=entry.state)
