"""The price of waiting and the credit bucket, which decide when a daily budget pays for a check.

The price is the subscriber-hours of waiting that are worth one credit, and is the same for all
profiles. The bucket never releases more credits than the budget of the UTC day. All times are Unix
seconds.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import exp, sqrt
from typing import Any, Self

from bot.scheduling.forecast import (
    PRIOR_SESSIONS,
    Population,
    ProfileState,
    expected_stories_per_hour,
    rhythm,
)
from bot.scheduling.waiting_time import DAY, HOUR

BANK_HOURS = 1.5
"""The first part of the capacity of the credit bucket, in hours.

The first part is the number of credits that the budget provides in these hours.
``Schedule.set_daily_budget`` adds a second part to the capacity. If the budget is small, the
second part is larger than the first part.
"""

# The weight of the previous mean rate when a survey computes the new mean rate. The unit is an
# observed day of a profile.
_RATE_FORGETS = 1.0
# The change of the logarithm of the price for each hour of mean lateness.
_CORRECTION = 0.1
_FEWEST_A_DAY = 1.2
"""The minimum number of checks per profile and day.

With fewer checks, stories would expire before a check finds them.
"""


@dataclass(frozen=True, slots=True)
class Demand:
    """Sums over all profiles, which the bot computes again every minute or less often."""

    population: Population = field(default_factory=Population)
    wanted: tuple[float, ...] = (1.0,) * 24
    """The sum of √(cost x subscribers x rate in the hour) for each hour of the day (UTC)."""
    costs: float = 1.0
    """The number of credits that one check of every profile costs in total."""
    profiles: int = 1
    """The number of profiles."""

    def to_json(self) -> dict[str, Any]:
        """Return the demand as a JSON object, without ``population.exponents``."""
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
        """Return the demand from a result of ``to_json``.

        ``population.exponents`` has its default value.
        """
        names = ("rate", "rhythm", "fast", "slow", "sessions")
        rate, hours, *others = (values[name] for name in names)
        population = Population(rate, tuple(hours), *others)
        return cls(population, tuple(values["wanted"]), values["costs"], values["profiles"])


def estimate_demand(
    rows: Iterable[tuple[ProfileState, float, float]],
    before: Population,
    *,
    profiles: int | None = None,
) -> Demand:
    """Return the demand of all profiles, computed from ``rows``.

    Each row has the state of a profile, the weight of its subscriptions, and the cost of a check
    in credits. The rows can be a sample of ``profiles`` profiles. ``before`` is the previous
    population.
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
        level = weight * cost * expected_stories_per_hour(state, before)
        if level > 0:
            for hour, value in enumerate(rhythm(state, before)):
                wanted[hour] += sqrt(level * value)
    smooth = sum(hours) / 24 + 1.0
    population = Population(
        rate=stories / days,
        rhythm=tuple((value + 1.0) / smooth for value in hours),
        fast=fast / heard,
        slow=slow / heard,
        sessions=_weight_of_common_rhythm(likeness),
        exponents=before.exponents,
    )
    scale = profiles / count if profiles is not None and count else 1.0
    return Demand(
        population, tuple(value * scale for value in wanted), costs * scale, round(count * scale)
    )


def _weight_of_common_rhythm(likeness_sum: float) -> float:
    free, bound = PRIOR_SESSIONS
    shared = 1 / (1 + exp(-min(max(likeness_sum, -30.0), 30.0)))
    return float(free * (bound / free) ** shared)


LATEST_HOURS = 20.0
"""The maximum of ``longest_pause_hours``.

Stories expire after 24 hours. The remaining 4 hours are a reserve for outages.
"""


def longest_pause_hours(polls_a_day: float) -> float:
    """Return the longest time between two checks of a profile, between 12 and 20 hours.

    ``polls_a_day`` is the number of checks per profile and day for which the budget can pay.
    """
    return min(max(60 / polls_a_day, 12.0), LATEST_HOURS) if polls_a_day > 0 else LATEST_HOURS


def is_feasible(daily_budget: float, cost_of_all_checks: float) -> bool:
    """Return whether the budget can pay for checks of all profiles before their stories expire.

    ``daily_budget`` is in credits per day. ``cost_of_all_checks`` is the cost of one check of
    every profile in credits.
    """
    return daily_budget >= fewest_credits_a_day(cost_of_all_checks) * (1 - 1e-9)


def fewest_credits_a_day(cost_of_all_checks: float) -> float:
    """Return the minimum budget in credits per day with which no story is missed.

    ``cost_of_all_checks`` is the number of credits that one check of every profile costs in total.
    Outages are not considered.
    """
    return _FEWEST_A_DAY * cost_of_all_checks


