"""What /usage and /spending show."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.billing.ledger import Charge, Ledger
from bot.billing.reports import Reports, days_left_in_month, mean_daily_spending
from bot.domain.budget import Limits
from bot.domain.errors import ApiUnavailableError
from bot.domain.model import Asker
from bot.domain.paid_calls import Answer, Balance, Operation, PaidCall
from bot.store import key_values, usage
from bot.store.engine.database import Database

NOW = datetime(2026, 4, 20, 12, 0, tzinfo=UTC)
LIMITS = Limits(daily_budget=100, chat_daily_allowance=20)
NAMES = {"one": (Operation.STORY, 1), "two": (Operation.STORIES, 2)}


async def spend(db: Database, at: datetime, payer: Charge, name: str, billed: int | None) -> None:
    ledger = Ledger(db, Limits(10**6, 0.5, 10**6, 10**6), now=lambda: at)

    async def call() -> Answer[None]:
        if not billed:
            raise ApiUnavailableError(credits=billed)
        return Answer(None, billed)

    try:
        await ledger.reserve_call_and_settle(payer, PaidCall(*NAMES[name], call))
    except ApiUnavailableError:
        return


def reports(db: Database) -> Reports:
    return Reports(db, LIMITS, lambda: NOW)


@pytest.fixture
async def month(db: Database) -> Database:
    """A database with some weeks in it: a chat that asks, one that follows, the schedule."""
    chat, other = Charge("link", Asker(1, 5)), Charge("stories", Asker(2, 6))
    await spend(db, NOW - timedelta(days=60), chat, "two", 2)
    await spend(db, NOW - timedelta(days=25), chat, "two", 2)
    await spend(db, NOW - timedelta(days=5), Charge("schedule"), "two", 1)
    await spend(db, NOW, chat, "one", 1)
    await spend(db, NOW, chat, "two", 0)
    await spend(db, NOW, chat, "two", None)
    await spend(db, NOW, other, "two", 2)
    async with db.begin() as tx:
        await usage.add(tx, [(1, usage.Use(items=7))], day=NOW.date())
    return db


async def test_a_chat_sees_what_it_used(month: Database) -> None:
    seen = await reports(month).read_usage_of_chat(1)
    assert (seen.part, seen.stories[-1]) == (3 / 20, 7)
    nothing = await reports(month).read_usage_of_chat(99)
    assert (nothing.stories, nothing.part) == ([0] * 7, 0)


async def test_stored_sums_agree_with_the_entries_also_after_a_late_bill(month: Database) -> None:
    before = await reports(month).read_spending()
    ledger = Ledger(month, LIMITS, now=lambda: NOW - timedelta(hours=3))

    async def fails() -> Answer[None]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):  # the bill is unknown
        await ledger.reserve_call_and_settle(Charge("schedule"), PaidCall(*NAMES["two"], fails))
    late = await ledger.reserve(Charge("schedule"), PaidCall(*NAMES["two"], fails))
    now = Ledger(month, LIMITS, now=lambda: NOW)
    for _ in range(2):
        await now.close_old_reservations_and_split_costs()
        seen = await reports(month).read_spending()
        assert (seen.today, seen.month) == (before.today + 4, before.month + 4)
    async with month.begin() as tx:
        await now.settle(tx, late, 0)
    seen = await reports(month).read_spending()
    assert (seen.today, seen.month) == (before.today + 2, before.month + 2)
    async with month.read() as tx:
        kept = await key_values.get(tx, "spending")
    assert kept is not None
    assert sum(kept["days"][NOW.date().isoformat()].values()) == 2


async def test_sums_of_a_clock_that_was_ahead_do_not_count(month: Database) -> None:
    before = await reports(month).read_spending()
    ahead = Ledger(month, LIMITS, now=lambda: NOW + timedelta(days=20))
    await ahead.close_old_reservations_and_split_costs()
    await spend(month, NOW, Charge("schedule"), "two", 2)
    seen = await reports(month).read_spending()
    assert (seen.today, seen.month) == (before.today + 2, before.month + 2)


async def test_admins_see_what_the_bot_spent(month: Database) -> None:
    ledger = Ledger(month, LIMITS, now=lambda: NOW)

    async def balance() -> Balance:
        return Balance(700, 15.0)

    await ledger.fetch_and_store_balance(balance)
    seen = await reports(month).read_spending()
    assert seen.today == 5
    assert seen.week == 6
    assert seen.month == 8
    assert seen.by_operation == {
        Operation.STORY: 1,
        Operation.STORIES: 7,
    }
    assert seen.left_today == 95
    assert seen.balance == 700
    pace = 6 / 5.5  # since the first credit of the week
    assert seen.days_left == pytest.approx(700 / pace)
    assert seen.forecast == 6 + round(pace * 10.5)
    assert sum(spent for _, spent in seen.days) == 8


async def test_an_empty_ledger_has_no_outlook(db: Database) -> None:
    seen = await reports(db).read_spending()
    assert (seen.today, seen.forecast, seen.balance, seen.days_left) == (0, 0, None, None)


@given(st.lists(st.integers(0, 100), min_size=1, max_size=30), st.integers(0, 86_399))
def test_the_pace_is_never_negative_and_follows_the_last_week(
    spent: list[int], second: int
) -> None:
    now = NOW.replace(hour=0) + timedelta(seconds=second)
    pace = mean_daily_spending(spent, now)
    assert pace >= 0
    assert (pace == 0) is (sum(spent[-7:]) == 0)
    assert pace == mean_daily_spending([10**6, *spent], now) or len(spent) < 7


def test_the_pace_is_that_of_the_last_seven_days_which_began() -> None:
    noon, midnight = NOW, NOW.replace(hour=0)
    assert mean_daily_spending([100, 1, 1, 1, 1, 1, 1, 1], noon) == 7 / 6.5
    assert mean_daily_spending([100, 0, 0, 2, 0, 1, 1, 1], noon) == 5 / 4.5
    assert mean_daily_spending([0, 0, 4], noon) == 8
    assert mean_daily_spending([1, 0, 0], noon) == 1 / 2.5
    assert (
        mean_daily_spending([4], midnight)
        == mean_daily_spending([4], midnight + timedelta(hours=1))
        == 96
    )
    assert mean_daily_spending([4], midnight + timedelta(hours=2)) == 48
    assert mean_daily_spending([0, 0, 0], noon) == 0


def test_the_month_ends_when_it_ends() -> None:
    assert days_left_in_month(datetime(2026, 4, 30, 12, tzinfo=UTC)) == 0.5
    assert days_left_in_month(datetime(2024, 2, 1, tzinfo=UTC)) == 29


async def test_days_weeks_and_months_begin_where_they_do(sqlite_db: Database) -> None:
    now = datetime(2026, 3, 31, 12, tzinfo=UTC)
    chat = Charge("link", Asker(1, 5))
    days_ago = {0: 1, 6: 10, 7: 100, 29: 1_000, 30: 10_000, 31: 100_000}  # the 1st is 30 ago
    for ago, spent in days_ago.items():
        await spend(sqlite_db, now - timedelta(days=ago), chat, "two", spent)
    limits = Limits(10**7, 0.5, 10**7)
    seen = await Reports(sqlite_db, limits, lambda: now).read_spending()
    assert (seen.today, seen.week, seen.month) == (1, 11, 1_111)
    assert (seen.days[0], len(seen.days)) == ((date(2026, 3, 2), 1_000), 30)
    assert seen.by_operation == {Operation.STORIES: seen.month}
    assert seen.forecast == 11_111 + round(11 / 6.5 * 0.5)


async def test_the_stories_of_a_week_are_shown_by_day(sqlite_db: Database) -> None:
    async with sqlite_db.begin() as tx:
        for ago, items in ((0, 1), (6, 2), (7, 4)):
            day = NOW - timedelta(days=ago)
            await usage.add(tx, [(1, usage.Use(items=items))], day=day.date())
    assert (await reports(sqlite_db).read_usage_of_chat(1)).stories == [2, 0, 0, 0, 0, 0, 1]


async def test_the_part_of_an_allowance_that_is_used(sqlite_db: Database) -> None:
    await spend(sqlite_db, NOW, Charge("link", Asker(1, 5)), "two", 2)
    for allowance, part in ((8, 0.25), (2, 1.0), (1, 1.0), (0, None)):
        limits = Limits(daily_budget=100, chat_daily_allowance=allowance)
        seen = await Reports(sqlite_db, limits, lambda: NOW).read_usage_of_chat(1)
        assert seen.part == part


async def test_of_a_budget_that_is_used_up_nothing_is_left(sqlite_db: Database) -> None:
    await spend(sqlite_db, NOW, Charge("link", Asker(1, 5)), "two", 2)
    for budget, left in ((3, 1), (2, 0), (1, 0)):
        seen = await Reports(sqlite_db, Limits(budget), lambda: NOW).read_spending()
        assert (seen.budget, seen.left_today) == (budget, left)


async def test_without_a_balance_or_a_pace_nobody_knows_how_long_it_lasts(
    sqlite_db: Database,
) -> None:
    await spend(sqlite_db, NOW, Charge("link", Asker(1, 5)), "two", 2)
    seen = await reports(sqlite_db).read_spending()
    assert (seen.balance, seen.days_left, seen.drift) == (None, None, 0)

    async def balance() -> Balance:
        return Balance(8, 15.0)

    await Ledger(sqlite_db, LIMITS, now=lambda: NOW).fetch_and_store_balance(balance)
    assert (await reports(sqlite_db).read_spending()).days_left == 2.0
    later = Reports(sqlite_db, LIMITS, lambda: NOW + timedelta(days=10))
    assert (await later.read_spending()).days_left is None
