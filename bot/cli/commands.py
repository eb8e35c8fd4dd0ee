"""The commands by name, and a wrapper for the commands that need an open database."""

import argparse
from collections.abc import Callable, Coroutine
from typing import Any

from rich.console import Console

from bot.cli import backup, check, erase, move, restore, simulate
from bot.config import Settings
from bot.domain.errors import DatabaseUnavailableError
from bot.operations import preflight
from bot.store.copies import transfer
from bot.store.engine.database import Database
from bot.store.engine.readiness import Readiness, readiness

Command = Callable[[Settings, argparse.Namespace], Coroutine[Any, Any, int]]
_Report = Callable[[Settings, argparse.Namespace, Database], Coroutine[Any, Any, int]]

_NOT_OURS = "The database is not of this version of the bot: start the bot on it first."


def _with_database(report: _Report) -> Command:
    """Return a command that opens the database and calls ``report``.

    If the database can't be used, for example because of another version, the command prints the
    reason and returns 1. The tables are not migrated.
    """

    async def run(settings: Settings, arguments: argparse.Namespace) -> int:
        url = settings.database_url.get_secret_value()
        stderr = Console(stderr=True, soft_wrap=True)
        result = await preflight.check_database(url)
        if result.level == "wrong":
            stderr.print(result.text, markup=False)
            return 1
        try:
            async with Database(url) as db:
                preflight.raise_if_no_database_file(db)
                if await readiness(db) is not Readiness.CURRENT:
                    stderr.print(_NOT_OURS)
                    return 1
                await transfer.raise_if_moved(db)
                return await report(settings, arguments, db)
        except (OSError, DatabaseUnavailableError) as error:
            stderr.print(preflight.unusable_database_result(error).text, markup=False)
            return 1

    return run


async def _erase(settings: Settings, arguments: argparse.Namespace, db: Database) -> int:
    return await erase.main(arguments, db, place=settings.database_place)


ALL: dict[str, Command] = {
    "check": check.main,
    "backup": backup.main,
    "restore": restore.main,
    "move": move.main,
    "erase": _with_database(_erase),
    "simulate": _with_database(simulate.main),
}
