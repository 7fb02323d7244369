"""Engines of one database: a writer connection, a pool of readers, and what each error of a driver means."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.pool import NullPool, QueuePool

READERS = 4

# SQLSTATE classes in which the server, not the statement, is at fault: connection, resources, operator, system, internal.
_SERVER_AT_FAULT = ("08", "25", "53", "57", "58", "XX", "F0")
_TRY_AGAIN = ("40001", "40P01")  # serialization failure, deadlock: the server itself undid the transaction
_LOCK_TIMEOUT = "55P03"


@dataclass(frozen=True, slots=True)
class Database:
    """The two engines of a database. `postgresql` tells the few places where they differ."""

    url: URL
    writer: Engine
    readers: Engine
    postgresql: bool

    def dispose(self) -> None:
        """Close the readers, then the writer."""
        self.readers.dispose()
        self.writer.dispose()


def open_database(url: str) -> Database:
    """Engines for `sqlite:///path` or `postgresql://user:password@host/base`; raises ValueError for anything else."""
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return _sqlite(parsed)
    if backend == "postgresql":
        return _postgresql(parsed.set(drivername="postgresql+psycopg"))
    raise ValueError(f"storage.url: expected sqlite:///path or postgresql://…, received {backend}")


def _sqlite(url: URL) -> Database:
    if not url.database or url.database == ":memory:":
        raise ValueError("storage.url: an SQLite database needs a file, e.g. sqlite:////var/lib/passerelle/store.db")
    arguments: dict[str, Any] = {"check_same_thread": False, "timeout": 5.0, "cached_statements": 512}
    writer = create_engine(url, poolclass=NullPool, connect_args=arguments)
    readers = create_engine(url, poolclass=QueuePool, pool_size=READERS, max_overflow=0, connect_args=arguments)

    @event.listens_for(writer, "do_connect")
    def _keep_private(*_: object) -> None:
        keep_private(Path(str(url.database)))

    @event.listens_for(writer, "connect")
    def _prepare_writer(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver must not open (deferred) transactions by itself
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=4000", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("PRAGMA cache_size=-16000")

    @event.listens_for(writer, "begin")
    def _begin_immediate(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # a deferred one would fail with BUSY, whatever the timeout

    @event.listens_for(readers, "connect")
    def _prepare_reader(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in ("query_only=ON", "wal_autocheckpoint=0", "cache_size=-4000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(readers, "begin")
    def _begin_reading(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return Database(url, writer, readers, postgresql=False)


def keep_private(database: Path) -> None:
    """The file is its owner's only; SQLite gives its journals the same rights. What cannot be done SQLite will say."""
    with contextlib.suppress(OSError):
        try:
            os.close(os.open(database, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            if database.stat().st_mode & 0o077:
                for end in ("", "-wal", "-shm"):
                    with contextlib.suppress(FileNotFoundError):
                        Path(f"{database}{end}").chmod(0o600)


def _postgresql(url: URL) -> Database:
    def arguments(options: str) -> dict[str, Any]:
        return {
            "connect_timeout": 5,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "options": f"-c timezone=UTC -c lock_timeout=10s -c idle_in_transaction_session_timeout=30s {options}",
        }

    writer = create_engine(url, poolclass=NullPool, connect_args=arguments(""))
    readers = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=READERS,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args=arguments("-c default_transaction_read_only=on"),
    )

    @event.listens_for(writer, "connect")
    def _one_integer_type(connection: Any, _record: object) -> None:
        from psycopg.types.numeric import Int8BinaryDumper, Int8Dumper

        # By default the type follows the value (int2, int4, int8) and each mix is another prepared statement.
        connection.adapters.register_dumper(int, Int8BinaryDumper)
        connection.adapters.register_dumper(int, Int8Dumper)

    return Database(url, writer, readers, postgresql=True)


def notify_dsn(database: Database) -> str:
    """The connection string for a psycopg connection that listens."""
    return database.url.set(drivername="postgresql").render_as_string(hide_password=False)


def must_start_again(error: BaseException) -> bool:
    """The server undid the transaction to break a deadlock or a serialization cycle: nothing is wrong, run it again."""
    return isinstance(error, DBAPIError) and _state(error) in _TRY_AGAIN


def is_unavailable(error: BaseException) -> bool:
    """The database cannot write now (disk full, I/O error, lock, connection lost), as opposed to refusing one value."""
    if isinstance(error, OSError | MemoryError | sqlite3.OperationalError):
        return True
    if not isinstance(error, DBAPIError) or isinstance(error, IntegrityError):
        return False
    if error.connection_invalidated:
        return True
    state = _state(error)
    if state is None:
        # sqlite3, or psycopg without an answer of the server: operational or plain database errors are the disk's or the wire's.
        return isinstance(error, OperationalError) or type(error.orig).__name__ in {"DatabaseError", "InternalError"}
    return state[:2] in _SERVER_AT_FAULT or state == _LOCK_TIMEOUT


def _state(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)
