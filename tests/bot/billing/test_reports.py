"""What /usage and /spending show."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.billing.ledger import Ledger, Payer
from bot.billing.reports import Reports, daily_rate, days_to_come, spending_by
from bot.domain.budget import Limits
from bot.domain.errors import ApiUnavailableError
from bot.domain.model import Asker
from bot.store import usage
from bot.store.database import Database
from bot.store.spending import By, Sums
from bot.stories_api import Answer, Balance, Endpoint

NOW = datetime(2026, 4, 20, 12, 0, tzinfo=UTC)
LIMITS = Limits(daily_budget=100, chat_daily_allowance=20, person_burst=10**6)
NAMES = {"one": Endpoint.STORY_BY_ID, "two": Endpoint.USER_STORIES}


async def spend(db: Database, at: datetime, payer: Payer, name: str, billed: int | None) -> None:
    ledger = Ledger(db, Limits(10**6, 0.5, 10**6, 10**6, 10**6), now=lambda: at)

    async def call() -> Answer[None]:
        if not billed:
            raise ApiUnavailableError(credits=billed)
        return Answer(None, billed)

    try:
        await ledger.spend(payer, NAMES[name], call)
    except ApiUnavailableError:
        return


def reports(db: Database) -> Reports:
    return Reports(db, LIMITS, lambda: NOW)


@pytest.fixture
async def month(db: Database) -> Database:
    """A database with some weeks in it: a chat that asks, one that follows, the schedule."""
    chat, other = Payer("link", Asker(1, 5)), Payer("stories", Asker(2, 6))
    await spend(db, NOW - timedelta(days=60), chat, "two", 2)
    await spend(db, NOW - timedelta(days=25), chat, "two", 2)
    await spend(db, NOW - timedelta(days=5), Payer("schedule"), "two", 1)
    await spend(db, NOW, chat, "one", 1)
    await spend(db, NOW, chat, "two", 0)
    await spend(db, NOW, chat, "two", None)
    await spend(db, NOW, other, "two", 2)
    async with db.begin() as tx:
        await usage.count(tx, 1, "link", now=NOW, requests=4, items=7, size=1000)
        yesterday = NOW - timedelta(days=1)
        for chat_id, part in ((1, 667), (2, 667), (3, 666)):  # of a look for 2 credits
            await usage.count(tx, chat_id, "alert", now=yesterday, millicredits=part)
    return db


async def test_a_chat_sees_what_it_used(month: Database) -> None:
    seen = await reports(month).usage(1)
    assert (seen.allowance, seen.left) == (20, 20 - 3)
    link = seen.today["link"]
    assert (link.requests, link.credits, link.items, link.bytes) == (4, 3.0, 7, 1000)
    assert set(seen.today) == {"link"}
    assert seen.month["alert"].credits == 0.667
    assert seen.month["link"].credits == 3.0
    assert len(seen.days) == 30
    assert dict(seen.days)[date(2026, 4, 20)] == 3
    assert dict(seen.days)[date(2026, 3, 26)] == 2
    assert (seen.today["link"] + seen.month["link"]).items == 14
    nothing = await reports(month).usage(99)
    assert (nothing.today, nothing.month, nothing.left) == ({}, {}, 20)


async def test_admins_see_what_the_bot_spent(month: Database) -> None:
    ledger = Ledger(month, LIMITS, now=lambda: NOW)

    async def balance() -> Balance:
        return Balance(700, 15.0)

    await ledger.check_balance(balance)
    seen = await reports(month).spending()
    assert (seen.today.requests, seen.today.spent, seen.today.refunded) == (4, 5, 2)
    assert seen.week.spent == 6
    assert seen.month.spent == 8
    assert {key: one.spent for key, one in seen.by_endpoint.items()} == {
        Endpoint.STORY_BY_ID: 1,
        Endpoint.USER_STORIES: 7,
    }
    assert list(seen.by_chat.items()) == [(1, 5), (2, 2), (0, 1)]
    assert seen.left_today == 95
    assert seen.balance == 700
    pace = 6 / 5.5  # since the first credit of the week
    assert seen.days_left == pytest.approx(700 / pace)
    assert seen.forecast == 6 + round(pace * 10.5)
    assert sum(spent for _, spent in seen.days) == 8


async def test_an_empty_ledger_has_no_outlook(db: Database) -> None:
    seen = await reports(db).spending()
    assert (seen.today, seen.forecast, seen.balance, seen.days_left) == (Sums(), 0, None, None)


async def test_old_entries_are_summed_up_and_nothing_is_lost(month: Database) -> None:
    kinds: tuple[By, ...] = ("all", "endpoint", "chat", "day", "kind")
    before = {by: await spending_by(month, by, days=366, now=NOW) for by in kinds}
    ledger = Ledger(month, LIMITS, now=lambda: NOW)
    await ledger.tidy()
    for by, sums in before.items():
        assert await spending_by(month, by, days=366, now=NOW) == sums, by
    ledger = Ledger(month, LIMITS, now=lambda: NOW + timedelta(days=100))
    await ledger.tidy()
    for by, sums in before.items():
        assert await spending_by(month, by, days=366, now=NOW) == sums, by
    ledger = Ledger(month, LIMITS, now=lambda: NOW + timedelta(days=500))
    await ledger.tidy()
    assert await spending_by(month, "all", days=366, now=NOW) == {}


@given(st.lists(st.integers(0, 100), min_size=1, max_size=30), st.integers(0, 86_399))
def test_the_pace_is_never_negative_and_follows_the_last_week(
    spent: list[int], second: int
) -> None:
    now = NOW.replace(hour=0) + timedelta(seconds=second)
    pace = daily_rate(spent, now)
    assert pace >= 0
    assert (pace == 0) is (sum(spent[-7:]) == 0)
    assert pace == daily_rate([10**6, *spent], now) or len(spent) < 7


def test_the_month_ends_when_it_ends() -> None:
    assert days_to_come(datetime(2026, 4, 30, 12, tzinfo=UTC)) == 0.5
    assert days_to_come(datetime(2024, 2, 1, tzinfo=UTC)) == 29
