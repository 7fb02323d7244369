"""Certificates for the actors of a workspace, and the first filling of a new one.

Operators and APP mailboxes hold their certificates from the start; structures and professionals receive theirs at first
need, as an RSA key takes a tenth of a second to make.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.pki.authority import Authority
from adapters.pki.model import Issued, Profile, Subject
from adapters.sandboxes import ActorRecord, LiveSandboxes
from adapters.secrets import hash_secret
from gateway.directory.actors import ActorsRead
from gateway.directory.model import Mailbox, MailboxKind, Operator, Patient, Professional, Structure, Territory
from gateway.directory.territory import (
    Actor,
    actors_of,
    demo_passwords,
    key_of,
    kind_of,
    listings_for,
    load_territory,
    records_of,
    territory_of,
    with_actors,
)
from gateway.exchange.identity_seed import held_by, identities_of, seeded
from gateway.exchange.indexed import indexed
from gateway.identity.matricule import canonical
from gateway.ports import AppendEvent, Operation, PutDmp, PutIdentity, Store
from gateway.sandbox.model import DEFAULT_WORKSPACE

STATE = "Val-de-Brume (48)"
LOOPBACK = ("localhost", "127.0.0.1")
PKCS12_PASSWORD = "passerelle"  # noqa: S105  # test certificates: said in the documentation


@dataclass(frozen=True, slots=True)
class Certificates:
    """Who holds which certificate. Keys of the index: `operator:…`, `bal:…`, `structure:…:<profile>`, `professional:…`."""

    authority: Authority
    hostnames: tuple[str, ...] = ()

    def gateway(self, hosts: Iterable[str]) -> Issued:
        """The certificate of the shared doors (submission, IMAP, HTTPS), listing every host name."""
        names = tuple(dict.fromkeys((*LOOPBACK, *self.hostnames, *hosts)))
        subject = Subject("passerelle.val-de-brume.mssante.fr", "BAC A SABLE PASSERELLE", "300048000400019", STATE)
        return self.authority.ensure(Profile.SERVER, subject, key="gateway", hosts=names)

    def operator(self, operator: Operator, workspace: str = DEFAULT_WORKSPACE) -> Issued:
        """The certificate of an operator's relays: server and client."""
        subject = Subject(operator.host, operator.name, operator.structure_id, STATE)
        hosts = (operator.host, *LOOPBACK, *self.hostnames)
        return self.authority.ensure(
            Profile.SERVER, subject, key=_key(workspace, f"operator:{operator.id}"), workspace=workspace, hosts=hosts
        )

    def mailbox(self, mailbox: Mailbox, territory: Territory, workspace: str = DEFAULT_WORKSPACE) -> Issued:
        """The client certificate of an APP mailbox: ORG AUTH_CLI of the structure that holds it."""
        holder = territory.structures.get(mailbox.holder)
        organisation = holder.name if holder else mailbox.holder
        subject = Subject(mailbox.address, organisation, holder.struct_id_nat if holder else "", STATE)
        key = _key(workspace, f"bal:{mailbox.address}")
        return self.authority.ensure(Profile.AUTH_CLIENT, subject, key=key, workspace=workspace)

    def structure(self, structure: Structure, profile: Profile, workspace: str = DEFAULT_WORKSPACE) -> Issued:
        """A structure's authentication certificate or seal."""
        subject = Subject(f"{structure.key} {profile.value}", structure.name, structure.struct_id_nat, STATE)
        key = _key(workspace, f"structure:{structure.key}:{profile.value}")
        return self.authority.ensure(profile, subject, key=key, workspace=workspace)

    def professional(self, professional: Professional, profile: Profile, workspace: str = DEFAULT_WORKSPACE) -> Issued:
        """A professional's card-like certificate."""
        subject = Subject(professional.ps_id_nat, state=STATE, family=professional.family, given=professional.given)
        key = _key(workspace, f"professional:{professional.key}:{profile.value}")
        return self.authority.ensure(profile, subject, key=key, workspace=workspace)


def _key(workspace: str, key: str) -> str:
    return key if workspace == DEFAULT_WORKSPACE else f"{workspace}/{key}"


