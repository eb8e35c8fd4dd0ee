"""The price of waiting and the credit bucket of a day: how a budget becomes checks.

One price, in subscriber-hours of waiting a credit, is common to all profiles. It follows from sums
over them in closed form, and is corrected slowly by how late the checks come. The credit bucket
lets the credits of a UTC day out at the pace at which they are wanted; it never gives more than
the day's budget. All times are unix seconds. Pure: no clock, no I/O.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import exp, sqrt
from typing import Any, Self

from bot.scheduling.forecast import (
    PRIOR_SESSIONS,
    Population,
    ProfileState,
    rate_of,
    rhythm,
)
from bot.scheduling.waiting_time import DAY, HOUR

BANK_HOURS = 1.5
"""Hours of the budget that the credit bucket may gather."""

_RATE_FORGETS = 1.0  # days of prior for the population's own rate
_CORRECTION = 0.1  # of the price's logarithm, for checks that come an hour late
_FEWEST_A_DAY = 1.2
"""Checks a profile and day below which stories would be lost."""


@dataclass(frozen=True, slots=True)
class Demand:
    """Sums over all profiles: refreshed now and then, the same for whoever has the same rows.

    ``wanted`` has for each hour (UTC) the sum of √(cost x subscribers x rate), ``costs`` the sum
    of the credits of one check each.
    """

    population: Population = field(default_factory=Population)
    wanted: tuple[float, ...] = (1.0,) * 24
    costs: float = 1.0
    profiles: int = 1

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        population = self.population
        return {
            "rate": population.rate,
            "rhythm": population.rhythm,
            "fast": population.fast,
            "slow": population.slow,
            "sessions": population.sessions,
            "wanted": self.wanted,
            "costs": self.costs,
            "profiles": self.profiles,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return what ``to_json`` gave."""
        names = ("rate", "rhythm", "fast", "slow", "sessions")
        rate, hours, *others = (values[name] for name in names)
        population = Population(rate, tuple(hours), *others)
        return cls(population, tuple(values["wanted"]), values["costs"], values["profiles"])


def survey(
    rows: Iterable[tuple[ProfileState, float, float]],
    before: Population,
    *,
    profiles: int | None = None,
) -> Demand:
    """Return the sums over ``(state, weight, cost)`` of all profiles.

    ``before`` is the last survey's population, the prior of each. Where ``rows`` are a fair
    sample, ``profiles`` tells of how many.
    """
    stories = days = _RATE_FORGETS
    stories *= before.rate
    heard = 20.0
    fast, slow = heard * before.fast, heard * before.slow
    likeness = 0.0
    hours = [0.0] * 24
    wanted = [0.0] * 24
    costs = 0.0
    count = 0
    for state, weight, cost in rows:
        count += 1
        costs += cost
        stories += state.stories
        days += state.days
        fast += state.fast_echoes
        slow += state.slow_echoes
        heard += state.heard
        likeness += state.likeness
        if state.hours_at:
            for hour, value in enumerate(state.hours):
                hours[hour] += value
        level = weight * cost * rate_of(state, before)
        if level > 0:
            for hour, value in enumerate(rhythm(state, before)):
                wanted[hour] += sqrt(level * value)
    smooth = sum(hours) / 24 + 1.0
    population = Population(
        rate=stories / days,
        rhythm=tuple((value + 1.0) / smooth for value in hours),
        fast=fast / heard,
        slow=slow / heard,
        sessions=_prior_sessions(likeness),
        exponents=before.exponents,
    )
    scale = profiles / count if profiles is not None and count else 1.0
    return Demand(
        population, tuple(value * scale for value in wanted), costs * scale, round(count * scale)
    )


def _prior_sessions(likeness: float) -> float:
    free, bound = PRIOR_SESSIONS
    shared = 1 / (1 + exp(-min(max(likeness, -30.0), 30.0)))
    return float(free * (bound / free) ** shared)


LATEST_HOURS = 20.0
"""After which a profile is checked in any case; the rest of the day of a story is for outages."""


def longest_pause(polls_a_day: float) -> float:
    """Return after how many hours a profile is checked whatever the price: 12 to 20."""
    return min(max(60 / polls_a_day, 12.0), LATEST_HOURS) if polls_a_day > 0 else LATEST_HOURS


def is_feasible(budget: float, costs: float) -> bool:
    """Return whether the budget sees each profile before its stories expire, outages aside."""
    return budget >= fewest_credits(costs) * (1 - 1e-9)


