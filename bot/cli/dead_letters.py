"""``storybell parked``: lists the alerts that were given up, and has them sent again."""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from bot.store import enqueue
from bot.store.engine.database import Database

_LINES = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "--again", type=int, nargs="+", metavar="ID", help="send these as if they never had been"
    )


async def main(
    args: argparse.Namespace,
    db: Database,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> int:
    """List the dead letters, or let some of them be sent again; return the exit code."""
    out = Console()
    if args.again:
        async with db.begin() as tx:
            ids = await enqueue.send_again(tx, args.again, now=now())
        out.print(f"Sent again: {_numbers(ids)}.")
        unknown = sorted(set(args.again) - set(ids))
        if unknown:
            out.print(f"Not parked: {_numbers(unknown)}.")
        return 2 if unknown else 0
    rows = await db.fetch(lambda tx: enqueue.dead_letters(tx, limit=_LINES))
    if not rows:
        out.print("Nothing is parked.")
        return 0
    table = Table("ID", "Chat", "Story", "Copies", "Since", "Why")
    for row in rows:
        since = f"{row.done_at:%Y-%m-%d %H:%M} UTC"
        story = row.story_pk or "a notice"
        table.add_row(str(row.id), str(row.chat_id), story, str(row.copies), since, row.reason)
    out.print(table)
    out.print("Each may be in its chat already. Once more: storybell parked --again ID")
    return 0


def _numbers(ids: list[int]) -> str:
    return ", ".join(map(str, ids)) or "none"
