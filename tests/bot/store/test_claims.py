"""The claim protocol of the tables, on both databases."""

from datetime import timedelta

import sqlalchemy as sa

from bot.store import inbox
from bot.store.claims import claim_values_of_new_row
from bot.store.engine.database import Database, Tx
from tests.support.claims import lease_at
from tests.support.followed import MINUTE, NOON

LEASE = timedelta(seconds=15)


async def store(tx: Tx, number: int, queue: str) -> None:
    """Store an update with a row id of its own, as a transaction that began earlier does."""
    row = {"id": number, "update_id": number, "queue": queue, "body": "{}", "stored_at": NOON}
    await tx.execute(sa.insert(inbox.inbox).values(**row, **claim_values_of_new_row(None)))


async def test_a_row_committed_late_waits_for_the_lease_of_a_later_row_of_its_queue(
    db: Database,
) -> None:
    lease = lease_at(NOON, LEASE)
    async with db.begin() as tx:
        await store(tx, 6, "chat:1")
        (later,) = await inbox.claim(tx, lease, limit=9)
    async with db.begin() as tx:
        await store(tx, 5, "chat:1")
        await store(tx, 7, "chat:2")
        assert [one.id for one in await inbox.claim(tx, lease, limit=9)] == [7]
        assert await inbox.claims.next_claimable_at(tx) == NOON + LEASE
        renewed = lease_at(NOON + MINUTE, LEASE)
        await inbox.claims.renew(tx, [later.claim], renewed)
        assert [one.id for one in await inbox.claim(tx, renewed, limit=9)] == [7]
        assert await inbox.finish(tx, later, now=NOON + MINUTE)
        assert [one.id for one in await inbox.claim(tx, renewed, limit=9)] == [5]
