"""The budget rules as arithmetic: the limits, and the division of a day between two sides."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Literal

from bot.domain.packs import DEFAULT_BUDGET

Side = Literal["replies", "schedule"]
DAY = timedelta(days=1)
NEWCOMERS_PART = 0.03  # the part of the schedule's budget for profiles followed by newcomers only
OF_NEWCOMER = 0.3  # a newcomer's part of the daily credits of a person
_MORE_THAN_USUAL = 1.2
_FOR_NEW_HABITS = 0.1
# The elapsed part of the day counts as at least an hour, so that the rate of an early request is
# not exaggerated.
_SHORTEST_PAST = 1 / 24


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits set by the owner, in credits; days are UTC days."""

    daily_budget: int = DEFAULT_BUDGET
    reply_share: float = 0.5
    chat_daily_allowance: int = 100
    person_daily_allowance: int = 100
    minimum_balance: int = 0
    # Credits per day; None: the limit of all persons applies.
    newcomer_allowance: int | None = None
    # The share of all newcomers together in the replies' part of the budget.
    newcomer_share: float = 1.0


@dataclass(frozen=True, slots=True)
class Allowances:
    """The daily limits, in credits, that apply to a request of one person in one chat.

    ``chat`` is the limit of all people in the chat together. ``own`` is the limit of the person in
    all chats. ``newcomers`` is the limit of all newcomers together, or None if the person is no
    newcomer.
    """

    chat: int
    own: int
    newcomers: int | None


def allowances_for(
    limits: Limits,
    *,
    is_known: bool,
    of_chat: int | None = None,
    of_person: int | None = None,
) -> Allowances:
    """Return the daily limits of a person in a chat.

    Limits that the owner has set for the chat or the person take precedence. A person who is not
    ``is_known`` is a newcomer. If ``newcomer_allowance`` is set, a newcomer has a smaller limit
    from a separate part of the budget. A thousand new accounts therefore leave the rest of the
    budget to known people.
    """
    chat = limits.chat_daily_allowance if of_chat is None else of_chat
    if of_person is not None:
        return Allowances(chat, of_person, None)
    if is_known or limits.newcomer_allowance is None:
        return Allowances(chat, limits.person_daily_allowance, None)
    own = min(limits.person_daily_allowance, limits.newcomer_allowance)
    replies = round(limits.daily_budget * limits.reply_share)
    return Allowances(chat, own, math.floor(replies * limits.newcomer_share))


def share_with_newcomers(budget: float, *, known: int, fresh: int) -> tuple[float, float]:
    """Divide the schedule's daily credits into those for known persons and for newcomers.

    The first part pays for profiles that known persons follow, the second part for profiles that
    only newcomers follow. ``known`` and ``fresh`` are the numbers of these profiles. If one group
    follows no profile, each part is the whole budget. The part of newcomers is much less than a
    tenth, because the alerts of known people may not be delayed by more than a tenth.
    """
    if not known or not fresh:
        return budget, budget
    return budget * (1 - NEWCOMERS_PART), budget * NEWCOMERS_PART


@dataclass(frozen=True, slots=True)
class BudgetRule:
    """The rule of one side of the budget, replies or the schedule.

    The side may spend the day's budget except ``protected``, the credits that are reserved for the
    other side. ``protected`` shrinks during the day, and never exceeds the unused share of the
    other side.
    """

    budget: int
    others_share: int
    protected: int

    def room(self, *, own_spending: int, spending_of_others: int) -> int:
        """Return the credits that a side of the budget may still spend today.

        ``own_spending`` are the credits that the side has spent, and ``spending_of_others`` the
        credits of the opposite side.
        """
        kept = max(0, min(self.protected, self.others_share - spending_of_others))
        return max(0, self.budget - own_spending - spending_of_others - kept)


def side_rule_for(side: Side, limits: Limits, now: datetime) -> BudgetRule:
    """Return the rule of ``side`` now: the rest of the budget minus the protected part.

    At midnight the whole share of the other side is protected. At noon half of the share is
    protected. Each side can therefore borrow from the other side, and neither side runs out of
    credits before the evening. The unused share of the other side is the maximum.
    """
    spending_of_others = _share_of_other(side, limits)
    left = (midnight_after(now) - now) / DAY
    return BudgetRule(
        limits.daily_budget, spending_of_others, math.ceil(spending_of_others * left)
    )


def _share_of_other(side: Side, limits: Limits) -> int:
    replies = round(limits.daily_budget * limits.reply_share)
    return limits.daily_budget - replies if side == "replies" else replies


def budget_free_at(
    side: Side,
    limits: Limits,
    used: tuple[int, int],
    nominal: int,
    now: datetime,
) -> datetime:
    """Return when ``side`` may spend ``nominal`` credits, at the latest midnight (UTC).

    ``used`` are the credits that replies and the schedule have spent today. The protected share of
    the other side shrinks during the day. The other side is expected to spend at today's rate, so
    only the unspent part of the share becomes free.
    """
    midnight = midnight_after(now)
    share = _share_of_other(side, limits)
    left = (midnight - now) / DAY
    spending_of_others = used[1] if side == "replies" else used[0]
    # Credits are whole: the actual spending may exceed the expected spending by one credit.
    missing = nominal + sum(used) + share * left - limits.daily_budget + bool(spending_of_others)
    freed_a_day = share - spending_of_others / max(1 - left, _SHORTEST_PAST)
    if freed_a_day <= 0:
        return midnight
    return min(midnight, now + DAY * max(0.0, missing) / freed_a_day)


def left_by_replies(
    limits: Limits, past: Sequence[Sequence[int]], *, used: int, now: datetime
) -> float:
    """Return the part of today's reply share that the schedule may use.

    ``past`` has the credits that replies spent in each hour (UTC) of the last days. ``used`` are
    the credits that replies have spent today. For the rest of the day, replies keep 120 % of the
    credits that the most expensive of the last days spent from this hour on. Replies also keep at
    least a tenth of the share of the remaining hours. If ``past`` is empty, replies keep an even
    part of the share.
    """
    share = round(limits.daily_budget * limits.reply_share)
    left = (midnight_after(now) - now) / DAY
    if past:
        usual = max(sum(day[now.hour :]) for day in past)
        kept = max(_MORE_THAN_USUAL * usual, _FOR_NEW_HABITS * share * left)
    else:
        kept = share * left
    return max(0.0, share - used - kept)


def midnight_after(now: datetime) -> datetime:
    """Return the beginning of the next day (UTC)."""
    return datetime.combine(now.date(), time(), UTC) + DAY
