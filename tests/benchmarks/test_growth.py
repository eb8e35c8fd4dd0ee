"""Statements that read a part of a large database, and not all of it."""

from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from benchmarks.scale_world import STAR, Size, fill
from bot.billing.ledger import Ledger
from bot.billing.reports import load_spending
from bot.domain.budget import Limits
from bot.fetching import schedule_state
from bot.store import moves, profiles, subscriptions
from bot.store.engine.database import Database, Tx
from tests.support.work import rows_read

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
SIZE = Size(profiles=4_000, subscriptions=20_000, chats=2_000, done=1, due=1, calls=20_000)


@pytest.fixture
async def large(db: Database) -> Database:
    """Fill the database: one profile has 2,000 subscribers, and 4,000 profiles have 5.

    PostgreSQL has no statistics about the rows, also not about the rows of earlier tests.
    """
    await fill(db, SIZE, now=NOW)
    if not db.is_sqlite:
        async with db.begin() as tx:
            await tx.exec_driver_sql("DELETE FROM pg_statistic")
            await tx.exec_driver_sql(
                "UPDATE pg_class SET reltuples = -1, relpages = 0, relallvisible = 0"
                " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i')"
            )
    return db


async def test_the_end_of_a_chat_reads_no_subscriptions_of_other_profiles(large: Database) -> None:
    read = await rows_read(large, lambda tx: moves.close_left_chat(tx, 1, now=NOW))
    assert read < 1_000


async def test_the_spending_of_a_month_is_read_from_stored_sums(large: Database) -> None:
    limits = Limits()
    before = await large.fetch(lambda tx: load_spending(tx, limits, now=NOW))
    assert await rows_read(large, lambda tx: load_spending(tx, limits, now=NOW)) > SIZE.calls / 2
    await Ledger(large, limits, now=lambda: NOW).close_old_reservations_and_split_costs()
    assert await rows_read(large, lambda tx: load_spending(tx, limits, now=NOW)) < 1_000
    assert await large.fetch(lambda tx: load_spending(tx, limits, now=NOW)) == before


async def test_a_statement_counts_a_slice_of_the_subscribers(large: Database) -> None:
    statements: list[str] = []

    def note(*called: Any) -> None:
        statements.append(called[2])

    async with large.read() as tx:
        connection: Any = tx.sync_connection
        sa.event.listen(connection, "after_cursor_execute", note)
        counted = await subscriptions.count_subscribers(tx, STAR, at_once=100)
        sa.event.remove(connection, "after_cursor_execute", note)
    assert counted.chats == SIZE.chats
    assert len(statements) == SIZE.chats / 100 + 1


async def test_the_sample_and_the_count_of_profiles_read_some_profiles(large: Database) -> None:
    def sample(tx: Tx) -> Awaitable[object]:
        return schedule_state.sample_states(tx, most=100, only_newcomers=False)

    def delay(tx: Tx) -> Awaitable[object]:
        counts = profiles.ProfileCounts(SIZE.profiles, 0)
        return profiles.estimate_mean_detection_delay(tx, counts, most=100)

    def count(tx: Tx) -> Awaitable[tuple[int, int]]:
        return profiles.estimate_profile_counts_by_followers(tx, most_read=50)

    assert await rows_read(large, sample) < 1_000
    assert await rows_read(large, delay) < 1_000
    assert await rows_read(large, count) < 1_000
    known, fresh = await large.fetch(count)
    assert (abs(known / SIZE.profiles - 1) < 0.2, fresh) == (True, 0)
    exact = await large.fetch(profiles.estimate_profile_counts_by_followers)
    assert exact == (SIZE.profiles + 1, 0)
