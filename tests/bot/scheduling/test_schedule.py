"""When to look next, by the sums, the price and the purse."""

import json
import random
from dataclasses import replace
from math import isfinite, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.other_policies import Fixed
from bot.scheduling.forecast import (
    Population,
    ProfileState,
    count_untriggered_stories,
    fast_and_slow_echo_shares,
    hours_to_due,
    hours_weighted_by_rhythm,
    learn_and_count_new_stories,
)
from bot.scheduling.policies import Learned
from bot.scheduling.pricing import (
    Demand,
    Price,
    ReleaseCurve,
    estimate_demand,
    longest_pause_hours,
)
from bot.scheduling.rates import Pool, expert_rates, log_ratios, mixed_rate
from bot.scheduling.schedule import Schedule
from bot.scheduling.waiting_time import DAY, HOUR

DAWN = 20_000 * DAY


def schedule_of(budget: float, profiles: int = 10) -> tuple[Schedule, list[ProfileState]]:
    """Return a schedule that knows of profiles which were just seen."""
    schedule = Schedule(budget)
    states = [ProfileState(seen_at=DAWN) for _ in range(profiles)]
    schedule.recompute_demand((state, 1, 1) for state in states)
    schedule.bucket.at = DAWN
    return schedule, states


@settings(deadline=None)
@given(
    st.floats(12, 5000),
    st.lists(st.floats(0, 5 * DAY), max_size=20),
    st.floats(0, 1000),
    st.floats(0, 1000),
    st.sampled_from([1, 2, 3]),
)
def test_due_falls_with_subscribers_and_stays_between_minimum_and_floor(
    budget: float, stories: list[float], one: float, other: float, cost: int
) -> None:
    schedule, (state, *_) = schedule_of(budget)
    at = DAWN + 5 * DAY
    taken = sorted(DAWN + story for story in stories if story > 4 * DAY)
    few, many = sorted((one, other))
    late = schedule.learn_and_set_due_at(state, few, cost, at=at, taken=taken)
    early = schedule.set_due_at(state, many, cost)
    assert early <= late + 1
    assert late <= schedule.set_due_at(state, few, cost + 1) + 1
    for due in (early, late):
        assert at + schedule.minimum <= due <= at + longest_pause_hours(budget / 10) * HOUR


def test_a_profile_that_nobody_waits_for_is_looked_at_by_the_floor() -> None:
    schedule, (state, *_) = schedule_of(240)
    assert (
        schedule.learn_and_set_due_at(state, 0, 1, at=DAWN + 60, taken=[]) == DAWN + 60 + 12 * HOUR
    )


def test_a_higher_budget_makes_what_is_queued_stale_and_sooner() -> None:
    schedule, (state, *_) = schedule_of(60)
    before = schedule.set_due_at(state, 1, 1)
    assert not schedule.has_price_changed_since_due_at(state)
    schedule.set_daily_budget(600)
    assert schedule.has_price_changed_since_due_at(state)
    assert schedule.set_due_at(state, 1, 1) < before


def test_credits_before_their_time_are_those_above_half_of_the_bank() -> None:
    schedule, _ = schedule_of(2400)
    schedule.release_due_credits(DAWN + HOUR, spent_today=0)
    due, early = schedule.spendable_credits_for_due_and_early(DAWN + HOUR)
    assert 0 <= early < due <= schedule.release_curve.most
    schedule.release_due_credits(DAWN + 6 * HOUR, spent_today=0)
    due, early = schedule.spendable_credits_for_due_and_early(DAWN + 6 * HOUR)
    assert due == schedule.release_curve.most
    assert early == due / 2


