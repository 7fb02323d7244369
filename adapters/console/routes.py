"""The pages of the console."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from adapters.api.exchanges import ending, events_of, found, hops_of
from adapters.api.filters import participant
from adapters.api.guard import serves
from adapters.api.known import ApiContext
from adapters.api.live import sequence_of, stream
from adapters.api.opened import open_again, raw_of
from adapters.api.problems import Problem
from adapters.api.streams import EventStream
from adapters.api.views import identities_view, opened_view
from adapters.console.documentation import Operation, operations
from adapters.console.frame import HERE, Assets, Frame, Handler, foreign_form, lang_of
from adapters.console.identities import IdentityPages
from adapters.console.parties import Party
from adapters.console.session import SECURITY_HEADERS, Doorkeeper, cookie_name, form_of, from_here
from adapters.console.shown import Row, card, compared, shown_event, shown_refusal, shown_row
from adapters.console.story import Hop, lanes_of
from adapters.console.words import DOORS, LISTED_DOORS, OUTCOMES
from gateway.evidence.standing import standing
from gateway.ports import ExchangeFilter, ExchangeRow, ResetWorkspace
from gateway.rules import load_catalogue
from gateway.rules.masking import mask_text
from gateway.rules.words import ACTIONS, FAMILIES, SEVERITIES
from gateway.sandbox.model import DEFAULT_WORKSPACE
from gateway.values import Text

PAGE_ROWS = 100
REFUSALS_AMONG = 400  # newest events looked at for refusals that left no exchange
FILTERS = ("door", "outcome", "participant", "rule")


class Console:
    """The pages of one gateway."""

    def __init__(self, known: ApiContext, doorkeeper: Doorkeeper) -> None:
        self._known = known
        self._door = doorkeeper
        self._frame = Frame(known, doorkeeper)
        self._operations: Mapping[str, list[Operation]] | None = None

    def routes(self) -> list[BaseRoute]:
        """Everything the console serves."""
        guarded = self._frame.guarded
        return [
            Route("/", guarded(self.exchanges)),
            Route("/entrer", self.enter, methods=["GET", "POST"]),
            Route("/sortir", guarded(self.leave), methods=["POST"]),
            Route("/vider", guarded(self.empty), methods=["GET", "POST"]),
            Route("/lignes", guarded(self.rows)),
            Route("/direct", guarded(self.live)),
            Route("/echanges/{id}", guarded(self.exchange)),
            Route("/echanges/{id}/histoire", guarded(self.story)),
            Route("/echanges/{id}/octets", guarded(self.raw)),
            Route("/refus/{seq:int}", guarded(self.refusal)),
            Route("/regles", guarded(self.rules)),
            Route("/regles/{id}", guarded(self.rule)),
            Route("/territoire", guarded(self.territory)),
            Route("/api", guarded(self.api)),
            *IdentityPages(self._known, self._door, self._frame).routes(),
            Mount("/static", Assets(directory=HERE / "static")),
        ]

    def refusals(self) -> Mapping[type[Exception], Handler]:
        """What answers for errors that no page caught."""
        return self._frame.refusals()

    # ----------------------------------------------------------------------------------------------------- coming in

    async def enter(self, request: Request) -> Response:
        """The printed key, or the token typed in."""
        if not serves(request.headers.get("host", ""), self._known.hosts):
            return PlainTextResponse("unknown host", 421)
        key = request.query_params.get("cle", "")
        refused = ""
        if request.method == "POST":
            form = await form_of(request)
            good = from_here(request) and self._door.accepts_token(form.get("token", ""))
            refused = "" if good else "token"
        else:
            if self._door.lets_in(request):
                return RedirectResponse("/", 303)
            good = bool(key) and self._door.accepts_key(key)
            refused = "key" if key and not good else ""
        if good:
            return self._door.admit(request, RedirectResponse("/", 303))
        return self._frame.page(request, "enter.html", status=403 if refused else 200, refused=refused)

    async def leave(self, request: Request) -> Response:
        """Forget the cookie."""
        self._own(request, await form_of(request))
        response = RedirectResponse("/entrer", 303)
        response.delete_cookie(cookie_name(request), samesite="strict", httponly=True)
        return response

    async def empty(self, request: Request) -> Response:
        """Empty the sandbox, once confirmed."""
        if request.method == "GET":
            return self._frame.page(request, "empty.html")
        self._own(request, await form_of(request))
        await self._known.store.commit(ResetWorkspace(DEFAULT_WORKSPACE, self._known.clock.now()))
        await self._known.restore(DEFAULT_WORKSPACE, False)
        return RedirectResponse("/", 303)

    def _own(self, request: Request, form: dict[str, str]) -> None:
        if not self._door.genuine(request, form):
            raise foreign_form()

    # ----------------------------------------------------------------------------------------------------------- list

    async def exchanges(self, request: Request) -> Response:
        """The list, live. A matricule typed in a filter does not stay in the address of the page, nor in its history."""
        lang, query = lang_of(request), request.query_params
        shown = {mask_text(k): participant(v) if mask_text(v) != v else v for k, v in query.items()}
        if shown != dict(query.items()):
            return RedirectResponse(f"/?{urlencode(shown)}", 303)
        newest_event = await self._known.store.last_seq(DEFAULT_WORKSPACE)
        before = _number(query.get("before"))
        found = await self._exchanges(request, before=before)
        rows = [shown_row(row, self._territory, lang) for row in found]
        if not before:
            rows = self._merged(rows, await self._refused(request, max(0, newest_event - REFUSALS_AMONG)))
        chosen = {k: query.get(k, "") for k in FILTERS}
        older = urlencode({**{k: v for k, v in chosen.items() if v}, "before": found[-1].seq}) if found else ""
        return self._frame.page(
            request,
            "exchanges.html",
            rows=rows,
            newest=max((r.seq for r in found), default=0),
            newest_event=newest_event,
            doors={k: DOORS[k].in_(lang) for k in LISTED_DOORS},
            outcomes={k: v.in_(lang) for k, v in OUTCOMES.items()},
            chosen=chosen,
            filtered=any(chosen.values()),
            older=older if len(found) == PAGE_ROWS else "",
            before=before,
            keep=PAGE_ROWS,
        )

    async def rows(self, request: Request) -> Response:
        """The lines newer than `since` (and refusals newer than `event`), as an HTML fragment for the live list."""
        query, lang = request.query_params, lang_of(request)
        found = await self._exchanges(request, after=_number(query.get("since")))
        refused = await self._refused(request, _number(query.get("event")))
        rows = self._merged([shown_row(row, self._territory, lang) for row in found], refused)
        return self._frame.page(request, "rows.html", rows=rows)

    @property
    def _territory(self) -> Any:
        return self._known.sandboxes.territory(DEFAULT_WORKSPACE)

    async def _exchanges(self, request: Request, after: int = 0, before: int = 0) -> tuple[ExchangeRow, ...]:
        query = request.query_params
        wanted = ExchangeFilter(
            DEFAULT_WORKSPACE,
            door=query.get("door", ""),
            outcome=query.get("outcome", ""),
            participant=participant(query.get("participant", "")),
            rule=query.get("rule", "").strip().upper(),
            after_seq=after,
            before_seq=before,
            limit=PAGE_ROWS,
        )
        return await self._known.store.exchanges(wanted)

    async def _refused(self, request: Request, after_event: int) -> list[Row]:
        """Refusals at the door that left no exchange, under the same filters."""
        query = request.query_params
        door, who, rule = query.get("door", ""), query.get("participant", ""), query.get("rule", "").strip().upper()
        if query.get("outcome", "") not in ("", "reject"):
            return []
        events = await self._known.store.events(DEFAULT_WORKSPACE, after_seq=after_event, limit=REFUSALS_AMONG)
        rows = []
        for event in events:
            data = event.data
            if event.kind != "refused" or event.exchange_id or (door and data.get("door") != door):
                continue
            if rule and rule not in data.get("rules", ()):
                continue
            if who and participant(who) not in (data.get("mail_from"), data.get("recipient"), data.get("certificate")):
                continue
            rows.append(shown_refusal(event, self._territory, lang_of(request)))
        return rows

    @staticmethod
    def _merged(rows: list[Row], refused: list[Row]) -> list[Row]:
        return sorted([*rows, *refused], key=lambda r: (r.at, r.seq, r.event), reverse=True)[:PAGE_ROWS]

    async def live(self, request: Request) -> Response:
        """The journal as it grows, for the pages that stay open."""
        start = sequence_of(request.headers.get("last-event-id") or request.query_params.get("since", ""))
        if start is None:
            start = await self._known.store.last_seq(DEFAULT_WORKSPACE)
        lines = self._known.streams.one_more(stream(self._known, DEFAULT_WORKSPACE, start))
        return EventStream(lines, headers=SECURITY_HEADERS)

    # ------------------------------------------------------------------------------------------------- one exchange

    async def exchange(self, request: Request) -> Response:
        """One exchange, explained."""
        lang = lang_of(request)
        row = await found(self._known, DEFAULT_WORKSPACE, request.path_params["id"])
        try:
            opened = await open_again(self._known, row)
            inside, identities = opened_view(opened), compared(identities_view(opened.views), lang)
        except Problem:
            inside, identities = None, compared([], lang)
        return self._frame.page(
            request,
            "exchange.html",
            row=shown_row(row, self._territory, lang),
            summary=row.summary,
            size_bytes=row.size_bytes,
            sha256=row.sha256,
            contents=inside,
            identities=identities,
            findings=[card(f, lang) for f in row.findings],
            newest_event=await self._known.store.last_seq(DEFAULT_WORKSPACE),
            **await self._told(request, row),
        )

    async def story(self, request: Request) -> Response:
        """The story alone, as an HTML fragment: asked again when something happens."""
        row = await found(self._known, DEFAULT_WORKSPACE, request.path_params["id"])
        return self._frame.page(request, "story.html", **await self._told(request, row))

    async def _told(self, request: Request, row: ExchangeRow) -> dict[str, Any]:
        lang, known = lang_of(request), self._known
        hops = [
            Hop(
                hop,
                await events_of(known, hop),
                await known.store.deliveries(DEFAULT_WORKSPACE, exchange_id=hop.id),
            )
            for hop in await hops_of(known, row)
        ]
        journal = [
            shown_event(event, lang, str(hop.row.summary.get("door", ""))) for hop in hops for event in hop.events
        ]
        return {
            "lanes": lanes_of(hops, row.id, self._territory, lang),
            "journal": sorted(journal, key=lambda happening: happening.at),
        }

    async def raw(self, request: Request) -> Response:
        """The octets, to download; never rendered."""
        row = await found(self._known, DEFAULT_WORKSPACE, request.path_params["id"])
        data = await raw_of(self._known, row)
        headers = {**SECURITY_HEADERS, "Content-Disposition": f'attachment; filename="{row.id}.{ending(row)}"'}
        return Response(data, media_type="application/octet-stream", headers=headers)

    async def refusal(self, request: Request) -> Response:
        """A refusal at the door, explained."""
        lang, seq = lang_of(request), int(request.path_params["seq"])
        events = await self._known.store.events(DEFAULT_WORKSPACE, after_seq=seq - 1, limit=1) if seq < 2**53 else ()
        if not events or events[0].seq != seq or events[0].kind != "refused":
            raise Problem(404, "refusal-not-found", Text(str(seq), str(seq)))
        event = events[0]
        return self._frame.page(
            request,
            "refusal.html",
            row=shown_refusal(event, self._territory, lang),
            data=event.data,
            findings=[card(f, lang) for f in event.data.get("findings", ())],
        )

    # ------------------------------------------------------------------------------------------------------ the rest

    async def rules(self, request: Request) -> Response:
        """The catalogue."""
        families: dict[str, list[Any]] = {name: [] for name in FAMILIES}
        for rule in load_catalogue():
            families.setdefault(rule.family.value, []).append(rule)
        held = self._known.sandboxes.policy(DEFAULT_WORKSPACE).overrides
        shown = [
            {"rule": rule, "severity": o.severity.value if o.severity else "", "by": mask_text(o.by), "at": o.at}
            | {"reason": mask_text(o.reason)}
            for rule, o in sorted(held.items())
        ]
        words = {**_rule_words(request), "derogations": shown}
        return self._frame.page(request, "rules.html", examples=True, families=families, **words)

    async def rule(self, request: Request) -> Response:
        """One rule."""
        catalogue, wanted = load_catalogue(), request.path_params["id"].upper()
        if wanted not in catalogue:
            raise Problem(404, "rule-not-found", Text(wanted[:32], wanted[:32]))
        words = {**_rule_words(request), "state": standing(wanted)}
        return self._frame.page(request, "rule.html", examples=True, rule=catalogue[wanted], **words)

    async def territory(self, request: Request) -> Response:
        """Who is who."""
        territory = self._territory
        boxes: dict[str, list[Any]] = {}
        for mailbox in territory.mailboxes.values():
            if mailbox.kind.value != "PATIENT":
                local, _, domain = mailbox.address.rpartition("@")
                shown = (mailbox.kind.value, Party("", local, domain), mailbox.red_list)
                boxes.setdefault(mailbox.holder, []).append(shown)
        ports = {k.removeprefix("smtp:"): v for k, v in self._known.ports.items() if k.startswith("smtp:")}
        return self._frame.page(request, "territory.html", territory=territory, boxes=boxes, ports=ports)

    async def api(self, request: Request) -> Response:
        """The API, from its own description."""
        if self._operations is None:
            self._operations = operations(self._known)
        return self._frame.page(request, "api.html", groups=self._operations)


def _rule_words(request: Request) -> dict[str, Any]:
    lang = lang_of(request)
    return {
        "Lang": lang,
        "severities": {k: v.in_(lang) for k, v in SEVERITIES.items()},
        "actions": {k: v.in_(lang) for k, v in ACTIONS.items()},
        "family_names": {k: v.in_(lang) for k, v in FAMILIES.items()},
    }


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 16 else 0
