"""The check whether the budget is enough for all subscribed profiles.

A subscription that the budget does not cover is refused. The owners are notified of refused people
and of a budget that has become too small.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal

from bot.domain.budget import split_budget_with_newcomers
from bot.domain.incidents import SetIncident
from bot.domain.sentences import NN_
from bot.scheduling.pricing import fewest_credits_a_day, is_feasible

# A shortfall ends only if the budget exceeds the need by this factor. Otherwise, notifications
# about the start and the end of a shortfall would alternate, because the mean cost of a check
# varies.
_SPARE = 1.05

_TOO_SMALL = NN_(
    "The daily budget is too small: it covers only {enough} of {n} profile before its stories "
    "expire, so some will be missed. DAILY_BUDGET={daily_budget} is enough for all.",
    "The daily budget is too small: it covers only {enough} of {n} profiles before their stories "
    "expire, so some will be missed. DAILY_BUDGET={daily_budget} is enough for all.",
)
_REFUSED = NN_(
    "{n} regular user couldn't subscribe today, because the budget covers no more profiles. "
    "DAILY_BUDGET={daily_budget}, about ${dollars} a month, would be enough.",
    "{n} regular users couldn't subscribe today, because the budget covers no more profiles. "
    "DAILY_BUDGET={daily_budget}, about ${dollars} a month, would be enough.",
)
_DAYS_OF_MONTH = 30
_ALL_FOR_REPLIES = NN_(
    "The daily budget is too small: it covers only {enough} of {n} profile before its stories "
    "expire, so some will be missed. REPLY_SHARE=1 leaves nothing for checks.",
    "The daily budget is too small: it covers only {enough} of {n} profiles before their stories "
    "expire, so some will be missed. REPLY_SHARE=1 leaves nothing for checks.",
)


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A budget that is too small for all subscribed profiles.

    Of ``profiles`` profiles, ``enough`` can be checked in time. All profiles need ``credits`` a
    day. Both numbers include a reserve of 5 %. ``daily_budget`` is the sufficient setting, or None
    if no setting is enough.
    """

    profiles: int
    enough: int
    credits: int
    daily_budget: int | None


class BudgetWatch:
    """Notifies the owners if the budget becomes too small for the checks, or is enough again."""

    def __init__(
        self,
        set_incident: SetIncident,
        set_capacity: SetIncident | None = None,
        *,
        credit_price: float = 0.0,
    ) -> None:
        """Create the watch.

        ``set_incident`` reports a budget that is too small. ``set_capacity`` reports refused
        people. ``credit_price`` is in US dollars.
        """
        self._set = set_incident
        self._set_capacity = set_capacity
        self._credit_price = credit_price
        self._last: Shortfall | Literal["unknown"] | None = "unknown"
        # The last report. The initial value differs from every report, so that the first call
        # reports.
        self._last_refused: tuple[int, int | None] | None = (-1, None)

    async def report_refused_people(
        self,
        daily_check_budget: float,
        counts: Sequence[int],
        check_cost: float,
        *,
        reply_share: float,
        people: int,
    ) -> None:
        """Report how many known persons could not subscribe today, and a sufficient budget.

        Each of the ``people`` counts as one more profile. The other arguments are the same as in
        ``shortfall``.
        """
        known, fresh = counts
        lack = shortfall(
            daily_check_budget, (known + people, fresh), check_cost, reply_share=reply_share
        )
        wanted = (people, lack.daily_budget) if people and lack else None
        if self._set_capacity is None or wanted == self._last_refused:
            return
        self._last_refused = wanted
        if wanted is None or wanted[1] is None:
            await self._set_capacity(None)
            return
        dollars = ceil(_DAYS_OF_MONTH * wanted[1] * self._credit_price)
        await self._set_capacity(_REFUSED, n=people, daily_budget=wanted[1], dollars=dollars)

    async def report_shortfall_or_its_end(
        self,
        daily_check_budget: float,
        counts: Sequence[int],
        check_cost: float,
        *,
        reply_share: float,
    ) -> None:
        """Report whether ``daily_check_budget``, in credits, is too small for all profiles.

        Nothing is reported if the result is the same as in the last call. The other arguments are
        the same as in ``shortfall``.
        """
        was_short = isinstance(self._last, Shortfall)
        lack = shortfall(
            daily_check_budget, counts, check_cost, reply_share=reply_share, was_short=was_short
        )
        if lack == self._last:
            return
        if lack is None:
            await self._set(None)
        else:
            sentence = _ALL_FOR_REPLIES if lack.daily_budget is None else _TOO_SMALL
            await self._set(
                sentence, n=lack.profiles, enough=lack.enough, daily_budget=lack.daily_budget
            )
        self._last = lack


def count_checkable_profiles(daily_check_budget: float, check_cost: float) -> int:
    """Return the number of profiles that a daily budget can check before their stories expire.

    ``daily_check_budget`` is in credits per day, and ``check_cost`` in credits per check. With a
    cost of 0, return 0.
    """
    if check_cost <= 0:
        return 0
    return int(daily_check_budget / fewest_credits_a_day(check_cost) + 1e-9)


def shortfall(
    daily_check_budget: float,
    counts: Sequence[int],
    check_cost: float,
    *,
    reply_share: float,
    was_short: bool = False,
) -> Shortfall | None:
    """Return the shortfall of ``daily_check_budget``, or None if the budget covers the checks.

    - ``daily_check_budget``: the credits that checks get on every day, without the credits for
      replies.
    - ``counts``: the number of profiles that a known person follows, and the number of profiles
      that only newcomers follow.
    - ``check_cost``: the credits of a check.
    - ``was_short``: the budget was too small before, and now needs a reserve of 5 %.
    - ``reply_share``: the part of the daily budget for replies, from 0 to 1.
    """
    known, fresh = counts
    shares = split_budget_with_newcomers(
        daily_check_budget, known_profiles=known, newcomer_profiles=fresh
    )
    parts = split_budget_with_newcomers(1.0, known_profiles=known, newcomer_profiles=fresh)
    spare = _SPARE if was_short else 1.0
    sides = list(zip(counts, shares, parts, strict=True))
    if all(is_feasible(share, count * check_cost * spare) for count, share, _ in sides):
        return None
    of_check = _SPARE * fewest_credits_a_day(check_cost)
    enough = 0
    needed = 0
    for count, share, part in sides:
        enough += min(count, int(share / of_check))
        needed = max(needed, ceil(_SPARE * fewest_credits_a_day(count * check_cost) / part))
    daily_budget = None
    if reply_share < 1:
        daily_budget = ceil(needed / (1 - reply_share) - 1e-6)
    return Shortfall(known + fresh, enough, needed, daily_budget)