@dataclass(frozen=True, slots=True)
class Provisioning:
    """Fills workspaces and keeps whitelist and certificates in step with their actors."""

    store: Store
    sandboxes: LiveSandboxes
    certificates: Certificates

    async def seed(self, workspace: str = DEFAULT_WORKSPACE) -> None:
        """The shipped territory, its passwords and its DMPs, when the workspace has no actor yet."""
        territory = load_territory(workspace)
        passwords = demo_passwords(workspace)
        hashes = {plain: await asyncio.to_thread(hash_secret, plain) for plain in set(passwords.values())}
        mailboxes = tuple(
            replace(m, secret=hashes[passwords[a]]) if a in passwords else m for a, m in territory.mailboxes.items()
        )
        await self.sandboxes.put(workspace, records_of(with_actors(territory, mailboxes)))
        await self.store.commit(*dmps_of(territory, workspace), *first_records(territory, workspace))

    async def index(self, workspace: str = DEFAULT_WORKSPACE) -> None:
        """The patient indexes of a workspace that was filled before there were any."""
        territory = self.sandboxes.territory(workspace)
        if territory.patients and not await self.store.indexes(workspace):
            await self.store.commit(*first_records(territory, workspace))

    async def certify(self, workspace: str = DEFAULT_WORKSPACE) -> None:
        """Certificates of every operator and APP mailbox, then the whitelist they make."""
        territory = self.sandboxes.territory(workspace)
        issued = await asyncio.to_thread(self._issue, territory, workspace)
        operators = {o.id: [issued[f"operator:{o.id}"].dn] for o in territory.operators.values()}
        listings = territory_of(listings_for(territory, operators))
        known = {(entry.domain, entry.dn) for entry in territory.listings}
        fresh = [r for r in records_of(listings) if (r[2]["domain"], r[2]["dn"]) not in known]
        await self._attribute(issued.values(), workspace, fresh)

    async def _attribute(self, issued: Iterable[Issued], workspace: str, also: Iterable[ActorRecord] = ()) -> None:
        """Write down whose certificates these are: doors find the workspace of a caller by its fingerprint."""
        certificates = [("certificate", i.fingerprint, {"key": i.key, "dn": i.dn}) for i in issued]
        unknown = [c for c in certificates if not self.sandboxes.workspace_of_certificate(c[1])]
        if records := [*also, *unknown]:
            await self.sandboxes.put(workspace, records)

    async def restore(self, workspace: str, actors: bool) -> None:
        """After a reset: the patients have their DMPs again and, when `actors`, the territory is the shipped one."""
        if actors:
            await self.seed(workspace)
            await self.certify(workspace)
            return
        territory = self.sandboxes.territory(workspace)
        if filled := (*dmps_of(territory, workspace), *first_records(territory, workspace)):
            await self.store.commit(*filled)

    def _issue(self, territory: Territory, workspace: str) -> dict[str, Issued]:
        """In threads: making keys leaves the interpreter free."""
        apps = [m for m in territory.mailboxes.values() if m.kind is MailboxKind.APP]
        with ThreadPoolExecutor(2) as pool:
            operators = {
                f"operator:{o.id}": pool.submit(self.certificates.operator, o, workspace)
                for o in territory.operators.values()
            }
            mailboxes = {
                f"bal:{m.address}": pool.submit(self.certificates.mailbox, m, territory, workspace) for m in apps
            }
            return {key: future.result() for key, future in {**operators, **mailboxes}.items()}

    async def add(self, workspace: str, read: ActorsRead) -> Mapping[str, Any]:
        """Make actors live: stored, certified, listed. `read` holds no blocking fault (the caller has refused those).

        Returns what was added and the certificates to hand over: PEM chain, PEM key and PKCS#12 (base64), by key.
        """
        hashed = [await self._with_secret(a, read.passwords) for a in read.actors]
        before = {(kind_of(a), key_of(a)) for a in actors_of(self.sandboxes.territory(workspace))}
        await self.sandboxes.put(workspace, records_of(territory_of(hashed)))
        await self.certify(workspace)
        dmps = [d for a in hashed if isinstance(a, Patient) and (d := dmp_of(a, workspace, ())) is not None]
        records = await self._new_records(hashed, workspace)
        if dmps or records:
            await self.store.commit(*dmps, *records)
        # the keys of who was already there are not handed out again: they are somebody's
        fresh = [a for a in hashed if (kind_of(a), key_of(a)) not in before]
        issued = await asyncio.to_thread(self._certificates_of, fresh, workspace)
        await self._attribute(issued, workspace)
        return {
            "added": [f"{kind_of(a)} {key_of(a)}" for a in fresh],
            "changed": [f"{kind_of(a)} {key_of(a)}" for a in hashed if (kind_of(a), key_of(a)) in before],
            "certificates": {i.key: self._export(i) for i in issued},
        }

    async def _new_records(self, actors: Iterable[Actor], workspace: str) -> tuple[Operation, ...]:
        """The records of patients added; a number or an INS that a structure already has is left to that structure."""
        added = territory_of(a for a in actors if isinstance(a, Patient))
        territory = replace(self.sandboxes.territory(workspace), patients=added.patients)
        made = identities_of(territory, workspace, datetime.now(UTC))
        fresh = [op for op in made if not await self._known(op)]
        return (*fresh, AppendEvent(seeded(workspace, datetime.now(UTC), fresh))) if fresh else ()

    async def _known(self, op: PutIdentity) -> bool:
        if await self.store.identity(op.workspace, op.identity_id) is not None:
            return True
        ins = [(one.matricule, one.oid) for one in held_by(op)]
        rows = await self.store.identities_known_as(op.workspace, op.structure, ins)
        held = [indexed(op.workspace, row).local.ins for row in rows]
        return any(one is not None and (canonical(one.matricule), one.oid) in ins for one in held)

    async def _with_secret(self, actor: Actor, passwords: Mapping[str, str]) -> Actor:
        if not isinstance(actor, Mailbox) or actor.address not in passwords:
            return actor
        return replace(actor, secret=await asyncio.to_thread(hash_secret, passwords[actor.address]))

    def _export(self, issued: Issued) -> Mapping[str, str]:
        authority = self.certificates.authority
        return {
            "dn": issued.dn,
            "profile": issued.profile.value,
            "certificate_pem": authority.certificate_pem(issued).decode(),
            "key_pem": authority.key_pem(issued).decode(),
            "pkcs12_base64": base64.b64encode(authority.pkcs12(issued, PKCS12_PASSWORD)).decode(),
        }

    def _certificates_of(self, actors: Sequence[Any], workspace: str) -> list[Issued]:
        territory = self.sandboxes.territory(workspace)
        issued: list[Issued] = []
        for actor in actors:
            if isinstance(actor, Operator):
                issued.append(self.certificates.operator(actor, workspace))
            elif isinstance(actor, Structure):
                profiles = (Profile.AUTH_CLIENT, Profile.SIGN)
                issued += [self.certificates.structure(actor, profile, workspace) for profile in profiles]
            elif isinstance(actor, Mailbox) and actor.kind is MailboxKind.APP:
                issued.append(self.certificates.mailbox(actor, territory, workspace))
        return issued


def first_records(territory: Territory, workspace: str) -> tuple[Operation, ...]:
    """The patient indexes as the territory fills them: like its DMPs, they are there from the start, and no event says so."""
    return identities_of(territory, workspace, datetime.now(UTC))


def dmps_of(territory: Territory, workspace: str) -> tuple[PutDmp, ...]:
    """The DMPs of the shipped patients. A doctor who works where the patient has a local id holds an authorisation."""
    found = []
    for patient in territory.patients.values():
        doctors = [
            p.ps_id_nat
            for p in territory.professionals.values()
            if p.profession == "10" and set(p.structures) & set(patient.ipp)
        ]
        dmp = dmp_of(patient, workspace, doctors)
        if dmp is not None:
            found.append(dmp)
    return tuple(found)


def dmp_of(patient: Patient, workspace: str, doctors: Sequence[str]) -> PutDmp | None:
    """One patient's DMP; None when the patient has none."""
    if not patient.matricule or patient.dmp_state == "absent":
        return None
    authorisations = dict.fromkeys(doctors, "VALIDE")
    return PutDmp(workspace, patient.matricule, patient.oid, patient.dmp_state, authorisations)


def data_directory(path: Path) -> Path:
    """The data directory, made private at first use."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path.resolve()