def test_the_next_look_waits_for_its_time_and_for_its_credit() -> None:
    schedule, _ = schedule_of(24, profiles=1)
    assert schedule.next_check_at(DAWN, DAWN, 1, now=DAWN, spent_today=0) > DAWN
    schedule.bucket.credits = 1.0
    assert schedule.next_check_at(DAWN - 60, DAWN, 1, now=DAWN, spent_today=0) == DAWN
    assert schedule.next_check_at(DAWN + 60, DAWN, 1, now=DAWN, spent_today=0) == DAWN + 60
    schedule.bucket.credits = 0.0
    assert schedule.next_check_at(DAWN, DAWN, 1, now=DAWN, spent_today=24) == DAWN + DAY


def test_a_profile_not_seen_for_long_does_not_wait_for_the_pace() -> None:
    schedule, _ = schedule_of(24, profiles=1)
    seen_at = DAWN - 20 * HOUR
    assert schedule.next_check_at(DAWN, seen_at, 1, now=DAWN, spent_today=0) == DAWN
    # The check uses the day's last credit.
    assert schedule.next_check_at(DAWN, seen_at, 1, now=DAWN, spent_today=23) == DAWN
    assert schedule.next_check_at(DAWN, seen_at, 1, now=DAWN, spent_today=24) == DAWN + DAY
    assert schedule.may_check_now(DAWN, seen_at, 1, now=DAWN, spent_today=23)
    assert not schedule.may_check_now(DAWN, seen_at, 1, now=DAWN, spent_today=24)
    assert not schedule.may_check_now(DAWN, seen_at + 60, 1, now=DAWN, spent_today=0)
    assert not schedule.may_check_now(DAWN + 60, seen_at, 1, now=DAWN, spent_today=0)


def test_nobody_is_looked_at_early_who_has_not_rested() -> None:
    schedule, _ = schedule_of(2400)
    noon = DAWN + 12 * HOUR
    schedule.release_due_credits(noon, spent_today=0)
    due_at, minimum = noon + HOUR, schedule.minimum
    assert schedule.next_check_at(due_at, noon - minimum, 1, now=noon, spent_today=0) == noon
    assert (
        schedule.next_check_at(due_at, noon - 1, 1, now=noon, spent_today=0) == noon - 1 + minimum
    )
    assert schedule.may_check_now(due_at, noon - minimum, 1, now=noon, spent_today=0)
    assert not schedule.may_check_now(due_at, noon - 1, 1, now=noon, spent_today=0)
    assert schedule.may_check_now(noon, noon - 1, 1, now=noon, spent_today=0)


def test_what_the_day_still_has_at_its_end_is_spent_early() -> None:
    schedule, _ = schedule_of(2400)
    now, tomorrow = DAWN + 23.5 * HOUR, DAWN + 30 * HOUR
    spent = 2400.0 - 40
    schedule.release_due_credits(now, spent_today=spent)
    looks = tries = 0
    while (
        at := schedule.next_check_at(tomorrow, DAWN, 1, now=now, spent_today=spent)
    ) < DAWN + DAY:
        now = max(at, now + 1.0)
        tries += 1
        schedule.release_due_credits(now, spent_today=spent)
        if schedule.may_check_now(tomorrow, DAWN, 1, now=now, spent_today=spent):
            schedule.bucket.credits -= 1
            spent += 1
            looks += 1
    assert 35 <= looks <= 40
    assert tries <= looks + 5  # it is not asked in vain
    assert spent <= 2400


def test_near_midnight_a_check_is_early_when_less_of_the_day_is_spared_than_is_left() -> None:
    schedule, _ = schedule_of(240)  # of which an hour spares ten
    now = schedule.bucket.at = DAWN + 23 * HOUR
    # What the bucket holds above the rest of the day is not there to be spent.
    for spent, held, seconds in ((238.5, 1.5, 180), (238.5, 5.0, 180), (237.0, 3.0, 720)):
        schedule.bucket.credits = held
        early = schedule.next_check_at(DAWN + 30 * HOUR, DAWN, 1, now=now, spent_today=spent)
        assert early == pytest.approx(DAWN + DAY - seconds, abs=1.0)
    for spent in (239.0, 239.5):
        assert (
            schedule.next_check_at(DAWN + 30 * HOUR, DAWN, 1, now=now, spent_today=spent)
            == DAWN + DAY
        )


