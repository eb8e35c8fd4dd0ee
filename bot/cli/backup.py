"""``storybell backup``: makes a complete copy of the SQLite file while the bot runs."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from bot.config import Settings
from bot.domain.errors import BackupError, DatabaseUnavailableError
from bot.operations import backups, preflight
from bot.store.copies import backups as store
from bot.store.engine.database import Database

BY_ITS_OWN = (
    "PostgreSQL is backed up and restored by its own programs, pg_dump and pg_restore: "
    "docs/backup.md says how."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "file",
        type=Path,
        nargs="?",
        help="the new file; must not exist (default: a file in BACKUP_DIR)",
    )


async def main(settings: Settings, arguments: argparse.Namespace) -> int:
    """Write and verify a backup.

    Return 0 on success, 1 if no backup was made, or 2 if the database is PostgreSQL.
    """
    out, now = Console(soft_wrap=True, highlight=False), datetime.now(UTC)
    if not settings.is_sqlite:
        out.print(BY_ITS_OWN)
        return 2
    async with Database(settings.database_url.get_secret_value()) as db:
        file = arguments.file or settings.backup_folder / backups.backup_file_name(now)
        try:
            preflight.raise_if_no_database_file(db)
            await store.make(db, file, at=now)
        except (BackupError, DatabaseUnavailableError) as error:
            out.print(f"No backup of {settings.database_place} was made: {error}.", markup=False)
            return 1
    out.print(f"Copied {settings.database_place} into {file.absolute()}.", markup=False)
    return 0