def fewest_credits(costs: float) -> float:
    """Return the credits a day that see each profile in time; ``costs`` of one check each."""
    return _FEWEST_A_DAY * costs


@dataclass(slots=True)
class Price:
    """The price, and how it is corrected: ``factor`` on the closed form, by mean lateness."""

    factor: float = 1.0
    late: float = 0.0
    polls: int = 0
    since: float = 0.0
    frozen_until: float = 0.0

    def at_budget(self, demand: Demand, budget: float) -> float:
        """Return subscriber-hours of waiting that a credit must save at ``budget`` a day."""
        floor = longest_pause(budget / demand.costs) if demand.costs else 20.0
        # At the price zero some would be checked by the floor alone; those are paid first.
        free = max(budget / 24 - 0.5 * demand.costs / floor, 0.2 * budget / 24, 1e-9)
        mean = sum(demand.wanted) / 24
        return self.factor * (mean / free) ** 2 / 2 if mean > 0 else self.factor

    def count_lateness(self, at: float, lateness: float) -> None:
        """Count a check that came ``lateness`` seconds after it was due, or before (negative)."""
        self.late += min(max(lateness / HOUR, -0.5), 0.5)
        self.polls += 1
        if at - self.since >= HOUR:
            self._correct(at)

    def freeze(self, until: float) -> None:
        """Correct nothing until then: after an outage lateness says nothing about the price."""
        self.frozen_until = max(self.frozen_until, until)

    def _correct(self, at: float) -> None:
        if at >= self.frozen_until and self.polls:
            self.factor *= exp(_CORRECTION * self.late / self.polls)
            self.factor = min(max(self.factor, 0.02), 50.0)
        self.late = 0.0
        self.polls = 0
        self.since = at


_AHEAD_S = 60.0  # a clock that was ahead by more has been set back: its new time counts


@dataclass(slots=True)
class CreditBucket:
    """The credits that may be spent now: let out over the UTC day, at the pace of the demand.

    What an outage kept back, and what others borrowed, spreads over the rest of the day, because
    only what the day still has is let out. ``most`` bounds what gathers.
    """

    credits: float = 0.0
    at: float = 0.0

    def release(self, at: float, *, spent: float, budget: float, plan: "ReleaseCurve") -> None:
        """Let out what is due by ``at``; ``spent`` is what the UTC day of ``at`` has cost."""
        if at // DAY > self.at // DAY:
            self.credits = min(self.credits, budget)
            self.at = at // DAY * DAY
        elif at <= self.at:
            self.credits = min(self.credits, max(budget - spent, 0.0))
            if self.at - at > _AHEAD_S:
                self.at = at
            return
        held = max(budget - spent - self.credits, 0.0)
        before, after = plan.left(self.at), plan.left(at)
        let_out = held * (1.0 - after / before)
        self.credits = min(self.credits + let_out, plan.most, max(budget - spent, 0.0))
        self.at = at

    def ready_at(self, need: float, *, spent: float, budget: float, plan: "ReleaseCurve") -> float:
        """Return when the bucket, left alone, holds ``need`` credits; midnight if not today."""
        if self.credits >= need:
            return self.at
        held = budget - spent - self.credits
        missing = need - self.credits
        if missing > held:
            return (self.at // DAY + 1) * DAY
        return plan.time_when_left(self.at // DAY, plan.left(self.at) * (1.0 - missing / held))


class ReleaseCurve:
    """How the credits of a day are let out: ``wanted`` in each hour, and ``most`` at once."""

    def __init__(self, wanted: tuple[float, ...], most: float) -> None:
        """Keep the parts of the day that are left at each full hour."""
        self.most = most
        mean = sum(wanted) / 24
        self._parts = [0.2 + 0.8 * value / mean if mean > 0 else 1.0 for value in wanted]
        self._left = [sum(self._parts[hour:]) for hour in range(25)]

    def left(self, at: float) -> float:
        """Return how much of the day's 24 parts is to come after ``at``."""
        place = at % DAY / HOUR
        hour = int(place)
        return self._left[hour + 1] + self._parts[hour] * (hour + 1 - place)

    def time_when_left(self, day: float, left: float) -> float:
        """Return when in the day so much is left."""
        hour = 23
        while hour and self._left[hour] < left:
            hour -= 1
        over = (left - self._left[hour + 1]) / self._parts[hour]
        return day * DAY + (hour + 1 - over) * HOUR
