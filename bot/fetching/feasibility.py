"""Whether the budget still checks all that is followed in time; the admins are told when not.

Nobody can subscribe past the budget, but it can be lowered afterwards, or a check cost more.
"""

from collections.abc import Sequence
from datetime import datetime
from math import ceil

from bot.billing import shortfalls
from bot.billing.shortfalls import Shortfall
from bot.domain.budget import poll_shares
from bot.domain.errors import N_
from bot.domain.incidents import SetIncident
from bot.scheduling.pricing import fewest_credits, is_feasible
from bot.store.database import Database

_SPARE = 1.05  # what a check costs is a mean that moves: the lack ends with so much of the need

_TOO_SMALL = N_(
    "The daily budget is too small: it is enough to check {enough} of {profiles} profiles before "
    "their stories expire, so some will be missed. To check them all takes {credits} credits a "
    "day; DAILY_BUDGET={daily_budget} gives that."
)
_ALL_FOR_REPLIES = N_(
    "The daily budget is too small: it is enough to check {enough} of {profiles} profiles before "
    "their stories expire, so some will be missed. To check them all takes {credits} credits a "
    "day; REPLY_SHARE=1 leaves nothing for checks."
)


class BudgetWatch:
    """Tells the bot's admins once that the budget is too small, and once that it is not."""

    def __init__(self, db: Database, *, set_incident: SetIncident | None = None) -> None:
        """Open and end an incident by ``set_incident``; else it is only kept for /spending."""
        self._db = db
        self._set = set_incident

    async def check(
        self,
        budget: float,
        counts: Sequence[int],
        cost: float,
        *,
        reply_share: float,
        now: datetime,
    ) -> None:
        """Judge ``budget``, credits a day; the others are as in ``shortfall``."""
        async with self._db.begin() as tx:
            was_short = await shortfalls.kept(tx) is not None
            lack = shortfall(budget, counts, cost, reply_share=reply_share, was_short=was_short)
            is_news = await shortfalls.record(tx, lack, now=now)
        if is_news and self._set is not None:
            await (self._set(None) if lack is None else _tell_of(self._set, lack))


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
    shares = poll_shares(budget, known=known, fresh=fresh)
    parts = poll_shares(1.0, known=known, fresh=fresh)
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


async def _tell_of(tell: SetIncident, lack: Shortfall) -> None:
    await tell(
        _ALL_FOR_REPLIES if lack.daily_budget is None else _TOO_SMALL,
        enough=lack.enough,
        profiles=lack.profiles,
        credits=lack.credits,
        daily_budget=lack.daily_budget,
    )
