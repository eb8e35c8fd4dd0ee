"""The budget rules as arithmetic: limits of persons and chats, and a division of the daily budget.

The two sides of the budget are the replies to people and the schedule of checks.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, TypeAlias

from bot.domain.packs import DEFAULT_BUDGET

NoOwnLimit: TypeAlias = None
"""In the type of a daily limit, the limit in the settings applies."""

Side = Literal["replies", "schedule"]
DAY = timedelta(days=1)
# The part of the schedule's budget that pays for profiles that only newcomers follow.
NEWCOMERS_PART = 0.03
# The maximum daily limit of a newcomer, as a part of the daily limit of other persons.
OF_NEWCOMER = 0.3
# The number of newcomers who can each spend their daily limit before the credits of all newcomers
# are spent.
_NEWCOMERS_IN_FULL = 5
# The minimum, in credits, of a limit that is computed from the budget. The stories of a profile
# that is new to the bot cost 3 credits.
_LEAST_LIMIT = 3
_MORE_THAN_USUAL = 1.2
_FOR_NEW_HABITS = 0.1
# The minimum elapsed part of a day (an hour) with which a spending rate is computed. Without the
# minimum, a request soon after midnight would result in an exaggerated rate.
_SHORTEST_PAST = 1 / 24


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits that the bot's owner has set.

    Budgets, allowances and balances are in credits. Shares are parts from 0 to 1. Days are UTC
    days.
    """

    daily_budget: int = DEFAULT_BUDGET
    reply_share: float = 0.5
    chat_daily_allowance: int = 100
    person_daily_allowance: int = 100
    minimum_balance: int = 0
    # The maximum limit of each newcomer in credits per day. If the value is None, newcomers have
    # the same limit as other persons.
    newcomer_allowance: int | None = None
    # The part of the budget for replies that all newcomers together may spend.
    newcomer_share: float = 1.0


@dataclass(frozen=True, slots=True)
class Allowances:
    """The daily limits, in credits, that apply to a request of one person in one chat.

    ``chat`` limits all people in the chat, ``own`` limits the person in all chats, and
    ``newcomers`` limits all newcomers. ``newcomers`` is None if this limit does not apply.
    """

    chat: int
    own: int
    newcomers: int | None


