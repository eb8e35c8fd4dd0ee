"""What to check next, and when: the decisions of the schedule, for whoever keeps the rows.

The live loop keeps the profiles in a table and the simulator keeps them in a heap; both ask this.
A row needs its ``ProfileState``, its weight (subscribers who can be told now), the credits of a
check, and ``due_at`` as an indexed column. A round of the loop::

    schedule.fill_bucket(now, spent=...)          # credits that the UTC day's checks have cost
    due, early = schedule.credits_to_spend(now)   # how many may go to what is due, to the rest
    rows = claim(limit=due // cost)               # ORDER BY due_at, with due_at <= now ...
    rows += claim(limit=early // cost)            # ... and when all of these are served, the next
    for row in rows:                              # outside of any transaction
        if schedule.is_stale(state):              # the price has moved since it was queued
            schedule.set_due_at(state, weight, cost)  # write due_at; check only if it is still due
        stories = fetch(row)                      # on failure: schedule.record_failure(now)
        schedule.learn_polled(state, weight, cost, at=now, taken=[...])   # write state and due_at
    sleep until schedule.next_check_at(first due_at and seen_at, cost, now=..., spent=...)

Which rows a claim may take is said by ``must_be_unseen_since``: where the credit bucket is empty,
those last seen ``_URGENT`` ago have what the day still has; before their time, only those that
have rested.

A check that somebody asked for calls ``schedule.learn`` in the same way. ``schedule.survey(rows)``
refreshes the sums, every few minutes; ``to_json`` is the small row that replicas share, of
which the last writer wins without harm: credits are bounded by the ledger's sum of the day.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from math import sqrt
from typing import Any

from bot.scheduling.forecast import (
    Population,
    ProfileState,
    count_spontaneous,
    echo_shares,
    weighted_hours,
)
from bot.scheduling.policies import Learned
from bot.scheduling.pricing import (
    BANK_HOURS,
    CreditBucket,
    Demand,
    Price,
    ReleaseCurve,
    longest_pause,
    survey,
)
from bot.scheduling.rates import Pool, expert_rates, log_ratios, mixed_rate
from bot.scheduling.waiting_time import DAY, HOUR

_STALE = 0.1
"""How far the price may move before what was queued at the old one is queued anew."""

_URGENT = 20 * HOUR
"""Since the last check: after it a check may cost what the day still has, whatever the pace."""

_EVERY = 8
"""One check in so many teaches what the pool of the experts had expected."""

_ROUNDING = 1e-6

_AFTER_OUTAGE = 3 * HOUR
"""How long after a failed check lateness says nothing about the price."""


class Schedule:
    """Decides by the sums over all profiles, the price and the credit bucket.

    ``budget`` is in credits a UTC day.
    """

    def __init__(
        self,
        budget: float,
        *,
        minimum: float = 60.0,
        rule: Learned | None = None,
    ) -> None:
        """Begin with what is known of the population; ``minimum``: seconds between two checks."""
        self.rule = rule or Learned()
        self.minimum = minimum
        self.price = Price()
        self.bucket = CreditBucket()
        self.pool = Pool()
        self._counted = 0
        self.budget = budget
        self.apart = 0.0
        self.set_demand(Demand())

    def set_demand(self, demand: Demand) -> None:
        """Go by these sums from now on."""
        self.demand = demand
        self.set_budget(self.budget, apart=self.apart)

    def set_budget(self, budget: float, *, apart: float = 0.0) -> None:
        """Go by this budget, credits a UTC day, from now on.

        ``apart`` of it are for checks that are not planned here, and paid from the same bucket.
        """
        self.budget, self.apart = budget, apart
        costs = self.demand.costs
        polls = (budget - apart) / costs if costs else 24.0
        self.floor = longest_pause(polls)
        mean_cost = costs / self.demand.profiles if self.demand.profiles else 1.0
        most = BANK_HOURS * budget / 24 + 2 * sqrt(budget * mean_cost)
        wanted = self.demand.wanted if self.rule.by_rhythm else (1.0,) * 24
        self.release_curve = ReleaseCurve(wanted, min(max(most, mean_cost), budget))
        self.current = self._current_price()

    def _current_price(self) -> float:
        return self.price.at_budget(self.demand, self.budget - self.apart)

    def survey(
        self,
        rows: Iterable[tuple[ProfileState, float, float]],
        *,
        profiles: int | None = None,
    ) -> None:
        """Refresh the sums from ``(state, weight, cost)`` of all; see ``pricing.survey``."""
        self.set_demand(survey(rows, self._apply_pool(self.demand.population), profiles=profiles))

    def _apply_pool(self, population: Population) -> Population:
        return replace(population, exponents=self.pool.exponents)

    def set_due_at(self, state: ProfileState, weight: float, cost: float) -> float:
        """Put into ``state`` when the next check is due at the current price; return that."""
        hours = self.rule.hours_to_due(state, self.demand, self.current, weight, cost, self.floor)
        state.price = self.current
        state.due_at = state.seen_at + max(hours * HOUR, self.minimum)
        return state.due_at

    def is_stale(self, state: ProfileState) -> bool:
        """Return whether the price has moved since ``state`` was queued."""
        return abs(state.price - self.current) > _STALE * self.current

    def learn(
        self, state: ProfileState, weight: float, cost: float, *, at: float, taken: Sequence[float]
    ) -> float:
        """Learn from a check, whoever paid for it; return when the next one is due."""
        self.rule.learn(state, self.demand, at, taken)
        return self.set_due_at(state, weight, cost)

    def learn_polled(
        self, state: ProfileState, weight: float, cost: float, *, at: float, taken: Sequence[float]
    ) -> float:
        """Do as ``learn`` for a check that was the schedule's own: it tells of the price, too."""
        if state.due_at:  # the first check was put where there was room, whatever the price
            self.price.count_lateness(at, at - state.due_at)
        if not self.price.polls:
            self.current = self._current_price()
        self.bucket.credits -= cost
        if not self.rule.by_rhythm or not 0 < state.seen_at < at:
            return self.learn(state, weight, cost, at=at, taken=taken)
        self._counted += 1
        is_sample = not self._counted % _EVERY
        if not is_sample and not (taken and taken[-1] > state.story_at):
            return self.learn(state, weight, cost, at=at, taken=taken)
        due = self._learn_and_compare(state, weight, cost, at=at, taken=taken, is_sample=is_sample)
        if is_sample and at - self.pool.at >= 3 * HOUR:
            self.pool.refit(at)
        return due

    def _learn_and_compare(
        self,
        state: ProfileState,
        weight: float,
        cost: float,
        *,
        at: float,
        taken: Sequence[float],
        is_sample: bool,
    ) -> float:
        """Do as ``learn``, and hold what came against what each expert had expected.

        Stories are counted at each check. What had been expected is counted at a sample of the
        checks (``is_sample``), and multiplied.
        """
        population = self.demand.population
        estimates = expert_rates(state.sums, state.age, population.rate)
        mixture = mixed_rate(estimates)
        ratios = log_ratios(estimates, mixture)
        hours = weighted_hours(state, population, max(state.seen_at, at - DAY), at)
        before = count_spontaneous(state)
        due = self.learn(state, weight, cost, at=at, taken=taken)
        self.pool.learn_stories(ratios, count_spontaneous(state) - before)
        if is_sample:
            echoes = sum(echo_shares(state, population))
            expected = mixture * (1.0 - echoes) * hours / 24
            self.pool.learn_expected(ratios, _EVERY * expected)
        return due

    def record_failure(self, at: float) -> None:
        """Record that the API failed."""
        self.price.freeze(at + _AFTER_OUTAGE)

    def fill_bucket(self, now: float, *, spent: float) -> None:
        """Let the credits that are due by ``now`` into the bucket."""
        self.bucket.release(now, spent=spent, budget=self.budget, plan=self.release_curve)

    def draw_ahead(self, amount: float) -> None:
        """Let credits of the rest of the day into the bucket now.

        They pay checks that must not wait for the bucket; the caller has seen that the day has
        them. So much less is let out until midnight, evenly: the bucket is not in debt.
        """
        self.bucket.credits += amount

    def credits_to_spend(self, now: float) -> tuple[float, float]:
        """Return what may be spent now on checks that are due, and on checks before their time."""
        held = self.bucket.credits
        return held, max(0.0, held - self.reserved_for_due(now))

    def reserved_for_due(self, now: float) -> float:
        """Return the credits that checks before their time leave for what becomes due.

        Half of what the bucket may hold; near midnight no more than the rest of the day can spend.
        """
        left = 1.0 - now % DAY / DAY
        return min(self.release_curve.most / 2, self.budget * left)

    def next_check_at(
        self, due_at: float, seen_at: float, cost: float, *, now: float, spent: float
    ) -> float:
        """Return when to check what is first in the queue: when due and paid for, or early.

        It may be a little too soon, by the rounding of times; ``may_poll`` has the last word.
        """
        bucket = self.bucket
        paid = bucket.ready_at(cost, spent=spent, budget=self.budget, plan=self.release_curve)
        if spent + cost <= self.budget:
            paid = min(paid, max(now, seen_at + _URGENT))
        if due_at <= paid:
            return max(paid, now)
        need = self.reserved_for_due(now) + cost
        early = bucket.ready_at(need, spent=spent, budget=self.budget, plan=self.release_curve)
        early = max(self._early_check_at(early, cost, spent), seen_at + self.minimum)
        return max(now, paid, min(due_at, early))

    def _early_check_at(self, early: float, cost: float, spent: float) -> float:
        """Return when the bucket pays an early check at last: near midnight it spares less."""
        bucket, budget, left = self.bucket, self.budget, self.release_curve.left
        rest = budget - spent - cost
        if rest < 0:  # the day pays none, and its budget may be nothing
            return early
        midnight = (bucket.at // DAY + 1.0) * DAY
        low = max(bucket.at, midnight - self.release_curve.most / 2 / budget * DAY)
        if early <= low:
            return early
        held = max(budget - spent - bucket.credits, 0.0) / left(bucket.at)
        high = midnight
        while high - low > 1.0:
            middle = (low + high) / 2
            if held * left(middle) + budget * (midnight - middle) / DAY <= rest:
                high = middle
            else:
                low = middle
        return min(early, high)

    def must_be_unseen_since(self, now: float, *, is_due: bool, is_paid: bool) -> float | None:
        """Return when a profile must have been seen last for a check now; None: at any time.

        ``is_due``: its time has come, else it would be checked early. ``is_paid``: the credit
        bucket pays, else the day does.
        """
        if not is_due:
            return now - self.minimum
        return None if is_paid else now - _URGENT

    def may_poll(
        self, due_at: float, seen_at: float, cost: float, *, now: float, spent: float
    ) -> bool:
        """Return whether the bucket pays, or the day does because the last check is long ago."""
        if spent + cost > self.budget:
            return False
        is_due = due_at <= now + _ROUNDING
        for_due, for_early = self.credits_to_spend(now)
        is_paid = (for_due if is_due else for_early) + _ROUNDING >= cost
        if not is_due and not is_paid:
            return False
        before = self.must_be_unseen_since(now, is_due=is_due, is_paid=is_paid)
        return before is None or seen_at <= before + _ROUNDING

    def to_json(self) -> dict[str, Any]:
        """Return what replicas share."""
        parts = (self.price, self.bucket, self.pool)
        return {"demand": self.demand.to_json(), "parts": [asdict(part) for part in parts]}

    def restore(self, values: Mapping[str, Any]) -> None:
        """Take over what ``to_json`` gave."""
        price, bucket, pool = values["parts"]
        self.price, self.bucket = Price(**price), CreditBucket(**bucket)
        self.pool = Pool.from_json(pool)
        demand = Demand.from_json(values["demand"])
        self.set_demand(replace(demand, population=self._apply_pool(demand.population)))
