"""The forecast of a profile's stories: a decaying rate, a daily rhythm, and bursts.

The forecast is learned from the times of stories. Times are Unix seconds. Rates are in stories per
hour, except ``Population.rate`` (per day).
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
"""The weight of the common rhythm of all profiles in the rhythm of one profile.

The weight is in posting sessions. The first value applies if the rhythms of profiles differ. The
second value applies if the rhythms are alike. The weight in use is between both values.
"""

_PRIOR_BURSTS = 12.0
"""The weight of the mean echo shares of all profiles in the echo shares of one profile.

The weight is in stories. An echo share is the part of the stories that an earlier story triggered.
"""

FAST, SLOW = 15.0, 3.0
"""The decay rates of the two kinds of echo, per hour.

A fast echo is a further story of the same scene. A slow echo is a further story of the same
outing.
"""

MOST_ECHOES = 0.85
"""The maximum share of stories that earlier stories triggered."""

_SAME_SESSION = HOUR
# The weight that each later story of a posting session has in the rhythm. The first story of a
# session has the weight 1.
_WITHIN_SESSION = 0.3
# A story also counts for the neighbouring hours of the day. Each pair has the offset of an hour,
# and the part of the story's weight for this hour (a binomial distribution of order 6).
_SMOOTHING = tuple((offset, comb(6, offset + 3) / 64) for offset in range(-3, 4))
# The points of a time span at which the rhythm is sampled. 0 is the start and 1 is the end of the
# span.
_PLACES = (0.1, 0.3, 0.5, 0.7, 0.9)
_RATE_DECAY = log(2) / _RATE_HALF_LIFE
_RHYTHM_DECAY = log(2) / _RHYTHM_HALF_LIFE


@dataclass(frozen=True, slots=True)
class Population:
    """The properties that all profiles have in common, as the prior of each profile."""

    rate: float = 2.0
    """The mean number of stories per profile and day."""
    rhythm: tuple[float, ...] = (1.0,) * 24
    """A value for each hour of the day (UTC), with the mean 1."""
    fast: float = 0.25
    """The share of stories that are fast echoes of an earlier story."""
    slow: float = 0.25
    """The share of stories that are slow echoes of an earlier story."""
    sessions: float = 10.0
    """The weight of ``rhythm`` in the estimated rhythm of a profile, in posting sessions."""
    exponents: tuple[float, ...] = rates.EXPONENTS
    """The exponents of the pooled experts in ``rates``."""


@dataclass(slots=True)
class ProfileState:
    """The learned numbers of a profile, which the database stores in the profile's row."""

    seen_at: float = 0.0
    """The time of the last check. 0 means that no check is known."""
    due_at: float = 0.0
    """The time of the next check."""
    price: float = 0.0
    """The price of waiting with which ``due_at`` was computed."""
    story_at: float = 0.0
    """The time of the last story. 0 means that no story is known."""
    stories: float = 0.0
    """The number of stories, which decays with the half-life of the rate."""
    days: float = 0.0
    """The number of observed days, which decays with the half-life of the rate."""
    fast: float = 0.0
    """The fast excitement that remained at ``story_at`` from earlier stories."""
    slow: float = 0.0
    """The slow excitement that remained at ``story_at`` from earlier stories."""
    fast_echoes: float = 0.0
    """The number of the ``heard`` stories that are fast echoes."""
    slow_echoes: float = 0.0
    """The number of the ``heard`` stories that are slow echoes."""
    heard: float = 0.0
    """The number of counted stories."""
    likeness: float = 0.0
    """The evidence that the profile's rhythm equals the population's rhythm."""
    hours_at: float = 0.0
    """The time of the last decay of ``hours``."""
    hours: MutableSequence[float] = field(default_factory=lambda: array("d", [0.0] * 24))
    """The weight of the stories in each hour of the day (UTC).
    The weights decay with the half-life of the rhythm.
    """
    age: float = 0.0
    """The number of observed days."""
    sums: MutableSequence[float] = field(default_factory=rates.empty_sums)
    """The decayed story counts, one for each half-life of ``rates``."""
    _rhythm: Sequence[float] | None = field(default=None, repr=False, compare=False)
    _rhythm_of: Population | None = field(default=None, repr=False, compare=False)

    def to_json(self) -> list[Any]:
        """Return the state as a JSON array.

        The array has 13 numbers, an array of the 24 hours, and an array of the age and the sums.
        All numbers are rounded.
        """
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
        """Return the state from a result of ``to_json``.

        If ``values`` is None, return the state of a profile without observed stories.
        """
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


def learn_and_count_new_stories(
    state: ProfileState, *, prior: Population, at: float, taken: Sequence[float]
) -> int:
    """Update ``state`` from a complete check at the time ``at``. Return the number of new stories.

    ``taken`` are the sorted times of the found stories. A check that is not later than the last
    check changes nothing and returns 0.
    """
    passed = at - state.seen_at
    if passed <= 0:
        return 0
    new = bisect_right(taken, at) - bisect_right(taken, state.story_at) if taken else 0
    passed = min(passed, DAY)  # a check finds only stories of the last day
    state.age += passed / DAY
    _decay_sums(state.sums, passed)
    retained = exp(-_RATE_DECAY * passed)
    state.stories = state.stories * retained + new
    state.days = state.days * retained + passed / DAY
    if new:
        fresh = taken[bisect_right(taken, state.story_at) : bisect_right(taken, at)]
        for number, decay in enumerate(rates.DECAYS):
            state.sums[number] += sum(exp(decay * (story_at - at) / DAY) for story_at in fresh)
        _learn_story_times(state, prior, fresh, at)
    state.seen_at = at
    return new


