"""Empty databases with all tables: to migrate one for each test costs more than many tests."""

import shutil
import tempfile
from pathlib import Path

from bot.store.database import Database, all_tables

_made: list[tempfile.TemporaryDirectory[str]] = []


async def migrated_copy(file: Path) -> None:
    """Let ``file`` be an SQLite database with all tables and no rows, unless it is there already.

    The migrations run once in a process.
    """
    if not _made:
        folder = tempfile.TemporaryDirectory(prefix="bell")
        async with Database(f"sqlite:///{folder.name}/bot.db") as database:
            await database.migrate()
        _made.append(folder)
    _copy(Path(_made[0].name) / "bot.db", file)


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
