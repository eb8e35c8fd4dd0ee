"""What one profile will post: a rate that forgets, the rhythm of its day and week, and bursts.

Everything is learned from the exact times of stories, which any look shows for the last day, so
learning is counting and there is nothing to explore. All times are unix seconds; rates are
stories an hour. Pure: no clock, no I/O.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import exp, log
from typing import Any, Self

HOUR = 3600.0
DAY = 86400.0
RATE_HALF_LIFE = 10 * DAY
RHYTHM_HALF_LIFE = 30 * DAY
PRIOR_DAYS = 1.0
"""Days of the population's mean rate that a profile starts with."""

PRIOR_SESSIONS = 6.0
"""Sessions of the population's rhythm that a profile starts with."""

PRIOR_BURSTS = 12.0
"""Stories of the population's burstiness that a profile starts with."""

BURST_DECAY = 3.0
"""How fast a burst fades, an hour."""

_SAME_SESSION = HOUR
_WITHIN_SESSION = 0.3  # what a further story of a session tells about the hours
_SMOOTHING = ((-2, 1 / 16), (-1, 4 / 16), (0, 6 / 16), (1, 4 / 16), (2, 1 / 16))
_RATE_DECAY = log(2) / RATE_HALF_LIFE
_RHYTHM_DECAY = log(2) / RHYTHM_HALF_LIFE


@dataclass(frozen=True, slots=True)
class Population:
    """What all profiles have in common; the prior of each. Made by ``bot.price.survey``.

    ``rate`` is the mean number of stories a day; ``rhythm`` has mean 1 over 24 hours (UTC);
    ``burst`` is the part of the stories that another story brought about.
    """

    rate: float = 2.0
    rhythm: tuple[float, ...] = (1.0,) * 24
    burst: float = 0.5


@dataclass(slots=True)
class ProfileState:
    """The few numbers that a profile's row keeps.

    ``due_at`` and ``price`` are when the next look was put, and at what price. ``stories`` and
    ``days`` forget with the half-life of the rate, ``hours`` with that of the rhythm.
    """

    seen_at: float = 0.0
    due_at: float = 0.0
    price: float = 0.0
    story_at: float = 0.0
    stories: float = 0.0
    days: float = 0.0
    excitement: float = 0.0
    echoes: float = 0.0
    heard: float = 0.0
    hours_at: float = 0.0
    hours: list[float] = field(default_factory=lambda: [0.0] * 24)
    _rhythm: list[float] | None = field(default=None, repr=False, compare=False)
    _rhythm_of: Population | None = field(default=None, repr=False, compare=False)

    def to_json(self) -> list[Any]:
        """Return it as a short JSON array."""
        return [
            round(self.seen_at, 3),
            round(self.due_at, 3),
            float(f"{self.price:.6g}"),
            round(self.story_at, 3),
            *(round(value, 5) for value in (self.stories, self.days, self.excitement)),
            *(round(value, 5) for value in (self.echoes, self.heard)),
            round(self.hours_at, 3),
            [round(value, 4) for value in self.hours],
        ]

    @classmethod
    def from_json(cls, values: Sequence[Any] | None) -> Self:
        """Return what ``to_json`` gave; a new state for anything else."""
        if not values or len(values) != _FIELDS or len(values[-1]) != 24:  # noqa: PLR2004 - hours
            return cls()
        return cls(*map(float, values[:-1]), hours=[float(value) for value in values[-1]])


_FIELDS = 11


def learn(state: ProfileState, population: Population, *, at: float, taken: Sequence[float]) -> int:
    """Learn from a whole look at ``at``, which showed stories ``taken`` at these times, sorted.

    Returns how many were new. A look before the last one teaches nothing.
    """
    passed = at - state.seen_at
    if passed <= 0:
        return 0
    new = bisect_right(taken, at) - bisect_right(taken, state.story_at) if taken else 0
    passed = min(passed, DAY)  # a look shows one day, whatever was before
    keep = exp(-_RATE_DECAY * passed)
    state.stories = state.stories * keep + new
    state.days = state.days * keep + passed / DAY
    if new:
        _learn_stories(state, population, taken[bisect_right(taken, state.story_at) :], at)
    state.seen_at = at
    return new


