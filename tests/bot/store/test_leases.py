"""Rows that one of several processes holds at a time."""

from datetime import UTC, datetime

from bot.store import leases as store
from bot.store.database import Database


async def test_one_replica_leads(db: Database) -> None:
    now = datetime.now(UTC)
    lease = datetime(2030, 1, 1, tzinfo=UTC) - datetime(2029, 12, 31, tzinfo=UTC)
    async with db.begin() as tx:
        assert await store.take(tx, "poller", "a", now=now, lease=lease)
        assert not await store.take(tx, "poller", "b", now=now, lease=lease)
        assert await store.take(tx, "poller", "a", now=now, lease=lease)
        await store.release(tx, "poller", "b")
        assert not await store.take(tx, "poller", "b", now=now, lease=lease)
        await store.release(tx, "poller", "a")
        assert await store.take(tx, "poller", "b", now=now, lease=lease)
        assert await store.take(tx, "poller", "c", now=now + 2 * lease, lease=lease)
