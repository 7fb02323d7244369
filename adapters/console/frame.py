"""What every page has around it: the language, the strict headers, the cookie at the door, errors told as pages."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from adapters.api.guard import serves
from adapters.api.known import ApiContext
from adapters.api.problems import HANDLED, Problem, problem_of
from adapters.console.session import SECURITY_HEADERS, Doorkeeper
from adapters.http.language import accepted
from gateway.rules.masking import mask_text
from gateway.values import Lang, Text

HERE = Path(__file__).parent
LANG_COOKIE = "passerelle_lang"
Page = Callable[[Request], Awaitable[Response]]
Handler = Callable[[Request, Exception], Awaitable[Response]]

_PLACES = re.compile(r"\{\w+\}")
_PROBLEMS = {
    404: Text("Cette page n'existe pas, ou plus.", "This page does not exist, or not any more."),
    405: Text("Cette adresse ne répond pas à cette méthode.", "This address does not answer that method."),
    410: Text("Les octets ont été purgés.", "The octets were purged."),
    503: Text("Le stockage ne répond pas : réessayez.", "The storage does not answer: try again."),
    500: Text("La passerelle a échoué ; son journal dit où.", "The gateway failed; its log says where."),
}


class Frame:
    """Serves templates under a strict CSP, in the reader's language."""

    def __init__(self, known: ApiContext, doorkeeper: Doorkeeper) -> None:
        self._known = known
        self._door = doorkeeper
        self._pages = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=masked,
        )
        self._pages.filters["blank"] = blank
        self._pages.filters["moment"] = moment
        self._catalogue = self._pages.overlay(finalize=None)

    def page(
        self, request: Request, template: str, *, status: int = 200, examples: bool = False, **values: Any
    ) -> Response:
        """One page, or a fragment of one. What it prints holds no matricule, unless it shows the `examples` of rules."""
        lang = lang_of(request)

        def t(fr: str, en: str) -> str:
            return Text(fr, en).in_(lang)

        html = (
            (self._catalogue if examples else self._pages)
            .get_template(template)
            .render(
                t=t,
                lang=lang.value,
                other_lang=other_language(request, lang),
                csrf=self._door.csrf,
                inside=self._door.lets_in(request),
                path=request.url.path,
                **values,
            )
        )
        response = HTMLResponse(html, status, headers=SECURITY_HEADERS)
        if request.query_params.get("lang") in ("fr", "en"):
            response.set_cookie(LANG_COOKIE, lang.value, samesite="strict", path="/", httponly=True)
        return response

    def guarded(self, page: Page) -> Page:
        """A page for those who hold the cookie."""

        async def guarded(request: Request) -> Response:
            if not serves(request.headers.get("host", ""), self._known.hosts):
                return PlainTextResponse("unknown host", 421)
            if not self._door.lets_in(request):
                return RedirectResponse("/entrer", 303)
            try:
                return await page(request)
            except Problem as problem:
                return self.problem(request, problem)

        return guarded

    def problem(self, request: Request, problem: Problem) -> Response:
        """An error, as a page for who reads pages and as a problem for who does not."""
        if "text/html" not in request.headers.get("accept", "") or not self._door.lets_in(request):
            return problem.response(accepted(request.headers.get("accept-language", "")))
        words = _PROBLEMS.get(problem.status, problem.detail).in_(lang_of(request))
        return self.page(request, "problem.html", status=problem.status, problem=problem, words=words)

    def refusals(self) -> Mapping[type[Exception], Handler]:
        """What answers for errors that no page caught: unknown addresses, wrong methods, failures."""

        async def told(request: Request, error: Exception) -> Response:
            return self.problem(request, problem_of(error))

        return dict.fromkeys(HANDLED, told)


def foreign_form() -> Problem:
    """403: a form that no page of ours made."""
    told = Text(
        "ce formulaire ne vient pas de la console : rouvrez la page",
        "this form does not come from the console: open the page again",
    )
    return Problem(403, "csrf", told)


class Revealed(str):
    """A value that somebody asked to see in clear, on a journalled click: the only one a page prints as it is."""

    __slots__ = ()


def moment(at: str) -> str:
    """An ISO instant as it is read: `24/11/2026 19:05:25`, UTC; what is none stays as it is."""
    try:
        return f"{datetime.fromisoformat(at).astimezone(UTC):%d/%m/%Y %H:%M:%S}"
    except ValueError:
        return at


def masked(value: Any) -> Any:
    """What a template prints, matricules masked; markup stays markup."""
    if isinstance(value, Revealed):
        return str(value)
    if isinstance(value, Markup):
        return Markup(mask_text(str(value)))  # noqa: S704  # it was markup, and dots are no markup
    return mask_text(value) if isinstance(value, str) else value


def blank(sentence: str) -> str:
    """A rule's sentence with its places to fill shown as such: `calculée {expected}` reads `calculée …`."""
    return _PLACES.sub("…", sentence)


class Assets(StaticFiles):
    """Our own style sheet, script and icon, never guessed to be something else."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """A file with its type pinned, kept by browsers only after asking again."""
        response = super().file_response(*args, **kwargs)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-cache"
        return response


def lang_of(request: Request) -> Lang:
    """`?lang=`, else the cookie, else French."""
    asked = request.query_params.get("lang") or request.cookies.get(LANG_COOKIE, "fr")
    return Lang.EN if asked == "en" else Lang.FR


def other_language(request: Request, lang: Lang) -> str:
    """The link to the same page in the other language: its filters stay."""
    kept = {k: mask_text(v) for k, v in request.query_params.items() if k not in ("lang", "cle") and v}
    return "?" + urlencode({**kept, "lang": "fr" if lang is Lang.EN else "en"})
