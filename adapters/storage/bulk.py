"""Many rows in one statement.

SQLite: the driver lets go of the interpreter lock around every statement step and must win it back from a busy event
loop, so a group writes each table in a few statements of 64, 16, 4 or 1 rows, whose texts never change and stay prepared.
PostgreSQL: COPY, or one array per column when a row that exists must be left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Connection, Integer, LargeBinary, SmallInteger, Table
from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    import psycopg

_STEPS = (64, 16, 4, 1)


class BulkInsert:
    """INSERT of some columns of a table, for any number of rows. `ignore` leaves a row that exists as it is."""

    __slots__ = ("_copy", "_ignore", "_sqlite", "_unnest")

    def __init__(self, table: Table, *names: str, ignore: bool = False) -> None:
        columns = ",".join(f'"{name}"' for name in names)
        into = f'INTO "{table.name}" ({columns})'
        end = " ON CONFLICT DO NOTHING" if ignore else ""
        one = "(" + ",".join(["?"] * len(names)) + ")"
        arrays = ",".join(f"%b::{_array_of(table, name)}" for name in names)
        self._ignore = ignore
        self._sqlite = {rows: f"INSERT {into} VALUES {','.join([one] * rows)}{end}" for rows in _STEPS}  # noqa: S608
        self._unnest = f"INSERT {into} SELECT * FROM unnest({arrays}){end}"  # noqa: S608  # names of our own schema
        self._copy = f'COPY "{table.name}" ({columns}) FROM STDIN'

    def __call__(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert the rows, each a tuple in the order of the columns."""
        if not rows:
            return
        if connection.dialect.name == "postgresql":
            self._postgresql(connection, rows)
            return
        start, left = 0, len(rows)
        for step in _STEPS:
            while left >= step:
                flat = tuple(value for row in rows[start : start + step] for value in row)
                connection.exec_driver_sql(self._sqlite[step], flat)
                start, left = start + step, left - step

    def _postgresql(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        import psycopg

        driver: psycopg.Connection[Any] | None = connection.connection.driver_connection
        if driver is None:
            raise psycopg.OperationalError("the connection is closed")
        text = self._unnest if self._ignore else self._copy
        try:
            with driver.cursor() as cursor:
                if self._ignore:
                    cursor.execute(text.encode(), [list(column) for column in zip(*rows, strict=True)])
                    return
                with cursor.copy(text.encode()) as copy:
                    for row in rows:
                        copy.write_row(row)
        except psycopg.Error as error:
            raise DBAPIError.instance(
                text, None, error, psycopg.Error, connection_invalidated=driver.closed, dialect=connection.dialect
            ) from error


def _array_of(table: Table, name: str) -> str:
    kind = table.columns[name].type
    if isinstance(kind, BigInteger | Integer | SmallInteger):
        return "bigint[]"
    return "bytea[]" if isinstance(kind, LargeBinary) else "text[]"
