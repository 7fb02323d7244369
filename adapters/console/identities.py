"""The pages of patient indexes and of the quarantine queue: what is masked stays masked, what is decided is journalled."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from adapters.api import identities as api
from adapters.api import quarantine as queue
from adapters.api.cursors import place_of
from adapters.api.identity_bodies import NewIdentity, Reveal
from adapters.api.identity_views import (
    changes_view,
    clear_view,
    entry_brief,
    identity_brief,
    identity_full,
    remark_view,
    trace_view,
)
from adapters.api.known import ApiContext
from adapters.api.problems import Problem, not_found
from adapters.console.frame import Frame, Revealed, foreign_form, lang_of
from adapters.console.session import Doorkeeper, form_of
from adapters.console.shown import marked
from adapters.identity_words import (
    ANSWERS,
    ATTRIBUTES,
    CHANGES,
    EVENTS,
    OPERATIONS,
    ROWS,
    STATES,
    STATUSES,
    TONES,
    TRAITS,
    VERIFICATIONS,
)
from gateway.exchange.identities import NotAllowed
from gateway.exchange.indexed import IndexedIdentity, indexed
from gateway.identity.datamatrix import NotPrintable
from gateway.identity.local import LocalIdentity
from gateway.identity.printing import symbol, text_of, why_not
from gateway.identity.proofs import proof_kinds
from gateway.identity.status import Event
from gateway.identity.trait_words import named
from gateway.ports import Conflict, IdentityFilter, QuarantineRow
from gateway.rules.masking import mask_text
from gateway.sandbox.model import DEFAULT_WORKSPACE
from gateway.values import Lang, Text

WS = DEFAULT_WORKSPACE
PAGE = 100
WHO = "console"
_FOUR = Text("attach, create, refuse ou copy", "attach, create, refuse or copy")
_WHY = Text("dites pourquoi, en trois caractères au moins", "say why, in three characters at least")
_VERSION = re.compile(r"[0-9]{1,9}")
Act = Callable[[IndexedIdentity, dict[str, str]], Awaitable[Any]]


class IdentityPages:
    """Served beside the console's other pages, behind the same door."""

    def __init__(self, known: ApiContext, doorkeeper: Doorkeeper, frame: Frame) -> None:
        self._known, self._door, self._frame = known, doorkeeper, frame
        self._acts: dict[str, Act] = {
            "status": self._status,
            "proof": self._proof,
            "insi": self._insi,
            "confirm": self._confirm,
        }

    def routes(self) -> list[BaseRoute]:
        """Everything served here."""
        guarded = self._frame.guarded
        return [
            Route("/identites", guarded(self.indexes)),
            Route("/identites/{structure}", guarded(self.index), methods=["GET", "POST"]),
            Route("/identites/{structure}/{id}", guarded(self.identity), methods=["GET", "POST"]),
            Route("/quarantaine", guarded(self.queue)),
            Route("/quarantaine/{id}", guarded(self.entry), methods=["GET", "POST"]),
        ]

    # ------------------------------------------------------------------------------------------------------- indexes

    async def indexes(self, request: Request) -> Response:
        """The structures that keep an index."""
        return self._frame.page(request, "indexes.html", indexes=await api.indexes(self._known, WS))

    async def index(self, request: Request) -> Response:
        """One structure's records; a new one."""
        structure = str(request.path_params["structure"])
        name = api.structure_of(self._known, WS, structure)
        refused: Problem | None = None
        form: dict[str, str] = {}
        if request.method == "POST":
            form = await self._own(request)
            try:
                made = await self._created(structure, form)
            except Problem as problem:
                refused = problem
            else:
                return RedirectResponse(f"/identites/{structure}/{made.id}", 303)
        status, after = request.query_params.get("status", ""), request.query_params.get("after", "")[:64]
        wanted = IdentityFilter(WS, structure, status=status if status in STATUSES else "", after=after, limit=PAGE)
        rows = await self._known.store.identities(wanted)
        return self._page(
            request,
            "index.html",
            status=422 if refused else 200,
            structure=structure,
            name=name,
            records=[identity_brief(indexed(WS, row)) for row in rows],
            chosen=status,
            after=rows[-1].id if len(rows) == PAGE else "",
            refused=refused,
            form=form,
        )

    async def _created(self, structure: str, form: dict[str, str]) -> IndexedIdentity:
        given = {name: form[name].strip() for name in NewIdentity.model_fields if name in form and name != "by"}
        try:
            draft = NewIdentity.model_validate(given).draft()
        except ValidationError as error:
            raise _misfilled(error) from error
        try:
            return await api.identities_of(self._known).create(WS, structure, draft, WHO)
        except NotAllowed as refused:
            raise api.refusal(self._known, refused) from refused
        except Conflict as conflict:
            raise api.ipp_taken() from conflict

    # ---------------------------------------------------------------------------------------------------- one record

    async def identity(self, request: Request) -> Response:
        """One record, and what may be done to it."""
        structure, name = str(request.path_params["structure"]), str(request.path_params["id"])
        record = await api.found(self._known, WS, structure, name)
        refused: Problem | None = None
        clear: dict[str, Any] | None = None
        drawn: dict[str, Any] | None = None
        if request.method == "POST":
            form = await self._own(request)
            act = form.get("act", "")
            try:
                if act == "reveal":
                    await api.journal_reveal(self._known, record, WHO, _reason(form))
                    clear, drawn = _revealed(clear_view(record.local)), _drawn(record.local, lang_of(request))
                else:
                    await self._acted(record, form)
                    return RedirectResponse(request.url.path, 303)
            except Problem as problem:
                refused = problem
                record = await api.found(self._known, WS, structure, name)
        lang, local = lang_of(request), record.local
        after = request.query_params.get("after", "")[:64]
        exchanges, following = await api.joined(self._known, WS, record.id, after)
        kinds = [(k.code, k.label.in_(lang), k.to_decide) for k in proof_kinds().values()]
        return self._page(
            request,
            "identity.html",
            status=422 if refused else 200,
            structure=structure,
            structure_name=api.structure_of(self._known, WS, structure),
            one=identity_full(record),
            insi=[self._trace(trace_view(t, local)) for t in reversed(local.insi)],
            changes=list(reversed(changes_view(local))),
            exchanges=exchanges,
            after=after,
            following=following,
            proofs=kinds,
            remarks=[remark_view(r) for r in await api.identities_of(self._known).remarks(record)],
            refused=refused,
            clear=clear,
            drawn=drawn,
        )

    async def _acted(self, record: IndexedIdentity, form: dict[str, str]) -> None:
        act, version = self._acts.get(form.get("act", "")), form.get("version", "")
        if act is None or not _VERSION.fullmatch(version):
            raise Problem(422, "unknown-act", foreign_form().detail)
        if int(version) != record.version:
            raise api.stale()
        try:
            await act(record, form)
        except NotAllowed as refused:
            raise api.refusal(self._known, refused) from refused
        except Conflict as conflict:
            raise api.stale() from conflict

    async def _status(self, record: IndexedIdentity, form: dict[str, str]) -> None:
        event = form.get("event", "")
        if event not in EVENTS:
            raise Problem(422, "unknown-event", Text("choisissez ce qui s'est passé", "choose what happened"))
        await api.identities_of(self._known).happened(record, Event(event), WHO, mask_text(form.get("note", "")[:200]))

    async def _proof(self, record: IndexedIdentity, form: dict[str, str]) -> None:
        kind = form.get("kind", "")
        rank = True if form.get("high_trust") and kind in proof_kinds() and proof_kinds()[kind].to_decide else None
        source = mask_text(form.get("source", "")[:200])
        await api.identities_of(self._known).proven(record, kind, source, WHO, high_trust=rank)

    async def _insi(self, record: IndexedIdentity, form: dict[str, str]) -> None:
        registry = await api.registry_of(self._known, WS, record.structure)
        await api.identities_of(self._known).asked(record, registry, WHO, verify=form.get("how") == "verify")

    async def _confirm(self, record: IndexedIdentity, form: dict[str, str]) -> None:
        accepted = bool(form.get("accept_differences"))
        sha256 = form.get("sha256", "")
        await api.identities_of(self._known).confirmed(record, sha256, WHO, accept_differences=accepted)

    @staticmethod
    def _trace(trace: dict[str, Any]) -> dict[str, Any]:
        lines = [{**line, "local": marked(line["local"]), "told": marked(line["told"])} for line in trace["beside"]]
        return {**trace, "beside": lines}

    # --------------------------------------------------------------------------------------------------------- queue

    async def queue(self, request: Request) -> Response:
        """What waits for a human, oldest first, or what was decided; of one structure, or of all."""
        asked = request.query_params
        state = asked.get("etat", "open")
        wanted = "" if state == "all" else state if state in STATES else "open"
        structure, after = asked.get("structure", "")[:255], asked.get("after", "")[:80]
        rows = await queue.queued(self._known, WS, wanted, structure, after=after, limit=PAGE)
        return self._page(
            request,
            "quarantine.html",
            entries=[entry_brief(row) for row in rows],
            chosen=state,
            structure=structure,
            indexes=(held := await api.indexes(self._known, WS)),
            names={one["structure"]: one["name"] for one in held},
            after=place_of(rows[-1]) if len(rows) == PAGE else "",
        )

    async def entry(self, request: Request) -> Response:
        """One entry, side by side with the records it may be about, and the four decisions."""
        row = await queue.found(self._known, WS, str(request.path_params["id"]))
        refused: Problem | None = None
        if request.method == "POST":
            form = await self._own(request)
            try:
                return RedirectResponse(await self._decided(row, form), 303)
            except Problem as problem:
                refused = problem
                row = await queue.found(self._known, WS, row.id)
        full = await queue.entry_full(self._known, WS, row)
        for record in full["beside"]:
            record["lines"] = [
                {**line, "local": marked(line["local"]), "told": marked(line["told"])} for line in record["lines"]
            ]
        name = api.structure_of(self._known, WS, row.structure)
        status = 422 if refused else 200
        return self._page(request, "quarantine_entry.html", status=status, entry=full, name=name, refused=refused)

    async def _decided(self, row: QuarantineRow, form: dict[str, str]) -> str:
        """Where to go once decided."""
        choice = form.get("decision", "")
        if choice not in ("attach", "create", "refuse", "copy"):
            raise Problem(422, "unknown-decision", _FOUR)
        asked = queue.Decision(
            decision=choice,  # type: ignore[arg-type]  # one of the four, looked at just above
            record=form.get("record", "")[:64] or await self._numbered(row.structure, form.get("ipp", "").strip()[:64]),
            ipp="",
            accept_differences=bool(form.get("accept_differences")),
            note=form.get("note", "")[:200],
            by=WHO,
        )
        decided = await queue.decided_by(self._known, WS, row, asked)
        return f"/identites/{row.structure}/{decided.record_id}" if decided.record_id else f"/quarantaine/{row.id}"

    async def _numbered(self, structure: str, ipp: str) -> str:
        """The id of the record of an IPP; '' for no IPP. Raises a 404 problem."""
        if not ipp:
            return ""
        found = await self._known.store.identities(IdentityFilter(WS, structure, ipp=ipp, limit=1))
        if not found:
            raise not_found("identity-not-found", ipp)
        return found[0].id

    # -------------------------------------------------------------------------------------------------------- shared

    def _page(self, request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
        lang = lang_of(request)
        return self._frame.page(request, template, status=status, words=_words(lang), **values)

    async def _own(self, request: Request) -> dict[str, str]:
        """The fields of a form of ours. Raises a 403 problem for anybody else's."""
        form = await form_of(request)
        if not self._door.genuine(request, form):
            raise foreign_form()
        return form


def _reason(form: dict[str, str]) -> str:
    """Why clear values are asked for, as the API wants it. Raises a 422 problem."""
    try:
        return mask_text(Reveal(reason=form.get("reason", "").strip()).reason)
    except ValidationError:
        raise Problem(422, "reason-missing", _WHY) from None


def _misfilled(error: ValidationError) -> Problem:
    """Which fields of a form to look at again."""
    wrong = named(dict.fromkeys(str(one["loc"][0]) if one["loc"] else "" for one in error.errors()))
    return Problem(422, "invalid-request", Text(f"À corriger : {wrong.fr}.", f"To correct: {wrong.en}."))


def _drawn(local: LocalIdentity, lang: Lang) -> dict[str, Any]:
    """The INS datamatrix as a template draws it, or why this identity carries none."""
    try:
        picture = symbol(text_of(local.traits, local.ins, local.reliability))
    except NotPrintable as refused:
        return {"why": why_not(refused).in_(lang)}
    return {"why": "", "side": picture.side, "path": Revealed(picture.path)}


def _revealed(clear: dict[str, Any]) -> dict[str, Any]:
    """The same values, marked as asked for."""
    return {
        name: {key: Revealed(text) for key, text in held.items()} if isinstance(held, dict) else held
        for name, held in clear.items()
    }


def _words(lang: Lang) -> dict[str, dict[Any, str]]:
    tables: dict[str, Any] = {
        "statuses": STATUSES,
        "attributes": ATTRIBUTES,
        "events": EVENTS,
        "changes": CHANGES,
        "answers": ANSWERS,
        "verifications": VERIFICATIONS,
        "operations": OPERATIONS,
        "states": STATES,
        "rows": ROWS,
        "traits": TRAITS,
    }
    told = {name: {key: text.in_(lang) for key, text in table.items()} for name, table in tables.items()}
    return {**told, "tones": dict(TONES)}
