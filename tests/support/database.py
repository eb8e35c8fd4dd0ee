"""Empty databases with all tables: to migrate one for each test costs more than many tests."""

import shutil
import tempfile
from pathlib import Path

import pytest

from bot.store.engine.database import Database, all_tables

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
"""For what only several processes can do: SQLite has one."""

_kept: list[tempfile.TemporaryDirectory[str]] = []  # removed when the process ends
_made: list[Path] = []


def made_in(folder: Path) -> None:
    """Take the database with all tables from ``folder``, where it is made unless it is there."""
    _made[:] = [folder / "tables.db"]


async def migrated_copy(file: Path) -> None:
    """Let ``file`` be an SQLite database with all tables and no rows, unless it is there already.

    The migrations run once in a process.
    """
    if not _made:
        _kept.append(tempfile.TemporaryDirectory(prefix="bell"))
        made_in(Path(_kept[0].name))
    if not _made[0].exists():
        async with Database(f"sqlite:///{_made[0]}") as database:
            await database.migrate()
    _copy(_made[0], file)


def _copy(made: Path, file: Path) -> None:
    if not file.exists():
        shutil.copy(made, file)  # its mode as well: it is private


async def empty(database: Database) -> None:
    """Take all rows out of a PostgreSQL database, and let its numbers begin anew.

    Only what has rows is truncated: each table that is makes the server write new files.
    """
    tables = [f'"{table.name}"' for table in all_tables().sorted_tables]
    truncate = "".join(
        f"IF EXISTS (SELECT FROM {name}) THEN TRUNCATE {name} CASCADE; END IF;" for name in tables
    )
    restart = (
        "FOR used IN SELECT sequencename FROM pg_sequences WHERE last_value IS NOT NULL "
        "LOOP EXECUTE format('ALTER SEQUENCE %I RESTART', used); END LOOP;"
    )
    async with database.begin() as tx:
        await tx.exec_driver_sql(f"DO $$ DECLARE used name; BEGIN {truncate} {restart} END $$")
