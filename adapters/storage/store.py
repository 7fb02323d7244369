"""The face of the store: `open_store` and `SqlStore`, which implements the `Store` port."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from adapters.storage import journal, schema
from adapters.storage.blobs import BlobFiles, read_verified
from adapters.storage.changes import Hub
from adapters.storage.engine import READERS, Database, notify_dsn, open_database
from adapters.storage.listener import Listener, channel_text, told_by
from adapters.storage.migrations import prepare
from adapters.storage.operations import Purge
from adapters.storage.readers import exchanges as exchange_reader
from adapters.storage.readers import indexes as index_reader
from adapters.storage.readers import journal as journal_reader
from adapters.storage.readers import mailboxes as mailbox_reader
from adapters.storage.readers import records as record_reader
from adapters.storage.work import Notices
from adapters.storage.writer import Batch, Writer
from gateway.exchange.model import DeliveryState, Payload
from gateway.ports import (
    AppendMail,
    ChangeFolder,
    Clock,
    Delivery,
    DmpRow,
    EntryRow,
    EventRow,
    ExchangeFilter,
    ExchangeRow,
    FinishDelivery,
    FolderRow,
    IdentityFilter,
    IdentityRow,
    MailRow,
    Operation,
    PutIdentity,
    QuarantineRow,
    RecordExchange,
    StoreUnavailable,
)

T = TypeVar("T")
SWEEP_AFTER_S = 3600.0
_LOG = logging.getLogger("passerelle.storage")


class _RealClock:
    """The time of the machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def virtual_now(self, workspace: str) -> datetime:
        return self.now()


