"""The data of /usage and /spending: sums, remaining credits and forecasts."""

import calendar
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

from bot.billing.drift import KEY as DRIFT
from bot.billing.drift import Drift
from bot.billing.people import Guest, read_monthly_costs_of
from bot.domain.budget import DAY, Limits, allowances_for, midnight_of
from bot.store import access, budgets, key_values, spending, usage
from bot.store.engine.database import Database, Tx
from bot.store.spending import Part

K = TypeVar("K")
_DAYS_SHOWN = 30
_DAYS_OF_AVERAGE = 7


@dataclass(frozen=True, slots=True)
class ChatUsage:
    """The usage of a chat: the used part of today's limits (UTC), and the received stories."""

    part: float | None
    """The used part (0 to 1) of the limit that is used most.
    The value is None if the limit of the chat or of the person is 0.
    """
    stories: list[int]
    """The number of received stories on each of the last 7 days, oldest first."""
    month: Guest
    """The costs of the chat in this month (UTC)."""
    newcomer_part: float | None = None
    """The limit of a newcomer as a part (0 to 1) of the limit of other persons."""


@dataclass(frozen=True, slots=True)
class Spending:
    """The credits that the bot spent, and a forecast of its spending."""

    today: int
    week: int
    """The credits of the last 7 days."""
    month: int
    """The credits of the last 30 days."""
    by_operation: dict[str, int]
    """The credits of each operation in the last 30 days."""
    days: list[tuple[date, int]]
    """The credits of each of the last 30 days."""
    budget: int
    left_today: int
    forecast: int
    """The expected spending of this whole calendar month."""
    balance: int | None
    days_left: float | None
    """The number of days until ``balance`` is spent at the rate of the last 7 days.
    The value is None if the balance is unknown or nothing was spent.
    """
    drift: int
    """The credits that the API has billed beyond the credits in the ledger, since the first start.

    Only differences that were reported to the owners count. The value is negative if the API
    billed less than the ledger counted.
    """
    unconfirmed: int
    """The credits of today's calls whose bill is unknown until a later balance confirms them."""

    @property
    def confirmed_credits_today(self) -> int:
        """Return the credits that were spent today in calls with a confirmed bill."""
        return max(0, self.today - self.unconfirmed)


@dataclass(frozen=True, slots=True)
class Reports:
    """Reports of the spent and remaining credits.

    Each call of a method reads the database.
    """

    db: Database
    limits: Limits
    now: Callable[[], datetime]

    async def read_usage_of_chat(self, chat_id: int) -> ChatUsage:
        """Return the usage of a chat. In a private chat, the limits of the person also apply."""
        today = self.now().date()
        person = chat_id if chat_id > 0 else None
        async with self.db.read() as tx:
            of_person, of_chat, is_known = await access.person_and_chat_allowance_and_is_known(
                tx, person, chat_id
            )
            limits = allowances_for(
                self.limits, is_known=is_known, of_chat=of_chat, of_person=of_person
            )
            used = [(await budgets.read_used_allowance(tx, "chat", chat_id, today), limits.chat)]
            if person is not None:
                spent = await budgets.read_used_allowance(tx, "person", person, today)
                used.append((spent, limits.own))
            if person is not None and limits.newcomers is not None:
                spent = await budgets.read_used_allowance(tx, "newcomer", 0, today)
                used.append((spent, limits.newcomers))
            got = await usage.received_stories_by_day(tx, chat_id, since=today - timedelta(days=6))
            month = await read_monthly_costs_of(tx, chat_id, now=self.now())
        week = [got.get(day, 0) for day in _days_between(today - timedelta(days=6), today)]
        newcomer_part = None
        if person is not None and limits.newcomers is not None:
            newcomer_part = limits.own / max(1, self.limits.person_daily_allowance)
        has_limit = limits.chat > 0 and (person is None or limits.own > 0)
        parts = [min(1.0, spent / limit) for spent, limit in used if limit > 0]
        return ChatUsage(max(parts) if has_limit else None, week, month, newcomer_part)

    async def read_spending(self) -> Spending:
        """Return the spending of the bot, with forecasts."""
        return await self.db.fetch(lambda tx: load_spending(tx, self.limits, now=self.now()))


async def load_spending(tx: Tx, limits: Limits, *, now: datetime) -> Spending:
    """Return the spending of the bot, read in the caller's transaction."""
    today = now.date()
    first = today - timedelta(days=_DAYS_SHOWN - 1)
    since = min(first, today.replace(day=1))
    parts = await spending.spent_by_operation(tx, since=since, now=now)
    by_day = _sums_by_key(parts, lambda part: part.day)
    shown = [part for part in parts if part.day >= first]
    account = await budgets.account_state(tx)
    drift = await key_values.get(tx, DRIFT)
    days = [(day, by_day.get(day, 0)) for day in _days_between(first, today)]
    this_month = _sum_since(by_day, today.replace(day=1))
    rate = mean_daily_spending([spent for _, spent in days], now)
    return Spending(
        today=by_day.get(today, 0),
        week=_sum_since(by_day, today - timedelta(days=6)),
        month=_sum_since(by_day, first),
        by_operation=_sums_by_key(shown, lambda part: part.operation),
        days=days,
        budget=limits.daily_budget,
        left_today=max(0, limits.daily_budget - sum(account.spent_by_replies_and_schedule(today))),
        forecast=this_month + round(rate * days_left_in_month(now)),
        balance=account.balance,
        days_left=account.balance / rate if account.balance is not None and rate > 0 else None,
        drift=drift["total"] if isinstance(drift, dict) else 0,
        unconfirmed=await _read_unconfirmed_credits_of_today(tx, drift, today),
    )


async def _read_unconfirmed_credits_of_today(tx: Tx, drift: object, today: date) -> int:
    """Return the credits of today's calls whose bill is still unknown."""
    since = midnight_of(today)
    # A call before the reading ``base`` is not counted, because the balance of this reading
    # includes the bill of the call.
    if isinstance(drift, dict):
        since = max(since, Drift.from_json(drift).base.at)
    return await spending.presumed_credits_since(tx, since)


def mean_daily_spending(spent: list[int], now: datetime) -> float:
    """Return the mean spending of the last 7 days, in credits per day.

    ``spent`` has the credits of each day. The last value covers today until ``now``. Days before
    the first spent credit do not count.
    """
    recent = spent[-_DAYS_OF_AVERAGE:]
    while len(recent) > 1 and not recent[0]:
        recent = recent[1:]
    of_today = (now - midnight_of(now.date())) / DAY
    elapsed = len(recent) - 1 + max(of_today, 1 / 24)
    return sum(recent) / elapsed


def days_left_in_month(now: datetime) -> float:
    """Return the days from ``now`` to the end of the month."""
    length = calendar.monthrange(now.year, now.month)[1]
    end = midnight_of(now.date().replace(day=length)) + DAY
    return (end - now) / DAY


def _sums_by_key(parts: Iterable[Part], key: Callable[[Part], K]) -> dict[K, int]:
    """Return for each key the sum of the credits of the parts with this key."""
    totals: dict[K, int] = {}
    for part in parts:
        totals[key(part)] = totals.get(key(part), 0) + part.credits
    return totals


def _sum_since(by_day: dict[date, int], first: date) -> int:
    return sum(spent for day, spent in by_day.items() if day >= first)


def _days_between(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
