"""All leases of a process, and a process that holds all leases.

``python -m tests.support.holders URL`` claims every lease, prints "held", and holds the leases
until killed.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from bot.store import chat_queues, inbox, leases, profiles
from bot.store.engine.database import Database, Tx
from tests.support.followed import NOON, follow, look, story

LEASE = timedelta(seconds=15)
Take = Callable[[Tx, str, datetime], Awaitable[object]]
"""A function that claims a lease for an owner. Its result is true on success."""

HOLDERS: dict[str, Take] = {
    "polling": lambda tx, owner, now: leases.claim(tx, "polling", owner, now=now, lease=LEASE),
    "update": lambda tx, _, now: inbox.claim(tx, now=now, lease=LEASE, limit=9),
    "chat queue": lambda tx, _, now: chat_queues.claim(tx, now=now, limit=9, lease=LEASE),
    "check": lambda tx, _, now: profiles.claim(tx, now=now, limit=9, lease=LEASE),
}


async def prepare(db: Database) -> None:
    """Create a row of each kind that can be claimed at noon."""
    async with db.begin() as tx:
        await follow(tx, 1)
        await look(tx, story("1"))
        await profiles.change(tx, "787132", next_check_at=NOON)
        await inbox.add(tx, [inbox.Arrival(1, "chat:1", "{}", person=1)], now=NOON)


async def hold(url: str) -> None:
    """Claim every lease at noon, and hold the leases."""
    async with Database(url) as db:
        for take in HOLDERS.values():
            async with db.begin() as tx:
                assert await take(tx, "first", NOON)
        print("held", flush=True)  # noqa: T201 - for the parent process
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(hold(sys.argv[1]))
