"""Usage by chat and day; shares of a poll lose nothing."""

from datetime import UTC, datetime, timedelta

from bot.operations.cleanup import clean
from bot.store import usage
from bot.store.engine.database import Database
from bot.store.usage import Use

NOW = datetime(2026, 4, 8, 12, tzinfo=UTC)
TODAY = NOW.date()


async def test_what_is_counted_adds_up_by_kind_and_day(db: Database) -> None:
    async with db.begin() as tx:
        for days in (0, 0, 1, 400):
            now = NOW - timedelta(days=days)
            await usage.count(tx, [(1, Use(items=3, bytes=2**40))], "link", day=now.date())
        await usage.count(tx, [(1, Use(items=1))], "stories", day=TODAY)
        await usage.count(tx, [(2, Use(items=9))], "link", day=TODAY)
        assert await usage.of_chat(tx, 1, since=TODAY) == {
            "link": Use(6, 2**41, 0),
            "stories": Use(1, 0, 0),
        }
        assert (await usage.of_chat(tx, 1, since=TODAY - timedelta(days=1)))["link"].items == 9
    await clean(db, now=NOW)
    async with db.read() as tx:
        assert (await usage.of_chat(tx, 1, since=TODAY - timedelta(days=999)))["link"].items == 9


async def test_alerts_of_a_chat_that_are_counted_together_add_up(db: Database) -> None:
    async with db.begin() as tx:
        await usage.count(tx, [], "alert", day=TODAY)
        got = [
            (2, Use(items=1)),
            (1, Use(items=1, bytes=2**40)),
            (2, Use(items=4, millicredits=7)),
        ]
        for _ in range(2):
            await usage.count(tx, got, "alert", day=TODAY)
        assert await usage.of_chat(tx, 1, since=TODAY) == {"alert": Use(2, 2**41, 0)}
        assert await usage.of_chat(tx, 2, since=TODAY) == {"alert": Use(10, 0, 14)}
