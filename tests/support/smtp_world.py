"""A small trust space for SMTP tests: two operators, a few mailboxes, a road that remembers, a journal in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.pki.authority import Authority
from adapters.pki.contexts import Contexts
from adapters.pki.model import Fault, Issued, Profile, Subject
from adapters.secrets import hash_secret
from adapters.smtp.desk import PkiDesk
from adapters.smtp.door import Services, SessionLimits
from adapters.smtp.listeners import ListenerPlan, SmtpListeners
from adapters.smtp.reception import PatientMode
from gateway.answers.smtp import SmtpReply
from gateway.directory.model import (
    Listing,
    Mailbox,
    MailboxKind,
    MailboxState,
    Operator,
    RoutingClass,
    Structure,
    Territory,
)
from gateway.exchange.model import Event, Submission
from gateway.ports import AppendEvent, StoreUnavailable
from gateway.rules import Finding, RuleBook
from gateway.rules.catalogue import load_catalogue
from gateway.rules.verdict import Decision, Integration, Outcome
from gateway.sandbox.model import Limits, Policy

CH = "ch-brumeval.mssante.fr"
EHPAD = "ehpad-les-tilleuls.mssante.fr"
MES = "patient.mssante.fr"
SECRET = "un-mot-de-passe-applicatif"
ALICE, APPLI = f"secretariat@{CH}", f"dpi@{CH}"
BOB, AWAY, FULL, GONE = f"accueil@{EHPAD}", f"conges@{EHPAD}", f"plein@{EHPAD}", f"parti@{EHPAD}"
OPERATOR_HOSTS = {"nord": "smtp.nord.mssante.fr", "sud": "smtp.sud.mssante.fr"}
STRUCTURE_IDS = {"nord": "1990000011", "sud": "1990000029"}


@dataclass
class Pki:
    """The authority, and one certificate of each kind the tests present."""

    authority: Authority
    issued: dict[str, Issued] = field(default_factory=dict)

    def files(self, name: str) -> tuple[str, str]:
        """PEM chain and PEM key of a certificate."""
        issued = self.issued[name]
        return str(self.authority.chain_path(issued)), str(self.authority.key_path(issued))

    @property
    def ca(self) -> str:
        """PEM bundle to trust."""
        return str(self.authority.bundle_path)


def make_pki(folder: Path) -> Pki:
    """Issue what the tests need. Takes a second or two: once per session."""
    pki = Pki(Authority.open(folder))
    for operator, host in OPERATOR_HOSTS.items():
        subject = Subject(host, f"OPERATEUR {operator.upper()}", STRUCTURE_IDS[operator], "Lozère (48)")
        pki.issued[operator] = pki.authority.issue(
            Profile.SERVER, subject, key=f"operator:{operator}", hosts=(host, "localhost", "127.0.0.1")
        )
        if operator == "nord":
            for fault in (Fault.EXPIRED, Fault.OTHER_CA, Fault.CN_DIFF, Fault.WRONG_EKU, Fault.REVOKED):
                pki.issued[fault.value] = pki.authority.issue(
                    Profile.SERVER, subject, key=f"fault:{fault.value}", hosts=(host,), fault=fault
                )
    pki.issued["services"] = pki.authority.issue(
        Profile.SERVER, Subject("services.mssante.fr", "PASSERELLE"), key="operator:services", hosts=("localhost",)
    )
    appli = Subject("dpi.ch-brumeval", "CH BRUMEVAL", "1990000011", "Lozère (48)")
    pki.issued["appli"] = pki.authority.issue(Profile.AUTH_CLIENT, appli, key="structure:ch:auth-client")
    other = Subject(f"autre@{CH}", "CH BRUMEVAL", "1990000011", "Lozère (48)")
    pki.issued["other-bal"] = pki.authority.issue(Profile.AUTH_CLIENT, other, key=f"bal:autre@{CH}")
    return pki


def make_territory(pki: Pki) -> Territory:
    """Two local operators, one listed foreign domain, mailboxes in every state."""
    operators = (
        Operator("nord", "Nord", OPERATOR_HOSTS["nord"], (CH,), STRUCTURE_IDS["nord"], 0),
        Operator("sud", "Sud", OPERATOR_HOSTS["sud"], (EHPAD, MES), STRUCTURE_IDS["sud"], 1),
    )
    structure = Structure("ch", "CH Brumeval", "990000011", RoutingClass.SAN, "CH", "SA01", "ETABLISSEMENT")
    secret = hash_secret(SECRET)
    mailboxes = (
        Mailbox(ALICE, MailboxKind.ORG, "nord", "ch", secret=secret),
        Mailbox(f"suspendu@{CH}", MailboxKind.ORG, "nord", "ch", secret=secret, state=MailboxState.SUSPENDED),
        Mailbox(f"collegue@{CH}", MailboxKind.ORG, "nord", "ch"),
        Mailbox(APPLI, MailboxKind.APP, "nord", "ch"),
        Mailbox(BOB, MailboxKind.ORG, "sud", "ehpad", secret=secret),
        Mailbox(AWAY, MailboxKind.ORG, "sud", "ehpad", state=MailboxState.SUSPENDED),
        Mailbox(FULL, MailboxKind.ORG, "sud", "ehpad", state=MailboxState.FULL),
        Mailbox(GONE, MailboxKind.ORG, "sud", "ehpad", state=MailboxState.DELETED),
    )
    listings = (
        Listing(CH, pki.issued["nord"].dn, "nord"),
        Listing(EHPAD, pki.issued["sud"].dn, "sud"),
        Listing(MES, pki.issued["sud"].dn, "sud"),
    )
    return Territory(
        {o.id: o for o in operators}, {"ch": structure}, {}, {m.address: m for m in mailboxes}, {}, listings
    )


@dataclass(frozen=True)
class Answered:
    """What the road answers."""

    exchange_id: str
    decision: Decision


@dataclass
class World:
    """Implements the ports the SMTP doors need, in memory. Also the road: it keeps every submission it took."""

    pki: Pki
    territory_: Territory
    policy_: Policy = field(default_factory=Policy)
    taken: list[Submission] = field(default_factory=list)
    not_taken: list[tuple[Submission, list[str]]] = field(default_factory=list)
    bytes_taken: list[bytes] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    unavailable: bool = False
    decide: Callable[[Submission], Decision] | None = None
    hold: asyncio.Event | None = None

    async def refuse(self, submission: Submission, findings: tuple[Finding, ...], reply: SmtpReply) -> Answered:
        self.not_taken.append((submission, [f.rule for f in findings]))
        return Answered(f"r{len(self.not_taken)}", Decision(Outcome.REJECT, Integration.STOPPED, findings))

    async def take(self, submission: Submission) -> Answered:
        payload = submission.payload
        if self.hold is not None:
            await self.hold.wait()
        if self.unavailable:
            raise StoreUnavailable("disk full")
        self.taken.append(submission)
        self.bytes_taken.append(payload.data if payload.data is not None else Path(payload.spool_path).read_bytes())
        decision = self.decide(submission) if self.decide else Decision(Outcome.ACCEPT, Integration.ALLOWED, ())
        return Answered(f"x{len(self.taken)}", decision)

    async def commit(self, *operations: Any) -> tuple[Any, ...]:
        self.events += [o.event for o in operations if isinstance(o, AppendEvent)]
        return (None,) * len(operations)

    def policy(self, workspace: str) -> Policy:
        return self.policy_

    def territory(self, workspace: str) -> Territory:
        return self.territory_

    def workspace_of_domain(self, domain: str) -> str:
        return "demo"

    def workspace_of_certificate(self, fingerprint: str) -> str:
        return self.pki.authority.workspace_of(fingerprint)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def virtual_now(self, workspace: str) -> datetime:
        return self.now()

    def limit(self, **limits: int) -> None:
        """Change the limits of the workspace."""
        self.policy_ = replace(self.policy_, limits=Limits(**limits))

    @property
    def refused_rules(self) -> list[list[str]]:
        """The rules of each journalled refusal."""
        return [list(e.data["rules"]) for e in self.events if e.kind == "refused"]


@dataclass
class Doors:
    """Running listeners: `nord` and `sud` receive, `submission` takes clients."""

    world: World
    services: Services
    desk: PkiDesk
    listeners: SmtpListeners
    ports: Mapping[str, int]
    spool: Path


def make_services(world: World, spool: Path) -> tuple[Services, PkiDesk]:
    """The doors' services over a world."""
    desk = PkiDesk(world.pki.authority, Contexts(world.pki.authority), "operator:{}".format)
    return Services(world, world, world, world, desk, RuleBook(load_catalogue()), spool), desk


async def open_doors(
    world: World,
    spool: Path,
    limits: SessionLimits | None = None,
    per_minute: int = 6000,
    patients: PatientMode = PatientMode.MES,
) -> Doors:
    """Start the three listeners on free ports."""
    services, desk = make_services(world, spool)
    plans = [ListenerPlan.reception(services, o, host, 0, patients) for o, host in OPERATOR_HOSTS.items()]
    plans.append(ListenerPlan.submission(services, "services.mssante.fr", 0, per_minute))
    listeners = SmtpListeners(plans, limits=limits or SessionLimits())
    return Doors(world, services, desk, listeners, await listeners.start(), spool)
