"""Many rows in one statement.

SQLite: the driver lets go of the interpreter lock around every statement step and must win it back from a busy event
loop, so a group writes each table in a few statements of 64 to 1 rows, whose texts never change and stay prepared.
PostgreSQL: COPY, or one array per column when a row that exists must be left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, Integer, LargeBinary, SmallInteger, Table

from adapters.storage.driver import as_sqlalchemy, run

_STEPS = (64, 16, 8, 4, 3, 2, 1)


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
                run(connection, self._sqlite[step], flat)
                start, left = start + step, left - step

    def _postgresql(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        text = self._unnest if self._ignore else self._copy
        if self._ignore:
            run(connection, text, [list(column) for column in zip(*rows, strict=True)])
            return
        driver: Any = connection.connection.driver_connection
        try:
            with driver.cursor() as cursor, cursor.copy(text) as copy:
                for row in rows:
                    copy.write_row(row)
        except Exception as error:
            raise as_sqlalchemy(connection, text, error) from error


def _array_of(table: Table, name: str) -> str:
    kind = table.columns[name].type
    if isinstance(kind, BigInteger | Integer | SmallInteger):
        return "bigint[]"
    return "bytea[]" if isinstance(kind, LargeBinary) else "text[]"
