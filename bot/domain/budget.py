"""What may be spent, as arithmetic: the limits, and how two sides share the budget of a day."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Literal

Side = Literal["replies", "schedule"]
DAY = timedelta(days=1)
NEWCOMERS_PART = 0.03  # of the schedule's budget
_MORE_THAN_USUAL = 1.2
_FOR_NEW_HABITS = 0.1
_SHORTEST_PAST = 1 / 24  # of a day, from which a pace can be told


@dataclass(frozen=True, slots=True)
class Limits:
    """What the owner allows, in credits; the days are those of UTC."""

    daily_budget: int = 1000
    reply_share: float = 0.5
    chat_daily_allowance: int = 100
    person_daily_allowance: int = 100
    minimum_balance: int = 0
    newcomer_allowance: int | None = None  # None: who is new may spend as much as others
    newcomer_share: float = 1.0  # of the replies' part of the budget, for all newcomers together


@dataclass(frozen=True, slots=True)
class Allowances:
    """What one asker may spend a day: ``chat`` is for all in it, ``own`` over all chats.

    ``newcomers`` is for all who are new, None for others.
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
    """Return what an asker may spend a day; what was set for the chat or the person goes before.

    Who is new has less, and only of a part that is set aside, so that a thousand accounts made
    today leave the rest to those who were here before.
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
    """Return the schedule's credits a day for what known people follow, and newcomers alone.

    ``known`` and ``fresh`` count the profiles of each; where one side follows nothing, the other
    has it all. The part of newcomers is less than a tenth: a tenth less credits, spent at times
    that nobody plans, make alerts come later by more than a tenth, and nobody's may.
    """
    if not known or not fresh:
        return budget, budget
    return budget * (1 - NEWCOMERS_PART), budget * NEWCOMERS_PART


@dataclass(frozen=True, slots=True)
class BudgetRule:
    """What one side may take of a day: all that is left but a protected part of the other's share.

    ``protected`` shrinks through the day; no more is protected than the other side has not used.
    """

    budget: int
    others_share: int
    protected: int

    def room(self, *, mine: int, others: int) -> int:
        """Return what may still be taken when so much is spent."""
        kept = max(0, min(self.protected, self.others_share - others))
        return max(0, self.budget - mine - others - kept)


def side_rule_for(side: Side, limits: Limits, now: datetime) -> BudgetRule:
    """Return what ``side`` may take now: what is left, less the other's share of the coming hours.

    At midnight the whole share of the other side is protected, at noon half of it, and never more
    than the other has not yet used: so both borrow, and nobody starves before the evening.
    """
    others = _share_of_other(side, limits)
    left = (midnight_after(now) - now) / DAY
    return BudgetRule(limits.daily_budget, others, math.ceil(others * left))


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
    """Return when enough of the other side's protected share has become free, or midnight.

    ``used`` is what replies and the schedule have spent today. The other side is expected to go on
    spending as it did today: what becomes free is only what it does not take.
    """
    midnight = midnight_after(now)
    share, left = _share_of_other(side, limits), (midnight - now) / DAY
    others = used[1] if side == "replies" else used[0]
    # Credits are whole: what is spent by then may be one more than the pace says.
    missing = nominal + sum(used) + share * left - limits.daily_budget + bool(others)
    freed_a_day = share - others / max(1 - left, _SHORTEST_PAST)
    if freed_a_day <= 0:
        return midnight
    return min(midnight, now + DAY * max(0.0, missing) / freed_a_day)


def left_by_replies(
    limits: Limits, past: Sequence[Sequence[int]], *, used: int, now: datetime
) -> float:
    """Return what of the replies' share of today nobody will ask for: the schedule may have it.

    ``past`` has what replies spent in each of the 24 hours (UTC) of the last days, ``used`` what
    they spent today. Replies keep a fifth more than the dearest of these days took from this hour
    on, and a tenth of their share for people who never asked before; without a past, an even part.
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
    """Return when the next day begins (UTC)."""
    return datetime.combine(now.date(), time(), UTC) + DAY
