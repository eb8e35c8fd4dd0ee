"""The plan of the checks: the schedule, and the settings of the bot's owner.

All processes share the plan.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zlib import crc32

from bot.domain.budget import split_budget_with_newcomers
from bot.domain.model import Story
from bot.domain.records import Known
from bot.scheduling.forecast import ProfileState
from bot.scheduling.pricing import LATEST_HOURS
from bot.scheduling.schedule import Schedule
from bot.scheduling.waiting_time import HOUR
from bot.store import key_values, profiles
from bot.store.engine.database import Tx

KEY = "schedule"
# The number of profiles in each random sample. With this number, the error of the price is about
# 15 %, and the error of the intervals is half as large.
_SAMPLE = 400
_POLLS_OF_MEAN = 50
# Initial values, used until the scheduler has stored the actual values.
BUDGET, FLOOR_S, COST = 500.0, 60.0, 2.0

Columns = dict[str, list[Any]]
"""Values to store in a profile's row, by the name of the column."""


@dataclass(frozen=True, slots=True)
class PollSettings:
    """The settings of the checks.

    ``credits_a_day`` are the credits for checks on every UTC day. ``credits_a_poll`` is the cost
    of a check, or None for the measured mean. ``floor`` is the minimum time between two checks.
    The set ``blocked`` of names and ids can change at any time.
    """

    credits_a_day: int = 500
    credits_a_poll: float | None = 2
    floor: timedelta = timedelta(minutes=1)
    blocked: AbstractSet[str] = frozenset()


@dataclass(slots=True)
class Plan:
    """The schedule, and the cost of a check in credits.

    With ``learns_cost``, the cost is the mean bill of the last checks. ``newcomer_interval`` is
    the mean time between checks of a profile that only newcomers follow, or None.
    """

    schedule: Schedule = field(default_factory=lambda: Schedule(BUDGET, minimum=FLOOR_S))
    cost: float = COST
    learns_cost: bool = True
    newcomer_interval: timedelta | None = None

    def correct_bucket_and_learn_cost(self, credits: int) -> None:  # noqa: A002 - the term of the project
        """Correct the credit bucket after a check whose bill differs from the expected cost.

        ``credits`` is the bill. If ``learns_cost`` is True, also update the mean cost of a check.
        """
        # ``learn_check_and_compute_due`` subtracts ``cost`` from the bucket. Only the difference
        # between the bill and ``cost`` is subtracted here.
        self.schedule.bucket.credits -= credits - self.cost
        if self.learns_cost:
            self.cost += (credits - self.cost) / _POLLS_OF_MEAN

    def set_budget_and_newcomer_interval(
        self, every_day: float, extra_today: float, *, known_profiles: int, newcomer_profiles: int
    ) -> None:
        """Set the budget and ``newcomer_interval``.

        The budget is ``every_day`` credits a day, and ``extra_today`` more credits today. If both
        kinds of profiles exist, the profiles of newcomers get a separate part of ``every_day``.
        Otherwise ``newcomer_interval`` becomes None.
        """
        schedule = self.schedule
        budget = every_day + extra_today
        is_shared = known_profiles > 0 and newcomer_profiles > 0
        apart = 0.0
        if is_shared:
            _, apart = split_budget_with_newcomers(
                every_day, known_profiles=known_profiles, newcomer_profiles=newcomer_profiles
            )
        if (schedule.budget, schedule.apart) != (budget, apart):
            schedule.set_daily_budget(budget, unplanned_credits=apart)
        self.newcomer_interval = None
        if is_shared:
            hours = 24 * newcomer_profiles * self.cost / apart if apart > 0 else LATEST_HOURS
            seconds = max(min(hours, LATEST_HOURS) * HOUR, schedule.minimum)
            self.newcomer_interval = timedelta(seconds=seconds)

    def learn_check_and_compute_due(
        self, known: Known, stories: Sequence[Story], *, now: datetime, by_scheduler: bool
    ) -> tuple[Columns, datetime]:
        """Update the learned state of a profile from a complete check.

        Return the columns to store, and the time of the next check. If the scheduler made the
        check (``by_scheduler``), the cost is subtracted from the credit bucket.
        """
        state = _learned_state(known, now)
        taken = sorted(story.taken_at.timestamp() for story in stories)
        is_own = by_scheduler and not self.uses_newcomer_interval(known)
        learn = (
            self.schedule.charge_learn_and_set_due_at
            if is_own
            else self.schedule.learn_and_set_due_at
        )
        learn(state, known.weight, self.cost, at=now.timestamp(), taken=taken)
        if by_scheduler and self.uses_newcomer_interval(known):
            self.schedule.bucket.credits -= self.cost
        self._set_due_if_newcomers_only(known, state)
        return {"forecast": state.to_json()}, _capped_due_time(state, now)

    def recompute_due(self, known: Known, *, now: datetime) -> tuple[Columns, datetime]:
        """Compute the due time of a profile again, after a change of its weight or of the price.

        Return the columns to store, and the due time.
        """
        state = _learned_state(known, now)
        self.schedule.set_due_at(state, known.weight, self.cost)
        self._set_due_if_newcomers_only(known, state)
        return {"forecast": state.to_json()}, _capped_due_time(state, now)

    def recompute_demand(
        self, states: Sequence[tuple[ProfileState, float]], profiles: int
    ) -> None:
        """Compute the demand again from the result of ``sample_states``.

        ``profiles`` is the number of profiles that the sample stands for. An empty sample changes
        nothing.
        """
        if states:
            rows = ((state, weight, self.cost) for state, weight in states)
            self.schedule.recompute_demand(rows, profiles=profiles)

    def must_recompute_due_at(self, known: Known) -> bool:
        """Return whether a change of the price or of an interval may have moved the due time."""
        if known.forecast is None:
            return False
        return self.uses_newcomer_interval(known) or self.schedule.has_price_changed_since_due_at(
            ProfileState.from_json(known.forecast)
        )

    def uses_newcomer_interval(self, known: Known) -> bool:
        """Return whether ``newcomer_interval`` determines when a profile is checked.

        The result is True if only newcomers are subscribed to the profile, and
        ``newcomer_interval`` is not None.
        """
        return known.fresh and self.newcomer_interval is not None

    def _set_due_if_newcomers_only(self, known: Known, state: ProfileState) -> None:
        """Set the due time by ``newcomer_interval``, if the interval applies to the profile."""
        if known.fresh and self.newcomer_interval is not None:
            # The factor varies around 1, and spreads the checks of profiles with the same
            # interval.
            text = f"{known.profile_id} {state.seen_at:.0f}"
            factor = 0.75 + crc32(text.encode()) / 2**32 / 2
            interval = min(self.newcomer_interval.total_seconds() * factor, LATEST_HOURS * HOUR)
            state.due_at = state.seen_at + interval


