"""``storybell move --to postgresql://…``: moves all rows of an SQLite file to PostgreSQL."""

import argparse
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

from rich.console import Console

from bot.config import Settings
from bot.domain.database_urls import problem_of_url
from bot.domain.errors import BackupError, DatabaseUnavailableError
from bot.operations import preflight
from bot.store.copies import transfer
from bot.store.engine.database import Database
from bot.store.engine.lock import locked_sqlite_file
from bot.store.engine.readiness import Readiness, readiness
from bot.store.engine.sqlite_copies import reason_of_file_error
from bot.store.upgrades import count_running_processes

_NOT_FROM = "DATABASE_URL is no SQLite file: there is nothing to be moved."
_NOT_TO = "--to must be an address that begins with postgresql://."
_RUNS = "a bot runs on that database, or was killed a moment ago; stop it first"
# Tables of an older version are refused and not upgraded, because processes of an older bot may
# use these tables.
_OLD_TARGET = "the database of --to has tables of an older version: use an empty database"
OLD = "the database is from another version: start the bot on it first"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--to", metavar="URL", help="the URL of an empty database, postgresql://…")
    what.add_argument("--undo", action="store_true", help="use the SQLite file again")


async def main(settings: Settings, arguments: argparse.Namespace) -> int:
    """Copy all rows to PostgreSQL and verify the row counts, or undo the move.

    Return 0 on success, 1 after an error or without a move to undo, or 2 for a wrong address.
    After an error, an undo can be necessary.
    """
    out = Console(soft_wrap=True, highlight=False)
    if not settings.is_sqlite:
        out.print(_NOT_FROM)
        return 2
    if arguments.to and not arguments.to.startswith(("postgresql://", "postgres://")):
        out.print(_NOT_TO)
        return 2
    if arguments.to and (problem := problem_of_url(arguments.to)):
        out.print(f"--to {problem}.", markup=False)
        return 2
    try:
        return await _move_or_undo_and_return_exit_status(settings, arguments.to, out)
    except (BackupError, DatabaseUnavailableError, OSError) as error:
        out.print(f"Not moved: {reason_of_file_error(error)}.", markup=False)
        return 1


async def _move_or_undo_and_return_exit_status(
    settings: Settings, to: str | None, out: Console
) -> int:
    url, now = settings.database_url.get_secret_value(), datetime.now(UTC)
    async with AsyncExitStack() as stack:
        source = await stack.enter_async_context(Database(url))
        preflight.raise_if_no_database_file(source)
        await stack.enter_async_context(locked_sqlite_file(url, wait=timedelta(0)))
        if await readiness(source) is not Readiness.CURRENT:
            raise BackupError(OLD)
        if to is None:
            return await _undo_and_return_exit_status(source, out)
        target = await stack.enter_async_context(Database(to, pool_size=3))
        if await readiness(target) is Readiness.OLD:
            raise BackupError(_OLD_TARGET)
        await target.migrate()
        if await count_running_processes(target):
            raise BackupError(_RUNS)
        rows = await transfer.move_and_count_unless_done(
            source, target, now=now, report_table=lambda name, rows: out.print(f"{name}: {rows}")
        )
    if rows is None:
        out.print("The whole database was moved before.")
    else:
        out.print(f"Moved and counted: {rows} rows.")
    out.print("Now set DATABASE_URL to that address, and start the bot.")
    return 0


async def _undo_and_return_exit_status(source: Database, out: Console) -> int:
    if not await transfer.undo_move(source):
        out.print("Nothing of this file was moved.")
        return 1
    out.print(
        "The bot can run on this file again. It sends nothing a second time. The file lacks the "
        "data since the move."
    )
    return 0
