"""The clean-up ends when nothing is overdue, and no slice of it is long."""

from hypothesis import given
from hypothesis import strategies as st

from bot.operations.cleanup import clean
from bot.runtime.slice_size import LARGEST, SMALLEST, next_limit
from bot.store import deliveries, moves
from bot.store.engine.database import Database
from tests.support.followed import DAY, HOUR, NOON, follow, look, rows, story
from tests.support.rows import kept_stories

MANY = 450  # more than two slices


async def test_all_that_is_overdue_goes_in_one_night(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, 1)
        await look(tx, *(story(str(number)) for number in range(MANY)))
        owed = [row.id for row in await deliveries.due(tx, [1], now=NOON)]
        assert owed
        await moves.close_chat(tx, 1, now=NOON)
    assert await clean(db, now=NOON + HOUR) == 0
    assert await clean(db, now=NOON + 31 * DAY) > MANY
    assert await rows(db) == []
    async with db.read() as tx:
        assert await kept_stories(tx, [str(number) for number in range(MANY)]) == {}


@given(st.integers(SMALLEST, LARGEST), st.floats(0, 10))
def test_a_slice_that_took_long_is_followed_by_a_shorter_one(limit: int, took: float) -> None:
    after = next_limit(limit, took)
    assert SMALLEST <= after <= LARGEST
    if took > 0.03:
        assert after <= max(limit // 2, SMALLEST)
