"""The hot path speaks to the driver itself, with statements compiled once; errors come back as SQLAlchemy's.

A small group costs a dozen statements, and SQLAlchemy's own work on each (cache key, context, result) would be four
fifths of the time. What is rare, or has a shape of its own each time, goes through `Connection.execute`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Executable
from sqlalchemy.dialects import registry
from sqlalchemy.exc import DBAPIError


class Prepared:
    """A Core statement whose text is made once per engine. Its bind parameters are named; expanding ones are not for it."""

    __slots__ = ("_statement",)

    def __init__(self, statement: Executable) -> None:
        self._statement = statement

    def __call__(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """Run it; the driver's cursor."""
        text, parameters = _compiled(self._statement, connection.dialect.name)
        return run(connection, text, [values.get(name, given) for name, given in parameters])


@cache
def _compiled(statement: Executable, engine: str) -> tuple[str, tuple[tuple[str, Any], ...]]:
    dialect = (
        registry.load("postgresql.psycopg")(paramstyle="format") if engine == "postgresql" else registry.load(engine)()
    )
    element: Any = statement
    compiled = element.compile(dialect=dialect)
    return compiled.string, tuple((name, compiled.params[name]) for name in compiled.positiontup)


def run(connection: Connection, text: str, parameters: Sequence[Any] = ()) -> Any:
    """Run one text; the driver's cursor (`fetchone`, `fetchall`, `rowcount`). Raises SQLAlchemy's `DBAPIError`s."""
    driver: Any = connection.connection.driver_connection
    try:
        return driver.execute(text, parameters)
    except Exception as error:
        raise as_sqlalchemy(connection, text, error) from error


def as_sqlalchemy(connection: Connection, text: str, error: Exception) -> Exception:
    """A driver's error as SQLAlchemy would have raised it, without parameters (they hold what senders wrote)."""
    driver: Any = connection.dialect.loaded_dbapi
    if not isinstance(error, driver.Error):
        return error
    lost = bool(getattr(connection.connection.driver_connection, "closed", False))
    translated: Exception = DBAPIError.instance(
        text, None, error, driver.Error, connection_invalidated=lost, dialect=connection.dialect
    )
    return translated
