# ruff: noqa: F401, F811
"""Creating, migrating and recognising a database."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect, text

from adapters.storage import migrations, open_store, schema
from adapters.storage.engine import open_database
from gateway.ports import ExchangeFilter, StoreUnavailable
from tests.support.reference import ROOT
from tests.support.stores import WS, Place, exchange, execute, place


def shape(connection: Connection) -> dict[str, Any]:
    """Everything the engine knows of its tables, in an order that does not depend on how they were made."""
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"))
        return {name: re.sub(r"\s*([(),])\s*", r"\1", " ".join((sql or "").split())) for name, sql in rows}
    looked = inspect(connection)
    columns = connection.execute(
        text(
            "SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default, is_identity "
            "FROM information_schema.columns WHERE table_schema = 'public'"
        )
    )
    indexes = connection.execute(text("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"))
    options = connection.execute(
        text("SELECT relname, reloptions FROM pg_class WHERE relkind = 'r' AND reloptions IS NOT NULL")
    )
    return {
        "tables": sorted(looked.get_table_names()),
        "columns": sorted(map(str, columns)),
        "indexes": sorted(map(str, indexes)),
        "options": sorted(map(str, options)),
    }


def made(url: str, how: Any) -> dict[str, Any]:
    database = open_database(url)
    try:
        with database.writer.begin() as connection:
            how(connection)
            counter = connection.execute(text("SELECT id, exchange_seq, event_seq FROM counter")).all()
            return {**shape(connection), "counter": [tuple(row) for row in counter]}
    finally:
        database.dispose()


def test_the_migrations_make_the_same_tables_as_a_fresh_start(place: Place, tmp_path: Path) -> None:
    if place.postgresql:
        from tests.support.postgresql import shared_cluster

        other = shared_cluster().new_database()
    else:
        other = f"sqlite:///{tmp_path}/other.db"
    fresh = made(place.url, migrations.create)
    migrated = made(other, migrations.upgrade)
    assert fresh == migrated
    assert set(schema.metadata.tables) <= set(fresh.get("tables", fresh))
    if place.postgresql:
        shared_cluster().drop(other)


def test_the_head_of_the_migrations_is_the_version_that_is_looked_for(tmp_path: Path) -> None:
    from alembic.script import ScriptDirectory

    assert ScriptDirectory(str(Path(migrations.__file__).parent)).get_heads() == [migrations.HEAD]


async def test_a_database_that_is_behind_is_migrated_when_opened(place: Place) -> None:
    execute(place, f"CREATE TABLE {migrations.VERSION_TABLE} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
    store = await place.open()
    await store.commit(exchange("e1"))
    assert len(await store.exchanges(ExchangeFilter(WS))) == 1
    await store.close()


async def test_a_database_of_a_newer_release_is_left_alone(place: Place) -> None:
    store = await place.open()
    await store.close()
    execute(place, f"UPDATE {migrations.VERSION_TABLE} SET version_num = '9999'")  # noqa: S608
    with pytest.raises(migrations.NewerSchema, match="9999"):
        await place.open()


async def test_what_is_not_a_database_is_refused_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_bytes(b"this is not a database " * 100)
    with pytest.raises(StoreUnavailable, match="not a database"):
        await open_store(f"sqlite:///{tmp_path}/store.db", tmp_path)
    with pytest.raises(ValueError, match=r"storage\.url"):
        await open_store("mysql://localhost/x", tmp_path)
    with pytest.raises(ValueError, match="needs a file"):
        await open_store("sqlite://", tmp_path)
    with pytest.raises(StoreUnavailable):
        await open_store("postgresql://u:p@127.0.0.1:1/none", tmp_path)


async def test_alembic_is_not_imported_for_a_current_schema(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys, pathlib\n"
        "from adapters.storage import open_store\n"
        "async def main():\n"
        "    store = await open_store(sys.argv[1], pathlib.Path(sys.argv[2]))\n"
        "    await store.close()\n"
        "asyncio.run(main())\n"
        "print(sorted(m for m in sys.modules if m.split('.')[0] in {'alembic', 'psycopg', 'mako'}))\n"
    )
    for _ in ("new", "current"):
        done = subprocess.run(
            [sys.executable, "-c", program, f"sqlite:///{tmp_path}/store.db", str(tmp_path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


async def test_of_two_records_that_held_one_ins_a_migration_leaves_it_to_one(place: Place) -> None:
    database = open_database(place.url)
    row = "INSERT INTO identity_ins VALUES ('demo', 's', '236024890704179', '1.2.250.1.213.1.4.10', :id, :active)"
    with database.writer.begin() as connection:
        migrations.upgrade(connection, "0002")
        for name, active in (("b", 1), ("a", 1), ("c", 0)):
            connection.execute(text(row), {"id": name, "active": active})
        migrations.upgrade(connection)
        held = connection.execute(text("SELECT identity_id FROM identity_ins WHERE active = 1")).all()
        assert (len(connection.execute(text("SELECT 1 FROM identity_ins")).all()), [r[0] for r in held]) == (3, ["a"])
    database.dispose()
