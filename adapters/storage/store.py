"""The face of the store: `open_store` and `SqlStore`, which implements the `Store` port."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway.exchange.model import DeliveryState
from gateway.ports import (
    Clock,
    Delivery,
    DmpRow,
    EntryRow,
    EventRow,
    ExchangeFilter,
    ExchangeRow,
    FolderRow,
    MailRow,
    Operation,
)


class SqlStore:
    """Everything durable, on SQLite or PostgreSQL. Made by `open_store`; usable from any event loop of the process."""

    async def close(self) -> None:
        """Finish what was queued, then close readers, then the writer. Calling it twice is harmless."""

    async def commit(self, *operations: Operation) -> tuple[Any, ...]:
        """All operations in one durable step, or none; one result each. Raises `Conflict` or `StoreUnavailable`."""

    async def exchange(self, workspace: str, exchange_id: str) -> ExchangeRow | None: ...
    async def exchanges(self, wanted: ExchangeFilter) -> tuple[ExchangeRow, ...]: ...
    async def blob(self, workspace: str, sha256: str) -> bytes | None: ...
    async def events(
        self, workspace: str, *, after_seq: int = 0, exchange_id: str = "", limit: int = 200
    ) -> tuple[EventRow, ...]: ...
    async def last_seq(self, workspace: str) -> int: ...
    async def verify_chain(self, workspace: str) -> tuple[int, str]: ...
    async def deliveries(
        self, workspace: str, *, state: DeliveryState | None = None, exchange_id: str = "", limit: int = 100
    ) -> tuple[Delivery, ...]: ...
    async def folders(self, workspace: str, address: str) -> tuple[FolderRow, ...]: ...
    async def mails(self, workspace: str, address: str, folder: str, *, after_uid: int = 0) -> tuple[MailRow, ...]: ...
    async def dmp(self, workspace: str, matricule: str, oid: str) -> DmpRow | None: ...
    async def entries(self, workspace: str, matricule: str, oid: str) -> tuple[EntryRow, ...]: ...
    async def entry_by_unique_id(self, workspace: str, unique_id: str) -> EntryRow | None: ...
    async def entry_by_uuid(self, workspace: str, entry_uuid: str) -> EntryRow | None: ...
    async def actors(self, workspace: str) -> tuple[tuple[str, str, Mapping[str, Any]], ...]: ...
    async def workspaces(self) -> tuple[tuple[str, Mapping[str, Any]], ...]: ...
    def subscribe(self, topic: str) -> AsyncIterator[str]: ...

    async def purge(self, workspace: str, before: datetime) -> int:
        """Forget the payloads (event data, unreferenced bytes) older than `before`; the hash chain still verifies."""


async def open_store(
    url: str, data_dir: Path, *, clock: Clock | None = None, signer: Callable[[bytes], bytes] | None = None
) -> SqlStore:
    """Open, create or migrate the database of `url` and start its writer.

    `url` is `sqlite:///absolute/path` or `postgresql://user:password@host/database`. `data_dir` holds `blobs/`.
    `signer` signs the digest of the last link of a journal that a reset closes.
    """
