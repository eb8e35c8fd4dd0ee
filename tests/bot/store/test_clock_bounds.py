"""Times that a wrong clock wrote are cut to what they may be."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.domain.records import MISSED
from bot.store import clock_bounds, ledger
from bot.store.budgets import account, account_state
from bot.store.chat_queues import queues
from bot.store.chats import chats
from bot.store.deliveries import deliveries
from bot.store.engine.database import Database
from bot.store.inbox import inbox
from bot.store.key_values import key_values
from bot.store.leases import LEASE
from bot.store.profiles import profiles
from bot.store.subscriptions import subscriptions
from bot.telegram.outage import Pause

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
AHEAD = NOW + timedelta(days=1)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


async def put(db: Database, table: sa.Table, **values: Any) -> None:
    async with db.begin() as tx:
        await tx.execute(sa.insert(table).values(**values))


async def chat_with(db: Database, **values: Any) -> None:
    await put(db, chats, id=1, kind="private", state_since=NOW, created_at=NOW)
    await put(db, queues, chat_id=1, **values)


async def cut(db: Database, column: sa.Column[Any]) -> Any:
    """Cut all; return the column's one value then."""
    async with db.begin() as tx:
        await clock_bounds.cut_future_times(tx, now=NOW)
        return (await tx.execute(sa.select(column))).scalar_one()


@pytest.mark.parametrize("until", [NOW - MINUTE, NOW + MINUTE, AHEAD])
async def test_a_lease_ends_in_time_but_not_now(db: Database, until: datetime) -> None:
    await put(db, inbox, update_id=1, queue="1", body="{}", stored_at=NOW, leased_until=until)
    assert await cut(db, inbox.c.leased_until) == min(until, NOW + 2 * MINUTE)


@pytest.mark.parametrize(
    ("leased", "free_at"), [(True, NOW + 2 * MINUTE), (False, NOW + MINUTE / 2)]
)
async def test_a_chat_is_free_in_time(db: Database, *, leased: bool, free_at: datetime) -> None:
    await chat_with(db, free_at=AHEAD, leased=leased)
    assert await cut(db, queues.c.free_at) == free_at


async def test_what_was_put_off_is_judged_anew_and_what_may_be_there_waits_for_its_time(
    db: Database,
) -> None:
    await chat_with(db, free_at=NOW, due_at=AHEAD)
    row = {"chat_id": 1, "created_at": AHEAD, "due_at": AHEAD}
    await put(db, deliveries, notice="back", fields={}, **row)
    await put(db, deliveries, notice="reply", fields={}, copies=1, **row)
    assert await cut(db, queues.c.due_at) == NOW
    async with db.read() as tx:
        due = sa.select(deliveries.c.due_at, deliveries.c.created_at).order_by(deliveries.c.id)
        assert [tuple(one) for one in await tx.execute(due)] == [
            (NOW, NOW),
            (NOW + 18 * MINUTE, NOW),
        ]


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ({"snapshot_at": AHEAD, "next_check_at": AHEAD + MINUTE}, NOW),
        ({"snapshot_at": NOW - MINUTE, "next_check_at": AHEAD + MINUTE}, AHEAD),
        ({"snapshot_at": NOW, "next_check_at": NOW + 9 * MINUTE}, NOW + 9 * MINUTE),
        (  # by another replica, while ours waited for a lock
            {"snapshot_at": NOW + timedelta(seconds=4), "next_check_at": NOW + 9 * MINUTE},
            NOW + 9 * MINUTE,
        ),
        ({"failures": 2, "next_check_at": AHEAD}, NOW + 30 * MINUTE),
    ],
)
async def test_a_check_comes_in_time(
    db: Database, written: dict[str, Any], right: datetime
) -> None:
    who = {"profile_id": "1", "username": "natgeo", "named_at": NOW, "state_since": NOW}
    await put(db, profiles, **who, **written)
    assert await cut(db, profiles.c.next_check_at) == right


async def test_a_lead_that_was_taken_ahead_is_free_in_time(db: Database) -> None:
    await put(db, key_values, key="polling", owner="a process", until=AHEAD)
    assert await cut(db, key_values.c.until) == NOW + LEASE


@pytest.mark.parametrize("ahead", [timedelta(0), DAY, 30 * DAY])
def test_a_pause_that_began_ahead_is_tried_now(ahead: timedelta) -> None:
    pause = Pause.starting(NOW + ahead)
    assert pause.may_try(NOW) == bool(ahead)
    assert not pause.may_try(NOW + ahead)
    assert pause.may_try(NOW + ahead + MINUTE)


@pytest.mark.parametrize("day", [NOW.date() - DAY, NOW.date() + 400 * DAY])
async def test_a_budget_of_a_day_to_come_is_todays(db: Database, day: date) -> None:
    await put(db, account, id=1, day=day)
    assert await cut(db, account.c.day) == min(day, NOW.date())


async def test_what_was_paid_today_counts_after_a_day_ahead_what_was_paid_there_too(
    db: Database,
) -> None:
    await put(db, account, id=1, day=AHEAD.date(), replies=1, schedule=2)
    async with db.begin() as tx:
        for at, kind, price in (
            (NOW - DAY, "schedule", 64),
            (NOW.replace(hour=0), "schedule", 4),
            (NOW, "link", 3),
            (AHEAD, "schedule", 2),
            (AHEAD, "stories", 1),
        ):
            await ledger.add(
                tx, kind=kind, chat_id=None, user_id=None, operation="x", nominal=price, now=at
            )
        await clock_bounds.cut_future_times(tx, now=NOW)
        assert (await account_state(tx)).spent_today(NOW.date()) == (4, 6)


async def test_a_day_that_a_replica_began_seconds_ago_stays(db: Database) -> None:
    midnight = datetime(2026, 11, 26, tzinfo=UTC)
    await put(db, account, id=1, day=midnight.date(), replies=7)
    async with db.begin() as tx:
        await clock_bounds.cut_future_times(tx, now=midnight - timedelta(seconds=4))
        assert (await account_state(tx)).spent_today(midnight.date()) == (7, 0)


async def test_what_a_replica_wrote_seconds_ago_begins_no_sooner_and_is_not_lost(
    db: Database,
) -> None:
    soon = NOW + timedelta(seconds=4)
    await chat_with(db, free_at=NOW)
    who = {"profile_id": "1", "username": "natgeo", "named_at": NOW, "state_since": NOW}
    await put(db, profiles, **who)
    await put(
        db, subscriptions, chat_id=1, profile_id="1", created_at=soon, since=soon, options={}
    )
    await put(db, deliveries, chat_id=1, notice=MISSED, fields={}, created_at=soon, due_at=NOW)
    assert await cut(db, subscriptions.c.since) == NOW
    async with db.read() as tx:
        assert (await tx.execute(sa.select(deliveries.c.notice))).scalars().all() == [MISSED]
