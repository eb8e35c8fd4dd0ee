"""What every lease owes: one holds it, and when that one is killed another has it, in time."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta

from bot.store import leases as store
from bot.store.engine.database import Database
from tests.support.followed import NOON
from tests.support.holders import HOLDERS, LEASE, prepare
from tests.support.killing import ROOT


async def test_what_a_killed_process_held_is_anothers_when_the_lease_ends_and_no_sooner(
    db: Database, database_url: str
) -> None:
    await prepare(db)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.support.holders", database_url),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout
        assert await asyncio.wait_for(process.stdout.readline(), 60) == b"held\n"
    finally:
        process.kill()
        await process.wait()
    for at, is_free in ((NOON + LEASE - timedelta(milliseconds=1), False), (NOON + LEASE, True)):
        taken = {}
        for name, take in HOLDERS.items():
            async with db.begin() as tx:
                taken[name] = bool(await take(tx, "second", at))
        assert taken == dict.fromkeys(HOLDERS, is_free)


async def test_a_lease_is_renewed_and_released_by_its_owner_alone(db: Database) -> None:
    now, lease = datetime.now(UTC), timedelta(days=1)
    async with db.begin() as tx:
        assert await store.claim(tx, "poller", "a", now=now, lease=lease)
        assert not await store.claim(tx, "poller", "b", now=now, lease=lease)
        assert await store.claim(tx, "poller", "a", now=now, lease=lease)
        await store.release(tx, "poller", "b")
        assert not await store.claim(tx, "poller", "b", now=now, lease=lease)
        await store.release(tx, "poller", "a")
        assert await store.claim(tx, "poller", "b", now=now, lease=lease)
        assert await store.claim(tx, "poller", "c", now=now + 2 * lease, lease=lease)
