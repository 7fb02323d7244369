"""Many rows in one statement.

The driver lets go of the interpreter lock around every statement step and must win it back from a busy event loop, so a
group writes each table in a few statements of 64, 16, 4 or 1 rows, whose texts never change and stay prepared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table

_STEPS = (64, 16, 4, 1)


class BulkInsert:
    """INSERT of some columns of a table, for any number of rows. `ignore` leaves a row that exists as it is."""

    __slots__ = ("_ignore", "_names", "_table", "_texts")

    def __init__(self, table: Table, *names: str, ignore: bool = False) -> None:
        unknown = set(names) - set(table.columns.keys())
        if unknown:
            raise KeyError(f"{table.name} has no column {unknown}")
        self._table, self._names, self._ignore = table.name, names, ignore
        self._texts = {(rows, mark): self._text(rows, mark) for rows in _STEPS for mark in ("?", "%s")}

    def _text(self, rows: int, mark: str) -> str:
        one = "(" + ",".join([mark] * len(self._names)) + ")"
        quoted = ",".join(f'"{name}"' for name in self._names)
        end = " ON CONFLICT DO NOTHING" if self._ignore else ""
        return f'INSERT INTO "{self._table}" ({quoted}) VALUES {",".join([one] * rows)}{end}'  # noqa: S608

    def __call__(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert the rows, each a tuple in the order of the columns."""
        mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
        start, left = 0, len(rows)
        for step in _STEPS:
            while left >= step:
                flat = tuple(value for row in rows[start : start + step] for value in row)
                connection.exec_driver_sql(self._texts[step, mark], flat)
                start, left = start + step, left - step
