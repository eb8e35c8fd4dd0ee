"""Answers that are shown again, and flights that only one is on."""

from datetime import UTC, datetime, timedelta

from bot.operations.cleanup import clean
from bot.store import answers
from bot.store.engine.database import Database

NOW = datetime(2026, 5, 1, tzinfo=UTC)
LEASE = timedelta(seconds=60)


async def test_one_takes_off_and_the_answer_ends_the_flight(db: Database) -> None:
    async with db.begin() as tx:
        assert await answers.claim(tx, "a", now=NOW, lease=LEASE)
        assert not await answers.claim(tx, "a", now=NOW, lease=LEASE)
        assert await answers.get(tx, "a", now=NOW) is None
        await answers.store(tx, "a", [1], now=NOW, until=NOW + LEASE)
        found = await answers.get(tx, "a", now=NOW)
        assert found is not None
        assert found.value == [1]


async def test_nobody_takes_off_while_the_answer_is_fresh(db: Database) -> None:
    async with db.begin() as tx:
        await answers.store(tx, "a", [1], now=NOW, until=NOW + LEASE)
        assert not await answers.claim(tx, "a", now=NOW + LEASE / 2, lease=LEASE)
        assert await answers.claim(tx, "a", now=NOW + LEASE, lease=LEASE)


async def test_what_is_no_longer_fresh_is_forgotten(db: Database) -> None:
    async with db.begin() as tx:
        await answers.store(tx, "old", 1, now=NOW, until=NOW)
        await answers.store(tx, "new", 1, now=NOW, until=NOW + LEASE)
    assert await clean(db, now=NOW) == 1
    async with db.read() as tx:
        assert await answers.get(tx, "new", now=NOW)
