"""Errors as RFC 9457 problems: `application/problem+json` with a stable `code` and a sentence that helps.

Nothing that a caller sent is said again without its matricules masked: an error must never carry an INS.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from gateway.ports import Conflict, StoreUnavailable
from gateway.rules.masking import mask_json, mask_text
from gateway.values import Text

MEDIA_TYPE = "application/problem+json"
_SHOWN = 200


def safe(text: str) -> str:
    """What a caller sent, short enough and without what looks like a matricule."""
    return mask_text(text)[:_SHOWN]


class ProblemBody(BaseModel):
    """The body of every error (RFC 9457)."""

    type: str = Field(examples=["urn:passerelle:problem:exchange-not-found"])
    title: str
    status: int
    code: str = Field(description="stable: what a program may compare")
    detail: str = Field(description="for a reader: may change")


class Problem(Exception):
    """An error to tell. `code` is stable (`exchange-not-found`), `detail` may change; the console says it in its language."""

    def __init__(self, status: int, code: str, detail: Text | str, **more: object) -> None:
        told = detail if isinstance(detail, Text) else Text(detail, detail)
        self.detail = Text(mask_text(told.fr), mask_text(told.en))
        super().__init__(self.detail.en)
        self.status, self.code = status, code
        self.more = {name: _told(value) for name, value in more.items()}
        self.headers: Mapping[str, str] = {"WWW-Authenticate": "Bearer"} if status == 401 else {}

    def response(self) -> JSONResponse:
        """The answer."""
        body = {
            "type": f"urn:passerelle:problem:{self.code}",
            "title": self.code.replace("-", " "),
            "status": self.status,
            "code": self.code,
            "detail": self.detail.en,
            **self.more,
        }
        headers = {"Cache-Control": "no-store", **self.headers}
        return JSONResponse(body, status_code=self.status, media_type=MEDIA_TYPE, headers=headers)


def _told(value: object) -> object:
    """A value that a problem repeats; a number may be a matricule too."""
    shown = mask_text(str(value)) if isinstance(value, int) else ""
    return shown if shown and shown != str(value) else mask_json(value)


def not_found(code: str, what: str) -> Problem:
    """404: the object does not exist, or belongs to another workspace."""
    return Problem(404, code, f"{safe(what)}: unknown in this workspace")


_HTTP: Mapping[int, tuple[str, str]] = {
    400: ("bad-request", "the request cannot be read"),
    404: ("not-found", "no such resource: GET /api/v1/openapi.json lists them"),
    405: ("method-not-allowed", "this resource does not know that method"),
    413: ("too-large", "the body is larger than this gateway takes"),
}


def problem_of(error: Exception) -> Problem:
    """Any error as a problem. What nobody foresaw says no more than that: the log has the rest."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        places = [f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors()]
        return Problem(422, "invalid-request", safe("; ".join(places)))
    if isinstance(error, StoreUnavailable):
        return Problem(503, "storage-unavailable", "nothing can be made durable now: try again in a moment")
    if isinstance(error, Conflict):
        return Problem(409, "conflict", "another one with the same key is already stored")
    if isinstance(error, HTTPException):
        code, detail = _HTTP.get(error.status_code, (f"http-{error.status_code}", safe(str(error.detail))))
        problem = Problem(error.status_code, code, detail)
        problem.headers = dict(error.headers or {})
        return problem
    return Problem(500, "internal-error", "the gateway failed on this request; its log says where")


HANDLED: tuple[type[Exception], ...] = (
    Problem,
    RequestValidationError,
    HTTPException,
    StoreUnavailable,
    Conflict,
    Exception,
)
RESPONSES: dict[int | str, dict[str, Any]] = {"4XX": {"model": ProblemBody, "description": "A problem, told"}}


async def told(_: Request, error: Exception) -> Response:
    """The handler of every error."""
    return problem_of(error).response()


def install(app: FastAPI) -> None:
    """Make every error of an application a problem."""
    for kind in HANDLED:
        app.add_exception_handler(kind, told)
