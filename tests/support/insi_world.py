"""An INSi to test against: the shipped territory, a SQLite store, certificates, and calls as a software makes them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from lxml import etree
from starlette.applications import Starlette

from adapters.clock import SystemClock
from adapters.http.body import Patience
from adapters.http.server import HttpServer
from adapters.ids import UuidSeven
from adapters.insi.routes import BASE, insi_routes
from adapters.pki.contexts import server_context
from adapters.pki.model import Issued, Profile, Subject
from adapters.soap import trust_of
from adapters.storage import open_store
from gateway.exchange.insi import Insi
from gateway.insi.asking import Envelope, Software, write_call
from gateway.insi.assertion import Claims
from gateway.insi.model import Ins, Matricule, Operation, Query, Traits
from gateway.ports import ExchangeFilter, Store
from gateway.rules import RuleBook, load_catalogue
from gateway.sandbox.model import Policy
from tests.support import dmp_world as dmp
from tests.support.authority import shared_authority
from tests.support.dmp_world import FixedSandboxes, Inline

SOFTWARE = Software(idam="PASSERELLE01", name="passerelle", version="1", emitter="900000001", instance="0001")
TYPE = "application/soap+xml; charset=utf-8"
SOAP = "{http://www.w3.org/2003/05/soap-envelope}"
RESULT = "{http://www.cnamts.fr/INSiResultat}"
SIRAM = "{urn:siram}"

SUZANNE = Traits("DELMAS", ("SUZANNE",), "F", "1939-03-08")
SUZANNE_INS = Ins(Matricule("2390348901017", "55"), "1.2.250.1.213.1.4.10")


@cache
def software_certificate(name: str = "INSI-AUTO") -> Issued:
    """A software's certificate, or one that tries to look like it."""
    subject = Subject(name, "EDITEUR FICTIF", dmp.structure().struct_id_nat)
    return shared_authority().ensure(Profile.AUTH_CLIENT, subject, key=f"insi:{name}")


def envelope(**changes: Any) -> Envelope:
    """The head of a call, with ids of its own."""
    made = {"message_id": "uuid:" + UuidSeven().new(), "context_id": "ctx-1", "at": datetime.now(UTC)}
    return Envelope(**{**made, **changes})


def call_xml(
    query: Query, operation: Operation = Operation.TRAITS, assertion: bytes = b"", software: Software = SOFTWARE
) -> bytes:
    return write_call(operation, query, software, envelope(), assertion)


def claims(**changes: str) -> Claims:
    now = datetime.now(UTC)
    made = {
        "assertion_id": "_a1",
        "name_id": dmp.doctor().ps_id_nat,
        "qualifier": "CPS",
        "issued": f"{now - timedelta(minutes=2):%Y-%m-%dT%H:%M:%SZ}",
    }
    return Claims(**{**made, **changes}, attributes=(("secteurActivite", "SA01"), ("codeSpecialite", "01")))


@dataclass
class Said:
    """One answer, opened."""

    status: int
    raw: bytes
    headers: httpx.Headers

    @property
    def root(self) -> etree._Element:
        return etree.fromstring(self.raw)

    @property
    def code(self) -> str:
        return self.root.findtext(f".//{RESULT}CodeCR") or ""

    @property
    def fault(self) -> str:
        found = self.root.find(f".//{SIRAM}Erreur")
        return found.get("code", "") if found is not None else ""

    @property
    def subcode(self) -> str:
        return self.root.findtext(f".//{SOAP}Subcode/{SOAP}Value") or ""

    def text(self, name: str) -> str:
        return self.root.findtext(f".//{RESULT}{name}") or ""


@dataclass
class World:
    """A live INSi on 127.0.0.1."""

    url: str
    port: int
    store: Store
    sandboxes: FixedSandboxes
    insi: Insi
    offload: Inline

    def http(self, issued: Issued | None = None) -> httpx.AsyncClient:
        """A plain HTTP client; the software certificate by default."""
        return httpx.AsyncClient(base_url=self.url, verify=dmp.client_tls(issued or software_certificate()))

    async def send(self, body: bytes, content_type: str = TYPE, issued: Issued | None = None) -> Said:
        async with self.http(issued) as client:
            response = await client.post(BASE, content=body, headers={"Content-Type": content_type})
        return Said(response.status_code, response.content, response.headers)

    async def ask(self, query: Query, operation: Operation = Operation.TRAITS, issued: Issued | None = None) -> Said:
        return await self.send(call_xml(query, operation), issued=issued)

    async def exchanges(self, limit: int = 20) -> tuple[Any, ...]:
        return await self.store.exchanges(ExchangeFilter("demo", limit=limit))

    async def last(self) -> Any:
        return (await self.exchanges(1))[0]


@asynccontextmanager
async def live_insi(
    folder: Path,
    *,
    patience: Patience | None = None,
    policy: Policy | None = None,
    store: Store | None = None,
    lot_ready_s: float = 0.0,
) -> AsyncIterator[World]:
    """An INSi over HTTPS with optional client certificates, as `passerelle up` serves it."""
    opened = store or await open_store(f"sqlite:///{folder}/store.db", folder)
    sandboxes, offload, clock = FixedSandboxes(policy or Policy()), Inline(), SystemClock()
    book = RuleBook(load_catalogue())
    trust = trust_of(shared_authority())
    insi = Insi(opened, sandboxes, clock, UuidSeven(), offload, book, trust, lot_ready_s=lot_ready_s)
    served = await asyncio.to_thread(dmp.certificates().gateway, ())
    context = server_context(shared_authority(), served)
    server = HttpServer(Starlette(routes=insi_routes(insi, clock, patience=patience)), "127.0.0.1", 0, lambda: context)
    port = await server.start()
    try:
        yield World(f"https://127.0.0.1:{port}", port, opened, sandboxes, insi, offload)
    finally:
        await server.stop()
        if store is None:
            await opened.close()  # type: ignore[attr-defined]
