"""The guard at the door of the API, before any route: Host, token, size of the body.

An ASGI middleware, so that unknown paths and the OpenAPI document are behind it too.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.api.problems import Problem, safe
from adapters.http.language import accepted
from gateway.values import Text

BODY_BYTES = 4 * 1024 * 1024
_NO_TOKEN = Text(
    "envoyez Authorization: Bearer <jeton> ; le jeton est dans run.json",
    "send Authorization: Bearer <token>; the token is in run.json",
)


def host_of(header: str) -> str:
    """The name of a Host header, without its port, in lower case: `[::1]:8080` gives `::1`."""
    if header.startswith("["):
        return header[1:].partition("]")[0].casefold()
    return header.partition(":")[0].rstrip(".").casefold()


def serves(header: str, hosts: Collection[str]) -> bool:
    """Whether a Host header names this gateway; anything else is DNS rebinding, or a name that `up` was not told."""
    return host_of(header) in hosts


class Guard:
    """Refuses a foreign Host (DNS rebinding), a missing or wrong token, a body larger than `BODY_BYTES`."""

    def __init__(self, app: ASGIApp, token: str, hosts: Collection[str]) -> None:
        self._app = app
        self._token = token.encode()
        self._hosts = frozenset(h.casefold() for h in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through what may pass."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        problem = self._refused(headers)
        if problem is not None:
            await problem.response(accepted(headers.get("accept-language", "")))(scope, receive, send)
            return
        await self._app(scope, _measured(receive), send)

    def _refused(self, headers: Headers) -> Problem | None:
        host = headers.get("host", "")
        if not serves(host, self._hosts):
            shown = safe(host)
            detail = Text(
                f"Host « {shown} » n'est pas un nom de cette passerelle : démarrez-la avec --hostname NOM",
                f"Host {shown!r} is not one of this gateway's names: start it with --hostname NAME",
            )
            return Problem(421, "host-not-served", detail)
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.casefold() != "bearer" or not hmac.compare_digest(given.strip().encode(), self._token):
            return Problem(401, "token-required", _NO_TOKEN)
        declared = headers.get("content-length", "")
        if declared.isdecimal() and (len(declared) > 12 or int(declared) > BODY_BYTES):
            return _too_large()
        return None


def _measured(receive: Receive) -> Receive:
    """The same body, cut as soon as it grows past the limit (a chunked one announces nothing)."""
    size = 0

    async def measured() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > BODY_BYTES:
            raise HTTPException(413)  # the one exception that whoever reads the body lets through
        return message

    return measured


def _too_large() -> Problem:
    limit = BODY_BYTES // 1024 // 1024
    return Problem(413, "too-large", Text(f"le corps dépasse {limit} Mio", f"the body is larger than {limit} MiB"))
