"""What the characters of a story hold: their documents, their certificates, their mailboxes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from adapters.pki.authority import Authority
from adapters.pki.model import Issued
from adapters.provision import Certificates
from adapters.testing.running import RunningGateway
from gateway.directory.model import Mailbox, Patient, Professional, Structure, Territory
from gateway.directory.territory import demo_passwords, load_territory
from gateway.documents.build_cda import build_cda
from gateway.documents.build_codes import document_kinds
from gateway.documents.build_metadata import LotEntry, ids_from, oid_from
from gateway.documents.build_record import CdaRecord, kind_pdf
from gateway.documents.build_xdm import build_xdm, lot_of
from gateway.messaging.compose import mail_of, sender_name

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Composed:
    """A mail ready to leave."""

    raw: bytes
    message_id: str
    sender: str
    recipients: tuple[str, ...]


@dataclass(slots=True)
class World:
    """One running gateway and the characters around it."""

    gateway: RunningGateway
    territory: Territory
    authority: Authority
    certificates: Certificates
    work: Path
    passwords: dict[str, str]
    mails: dict[str, Composed] = field(default_factory=dict)
    drafts: dict[str, tuple[CdaRecord, Patient | None]] = field(default_factory=dict)
    exchanges: dict[str, str] = field(default_factory=dict)  # step id -> exchange id
    documents: dict[str, CdaRecord] = field(default_factory=dict)  # step id -> document deposited

    def mailbox(self, address: str) -> Mailbox:
        """A mailbox of the territory. Raises LookupError in words."""
        found = self.territory.mailboxes.get(address)
        if found is None:
            raise LookupError(f"no mailbox {address} in this territory")
        return found

    def patient(self, key: str) -> Patient:
        """A patient of the territory."""
        return _named(self.territory.patients, key, "patient")

    def structure(self, key: str) -> Structure:
        """A structure of the territory."""
        return _named(self.territory.structures, key, "structure")

    def professional(self, key: str) -> Professional:
        """A professional of the territory."""
        return _named(self.territory.professionals, key, "professional")

    def record(self, document: str, patient: Patient, structure: Structure, author: Professional) -> CdaRecord:
        """A new document of a kind, of today."""
        seed = uuid4().hex
        at = datetime.now(UTC).replace(microsecond=0)
        kind = _named(document_kinds(), document, "document")
        return CdaRecord(
            document_id=oid_from(seed, "document"),
            set_id=oid_from(seed, "set"),
            kind=kind,
            patient=patient,
            author=author,
            structure=structure,
            at=at,
            service_start=at - timedelta(days=6),
            service_stop=at,
            pdf=kind_pdf(kind, patient, author, structure, at),
        )

    def mail(self, sender: str, to: str, record: CdaRecord, twin: Patient | None = None) -> Composed:
        """A mail with its package and PDF. With `twin`, the CDA is hers while the metadata stay the patient's."""
        ids, at = ids_from(record.document_id), record.at
        lot = lot_of(record, ids, at)
        if twin is not None:
            entry = lot.entries[0]
            mixed: LotEntry = replace(entry, document=build_cda(replace(record, patient=twin)))
            lot = replace(lot, entries=(mixed,))
        message_id = f"{uuid4().hex}@{sender.rpartition('@')[2]}"
        raw = mail_of(
            record,
            ids,
            sender=sender,
            sender_name=sender_name(self.mailbox(sender), self.territory),
            to=(to,),
            message_id=message_id,
            at=at,
            package=build_xdm(lot),
        )
        return Composed(raw, message_id, sender, (to,))

    def files(self, issued: Issued) -> tuple[str, str]:
        """Certificate chain and key of a character, as files."""
        return str(self.authority.chain_path(issued)), str(self.authority.key_path(issued))


def world_of(gateway: RunningGateway) -> World:
    """The world around a gateway that this machine runs: it shares the gateway's TEST authority."""
    authority = Authority.open(gateway.data / "pki")
    return World(
        gateway=gateway,
        territory=load_territory(),
        authority=authority,
        certificates=Certificates(authority),
        work=gateway.data,
        passwords=dict(demo_passwords()),
    )


def _named(things: Mapping[str, T], key: str, what: str) -> T:
    found = things.get(key)
    if found is None:
        raise LookupError(f"no {what} {key}; known: {', '.join(sorted(things))}")
    return found
