"""``storybell admin``: a link that opens the admin page once, on this machine."""

import argparse
import secrets
from datetime import UTC, datetime

from rich.console import Console

from bot.config import Settings
from bot.store.engine.database import Database
from bot.web.admin import KEY_VALID_FOR, make_key

_WORD_BYTES = 24


async def main(settings: Settings, _: argparse.Namespace, db: Database) -> int:
    """Print the link; return the exit code."""
    out = Console(soft_wrap=True)
    if not settings.port:
        out.print("PORT is 0, so nobody knows where the page is. Give it a number.")
        return 2
    word = secrets.token_urlsafe(_WORD_BYTES)
    await make_key(db, word, now=datetime.now(UTC))
    minutes = int(KEY_VALID_FOR.total_seconds() // 60)
    out.print(
        f"Open this link in a browser on this machine. It works once, for {minutes} minutes:"
    )
    out.print(f"http://127.0.0.1:{settings.port}/admin#key={word}", markup=False, highlight=False)
    return 0
