"""What one profile will post: a rate that forgets, the rhythm of its day and week, and bursts.

Everything is learned from the exact times of stories, which any check shows for the last day, so
learning is counting and there is nothing to explore. All times are unix seconds; rates are
stories an hour. Pure: no clock, no I/O.
"""

from array import array
from bisect import bisect_right
from collections.abc import MutableSequence, Sequence
from dataclasses import dataclass, field
from math import comb, exp, log, sqrt
from typing import Any, Self

from bot.scheduling import rates
from bot.scheduling.waiting_time import DAY, HOUR, Echo, hours_to_target, rhythm_at

_RATE_HALF_LIFE = 10 * DAY
_RHYTHM_HALF_LIFE = 30 * DAY
PRIOR_SESSIONS = (5.0, 50.0)
"""Sessions of the population's rhythm that a profile starts with, where rhythms differ or not."""

_PRIOR_BURSTS = 12.0
"""Stories of the population's burstiness that a profile starts with."""

FAST, SLOW = 15.0, 3.0
"""How fast the two kinds of echo fade, an hour: stories of one scene, and of one outing."""

MOST_ECHOES = 0.85
"""The part of the stories that others may bring about, at most."""

_SAME_SESSION = HOUR
_WITHIN_SESSION = 0.3  # what a further story of a session tells about the hours
# Of a story's hour, to the hours around it: the binomial bell of order six.
_SMOOTHING = tuple((offset, comb(6, offset + 3) / 64) for offset in range(-3, 4))
_PLACES = (0.1, 0.3, 0.5, 0.7, 0.9)  # of a stretch of time, at which the rhythm is read
_RATE_DECAY = log(2) / _RATE_HALF_LIFE
_RHYTHM_DECAY = log(2) / _RHYTHM_HALF_LIFE


@dataclass(frozen=True, slots=True)
class Population:
    """What all profiles have in common; the prior of each. Made by ``pricing.survey``.

    ``rate`` is the mean number of stories a day; ``rhythm`` has mean 1 over 24 hours (UTC);
    ``fast`` and ``slow`` are the parts of the stories that another one brought about, soon or
    later; ``sessions`` is how many sessions the population's rhythm counts for each profile.
    ``exponents`` are those of the experts of ``rates``.
    """

    rate: float = 2.0
    rhythm: tuple[float, ...] = (1.0,) * 24
    fast: float = 0.25
    slow: float = 0.25
    sessions: float = 10.0
    exponents: tuple[float, ...] = rates.EXPONENTS


@dataclass(slots=True)
class ProfileState:
    """The few numbers that a profile's row keeps.

    ``due_at`` and ``price`` are when the next check was put, and at what price. ``stories`` and
    ``days`` forget with the half-life of the rate, ``hours`` with that of the rhythm. ``fast`` and
    ``slow`` are what the stories before the last one still excite; the echoes are how many of the
    ``heard`` stories were brought about by others. ``likeness`` is the evidence that its rhythm is
    the population's. ``sums`` are the stories under the half-lives of ``rates``, ``age`` the days
    in which they were watched.
    """

    seen_at: float = 0.0
    due_at: float = 0.0
    price: float = 0.0
    story_at: float = 0.0
    stories: float = 0.0
    days: float = 0.0
    fast: float = 0.0
    slow: float = 0.0
    fast_echoes: float = 0.0
    slow_echoes: float = 0.0
    heard: float = 0.0
    likeness: float = 0.0
    hours_at: float = 0.0
    hours: MutableSequence[float] = field(default_factory=lambda: array("d", [0.0] * 24))
    age: float = 0.0
    sums: MutableSequence[float] = field(default_factory=rates.empty_sums)
    _rhythm: Sequence[float] | None = field(default=None, repr=False, compare=False)
    _rhythm_of: Population | None = field(default=None, repr=False, compare=False)

    def to_json(self) -> list[Any]:
        """Return it as a short JSON array: 13 numbers, the hours, and the memory of the rate."""
        times = (self.seen_at, self.due_at, self.story_at, self.hours_at)
        numbers = (self.price, self.stories, self.days, self.fast, self.slow)
        echoes = (self.fast_echoes, self.slow_echoes, self.heard, self.likeness)
        return [
            *(round(value, 3) for value in times),
            *(float(f"{value:.6g}") for value in numbers + echoes),
            [round(value, 4) for value in self.hours],
            [round(self.age, 5), *(float(f"{value:.6g}") for value in self.sums)],
        ]

    @classmethod
    def from_json(cls, values: Sequence[Any] | None) -> Self:
        """Return what ``to_json`` gave; a new state for None."""
        if values is None:
            return cls()
        *numbers, hours, (age, *sums) = values
        state = cls(age=age, hours=array("d", hours), sums=array("d", sums))
        for name, number in zip(_NAMES, numbers, strict=True):
            setattr(state, name, number)
        return state


