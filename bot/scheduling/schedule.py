"""The decisions of the schedule: which profile to check next, and the time of the check.

The bot (a table) and the simulator (a heap) both call this module. Each row of the table needs a
``ProfileState``, a weight, the cost of a check in credits, and ``due_at`` as an indexed column.
The weight is the number of subscriptions, with ``fast`` counted several times. All times are Unix
seconds. The loop is::

    # ``spent_today`` is the number of credits that checks have cost on the UTC day.
    schedule.release_due_credits(now, spent_today=spent_today)
    due, early = schedule.spendable_credits_for_due_and_early(now)
    rows = claim(limit=due // cost)  # ORDER BY due_at, with due_at <= now
    rows += claim(limit=early // cost)  # checks that are not due, if credits are left
    for row in rows:  # outside of any transaction
        if schedule.has_price_changed_since_due_at(state):
            schedule.set_due_at(state, weight, cost)  # store due_at; skip the row if not due yet
        stories = fetch(row)  # on failure: schedule.freeze_price_after_outage(now)
        schedule.charge_learn_and_set_due_at(state, weight, cost, at=now, taken=[...])
        # store ``state`` and ``due_at`` in the profile's row
    # the result of this call is the time until which the loop sleeps
    schedule.next_check_at(first_due_at, seen_at, cost, now=now, spent_today=spent_today)

``latest_allowed_last_check`` limits which rows may be claimed. A check that a person requests
calls ``schedule.learn_and_set_due_at``. ``schedule.recompute_demand(rows)`` computes the demand
again every minute, or less often. The result of ``to_json`` is stored in a small row that all
processes share, and the last write wins. A lost write is harmless, because the ledger limits the
credits of a day.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from math import sqrt
from typing import Any

from bot.domain.model import AnyTime
from bot.scheduling.forecast import (
    Population,
    ProfileState,
    count_untriggered_stories,
    fast_and_slow_echo_shares,
    hours_weighted_by_rhythm,
)
from bot.scheduling.policies import Learned
from bot.scheduling.pricing import (
    BANK_HOURS,
    CreditBucket,
    Demand,
    Price,
    ReleaseCurve,
    estimate_demand,
    longest_pause_hours,
)
from bot.scheduling.rates import Pool, expert_rates, log_ratios, mixed_rate
from bot.scheduling.waiting_time import DAY, HOUR

_PRICE_TOLERANCE = 0.1
"""The change of the price, as a part of the price, that makes a stored due time outdated."""

_URGENT = 20 * HOUR
"""The seconds since the last check after which a due check does not need credits in the bucket.

The day's remaining credits pay for such a check.
"""

_EVERY = 8
"""The interval of sample checks: about every eighth scheduled check is a sample check.