def _learn_stories(
    state: ProfileState, population: Population, taken: Sequence[float], at: float
) -> None:
    keep = exp(-_RHYTHM_DECAY * max(0.0, at - state.hours_at))
    hours = state.hours = [value * keep for value in state.hours]
    state.hours_at = at
    kept = rhythm(state, population)
    rate = rate_of(state, population)
    share = burst_of(state, population)
    for story_at in taken:
        if story_at > at:
            break
        gap = story_at - state.story_at
        fading = exp(-BURST_DECAY * gap / HOUR) if gap < DAY else 0.0
        state.excitement = (1.0 + state.excitement) * fading
        own = (1.0 - share) * rate * kept[int(story_at // HOUR) % 24]
        echo = share * BURST_DECAY * state.excitement
        state.echoes += echo / (echo + own)
        state.heard += 1.0
        weight = 1.0 if gap > _SAME_SESSION else _WITHIN_SESSION
        hour = int(story_at // HOUR)
        for offset, part in _SMOOTHING:
            hours[(hour + offset) % 24] += weight * part
        state.story_at = story_at
    state._rhythm_of = None  # noqa: SLF001 - a cache of this module


def rate_of(state: ProfileState, population: Population) -> float:
    """Return the mean number of stories an hour that we expect."""
    return (
        (state.stories + PRIOR_DAYS * population.rate) / (state.days + PRIOR_DAYS) / 24
    )


def burst_of(state: ProfileState, population: Population) -> float:
    """Return the part of its stories that another story brings about, 0 to 0.85."""
    share = (state.echoes + PRIOR_BURSTS * population.burst) / (state.heard + PRIOR_BURSTS)
    return min(share, 0.85)


def rhythm(state: ProfileState, population: Population) -> list[float]:
    """Return how much more than usual it posts in each hour (UTC); the mean is 1."""
    if state._rhythm_of is population and state._rhythm is not None:  # noqa: SLF001 - our cache
        return state._rhythm  # noqa: SLF001 - our cache
    scale = 24 / (sum(state.hours) + PRIOR_SESSIONS)
    prior = PRIOR_SESSIONS / 24
    shape = [
        scale * (own + prior * usual)
        for own, usual in zip(state.hours, population.rhythm, strict=True)
    ]
    state._rhythm, state._rhythm_of = shape, population  # noqa: SLF001 - our cache
    return shape


def reach(state: ProfileState, population: Population, *, target: float, most: float) -> float:
    """Return after how many hours since the last look the waiting reaches ``target``.

    Waiting is what the stories posted since would have waited for a look, in story hours. Not
    later than ``most`` hours.
    """
    gap = state.seen_at - state.story_at
    share = burst_of(state, population)
    lively = 0.0
    if gap < DAY:
        lively = share * BURST_DECAY * (1.0 + state.excitement) * exp(-BURST_DECAY * gap / HOUR)
    return crossing(
        state.seen_at,
        rate=rate_of(state, population),
        shape=rhythm(state, population),
        share=share,
        decay=BURST_DECAY,
        lively=lively,
        target=target,
        most=most,
    )


def crossing(
    seen_at: float,
    *,
    rate: float,
    shape: Sequence[float],
    share: float,
    decay: float,
    lively: float,
    target: float,
    most: float,
) -> float:
    """Return after how many hours since ``seen_at`` the expected waiting crosses ``target``.

    ``rate`` is the mean stories an hour and ``shape`` its factor in the middle of each hour, with
    straight lines between. Of the stories the part ``share`` is brought about by others, which
    excite for 1/``decay`` hours; ``lively`` is the intensity that the known stories add now. With
    their unseen offspring the expected intensity u hours later is

        rate x shape(u) + (lively - share x rate x shape(0)) x exp(-decay (1 - share) u)

    so the waiting, its second integral, has a closed form for each stretch of an hour.
    """
    place = (seen_at / HOUR - 0.5) % 24
    hour = int(place)
    begin = place - hour
    here = shape[hour]
    slope = shape[hour - 23] - here
    level = rate * (here + slope * begin)
    slope *= rate
    fade = decay * (1.0 - share)
    extra = (lively - share * level) / fade

    # Of the rhythm alone: stories and story hours of waiting up to the hour's beginning.
    total = waited = begun = 0.0
    left = 1.0 - begin
    while True:
        end = begun + left
        ended = waited + left * (total + left * (level / 2 + slope * left / 6))
        if ended + extra * (end - (1.0 - exp(-fade * end)) / fade) >= target:
            break
        if end >= most:
            return most
        total += left * (level + slope * left / 2)
        waited = ended
        begun = end
        hour = hour + 1 if hour < 23 else 0  # noqa: PLR2004 - the last hour
        level = rate * shape[hour]
        slope = rate * shape[hour - 23] - level
        left = 1.0
    # Newton from the right: the waiting is convex, so it never overshoots.
    after = left
    for _ in range(12):
        faded = exp(-fade * (begun + after))
        missing = (
            waited
            + after * (total + after * (level / 2 + slope * after / 6))
            + extra * (begun + after - (1.0 - faded) / fade)
            - target
        )
        pace = total + after * (level + slope * after / 2) + extra * (1.0 - faded)
        if pace <= 0:
            break
        step = missing / pace
        after -= step
        if after <= 0.0:
            after = 0.0
            break
        if step < 1e-4:  # noqa: PLR2004 - a third of a second
            break
    return min(begun + after, most)