@dataclass(slots=True)
class Price:
    """The price of waiting, in subscriber-hours per credit."""

    factor: float = 1.0
    """The factor of the price that ``price_at_budget`` computes.
    If checks are late on average, ``factor`` rises. If checks are early, ``factor`` falls.
    """
    late: float = 0.0
    """The sum of the lateness in hours since the last correction."""
    polls: int = 0
    """The number of checks since the last correction."""
    since: float = 0.0
    """The time of the last correction."""
    frozen_until: float = 0.0
    """The time until which lateness does not change ``factor``."""

    def price_at_budget(self, demand: Demand, daily_budget: float) -> float:
        """Return the price: the subscriber-hours of waiting that one credit must save.

        ``daily_budget`` is in credits per day.
        """
        floor = longest_pause_hours(daily_budget / demand.costs) if demand.costs else 20.0
        # Each profile is checked after the longest pause, at any price. The price only controls
        # the credits that remain after these checks.
        free = max(daily_budget / 24 - 0.5 * demand.costs / floor, 0.2 * daily_budget / 24, 1e-9)
        mean = sum(demand.wanted) / 24
        return self.factor * (mean / free) ** 2 / 2 if mean > 0 else self.factor

    def record_lateness(self, at: float, lateness: float) -> None:
        """Count a check that ran ``lateness`` seconds after its due time.

        A negative ``lateness`` means an early check. The limit is half an hour. At most once an
        hour, ``factor`` is corrected by the mean lateness.
        """
        self.late += min(max(lateness / HOUR, -0.5), 0.5)
        self.polls += 1
        if at - self.since >= HOUR:
            self._correct_by_mean_lateness(at)

    def stop_corrections_until(self, until: float) -> None:
        """Stop the corrections of the price until the time ``until``.

        After an outage, checks are late even if the price is right.
        """
        self.frozen_until = max(self.frozen_until, until)

    def _correct_by_mean_lateness(self, at: float) -> None:
        if at >= self.frozen_until and self.polls:
            self.factor *= exp(_CORRECTION * self.late / self.polls)
            self.factor = min(max(self.factor, 0.02), 50.0)
        self.late = 0.0
        self.polls = 0
        self.since = at


# If the clock goes back by more than this number of seconds, the bucket continues from the new
# time.
_AHEAD_S = 60.0


@dataclass(slots=True)
class CreditBucket:
    """The credits that checks may spend now.

    Credits are released during the UTC day as ``ReleaseCurve`` prescribes, up to the capacity
    ``ReleaseCurve.most``. All unreleased credits of the day are spread over the rest of the day.
    """

    credits: float = 0.0
    at: float = 0.0

    def release_due_credits(
        self, at: float, *, spent_today: float, daily_budget: float, plan: "ReleaseCurve"
    ) -> None:
        """Release the credits whose release is due by the time ``at``.

        ``spent_today`` is the number of credits that were already spent on the UTC day of ``at``.
        ``daily_budget`` is in credits per UTC day.
        """
        if at // DAY > self.at // DAY:
            self.credits = min(self.credits, daily_budget)
            self.at = at // DAY * DAY
        elif at <= self.at:
            self.credits = min(self.credits, max(daily_budget - spent_today, 0.0))
            if self.at - at > _AHEAD_S:
                self.at = at
            return
        held = max(daily_budget - spent_today - self.credits, 0.0)
        before, after = plan.unreleased_parts(self.at), plan.unreleased_parts(at)
        let_out = held * (1.0 - after / before)
        self.credits = min(self.credits + let_out, plan.most, max(daily_budget - spent_today, 0.0))
        self.at = at

    def time_with_credits(
        self, need: float, *, spent_today: float, daily_budget: float, plan: "ReleaseCurve"
    ) -> float:
        """Return the time at which the bucket will contain ``need`` credits if nothing is spent.

        The result is in Unix seconds, and at the latest the next midnight (UTC). The capacity of
        the bucket is ignored.
        """
        if self.credits >= need:
            return self.at
        held = daily_budget - spent_today - self.credits
        missing = need - self.credits
        if missing > held:
            return (self.at // DAY + 1) * DAY
        return plan.time_when_parts_remain(
            self.at // DAY, plan.unreleased_parts(self.at) * (1.0 - missing / held)
        )


class ReleaseCurve:
    """The curve by which the credits of a UTC day are released.

    A fifth of the credits is released evenly. The remaining credits are released in proportion to
    ``wanted``, the demand of each hour. ``most`` is the capacity of the bucket in credits.
    """

    def __init__(self, wanted: tuple[float, ...], most: float) -> None:
        """Compute for each full hour which part of the day's credits is not yet released."""
        self.most = most
        mean = sum(wanted) / 24
        self._parts = [0.2 + 0.8 * value / mean if mean > 0 else 1.0 for value in wanted]
        self._left = [sum(self._parts[hour:]) for hour in range(25)]

    def unreleased_parts(self, at: float) -> float:
        """Return how many parts of a day's credits are not yet released at the time ``at``.

        The credits of a day have 24 parts. An hour with the mean demand releases one part.
        """
        place = at % DAY / HOUR
        hour = int(place)
        return self._left[hour + 1] + self._parts[hour] * (hour + 1 - place)

    def time_when_parts_remain(self, day: float, left: float) -> float:
        """Return the time at which ``left`` parts of a day's credits are not yet released.

        The credits of a day have 24 parts. ``day`` is the number of days since 1970 (UTC). The
        result is in Unix seconds.
        """
        hour = 23
        while hour and self._left[hour] < left:
            hour -= 1
        over = (left - self._left[hour + 1]) / self._parts[hour]
        return day * DAY + (hour + 1 - over) * HOUR
