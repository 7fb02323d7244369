"""The durable store, one small Protocol for each thing that is read. `Store.commit` is the only write."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

from gateway.exchange.model import DeliveryState
from gateway.ports.indexes import IndexReader
from gateway.ports.rows import Delivery, DmpRow, EntryRow, EventRow, ExchangeFilter, ExchangeRow, FolderRow, MailRow
from gateway.ports.writes import Operation


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
