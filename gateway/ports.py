"""What the core asks of the outside, as Protocols. Adapters implement them; `adapters/app.py` hands them in.

`Store.commit` is the only write. A batch is a tuple of operations applied in order in one durable transaction (or
savepoint): all of them, or none. What it returns was on disk before it returned.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from gateway.directory.model import Territory
from gateway.exchange.model import DeliveryState, Event, Payload, shown_summary
from gateway.index_ports import DecideQuarantine, IndexReader, PutIdentity, RecordIntegration
from gateway.insi.model import CardData, Ins, LocalIdentity, SearchResult, VerifyResult
from gateway.sandbox.model import Policy

T = TypeVar("T")


# ---------------------------------------------------------------------------------------------------------------- writes


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


# ----------------------------------------------------------------------------------------------------------------- reads


@dataclass(frozen=True, slots=True)
class ExchangeRow:
    """A stored exchange. `summary` is as recorded, plus `duplicate_of` when it was one."""

    id: str
    seq: int
    workspace: str
    at: datetime
    parent_id: str
    correlation_id: str
    size_bytes: int
    sha256: str
    summary: Mapping[str, Any]
    findings: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class ExchangeFilter:
    """What to list. Empty fields do not filter. `participant` matches sender or recipient, `rule` a finding's id."""

    workspace: str
    door: str = ""
    outcome: str = ""
    participant: str = ""
    rule: str = ""
    message_id: str = ""
    correlation_id: str = ""
    after_seq: int = 0
    before_seq: int = 0
    newest_first: bool = True
    limit: int = 50


@dataclass(frozen=True, slots=True)
class EventRow:
    """A stored journal event, with its link in the chain (`digest` covers the previous digest and this event)."""

    seq: int
    workspace: str
    exchange_id: str
    kind: str
    at: datetime
    data: Mapping[str, Any]
    chain: str
    digest: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as leased or listed. `attempt` counts from 1 at the first lease."""

    id: str
    workspace: str
    kind: str
    destination: str
    payload: Mapping[str, Any]
    exchange_id: str
    state: DeliveryState
    attempt: int
    due: datetime
    created_at: datetime
    last_answer: str = ""


@dataclass(frozen=True, slots=True)
class FolderRow:
    """One IMAP folder."""

    name: str
    uid_validity: int
    uid_next: int
    messages: int
    unseen: int
    subscribed: bool = True
    special_use: str = ""


@dataclass(frozen=True, slots=True)
class MailRow:
    """One mail of a folder, without its bytes."""

    uid: int
    received_at: datetime
    flags: tuple[str, ...]
    size_bytes: int
    sha256: str
    exchange_id: str


@dataclass(frozen=True, slots=True)
class DmpRow:
    """A patient's DMP."""

    matricule: str
    oid: str
    state: str
    authorisations: Mapping[str, str]
    treating_doctors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EntryRow:
    """A registered document."""

    entry_uuid: str
    logical_id: str
    unique_id: str
    set_uuid: str
    status: str
    version: int
    masked: bool
    registered_at: datetime
    author_ids: tuple[str, ...]
    document_sha256: str
    size_bytes: int
    metadata: Mapping[str, Any]


class ExchangeReader(Protocol):
    """Exchanges and their bytes."""

    async def exchange(self, workspace: str, exchange_id: str) -> ExchangeRow | None: ...

    async def exchanges(self, wanted: ExchangeFilter) -> tuple[ExchangeRow, ...]: ...

    async def blob(self, workspace: str, sha256: str) -> bytes | None:
        """The octets stored under a digest; None when unknown or purged."""
        ...


class JournalReader(Protocol):
    """The event log."""

    async def events(
        self, workspace: str, *, after_seq: int = 0, exchange_id: str = "", limit: int = 200
    ) -> tuple[EventRow, ...]: ...

    async def last_seq(self, workspace: str) -> int: ...

    async def verify_chain(self, workspace: str) -> tuple[int, str]:
        """Number of links checked, and '' or the place where the chain is broken."""
        ...


class OutboxReader(Protocol):
    """Deliveries as they stand."""

    async def deliveries(
        self, workspace: str, *, state: DeliveryState | None = None, exchange_id: str = "", limit: int = 100
    ) -> tuple[Delivery, ...]: ...


class MailboxReader(Protocol):
    """Folders and mails, for IMAP and the API."""

    async def folders(self, workspace: str, address: str) -> tuple[FolderRow, ...]: ...

    async def mails(self, workspace: str, address: str, folder: str, *, after_uid: int = 0) -> tuple[MailRow, ...]: ...

    async def blob(self, workspace: str, sha256: str) -> bytes | None: ...


