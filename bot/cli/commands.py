"""The commands by their names, and how those that read the database open it."""

import argparse
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any

from rich.console import Console

from bot.cli import admin, backup, check, dead_letters, erase, move, restore, simulate
from bot.config import Settings
from bot.domain.errors import DatabaseUnavailableError
from bot.scheduling.simulation import Record
from bot.store import stories
from bot.store.engine.database import Database
from bot.store.engine.lock import alone
from bot.store.engine.readiness import Readiness, readiness
from bot.store.upgrades import upgrade

Command = Callable[[Settings, argparse.Namespace], Coroutine[Any, Any, int]]

_UNUSABLE = {
    Readiness.EMPTY: "The database is empty: the bot has not run on it yet.",
    Readiness.OLD: "The database is from an older version: start the bot, or run migrate, first.",
    Readiness.NEWER: "The database is from a newer version than this code: update the bot.",
}


def _database(settings: Settings) -> Database:
    return Database(settings.database_url.get_secret_value())


async def _is_usable(db: Database) -> bool:
    """Return whether the tables are those of this code; say why not.

    A report changes nothing: a bot of another version may be running on this database.
    """
    try:
        state = await readiness(db)
    except OSError as error:
        Console().print(f"The database can't be used: {error}.")
        return False
    if state is not Readiness.CURRENT:
        Console().print(_UNUSABLE[state])
    return state is Readiness.CURRENT


async def _migrate(settings: Settings, _: argparse.Namespace) -> int:
    """Bring the database up to date."""
    try:
        url = settings.database_url.get_secret_value()
        async with _database(settings) as db, alone(url, wait=timedelta(0)):
            await upgrade(db)
    except (OSError, DatabaseUnavailableError) as error:
        Console().print(f"The database can't be used: {error}.", markup=False)
        return 1
    Console().print("The database is up to date.")
    return 0


def _on_database(report: Callable[[argparse.Namespace, Database], Awaitable[int]]) -> Command:
    """Return a command that opens the database first, and ends where it is not usable."""

    async def run(settings: Settings, arguments: argparse.Namespace) -> int:
        async with _database(settings) as db:
            return await report(arguments, db) if await _is_usable(db) else 1

    return run


async def _simulate_history(settings: Settings, arguments: argparse.Namespace) -> int:
    """Print what another budget would have bought of the alerts that this bot gave."""
    async with _database(settings) as db:
        if not await _is_usable(db):
            return 1
        past = await db.fetch(stories.history)
    records = [
        Record(name, weight, [moment.timestamp() for moment in taken_at])
        for name, (weight, taken_at) in past.items()
    ]
    cost = 2 if settings.skip_privacy_check == "false" else 1
    return simulate.run(records, arguments, cost=cost, minimum=settings.poll_floor_s)


ALL: dict[str, Command] = {
    "check": check.main,
    "admin": admin.main,
    "migrate": _migrate,
    "backup": backup.main,
    "restore": restore.main,
    "move": move.main,
    "parked": _on_database(dead_letters.main),
    "erase": _on_database(erase.main),
    "simulate": _simulate_history,
}
