"""Monitoring of the budget: can the budget check all followed profiles in time?

The owners are notified if the budget is too small. New subscriptions cannot exceed the budget, but
the owner can lower the budget later, and the price of a check can rise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal

from bot.domain.budget import share_with_newcomers
from bot.domain.incidents import SetIncident
from bot.domain.sentences import NN_
from bot.scheduling.pricing import fewest_credits, is_feasible

_SPARE = 1.05  # the cost of a check is a moving mean: a shortfall ends with this reserve

_TOO_SMALL = NN_(
    "The daily budget is too small: it covers only {enough} of {n} profile before its stories "
    "expire, so some will be missed. DAILY_BUDGET={daily_budget} is enough for all.",
    "The daily budget is too small: it covers only {enough} of {n} profiles before their stories "
    "expire, so some will be missed. DAILY_BUDGET={daily_budget} is enough for all.",
)
_ALL_FOR_REPLIES = NN_(
    "The daily budget is too small: it covers only {enough} of {n} profile before its stories "
    "expire, so some will be missed. REPLY_SHARE=1 leaves nothing for checks.",
    "The daily budget is too small: it covers only {enough} of {n} profiles before their stories "
    "expire, so some will be missed. REPLY_SHARE=1 leaves nothing for checks.",
)


@dataclass(frozen=True, slots=True)
class Shortfall:
    """The number of ``profiles`` that can be checked in time, and the daily credits that all need.

    ``daily_budget`` is the setting that gives the checks enough credits; None if ``REPLY_SHARE``
    leaves the checks no part of any budget.
    """

    profiles: int
    enough: int
    credits: int
    daily_budget: int | None


class BudgetWatch:
    """Notifies the bot's owners when the budget becomes too small, or sufficient again."""

    def __init__(self, set_incident: SetIncident) -> None:
        """Open and close the incident with ``set_incident``, once for each change."""
        self._set = set_incident
        self._last: Shortfall | Literal["unknown"] | None = "unknown"

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
    follow, ``cost`` the credits of one check.
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
