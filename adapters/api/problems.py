"""Errors as RFC 9457 problems: `application/problem+json` with a stable `code` and a sentence that helps.

Title and detail are in French, or in English for a request whose `Accept-Language` prefers it; `code` never changes.
Nothing that a caller sent is said again without its matricules masked: an error must never carry an INS.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from adapters.api.titles import title_of
from gateway.ports import Conflict, StoreUnavailable
from gateway.rules.masking import mask_json, mask_text
from gateway.values import Lang, Text, Words, in_lang

MEDIA_TYPE = "application/problem+json"
_SHOWN = 200


def safe(text: str) -> str:
    """What a caller sent, short enough and without what looks like a matricule."""
    return mask_text(text)[:_SHOWN]


class Problem(Exception):
    """An error to tell. `code` is stable (`exchange-not-found`), `detail` may change."""

    def __init__(self, status: int, code: str, detail: Text, **more: object) -> None:
        self.detail = Text(mask_text(detail.fr), mask_text(detail.en))
        super().__init__(self.detail.en)
        self.status, self.code = status, code
        self.more = {name: _told(value) for name, value in more.items()}
        self.headers: Mapping[str, str] = {"WWW-Authenticate": "Bearer"} if status == 401 else {}

    def response(self, lang: Lang = Lang.FR) -> JSONResponse:
        """The answer, in one language."""
        body = {
            "type": f"urn:passerelle:problem:{self.code}",
            "title": title_of(self.code).in_(lang),
            "status": self.status,
            "code": self.code,
            "detail": self.detail.in_(lang),
            **self.more,
        }
        headers = {"Cache-Control": "no-store", "Content-Language": lang.value, "Vary": "Accept-Language"}
        return JSONResponse(body, self.status, media_type=MEDIA_TYPE, headers={**headers, **self.headers})


# what `problem_of` speaks of: for whoever answers errors
HANDLED: tuple[type[Exception], ...] = (Problem, HTTPException, StoreUnavailable, Conflict, Exception)


def _told(value: object) -> object:
    """A value that a problem repeats; a number may be a matricule too."""
    shown = mask_text(str(value)) if isinstance(value, int) else ""
    return shown if shown and shown != str(value) else mask_json(value)


def no_workspace(name: str) -> Problem:
    """404: no workspace has this name."""
    shown = safe(name)
    told = Text(f"{shown} : aucun bac à sable de ce nom", f"{shown}: no such workspace")
    return Problem(404, "workspace-not-found", told)


def not_found(code: str, what: Words) -> Problem:
    """404: the object does not exist, or belongs to another workspace."""
    fr, en = (safe(in_lang(what, lang)) for lang in Lang)
    return Problem(404, code, Text(f"{fr} : inconnu de ce bac à sable", f"{en}: unknown in this workspace"))


_HTTP: Mapping[int, tuple[str, Text]] = {
    400: ("bad-request", Text("la requête ne se lit pas", "the request cannot be read")),
    404: (
        "not-found",
        Text(
            "aucune ressource ici : GET /api/v1/openapi.json les énumère",
            "no such resource: GET /api/v1/openapi.json lists them",
        ),
    ),
    405: (
        "method-not-allowed",
        Text("cette ressource ne connaît pas cette méthode", "this resource does not know that method"),
    ),
    413: (
        "too-large",
        Text("le corps dépasse ce que cette passerelle accepte", "the body is larger than this gateway takes"),
    ),
}
_BUSY = Text(
    "rien ne peut être rendu durable pour l'instant : réessayez dans un moment",
    "nothing can be made durable now: try again in a moment",
)
_STORED = Text("un autre objet de même clé est déjà conservé", "another one with the same key is already stored")
_FAILED = Text(
    "la passerelle a échoué sur cette requête ; son journal dit où",
    "the gateway failed on this request; its log says where",
)


def problem_of(error: Exception) -> Problem:
    """Any error as a problem. What nobody foresaw says no more than that: the log has the rest."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, StoreUnavailable):
        return Problem(503, "storage-unavailable", _BUSY)
    if isinstance(error, Conflict):
        return Problem(409, "conflict", _STORED)
    if isinstance(error, HTTPException):
        said = safe(str(error.detail))
        code, detail = _HTTP.get(error.status_code, (f"http-{error.status_code}", Text(said, said)))
        problem = Problem(error.status_code, code, detail)
        problem.headers = dict(error.headers or {})
        return problem
    return Problem(500, "internal-error", _FAILED)
