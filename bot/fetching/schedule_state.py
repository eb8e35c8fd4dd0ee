"""The plan of the checks: what the operator sets, and the schedule that all replicas share."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.domain.model import Story
from bot.domain.records import Known
from bot.scheduling.forecast import ProfileState
from bot.scheduling.guard import Guard
from bot.scheduling.rates import Mixture, Pool
from bot.scheduling.schedule import Schedule
from bot.store import key_values, profiles
from bot.store.database import Tx

KEY = "schedule"
_KEYS = {False: KEY, True: "schedule of newcomers"}
_RATES = "schedule-rates"  # apart, as versions before this write the other one without it
_SAMPLE = 400  # profiles, others each time: the price errs by 15 %, intervals by half of that
_POLLS_OF_MEAN = 50
_COUNTED = 5_000  # profiles; more are not counted anew for a figure
BUDGET, FLOOR_S, COST = 500.0, 60.0, 2.0  # until the scheduler has written the real ones

Columns = dict[str, list[Any]]
"""Columns of a profile's row, by name."""


@dataclass(frozen=True, slots=True)
class PollSettings:
    """Credits a UTC day that are sure for checks, and what a check costs; ``floor``: between two.

    ``credits_a_poll`` is None where the mean holds that the schedule has learned. ``blocked``
    are the names and ids of profiles that nobody may follow; they may change at any time.
    """

    credits_a_day: int = 500
    credits_a_poll: float | None = 2
    floor: timedelta = timedelta(minutes=1)
    blocked: AbstractSet[str] = frozenset()


@dataclass(slots=True)
class Plan:
    """The schedule, and what one check costs in credits.

    With ``learns_cost`` that is the mean of what the last checks were billed.
    """

    schedule: Schedule = field(default_factory=lambda: Schedule(BUDGET, minimum=FLOOR_S))
    cost: float = COST
    learns_cost: bool = True
    _wasted: float = 0.0
    spent_on: tuple[int, float] = (0, 0.0)  # a day's ordinal, and the credits it has cost
    in_flight: int = 0  # checks of this process
    profiles: int = 0  # that were checked by it when they were last counted

    def billed(self, credits: int, *, is_whole: bool = True) -> None:  # noqa: A002 - the project's word
        """Learn what a check was billed; what is not whole belongs to the one after it."""
        self._wasted += credits
        if not is_whole:
            return
        total, self._wasted = self._wasted, 0.0
        self.schedule.bucket.credits -= total - self.cost  # the schedule counts the mean
        if self.learns_cost:
            self.cost += (total - self.cost) / _POLLS_OF_MEAN

    def spent(self, now: datetime) -> float:
        """Return what the checks of this plan alone have cost today."""
        day, spent = self.spent_on
        return spent if day == now.toordinal() else 0.0

    def spend(self, amount: float, now: datetime) -> None:
        """Count what a check of this plan has cost."""
        self.spent_on = (now.toordinal(), self.spent(now) + amount)

    def seen(
        self, known: Known, stories: Sequence[Story], *, now: datetime, own: bool
    ) -> tuple[Columns, datetime]:
        """Learn from a whole check; return the new columns and when the next check is due.

        ``own`` checks are the schedule's, which tell it how late it is.
        """
        state = state_of(known.forecast, known.memory)
        taken = sorted(story.taken_at.timestamp() for story in stories)
        learn = self.schedule.polled if own else self.schedule.seen
        due = learn(state, known.weight, self.cost, at=now.timestamp(), taken=taken)
        return columns_of(state), self._moment(due, now)

    def due(self, known: Known, *, now: datetime) -> tuple[Columns, datetime]:
        """Judge anew when a profile is due, as its weight or the price has changed."""
        state = state_of(known.forecast, known.memory)
        due = self.schedule.due(state, known.weight, self.cost)
        return columns_of(state), self._moment(due, now)

    def survey(self, states: Sequence[tuple[ProfileState, float]], profiles: int) -> None:
        """Refresh the sums over all profiles from what ``sample`` gave."""
        self.profiles = profiles
        if states:
            rows = ((state, weight, self.cost) for state, weight in states)
            self.schedule.survey(rows, profiles=profiles)

    def is_stale(self, known: Known) -> bool:
        """Return whether a profile was queued at a price that does not hold any more."""
        return known.forecast is not None and self.schedule.is_stale(
            state_of(known.forecast, known.memory)
        )

    def _moment(self, due: float, now: datetime) -> datetime:
        latest = now + timedelta(hours=self.schedule.floor)
        return min(datetime.fromtimestamp(due, UTC), latest)


