"""What FastAPI raises and what it publishes of errors: every one of them is a problem (`adapters/api/problems.py`)."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.responses import Response

from adapters.api.problems import HANDLED, Problem, problem_of, safe
from adapters.api.titles import refused_field
from adapters.http.language import accepted
from gateway.values import Text


class ProblemBody(BaseModel):
    """The body of every error (RFC 9457)."""

    type: str = Field(examples=["urn:passerelle:problem:exchange-not-found"])
    title: str
    status: int
    code: str = Field(description="stable: what a program may compare")
    detail: str = Field(description="for a reader: may change")


RESPONSES: dict[int | str, dict[str, Any]] = {"4XX": {"model": ProblemBody, "description": "A problem, told"}}


def problem_of_request(error: Exception) -> Problem:
    """Any error as a problem; each refused field of a request is explained."""
    if not isinstance(error, RequestValidationError):
        return problem_of(error)
    fields = [refused_field(e) for e in error.errors()]
    both = Text(" ; ".join(f.fr for f in fields), "; ".join(f.en for f in fields))
    return Problem(422, "invalid-request", Text(safe(both.fr), safe(both.en)))


async def told(request: Request, error: Exception) -> Response:
    """The handler of every error."""
    return problem_of_request(error).response(accepted(request.headers.get("accept-language", "")))


def install(app: FastAPI) -> None:
    """Make every error of an application a problem."""
    kinds: tuple[type[Exception], ...] = (RequestValidationError, *HANDLED)
    for kind in kinds:
        app.add_exception_handler(kind, told)
