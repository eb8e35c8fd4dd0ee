"""Who is known: seen on three days; a group keeps its age."""

from datetime import UTC, date, datetime, timedelta

from bot.operations.cleanup import clean
from bot.store import acquaintances, chats, erasure, moves
from bot.store.engine.database import Database

TODAY = date(2026, 11, 25)
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY = timedelta(days=1)


async def test_three_days_make_somebody_known_however_often_they_come(db: Database) -> None:
    async with db.begin() as tx:
        for day in (TODAY, TODAY, TODAY + DAY, TODAY + DAY, TODAY):
            await acquaintances.record_seen(tx, [("person", 5), ("chat", -7)], day)
        assert not await acquaintances.is_known(tx, "person", 5)
        await acquaintances.record_seen(tx, [("person", 5)], TODAY + 9 * DAY)
        assert await acquaintances.is_known(tx, "person", 5)
        assert not await acquaintances.is_known(tx, "chat", -7)
    for days, is_known in ((20, True), (380, False)):
        await clean(db, now=NOON + days * DAY)
        async with db.read() as tx:
            assert await acquaintances.is_known(tx, "person", 5) == is_known


async def test_a_group_that_migrates_keeps_its_age_and_who_asks_is_forgotten(db: Database) -> None:
    async with db.begin() as tx:
        await chats.add_or_update(tx, -7, kind="group", title="", now=NOON)
        for day in range(3):
            await acquaintances.record_seen(
                tx, [("chat", -7), ("chat", 5), ("person", 5)], TODAY + day * DAY
            )
        await acquaintances.record_seen(tx, [("chat", -1007)], TODAY + 2 * DAY)
        assert await moves.move_chat(tx, -7, -1007, now=NOON)
        assert await acquaintances.is_known(tx, "chat", -1007)
        assert not await acquaintances.is_known(tx, "chat", -7)
        await erasure.erase_chat(tx, 5, now=NOON)
        assert not await acquaintances.is_known(tx, "person", 5)
        assert not await acquaintances.is_known(tx, "chat", 5)
