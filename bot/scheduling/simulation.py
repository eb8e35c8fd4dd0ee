"""The simulation of the schedule with recorded or generated stories, on a simulated clock.

A heap replaces the table of profiles, and lists of times replace the Stories API. The module
``bot.scheduling.schedule`` makes the decisions. All times are Unix seconds.
"""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush, heapreplace
from math import inf

from bot.scheduling.forecast import ProfileState
from bot.scheduling.policies import Learned
from bot.scheduling.pricing import is_feasible
from bot.scheduling.schedule import Schedule
from bot.scheduling.waiting_time import DAY, HOUR

_REFRESH = HOUR
"""The seconds between two surveys on the first day. Later, the interval is six times as long."""

_POLL_AGAIN = HOUR / 2
"""The seconds from a failed check of a profile until the check is repeated."""

_PROBE = 60.0
"""The seconds from a failed check until the next check of any profile."""

# The golden ratio minus 1. The multiples of this number, modulo 1, are evenly spread from 0 to 1.
# Therefore the first checks are evenly spread over time.
_GOLDEN = 0.6180339887498949


@dataclass(frozen=True, slots=True)
class Record:
    """The history of a profile: ``taken_at`` has the sorted times of the stories in Unix seconds.

    ``subscribers`` is the weight of the profile.
    """

    username: str
    subscribers: float
    taken_at: list[float]


@dataclass(slots=True)
class Result:
    """The result of a simulation."""

    begin: float
    """The start of the simulated time in Unix seconds."""
    delays: list[list[float]]
    """The delays of the stories of each profile in seconds, without the warm-up."""
    days: list[int]
    """The spent credits of each day."""
    poll_count: int = 0
    """The number of successful checks, including the warm-up."""
    lost: int = 0
    """The number of stories that expired before a check found them, without the warm-up."""
    polls: list[tuple[float, int]] = field(default_factory=list)
    """The time and the profile's index of each successful check, if recorded."""


@dataclass(slots=True)
class Simulation:
    """A simulation of one rule with recorded stories."""

    records: Sequence[Record]
    budget: float
    """The budget in credits per day."""
    cost: int = 1
    """The cost in credits per check."""
    rule: Learned | None = None
    warmup: float = 7 * DAY
    """The first seconds, whose stories are not counted in the result."""
    outages: Sequence[tuple[float, float]] = ()
    """The time spans in Unix seconds in which the API fails."""
    record_polls: bool = False
    minimum: float = 60.0
    """The shortest pause between two checks of a profile, in seconds."""
    bind: Callable[[Sequence[ProfileState]], None] | None = None
    """A function that is called before the start with the states of the profiles, in the order of
    ``records``.
    """
    as_rows: bool = False
    """Whether the states are rounded like the rows of the bot's table."""
    refresh: float | None = None
    """The seconds between two surveys. None means 1 hour on the first day, and then 6 hours."""

    def run(self) -> Result:
        """Run the simulation, and return its result.

        The simulated time begins on the UTC day of the first story, and ends a day after the UTC
        day of the last story.

        Raises:
            ValueError: The budget is below 1.2 checks per profile and day.
        """
        if not is_feasible(self.budget, self.cost * len(self.records)):
            message = "fewer than 1.2 checks a profile and day lose stories"
            raise ValueError(message)
        return _Run(self).run()


