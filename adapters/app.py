"""The one place that wires settings, adapters and core together: a gateway that starts and stops whole."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import secrets
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

from starlette.types import ASGIApp

from adapters.api.known import ApiContext
from adapters.clock import SystemClock
from adapters.console.session import Doorkeeper
from adapters.http.later import LaterPages
from adapters.http.server import HttpServer
from adapters.ids import UuidSeven
from adapters.imap import ImapListeners
from adapters.insi.desk import InsiDesk
from adapters.insi.routes import insi_routes
from adapters.metrics import Metrics
from adapters.offload import WorkerPool
from adapters.outbox import Outbox
from adapters.pki.authority import Authority
from adapters.pki.contexts import Contexts, shrink_tls_buffers
from adapters.pki.model import Profile, Subject
from adapters.provision import STATE, Certificates, Provisioning, data_directory
from adapters.public import PublicPages
from adapters.sandboxes import LiveSandboxes
from adapters.settings import Settings
from adapters.smtp.desk import PkiDesk
from adapters.smtp.door import Services
from adapters.smtp.link import Route
from adapters.smtp.listeners import ListenerPlan, SmtpListeners
from adapters.smtp.relay import RelayCourier
from adapters.soap.routes import dmp_routes
from adapters.soap.trust import trust_of
from adapters.storage import open_store
from gateway.directory.model import Territory
from gateway.exchange.deposit import Deposit
from gateway.exchange.insi import Insi
from gateway.exchange.intake import Intake
from gateway.exchange.integration import Integrator
from gateway.exchange.notice_desk import NoticeDesk
from gateway.exchange.retry import RetryPolicy
from gateway.ports import Store
from gateway.rules import RuleBook, load_catalogue
from gateway.sandbox.model import DEFAULT_WORKSPACE, Limits, MdnMode, Policy, SignatureMode, TlsMode, Vigilance
from gateway.values import Lang

Stop = Callable[[], Any]


class AlreadyRunning(RuntimeError):
    """Another gateway works in this data directory."""


class Gateway:
    """Everything one process runs. `start` raises before anything is half-open; `stop` closes in reverse order."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.data = data_directory(settings.data)
        self.token = settings.token or _kept_token(self.data)
        self.ports: dict[str, int] = {}
        self._stops: list[Stop] = []
        self._ready = False
        self._announced = False
        self.store: Store
        self.sandboxes: LiveSandboxes
        self.authority: Authority
        self.doorkeeper: Doorkeeper
        self.insi: Insi
        self.pages: LaterPages

    @property
    def ready(self) -> bool:
        """Every door listens. The console and the API are made meanwhile: what asks for them waits a moment."""
        return self._ready

    async def start(self) -> None:
        """Open the store, fill it at first start, open every door, write run.json."""
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def _start(self) -> None:
        settings = self.settings
        self._stops.append(_lock(self.data).close)
        shrink_tls_buffers()
        http_port = _shifted(settings.ports.http, settings.port_offset)
        self.authority = await asyncio.to_thread(
            Authority.open, self.data / "pki", public_url=f"http://{settings.reachable}:{http_port or 8080}"
        )
        journal_seal = await asyncio.to_thread(self._seal)
        clock, ids, book = SystemClock(), UuidSeven(), RuleBook(load_catalogue())
        offload = WorkerPool(settings.workers)
        self._stops.append(offload.close)
        store = await open_store(
            settings.storage_url, self.data, clock=clock, signer=lambda digest: journal_seal.sign(digest, "sha256")
        )
        store.expect(offload.under_way)
        self.store = store
        self._stops.append(store.close)
        self.sandboxes = LiveSandboxes(store, default_policy(settings))
        await self.sandboxes.load()
        certificates = Certificates(self.authority, settings.hostnames)
        provisioning = Provisioning(store, self.sandboxes, certificates)
        if not self.sandboxes.territory(DEFAULT_WORKSPACE).operators:
            await provisioning.seed()
        for workspace in self.sandboxes.names():
            await provisioning.certify(workspace)
            await provisioning.index(workspace)
        metrics = Metrics(store)
        contexts = Contexts(self.authority, mode=TlsMode(settings.policy.tls_mode))
        intake = Intake(store, self.sandboxes, clock, ids, offload, book)
        hosts = [o.host for o in self._territory.operators.values() if o.local]
        shared = await asyncio.to_thread(certificates.gateway, hosts)
        desk = PkiDesk(self.authority, contexts, lambda key: "gateway" if key == "services" else f"operator:{key}")

        services = Services(
            road=metrics.measured(intake),
            journal=store,
            sandboxes=self.sandboxes,
            clock=clock,
            trust=desk,
            book=book,
            spool=_spool(self.data),
            lang=Lang(settings.lang),
        )
        await self._open_smtp(services)
        courier = RelayCourier(services, self._zone, self._host_of, allow=(*settings.allow, settings.reachable))
        self._stops.append(courier.pool.close)
        await self._open_imap(store, clock, contexts.server(shared, ask=False))
        self.doorkeeper = Doorkeeper(self.token)
        self.insi = Insi(store, self.sandboxes, clock, ids, offload, book, trust_of(self.authority))
        insi_desk = InsiDesk(self.authority, self.sandboxes, lambda: self.ports["https"])
        self._stops.append(insi_desk.close)
        known = ApiContext(
            store=store,
            sandboxes=self.sandboxes,
            clock=clock,
            offload=offload,
            book=book,
            token=self.token,
            hosts=frozenset({"127.0.0.1", "localhost", "::1", settings.bind, *settings.hostnames}),
            add_actors=provisioning.add,
            restore=provisioning.restore,
            ports=self.ports,
            insi=self.insi,
            set_overrides=self.sandboxes.set_overrides,
            registry=insi_desk.registry,
        )
        await self._open_http(known, metrics, ids, lambda: contexts.server(shared))
        retry = RetryPolicy(speed=settings.retry_speed)
        notices = NoticeDesk(self.sandboxes, clock, ids, book)
        integrator = Integrator(store, self.sandboxes, clock, book)
        outbox = Outbox(
            store,
            clock,
            {"relay": courier},
            retry,
            notices,
            worker=ids.new(),
            lease_s=settings.lease_s,
            integrator=integrator,
        )
        self._background(outbox.run())
        self._ready = self._announced = True
        write_run_file(self.data, self.run_record())
        self.pages.begin()
        self._stops.append(self.pages.settled)

    @property
    def _territory(self) -> Territory:
        return self.sandboxes.territory(DEFAULT_WORKSPACE)

    def _seal(self) -> Any:
        """What signs the whitelist and the journal's last links."""
        subject = Subject("liste-blanche.val-de-brume.mssante.fr", "BAC A SABLE PASSERELLE", "300048000400019", STATE)
        return self.authority.signer(self.authority.ensure(Profile.SIGN, subject, key="gateway:seal"))

    async def _open_smtp(self, services: Services) -> None:
        settings, plans = self.settings, []
        for operator in self._territory.operators.values():
            if operator.listener is None:
                continue
            first = settings.ports.smtp
            port = _shifted(first + operator.listener if first else 0, settings.port_offset)
            plans.append(ListenerPlan.reception(services, operator.id, operator.host, port))
        submission = _shifted(settings.ports.submission, settings.port_offset)
        plans.append(ListenerPlan.submission(services, "passerelle.val-de-brume.mssante.fr", submission))
        listeners = SmtpListeners(plans, bind=settings.bind)
        opened = await listeners.start()
        self._stops.append(listeners.stop)
        for name, port in opened.items():
            self.ports["submission" if name == "submission" else f"smtp:{name}"] = port

    async def _open_imap(self, store: Store, clock: SystemClock, context: Any) -> None:
        settings = self.settings
        listeners = ImapListeners(store, self.sandboxes, clock, context)
        await listeners.start(
            settings.bind,
            _shifted(settings.ports.imap, settings.port_offset),
            _shifted(settings.ports.imaps, settings.port_offset),
        )
        self._stops.append(listeners.stop)
        self.ports |= {"imap": listeners.port, "imaps": listeners.tls_port}

    async def _open_http(
        self, known: ApiContext, metrics: Metrics, ids: UuidSeven, tls: Callable[[], ssl.SSLContext]
    ) -> None:
        from starlette.applications import Starlette

        settings = self.settings
        public = PublicPages(
            store=known.store,
            sandboxes=self.sandboxes,
            authority=self.authority,
            whitelist_signer=self._seal(),
            clock=known.clock,
            registry=metrics.registry,
            ready=lambda: self._ready,
            metrics_token=self.token if settings.open_to_others else "",
        )
        self.pages = pages = LaterPages(
            lambda: _pages(known, self.doorkeeper, public), Starlette(routes=public.routes())
        )
        await self._serve("http", HttpServer(pages, settings.bind, _shifted(settings.ports.http, settings.port_offset)))
        deposit = Deposit(
            known.store, self.sandboxes, known.clock, ids, known.offload, known.book, trust_of(self.authority)
        )
        services = Starlette(routes=[*dmp_routes(deposit, known.clock), *insi_routes(self.insi, known.clock)])
        port = _shifted(settings.ports.https, settings.port_offset)
        await self._serve("https", HttpServer(services, settings.bind, port, tls))
        self._stops.append(known.closing.set)  # live streams end first, or the servers would wait for them

    async def _serve(self, door: str, server: HttpServer) -> None:
        self.ports[door] = await server.start()
        self._stops.append(server.stop)

    def _zone(self, domain: str) -> Route | None:
        """The door of the operator that serves a domain, ours or the address given for it; None: nobody is called."""
        for workspace in self.sandboxes.names():
            operator = self.sandboxes.territory(workspace).operator_of_domain(domain)
            if operator is None:
                continue
            if (port := self.ports.get(f"smtp:{operator.id}")) is not None:
                return Route(self.settings.reachable, port, operator.host)
            host, _, port_text = operator.address.rpartition(":")
            if host and port_text.isdecimal():
                return Route(host, int(port_text), operator.host)
        return None

    def _host_of(self, operator: str) -> str:
        """What an operator calls itself in EHLO."""
        found = self._territory.operators.get(operator)
        return found.host if found else "passerelle.val-de-brume.mssante.fr"

    def _background(self, work: Any) -> None:
        task = asyncio.create_task(work)

        async def ended() -> None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

        self._stops.append(ended)

    async def stop(self) -> None:
        """Close the doors, then the store. Safe to call twice."""
        self._ready = False
        if self._announced:  # never another gateway's: this one may have been refused the directory
            (self.data / "run.json").unlink(missing_ok=True)
        while self._stops:
            result = self._stops.pop()()
            if asyncio.iscoroutine(result):
                with contextlib.suppress(Exception):
                    await result

    def run_record(self) -> Mapping[str, Any]:
        """What other commands need to reach this gateway."""
        base = f"http://{self.settings.reachable}:{self.ports['http']}"
        return {
            "pid": os.getpid(),
            "bind": self.settings.bind,
            "host": self.settings.reachable,
            "ports": self.ports,
            "token": self.token,
            "console": f"{base}/entrer?cle={self.doorkeeper.entry_key}",
            "api": f"{base}/api/v1",
            "data": str(self.data),
            "storage": "postgresql" if self.settings.storage_url.startswith("postgresql") else "sqlite",
        }