def test_where_the_budget_is_nothing_the_next_check_is_not_today() -> None:
    schedule, _ = schedule_of(0)
    for due_at in (DAWN - HOUR, DAWN + HOUR, DAWN + 30 * HOUR):
        assert schedule.next_check_at(due_at, DAWN - DAY, 1, now=DAWN, spent_today=0) == DAWN + DAY
        assert not schedule.may_check_now(due_at, DAWN - DAY, 1, now=DAWN, spent_today=0)


def test_the_first_look_at_a_profile_says_nothing_of_the_price() -> None:
    schedule, (state, *_) = schedule_of(2400)
    state.seen_at = 0.0
    schedule.charge_learn_and_set_due_at(state, 1, 1, at=DAWN + HOUR, taken=[])
    assert schedule.price.late == 0
    assert schedule.price.factor == 1
    schedule.charge_learn_and_set_due_at(state, 1, 1, at=state.due_at + HOUR, taken=[])
    assert schedule.price.factor > 1


def test_replicas_share_what_one_of_them_wrote() -> None:
    schedule, states = schedule_of(240)
    schedule.release_due_credits(DAWN + HOUR, spent_today=0)
    schedule.charge_learn_and_set_due_at(states[0], 1, 1, at=DAWN + HOUR, taken=[])
    schedule.freeze_price_after_outage(DAWN + HOUR)
    schedule.pool.learn_stories([0.5] * 8, 2)
    other = Schedule(240)
    other.restore(json.loads(json.dumps(schedule.to_json())))
    assert other.to_json() == schedule.to_json()
    assert other.pool == schedule.pool
    assert (other.price, other.bucket) == (schedule.price, schedule.bucket)
    assert other.demand == schedule.demand
    assert other.set_due_at(states[1], 1, 1) == schedule.set_due_at(states[1], 1, 1)
    assert isfinite(other.current)


# From here on the figures are written out: who changes one of them on purpose changes it here.

UNEVEN = tuple(float(hour % 7 + hour) for hour in range(24))


def test_what_follows_from_a_budget() -> None:
    schedule = Schedule(48.0)
    schedule.set_demand(Demand(Population(), UNEVEN, costs=12.0, profiles=4))
    assert schedule.floor == 15.0
    assert schedule.current == schedule.price.price_at_budget(schedule.demand, 48.0)
    most = 1.5 * 48 / 24 + 2 * sqrt(48 * 3)
    curve = schedule.release_curve
    assert curve.most == pytest.approx(most)
    assert curve.unreleased_parts(DAWN + HOUR) == ReleaseCurve(UNEVEN, most).unreleased_parts(
        DAWN + HOUR
    )
    schedule.set_daily_budget(6.0)
    assert (schedule.budget, schedule.floor) == (6.0, 20.0)
    assert schedule.release_curve.most == 6.0  # no more than a day has
    schedule.set_daily_budget(0.0)
    assert schedule.floor == 20.0
    schedule.set_demand(Demand(Population(), UNEVEN, costs=0.0, profiles=0))
    schedule.set_daily_budget(100.0)
    assert schedule.floor == 12.0
    assert schedule.release_curve.most == pytest.approx(6.25 + 20)
    apart = Schedule(48.0)
    apart.set_demand(Demand(Population(), UNEVEN, costs=12.0, profiles=4))
    apart.set_daily_budget(54.0, unplanned_credits=6.0)
    assert (apart.budget, apart.floor) == (54.0, 15.0)
    assert apart.current == apart.price.price_at_budget(apart.demand, 48.0)
    evenly = Schedule(48.0, rule=Fixed(1.0))
    evenly.set_demand(schedule.demand)
    assert evenly.release_curve.unreleased_parts(DAWN + HOUR) == pytest.approx(23.0)


