"""The rows that the first release left behind, brought up to date on both databases."""

import json
import sqlite3
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command

from bot.store.database import Database, migration_config
from tests.support.first_release import LEFT

OF_THE_ENGINES = {"alembic_version", "sqlite_sequence"}


def rows_of_then() -> dict[str, list[dict[str, Any]]]:
    """Return all rows, by table."""
    with sqlite3.connect(":memory:") as db:
        db.row_factory = sqlite3.Row
        db.executescript((LEFT / "database.sql").read_text(encoding="utf-8"))
        names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        rows = {
            name: [dict(row) for row in db.execute(f"SELECT * FROM {name}")]  # noqa: S608 - its own
            for name in names
            if name not in OF_THE_ENGINES
        }
    db.close()
    return rows


def put(connection: sa.Connection) -> None:
    """Insert them into the tables of then."""
    tables = sa.MetaData()
    tables.reflect(connection)
    rows = rows_of_then()
    for table in tables.sorted_tables:
        if table.name in rows:
            connection.execute(
                table.insert(),
                [
                    {name: _read(table.c[name].type, value) for name, value in row.items()}
                    for row in rows[table.name]
                ],
            )


def _read(kind: sa.types.TypeEngine[Any], value: Any) -> Any:
    if value is None:
        return sa.null() if isinstance(kind, sa.JSON) else None
    if isinstance(kind, sa.JSON):
        return json.loads(value)
    if isinstance(kind, sa.Boolean):
        return bool(value)
    return date.fromisoformat(value) if isinstance(kind, sa.Date) else value


@pytest.fixture
async def old(db: Database) -> AsyncIterator[Database]:
    """Give a database the tables and the rows of then."""
    async with db.begin() as tx:
        await tx.run_sync(lambda c: command.downgrade(migration_config(c), "base"))
        await tx.run_sync(lambda c: command.upgrade(migration_config(c), "0001"))
        await tx.run_sync(put)
    yield db
    await db.migrate()


async def test_no_row_is_lost_when_tables_change(old: Database) -> None:
    await old.migrate()
    async with old.read() as tx:
        counts = {
            name: (
                await tx.execute(sa.select(sa.func.count()).select_from(sa.table(name)))
            ).scalar()
            for name in rows_of_then()
        }
    assert counts == {name: len(rows) for name, rows in rows_of_then().items()}
