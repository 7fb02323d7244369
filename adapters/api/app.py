"""The FastAPI application of `/api/v1`."""

from __future__ import annotations

from fastapi import FastAPI, Security
from fastapi.security import HTTPBearer

from adapters.api import exchanges, handlers, identities, insi, live, quarantine, rules, sandbox, waiting
from adapters.api.guard import Guard
from adapters.api.known import ApiContext
from gateway import __version__

TITLE = "passerelle"
_BEARER = HTTPBearer(auto_error=False, description="the token of run.json")


def build_api(known: ApiContext) -> FastAPI:
    """The API of one gateway, to be mounted under `/api/v1`. Its documentation page is the console's own."""
    app = FastAPI(
        title=TITLE,
        version=__version__,
        description="Control API of the sandbox. Synthetic people only.",
        docs_url=None,
        redoc_url=None,
        dependencies=[Security(_BEARER)],  # said in the OpenAPI document; the guard is who checks it
        responses=handlers.RESPONSES,
    )
    app.state.context = known
    handlers.install(app)
    app.add_middleware(Guard, token=known.token, hosts=known.hosts)
    for module in (exchanges, waiting, live, sandbox, insi, identities, quarantine, rules):
        app.include_router(module.router)
    return app