class _Run:
    def __init__(self, plan: Simulation) -> None:
        self.plan = plan
        taken = [record.taken_at for record in plan.records if record.taken_at]
        begin = min((times[0] for times in taken), default=0.0) // DAY * DAY
        last = max((times[-1] for times in taken), default=begin)
        # Simulate one day more than the stories cover, so that each story is found or expires.
        self.days = int(last // DAY - begin // DAY) + 2 if taken else 0
        self.judged = begin + plan.warmup
        self.result = Result(begin, [[] for _ in plan.records], [])
        self.states = [ProfileState() for _ in plan.records]
        self.upto = [0] * len(plan.records)
        if plan.bind:
            plan.bind(self.states)
        self.schedule = Schedule(plan.budget, minimum=plan.minimum, rule=plan.rule)
        self.schedule.bucket.at = begin
        self.schedule.recompute_demand(self._survey_rows())
        self.survey_at = begin + self._seconds_between_surveys(begin)
        self.paused_until = begin

    def _survey_rows(self) -> Iterator[tuple[ProfileState, float, float]]:
        cost = self.plan.cost
        for state, record in zip(self.states, self.plan.records, strict=True):
            yield state, record.subscribers, cost

    def _queue_first_checks(self) -> list[tuple[float, int]]:
        """Return a queue of the first check of each profile. Set the price of each state.

        The checks are spread evenly over the time in which the budget provides the credits for
        these checks.
        """
        plan, begin = self.plan, self.result.begin
        # The budget pays for at least 1.2 checks per profile and day, so the time span of the
        # first checks is at most 20 hours. Therefore a story usually does not expire (after 24
        # hours) before its profile's first check.
        span = plan.cost * len(plan.records) / plan.budget * DAY
        for state in self.states:
            state.price = self.schedule.current
        queue = [(begin + key * _GOLDEN % 1.0 * span, key) for key in range(len(self.states))]
        heapify(queue)
        return queue

    def run(self) -> Result:
        result, plan, schedule = self.result, self.plan, self.schedule
        queue = self._queue_first_checks()
        resting: deque[tuple[float, int]] = deque()
        next_at, may_check_now = schedule.next_check_at, schedule.may_check_now
        fill = schedule.release_due_credits
        states, cost = self.states, plan.cost
        now = result.begin
        for day in range(self.days):
            spent, at = 0, now
            fill(now, spent_today=spent)
            # The entry of the queue for which ``at`` was computed. ``at`` is valid until credits
            # are spent, even if other profiles are put back into the queue.
            known: tuple[float, int] | None = None
            midnight = result.begin + (day + 1) * DAY
            while True:
                now = self._requeue_rested_and_return_time(queue, resting, now)
                head = due, key = queue[0]
                seen_at = states[key].seen_at
                if head is not known:
                    known = head
                    at = next_at(due, seen_at, cost, now=now, spent_today=spent)
                    at = max(at, self.paused_until)
                rested = states[resting[0][1]].seen_at + plan.minimum if resting else inf
                if min(at, rested) >= midnight:
                    break
                if rested <= at:
                    now = rested
                    continue
                known, now = None, at
                fill(now, spent_today=spent)
                if not may_check_now(due, seen_at, cost, now=now, spent_today=spent):
                    now += 1.0
                    continue
                due, paid = self._check_and_return_due_and_spent(key, now)
                if paid:  # the profile rests until its minimum pause is over
                    heappop(queue)
                    resting.append((due, key))
                else:
                    heapreplace(queue, (due, key))
                spent += paid
            result.days.append(spent)
            now = midnight
        return result

    def _requeue_rested_and_return_time(
        self, queue: list[tuple[float, int]], resting: deque[tuple[float, int]], now: float
    ) -> float:
        """Put profiles back into the queue after their minimum pause. Return the new time.

        If the queue is empty, the time jumps to the end of the first pause.
        """
        states, minimum = self.states, self.plan.minimum
        if not queue:
            now = max(now, states[resting[0][1]].seen_at + minimum)
        while resting and states[resting[0][1]].seen_at + minimum <= now:
            heappush(queue, resting.popleft())
        return now

    def _check_and_return_due_and_spent(self, key: int, now: float) -> tuple[float, int]:
        """Check a profile. Return the time of its next check and the spent credits.

        No credits are spent if the API fails, or if a new price of waiting has postponed the
        check.
        """
        plan, schedule, state = self.plan, self.schedule, self.states[key]
        weight = plan.records[key].subscribers
        if schedule.has_price_changed_since_due_at(state):
            due = schedule.set_due_at(state, weight, plan.cost)
            if due > now:
                return due, 0
        if plan.outages and any(begin <= now < end for begin, end in plan.outages):
            schedule.freeze_price_after_outage(now)
            self.paused_until = now + _PROBE
            return now + _POLL_AGAIN, 0
        taken = self._record_delays_and_get_story_times(key, now)
        due = schedule.charge_learn_and_set_due_at(state, weight, plan.cost, at=now, taken=taken)
        result = self.result
        result.poll_count += 1
        if plan.record_polls:
            result.polls.append((now, key))
        if now >= self.survey_at:
            schedule.recompute_demand(self._survey_rows())
            self.survey_at = now + self._seconds_between_surveys(now)
        if plan.as_rows:
            self.states[key] = ProfileState.from_json(state.to_json())
            due = round(due, 3)
        return due, plan.cost

    def _seconds_between_surveys(self, now: float) -> float:
        if self.plan.refresh is not None:
            return self.plan.refresh
        return _REFRESH if now < self.result.begin + DAY else 6 * _REFRESH

    def _record_delays_and_get_story_times(self, key: int, now: float) -> Sequence[float]:
        """Return the times of the new stories that a check finds.

        Record the delays of these stories, and the number of stories that expired before the
        check, both without the stories of the warm-up.
        """
        taken = self.plan.records[key].taken_at
        since = self.upto[key]
        upto = bisect_right(taken, now, since)
        if upto == since:
            return ()
        self.upto[key] = upto
        alive = bisect_left(taken, now - DAY, since, upto)
        judged = bisect_left(taken, self.judged, since, upto)
        self.result.lost += max(0, alive - judged)
        self.result.delays[key] += [now - story for story in taken[max(alive, judged) : upto]]
        return taken[alive:upto]
