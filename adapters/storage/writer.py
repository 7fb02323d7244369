"""The one thread of the process that writes.

Batches wait in a queue. The thread takes what is there (up to 256; when many tasks write it waits up to 2 ms for them),
opens one transaction, applies each batch under a savepoint, commits once, and only then tells the waiting tasks. Batches
that are one operation of the same kind are applied together first; if one of them fails, each is applied alone, so that
a failing batch never undoes its neighbours.

When the database cannot write, the transaction is undone, every waiter of the group gets `StoreUnavailable`, and the
connection is thrown away: the next group opens a new one. A failed fsync is never tried again as if nothing had happened:
the new connection first moves the whole log of SQLite into the database file, so that nothing acknowledged later leans
on pages the disk may not have.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from adapters.storage import journal, schema
from adapters.storage.blobs import ROW_LIMIT, SHARED_ROW_LIMIT
from adapters.storage.engine import Database, is_unavailable, must_start_again
from adapters.storage.operations import BARRIERS, HANDLERS, TOGETHER
from adapters.storage.work import Notices, Work
from gateway.ports import Clock, Conflict, FinishDelivery, RecordExchange, StoreUnavailable

GROUP = 256
GATHER_S = 0.002
COMING_S = 0.008  # the same when many batches are known to be on their way
_STARTS = 5  # times a group is run when the server keeps breaking deadlocks
_REST_S = 0.2  # how long a database that just failed is left alone
_IDLE_S = 5.0  # after which a connection to a server is tried before it is used
_LOG = logging.getLogger("passerelle.storage")


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """One call of `commit` and the task that waits for it."""

    operations: tuple[Any, ...]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[tuple[Any, ...]]


Outcome = tuple[Any, ...] | Exception


class Writer:
    """The thread, its queue and its connection."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        signer: Callable[[bytes], bytes] | None,
        announce: Callable[[Notices], None],
        swept: Callable[[Sequence[str]], None],
        channel: Callable[[Notices], str] | None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._signer = signer
        self._announce = announce
        self._swept = swept
        self._channel = channel
        self.blob_limit = SHARED_ROW_LIMIT if database.postgresql else ROW_LIMIT
        self._queue: queue.SimpleQueue[Batch | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._connection: Connection | None = None
        self._suspect = False  # the last connection failed: the log may hold pages that the disk does not
        self._rest_until = 0.0
        self._used_at = 0.0
        self._heads: dict[str, journal.Head] = {}
        self._last_size = 1
        self.coming: Callable[[], int] = lambda: 0  # batches on their way, as far as somebody knows
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, batch: Batch) -> None:
        """Queue a batch; its future ends when it is durable, or is not."""
        with self._lock:
            if self._closed:
                raise StoreUnavailable("the store is closed")
            self._queue.put(batch)

    def close(self) -> None:
        """Write what is queued, then end. Blocks."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    # ------------------------------------------------------------------------------------------------------- the thread

    def _run(self) -> None:
        going = True
        while going:
            first = self._queue.get()
            if first is None:
                break
            group = [first]
            going = self._gather(group)
            self._serve(group)
            self._last_size = len(group)
        self._disconnect(checkpoint=True)

    def _gather(self, group: list[Batch]) -> bool:
        """Add what waits in the queue; False when the store is closing."""
        started = 0.0
        while len(group) < GROUP:
            try:
                batch = self._queue.get_nowait()
            except queue.Empty:
                patience = self._patience(len(group))
                now = time.monotonic()
                started = started or now
                if now >= started + patience:
                    return True
                try:
                    batch = self._queue.get(timeout=started + patience - now)
                except queue.Empty:
                    return True
            if batch is None:
                return False
            group.append(batch)
        return True

    def _patience(self, size: int) -> float:
        """How long a group of this size may wait for others, in seconds: not at all when nobody else writes."""
        if self.coming() > 2 * size:
            return COMING_S
        return GATHER_S if size * 2 <= self._last_size else 0.0

    def _serve(self, group: list[Batch]) -> None:
        notices = Notices()
        swept: list[str] = []
        outcomes: list[Outcome]
        try:
            if self._suspect and time.monotonic() < self._rest_until:
                _deliver(group, [StoreUnavailable("the database failed a moment ago") for _ in group])
                return
            outcomes, notices, swept = self._write(group)
        except Exception as error:
            if not is_unavailable(error) and not isinstance(error, StoreUnavailable):
                _LOG.exception("a group of %d batches failed", len(group))
            self._disconnect(suspect=True)
            self._rest_until = time.monotonic() + _REST_S
            outcomes = [_unavailable(error) for _ in group]
        _deliver(group, outcomes)
        if notices:
            self._announce(notices)
        if swept:
            self._swept(swept)

    # ------------------------------------------------------------------------------------------------------ transactions

    def _write(self, group: list[Batch]) -> tuple[list[Outcome], Notices, list[str]]:
        for start in range(1, _STARTS + 1):
            try:
                return self._transaction(group)
            except StoreUnavailable:
                raise
            except Exception as error:
                if must_start_again(error) and start < _STARTS:
                    continue
                if is_unavailable(error) or must_start_again(error):
                    raise
                if len(group) == 1:
                    if isinstance(error, IntegrityError) and start == 1:
                        continue  # another process was faster: looked at again, its rows are there
                    return [self._refused_at_the_end(group[0], error)], Notices(), []
                # A row kept for the end of the group was refused (an exchange id used twice): find whose it is.
                return self._one_by_one(group)
        raise StoreUnavailable("the database keeps undoing the transaction")

    def _refused_at_the_end(self, batch: Batch, error: Exception) -> Exception:
        ids = [op.exchange_id for op in batch.operations if isinstance(op, RecordExchange)]
        ids += [one.exchange_id for op in batch.operations if isinstance(op, FinishDelivery) for one in op.records]
        if not isinstance(error, IntegrityError) or not ids:
            return _refused(error)
        with self._connect().begin() as transaction:
            column = schema.exchange.c.id
            taken = set(transaction.connection.execute(select(column).where(column.in_(ids))).scalars())
        twice = next((one for one in ids if one in taken or ids.count(one) > 1), None)
        return _refused(error) if twice is None else Conflict(twice)

    def _one_by_one(self, group: list[Batch]) -> tuple[list[Outcome], Notices, list[str]]:
        outcomes: list[Outcome] = []
        notices = Notices()
        swept: list[str] = []
        for batch in group:
            try:
                done, told, to_sweep = self._write([batch])
            except Exception as error:  # those before are durable and are told so
                self._disconnect(suspect=True)
                outcomes.append(_unavailable(error))
                continue
            outcomes += done
            notices.events |= told.events
            notices.folders |= told.folders
            notices.outbox |= told.outbox
            swept += to_sweep
        return outcomes, notices, swept

    def _transaction(self, group: list[Batch]) -> tuple[list[Outcome], Notices, list[str]]:
        connection = self._connect()
        transaction = connection.begin()
        try:
            work = Work(
                connection,
                self._heads,
                postgresql=self._database.postgresql,
                clock=self._clock,
                signer=self._signer,
                blob_limit=self.blob_limit,
            )
            outcomes = _apply(work, group)
            work.flush()
            if self._channel is not None and work.notices:
                connection.exec_driver_sql("SELECT pg_notify('passerelle', %s)", (self._channel(work.notices),))
            transaction.commit()
        except BaseException:
            try:
                transaction.rollback()
            except Exception:  # the connection is gone, and the transaction with it
                self._disconnect(suspect=True)
            raise
        self._heads = work.heads
        self._used_at = time.monotonic()
        return outcomes, work.notices, work.swept

    # -------------------------------------------------------------------------------------------------------- connection

    def _connect(self) -> Connection:
        idle = self._database.postgresql and time.monotonic() - self._used_at > _IDLE_S
        if self._connection is not None and idle and not self._alive(self._connection):
            self._disconnect()
        if self._connection is None:
            connection = self._database.writer.connect()
            if self._suspect and not self._database.postgresql:
                _empty_log(connection)
            self._connection = connection
            self._suspect = False
        return self._connection

    @staticmethod
    def _alive(connection: Connection) -> bool:
        try:
            connection.exec_driver_sql("SELECT 1")
            connection.rollback()
        except SQLAlchemyError:
            return False
        return True

    def _disconnect(self, *, suspect: bool = False, checkpoint: bool = False) -> None:
        self._suspect = self._suspect or suspect
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            if checkpoint and not self._database.postgresql:
                _pragma(connection, "wal_checkpoint(TRUNCATE)")
            connection.close()
        except Exception:
            _LOG.debug("closing a connection that failed", exc_info=True)
            connection.invalidate()


def _apply(work: Work, group: list[Batch]) -> list[Outcome]:
    """The outcome of every batch, in the order of the group."""
    outcomes: dict[Batch, Outcome] = {}
    together: dict[type, list[Batch]] = {}
    for batch in group:
        if len(batch.operations) == 1 and type(batch.operations[0]) in TOGETHER:
            together.setdefault(type(batch.operations[0]), []).append(batch)
    for kind, batches in together.items():
        if len(batches) > 1:
            outcomes |= _apply_together(work, kind, batches)
    for batch in group:
        if batch not in outcomes:
            outcomes[batch] = _apply_alone(work, batch, alone=len(group) == 1)
    return [outcomes[batch] for batch in group]


def _apply_together(work: Work, kind: type, batches: list[Batch]) -> dict[Batch, Outcome]:
    mark = work.savepoint()
    try:
        results = HANDLERS[kind](work, [batch.operations[0] for batch in batches])
    except Exception as error:
        if is_unavailable(error) or must_start_again(error):
            raise
        work.undo(mark)
        return {}
    work.release()
    return {batch: (result,) for batch, result in zip(batches, results, strict=True)}


def _apply_alone(work: Work, batch: Batch, *, alone: bool) -> Outcome:
    if not BARRIERS.isdisjoint(map(type, batch.operations)):
        work.flush()  # what neighbours kept must not be inside the savepoint of this batch
    if alone:  # the whole transaction is this batch's savepoint
        return tuple(HANDLERS[type(op)](work, (op,))[0] for op in batch.operations)
    for last in (False, True):
        mark = work.savepoint()
        try:
            results = tuple(HANDLERS[type(op)](work, (op,))[0] for op in batch.operations)
        except IntegrityError as error:
            # Another process was faster: looked at again, its rows are there, and the handler can name the conflict.
            work.undo(mark)
            if last:
                return _refused(error)
        except Exception as error:
            if is_unavailable(error) or must_start_again(error):
                raise
            work.undo(mark)
            return error
        else:
            work.release()
            return results
    raise AssertionError("unreachable")


def _refused(error: Exception) -> Exception:
    """What the task is told: `Conflict` names the constraint in the words of the driver when the handler could not."""
    if not isinstance(error, IntegrityError):
        return error
    conflict = Conflict(str(error.orig).partition("\n")[0])
    conflict.__cause__ = error
    return conflict


def _unavailable(error: Exception) -> StoreUnavailable:
    if isinstance(error, StoreUnavailable):
        return error
    unavailable = StoreUnavailable(str(getattr(error, "orig", error)).partition("\n")[0])
    unavailable.__cause__ = error
    return unavailable


def _pragma(connection: Connection, text: str) -> tuple[Any, ...]:
    """Run a pragma outside any transaction."""
    raw = connection.connection.driver_connection
    if raw is None:
        return ()
    row: tuple[Any, ...] | None = raw.execute(f"PRAGMA {text}").fetchone()
    return row or ()


def _empty_log(connection: Connection) -> None:
    try:
        busy, *_ = _pragma(connection, "wal_checkpoint(TRUNCATE)")
        if busy:
            raise StoreUnavailable("the log of the database could not be emptied after an error")
    except BaseException:
        connection.close()
        raise


def _deliver(group: list[Batch], outcomes: Sequence[Outcome]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[tuple[Any, ...]], Outcome]]] = {}
    for batch, outcome in zip(group, outcomes, strict=True):
        by_loop.setdefault(batch.loop, []).append((batch.future, outcome))
    for loop, told in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, told)
        except RuntimeError:  # that loop is closed, nobody waits any more
            continue


def _settle(told: list[tuple[asyncio.Future[tuple[Any, ...]], Outcome]]) -> None:
    for future, outcome in told:
        if future.done():
            continue
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)