Only sample checks count the stories that the mixture of ``rates`` expected.
"""

_ROUNDING = 1e-6

_AFTER_OUTAGE = 3 * HOUR
"""The seconds after a failed check in which the lateness of checks does not change the price."""


class Schedule:
    """The planner of checks, based on the demand, the price of waiting and the credit bucket.

    ``budget`` is in credits per UTC day. All times in the methods are Unix seconds.
    """

    def __init__(
        self,
        budget: float,
        *,
        minimum: float = 60.0,
        rule: Learned | None = None,
    ) -> None:
        """Create a schedule that uses the default demand until the first survey.

        ``minimum`` is the shortest pause between two checks of a profile, in seconds. ``rule``
        decides when a check is due. If ``rule`` is None, the schedule uses ``Learned``.
        """
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
        """Set the demand of all profiles, and compute the price and the release curve again."""
        self.demand = demand
        self.set_daily_budget(self.budget, unplanned_credits=self.apart)

    def set_daily_budget(self, daily_budget: float, *, unplanned_credits: float = 0.0) -> None:
        """Set the budget in credits per UTC day. Compute the price and the release curve again.

        ``unplanned_credits`` are the credits per day for checks that the schedule does not plan.
        The credit bucket also pays for these checks.
        """
        self.budget, self.apart = daily_budget, unplanned_credits
        costs = self.demand.costs
        polls = (daily_budget - unplanned_credits) / costs if costs else 24.0
        self.floor = longest_pause_hours(polls)
        mean_cost = costs / self.demand.profiles if self.demand.profiles else 1.0
        most = BANK_HOURS * daily_budget / 24 + 2 * sqrt(daily_budget * mean_cost)
        wanted = self.demand.wanted if self.rule.by_rhythm else (1.0,) * 24
        self.release_curve = ReleaseCurve(wanted, min(max(most, mean_cost), daily_budget))
        self.current = self._current_price()

    def _current_price(self) -> float:
        return self.price.price_at_budget(self.demand, self.budget - self.apart)

    def recompute_demand(
        self,
        rows: Iterable[tuple[ProfileState, float, float]],
        *,
        profiles: int | None = None,
    ) -> None:
        """Compute the demand of all profiles again from ``rows``.

        Each row has the state of a profile, the weight of its subscriptions, and the cost of a
        check in credits. The rows can be a sample of ``profiles`` profiles.
        """
        self.set_demand(
            estimate_demand(
                rows, self._with_learned_exponents(self.demand.population), profiles=profiles
            )
        )

    def _with_learned_exponents(self, population: Population) -> Population:
        return replace(population, exponents=self.pool.exponents)

    def set_due_at(self, state: ProfileState, weight: float, cost: float) -> float:
        """Compute the time of the next check at the current price. Set and return ``due_at``.

        ``state.price`` is also set. ``weight`` is the weight of the subscriptions, and ``cost`` is
        the number of credits per check.
        """
        hours = self.rule.hours_to_due(state, self.demand, self.current, weight, cost, self.floor)
        state.price = self.current
        state.due_at = state.seen_at + max(hours * HOUR, self.minimum)
        return state.due_at

    def has_price_changed_since_due_at(self, state: ProfileState) -> bool:
        """Return whether the price has changed by more than 10 % since ``due_at`` was computed.

        The change is measured as a part of the current price.
        """
        return abs(state.price - self.current) > _PRICE_TOLERANCE * self.current

    def learn_and_set_due_at(
        self, state: ProfileState, weight: float, cost: float, *, at: float, taken: Sequence[float]
    ) -> float:
        """Update ``state`` from a check at the time ``at``. Return the time of the next check.

        ``taken`` are the sorted times of the found stories. The credit bucket, the price and the
        learned exponents are not changed.
        """
        self.rule.learn(state, self.demand, at, taken)
        return self.set_due_at(state, weight, cost)

    def charge_learn_and_set_due_at(
        self, state: ProfileState, weight: float, cost: float, *, at: float, taken: Sequence[float]
    ) -> float:
        """Update ``state`` from a scheduled check. Return the time of the next check.

        The arguments are those of ``learn_and_set_due_at``. The cost is subtracted from the credit
        bucket. The price of waiting and the learned exponents may change.
        """
        if state.due_at:
            # The lateness of the first check of a profile does not count, because the available
            # credits, and not the price, decide the time of this check.
            self.price.record_lateness(at, at - state.due_at)
        if not self.price.polls:
            self.current = self._current_price()
        self.bucket.credits -= cost
        if not self.rule.by_rhythm or not 0 < state.seen_at < at:
            return self.learn_and_set_due_at(state, weight, cost, at=at, taken=taken)
        self._counted += 1
        is_sample = not self._counted % _EVERY
        if not is_sample and not (taken and taken[-1] > state.story_at):
            return self.learn_and_set_due_at(state, weight, cost, at=at, taken=taken)
        due = self._learn_compare_and_set_due_at(
            state, weight, cost, at=at, taken=taken, is_sample=is_sample
        )
        if is_sample and at - self.pool.at >= 3 * HOUR:
            self.pool.refit(at)
        return due

    def _learn_compare_and_set_due_at(
        self,
        state: ProfileState,
        weight: float,
        cost: float,
        *,
        at: float,
        taken: Sequence[float],
        is_sample: bool,
    ) -> float:
        """Update ``state`` from a check. Return the time of the next check.

        Also add the observed stories to ``pool``, without stories that an earlier story triggered.
        At a sample check (``is_sample``), add ``_EVERY`` times the expected stories.
        """
        population = self.demand.population
        estimates = expert_rates(state.sums, state.age, population.rate)
        mixture = mixed_rate(estimates)
        ratios = log_ratios(estimates, mixture)
        hours = hours_weighted_by_rhythm(state, population, max(state.seen_at, at - DAY), at)
        before = count_untriggered_stories(state)
        due = self.learn_and_set_due_at(state, weight, cost, at=at, taken=taken)
        self.pool.learn_stories(ratios, count_untriggered_stories(state) - before)
        if is_sample:
            echoes = sum(fast_and_slow_echo_shares(state, population))
            expected = mixture * (1.0 - echoes) * hours / 24
            self.pool.learn_expected(ratios, _EVERY * expected)
        return due

    def freeze_price_after_outage(self, at: float) -> None:
        """Stop the corrections of the price until 3 hours after ``at``, because the API failed.

        Late checks normally correct the price. After an outage, checks are late for a different
        reason.
        """
        self.price.stop_corrections_until(at + _AFTER_OUTAGE)

    def release_due_credits(self, now: float, *, spent_today: float) -> None:
        """Release the credits whose release is due by ``now`` into the bucket.

        ``spent_today`` is the number of credits that checks have already spent on the UTC day.
        """
        self.bucket.release_due_credits(
            now, spent_today=spent_today, daily_budget=self.budget, plan=self.release_curve
        )

    def move_credits_into_bucket(self, amount: float) -> None:
        """Release ``amount`` credits into the bucket now, for checks that must not wait.

        The later releases of the day become smaller. The caller must make sure that the rest of
        the day has enough credits.
        """
        self.bucket.credits += amount

    def spendable_credits_for_due_and_early(self, now: float) -> tuple[float, float]:
        """Return the credits that are available now for due checks, and those for early checks."""
        held = self.bucket.credits
        return held, max(0.0, held - self.credits_reserved_for_due(now))

    def credits_reserved_for_due(self, now: float) -> float:
        """Return the credits that early checks must leave in the bucket for due checks.

        The reserve is half of the bucket's capacity, and becomes smaller near midnight (UTC).
        """
        left = 1.0 - now % DAY / DAY
        return min(self.release_curve.most / 2, self.budget * left)

    def next_check_at(
        self, due_at: float, seen_at: float, cost: float, *, now: float, spent_today: float
    ) -> float:
        """Return the time at which the first profile in the queue is checked.

        A check can run before ``due_at``. Rounding can make the result slightly too early, so the
        caller must ask ``may_check_now`` at that time.
        """
        bucket = self.bucket
        paid = bucket.time_with_credits(
            cost, spent_today=spent_today, daily_budget=self.budget, plan=self.release_curve
        )
        if spent_today + cost <= self.budget:
            paid = min(paid, max(now, seen_at + _URGENT))
        if due_at <= paid:
            return max(paid, now)
        need = self.credits_reserved_for_due(now) + cost
        early = bucket.time_with_credits(
            need, spent_today=spent_today, daily_budget=self.budget, plan=self.release_curve
        )
        early = max(self._early_check_at(early, cost, spent_today), seen_at + self.minimum)
        return max(now, paid, min(due_at, early))

    def _early_check_at(self, early: float, cost: float, spent_today: float) -> float:
        """Return the time at which the bucket has enough credits for an early check.

        ``early`` is the time for the present reserve. The reserve becomes smaller near midnight,
        so that the result can be before ``early``.
        """
        bucket, budget, left = self.bucket, self.budget, self.release_curve.unreleased_parts
        rest = budget - spent_today - cost
        if rest < 0:
            # The credits that are left today do not pay for a check, for example because the
            # budget is zero.
            return early
        midnight = (bucket.at // DAY + 1.0) * DAY
        low = max(bucket.at, midnight - self.release_curve.most / 2 / budget * DAY)
        if early <= low:
            return early
        held = max(budget - spent_today - bucket.credits, 0.0) / left(bucket.at)
        high = midnight
        while high - low > 1.0:
            middle = (low + high) / 2
            if held * left(middle) + budget * (midnight - middle) / DAY <= rest:
                high = middle
            else:
                low = middle
        return min(early, high)

    def latest_allowed_last_check(
        self, now: float, *, is_due: bool, is_paid: bool
    ) -> float | AnyTime:
        """Return the latest time at which the previous check of a profile may have been made.

        None means no limit. ``is_due`` is False for an early check. ``is_paid`` is True if the
        credit bucket pays, and False if the day's remaining credits pay.
        """
        if not is_due:
            return now - self.minimum
        return None if is_paid else now - _URGENT

    def may_check_now(
        self, due_at: float, seen_at: float, cost: float, *, now: float, spent_today: float
    ) -> bool:
        """Return whether a check is allowed now.

        The budget of the day must pay for the check. The bucket must also pay, unless the check is
        due and the last check was at least ``_URGENT`` seconds ago. An early check needs the
        minimum pause, and must leave the reserve in the bucket.
        """
        if spent_today + cost > self.budget:
            return False
        is_due = due_at <= now + _ROUNDING
        for_due, for_early = self.spendable_credits_for_due_and_early(now)
        is_paid = (for_due if is_due else for_early) + _ROUNDING >= cost
        if not is_due and not is_paid:
            return False
        before = self.latest_allowed_last_check(now, is_due=is_due, is_paid=is_paid)
        return before is None or seen_at <= before + _ROUNDING

    def to_json(self) -> dict[str, Any]:
        """Return the state that all processes share, as a JSON object."""
        parts = (self.price, self.bucket, self.pool)
        return {"demand": self.demand.to_json(), "parts": [asdict(part) for part in parts]}

    def restore(self, values: Mapping[str, Any]) -> None:
        """Restore the state from a result of ``to_json``."""
        price, bucket, pool = values["parts"]
        self.price, self.bucket = Price(**price), CreditBucket(**bucket)
        self.pool = Pool.from_json(pool)
        demand = Demand.from_json(values["demand"])
        self.set_demand(
            replace(demand, population=self._with_learned_exponents(demand.population))
        )
