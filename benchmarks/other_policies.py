"""Rules beside the bot's own, to be compared with.

Those that name an interval are stretched alike by the price, so that each spends the same budget.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from math import exp, sqrt

from benchmarks.traces import DAY, HOUR, START, Law
from bot.scheduling.forecast import ProfileState, rate_of
from bot.scheduling.policies import Learned
from bot.scheduling.pricing import Demand
from bot.scheduling.waiting_time import hours_to_target, rhythm_at


class Fixed(Learned):
    """The same interval for every profile, in hours."""

    by_rhythm = False

    def __init__(self, hours: float) -> None:
        """Keep the interval."""
        self._hours = hours

    def learn(
        self,
        state: ProfileState,
        demand: Demand,  # noqa: ARG002 - the rule's
        at: float,
        taken: Sequence[float],  # noqa: ARG002 - the rule's
    ) -> None:
        """Learn nothing."""
        state.seen_at = at

    def hours_to_due(self, *_: object) -> float:
        """Return the interval, whoever waits."""
        return self._hours


class EntryFrequency(Learned):
    """A week divided by its stories, stretched by the price; 5 minutes to a day."""

    by_rhythm = False

    def __init__(self) -> None:
        """Begin without a past."""
        self._taken: dict[int, list[float]] = {}

    def learn(
        self,
        state: ProfileState,
        demand: Demand,  # noqa: ARG002 - the rule's
        at: float,
        taken: Sequence[float],
    ) -> None:
        """Keep the times of a week."""
        kept = self._taken.setdefault(id(state), [])
        kept += taken[bisect_right(taken, state.story_at) :]
        if taken:
            state.story_at = taken[-1]
        del kept[: bisect_right(kept, at - 7 * DAY)]
        state.seen_at = at

    def hours_to_due(  # noqa: PLR0917 - as the rule has it
        self,
        state: ProfileState,
        demand: Demand,  # noqa: ARG002 - the rule's
        price: float,
        weight: float,  # noqa: ARG002 - the rule's
        cost: float,  # noqa: ARG002 - the rule's
        most: float,
    ) -> float:
        """Return the week's share."""
        entries = len(self._taken.get(id(state), ()))
        own = 7 * 24 / entries if entries else 24.0
        return min(max(own * sqrt(price), 1 / 12), 24.0, most)


class HalveAndStep(Learned):
    """AIMD: half the interval after a story, half an hour more after none."""

    by_rhythm = False

    def __init__(self) -> None:
        """Begin without a past."""
        self._intervals: dict[int, float] = {}

    def learn(
        self,
        state: ProfileState,
        demand: Demand,  # noqa: ARG002 - the rule's
        at: float,
        taken: Sequence[float],
    ) -> None:
        """Change the interval; ``taken`` is what earlier looks did not show."""
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
        """Return the interval, stretched by the price."""
        return min(self._intervals.get(id(state), 4.0) * sqrt(price), most)


class SquareRoot(Learned):
    """Looks in proportion to √(subscribers x learned rate)."""

    by_rhythm = False

    def hours_to_due(  # noqa: PLR0917 - as the rule has it
        self,
        state: ProfileState,
        demand: Demand,
        price: float,
        weight: float,
        cost: float,
        most: float,
    ) -> float:
        """Return the interval that is best at a constant rate."""
        if weight <= 0:
            return most
        return min(sqrt(2 * price * cost / weight / rate_of(state, demand.population)), most)


class TrueIntensity(Learned):
    """The bot's rule, told each profile's law and its true rate of the day."""

    def __init__(self, laws: Sequence[Law]) -> None:
        """Keep the laws, in the order of the records."""
        self._given = laws
        self._laws: dict[int, Law] = {}

    def bind(self, states: Iterable[ProfileState]) -> None:
        """Say whose law is whose."""
        self._laws = dict(zip(map(id, states), self._given, strict=True))

    @staticmethod
    def _rate(law: Law, at: float) -> float:
        return law.rates[min(max(int((at - START) // DAY), 0), len(law.rates) - 1)]

    def learn(
        self,
        state: ProfileState,
        demand: Demand,  # noqa: ARG002 - the rule's
        at: float,
        taken: Sequence[float],
    ) -> None:
        """Keep what the last stories excite, and the rate for the sums."""
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
        """Return when the waiting that the law expects is worth a look."""
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
