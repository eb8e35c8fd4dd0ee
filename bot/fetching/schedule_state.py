"""The plan of the checks: the owner's settings, and the schedule that all replicas share."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zlib import crc32

from bot.domain.budget import share_with_newcomers
from bot.domain.model import Story
from bot.domain.records import Known
from bot.scheduling.forecast import ProfileState
from bot.scheduling.pricing import LATEST_HOURS
from bot.scheduling.schedule import Schedule
from bot.scheduling.waiting_time import HOUR
from bot.store import key_values, profiles
from bot.store.engine.database import Tx

KEY = "schedule"
# The number of profiles in each new sample. The error of the price is about 15 %, and the error of
# the intervals is half as large.
_SAMPLE = 400
_POLLS_OF_MEAN = 50
# The defaults until the scheduler stores the actual values.
BUDGET, FLOOR_S, COST = 500.0, 60.0, 2.0

Columns = dict[str, list[Any]]
"""Columns of a profile's row, by name."""


@dataclass(frozen=True, slots=True)
class PollSettings:
    """Settings of the checks: the guaranteed credits per UTC day, the cost of a check, the floor.

    ``floor`` is the minimum time between two checks. ``credits_a_poll`` is None to use the mean
    that the schedule has learned. ``blocked`` contains the names and ids of profiles that no chat
    may follow; the set may change at any time.
    """

    credits_a_day: int = 500
    credits_a_poll: float | None = 2
    floor: timedelta = timedelta(minutes=1)
    blocked: AbstractSet[str] = frozenset()


@dataclass(slots=True)
class Plan:
    """The schedule, and the cost of a check in credits.

    With ``learns_cost`` the cost is the mean bill of the last checks. ``pause`` is the mean time
    between two checks of a profile that only newcomers follow; None if all profiles are checked by
    the same rule.
    """

    schedule: Schedule = field(default_factory=lambda: Schedule(BUDGET, minimum=FLOOR_S))
    cost: float = COST
    learns_cost: bool = True
    pause: timedelta | None = None

    def learn_bill(self, credits: int) -> None:  # noqa: A002 - the term of the project
        """Learn the bill of a check, in credits."""
        # The credit bucket was charged the mean cost.
        self.schedule.bucket.credits -= credits - self.cost
        if self.learns_cost:
            self.cost += (credits - self.cost) / _POLLS_OF_MEAN

    def share_budget(self, sure: float, more: float, *, known: int, fresh: int) -> None:
        """Apply ``sure`` credits per day, shared with newcomers, and ``more`` credits for today.

        ``known`` and ``fresh`` are the numbers of profiles that known persons follow, and that
        only newcomers follow.
        """
        schedule, budget = self.schedule, sure + more
        apart = share_with_newcomers(sure, known=known, fresh=fresh)[1] if known and fresh else 0.0
        if (schedule.budget, schedule.apart) != (budget, apart):
            schedule.set_budget(budget, apart=apart)
        self.pause = None
        if known and fresh:
            hours = 24 * fresh * self.cost / apart if apart > 0 else LATEST_HOURS
            seconds = max(min(hours, LATEST_HOURS) * HOUR, schedule.minimum)
            self.pause = timedelta(seconds=seconds)

    def learn_check(
        self, known: Known, stories: Sequence[Story], *, now: datetime, own: bool
    ) -> tuple[Columns, datetime]:
        """Learn from a complete check. Return the new columns and the time of the next check.

        ``own`` checks belong to the schedule and measure the delay of the schedule. Checks of a
        profile that only newcomers follow only cost the schedule credits: the intervals of other
        profiles must not change.
        """
        state = _learned_state(known, now)
        taken = sorted(story.taken_at.timestamp() for story in stories)
        is_own = own and not self.is_checked_by_pause(known)
        learn = self.schedule.learn_polled if is_own else self.schedule.learn
        due = learn(state, known.weight, self.cost, at=now.timestamp(), taken=taken)
        if own and self.is_checked_by_pause(known):
            self.schedule.bucket.credits -= self.cost
        return self._columns_and_due(known, state, due, now)

    def recompute_due(self, known: Known, *, now: datetime) -> tuple[Columns, datetime]:
        """Recompute the due time of a profile, after a change of the weight or of the price."""
        state = _learned_state(known, now)
        due = self.schedule.set_due_at(state, known.weight, self.cost)
        return self._columns_and_due(known, state, due, now)

    def survey(self, states: Sequence[tuple[ProfileState, float]], profiles: int) -> None:
        """Refresh the sums over all profiles with the result of ``sample_states``."""
        if states:
            rows = ((state, weight, self.cost) for state, weight in states)
            self.schedule.survey(rows, profiles=profiles)

    def is_stale(self, known: Known) -> bool:
        """Return whether a profile was queued with a price or pause that may be outdated."""
        if known.forecast is None:
            return False
        return self.is_checked_by_pause(known) or self.schedule.is_stale(
            ProfileState.from_json(known.forecast)
        )

    def is_checked_by_pause(self, known: Known) -> bool:
        """Return whether only newcomers follow a profile, so that the mean pause applies."""
        return known.fresh and self.pause is not None

    def _columns_and_due(
        self, known: Known, state: ProfileState, due: float, now: datetime
    ) -> tuple[Columns, datetime]:
        if known.fresh and self.pause is not None:
            # The mean of this pause is ``pause``; profiles that were first followed together are
            # spread.
            lot = crc32(f"{known.profile_id} {state.seen_at:.0f}".encode()) / 2**32
            pause = min(self.pause.total_seconds() * (0.75 + lot / 2), LATEST_HOURS * HOUR)
            due = state.due_at = state.seen_at + pause
        latest = now + timedelta(hours=LATEST_HOURS)
        return {"forecast": state.to_json()}, min(datetime.fromtimestamp(due, UTC), latest)


