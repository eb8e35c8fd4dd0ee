"""Newcomers: people seen on fewer than three days, unless the list allows them."""

from datetime import UTC, date, datetime, timedelta

from bot.domain.access import Subject
from bot.operations.cleanup import delete_overdue_rows
from bot.store import access, acquaintances, erasure
from bot.store.engine.database import Database

TODAY = date(2026, 11, 25)
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY = timedelta(days=1)


async def test_three_days_make_somebody_known_however_often_they_come(db: Database) -> None:
    async with db.begin() as tx:
        for day in (TODAY, TODAY, TODAY + DAY, TODAY + DAY, TODAY):
            await acquaintances.count_day_seen(tx, [5, 7], day)
        assert not await access.is_not_newcomer(tx, 5)
        await acquaintances.count_day_seen(tx, [5], TODAY + 9 * DAY)
        assert await access.is_not_newcomer(tx, 5)
        assert not await access.is_not_newcomer(tx, 7)
    for days, is_known in ((20, True), (380, False)):
        await delete_overdue_rows(db, now=NOON + days * DAY)
        async with db.read() as tx:
            assert await access.is_not_newcomer(tx, 5) == is_known


async def test_who_is_invited_or_an_owner_is_no_newcomer_and_who_asks_is_forgotten(
    db: Database,
) -> None:
    async with db.begin() as tx:
        await access.put(tx, Subject("person", "5"), now=NOON, is_allowed=True)
        await acquaintances.make_known(tx, [6], TODAY)
        assert await access.is_not_newcomer(tx, 5)
        assert await access.is_not_newcomer(tx, 6)
        assert not await access.is_not_newcomer(tx, None)
        await erasure.erase_chat(tx, 6, now=NOON)
        assert not await access.is_not_newcomer(tx, 6)
