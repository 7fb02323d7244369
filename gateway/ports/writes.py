"""Every change the store can be asked for: a batch of these is applied whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway.exchange.model import DeliveryState, Event, Payload, shown_summary
from gateway.ports.indexes import DecideQuarantine, PutIdentity, RecordIntegration


@dataclass(frozen=True, slots=True)
class NewMail:
    """One mail to append to a mailbox folder. The bytes are those of the payload `sha256` of the same batch or earlier.

    `dedup_key` ('' = none): when the same key was already accepted with the same SHA-256 this append is skipped and
    reported; with another SHA-256 it is done and reported as a conflict.
    """

    workspace: str
    address: str
    folder: str
    sha256: str
    size_bytes: int
    received_at: datetime
    flags: tuple[str, ...] = ()
    exchange_id: str = ""
    dedup_key: str = ""


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """One piece of work for the outbox. `kind` names the worker (`relay`, `dsn`, ...); `destination` orders and limits it.

    `payload` is JSON; `order_key` deliveries of one destination run in their order. Same `dedup_key` rule as `NewMail`.
    """

    workspace: str
    kind: str
    destination: str
    payload: Mapping[str, Any]
    due: datetime
    exchange_id: str = ""
    order_key: str = ""
    dedup_key: str = ""


@dataclass(frozen=True, slots=True)
class RecordExchange:
    """One door crossing: the exchange, the bytes, what it produced. Result: `Recorded`.

    `summary` is the searchable part: door, operator, sender, recipients, subject label (masked), message_id, outcome,
    integration, answer, kind, documents (labels and type codes). `findings` is the JSON list of `Finding.to_json()`.
    Matricules in the summary are masked as the record is made.
    """

    workspace: str
    exchange_id: str
    at: datetime
    payload: Payload
    summary: Mapping[str, Any]
    findings: Sequence[Mapping[str, Any]]
    parent_id: str = ""
    correlation_id: str = ""
    events: tuple[Event, ...] = ()
    mails: tuple[NewMail, ...] = ()
    deliveries: tuple[NewDelivery, ...] = ()
    lots: tuple[RegisterLot, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "summary", shown_summary(self.summary))


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a `RecordExchange`: dedup keys skipped (already delivered) and in conflict (same id, other bytes).

    `duplicate_of` is the exchange that delivered the first skipped key. `uids` are those given to the mails appended.
    """

    skipped: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    duplicate_of: str = ""
    uids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class AppendEvent:
    """One journal event by itself."""

    event: Event


@dataclass(frozen=True, slots=True)
class LeaseDeliveries:
    """Take up to `limit` due deliveries for `worker`. Result: tuple[Delivery, ...]. Order keys are respected."""

    worker: str
    now: datetime
    lease_s: float
    limit: int
    kinds: tuple[str, ...] = ()
    busy_destinations: tuple[str, ...] = ()  # left alone: the worker already has enough work for them


@dataclass(frozen=True, slots=True)
class FinishDelivery:
    """The end of an attempt: done, dead, or ready again at `due`. `answer` keeps the last native answer.

    `payload`, when given, replaces that of a delivery ready again (who is left to try). `records` are exchanges the end
    makes, such as notices to the sender, `integrations` what it adds to one: durable with it, or not at all. All is
    ignored (result False) when `worker` no longer holds the lease.
    """

    delivery_id: str
    worker: str
    state: DeliveryState
    answer: str
    due: datetime | None = None
    events: tuple[Event, ...] = ()
    payload: Mapping[str, Any] | None = None
    records: tuple[RecordExchange, ...] = ()
    integrations: tuple[RecordIntegration, ...] = ()


@dataclass(frozen=True, slots=True)
class AppendMail:
    """A mail appended by a client (IMAP APPEND): bytes and mail together. Result: the uid."""

    mail: NewMail
    payload: Payload


@dataclass(frozen=True, slots=True)
class CopyMail:
    """IMAP COPY or MOVE of one message to another folder of the same mailbox. Result: the new uid, None when it is gone."""

    workspace: str
    address: str
    folder: str
    uid: int
    to_folder: str
    move: bool = False


@dataclass(frozen=True, slots=True)
class SetFlags:
    """Replace the flags and keywords of messages. Result: tuple of the uids that exist."""

    workspace: str
    address: str
    folder: str
    flags: Mapping[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ExpungeMail:
    """Remove messages for good. Result: tuple of the uids removed."""

    workspace: str
    address: str
    folder: str
    uids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ChangeFolder:
    """Create, rename, delete, subscribe or unsubscribe a folder. Result: True when it changed."""

    workspace: str
    address: str
    folder: str
    change: str  # create | rename | delete | subscribe | unsubscribe
    to: str = ""


@dataclass(frozen=True, slots=True)
class PutActors:
    """Insert or replace actors: (kind, key, JSON record) each.

    Kinds: operator, structure, professional, mailbox, patient, listing, certificate.
    """

    workspace: str
    actors: tuple[tuple[str, str, Mapping[str, Any]], ...]


@dataclass(frozen=True, slots=True)
class NewEntry:
    """One document of a DMP lot, ready for the registry. `metadata` is the JSON of its entry as registered."""

    entry_uuid: str
    logical_id: str
    unique_id: str
    document_sha256: str
    size_bytes: int
    status: str  # Approved, ...
    type_code: str
    author_ids: tuple[str, ...]
    service_start: str
    metadata: Mapping[str, Any]
    replaces: str = ""  # entryUUID of the document it makes obsolete
    masked: bool = False


@dataclass(frozen=True, slots=True)
class RegisterLot:
    """One DMP submission set: atomic. Raises `Conflict` naming the uniqueId when one already exists in the registry."""

    workspace: str
    matricule: str
    oid: str
    set_uuid: str
    set_unique_id: str
    at: datetime
    metadata: Mapping[str, Any]
    entries: tuple[NewEntry, ...]
    documents: tuple[Payload, ...]  # bytes of each entry, same order


@dataclass(frozen=True, slots=True)
class PutDmp:
    """Open, close or change a patient's DMP, or a professional's authorisation on it (`authorisations`: PS_IdNat -> state)."""

    workspace: str
    matricule: str
    oid: str
    state: str  # active | closed
    authorisations: Mapping[str, str] = field(default_factory=dict)
    treating_doctors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PutWorkspace:
    """Create a workspace or change its title, policy, clock or token hash (JSON record)."""

    workspace: str
    record: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ResetWorkspace:
    """Empty a workspace: exchanges, mails, deliveries, DMPs; its actors stay unless `actors` is True.

    The journal is closed by a signed last link and a new chain begins.
    """

    workspace: str
    at: datetime
    actors: bool = False


Operation = (
    RecordExchange
    | AppendEvent
    | LeaseDeliveries
    | FinishDelivery
    | AppendMail
    | CopyMail
    | SetFlags
    | ExpungeMail
    | ChangeFolder
    | PutActors
    | PutDmp
    | PutWorkspace
    | ResetWorkspace
    | PutIdentity
    | RecordIntegration
    | DecideQuarantine
)


class Conflict(Exception):
    """A batch was refused by a uniqueness rule; nothing of it was written. `key` names the offending value."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class StoreUnavailable(Exception):
    """The store cannot make anything durable now (disk full, I/O error, database away). Nothing was written.

    Doors answer 421, AR or 503, and try again by themselves later.
    """
