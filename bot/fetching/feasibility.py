"""Whether the budget still checks all that is followed in time; the owners are told when not.

Nobody can subscribe past the budget, but it can be lowered afterwards, or a check cost more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal

from bot.domain.budget import share_with_newcomers
from bot.domain.incidents import SetIncident
from bot.domain.sentences import NN_
from bot.scheduling.pricing import fewest_credits, is_feasible

_SPARE = 1.05  # what a check costs is a mean that moves: the lack ends with so much of the need

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
    """How many of ``profiles`` can be checked in time, and the credits a day that all need.

    ``daily_budget`` is the setting that gives the checks so much; None where ``REPLY_SHARE``
    leaves them nothing of any.
    """

    profiles: int
    enough: int
    credits: int
    daily_budget: int | None


class BudgetWatch:
    """Tells the bot's owners that the budget is too small, and that it is not any more."""

    def __init__(self, set_incident: SetIncident) -> None:
        """Open and end an incident by ``set_incident``, which says each once."""
        self._set = set_incident
        self._last: Shortfall | Literal["unknown"] | None = "unknown"

    async def check(
        self, budget: float, counts: Sequence[int], cost: float, *, reply_share: float
    ) -> None:
        """Judge ``budget``, credits a day; the others are as in ``shortfall``."""
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
    """Return what is lacking of ``budget``, the credits a day that checks are sure to have.

    ``counts`` are the profiles that known people follow and that newcomers alone do, ``cost`` the
    credits of one check.
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