_NAMES = (
    *("seen_at", "due_at", "story_at", "hours_at"),
    *("price", "stories", "days", "fast", "slow"),
    *("fast_echoes", "slow_echoes", "heard", "likeness"),
)


def learn(
    state: ProfileState, population: Population, *, at: float, taken: Sequence[float]
) -> int:
    """Learn from a whole check of ``at``, which showed stories ``taken`` at these times, sorted.

    Returns how many were new. A check before the last one teaches nothing.
    """
    passed = at - state.seen_at
    if passed <= 0:
        return 0
    new = bisect_right(taken, at) - bisect_right(taken, state.story_at) if taken else 0
    passed = min(passed, DAY)  # a check shows one day, whatever was before
    state.age += passed / DAY
    _forget(state.sums, passed)
    retained = exp(-_RATE_DECAY * passed)
    state.stories = state.stories * retained + new
    state.days = state.days * retained + passed / DAY
    if new:
        fresh = taken[bisect_right(taken, state.story_at) : bisect_right(taken, at)]
        for number, decay in enumerate(rates.DECAYS):
            state.sums[number] += sum(exp(decay * (story_at - at) / DAY) for story_at in fresh)
        _learn_stories(state, population, fresh, at)
    state.seen_at = at
    return new


def _forget(sums: MutableSequence[float], passed: float) -> None:
    days = passed / DAY
    for number, decay in enumerate(rates.DECAYS):
        sums[number] *= exp(-decay * days)


