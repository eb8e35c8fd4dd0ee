"""A daily budget that is too small: what it is enough for, and what all would cost.

Written by the scheduler, which alone knows what a check costs; read by what tells of the spending.
"""

from dataclasses import asdict, dataclass
from datetime import datetime

from bot.store import key_values
from bot.store.database import Tx

_KEY = "budget_short"


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


async def kept(tx: Tx) -> Shortfall | None:
    """Return what was found last; None while the budget is enough."""
    value = await key_values.get(tx, _KEY)
    return Shortfall(**value) if isinstance(value, dict) else None


async def record(tx: Tx, shortfall: Shortfall | None, *, now: datetime) -> bool:
    """Keep what was found; return whether it is news that there is one, or that there is none."""
    if shortfall is None:
        return await key_values.remove(tx, _KEY)
    is_news = await key_values.add(tx, _KEY, asdict(shortfall), now=now)
    if not is_news:
        await key_values.put(tx, _KEY, asdict(shortfall), now=now)
    return is_news
