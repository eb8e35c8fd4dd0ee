"""``storybell erase CHAT``: deletes the data of a chat, as the button of /privacy does."""

import argparse
import re

from rich.console import Console

from bot.chats.settings import Chats
from bot.runtime.clock import utc_now
from bot.store.engine.database import Database

_ID = re.compile("-?[0-9]{1,16}")
_ID_LIMIT = 2**52  # the Bot API: an ID has at most 52 significant bits


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("chat", type=_parse_chat_id, help="the Telegram ID of a chat or person")


def _parse_chat_id(text: str) -> int:
    """Return the Telegram ID in an argument.

    Raises:
        ArgumentTypeError: The text is not a valid Telegram ID.
    """
    if not _ID.fullmatch(text) or abs(int(text)) >= _ID_LIMIT:
        raise argparse.ArgumentTypeError("must be the Telegram ID of a chat or person, a number")
    return int(text)


async def main(args: argparse.Namespace, db: Database, *, place: str) -> int:
    """Erase the data of a chat or person in the database ``db``, and print the result. Return 0.

    ``place`` is the printed address of the database. The chat need not be stored.
    """
    chats = Chats(db, now=utc_now)
    known = await chats.get(args.chat)
    await chats.erase(args.chat)
    result = f"The data of {args.chat} is deleted from {place}."
    if not known:
        result = f"No chat {args.chat} was stored in {place}."
    Console(soft_wrap=True).print(
        f"{result} The access entry stays, bills stay without a name, and copies of the database "
        "keep the data (docs/data.md says for how long).",
        markup=False,
    )
    return 0