def test_the_bucket_holds_one_check_at_least_where_there_is_a_budget() -> None:
    schedule = Schedule(1e-3)
    schedule.set_demand(Demand(Population(), UNEVEN, costs=1e-9, profiles=1))
    little = 1.5e-3 / 24 + 2 * sqrt(1e-12)
    assert schedule.release_curve.most == pytest.approx(little)
    schedule.set_demand(Demand(Population(), UNEVEN, costs=60.0, profiles=1))
    schedule.set_daily_budget(70.0)
    assert schedule.release_curve.most == 70.0
    assert Schedule(24.0).minimum == 60.0
    assert isinstance(Schedule(24.0).rule, Learned)


def test_a_survey_takes_over_what_was_learned() -> None:
    schedule = Schedule(48.0)
    schedule.pool.exponents = (0.1,) * 8
    schedule.recompute_demand([(ProfileState(), 2, 3)], profiles=7)
    population = schedule.demand.population
    assert population.exponents == schedule.pool.exponents
    before = replace(Population(), exponents=population.exponents)
    assert schedule.demand == estimate_demand([(ProfileState(), 2, 3)], before, profiles=7)


def test_a_check_is_due_where_the_rule_says_between_the_minimum_and_the_floor() -> None:
    schedule, (state, *_) = schedule_of(240)
    hours = hours_to_due(
        state, schedule.demand.population, target=schedule.current * 2 / 3, most=12.0
    )
    assert schedule.set_due_at(state, 3.0, 2.0) == DAWN + hours * HOUR == state.due_at
    assert state.price == schedule.current
    assert schedule.set_due_at(state, 1e9, 1.0) == DAWN + 60.0
    schedule.minimum = 90.0
    assert schedule.set_due_at(state, 1e9, 1.0) == DAWN + 90.0
    schedule.rule = Fixed(7.0)
    assert schedule.set_due_at(state, 3.0, 2.0) == DAWN + 7 * HOUR


def test_a_tenth_of_the_price_makes_stale() -> None:
    schedule, (state, *_) = schedule_of(240)
    schedule.current = 1.0
    for price, is_changed in (
        (0.91, False),
        (1.09, False),
        (0.89, True),
        (1.11, True),
        (0.0, True),
    ):
        state.price = price
        assert schedule.has_price_changed_since_due_at(state) is is_changed
    schedule.current, state.price = 10.0, 9.0
    assert not schedule.has_price_changed_since_due_at(state)  # the tenth itself is not beyond it


def test_the_learned_follows_from_all_checks() -> None:
    rng = random.Random(6)  # noqa: S311 - a made-up past
    schedule = Schedule(240.0)
    population = Population(rate=3.0, fast=0.2, slow=0.3)
    schedule.set_demand(Demand(population, UNEVEN, costs=10.0, profiles=10))
    state, other = ProfileState(), ProfileState()
    pool, price = Pool(), Price()
    at, counted, updates = DAWN, 0, 0
    for number in range(120):
        at += rng.uniform(0.1, 30.0 if number == 60 else 5.0) * HOUR
        taken = sorted(at - rng.uniform(0, 3) * HOUR for _ in range(rng.choice((0, 0, 1, 4))))
        fresh = [story for story in taken if other.story_at < story <= at]
        due_at, seen_at = state.due_at, other.seen_at
        found = expert_rates(other.sums, other.age, 3.0)
        mean = mixed_rate(found)
        hours = (
            hours_weighted_by_rhythm(other, population, max(seen_at, at - DAY), at)
            if seen_at
            else 0.0
        )
        before = count_untriggered_stories(other)
        schedule.charge_learn_and_set_due_at(state, 2.0, 1.0, at=at, taken=taken)
        learn_and_count_new_stories(other, prior=population, at=at, taken=taken)
        if due_at:
            price.record_lateness(at, at - due_at)
        assert schedule.price == price
        if not number:
            continue  # the first check shows what was posted before anybody looked
        counted += 1
        stories = count_untriggered_stories(other) - before
        part = 1 - sum(fast_and_slow_echo_shares(other, population))
        sample = counted % 8 == 0
        if fresh or sample:
            pool.learn_stories(log_ratios(found, mean), stories)
        if sample:
            pool.learn_expected(log_ratios(found, mean), 8 * mean * part * hours / 24)
            if at - pool.at >= 3 * HOUR:
                pool.refit(at)
                updates += 1
        assert schedule.pool.pull == pytest.approx(pool.pull)
        assert schedule.pool.curvature[3] == pytest.approx(pool.curvature[3])
    assert (updates, schedule.pool.at) == (14, pool.at)
    assert schedule.bucket.credits == -120.0
    shown = state.to_json()
    assert [shown[0], *shown[2:4], *shown[5:]] == [
        it for place, it in enumerate(other.to_json()) if place not in {1, 4}
    ]