def _learned_state(known: Known, now: datetime) -> ProfileState:
    """Return the learned state of a profile; a check time in the future is set to now."""
    state, at = ProfileState.from_json(known.forecast), now.timestamp()
    if state.seen_at > at:
        state.seen_at, state.story_at = at, min(state.story_at, at)
    return state


async def load(tx: Tx) -> Plan:
    """Load the plan that was saved last, or create a new plan."""
    kept = await key_values.get(tx, KEY)
    if kept is None:
        return Plan()
    plan = Plan(Schedule(kept["budget"], minimum=kept["floor"]), kept["cost"])
    plan.schedule.restore(kept["schedule"])
    if kept["pause"] is not None:
        plan.pause = timedelta(seconds=kept["pause"])
    return plan


async def save(tx: Tx, plan: Plan) -> None:
    """Save the plan; the last write wins, which is harmless."""
    schedule = plan.schedule
    value = {
        "budget": schedule.budget,
        "floor": schedule.minimum,
        "cost": plan.cost,
        "pause": plan.pause and plan.pause.total_seconds(),
        "schedule": schedule.to_json(),
    }
    await key_values.put(tx, KEY, value)


async def cost_of_poll(tx: Tx, fixed: float | None) -> float:
    """Return the credits of a check: ``fixed``, or the mean that the plan has learned."""
    return (await load(tx)).cost if fixed is None else fixed


async def sample_states(
    tx: Tx, *, most: int = _SAMPLE, skip_fresh: bool = False
) -> list[tuple[ProfileState, float]]:
    """Return state and weight of the followed profiles.

    For more than ``most`` profiles, return a random sample: a read of all rows would take too
    long. ``skip_fresh`` omits profiles that only newcomers follow.
    """
    rows = await profiles.forecasts(tx, most=most, skip_fresh=skip_fresh)
    return [(ProfileState.from_json(forecast), weight) for forecast, weight in rows]
