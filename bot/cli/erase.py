"""``storybell erase CHAT``: what the button of /privacy does, for who can't press it."""

import argparse
from datetime import UTC, datetime

from rich.console import Console

from bot.chats.settings import Chats
from bot.store.engine.database import Database


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("chat", type=int, help="the number of a chat, or of a person")


async def main(args: argparse.Namespace, db: Database) -> int:
    """Erase a chat, also an unknown one: rows of the person may be left; return the exit code."""
    chats = Chats(db, now=lambda: datetime.now(UTC))
    known = await chats.get(args.chat)
    await chats.erase(known.id if known else args.chat)
    state = "is deleted" if known else "was not known"
    Console(soft_wrap=True).print(
        f"What was stored about {args.chat} {state}. Whether it may use the bot stays, the bills "
        "without whose they are, and the copies in the folder of backups until newer ones replace "
        "them."
    )
    return 0