def allowances_for(
    limits: Limits,
    *,
    is_known: bool,
    of_chat: int | NoOwnLimit = None,
    of_person: int | NoOwnLimit = None,
) -> Allowances:
    """Return the daily limits of a person in a chat, in credits.

    ``of_chat`` and ``of_person`` are the limits that the owner has set. If a limit is None, the
    default limit applies. If ``is_known`` is False, the default limit of the person can be lower
    (``newcomer_allowance``).
    """
    chat = limits.chat_daily_allowance if of_chat is None else of_chat
    if of_person is not None:
        return Allowances(chat, of_person, None)
    if is_known or limits.newcomer_allowance is None:
        return Allowances(chat, limits.person_daily_allowance, None)
    together = math.floor(daily_credits_for_replies(limits) * limits.newcomer_share)
    fair = max(_LEAST_LIMIT, together // _NEWCOMERS_IN_FULL)
    own = min(limits.person_daily_allowance, limits.newcomer_allowance, fair)
    return Allowances(chat, own, together)


def propose_lower_person_daily_allowance(limits: Limits) -> int | None:
    """Return a lower value for the setting ``person_daily_allowance``, in credits per day.

    The value is half of the day's credits for replies, but at least 3 credits. Return None if the
    current value is not higher than this value.
    """
    proposal = max(_LEAST_LIMIT, daily_credits_for_replies(limits) // 2)
    return proposal if limits.person_daily_allowance > proposal else None


def daily_credits_for_replies(limits: Limits) -> int:
    """Return the replies' share of the daily budget in credits."""
    return round(limits.daily_budget * limits.reply_share)


def split_budget_with_newcomers(
    budget: float, *, known_profiles: int, newcomer_profiles: int
) -> tuple[float, float]:
    """Divide the schedule's daily credits into a part for known persons and a part for newcomers.

    Profiles that only newcomers follow get 3 % of the budget (``NEWCOMERS_PART``). If either
    number of profiles is 0, both parts are the whole budget.
    """
    if not known_profiles or not newcomer_profiles:
        return budget, budget
    return budget * (1 - NEWCOMERS_PART), budget * NEWCOMERS_PART


@dataclass(frozen=True, slots=True)
class BudgetRule:
    """The rule that limits one side of the budget (the replies or the schedule), in credits.

    ``others_share`` is the share of the other side. ``protected`` limits the credits that are
    reserved for the other side.
    """

    budget: int
    others_share: int
    protected: int

    def credits_left(self, *, own_spending: int, spending_of_others: int) -> int:
        """Return the credits that one side of the budget may still spend today.

        ``own_spending`` has the credits that this side (the replies or the schedule) has spent
        today. ``spending_of_others`` has the credits that the other side has spent today.
        """
        kept = max(0, min(self.protected, self.others_share - spending_of_others))
        return max(0, self.budget - own_spending - spending_of_others - kept)


def side_rule_for(side: Side, limits: Limits, now: datetime) -> BudgetRule:
    """Return the rule that limits the spending of ``side`` at the time ``now``.

    The protected part of the other side's share falls evenly from the whole share at midnight
    (UTC) to nothing at the end of the day.
    """
    others_share = _daily_credits_of_other_side(side, limits)
    left = (midnight_after(now) - now) / DAY
    return BudgetRule(limits.daily_budget, others_share, math.ceil(others_share * left))


def _daily_credits_of_other_side(side: Side, limits: Limits) -> int:
    replies = daily_credits_for_replies(limits)
    return limits.daily_budget - replies if side == "replies" else replies


def budget_free_at(
    side: Side,
    limits: Limits,
    used: tuple[int, int],
    nominal: int,
    now: datetime,
) -> datetime:
    """Return the estimated time from which ``side`` may spend ``nominal`` credits.

    The budget rule must refuse these credits now. ``used`` has today's credits of replies and the
    schedule. The result is at the latest the next midnight (UTC).
    """
    midnight = midnight_after(now)
    share = _daily_credits_of_other_side(side, limits)
    left = (midnight - now) / DAY
    spending_of_others = used[1] if side == "replies" else used[0]
    # The estimated spending of the other side (the replies or the schedule) can have a fraction of
    # a credit. The actual spending is a whole number, and can exceed the estimate by up to one
    # credit.
    missing = nominal + sum(used) + share * left - limits.daily_budget + bool(spending_of_others)
    freed_a_day = share - spending_of_others / max(1 - left, _SHORTEST_PAST)
    if freed_a_day <= 0:
        return midnight
    return min(midnight, now + DAY * max(0.0, missing) / freed_a_day)


def reply_credits_left_for_schedule(
    limits: Limits, past: Sequence[Sequence[int]], *, used: int, now: datetime
) -> float:
    """Return how many unspent credits of the replies' share the schedule may use today.

    ``past`` has the credits of replies in each hour (UTC) of each of the last days, and ``used``
    the credits of today. A reserve for the rest of the day is subtracted.
    """
    share = daily_credits_for_replies(limits)
    left = (midnight_after(now) - now) / DAY
    if past:
        usual = max(sum(day[now.hour :]) for day in past)
        kept = max(_MORE_THAN_USUAL * usual, _FOR_NEW_HABITS * share * left)
    else:
        kept = share * left
    return max(0.0, share - used - kept)


def midnight_of(day: date) -> datetime:
    """Return the beginning of a day (UTC)."""
    return datetime.combine(day, time(), UTC)


def midnight_after(now: datetime) -> datetime:
    """Return the beginning of the next day (UTC)."""
    return midnight_of(now.date()) + DAY
