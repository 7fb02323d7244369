"""How a route of the API asks for what it stands on."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Request

from adapters.api.known import ApiContext
from adapters.api.problems import no_workspace
from gateway.sandbox.model import DEFAULT_WORKSPACE


def context(request: Request) -> ApiContext:
    """The context of the application that serves this request."""
    found: ApiContext = request.app.state.context
    return found


def known_workspace(known: ApiContext, name: str) -> str:
    """The name of a workspace that exists. Raises a 404 problem."""
    if name != DEFAULT_WORKSPACE and not known.sandboxes.territory(name).operators:
        raise no_workspace(name)
    return name


def workspace(
    known: Annotated[ApiContext, Depends(context)],
    workspace: Annotated[str, Query(description="the bac à sable; an unknown one answers 404")] = DEFAULT_WORKSPACE,
) -> str:
    """The workspace asked for."""
    return known_workspace(known, workspace)


Context = Annotated[ApiContext, Depends(context)]
WorkspaceName = Annotated[str, Depends(workspace)]
