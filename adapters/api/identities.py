"""`/patients/{structure}`: the patient index of a structure. INS and traits travel in bodies, never in a path or a query."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from adapters.api.context import Context, WorkspaceName
from adapters.api.identity_bodies import (
    Confirmation,
    Details,
    InsiCall,
    NewIdentity,
    NewProof,
    NewTraits,
    Reveal,
    Search,
    StatusChange,
)
from adapters.api.identity_views import (
    changes_view,
    clear_view,
    datamatrix_view,
    identity_brief,
    identity_full,
    remark_view,
    trace_view,
)
from adapters.api.known import ApiContext
from adapters.api.problems import Problem, not_found
from adapters.ids import UuidSeven
from gateway.exchange.identities import Identities, NotAllowed
from gateway.exchange.indexed import IndexedIdentity, indexed
from gateway.exchange.model import Event as Journalled
from gateway.identity.datamatrix import NotPrintable
from gateway.identity.known import known_ins
from gateway.identity.local import InsiTrace
from gateway.identity.matricule import canonical
from gateway.identity.model import INS_DEMO, INS_TEST
from gateway.identity.printing import why_not
from gateway.identity.proofs import proof_kinds
from gateway.identity.status import Status
from gateway.identity.traits import canon
from gateway.ports import AppendEvent, Conflict, IdentityFilter, InsRegistry
from gateway.rules.masking import mask_text
from gateway.values import Text

router = APIRouter(tags=["patients"])
_CHANGED = Text(
    "quelqu'un a modifié ce dossier entre-temps : relisez-le",
    "somebody changed this record meanwhile: read it again",
)
_NEVER_CLEAR = Text(
    "une INS sous un OID de production ne s'affiche jamais en clair",
    "an INS under a production OID is never shown in clear",
)

# ------------------------------------------------------------------------------------------------------------------ lists


@router.get("/indexes")
async def indexes(known: Context, workspace: WorkspaceName) -> list[dict[str, Any]]:
    """The structures that keep a patient index, and how many records each has."""
    territory = known.sandboxes.territory(workspace)
    counts = await known.store.indexes(workspace)
    return [
        {"structure": key, "name": s.name if (s := territory.structures.get(key)) else key, "records": count}
        for key, count in sorted(counts.items())
    ]


@router.get("/proofs")
async def proofs() -> list[dict[str, Any]]:
    """The kinds of identity proof. `high_trust` null: each structure decides."""
    return [
        {
            "code": kind.code,
            "label": {"fr": kind.label.fr, "en": kind.label.en},
            "high_trust": None if kind.to_decide else kind.high_trust,
        }
        for kind in proof_kinds().values()
    ]


@router.get("/patients/{structure}")
async def list_identities(
    known: Context,
    workspace: WorkspaceName,
    structure: str,
    status: Annotated[Status | None, Query()] = None,
    after: Annotated[str, Query(description="the `next` of the page before", max_length=64)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """One structure's records, by IPP."""
    structure_of(known, workspace, structure)
    wanted = IdentityFilter(workspace, structure, status=status.value if status else "", after=after, limit=limit)
    rows = await known.store.identities(wanted)
    records = [identity_brief(indexed(workspace, row)) for row in rows]
    return {"identities": records, "next": rows[-1].id if len(rows) == limit else None}


@router.post("/patients/{structure}/search")
async def search(known: Context, workspace: WorkspaceName, structure: str, wanted: Search) -> list[dict[str, Any]]:
    """Records by INS, or by the other criteria together (an INS is enough by itself)."""
    structure_of(known, workspace, structure)
    if wanted.matricule:
        ins = [(canonical(wanted.matricule), wanted.oid)]
        rows = await known.store.identities_known_as(workspace, structure, ins)
    else:
        rows = await known.store.identities(
            IdentityFilter(
                workspace,
                structure,
                family=canon(wanted.birth_family),
                birth_date=wanted.birth_date,
                sex=wanted.sex,
                ipp=wanted.ipp,
                limit=wanted.limit,
            )
        )
    return [identity_brief(indexed(workspace, row)) for row in rows]


