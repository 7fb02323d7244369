"""Errors as RFC 9457 problems: `application/problem+json` with a stable `code` and a sentence that helps."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from gateway.ports import StoreUnavailable

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """An error to tell. `code` is stable (`exchange-not-found`), `detail` may change."""

    def __init__(self, status: int, code: str, detail: str, **more: object) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.more = status, code, detail, more

    def response(self) -> JSONResponse:
        """The answer."""
        body = {
            "type": f"urn:passerelle:problem:{self.code}",
            "title": self.code.replace("-", " "),
            "status": self.status,
        }
        headers = {"WWW-Authenticate": "Bearer"} if self.status == 401 else None
        return JSONResponse(
            {**body, "code": self.code, "detail": self.detail, **self.more},
            status_code=self.status,
            media_type=MEDIA_TYPE,
            headers=headers,
        )


def not_found(code: str, what: str) -> Problem:
    """404: the object does not exist, or belongs to another workspace."""
    return Problem(404, code, f"{what}: unknown in this workspace")


def install(app: FastAPI) -> None:
    """Make every error of an application a problem."""

    async def told(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Problem)  # noqa: S101  # registered for this class only
        return error.response()

    async def invalid(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        places = [f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors()]
        return Problem(422, "invalid-request", "; ".join(places)).response()

    async def http(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101
        return Problem(error.status_code, f"http-{error.status_code}", str(error.detail)).response()

    async def unavailable(_: Request, error: Exception) -> JSONResponse:
        return Problem(503, "storage-unavailable", f"nothing can be made durable now: {error}").response()

    app.add_exception_handler(Problem, told)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(StoreUnavailable, unavailable)