def state_of(forecast: object, memory: object) -> ProfileState:
    """Return the state that two columns of a profile keep."""
    return ProfileState.from_json(
        [*forecast, memory] if isinstance(forecast, list) and memory else forecast
    )


def columns_of(state: ProfileState) -> Columns:
    """Return the columns of a state, of which versions before this know the first alone.

    They would write theirs over a longer one, and its memory would be lost to all.
    """
    *forecast, memory = state.to_json()
    return {"forecast": forecast, "memory": memory}


async def load(tx: Tx, *, fresh: bool = False) -> Plan:
    """Return the plan that was kept last; what can't be read of it is as in a new one.

    ``fresh``: of what newcomers alone follow.
    """
    kept = await key_values.get(tx, _KEYS[fresh])
    if kept is None:  # newcomers begin with what is known of all others
        kept = await key_values.get(tx, KEY)
    kept = kept if isinstance(kept, dict) else {}
    budget, minimum, cost = (
        value if isinstance(value := kept.get(name), int | float) and value > 0 else default
        for name, default in (("budget", BUDGET), ("floor", FLOOR_S), ("cost", COST))
    )
    plan = Plan(Schedule(budget, minimum=minimum), cost)
    learned = await key_values.get(tx, _RATES)
    plan.schedule.mixture = Mixture.from_json(learned)
    plan.schedule.pool = Pool.from_json(learned)
    plan.schedule.guard = Guard.from_json(learned)
    plan.schedule.restore(kept.get("schedule"))
    if isinstance(count := kept.get("profiles"), int):
        plan.profiles = count
    match kept.get("spent_on"):
        case [int(day), int(spent) | float(spent)]:
            plan.spent_on = (day, float(spent))
    return plan


async def save(tx: Tx, plan: Plan, *, now: datetime, fresh: bool = False) -> None:
    """Keep the plan; the last one kept holds, which does no harm."""
    schedule = plan.schedule
    value = {
        "budget": schedule.budget,
        "floor": schedule.minimum,
        "cost": plan.cost,
        "schedule": schedule.to_json(),
        "spent_on": plan.spent_on,
        "profiles": plan.profiles,
    }
    await key_values.put(tx, _KEYS[fresh], value, now=now)
    if not fresh:  # of all profiles alike
        parts = (schedule.mixture, schedule.pool, schedule.guard)
        learned = {name: kept for part in parts for name, kept in part.to_json().items()}
        await key_values.put(tx, _RATES, learned, now=now)


async def cost_of_poll(tx: Tx, fixed: float | None) -> float:
    """Return the credits of one check: ``fixed``, or the mean that the plan has learned."""
    return (await load(tx)).cost if fixed is None else fixed


async def counts(tx: Tx, *, most: int = _COUNTED) -> list[int]:
    """Return how many profiles known people follow, and how many newcomers alone do.

    Of more than ``most`` it is what the schedule has counted last, some minutes ago.
    """
    if await profiles.followed(tx, most=most + 1) > most:
        kept = [(await load(tx, fresh=fresh)).profiles for fresh in (False, True)]
        if sum(kept) > most:
            return kept
    return [await profiles.followed(tx, fresh=fresh) for fresh in (False, True)]


async def sample(
    tx: Tx, *, most: int = _SAMPLE, fresh: bool | None = None
) -> tuple[list[tuple[ProfileState, float]], int]:
    """Return state and weight of the profiles that are followed, and about how many there are.

    Of more than ``most`` it is a fair sample: to read all would keep everybody waiting.
    """
    rows, count = await profiles.sample(tx, most=most, fresh=fresh)
    return [(state_of(forecast, memory), weight) for forecast, memory, weight in rows], count
