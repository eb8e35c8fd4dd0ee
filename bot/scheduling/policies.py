"""The rules by which a check is due: the bot's own, and what others do, to be compared with.

The others name an interval; the price stretches all intervals of a rule alike, so that each rule
spends the same budget.
"""

from bisect import bisect_right
from collections.abc import Sequence
from math import sqrt
from typing import Protocol

from bot.scheduling.forecast import ProfileState, learn, reach
from bot.scheduling.pricing import Demand
from bot.scheduling.waiting_time import DAY

_WEEK = 7 * DAY


class Policy(Protocol):
    """How a check teaches, and when the next one is due at a price.

    ``by_rhythm`` is true when the credits of a day are let out as they are wanted in its hours.
    """

    by_rhythm: bool

    def learn(
        self, state: ProfileState, demand: Demand, at: float, taken: Sequence[float]
    ) -> None:
        """Change ``state`` by a check of ``at`` that showed stories ``taken`` then, sorted."""

    def hours(  # noqa: PLR0917 - called once a check, and keywords cost time
        self,
        state: ProfileState,
        demand: Demand,
        price: float,
        weight: float,
        cost: float,
        most: float,
    ) -> float:
        """Return after how many hours the next check is due, ``most`` at the latest."""


class Learned:
    """The bot's rule: check when subscribers x expected waiting reaches price x cost."""

    by_rhythm = True

    def learn(
        self, state: ProfileState, demand: Demand, at: float, taken: Sequence[float]
    ) -> None:
        """Learn by ``bot.scheduling.forecast``."""
        learn(state, demand.population, at=at, taken=taken)

    def hours(  # noqa: PLR0917 - as the protocol has it
        self,
        state: ProfileState,
        demand: Demand,
        price: float,
        weight: float,
        cost: float,
        most: float,
    ) -> float:
        """Return when the expected waiting is worth a check."""
        if weight <= 0:
            return most
        return reach(state, demand.population, target=price * cost / weight, most=most)


class Fixed:
    """The same interval for every profile, in hours."""

    by_rhythm = False

    def __init__(self, hours: float) -> None:
        """Keep the interval."""
        self._hours = hours

    def learn(
        self,
        state: ProfileState,
        demand: Demand,  # noqa: ARG002 - the protocol's
        at: float,
        taken: Sequence[float],  # noqa: ARG002 - the protocol's
    ) -> None:
        """Learn nothing."""
        state.seen_at = at

    def hours(self, *_: object) -> float:
        """Return the interval, whoever waits."""
        return self._hours


class EntryFrequency:
    """A week divided by its stories, stretched by the price; 5 minutes to a day."""

    by_rhythm = False

    def __init__(self) -> None:
        """Begin without a past."""
        self._taken: dict[int, list[float]] = {}

    def learn(
        self,
        state: ProfileState,
        demand: Demand,  # noqa: ARG002 - the protocol's
        at: float,
        taken: Sequence[float],
    ) -> None:
        """Keep the times of a week."""
        kept = self._taken.setdefault(id(state), [])
        kept += taken[bisect_right(taken, state.story_at) :]
        if taken:
            state.story_at = taken[-1]
        del kept[: bisect_right(kept, at - _WEEK)]
        state.seen_at = at

    def hours(  # noqa: PLR0917 - as the protocol has it
        self,
        state: ProfileState,
        demand: Demand,  # noqa: ARG002 - the protocol's
        price: float,
        weight: float,  # noqa: ARG002 - the protocol's
        cost: float,  # noqa: ARG002 - the protocol's
        most: float,
    ) -> float:
        """Return the week's share."""
        entries = len(self._taken.get(id(state), ()))
        own = 7 * 24 / entries if entries else 24.0
        return min(max(own * sqrt(price), 1 / 12), 24.0, most)