class SqlStore:
    """Everything durable, on SQLite or PostgreSQL. Made by `open_store`; usable from any event loop of the process."""

    def __init__(
        self, database: Database, files: BlobFiles, clock: Clock, signer: Callable[[bytes], bytes] | None
    ) -> None:
        self._database = database
        self._files = files
        self._hub = Hub()
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")
        self._process = uuid4().hex
        self._closed = False
        self._turn: dict[asyncio.AbstractEventLoop, list[Batch]] = {}
        self._listener: Listener | None = None
        if database.postgresql:
            self._listener = Listener(notify_dsn(database), self._process, self._hub)
        self._writer = Writer(
            database,
            clock=clock,
            signer=signer,
            announce=self._announce,
            swept=self._sweep_later,
            channel=self._channel if database.postgresql else None,
        )

    def expect(self, coming: Callable[[], int]) -> None:
        """Ask `coming` how many batches are on their way; while there are many, one commit waits a little for them."""
        self._writer.coming = coming

    async def close(self) -> None:
        """Finish what was queued, then close readers, then the writer. Calling it twice is harmless."""
        if self._closed:
            return
        self._closed = True
        self._hand_over(asyncio.get_running_loop())
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        if self._listener is not None:
            self._listener.close()
        self._hub.close()
        self._readers.shutdown()
        self._database.readers.dispose()
        self._writer.close()
        self._database.writer.dispose()

    # ------------------------------------------------------------------------------------------------------------ writing

    async def commit(self, *operations: Operation) -> tuple[Any, ...]:
        """All operations in one durable step, or none; one result each. Raises `Conflict` or `StoreUnavailable`."""
        return await self._commit(operations)

    async def purge(self, workspace: str, before: datetime) -> int:
        """Forget the payloads (event data, unreferenced octets) older than `before`; the hash chain still verifies.

        Returns the number of payloads forgotten.
        """
        (forgotten,) = await self._commit((Purge(workspace, before),))
        return int(forgotten)

    async def _commit(self, operations: tuple[Operation | Purge, ...]) -> tuple[Any, ...]:
        large = [one for one in _payloads(operations) if one.size_bytes > self._writer.blob_limit]
        loop = asyncio.get_running_loop()
        if large:
            try:
                await loop.run_in_executor(self._readers, self._keep_files, large)
            except (OSError, RuntimeError) as error:
                raise StoreUnavailable(str(error)) from error
        future: asyncio.Future[tuple[Any, ...]] = loop.create_future()
        self._post(Batch(operations, loop, future))
        return await future

    def _post(self, batch: Batch) -> None:
        """What the tasks of one turn of the event loop ask goes to the writer together: one commit instead of several."""
        turn = self._turn.get(batch.loop)
        if turn is None:
            turn = self._turn[batch.loop] = []
            batch.loop.call_soon(self._hand_over, batch.loop)
        turn.append(batch)

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        for batch in self._turn.pop(loop, ()):
            try:
                self._writer.submit(batch)
            except StoreUnavailable as error:
                if not batch.future.done():
                    batch.future.set_exception(error)

    def _keep_files(self, payloads: Sequence[Payload]) -> None:
        for payload in payloads:
            self._files.keep(payload)

    def _channel(self, notices: Notices) -> str:
        return channel_text(self._process, notices)

    def _announce(self, notices: Notices) -> None:
        self._hub.publish(told_by(notices))

    def _sweep_later(self, _workspaces: Sequence[str]) -> None:
        try:
            self._readers.submit(self._sweep)
        except RuntimeError:
            _LOG.debug("the store is closing: useless files stay until the next sweep")

    def _sweep(self, older_than_s: float = SWEEP_AFTER_S) -> int:
        """Remove the large files that no row of any workspace names any more."""
        try:
            candidates = list(self._files.names())
            with self._database.readers.connect() as connection:
                used = connection.execute(select(schema.blob.c.sha256).where(schema.blob.c.data.is_(None))).scalars()
                return self._files.sweep(used, candidates, older_than_s)
        except (SQLAlchemyError, OSError):
            _LOG.warning("sweeping useless files failed", exc_info=True)
            return 0

    # ------------------------------------------------------------------------------------------------------------ reading

    async def _read(self, question: Callable[..., T], *arguments: Any) -> T:
        if self._closed:
            raise StoreUnavailable("the store is closed")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self._ask, question, arguments)

    def _ask(self, question: Callable[..., T], arguments: tuple[Any, ...]) -> T:
        try:
            with self._database.readers.connect() as connection:
                return question(connection, *arguments)
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            raise StoreUnavailable(str(getattr(error, "orig", error)).partition("\n")[0]) from error

    async def exchange(self, workspace: str, exchange_id: str) -> ExchangeRow | None:
        """One exchange; None when the workspace has none of that id."""
        return await self._read(exchange_reader.exchange, workspace, exchange_id)

    async def exchanges(self, wanted: ExchangeFilter) -> tuple[ExchangeRow, ...]:
        """Exchanges by filter and page."""
        return await self._read(exchange_reader.exchanges, wanted)

    async def blob(self, workspace: str, sha256: str) -> bytes | None:
        """The octets stored under a digest, verified; None when unknown, purged or damaged (logged)."""
        return await self._read(self._blob, workspace, sha256)

    def _blob(self, connection: Connection, workspace: str, digest: str) -> bytes | None:
        return read_verified(connection, self._files, workspace, digest)

    async def events(
        self, workspace: str, *, after_seq: int = 0, exchange_id: str = "", limit: int = 200
    ) -> tuple[EventRow, ...]:
        """Events since the last reset, oldest first."""
        return await self._read(journal_reader.events, workspace, after_seq, exchange_id, limit)

    async def last_seq(self, workspace: str) -> int:
        """The newest event's number; 0 when there is none."""
        return await self._read(journal_reader.last_seq, workspace)

    async def verify_chain(self, workspace: str) -> tuple[int, str]:
        """Number of links checked, over every chain the workspace ever had, and '' or the first broken place."""
        return await self._read(journal.verify, workspace)

    async def deliveries(
        self, workspace: str, *, state: DeliveryState | None = None, exchange_id: str = "", limit: int = 100
    ) -> tuple[Delivery, ...]:
        """Deliveries, newest first."""
        return await self._read(journal_reader.deliveries, workspace, state, exchange_id, limit)

    async def folders(self, workspace: str, address: str) -> tuple[FolderRow, ...]:
        """The folders of a mailbox, which gets its usual ones when it has none."""
        found = await self._read(mailbox_reader.folders, workspace, address)
        if not found:
            await self.commit(ChangeFolder(workspace, address, "INBOX", "create"))
            found = await self._read(mailbox_reader.folders, workspace, address)
        return found

    async def mails(self, workspace: str, address: str, folder: str, *, after_uid: int = 0) -> tuple[MailRow, ...]:
        """The mails of a folder, by uid."""
        return await self._read(mailbox_reader.mails, workspace, address, folder, after_uid)

    async def dmp(self, workspace: str, matricule: str, oid: str) -> DmpRow | None:
        """A patient's DMP."""
        return await self._read(record_reader.dmp, workspace, matricule, oid)

    async def entries(self, workspace: str, matricule: str, oid: str) -> tuple[EntryRow, ...]:
        """Every entry of a patient, obsolete ones too."""
        return await self._read(record_reader.entries, workspace, matricule, oid)

    async def entry_by_unique_id(self, workspace: str, unique_id: str) -> EntryRow | None:
        """The last version of a document."""
        return await self._read(record_reader.entry_by_unique_id, workspace, unique_id)

    async def entry_by_uuid(self, workspace: str, entry_uuid: str) -> EntryRow | None:
        """One entry."""
        return await self._read(record_reader.entry_by_uuid, workspace, entry_uuid)

    async def actors(self, workspace: str) -> tuple[tuple[str, str, Mapping[str, Any]], ...]:
        """Every actor of a workspace."""
        return await self._read(record_reader.actors, workspace)

    async def workspaces(self) -> tuple[tuple[str, Mapping[str, Any]], ...]:
        """Every workspace."""
        return await self._read(record_reader.workspaces)

    async def identity(self, workspace: str, identity_id: str) -> IdentityRow | None:
        """One record of a patient index."""
        return await self._read(index_reader.identity, workspace, identity_id)

    async def identities(self, wanted: IdentityFilter) -> tuple[IdentityRow, ...]:
        """Records of one structure, by IPP."""
        return await self._read(index_reader.identities, wanted)

    async def identities_known_as(
        self,
        workspace: str,
        structure: str,
        ins: Sequence[tuple[str, str]],
        ipps: Sequence[str] = (),
        *,
        received: bool = False,
    ) -> tuple[IdentityRow, ...]:
        """Records by INS, active, former or only received, then by IPP."""
        return await self._read(index_reader.known_as, workspace, structure, ins, ipps, received)

    async def identities_born(
        self, workspace: str, structure: str, birth_date: str, sex: str
    ) -> tuple[IdentityRow, ...]:
        """Records by birth date and sex."""
        return await self._read(index_reader.born, workspace, structure, birth_date, sex)

    async def exchanges_of_identity(
        self, workspace: str, identity_id: str, limit: int = 50, after: str = ""
    ) -> tuple[str, ...]:
        """The exchanges whose documents joined a record, newest first."""
        return await self._read(index_reader.exchanges_of, workspace, identity_id, limit, after)

    async def indexes(self, workspace: str) -> Mapping[str, int]:
        """How many records each structure has."""
        return await self._read(index_reader.indexes, workspace)

    async def quarantined(
        self,
        workspace: str,
        *,
        state: str = "",
        structure: str = "",
        exchange_id: str = "",
        oldest_first: bool = False,
        after: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> tuple[QuarantineRow, ...]:
        """Entries of the quarantine queue."""
        wanted = index_reader.Queue(workspace, state, structure, exchange_id, oldest_first, after, limit)
        return await self._read(index_reader.quarantined, wanted)

    async def quarantine_entry(self, workspace: str, entry_id: str) -> QuarantineRow | None:
        """One entry of the queue."""
        return await self._read(index_reader.entry, workspace, entry_id)

    def subscribe(self, topic: str) -> AsyncIterator[str]:
        """Changes of a topic from now on, in the running loop. The addresses of `mail:` topics are in lower case."""
        return self._hub.subscribe(topic)


def _payloads(operations: Sequence[Operation | Purge]) -> Iterator[Payload]:
    for op in operations:
        if isinstance(op, RecordExchange):
            yield op.payload
            for lot in op.lots:
                yield from lot.documents
        elif isinstance(op, AppendMail):
            yield op.payload
        elif isinstance(op, FinishDelivery):
            yield from _payloads(op.records)
        elif isinstance(op, PutIdentity):
            yield from op.answers


async def open_store(
    url: str, data_dir: Path, *, clock: Clock | None = None, signer: Callable[[bytes], bytes] | None = None
) -> SqlStore:
    """Open, create or migrate the database of `url` and start its writer.

    `url` is `sqlite:///absolute/path` or `postgresql://user:password@host/database`. `data_dir` holds `blobs/`.
    `signer` signs the digest of the last link of a journal that a reset closes.
    Raises ValueError for another url, `StoreUnavailable` when the database cannot be opened, `NewerSchema` when it was
    written by a newer release.
    """
    return await asyncio.to_thread(_open, url, data_dir, clock or _RealClock(), signer)


def _open(url: str, data_dir: Path, clock: Clock, signer: Callable[[bytes], bytes] | None) -> SqlStore:
    database = open_database(url)
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        if database.url.database and not database.postgresql:
            Path(database.url.database).parent.mkdir(parents=True, exist_ok=True)
        with database.writer.begin() as connection:
            prepare(connection)
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        database.dispose()
        raise StoreUnavailable(str(getattr(error, "orig", error)).partition("\n")[0]) from error
    except BaseException:
        database.dispose()
        raise
    return SqlStore(database, BlobFiles(data_dir / "blobs"), clock, signer)