def _capped_due_time(state: ProfileState, now: datetime) -> datetime:
    """Return the due time of a check, at most ``LATEST_HOURS`` after ``now``."""
    latest = now + timedelta(hours=LATEST_HOURS)
    return min(datetime.fromtimestamp(state.due_at, UTC), latest)


def _learned_state(known: Known, now: datetime) -> ProfileState:
    """Return the learned state of a profile. A last check in the future is corrected to now."""
    state = ProfileState.from_json(known.forecast)
    latest = now.timestamp()
    if state.seen_at > latest:
        state.seen_at = latest
        state.story_at = min(state.story_at, latest)
    return state


async def load_plan_or_new(tx: Tx) -> Plan:
    """Load the stored plan, or return a new plan if none is stored."""
    kept = await key_values.get(tx, KEY)
    if kept is None:
        return Plan()
    plan = Plan(Schedule(kept["budget"], minimum=kept["floor"]), kept["cost"])
    plan.schedule.restore(kept["schedule"])
    if kept["pause"] is not None:
        plan.newcomer_interval = timedelta(seconds=kept["pause"])
    return plan


async def store_plan(tx: Tx, plan: Plan) -> None:
    """Store the plan.

    If several processes store a plan, the last plan is kept. Lost changes are harmless.
    """
    schedule = plan.schedule
    value = {
        "budget": schedule.budget,
        "floor": schedule.minimum,
        "cost": plan.cost,
        "pause": plan.newcomer_interval and plan.newcomer_interval.total_seconds(),
        "schedule": schedule.to_json(),
    }
    await key_values.put(tx, KEY, value)


async def read_credits_per_check(tx: Tx, fixed: float | None) -> float:
    """Return the cost of a check in credits.

    The result is ``fixed``, or the measured mean cost if ``fixed`` is None.
    """
    return (await load_plan_or_new(tx)).cost if fixed is None else fixed


async def sample_states(
    tx: Tx, *, most: int = _SAMPLE, only_newcomers: bool
) -> list[tuple[ProfileState, float]]:
    """Return the states and the weights of at most ``most`` random checked profiles.

    The profiles are those that only newcomers follow (``only_newcomers``), or those that a known
    person follows.
    """
    rows = await profiles.sample_forecasts_and_weights(
        tx, most=most, only_newcomers=only_newcomers
    )
    return [(ProfileState.from_json(forecast), weight) for forecast, weight in rows]
