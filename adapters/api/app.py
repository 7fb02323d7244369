"""The FastAPI application of `/api/v1`."""

from __future__ import annotations

from fastapi import Depends, FastAPI

from adapters.api import exchanges, live, problems, sandbox
from adapters.api.context import ApiContext, guard
from gateway import __version__


def build_api(known: ApiContext) -> FastAPI:
    """The API of one gateway, to be mounted under `/api/v1`. Its documentation page is the console's own."""
    app = FastAPI(
        title="passerelle",
        version=__version__,
        description="Control API of the sandbox. Synthetic people only.",
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(guard)],
    )
    app.state.context = known
    problems.install(app)
    for module in (exchanges, live, sandbox):
        app.include_router(module.router)
    return app