@router.post("/patients/{structure}", status_code=201)
async def create(known: Context, workspace: WorkspaceName, structure: str, given: NewIdentity) -> dict[str, Any]:
    """A provisional record; `remarks` names homonyms and likely duplicates of the index."""
    structure_of(known, workspace, structure)
    try:
        record = await identities_of(known).create(workspace, structure, given.draft(), by(given.by))
    except NotAllowed as refused:
        raise refusal(known, refused) from refused
    except Conflict as conflict:
        raise ipp_taken() from conflict
    remarks = await identities_of(known).remarks(record)
    return {**identity_full(record), "remarks": [remark_view(remark) for remark in remarks]}


# ------------------------------------------------------------------------------------------------------------- one record


@router.get("/patients/{structure}/{identity_id}")
async def one(known: Context, workspace: WorkspaceName, structure: str, identity_id: str) -> dict[str, Any]:
    """One record, masked; local traits beside those INSi told."""
    return identity_full(await found(known, workspace, structure, identity_id))


@router.get("/patients/{structure}/{identity_id}/history")
async def history(
    known: Context,
    workspace: WorkspaceName,
    structure: str,
    identity_id: str,
    after: Annotated[str, Query(description="the `next` of the page before", max_length=64)] = "",
) -> dict[str, Any]:
    """What happened to a record, and a page of the exchanges whose documents joined it, newest first."""
    record = await found(known, workspace, structure, identity_id)
    exchanges, following = await joined(known, workspace, identity_id, after)
    return {"changes": changes_view(record.local), "exchanges": list(exchanges), "next": following or None}


@router.post("/patients/{structure}/{identity_id}/status")
async def status_change(
    known: Context, workspace: WorkspaceName, structure: str, identity_id: str, asked: StatusChange
) -> dict[str, Any]:
    """Move the status by the table, put or lift a mark. What is refused says by which rule."""
    record = await found(known, workspace, structure, identity_id, asked.version)
    moved = identities_of(known).happened(record, asked.event, by(asked.by), mask_text(asked.note))
    return identity_full(await _done(known, moved))


@router.post("/patients/{structure}/{identity_id}/proofs")
async def add_proof(
    known: Context, workspace: WorkspaceName, structure: str, identity_id: str, asked: NewProof
) -> dict[str, Any]:
    """Attach a proof. The status moves by the event `proof-checked`."""
    record = await found(known, workspace, structure, identity_id, asked.version)
    proven = identities_of(known).proven(
        record, asked.kind, mask_text(asked.source), by(asked.by), high_trust=asked.high_trust
    )
    return identity_full(await _done(known, proven))


@router.post("/patients/{structure}/{identity_id}/traits")
async def change_traits(
    known: Context, workspace: WorkspaceName, structure: str, identity_id: str, asked: NewTraits
) -> dict[str, Any]:
    """Change strict traits by hand: an INS leaves the record and stays in its history."""
    record = await found(known, workspace, structure, identity_id, asked.version)
    changed = identities_of(known).changed(
        record, asked.traits(), by(asked.by), still_proven=asked.still_proven, note=mask_text(asked.note)
    )
    return identity_full(await _done(known, changed))


@router.post("/patients/{structure}/{identity_id}/details")
async def describe(
    known: Context, workspace: WorkspaceName, structure: str, identity_id: str, asked: Details
) -> dict[str, Any]:
    """Used names, date of death."""
    record = await found(known, workspace, structure, identity_id, asked.version)
    described = identities_of(known).described(
        record,
        by(asked.by),
        used_family=asked.used_family,
        used_given=asked.used_given,
        deceased_on=asked.deceased_on,
    )
    return identity_full(await _done(known, described))


# ------------------------------------------------------------------------------------------------------------------- INSi


