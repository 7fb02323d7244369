"""Bringing a database to the schema of this release.

One row is read first; Alembic (a heavy import) is only loaded when the schema is behind. A new database is made whole from
`schema.py` and stamped; a test proves that the migrations lead to the same tables.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, insert, inspect, text

from adapters.storage import schema

HEAD = "0003"
VERSION_TABLE = "alembic_version"
_LOCK = 7_165_413  # any constant: two gateways that start together on an empty database take turns


class NewerSchema(Exception):
    """The database was written by a newer release; this one would not understand it."""


def version_of(connection: Connection) -> str | None:
    """The schema version of a database; None when it is empty."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar() or ""  # noqa: S608


def prepare(connection: Connection) -> None:
    """Create or migrate, inside the transaction of the caller. Raises `NewerSchema`."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": _LOCK})
    version = version_of(connection)
    if version == HEAD:
        return
    if version is None:
        create(connection)
    else:
        upgrade(connection)


def create(connection: Connection) -> None:
    """Every table, the counter, the version."""
    schema.metadata.create_all(connection)
    connection.execute(insert(schema.counter).values(id=1, exchange_seq=0, event_seq=0))
    connection.execute(
        text(
            f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32) NOT NULL, "
            f"CONSTRAINT {VERSION_TABLE}_pkc PRIMARY KEY (version_num))"
        )
    )
    connection.execute(text(f"INSERT INTO {VERSION_TABLE} VALUES ('{HEAD}')"))  # noqa: S608


def upgrade(connection: Connection, to: str = "head") -> None:
    """Run the migrations that are missing."""
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    version = version_of(connection)
    if version:
        try:
            ScriptDirectory.from_config(config).get_revision(version)
        except CommandError as error:
            raise NewerSchema(f"the database has schema {version}, this release knows {HEAD}") from error
    command.upgrade(config, to)
