"""Statements that read a part of a large database, and not all of it."""

from datetime import UTC, datetime

import pytest

from benchmarks.scale_world import Size, fill
from bot.store import moves
from bot.store.engine.database import Database
from tests.support.work import rows_read

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
SIZE = Size(profiles=4_000, subscriptions=20_000, chats=2_000, done=1, due=1, calls=20_000)


@pytest.fixture
async def large(db: Database) -> Database:
    """Fill the database: one profile has 2,000 subscribers, and 4,000 profiles have 5."""
    await fill(db, SIZE, now=NOW)
    return db


async def test_the_end_of_a_chat_reads_no_subscriptions_of_other_profiles(large: Database) -> None:
    read = await rows_read(large, lambda tx: moves.close_left_chat(tx, 1, now=NOW))
    assert read < 1_000