def _learn_stories(
    state: ProfileState, population: Population, taken: Sequence[float], at: float
) -> None:
    decay = exp(-_RHYTHM_DECAY * max(0.0, at - state.hours_at))
    hours = state.hours = array("d", [value * decay for value in state.hours])
    state.hours_at = at
    sessions = sum(hours)
    shape = rhythm(state, population)
    rate = rate_of(state, population)
    fast, slow = echo_shares(state, population)
    for story_at in taken:
        hour = int(story_at // HOUR)
        _advance_excitement(state, story_at)
        by_fast = fast * FAST * state.fast
        by_slow = slow * SLOW * state.slow
        everything = by_fast + by_slow + (1.0 - fast - slow) * rate * shape[hour % 24]
        state.fast_echoes += by_fast / everything
        state.slow_echoes += by_slow / everything
        state.heard += 1.0
        weight = 1.0 if story_at - state.story_at > _SAME_SESSION else _WITHIN_SESSION
        usual = population.rhythm[hour % 24] / 24
        own = hours[hour % 24]
        free, bound = PRIOR_SESSIONS
        state.likeness += weight * log(
            (own + bound * usual) / (sessions + bound) / (own + free * usual) * (sessions + free)
        )
        for offset, part in _SMOOTHING:
            hours[(hour + offset) % 24] += weight * part
        sessions += weight
        state.story_at = story_at
    state._rhythm_of = None  # noqa: SLF001 - a cache of this module


def _advance_excitement(state: ProfileState, at: float) -> None:
    """Bring what earlier stories excite to ``at``."""
    gap = (at - state.story_at) / HOUR
    if gap < 24:  # noqa: PLR2004 - a day
        state.fast = (1.0 + state.fast) * exp(-FAST * gap)
        state.slow = (1.0 + state.slow) * exp(-SLOW * gap)
    else:
        state.fast = state.slow = 0.0


def rate_of(state: ProfileState, population: Population) -> float:
    """Return the mean number of stories an hour that we expect."""
    estimates = rates.expert_rates(state.sums, state.age, population.rate)
    mixture = rates.mixed_rate(estimates)
    ratios = rates.log_ratios(estimates, mixture)
    return mixture * rates.mixture_factor(population.exponents, ratios) / 24


def echo_shares(state: ProfileState, population: Population) -> tuple[float, float]:
    """Return the parts of its stories that others bring about, soon and later."""
    heard = state.heard + _PRIOR_BURSTS
    fast = (state.fast_echoes + _PRIOR_BURSTS * population.fast) / heard
    slow = (state.slow_echoes + _PRIOR_BURSTS * population.slow) / heard
    if fast + slow > MOST_ECHOES:
        scale = MOST_ECHOES / (fast + slow)
        return fast * scale, slow * scale
    return fast, slow


def rhythm(state: ProfileState, population: Population) -> Sequence[float]:
    """Return how much more than usual it posts in each hour (UTC); the mean is 1."""
    if state._rhythm_of is population and state._rhythm is not None:  # noqa: SLF001 - our cache
        return state._rhythm  # noqa: SLF001 - our cache
    scale = 24 / (sum(state.hours) + population.sessions)
    prior = population.sessions / 24
    pairs = zip(state.hours, population.rhythm, strict=True)
    shape = array("d", [scale * (own + prior * usual) for own, usual in pairs])
    state._rhythm, state._rhythm_of = shape, population  # noqa: SLF001 - our cache
    return shape


def count_spontaneous(state: ProfileState) -> float:
    """Return how many of the stories it was heard with were brought about by no other."""
    return state.heard - state.fast_echoes - state.slow_echoes


def weighted_hours(state: ProfileState, population: Population, begin: float, end: float) -> float:
    """Return how many hours of its mean pace the time from ``begin`` to ``end`` is worth."""
    shape = rhythm(state, population)
    length = end - begin
    places = (begin + part * length for part in _PLACES)
    return length / HOUR * sum(rhythm_at(shape, place) for place in places) / len(_PLACES)


def hours_to_due(
    state: ProfileState, population: Population, *, target: float, most: float
) -> float:
    """Return after how many hours since the last check the waiting reaches ``target``.

    Waiting is what the stories posted since would have waited for a check, in story hours. Not
    later than ``most`` hours.
    """
    rate = rate_of(state, population)
    shape = rhythm(state, population)
    fast, slow = echo_shares(state, population)
    gap = (state.seen_at - state.story_at) / HOUR
    by_fast = by_slow = 0.0
    if gap < 24:  # noqa: PLR2004 - a day
        by_fast = fast * FAST * (1.0 + state.fast) * exp(-FAST * gap)
        by_slow = slow * SLOW * (1.0 + state.slow) * exp(-SLOW * gap)
    now = rate * rhythm_at(shape, state.seen_at)
    echo = fading_echo(fast, slow, by_fast - fast * now, by_slow - slow * now)
    return hours_to_target(state.seen_at, rate, shape, echo, target=target, most=most)


def fading_echo(fast: float, slow: float, by_fast: float, by_slow: float) -> Echo:
    """Return how what is excited above its mean fades, with the offspring that nobody saw yet.

    The excess y of both kinds follows y' = -decay y + share x decay x (sum of y): two
    exponentials, whose rates are the roots of the characteristic polynomial.
    """
    half = (FAST * (1.0 - fast) + SLOW * (1.0 - slow)) / 2
    product = FAST * SLOW * (1.0 - fast - slow)
    root = sqrt(max(half * half - product, 1e-12))
    first, second = half + root, half - root
    excess = by_fast + by_slow
    falling = FAST * by_fast + SLOW * by_slow - (fast * FAST + slow * SLOW) * excess
    part = (falling - second * excess) / (first - second)
    return part, first, excess - part, second
