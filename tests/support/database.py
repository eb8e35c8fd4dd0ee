"""Empty databases with all tables. A migration per test would take longer than many tests."""

import shutil
import tempfile
from pathlib import Path

import pytest

from bot.store.engine.database import Database, all_tables

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
"""For tests of several processes, which SQLite does not support."""
slow_on_postgresql = pytest.mark.parametrize(
    "database_url",
    ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)],
    indirect=True,
)
"""For flows whose statements other quick tests execute on PostgreSQL."""

_kept: list[tempfile.TemporaryDirectory[str]] = []  # deleted at exit
_made: list[Path] = []


def made_in(folder: Path) -> None:
    """Use the migrated database in ``folder``. The first use creates the database if missing."""
    _made[:] = [folder / "tables.db"]


async def migrated_copy(file: Path) -> None:
    """Create ``file`` as an SQLite database with all tables and no rows, if missing.

    The migrations run once per process.
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
        shutil.copy(made, file)  # copies the private file mode as well as the content


async def empty(database: Database) -> None:
    """Delete all rows of a PostgreSQL database, and reset the sequences.

    Only tables with rows are truncated, because each truncation writes new files.
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
