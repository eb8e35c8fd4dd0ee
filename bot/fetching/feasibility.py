"""The check whether the budget covers all followed profiles, and the refused profiles.

Subscriptions beyond the budget are refused, but the budget can be lowered afterwards, or a check
can become more expensive. The owners are notified of both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal

from bot.domain.budget import share_with_newcomers
from bot.domain.incidents import SetIncident
from bot.domain.sentences import NN_
from bot.scheduling.pricing import fewest_credits, is_feasible

# A shortfall ends only with this reserve, because the mean cost of a check fluctuates.
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
    """The number of ``profiles`` that can be checked in time, and the daily credits that all need.

    ``daily_budget`` is the setting that gives the checks enough credits. None: with the current
    ``REPLY_SHARE`` the checks get no part of any budget.
    """

    profiles: int
    enough: int
    credits: int
    daily_budget: int | None


class BudgetWatch:
    """Notifies the owners when the budget becomes too small or sufficient for the checks."""

    def __init__(
        self,
        set_incident: SetIncident,
        set_capacity: SetIncident | None = None,
        *,
        credit_price: float = 0.0,
    ) -> None:
        """Open and end incidents with ``set_incident`` and ``set_capacity``, which report changes.

        ``credit_price`` is in US dollars.
        """
        self._set = set_incident
        self._set_capacity = set_capacity
        self._credit_price = credit_price
        self._last: Shortfall | Literal["unknown"] | None = "unknown"
        # A value that differs from each report.
        self._last_refused: tuple[int, int | None] | None = (-1, None)

    async def check_refused(
        self, budget: float, counts: Sequence[int], cost: float, *, reply_share: float, people: int
    ) -> None:
        """Report today's number of refused persons who are no newcomers, and a sufficient budget.

        Each person counts as a single additional profile, so repeated requests do not raise the
        reported budget.
        """
        known, fresh = counts
        lack = shortfall(budget, (known + people, fresh), cost, reply_share=reply_share)
        wanted = (people, lack.daily_budget) if people and lack else None
        if self._set_capacity is None or wanted == self._last_refused:
            return
        self._last_refused = wanted
        if wanted is None or wanted[1] is None:
            await self._set_capacity(None)
            return
        dollars = ceil(_DAYS_OF_MONTH * wanted[1] * self._credit_price)
        await self._set_capacity(_REFUSED, n=people, daily_budget=wanted[1], dollars=dollars)

    async def check(
        self, budget: float, counts: Sequence[int], cost: float, *, reply_share: float
    ) -> None:
        """Evaluate ``budget``, in credits per day; the other arguments are as in ``shortfall``."""
        was_short = isinstance(self._last, Shortfall)
        lack = shortfall(budget, counts, cost, reply_share=reply_share, was_short=was_short)
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


def capacity(budget: float, cost: float) -> int:
    """Return the number of profiles that a budget covers. ``cost`` are the credits of a check."""
    return int(budget / fewest_credits(cost) + 1e-9) if cost > 0 else 0


def shortfall(
    budget: float,
    counts: Sequence[int],
    cost: float,
    *,
    reply_share: float,
    was_short: bool = False,
) -> Shortfall | None:
    """Return the shortfall of ``budget``, the guaranteed daily credits of checks, or None.

    ``counts`` are the numbers of profiles that known persons follow and that only newcomers
    follow, ``cost`` the credits of a check.
    """
    known, fresh = counts
    shares = share_with_newcomers(budget, known=known, fresh=fresh)
    parts = share_with_newcomers(1.0, known=known, fresh=fresh)
    spare = _SPARE if was_short else 1.0
    sides = list(zip(counts, shares, parts, strict=True))
    if all(is_feasible(share, count * cost * spare) for count, share, _ in sides):
        return None
    needed = max(_SPARE * fewest_credits(count * cost) / part for count, _, part in sides)
    enough = sum(
        min(count, int(share / (_SPARE * fewest_credits(cost)))) if count else 0
        for count, share, _ in sides
    )
    daily_budget = ceil(ceil(needed) / (1 - reply_share) - 1e-6) if reply_share < 1 else None
    return Shortfall(known + fresh, enough, ceil(needed), daily_budget)