def test_the_powers_wait_three_hours() -> None:
    schedule, (state, *_) = schedule_of(240)
    schedule.pool.at = DAWN + 1000.0
    state.seen_at = DAWN
    for at, updated in ((1000.0 + 3 * HOUR - 1, False), (1000.0 + 3 * HOUR, True)):
        for before in range(7, -1, -1):  # the eighth is a sample
            schedule.charge_learn_and_set_due_at(state, 1, 1, at=DAWN + at - before / 10, taken=[])
        assert (schedule.pool.at == DAWN + at) is updated


def test_a_check_that_comes_twice_or_by_another_rule_teaches_nothing() -> None:
    schedule, (state, *_) = schedule_of(240)
    state.age = 9.0
    schedule.charge_learn_and_set_due_at(state, 1, 1, at=DAWN, taken=[DAWN - 60])
    fixed = Schedule(240, rule=Fixed(1.0))
    fixed.charge_learn_and_set_due_at(
        ProfileState(seen_at=DAWN, age=9.0), 1, 1, at=DAWN + HOUR, taken=[DAWN + 60]
    )
    for one in (schedule, fixed):
        assert (one._counted, one.pool) == (0, Pool())  # noqa: SLF001 - ours
        assert one.bucket.credits == -1


def test_a_check_of_the_clocks_first_second_is_followed_by_one_that_teaches() -> None:
    schedule, (state, *_) = schedule_of(240)
    state.seen_at, state.age = 0.5, 9.0  # a trace may count its seconds from zero
    schedule.charge_learn_and_set_due_at(state, 1, 1, at=HOUR, taken=[HOUR - 60])
    assert schedule.pool != Pool()


def test_an_old_story_alone_is_not_new() -> None:
    schedule, (state, *_) = schedule_of(240)
    state.age, state.story_at = 9.0, DAWN + 60
    schedule.charge_learn_and_set_due_at(state, 1, 1, at=DAWN + HOUR, taken=[DAWN + 60])
    assert schedule.pool == Pool()


def test_the_price_moves_when_its_hour_is_over() -> None:
    schedule, (state, *_) = schedule_of(240)
    schedule.price.since = DAWN
    before, state.due_at = schedule.current, DAWN + 60
    schedule.charge_learn_and_set_due_at(state, 1, 1, at=DAWN + HOUR / 2, taken=[])
    assert schedule.current == before
    schedule.charge_learn_and_set_due_at(state, 1, 1, at=DAWN + HOUR, taken=[])
    assert schedule.current == schedule.price.price_at_budget(schedule.demand, 240) != before


def test_lateness_says_nothing_for_three_hours_after_an_outage() -> None:
    schedule, _ = schedule_of(240)
    schedule.freeze_price_after_outage(DAWN)
    assert schedule.price.frozen_until == DAWN + 3 * HOUR


