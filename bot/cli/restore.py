"""``python -m bot restore``: a copy of the database in the place of the database."""

import argparse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console

from bot.config import Settings, text_of
from bot.domain.errors import BackupError, DatabaseUnavailableError
from bot.store import backups
from bot.store.database import Database
from bot.store.lock import alone

_RUNS = "a bot runs on this database, or was killed less than 15 seconds ago; stop it first"
_THEN = (
    "Start the bot: it alerts to what is posted from then on, and says nothing a second time. "
    "What came after the copy is not in it: docs/operations.md says what that is."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("file", type=Path, help="what backup has written")


async def main(settings: Settings, arguments: argparse.Namespace) -> int:
    """Put the copy in place, where no bot runs; return the exit status."""
    out, now = Console(soft_wrap=True), datetime.now(UTC)
    url = settings.database_url.get_secret_value()
    try:
        direct = text_of(settings.database_direct_url)
        async with Database(url, direct_url=direct) as db, unused(db, url):
            before = await backups.restore(db, arguments.file, now=now)
    except (BackupError, DatabaseUnavailableError, OSError) as error:
        out.print(f"Nothing was restored: {error}.", markup=False)
        return 1
    out.print(f"Restored from {arguments.file}.", markup=False, highlight=False)
    if before and before.startswith("replaced_"):
        text = f"The tables that were there are in the schema {before} now; DROP SCHEMA ends it."
        out.print(text, markup=False, highlight=False)
    elif before:
        out.print(f"The database that was there is {before} now.", markup=False, highlight=False)
    out.print(_THEN)
    return 0


@asynccontextmanager
async def unused(db: Database, url: str) -> AsyncIterator[None]:
    """Have a database for the block on which no bot runs; on SQLite none can begin meanwhile.

    Raises:
        DatabaseUnavailableError: One runs.
    """
    async with alone(url, wait=timedelta(0)):
        if await backups.is_in_use(db):
            raise DatabaseUnavailableError(_RUNS)
        yield
