"""The clean-up ends when nothing is overdue, and no slice of it is long."""

from bot.operations.cleanup import delete_overdue_rows
from bot.store import deliveries, moves
from bot.store.engine.database import Database
from tests.support.followed import DAY, HOUR, NOON, follow, look, rows, story
from tests.support.rows import kept_stories

MANY = 450  # more than two slices


async def test_all_that_is_overdue_goes_in_one_night(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, 1)
        await look(tx, *(story(str(number)) for number in range(MANY)))
        owed = [row.id for row in await deliveries.lock_and_return_due(tx, [1], now=NOON)]
        assert owed
        await moves.close_left_chat(tx, 1, now=NOON)
    assert await delete_overdue_rows(db, now=NOON + HOUR) == 0
    assert await delete_overdue_rows(db, now=NOON + 31 * DAY) > MANY
    assert await rows(db) == []
    async with db.read() as tx:
        assert await kept_stories(tx, [str(number) for number in range(MANY)]) == {}