def test_half_of_the_bank_is_kept_and_near_midnight_what_is_still_used() -> None:
    schedule, _ = schedule_of(2400)
    most = schedule.release_curve.most
    schedule.bucket.credits = most
    for hour, kept in ((12.0, most / 2), (23.9, 10.0), (23.99, 1.0)):
        due, early = schedule.spendable_credits_for_due_and_early(DAWN + hour * HOUR)
        assert due == most
        assert early == pytest.approx(most - kept)
    schedule.bucket.credits = 1.0
    assert schedule.spendable_credits_for_due_and_early(DAWN + HOUR) == (1.0, 0.0)


def by_trial(schedule: Schedule, due_at: float, seen_at: float, now: float, spent: float) -> float:
    """Return the first second in which a check may be made, by trying each until midnight."""
    bucket = schedule.bucket
    credits_, begun = bucket.credits, bucket.at
    at = now
    while at < DAWN + DAY:
        schedule.release_due_credits(at, spent_today=spent)
        if schedule.may_check_now(due_at, seen_at, 1, now=at, spent_today=spent):
            break
        at += 1.0
    bucket.credits, bucket.at = credits_, begun
    return at


@pytest.mark.parametrize("seed", range(40))
def test_the_next_check_is_in_the_first_second_that_may_be(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - made up
    schedule = Schedule(rng.choice((24.0, 240.0, 2400.0)))
    schedule.set_demand(Demand(Population(), UNEVEN, costs=10.0, profiles=10))
    now = DAWN + DAY - rng.choice((0.1, 1.0, 4.0)) * HOUR
    spent = schedule.budget * rng.choice((0.5, 0.9, 0.99))
    schedule.bucket.credits = min(schedule.budget - spent, rng.choice((0.0, 0.5, 3.0, 9.0)))
    schedule.bucket.at = now
    due_at = now + rng.choice((-600.0, 60.0, 1800.0, 2 * DAY))
    seen_at = now - rng.choice((0.0, 1.0, 19.99, 21.0)) * HOUR
    said = schedule.next_check_at(due_at, seen_at, 1, now=now, spent_today=spent)
    assert said >= now
    assert min(said, DAWN + DAY) == pytest.approx(
        by_trial(schedule, due_at, seen_at, now, spent), abs=3.0
    )


def test_a_check_may_be_made_when_paid_for_and_rested() -> None:
    schedule, _ = schedule_of(2400)
    noon, bank = DAWN + 12 * HOUR, schedule.release_curve.most / 2

    def may(due_in: float, rested: float, credits_: float, spent: float = 0.0) -> bool:
        schedule.bucket.credits = credits_
        return schedule.may_check_now(noon + due_in, noon - rested, 1, now=noon, spent_today=spent)

    assert may(0.0, 0.0, 1.0)
    assert may(0.0, 0.0, 1.0 - 5e-7)
    assert may(5e-7, 0.0, 1.0)
    assert not may(0.0, 0.0, 1.0 - 2e-6)
    assert may(0.0, 20 * HOUR, 0.0)
    assert may(0.0, 20 * HOUR - 5e-7, 0.0)
    assert not may(0.0, 20 * HOUR - 1e-3, 0.0)
    assert may(0.0, 20 * HOUR, 0.0, spent=2399.0)
    assert not may(0.0, 20 * HOUR, 9.0, spent=2399.5)
    assert may(9.0, 60.0, 1.0 + bank)
    assert not may(9.0, 60.0 - 1e-3, 1.0 + bank)
    assert not may(9.0, 60.0, 1.0 + bank - 1e-3)
    assert not may(2e-6, 60.0, 1.0)
    assert not may(9.0, 21 * HOUR, 1.0)


def test_who_may_be_claimed() -> None:
    schedule, _ = schedule_of(240)
    assert schedule.latest_allowed_last_check(DAWN, is_due=False, is_paid=True) == DAWN - 60
    assert schedule.latest_allowed_last_check(DAWN, is_due=False, is_paid=False) == DAWN - 60
    assert schedule.latest_allowed_last_check(DAWN, is_due=True, is_paid=True) is None
    assert schedule.latest_allowed_last_check(DAWN, is_due=True, is_paid=False) == DAWN - 20 * HOUR