class DmpReader(Protocol):
    """The registry of the simulated DMP."""

    async def dmp(self, workspace: str, matricule: str, oid: str) -> DmpRow | None: ...

    async def entries(self, workspace: str, matricule: str, oid: str) -> tuple[EntryRow, ...]: ...

    async def entry_by_unique_id(self, workspace: str, unique_id: str) -> EntryRow | None: ...

    async def entry_by_uuid(self, workspace: str, entry_uuid: str) -> EntryRow | None: ...


class ActorReader(Protocol):
    """Actors and workspaces as JSON records."""

    async def actors(self, workspace: str) -> tuple[tuple[str, str, Mapping[str, Any]], ...]: ...

    async def workspaces(self) -> tuple[tuple[str, Mapping[str, Any]], ...]: ...


class Changes(Protocol):
    """Live notification after each commit, of this process and (on PostgreSQL) of the others."""

    def subscribe(self, topic: str) -> AsyncIterator[str]:
        """Topics: `events:<workspace>` (yields the newest seq), `mail:<workspace>:<address>` (yields the folder), `outbox`.

        A subscriber that is slow misses notifications, never data: it reads again from its last sequence number.
        """
        ...


class Store(
    ExchangeReader, JournalReader, OutboxReader, MailboxReader, DmpReader, ActorReader, IndexReader, Changes, Protocol
):
    """Everything durable."""

    async def commit(self, *operations: Operation) -> tuple[Any, ...]:
        """Apply all operations in one durable transaction; one result per operation.

        Raises `Conflict` or `StoreUnavailable`: then nothing was written.
        """
        ...


# ---------------------------------------------------------------------------------------------------------------- others


class Clock(Protocol):
    """Time. `now` is real, timezone-aware UTC; `today` and `virtual_now` follow the workspace's virtual clock."""

    def now(self) -> datetime: ...

    def virtual_now(self, workspace: str) -> datetime: ...


class Ids(Protocol):
    """Identifiers that nobody can guess and that sort by time (UUIDv7 as 32 hex digits)."""

    def new(self) -> str: ...


class Offload(Protocol):
    """Runs a pure, picklable function out of the event loop (worker process), for messages too large to open inline."""

    async def run(self, function: Callable[..., T], *args: Any) -> T: ...

    async def open(self, function: Callable[..., T], payload: Payload, *args: Any) -> T:
        """`function(octets of the payload, *args)`: here when it is small and in memory, else in a worker process."""
        ...


class Courier(Protocol):
    """Sends one delivery over its wire."""

    async def deliver(self, delivery: Delivery, raw: bytes) -> Delivered: ...


@dataclass(frozen=True, slots=True)
class RecipientOutcome:
    """What became of one recipient of a mail: accepted, refused for good, or to be tried again."""

    address: str
    accepted: bool
    permanent: bool
    answer: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """The native answer of the other side. `permanent` failures are not tried again.

    `recipients` tells them apart when there are several: `accepted` then means that nobody is left to try again and
    somebody was reached; those refused for good are owed a notification. `notifies`: the other side took over the duty
    to tell of success (RFC 3461 §5.2.2).
    """

    accepted: bool
    permanent: bool
    answer: str
    reason: str = ""
    recipients: tuple[RecipientOutcome, ...] = ()
    notifies: bool = False


class InsRegistry(Protocol):
    """INSi, as those who need it see it. A failure is an answer (`Unavailable`, `Refused`), never an exception."""

    async def search(self, person: LocalIdentity) -> SearchResult:
        """Search by traits, trying the given names as the CNDA asks."""
        ...

    async def search_card(self, card: CardData) -> SearchResult:
        """Search with what a carte Vitale told."""
        ...

    async def verify(self, ins: Ins, person: LocalIdentity) -> VerifyResult:
        """Whether an INS and traits agree with the national base."""
        ...


class Signer(Protocol):
    """Signs with a key that never leaves its adapter; `certificate` is DER."""

    @property
    def certificate(self) -> bytes: ...

    def sign(self, data: bytes, digest: str) -> bytes:
        """RSA PKCS#1 v1.5 signature over `data`; digest is `sha256` or `sha1`."""
        ...


class Sandboxes(Protocol):
    """The live workspaces: their policy and their actors, always whole and in memory."""

    def policy(self, workspace: str) -> Policy: ...

    def territory(self, workspace: str) -> Territory: ...

    def workspace_of_domain(self, domain: str) -> str:
        """The workspace whose territory holds a mail domain; the default one when nobody does."""
        ...

    def workspace_of_certificate(self, fingerprint: str) -> str:
        """The workspace a certificate (SHA-256, hex) was issued for; '' when unknown."""
        ...
