"""What the command line does with the database: migrate it, and print what it holds."""

import argparse

from rich.console import Console

from bot import spending
from bot.config import Settings
from bot.store.database import Database


def _database(settings: Settings) -> Database:
    return Database(settings.database_url.get_secret_value())


async def migrate(settings: Settings) -> int:
    """Bring the database up to date."""
    async with _database(settings) as db:
        await db.migrate()
    Console().print("The database is up to date.")
    return 0


async def print_spending(settings: Settings, arguments: argparse.Namespace) -> int:
    """Print what was spent."""
    async with _database(settings) as db:
        await db.migrate()
        return await spending.main(arguments, db)