@router.get("/patients/{structure}/{identity_id}/insi")
async def insi_traces(
    known: Context, workspace: WorkspaceName, structure: str, identity_id: str
) -> list[dict[str, Any]]:
    """Every answer of INSi about a record, beside its local traits."""
    record = await found(known, workspace, structure, identity_id)
    return [trace_view(trace, record.local) for trace in record.local.insi]


@router.get("/patients/{structure}/{identity_id}/insi/{sha256}", response_class=Response)
async def insi_answer(
    known: Context, workspace: WorkspaceName, structure: str, identity_id: str, sha256: str
) -> Response:
    """The octets of one answer, as they came: clear values, journalled and refused as those of `reveal` are."""
    record = await found(known, workspace, structure, identity_id)
    trace = next((t for t in record.local.insi if t.answer_sha256 == sha256), None)
    data = await known.store.blob(workspace, sha256) if trace is not None else None
    if trace is not None and data is not None:
        await journal_reveal(known, record, by(""), "", trace)
    if data is None:
        raise not_found("answer-not-found", Text("cette réponse", "this answer"))
    headers = {
        "Content-Disposition": 'attachment; filename="insi.xml"',
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "no-store",
    }
    return Response(data, media_type="application/octet-stream", headers=headers)


@router.post("/patients/{structure}/{identity_id}/insi")
async def call_insi(
    known: Context, workspace: WorkspaceName, structure: str, identity_id: str, asked: InsiCall
) -> dict[str, Any]:
    """Call INSi in the structure's name and keep the answer. The status waits for the confirmation."""
    record = await found(known, workspace, structure, identity_id, asked.version)
    registry = await registry_of(known, workspace, structure)
    try:
        fresh, trace = await identities_of(known).asked(record, registry, by(asked.by), verify=asked.verify)
    except NotAllowed as refused:
        raise refusal(known, refused) from refused
    except Conflict as conflict:
        raise stale() from conflict
    return {"answer": trace_view(trace, fresh.local), "identity": identity_full(fresh)}


@router.post("/patients/{structure}/{identity_id}/insi/confirm")
async def confirm(
    known: Context, workspace: WorkspaceName, structure: str, identity_id: str, asked: Confirmation
) -> dict[str, Any]:
    """Confirm a kept answer (CR 00): the record is récupérée, or qualified when it was validated."""
    record = await found(known, workspace, structure, identity_id, asked.version)
    confirmed = identities_of(known).confirmed(
        record, asked.sha256, by(asked.by), accept_differences=asked.accept_differences
    )
    return identity_full(await _done(known, confirmed))


@router.post("/patients/{structure}/{identity_id}/reveal")
async def reveal(
    known: Context, workspace: WorkspaceName, structure: str, identity_id: str, asked: Reveal
) -> dict[str, Any]:
    """The traits and INS in clear. Journalled first; refused for an INS under a production OID."""
    record = await found(known, workspace, structure, identity_id)
    await journal_reveal(known, record, by(asked.by), mask_text(asked.reason))
    return clear_view(record.local)


@router.post("/patients/{structure}/{identity_id}/datamatrix")
async def datamatrix(
    known: Context, workspace: WorkspaceName, structure: str, identity_id: str, asked: Reveal
) -> dict[str, Any]:
    """The INS datamatrix of a qualified identity: its text form and an SVG. Journalled first, as clear values are."""
    record = await found(known, workspace, structure, identity_id)
    try:
        drawn = datamatrix_view(record.local)
    except NotPrintable as refused:
        raise refusal(known, NotAllowed("INS-159", why_not(refused))) from refused
    await journal_reveal(known, record, by(asked.by), mask_text(asked.reason))
    return drawn


# ------------------------------------------------------------------------------------------------- shared with the console


def identities_of(known: ApiContext) -> Identities:
    """The use cases."""
    return Identities(known.store, known.clock, UuidSeven())


def by(given: str) -> str:
    """Who acts, fit for a history and a journal."""
    return mask_text(given.strip())[:80] or "api"


