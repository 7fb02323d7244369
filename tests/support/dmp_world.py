"""A DMP to test against: the shipped territory, a SQLite registry, certificates, and requests as a software makes them."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from starlette.applications import Starlette

from adapters.clients.dmp import DmpClient, new_ids
from adapters.clock import SystemClock
from adapters.http.body import Patience
from adapters.http.server import HttpServer
from adapters.ids import UuidSeven
from adapters.pki.authority import KeySigner
from adapters.pki.contexts import server_context
from adapters.pki.model import Issued, Profile
from adapters.provision import Certificates, dmps_of
from adapters.soap import dmp_routes, trust_of
from adapters.storage import open_store
from gateway.directory.model import Patient, Professional, Structure, Territory
from gateway.directory.territory import load_territory
from gateway.documents.build_cda import build_cda
from gateway.documents.build_codes import document_kinds
from gateway.documents.build_metadata import Lot
from gateway.documents.build_record import CdaRecord, kind_pdf
from gateway.exchange.deposit import Deposit
from gateway.exchange.model import Payload
from gateway.ports import Store
from gateway.rules import RuleBook, load_catalogue
from gateway.sandbox.model import Policy
from gateway.sharing.answer_read import DmpAnswer
from gateway.sharing.build import RequestIds, build_iti41, deposit_lot, vihf_of
from gateway.sharing.vihf import Vihf
from gateway.soap.certificates import TrustStore
from tests.support.authority import shared_authority

__all__ = ["DmpClient", "Profile", "World", "build_cda", "live_dmp", "new_ids", "shared_authority"]

T = TypeVar("T")
EHPAD, DOCTOR, PATIENT = "ehpad-les-tilleuls", "aubry-paul", "delmas-suzanne"


class Inline:
    """An Offload that runs here, and counts."""

    def __init__(self) -> None:
        self.runs = 0

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        self.runs += 1
        return function(*args)

    async def open(self, function: Callable[..., T], payload: Payload, *args: Any) -> T:
        return await self.run(function, payload.data, *args)


@dataclass
class FixedSandboxes:
    """One workspace, `demo`, with the shipped territory and a policy tests may change."""

    policy_now: Policy = field(default_factory=Policy)

    def policy(self, workspace: str) -> Policy:
        return self.policy_now

    def territory(self, workspace: str) -> Territory:
        return load_territory()

    def workspace_of_domain(self, domain: str) -> str:
        return "demo"

    def workspace_of_certificate(self, fingerprint: str) -> str:
        return "demo"


def certificates() -> Certificates:
    return Certificates(shared_authority())


def structure_certificate(profile: Profile, structure: str = EHPAD) -> Issued:
    return certificates().structure(load_territory().structures[structure], profile)


def doctor_certificate(profile: Profile, doctor: str = DOCTOR) -> Issued:
    return certificates().professional(load_territory().professionals[doctor], profile)


@cache
def seal(profile: Profile = Profile.SIGN, structure: str = EHPAD) -> KeySigner:
    return shared_authority().signer(structure_certificate(profile, structure))


@cache
def doctor_seal(doctor: str = DOCTOR) -> KeySigner:
    return shared_authority().signer(doctor_certificate(Profile.PROFESSIONAL_SIGN, doctor))


@cache
def trust() -> TrustStore:
    return trust_of(shared_authority())()


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def patient(key: str = PATIENT) -> Patient:
    return load_territory().patients[key]


def structure(key: str = EHPAD) -> Structure:
    return load_territory().structures[key]


def doctor(key: str = DOCTOR) -> Professional:
    return load_territory().professionals[key]


def vihf(person: Patient | None = None, *, direct: bool = False, at: datetime | None = None) -> Vihf:
    person = person or patient()
    return vihf_of(structure(), doctor(), person.matricule, person.oid, at or now(), direct=direct)


@cache
def pdf(kind: str = "dlu") -> bytes:
    return kind_pdf(document_kinds()[kind], patient(), doctor(), structure(), datetime(2026, 1, 5, 10, 30, tzinfo=UTC))


def fresh_oid() -> str:
    return f"2.25.{uuid4().int}"


def record(person: Patient | None = None, **changes: Any) -> CdaRecord:
    at = datetime(2026, 1, 5, 10, 30, tzinfo=UTC)
    made = CdaRecord(
        document_id=fresh_oid(),
        set_id=fresh_oid(),
        kind=document_kinds()["dlu"],
        patient=person or patient(),
        author=doctor(),
        structure=structure(),
        at=at,
        service_start=at - timedelta(days=5),
        service_stop=at,
        pdf=pdf(),
    )
    return replace(made, **changes)


def lot(made: CdaRecord | None = None, **changes: Any) -> Lot:
    return deposit_lot(made or record(), fresh_oid(), now(), **changes)


def iti41(
    made: Lot | None = None,
    claimed: Vihf | None = None,
    signer: KeySigner | None = None,
    ids: RequestIds | None = None,
    *,
    sign: bool = True,
) -> tuple[str, bytes]:
    return build_iti41(made or lot(), claimed or vihf(), signer or seal(), ids or new_ids(), sign=sign)


def wrong_key(person: Patient) -> Patient:
    """The same patient with the last digit of the key changed."""
    last = "0" if person.matricule[-1] != "0" else "1"
    return replace(person, matricule=person.matricule[:-1] + last)


@dataclass
class World:
    """A live DMP on 127.0.0.1."""

    url: str
    port: int
    store: Store
    sandboxes: FixedSandboxes
    deposit: Deposit
    offload: Inline

    def tls(self, issued: Issued | None) -> ssl.SSLContext:
        return client_tls(issued)

    def client(self, issued: Issued | None = None, signer: KeySigner | None = None) -> DmpClient:
        shown = issued or structure_certificate(Profile.AUTH_CLIENT)
        return DmpClient(self.url, client_tls(shown), signer or seal())

    async def send(self, endpoint: str, content_type: str, body: bytes, issued: Issued | None = None) -> DmpAnswer:
        async with self.client(issued) as client:
            return await client.send(endpoint, content_type, body)

    async def last_exchange(self) -> Any:
        from gateway.ports import ExchangeFilter

        rows = await self.store.exchanges(ExchangeFilter("demo", limit=1))
        return rows[0]


def client_tls(issued: Issued | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=shared_authority().bundle_pem().decode())
    context.check_hostname = False
    if issued is not None:
        authority = shared_authority()
        context.load_cert_chain(authority.chain_path(issued), authority.key_path(issued))
    return context


@asynccontextmanager
async def live_dmp(
    folder: Path, *, store: Store | None = None, patience: Patience | None = None, policy: Policy | None = None
) -> AsyncIterator[World]:
    """A DMP over HTTPS with optional client certificates, as `passerelle up` serves it."""
    opened = store or await open_store(f"sqlite:///{folder}/store.db", folder)
    sandboxes = FixedSandboxes(policy or Policy())
    offload = Inline()
    deposit = Deposit(
        opened,
        sandboxes,
        SystemClock(),
        UuidSeven(),
        offload,
        RuleBook(load_catalogue()),
        trust_of(shared_authority()),
    )
    if store is None:
        await opened.commit(*dmps_of(load_territory(), "demo"))
    served = await asyncio.to_thread(certificates().gateway, ())
    context = server_context(shared_authority(), served)
    server = HttpServer(
        Starlette(routes=dmp_routes(deposit, SystemClock(), patience=patience)), "127.0.0.1", 0, lambda: context
    )
    port = await server.start()
    try:
        yield World(f"https://127.0.0.1:{port}", port, opened, sandboxes, deposit, offload)
    finally:
        await server.stop()
        if store is None:
            await opened.close()  # type: ignore[attr-defined]
