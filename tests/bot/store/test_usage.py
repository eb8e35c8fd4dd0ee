"""Usage by chat and day."""

from datetime import UTC, datetime, timedelta

from bot.operations.cleanup import delete_overdue_rows
from bot.store import usage
from bot.store.engine.database import Database
from bot.store.usage import Use
from tests.support.rows import used

NOW = datetime(2026, 4, 8, 12, tzinfo=UTC)
TODAY = NOW.date()


async def test_what_is_counted_adds_up_by_chat_and_day(db: Database) -> None:
    yesterday = TODAY - timedelta(days=1)
    async with db.begin() as tx:
        await usage.add(tx, [], day=TODAY)
        got = [(2, Use(items=1)), (1, Use(items=3)), (2, Use(items=4, millicredits=7))]
        for day in (TODAY, TODAY, yesterday, TODAY - timedelta(days=400)):
            await usage.add(tx, got, day=day)
        assert await usage.received_stories_by_day(tx, 1, since=TODAY) == {TODAY: 6}
        assert await usage.received_stories_by_day(tx, 2, since=yesterday) == {
            TODAY: 10,
            yesterday: 5,
        }
    await delete_overdue_rows(db, now=NOW)
    async with db.read() as tx:
        assert await used(tx, 2) == (15, 21)