def structure_of(known: ApiContext, workspace: str, structure: str) -> str:
    """The structure's name. Raises a 404 problem; a professional without a structure keeps an index too."""
    territory = known.sandboxes.territory(workspace)
    if structure in territory.structures:
        return territory.structures[structure].name
    if structure in territory.professionals:
        return structure
    raise not_found("structure-not-found", structure)


async def found(
    known: ApiContext, workspace: str, structure: str, identity_id: str, version: int | None = None
) -> IndexedIdentity:
    """One record of one index. Raises a 404 problem, or 409 when it is no longer at `version`."""
    record = await identities_of(known).one(workspace, identity_id)
    if record is None or record.structure != structure:
        raise not_found("identity-not-found", identity_id)
    if version is not None and version != record.version:
        raise stale()
    return record


async def joined(
    known: ApiContext, workspace: str, identity_id: str, after: str = "", limit: int = 50
) -> tuple[tuple[str, ...], str]:
    """A page of the exchanges whose documents joined a record, and the `after` of the next one ('' when it is the last)."""
    read = await known.store.exchanges_of_identity(workspace, identity_id, limit + 1, after)
    page = read[:limit]
    return page, page[-1] if len(read) > limit else ""


def ipp_taken() -> Problem:
    """409: the IPP of a new record is another's."""
    told = Text("un autre dossier de cet index a déjà cet IPP", "another record of this index already has this IPP")
    return Problem(409, "ipp-taken", told)


def stale() -> Problem:
    """409: somebody changed the record meanwhile."""
    return Problem(409, "identity-changed", _CHANGED)


def refusal(known: ApiContext, refused: NotAllowed) -> Problem:
    """What a rule forbids, explained: why this time, and how to mend."""
    cure = known.book.catalogue[refused.rule].cure if refused.rule in known.book.catalogue else Text("", "")
    return Problem(
        422,
        "identity-refused",
        Text(f"{refused.rule} : {refused.why.fr}", f"{refused.rule}: {refused.why.en}"),
        rule=refused.rule,
        why={"fr": refused.why.fr, "en": refused.why.en},
        cure={"fr": cure.fr, "en": cure.en},
    )


async def registry_of(known: ApiContext, workspace: str, structure: str) -> InsRegistry:
    """INSi as that structure calls it. Raises a 503 problem when this gateway plays none."""
    if known.registry is None:
        told = Text("cette passerelle n'a pas d'INSi à appeler", "this gateway has no INSi to call")
        raise Problem(503, "no-insi", told)
    return await known.registry(workspace, structure)


async def journal_reveal(
    known: ApiContext, record: IndexedIdentity, who: str, reason: str, answer: InsiTrace | None = None
) -> None:
    """Write down that clear values are shown, before they are: those of a record, or of an `answer` of INSi about it.

    Raises a 403 problem for an INS that may be somebody's.
    """
    local = record.local
    told = (answer.ins, *answer.history) if answer is not None else ()
    held = [ins for ins in (local.ins, local.ins_received, *local.ins_history, *told) if ins is not None]
    if any(ins.oid not in (INS_TEST, INS_DEMO) and (ins.oid, ins.matricule) not in known_ins() for ins in held):
        raise Problem(403, "production-oid", _NEVER_CLEAR)
    data = {"structure": record.structure, "record": record.id, "by": who, "reason": reason}
    data |= {"answer": answer.answer_sha256} if answer is not None else {}
    event = Journalled("identity-revealed", known.clock.now(), record.workspace, "", data)
    await known.store.commit(AppendEvent(event))


async def _done(known: ApiContext, change: Any) -> IndexedIdentity:
    """The changed record. Raises the problem that says why it was not."""
    try:
        record: IndexedIdentity = await change
    except NotAllowed as refused:
        raise refusal(known, refused) from refused
    except Conflict as conflict:
        raise stale() from conflict
    return record
