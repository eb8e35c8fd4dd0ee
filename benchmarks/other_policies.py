"""Scheduling rules for comparison with the bot's own rule.

A rule with an interval multiplies the interval by a function of the price, so that each rule
spends the same budget.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from math import exp, sqrt

from benchmarks.traces import DAY, HOUR, START, Law
from bot.scheduling.forecast import ProfileState, expected_stories_per_hour
from bot.scheduling.policies import Learned
from bot.scheduling.pricing import Demand, longest_pause_hours
from bot.scheduling.waiting_time import hours_to_target, rhythm_at

SHORTEST = 1 / 60
"""The shortest interval of ``KnownRate``, in hours: the shortest pause of the bot by default."""


class Unlearned(Learned):
    """A rule that learns nothing."""

    by_rhythm = False

    def learn(
        self,
        state: ProfileState,
        demand: Demand,  # noqa: ARG002 - signature of the rule
        at: float,
        taken: Sequence[float],  # noqa: ARG002 - signature of the rule
    ) -> None:
        """Record only the time of the check, because the rule learns nothing."""
        state.seen_at = at


class Fixed(Unlearned):
    """A rule with the same interval in hours for every profile."""

    def __init__(self, hours: float) -> None:
        """Store the interval."""
        self._hours = hours

    def hours_to_due(self, *_: object) -> float:
        """Return the interval, regardless of the subscribers."""
        return self._hours


class EntryFrequency(Learned):
    """A rule whose interval is a week divided by the number of stories in the last week.

    The interval is scaled by the price, and is between 5 minutes and one day.
    """

    by_rhythm = False

    def __init__(self) -> None:
        """Create the rule without any learned data."""
        self._taken: dict[int, list[float]] = {}

    def learn(
        self,
        state: ProfileState,
        demand: Demand,  # noqa: ARG002 - signature of the rule
        at: float,
        taken: Sequence[float],
    ) -> None:
        """Store the story times of the last week."""
        kept = self._taken.setdefault(id(state), [])
        kept += taken[bisect_right(taken, state.story_at) :]
        if taken:
            state.story_at = taken[-1]
        del kept[: bisect_right(kept, at - 7 * DAY)]
        state.seen_at = at

    def hours_to_due(  # noqa: PLR0917 - signature of the rule
        self,
        state: ProfileState,
        demand: Demand,  # noqa: ARG002 - signature of the rule
        price: float,
        weight: float,  # noqa: ARG002 - signature of the rule
        cost: float,  # noqa: ARG002 - signature of the rule
        most: float,
    ) -> float:
        """Return the mean interval between the stories of the week, scaled by the price."""
        entries = len(self._taken.get(id(state), ()))
        own = 7 * 24 / entries if entries else 24.0
        return min(max(own * sqrt(price), 1 / 12), 24.0, most)


class HalveAndStep(Learned):
    """The rule AIMD.

    If a check finds a story, the rule halves the interval. Otherwise, the rule adds half an hour
    to the interval.
    """

    by_rhythm = False

    def __init__(self) -> None:
        """Create the rule without any learned data."""
        self._intervals: dict[int, float] = {}

    def learn(
        self,
        state: ProfileState,
        demand: Demand,  # noqa: ARG002 - signature of the rule
        at: float,
        taken: Sequence[float],
    ) -> None:
        """Change the interval.

        ``taken`` contains the times of the stories that earlier checks did not return.
        """
        interval = self._intervals.get(id(state), 4.0)
        interval = interval / 2 if taken else interval + 0.5
        self._intervals[id(state)] = min(max(interval, 1 / 12), 24.0)
        state.seen_at = at

    def hours_to_due(
        self,
        state: ProfileState,
        _demand: Demand,
        price: float,
        _weight: float,
        _cost: float,
        most: float,
    ) -> float:
        """Return the interval, scaled by the price."""
        return min(self._intervals.get(id(state), 4.0) * sqrt(price), most)


class SquareRoot(Learned):
    """A rule that checks in proportion to √(subscribers x learned rate)."""

    by_rhythm = False

    def hours_to_due(  # noqa: PLR0917 - signature of the rule
        self,
        state: ProfileState,
        demand: Demand,
        price: float,
        weight: float,
        cost: float,
        most: float,
    ) -> float:
        """Return the interval that is optimal if the rate of stories is constant."""
        if weight <= 0:
            return most
        return min(
            sqrt(2 * price * cost / weight / expected_stories_per_hour(state, demand.population)),
            most,
        )


class KnownRate(Unlearned):
    """The best rule for profiles whose mean rates are constant and known.

    Each profile has one interval, in proportion to 1 / √(subscribers x rate). An interval is at
    least ``SHORTEST`` and at most the longest interval of the bot. ``hours`` are the intervals in
    hours, in the order of the records.
    """

    def __init__(self, rates: Sequence[float], weights: Sequence[float], checks: float) -> None:
        """Compute the intervals.

        ``rates`` are in stories, in any unit of time. ``weights`` are the subscribers. Both are in
        the order of the records. ``checks`` is the mean number of checks per profile and day.
        """
        most = longest_pause_hours(checks)
        wanted = [sqrt(rate * weight) for rate, weight in zip(rates, weights, strict=True)]
        low, high = 0.0, most * max(wanted, default=0.0)
        for _ in range(60):  # halves the range of the common factor
            factor = (low + high) / 2
            self.hours = [_limited(factor, one, most) for one in wanted]
            if sum(24 / hours for hours in self.hours) > checks * len(wanted):
                low = factor
            else:
                high = factor
        self._intervals: dict[int, float] = {}

    def bind(self, states: Iterable[ProfileState]) -> None:
        """Assign the intervals to the profile states."""
        self._intervals = dict(zip(map(id, states), self.hours, strict=True))

    def hours_to_due(self, state: ProfileState, *_: object) -> float:
        """Return the interval of the profile."""
        return self._intervals[id(state)]


def _limited(factor: float, wanted: float, most: float) -> float:
    return min(max(factor / wanted, SHORTEST), most) if wanted else most


class TrueIntensity(Learned):
    """The bot's rule with the true law and daily rate of each profile instead of estimates."""

    def __init__(self, laws: Sequence[Law]) -> None:
        """Store the laws, in the order of the records."""
        self._given = laws
        self._laws: dict[int, Law] = {}

    def bind(self, states: Iterable[ProfileState]) -> None:
        """Assign the laws to the profile states."""
        self._laws = dict(zip(map(id, states), self._given, strict=True))

    @staticmethod
    def _rate(law: Law, at: float) -> float:
        return law.rates[min(max(int((at - START) // DAY), 0), len(law.rates) - 1)]

    def learn(
        self,
        state: ProfileState,
        demand: Demand,  # noqa: ARG002 - signature of the rule
        at: float,
        taken: Sequence[float],
    ) -> None:
        """Update the excitation by the latest stories, and set the true rate."""
        law = self._laws[id(state)]
        for story_at in taken:
            gap = (story_at - state.story_at) / HOUR
            state.fast = (1 + state.fast) * exp(-law.decay * gap) if gap < 48 else 0.0
            state.story_at = story_at
        state.seen_at = at
        state.stories, state.days = 24e6 * self._rate(law, at), 1e6

    def hours_to_due(
        self,
        state: ProfileState,
        _demand: Demand,
        price: float,
        weight: float,
        cost: float,
        most: float,
    ) -> float:
        """Return the hours until the expected delay of stories is worth the price of a check."""
        law = self._laws[id(state)]
        rate = self._rate(law, state.seen_at)
        gap = (state.seen_at - state.story_at) / HOUR
        lively = 0.0
        if gap < 48:
            lively = law.share * law.decay * (1 + state.fast) * exp(-law.decay * gap)
        lively -= law.share * rate * rhythm_at(law.shape, state.seen_at)
        echo = (lively, law.decay * (1 - law.share), 0.0, 1.0)
        target = price * cost / weight
        return hours_to_target(state.seen_at, rate, law.shape, echo, target=target, most=most)