def _decay_sums(sums: MutableSequence[float], passed: float) -> None:
    days = passed / DAY
    for number, decay in enumerate(rates.DECAYS):
        sums[number] *= exp(-decay * days)


def _learn_story_times(
    state: ProfileState, population: Population, taken: Sequence[float], at: float
) -> None:
    decay = exp(-_RHYTHM_DECAY * max(0.0, at - state.hours_at))
    hours = state.hours = array("d", [value * decay for value in state.hours])
    state.hours_at = at
    sessions = sum(hours)
    shape = rhythm(state, population)
    rate = expected_stories_per_hour(state, population)
    fast, slow = fast_and_slow_echo_shares(state, population)
    for story_at in taken:
        hour = int(story_at // HOUR)
        _add_last_story_and_decay_excitement(state, story_at)
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
    state._rhythm_of = None  # noqa: SLF001 - the attribute is a cache of this module


def _add_last_story_and_decay_excitement(state: ProfileState, at: float) -> None:
    """Add the excitement of the last story, and reduce the excitement by the decay until ``at``.

    If the last story is at least 24 hours old at the time ``at``, no excitement remains.
    """
    gap = (at - state.story_at) / HOUR
    if gap < 24:  # noqa: PLR2004 - hours of a day
        state.fast = (1.0 + state.fast) * exp(-FAST * gap)
        state.slow = (1.0 + state.slow) * exp(-SLOW * gap)
    else:
        state.fast = state.slow = 0.0


def expected_stories_per_hour(state: ProfileState, population: Population) -> float:
    """Return the expected number of stories of a profile per hour, as the mean over a day."""
    estimates = rates.expert_rates(state.sums, state.age, population.rate)
    mixture = rates.mixed_rate(estimates)
    ratios = rates.log_ratios(estimates, mixture)
    return mixture * rates.mixture_factor(population.exponents, ratios) / 24


def fast_and_slow_echo_shares(state: ProfileState, population: Population) -> tuple[float, float]:
    """Return the share of a profile's stories that are fast echoes, and the share of slow echoes.

    The sum of both shares is at most ``MOST_ECHOES``.
    """
    heard = state.heard + _PRIOR_BURSTS
    fast = (state.fast_echoes + _PRIOR_BURSTS * population.fast) / heard
    slow = (state.slow_echoes + _PRIOR_BURSTS * population.slow) / heard
    if fast + slow > MOST_ECHOES:
        scale = MOST_ECHOES / (fast + slow)
        return fast * scale, slow * scale
    return fast, slow


def rhythm(state: ProfileState, population: Population) -> Sequence[float]:
    """Return the profile's posting rate in each hour of the day (UTC), relative to its mean.

    The mean of the 24 values is 1.
    """
    if state._rhythm_of is population and state._rhythm is not None:  # noqa: SLF001 - the attribute is a cache of this module
        return state._rhythm  # noqa: SLF001 - the attribute is a cache of this module
    scale = 24 / (sum(state.hours) + population.sessions)
    prior = population.sessions / 24
    pairs = zip(state.hours, population.rhythm, strict=True)
    shape = array("d", [scale * (own + prior * usual) for own, usual in pairs])
    state._rhythm, state._rhythm_of = shape, population  # noqa: SLF001 - the attribute is a cache of this module
    return shape


def count_untriggered_stories(state: ProfileState) -> float:
    """Return the number of counted stories that no earlier story triggered."""
    return state.heard - state.fast_echoes - state.slow_echoes


def hours_weighted_by_rhythm(
    state: ProfileState, population: Population, begin: float, end: float
) -> float:
    """Return the time from ``begin`` to ``end`` in hours, weighted by the profile's rhythm."""
    shape = rhythm(state, population)
    length = end - begin
    places = (begin + part * length for part in _PLACES)
    return length / HOUR * sum(rhythm_at(shape, place) for place in places) / len(_PLACES)


def hours_to_due(
    state: ProfileState, population: Population, *, target: float, most: float
) -> float:
    """Return the number of hours from the last check until the expected waiting is ``target``.

    ``target`` is in stories times hours: the total delay of all stories that were probably posted
    since the last check. The result is at most ``most`` hours.
    """
    rate = expected_stories_per_hour(state, population)
    shape = rhythm(state, population)
    fast, slow = fast_and_slow_echo_shares(state, population)
    gap = (state.seen_at - state.story_at) / HOUR
    by_fast = by_slow = 0.0
    if gap < 24:  # noqa: PLR2004 - hours of a day
        by_fast = fast * FAST * (1.0 + state.fast) * exp(-FAST * gap)
        by_slow = slow * SLOW * (1.0 + state.slow) * exp(-SLOW * gap)
    now = rate * rhythm_at(shape, state.seen_at)
    echo = fading_echo(fast, slow, by_fast - fast * now, by_slow - slow * now)
    return hours_to_target(state.seen_at, rate, shape, echo, target=target, most=most)


def fading_echo(fast: float, slow: float, by_fast: float, by_slow: float) -> Echo:
    """Return by how much the echoes exceed their mean in the time after the last check.

    The result is a sum of two exponentials, in stories per hour. ``fast`` and ``slow`` are the
    echo shares. ``by_fast`` and ``by_slow`` are the excesses at the last check. Each excess
    follows y' = -decay * y + share * decay * (sum of both y).
    """
    half = (FAST * (1.0 - fast) + SLOW * (1.0 - slow)) / 2
    product = FAST * SLOW * (1.0 - fast - slow)
    root = sqrt(max(half * half - product, 1e-12))
    first, second = half + root, half - root
    excess = by_fast + by_slow
    falling = FAST * by_fast + SLOW * by_slow - (fast * FAST + slow * SLOW) * excess
    part = (falling - second * excess) / (first - second)
    return part, first, excess - part, second