def default_policy(settings: Settings) -> Policy:
    """The default workspace's policy, from the settings."""
    given = settings.policy
    return Policy(
        vigilance=Vigilance(given.vigilance),
        profile=given.profile,
        ins_environment=given.ins_environment,
        insi_verification_days=given.insi_verification_days,
        partial=given.partial,
        tls_mode=TlsMode(given.tls_mode),
        dmp_signature=SignatureMode(given.dmp_signature),
        mdn=MdnMode(given.mdn),
        limits=Limits(mail_bytes=given.mail_bytes, dmp_document_bytes=given.dmp_document_bytes),
    )


def write_run_file(data: Path, record: Mapping[str, Any]) -> None:
    """run.json, whole or not at all, readable by its owner only."""
    path, fresh = data / "run.json", data / "run.json.new"
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(record, ensure_ascii=False, indent=2), encoding="utf-8")
    fresh.replace(path)


def _shifted(port: int, offset: int) -> int:
    return port + offset if port else 0


def _spool(data: Path) -> Path:
    """The folder of large messages being received; what a crash left there was never acknowledged."""
    folder = data / "spool"
    folder.mkdir(mode=0o700, exist_ok=True)
    for left in folder.iterdir():
        left.unlink(missing_ok=True)
    return folder


def _kept_token(data: Path) -> str:
    path = data / "token"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24), encoding="ascii")
    return path.read_text(encoding="ascii").strip()


def _lock(data: Path) -> TextIO:
    """Held while the process lives; raises AlreadyRunning."""
    handle = (data / "lock").open("a+")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.close()
        raise AlreadyRunning(str(data)) from error
    return handle


def _pages(known: ApiContext, doorkeeper: Doorkeeper, public: PublicPages) -> ASGIApp:
    """The console, the API and the open resources, together. Imports FastAPI and the templates: a third of a start."""
    from starlette.applications import Starlette
    from starlette.routing import Mount

    from adapters.api.app import build_api
    from adapters.console.routes import Console

    console = Console(known, doorkeeper)
    routes = [*public.routes(), Mount("/api/v1", build_api(known)), *console.routes()]
    return Starlette(routes=routes, exception_handlers=console.refusals())
