"""``storybell restore``: replaces the database with a backup of the SQLite file."""

import argparse
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console

from bot.cli.backup import BY_ITS_OWN
from bot.config import Settings
from bot.domain.errors import BackupError, DatabaseUnavailableError
from bot.store.copies import backups
from bot.store.engine.database import Database
from bot.store.engine.lock import locked_sqlite_file
from bot.store.engine.sqlite_copies import reason_of_file_error

_NEW = (
    "No database was there before. If the bot uses another file, name its settings: "
    "storybell --env-file FILE restore …"
)
_THEN = (
    "Start the bot. It sends alerts for stories that are posted from then on, and nothing a "
    "second time. docs/backup.md lists the data that the copy lacks."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("file", type=Path, help="a file of the backup command")


async def main(settings: Settings, arguments: argparse.Namespace) -> int:
    """Replace the database with the backup if no bot is running.

    The old database is renamed. Return 0 on success, 1 after an error, or 2 for PostgreSQL.
    """
    out, now = Console(soft_wrap=True, highlight=False), datetime.now(UTC)
    if not settings.is_sqlite:
        out.print(BY_ITS_OWN)
        return 2
    url = settings.database_url.get_secret_value()
    try:
        async with Database(url) as db, locked_sqlite_file(url, wait=timedelta(0)):
            before = await backups.restore(db, arguments.file, now=now)
    except (BackupError, DatabaseUnavailableError, OSError) as error:
        place = settings.database_place
        out.print(
            f"Nothing was restored into {place}: {reason_of_file_error(error)}.", markup=False
        )
        return 1
    out.print(f"Restored {arguments.file} into {settings.database_place}.", markup=False)
    out.print(f"The database that was there is {before} now." if before else _NEW, markup=False)
    out.print(_THEN)
    return 0
