"""The pages. Each checks the cookie, speaks the language of `?lang=` or of the cookie, and answers under a strict CSP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from adapters.api.context import ApiContext
from adapters.api.exchanges import hops_of, open_again
from adapters.api.live import SSE_HEADERS, stream
from adapters.api.problems import Problem
from adapters.api.views import identities_view, opened_view
from adapters.console.session import SECURITY_HEADERS, Doorkeeper
from adapters.console.shown import DOORS, OUTCOMES, card, compared, shown_event, shown_row
from gateway.ports import ExchangeFilter
from gateway.rules import load_catalogue
from gateway.sandbox.model import DEFAULT_WORKSPACE
from gateway.values import Lang, Text

HERE = Path(__file__).parent
Page = Callable[[Request], Awaitable[Response]]
LANG_COOKIE = "passerelle_lang"
PAGE_ROWS = 100


class Console:
    """The pages of one gateway."""

    def __init__(self, known: ApiContext, doorkeeper: Doorkeeper) -> None:
        self._known = known
        self._door = doorkeeper
        self._pages = Environment(
            loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined
        )

    def routes(self) -> list[BaseRoute]:
        """Everything the console serves."""
        return [
            Route("/", self._guarded(self.exchanges)),
            Route("/entrer", self.enter, methods=["GET", "POST"]),
            Route("/sortir", self._guarded(self.leave), methods=["POST"]),
            Route("/lignes", self._guarded(self.rows)),
            Route("/direct", self._guarded(self.live)),
            Route("/echanges/{id}", self._guarded(self.exchange)),
            Route("/echanges/{id}/octets", self._guarded(self.raw)),
            Route("/regles", self._guarded(self.rules)),
            Route("/regles/{id}", self._guarded(self.rule)),
            Route("/territoire", self._guarded(self.territory)),
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ]

    def _guarded(self, page: Page) -> Page:
        async def guarded(request: Request) -> Response:
            if request.url.hostname not in self._known.hosts:
                return PlainTextResponse("unknown host", 421)
            if not self._door.lets_in(request):
                return RedirectResponse("/entrer", 303)
            try:
                return await page(request)
            except Problem as problem:
                return self._page(request, "problem.html", status=problem.status, problem=problem)

        return guarded

    def _page(self, request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
        lang = _lang(request)

        def t(fr: str, en: str) -> str:
            return Text(fr, en).in_(lang)

        html = self._pages.get_template(template).render(
            t=t, lang=lang.value, csrf=self._door.csrf, path=request.url.path, **values
        )
        response = HTMLResponse(html, status, headers=SECURITY_HEADERS)
        if request.query_params.get("lang") in ("fr", "en"):
            response.set_cookie(LANG_COOKIE, lang.value, samesite="strict", path="/")
        return response

    # ----------------------------------------------------------------------------------------------------- coming in

    async def enter(self, request: Request) -> Response:
        """The printed key, or the token typed in."""
        if request.url.hostname not in self._known.hosts:
            return PlainTextResponse("unknown host", 421)
        refused = False
        if request.method == "POST":
            form = await request.form()
            good = self._door.accepts_token(str(form.get("token", "")))
            refused = not good
        else:
            key = request.query_params.get("cle", "")
            good = bool(key) and self._door.accepts_key(key)
        if good:
            return self._door.admit(RedirectResponse("/", 303), secure=request.url.scheme == "https")
        return self._page(request, "enter.html", status=403 if refused else 200, refused=refused)

    async def leave(self, request: Request) -> Response:
        """Forget the cookie."""
        form = await request.form()
        if not self._door.genuine(str(form.get("csrf", ""))):
            return PlainTextResponse("csrf", 403)
        response = RedirectResponse("/entrer", 303)
        response.delete_cookie("passerelle")
        return response

    # ----------------------------------------------------------------------------------------------------- exchanges

    async def exchanges(self, request: Request) -> Response:
        """The list, live."""
        rows = await self._listed(request)
        query = request.query_params
        newest = await self._known.store.last_seq(DEFAULT_WORKSPACE)
        return self._page(
            request,
            "exchanges.html",
            rows=rows,
            newest=max((r.seq for r in rows), default=0),
            newest_event=newest,
            doors={k: v.in_(_lang(request)) for k, v in DOORS.items()},
            outcomes={k: v.in_(_lang(request)) for k, v in OUTCOMES.items()},
            chosen={k: query.get(k, "") for k in ("door", "outcome", "participant", "rule")},
        )

    async def rows(self, request: Request) -> Response:
        """The lines newer than `since`, as an HTML fragment for the live list."""
        since = request.query_params.get("since", "0")
        rows = await self._listed(request, after=int(since) if since.isdigit() else 0)
        return self._page(request, "rows.html", rows=rows)

    async def _listed(self, request: Request, after: int = 0) -> list[Any]:
        query = request.query_params
        wanted = ExchangeFilter(
            DEFAULT_WORKSPACE,
            door=query.get("door", ""),
            outcome=query.get("outcome", ""),
            participant=query.get("participant", "").strip().casefold(),
            rule=query.get("rule", "").strip().upper(),
            after_seq=after,
            limit=PAGE_ROWS,
        )
        return [shown_row(row, _lang(request)) for row in await self._known.store.exchanges(wanted)]

    async def live(self, request: Request) -> Response:
        """The journal as it grows, for the list."""
        last = request.headers.get("last-event-id") or request.query_params.get("since", "")
        start = int(last) if last.isdigit() else await self._known.store.last_seq(DEFAULT_WORKSPACE)
        headers = {**SECURITY_HEADERS, **SSE_HEADERS}
        text = stream(self._known, DEFAULT_WORKSPACE, start)
        return StreamingResponse(text, media_type="text/event-stream", headers=headers)

    async def exchange(self, request: Request) -> Response:
        """One exchange, explained."""
        lang = _lang(request)
        store = self._known.store
        row = await store.exchange(DEFAULT_WORKSPACE, request.path_params["id"])
        if row is None:
            raise Problem(404, "exchange-not-found", request.path_params["id"][:64])
        hops = []
        for hop in await hops_of(self._known, row):
            events = await store.events(DEFAULT_WORKSPACE, exchange_id=hop.id)
            hops.append((shown_row(hop, lang), [shown_event(e, lang) for e in events]))
        try:
            opened = await open_again(self._known, row)
            inside, identities = opened_view(opened), compared(identities_view(opened.views), lang)
        except Problem:
            inside, identities = None, compared([], lang)
        findings = [card(f, lang) for f in row.findings]
        return self._page(
            request,
            "exchange.html",
            row=shown_row(row, lang),
            summary=row.summary,
            size_bytes=row.size_bytes,
            sha256=row.sha256,
            hops=hops,
            inside=inside,
            identities=identities,
            findings=findings,
        )

    async def raw(self, request: Request) -> Response:
        """The octets, to download; never rendered."""
        row = await self._known.store.exchange(DEFAULT_WORKSPACE, request.path_params["id"])
        data = await self._known.store.blob(DEFAULT_WORKSPACE, row.sha256) if row else None
        if row is None or data is None:
            raise Problem(404, "exchange-not-found", request.path_params["id"][:64])
        suffix = "eml" if row.summary.get("kind") == "mail" else "bin"
        headers = {**SECURITY_HEADERS, "Content-Disposition": f'attachment; filename="{row.id}.{suffix}"'}
        return Response(data, media_type="application/octet-stream", headers=headers)

    # ------------------------------------------------------------------------------------------------------ the rest

    async def rules(self, request: Request) -> Response:
        """The catalogue."""
        families: dict[str, list[Any]] = {}
        for rule in load_catalogue():
            families.setdefault(rule.family.value, []).append(rule)
        return self._page(request, "rules.html", families=families, Lang=_lang(request))

    async def rule(self, request: Request) -> Response:
        """One rule."""
        catalogue, wanted = load_catalogue(), request.path_params["id"].upper()
        if wanted not in catalogue:
            raise Problem(404, "rule-not-found", wanted[:32])
        return self._page(request, "rule.html", rule=catalogue[wanted], Lang=_lang(request))

    async def territory(self, request: Request) -> Response:
        """Who is who."""
        territory = self._known.sandboxes.territory(DEFAULT_WORKSPACE)
        boxes: dict[str, list[Any]] = {}
        for mailbox in territory.mailboxes.values():
            if mailbox.kind.value != "PATIENT":
                boxes.setdefault(mailbox.holder, []).append(mailbox)
        return self._page(request, "territory.html", territory=territory, boxes=boxes)


def _lang(request: Request) -> Lang:
    asked = request.query_params.get("lang") or request.cookies.get(LANG_COOKIE, "fr")
    return Lang.EN if asked == "en" else Lang.FR
