"""What the API and the console stand on: the gateway's parts, handed in once, and the guard at their door."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Request

from adapters.api.problems import Problem
from gateway.directory.actors import ActorsRead
from gateway.ports import Clock, Offload, Sandboxes, Store
from gateway.rules import RuleBook
from gateway.sandbox.model import DEFAULT_WORKSPACE

AddActors = Callable[[str, ActorsRead], Awaitable[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class ApiContext:
    """Parts of one gateway. `hosts` are the Host values answered; `add_actors` also certifies."""

    store: Store
    sandboxes: Sandboxes
    clock: Clock
    offload: Offload
    book: RuleBook
    token: str
    hosts: frozenset[str]
    add_actors: AddActors
    endpoints: Mapping[str, Any] = field(default_factory=dict)


def context(request: Request) -> ApiContext:
    """The context of the application that serves this request."""
    found: ApiContext = request.app.state.context
    return found


def workspace(request: Request) -> str:
    """The workspace asked for: `?workspace=`, else the default one. An unknown one answers 404."""
    name = request.query_params.get("workspace", DEFAULT_WORKSPACE)
    if not context(request).sandboxes.territory(name).operators and name != DEFAULT_WORKSPACE:
        raise Problem(404, "workspace-not-found", f"{name}: no such workspace")
    return name


def guard(request: Request) -> None:
    """Refuse a foreign Host (DNS rebinding) and a missing or wrong token."""
    known = context(request)
    host = request.headers.get("host", "").rpartition(":")[0] or request.headers.get("host", "")
    if host.strip("[]").casefold() not in known.hosts:
        raise Problem(421, "host-not-served", f"Host {host!r} is not one of this gateway's names")
    given = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    if not given or not hmac.compare_digest(given.encode(), known.token.encode()):
        raise Problem(401, "token-required", "send Authorization: Bearer <token>; the token is in run.json")


Context = Annotated[ApiContext, Depends(context)]
WorkspaceName = Annotated[str, Depends(workspace)]
