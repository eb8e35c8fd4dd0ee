"""Answers that are shown again."""

from datetime import UTC, datetime, timedelta

from bot.operations.cleanup import delete_overdue_rows
from bot.store import answers
from bot.store.engine.database import Database

NOW = datetime(2026, 5, 1, tzinfo=UTC)
LEASE = timedelta(seconds=60)


async def test_what_is_no_longer_fresh_is_forgotten(db: Database) -> None:
    async with db.begin() as tx:
        await answers.store(tx, "old", 1, until=NOW)
        await answers.store(tx, "new", 1, until=NOW + LEASE)
    assert await delete_overdue_rows(db, now=NOW) == 1
    async with db.read() as tx:
        assert await answers.get_fresh(tx, "old", "new", now=NOW) == {"new": 1}
