"""All leases of a process, and a process that holds all leases.

``python -m tests.support.holders URL`` claims every lease, locks a fan-out, prints "held", and
holds the leases and the lock until killed.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from bot.store import chat_queues, fan_outs, inbox, leases, profiles
from bot.store.engine.database import Database, Tx
from tests.support.claims import lease_at
from tests.support.followed import NOON, follow, look, story

LEASE = timedelta(seconds=15)
Take = Callable[[Tx, str, datetime], Awaitable[object]]
"""A function that claims a lease for an owner. Its result is true on success."""

HOLDERS: dict[str, Take] = {
    "polling": lambda tx, owner, now: leases.acquire_or_renew(
        tx, "polling", owner, now=now, lease=LEASE
    ),
    "update": lambda tx, owner, now: inbox.claim(tx, lease_at(now, LEASE, owner=owner), limit=9),
    "chat queue": lambda tx, owner, now: chat_queues.claim_and_lock_due_deliveries(
        tx, lease_at(now, LEASE, owner=owner), limit=9
    ),
    "check": lambda tx, owner, now: profiles.claim_checks(
        tx, lease_at(now, LEASE, owner=owner), limit=9
    ),
}


CLAIMED = {"update", "chat queue", "check"}
"""The holders that claim rows of a table, one for each table."""


async def prepare(db: Database) -> None:
    """Create a row of each kind that a process can claim at noon."""
    async with db.begin() as tx:
        await follow(tx, 1)
        await look(tx, story("1"))
        await fan_outs.add(tx, "787132", notice="private", due_at=NOON, now=NOON)
        await profiles.change(tx, "787132", due_at=NOON)
        await inbox.add_and_return_new(tx, [inbox.Arrival(1, "chat:1", "{}", person=1)], now=NOON)


async def hold(url: str) -> None:
    """Claim every lease and lock a fan-out at noon, and hold the leases and the lock."""
    async with Database(url) as db:
        for take in HOLDERS.values():
            async with db.begin() as tx:
                assert await take(tx, "first", NOON)
        async with db.begin() as tx:
            assert await fan_outs.lock_due(tx, now=NOON)
            print("held", flush=True)  # noqa: T201 - the parent process reads it
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(hold(sys.argv[1]))
