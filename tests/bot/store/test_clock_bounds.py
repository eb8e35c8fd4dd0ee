"""Times that a wrong clock wrote are cut to what they may be."""

import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.billing.ledger import Ledger, Payer
from bot.domain.budget import Limits
from bot.domain.errors import SpendingError
from bot.domain.model import Asker
from bot.domain.paid_calls import Answer, Call, Operation
from bot.domain.records import EPOCH, MISSED
from bot.store import clock_bounds
from bot.store.budgets import account, account_state, allowance_used, take_allowances
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


ANN, CHECK = Payer("link", Asker(1, 1, is_owner=False)), Payer("schedule")
TOMORROW = AHEAD.replace(hour=0, minute=1)


async def one() -> Answer[None]:
    return Answer(None, 1)


CALL = Call(Operation.STORY, 1, one)


@pytest.mark.parametrize(
    "steps",  # when it is by the clock, what is wanted then (nothing: tidy), what of it is paid
    [
        [(AHEAD, 99, 10), (NOW, 1, 0), (TOMORROW, 99, 10)],
        [(AHEAD, 99, 10), (NOW, 1, 0), (TOMORROW, 0, 0), (AHEAD + MINUTE, 99, 10)],
        [(AHEAD, 99, 10), (NOW, 1, 0), (TOMORROW + DAY, 2, 2), (TOMORROW, 99, 8)],
        [(AHEAD, 3, 3), (NOW, 3, 3), (AHEAD, 3, 3), (NOW, 99, 1)],
        [(NOW, 99, 10), (AHEAD, 99, 10), (NOW, 1, 0), (AHEAD, 1, 0), (NOW, 1, 0)],
        [(NOW, 99, 10), (NOW - DAY, 1, 0), (NOW + MINUTE, 1, 0)],
        [(NOW, 7, 7), (EPOCH, 99, 3), (NOW + MINUTE, 0, 0), (NOW + MINUTE, 99, 3)],
    ],
)
async def test_what_a_wrong_clock_paid_counts_once_and_no_day_has_two_budgets(
    db: Database, steps: list[tuple[datetime, int, int]]
) -> None:
    now = EPOCH
    ledger = Ledger(db, Limits(10, 1.0, 999, 999), now=lambda: now)
    for at, wanted, right in steps:
        before, now, paid = now, at, 0
        if now < before:
            async with db.begin() as tx:
                await clock_bounds.cut_future_times(tx, now=now)
        if not wanted:
            await ledger.maintain()
        with contextlib.suppress(SpendingError):
            while paid < wanted:
                await ledger.spend(ANN, CALL)
                paid += 1
        assert paid == right, at


async def test_what_a_person_may_ask_on_a_day_to_come_is_whole_then(db: Database) -> None:
    async with db.begin() as tx:
        await take_allowances(tx, AHEAD.date(), 3, [("person", 1, 3)])
        await clock_bounds.cut_future_times(tx, now=NOW)
        assert not await allowance_used(tx, "person", 1, AHEAD.date())


async def test_what_costs_nothing_in_the_end_comes_back_on_the_day_it_counts(db: Database) -> None:
    clock, made = [NOW], []
    ledger = Ledger(db, Limits(99, 0.5, 999, 999), now=lambda: clock[0])
    for clock[0] in (NOW - DAY, NOW, AHEAD):
        made = [await ledger.reserve(payer, CALL) for payer in (ANN, CHECK, ANN, CHECK, CHECK)]
    async with db.begin() as tx:
        await clock_bounds.cut_future_times(tx, now=NOW)
    for clock[0], spent in ((NOW, (4, 6)), (NOW + MINUTE, (2, 5)), (TOMORROW, (0, 0))):
        await ledger.maintain()
        assert await ledger.spent_today() == spent
        async with db.begin() as tx:
            for reservation in made[:3]:
                await ledger.settle(tx, reservation, 0)
        del made[:3]
    assert await ledger.spent_today() == (0, 0)
    async with db.read() as tx:
        assert await allowance_used(tx, "person", 1, NOW.date()) == 2


async def test_a_refund_of_hours_to_come_is_of_its_asker(db: Database) -> None:
    clock = [NOW + timedelta(hours=2)]
    ledger = Ledger(db, Limits(99, 0.5, 999, 999), now=lambda: clock[0])
    reservation, clock[0] = await ledger.reserve(ANN, CALL), NOW
    async with db.begin() as tx:
        await clock_bounds.cut_future_times(tx, now=NOW)
        await ledger.settle(tx, reservation, 0)
        assert not await allowance_used(tx, "person", 1, NOW.date())


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
