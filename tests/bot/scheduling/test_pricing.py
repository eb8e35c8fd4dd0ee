"""The purse keeps to the day, the price follows the money."""

import json
import random
from array import array
from dataclasses import replace
from math import exp, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.scheduling.forecast import Population, ProfileState, expected_stories_per_hour, rhythm
from bot.scheduling.pricing import (
    CreditBucket,
    Demand,
    Price,
    ReleaseCurve,
    estimate_demand,
    fewest_credits_a_day,
    is_feasible,
    longest_pause_hours,
)
from bot.scheduling.waiting_time import DAY, HOUR

DAWN = 20_000 * DAY
wanted = st.lists(st.floats(0, 10), min_size=24, max_size=24).map(tuple)


@settings(deadline=None)
@given(
    wanted,
    st.integers(1, 500),
    st.integers(1, 3),
    st.lists(st.tuples(st.floats(1, 20_000), st.integers(0, 4)), max_size=150),
)
def test_no_day_costs_more_than_its_budget(
    hours: tuple[float, ...], budget: int, cost: int, visits: list[tuple[float, int]]
) -> None:
    pace = ReleaseCurve(hours, most=max(budget / 4, cost))
    purse = CreditBucket(at=DAWN)
    now, spent, day = DAWN, 0, DAWN // DAY
    for pause, looks in visits:
        now += pause
        if now // DAY != day:
            day, spent = now // DAY, 0
        purse.release_due_credits(now, spent_today=spent, daily_budget=budget, plan=pace)
        for _ in range(looks):
            if purse.credits >= cost:
                purse.credits -= cost
                spent += cost
        assert spent <= budget
        assert -1e-6 <= purse.credits <= budget - spent + 1e-6


@settings(deadline=None)
@given(wanted, st.floats(0, DAY - 1), st.floats(0.01, 40))
def test_the_purse_is_ready_when_it_says(
    hours: tuple[float, ...], begin: float, need: float
) -> None:
    pace = ReleaseCurve(hours, most=50.0)
    purse = CreditBucket(at=DAWN + begin)
    at = purse.time_with_credits(need, spent_today=0, daily_budget=50.0, plan=pace)
    assert at >= purse.at - 1e-3
    if at < DAWN + DAY:
        purse.release_due_credits(at, spent_today=0, daily_budget=50.0, plan=pace)
        assert abs(purse.credits - need) < 0.01


def test_what_others_borrowed_is_taken_from_the_rest_of_the_day() -> None:
    pace = ReleaseCurve((1.0,) * 24, most=100.0)
    purse = CreditBucket(at=DAWN)
    purse.release_due_credits(DAWN + 12 * HOUR, spent_today=0, daily_budget=24.0, plan=pace)
    assert abs(purse.credits - 12.0) < 1e-6
    purse.release_due_credits(DAWN + 12 * HOUR, spent_today=20, daily_budget=24.0, plan=pace)
    assert purse.credits <= 4.0
    purse.release_due_credits(DAWN + DAY - 1, spent_today=20, daily_budget=24.0, plan=pace)
    assert 3.9 < purse.credits <= 4.0


def test_what_an_outage_kept_back_is_let_out_later_in_the_day() -> None:
    pace = ReleaseCurve((1.0,) * 24, most=2.0)
    purse = CreditBucket(at=DAWN)
    purse.release_due_credits(DAWN + 6 * HOUR, spent_today=0, daily_budget=24.0, plan=pace)
    assert purse.credits == 2.0
    purse.credits = 0.0
    purse.release_due_credits(DAWN + 7 * HOUR, spent_today=2, daily_budget=24.0, plan=pace)
    assert abs(purse.credits - 22 / 18) < 1e-6


@settings(deadline=None)
@given(st.floats(0.01, 1000))
def test_the_floor_leaves_a_story_four_hours(looks: float) -> None:
    assert 12 <= longest_pause_hours(looks) <= 20


def test_fewer_than_six_looks_in_five_days_are_refused() -> None:
    assert is_feasible(1.2 * 2000, 2000)
    assert not is_feasible(2399, 2000)
    assert is_feasible(3.6, 3)


@settings(deadline=None)
@given(wanted, st.floats(10, 1000), st.floats(1.01, 5))
def test_more_money_never_makes_waiting_dearer(
    hours: tuple[float, ...], budget: float, factor: float
) -> None:
    demand = Demand(Population(), hours, costs=5.0, profiles=5)
    assert Price().price_at_budget(demand, budget * factor) <= Price().price_at_budget(
        demand, budget
    ) * (1 + 1e-9)


def test_late_looks_raise_the_price_and_early_ones_lower_it() -> None:
    late, early, frozen = Price(since=DAWN), Price(since=DAWN), Price(since=DAWN)
    frozen.stop_corrections_until(DAWN + 3 * HOUR)
    for minute in range(0, 90, 10):
        late.record_lateness(DAWN + minute * 60, 1800)
        early.record_lateness(DAWN + minute * 60, -1800)
        frozen.record_lateness(DAWN + minute * 60, 1800)
    assert late.factor > 1 > early.factor
    assert frozen.factor == 1


def test_the_sums_come_back_as_they_were() -> None:
    states = [
        ProfileState(
            seen_at=DAWN, stories=3.0, days=2.0, hours_at=DAWN, hours=array("d", [1.0] * 24)
        )
    ]
    demand = estimate_demand(((state, 2, 1) for state in states), Population())
    assert Demand.from_json(json.loads(json.dumps(demand.to_json()))) == demand
    assert demand.profiles == 1
    assert demand.costs == 1
    assert abs(demand.population.rate - (3.0 + 2.0) / 3.0) < 1e-9


def test_a_fair_sample_stands_for_all() -> None:
    states = [ProfileState(seen_at=DAWN, stories=float(n), days=2.0) for n in range(10)]
    whole = estimate_demand(((state, 2, 1) for state in states * 2), Population())
    half = estimate_demand(((state, 2, 1) for state in states), Population(), profiles=20)
    assert (half.profiles, half.costs) == (20, 20)
    assert half.wanted == pytest.approx(whole.wanted)
    assert half.population.rate == pytest.approx(whole.population.rate, rel=0.1)
    assert estimate_demand([], Population(), profiles=0).profiles == 0


# From here on the figures are written out: who changes one of them on purpose changes it here.

UNEVEN = tuple(float(hour % 7 + hour) for hour in range(24))


def survey_rows() -> list[tuple[ProfileState, float, float]]:
    """Return rows of which no two are alike."""
    rng = random.Random(2)  # noqa: S311 - made up
    return [
        (
            ProfileState(
                seen_at=DAWN,
                stories=rng.uniform(0, 9),
                days=rng.uniform(0, 9),
                fast_echoes=rng.uniform(0, 3),
                slow_echoes=rng.uniform(0, 3),
                heard=rng.uniform(6, 9),
                likeness=rng.uniform(-1, 1.5),
                hours_at=DAWN if number != 2 else 0.0,
                hours=array("d", [rng.uniform(0, 3) for _ in range(24)]),
                age=rng.uniform(0, 9),
                sums=array("d", [rng.uniform(0, 9) for _ in range(4)]),
            ),
            float(number),
            1.0 + number % 3,
        )
        for number in range(5)
    ]


def test_the_sums_are_those_over_all_rows() -> None:
    before = Population(3.0, tuple(24 * it / sum(UNEVEN) for it in UNEVEN), 0.3, 0.1, 7.0)
    before = replace(before, exponents=(0.1,) * 8)
    rows = survey_rows()
    demand = estimate_demand(rows, before)
    states = [state for state, _, _ in rows]
    heard = 20 + sum(state.heard for state in states)
    common = demand.population
    assert common.rate == pytest.approx(
        (3.0 + sum(state.stories for state in states)) / (1 + sum(state.days for state in states))
    )
    assert common.fast == pytest.approx((6 + sum(it.fast_echoes for it in states)) / heard)
    assert common.slow == pytest.approx((2 + sum(it.slow_echoes for it in states)) / heard)
    hours = [1 + sum(it.hours[hour] for it in states if it.hours_at) for hour in range(24)]
    assert list(common.rhythm) == pytest.approx([24 * value / sum(hours) for value in hours])
    shared = 1 / (1 + exp(-sum(state.likeness for state in states)))
    assert common.sessions == pytest.approx(5 * 10**shared)
    assert common.exponents == before.exponents
    wanted = [
        sum(
            sqrt(w * cost * expected_stories_per_hour(it, before) * rhythm(it, before)[h])
            for it, w, cost in rows
        )
        for h in range(24)
    ]
    assert list(demand.wanted) == pytest.approx(wanted)
    assert (demand.profiles, demand.costs) == (5, sum(cost for _, _, cost in rows))
    sample = estimate_demand(rows, before, profiles=12)
    assert (sample.profiles, sample.population) == (12, common)
    assert sample.costs == pytest.approx(2.4 * demand.costs)
    assert list(sample.wanted) == pytest.approx([2.4 * value for value in wanted])


@pytest.mark.parametrize(("likeness", "sessions"), [(1e6, 50.0), (-1e6, 5.0), (0.0, sqrt(250))])
def test_the_rhythm_of_all_counts_from_5_to_50_sessions(likeness: float, sessions: float) -> None:
    demand = estimate_demand([(ProfileState(likeness=likeness), 1, 1)], Population())
    assert demand.population.sessions == pytest.approx(sessions, rel=1e-9)


@pytest.mark.parametrize(("side", "far"), [(-1, 29.9), (1, 29.9), (-1, 31.0), (1, 31.0)])
def test_the_evidence_of_likeness_counts_up_to_30(side: int, far: float) -> None:
    demand = estimate_demand([(ProfileState(likeness=side * far), 1, 1)], Population())
    bounded = side * min(far, 30.0)
    odds = 5 * 10 ** (1 / (1 + exp(-bounded)))
    assert demand.population.sessions == pytest.approx(odds, rel=1e-15)


def test_nobody_there_is_nothing_wanted() -> None:
    nobody = estimate_demand([], Population())
    assert (nobody.wanted, nobody.costs, nobody.profiles) == ((0.0,) * 24, 0.0, 0)
    assert nobody.population == replace(Population(), sessions=nobody.population.sessions)
    alone = estimate_demand([(ProfileState(), 0.0, 1.0)], Population())
    assert (alone.wanted, alone.costs) == ((0.0,) * 24, 1.0)
    quiet = estimate_demand([(ProfileState(), -1.0, 1.0)], Population())
    assert quiet.wanted == (0.0,) * 24


def test_the_floor_is_two_and_a_half_times_the_mean_interval_from_12_to_20_hours() -> None:
    polls = (-1.0, 0.0, 0.5, 2.9, 3.0, 4.0, 5.0, 6.0, 1e9)
    floors = [20.0, 20.0, 20.0, 20.0, 20.0, 15.0, 12.0, 12.0, 12.0]
    assert [longest_pause_hours(each) for each in polls] == floors


def test_a_budget_that_is_short_by_rounding_alone_is_enough() -> None:
    assert fewest_credits_a_day(10.0) == 12.0
    assert is_feasible(12.0 * (1 - 5e-10), 10.0)
    assert not is_feasible(12.0 * (1 - 2e-9), 10.0)


def test_the_price_is_what_the_closed_form_says() -> None:
    # An interval of sqrt(2 price cost / subscribers / rate) costs sqrt(cost subscribers rate / 2
    # price) credits an hour: the price at which all of them are what the budget has.
    demand = Demand(Population(), UNEVEN, costs=10.0, profiles=5)
    mean = sum(UNEVEN) / 24
    free = 240 / 24 - 10 / 12 / 2
    assert Price(factor=3.0).price_at_budget(demand, 240.0) == pytest.approx(
        3 * (mean / free) ** 2 / 2
    )
    poor = 0.2 * 7 / 24  # where the floor would take more, a fifth is left
    assert Price().price_at_budget(demand, 7.0) == pytest.approx((mean / poor) ** 2 / 2)
    between = 40 / 24 - 10 / 15 / 2
    assert Price().price_at_budget(demand, 40.0) == pytest.approx((mean / between) ** 2 / 2)
    assert Price().price_at_budget(demand, 0.0) == pytest.approx((mean / 1e-9) ** 2 / 2)
    nothing = Demand(Population(), UNEVEN, costs=0.0, profiles=0)
    assert Price().price_at_budget(nothing, 24.0) == pytest.approx(mean**2 / 2)
    assert Price(factor=3.0).price_at_budget(replace(demand, wanted=(0.0,) * 24), 240.0) == 3.0
    little = replace(demand, wanted=(0.01,) * 24)
    assert Price().price_at_budget(little, 240.0) == pytest.approx((0.01 / free) ** 2 / 2)


def test_the_price_is_corrected_each_hour_by_the_mean_lateness() -> None:
    price = Price(since=DAWN)
    price.record_lateness(DAWN, 600.0)
    price.record_lateness(DAWN + HOUR - 1, -300.0)
    assert (price.factor, price.polls) == (1.0, 2)
    assert price.late == pytest.approx(1 / 12)
    price.record_lateness(DAWN + HOUR, 1e9)  # half an hour late at most
    assert price.factor == pytest.approx(exp(0.1 * (1 / 12 + 0.5) / 3))
    assert (price.late, price.polls, price.since) == (0.0, 0, DAWN + HOUR)
    price.record_lateness(DAWN + 3 * HOUR, -1e9)
    assert price.factor == pytest.approx(exp(0.1 * ((1 / 12 + 0.5) / 3 - 0.5)))


def test_the_correction_is_bounded_and_frozen_to_the_second() -> None:
    low, high = Price(factor=0.0205), Price(factor=49.9)
    low.record_lateness(DAWN, -HOUR)
    high.record_lateness(DAWN, HOUR)
    assert (low.factor, high.factor) == (0.02, 50.0)
    frozen = Price()
    frozen.stop_corrections_until(DAWN)
    frozen.stop_corrections_until(DAWN - HOUR)  # the longer one counts
    assert frozen.frozen_until == DAWN
    frozen.record_lateness(DAWN - 1, HOUR)
    assert (frozen.factor, frozen.late, frozen.polls, frozen.since) == (1.0, 0.0, 0, DAWN - 1)
    frozen.record_lateness(DAWN + HOUR, HOUR)
    assert frozen.factor == pytest.approx(exp(0.05))
    just = Price(frozen_until=DAWN)
    just.record_lateness(DAWN, HOUR)
    assert just.factor == pytest.approx(exp(0.05))


def test_nothing_is_known_at_the_beginning() -> None:
    assert Price() == Price(1.0, 0.0, 0, 0.0, 0.0)
    assert CreditBucket() == CreditBucket(0.0, 0.0)
    assert Demand() == Demand(Population(), (1.0,) * 24, 1.0, 1)


def to_come(hours: tuple[float, ...], at: float) -> float:
    """Return the parts of the day after ``at``, each a fifth even and else as it is wanted."""
    mean = sum(hours) / 24
    return sum(
        (0.2 + 0.8 * value / mean) * min(max(hour + 1 - at % DAY / HOUR, 0.0), 1.0)
        for hour, value in enumerate(hours)
    )


def test_a_curve_lets_out_as_it_is_wanted() -> None:
    curve = ReleaseCurve(UNEVEN, most=5.0)
    assert curve.most == 5.0
    for minute in range(0, 24 * 60, 7):
        at = DAWN + minute * 60.0
        assert curve.unreleased_parts(at) == pytest.approx(to_come(UNEVEN, at))
        assert curve.time_when_parts_remain(
            DAWN / DAY, curve.unreleased_parts(at)
        ) == pytest.approx(at, abs=1e-3)
    for hour in range(24):
        at = DAWN + hour * HOUR
        assert curve.time_when_parts_remain(
            DAWN / DAY, curve.unreleased_parts(at)
        ) == pytest.approx(at, abs=1e-3)
    assert curve.time_when_parts_remain(DAWN / DAY, 0.0) == DAWN + DAY
    assert curve.time_when_parts_remain(DAWN / DAY, 24.0) == pytest.approx(DAWN, abs=1e-3)
    even = ReleaseCurve((0.0,) * 24, most=5.0)
    assert even.unreleased_parts(DAWN + 18 * HOUR) == 6.0
    faint = ReleaseCurve((0.01,) * 12 + (0.03,) * 12, most=5.0)
    assert faint.unreleased_parts(DAWN + 12 * HOUR) == pytest.approx(12 * (0.2 + 0.8 * 1.5))


def test_the_bucket_gets_its_part_of_what_the_day_has() -> None:
    rng = random.Random(4)  # noqa: S311 - made up
    curve, bucket = ReleaseCurve(UNEVEN, most=9.0), CreditBucket(at=DAWN)
    has, spent, before = 0.0, 0.0, DAWN
    while before < DAWN + DAY - HOUR:
        at = before + rng.uniform(0, HOUR)
        bucket.release_due_credits(at, spent_today=spent, daily_budget=100.0, plan=curve)
        part = 1 - to_come(UNEVEN, at) / to_come(UNEVEN, before)
        has = min(has + (100 - spent - has) * part, 9.0, 100 - spent)
        assert bucket.credits == pytest.approx(has)
        assert bucket.at == at
        used = rng.uniform(0, has)
        has, bucket.credits, spent, before = has - used, bucket.credits - used, spent + used, at


def test_midnight_begins_a_day_and_keeps_no_more_than_its_budget() -> None:
    curve = ReleaseCurve((1.0,) * 24, most=50.0)
    for held, begins in ((30.0, 24.0), (12.0, 12.0)):
        bucket = CreditBucket(held, at=DAWN - 5 * HOUR)
        bucket.release_due_credits(DAWN, spent_today=0.0, daily_budget=24.0, plan=curve)
        assert (bucket.credits, bucket.at) == (begins, DAWN)
    bucket = CreditBucket(2.0, at=DAWN - 5 * HOUR)
    bucket.release_due_credits(DAWN + 6 * HOUR, spent_today=0.0, daily_budget=24.0, plan=curve)
    assert bucket.credits == pytest.approx(2 + 22 / 4)
    bucket = CreditBucket(2.0, at=DAWN - 5.3 * HOUR)  # by a clock that shows no whole seconds
    bucket.release_due_credits(DAWN + 12_345.678, spent_today=0.0, daily_budget=24.0, plan=curve)
    assert bucket.credits == pytest.approx(2 + 22 * 12_345.678 / 86_400)
    bucket = CreditBucket(0.0, at=DAWN + DAY - 1e-6)
    bucket.release_due_credits(DAWN + DAY, spent_today=0.0, daily_budget=24.0, plan=curve)
    assert bucket.credits == 0.0


def test_a_clock_that_goes_back_lets_nothing_out() -> None:
    curve = ReleaseCurve((1.0,) * 24, most=50.0)
    for at in (DAWN + 2 * HOUR - 60.0, DAWN + 2 * HOUR):
        bucket = CreditBucket(7.0, at=DAWN + 2 * HOUR)
        bucket.release_due_credits(at, spent_today=10.0, daily_budget=24.0, plan=curve)
        assert (bucket.credits, bucket.at) == (7.0, DAWN + 2 * HOUR)
        bucket.release_due_credits(at, spent_today=20.0, daily_budget=24.0, plan=curve)
        assert bucket.credits == 4.0
        bucket.release_due_credits(at, spent_today=25.0, daily_budget=24.0, plan=curve)
        assert bucket.credits == 0.0


def test_what_a_clock_that_was_ahead_let_out_holds_up_nothing_when_it_is_right() -> None:
    curve = ReleaseCurve((1.0,) * 24, most=50.0)
    bucket = CreditBucket(0.0, at=DAWN + DAY + 2 * HOUR)
    bucket.release_due_credits(DAWN + 2 * HOUR, spent_today=0.0, daily_budget=24.0, plan=curve)
    bucket.release_due_credits(DAWN + 13 * HOUR, spent_today=0.0, daily_budget=24.0, plan=curve)
    assert bucket.credits == pytest.approx(12.0)


def test_an_overspent_day_lets_nothing_out() -> None:
    bucket, curve = CreditBucket(at=DAWN), ReleaseCurve((1.0,) * 24, most=50.0)
    bucket.release_due_credits(DAWN + HOUR, spent_today=24.5, daily_budget=24.0, plan=curve)
    assert bucket.credits == 0.0
    assert (
        bucket.time_with_credits(1.0, spent_today=24.5, daily_budget=24.0, plan=curve)
        == DAWN + DAY
    )


def test_what_others_have_spent_is_not_in_the_bucket() -> None:
    bucket, curve = CreditBucket(7.0, at=DAWN), ReleaseCurve((1.0,) * 24, most=50.0)
    bucket.release_due_credits(DAWN + HOUR, spent_today=23.5, daily_budget=24.0, plan=curve)
    assert bucket.credits == 0.5
    assert (
        bucket.time_with_credits(0.5, spent_today=23.5, daily_budget=24.0, plan=curve) == bucket.at
    )
    assert (
        bucket.time_with_credits(0.6, spent_today=23.5, daily_budget=24.0, plan=curve)
        == DAWN + DAY
    )


def test_when_the_bucket_is_ready() -> None:
    curve = ReleaseCurve((1.0,) * 24, most=50.0)
    bucket = CreditBucket(2.0, at=DAWN + 12 * HOUR)

    def ready(need: float, spent: float) -> float:
        return bucket.time_with_credits(need, spent_today=spent, daily_budget=24.0, plan=curve)

    assert ready(2.0, 10.0) == ready(1.0, 23.0) == bucket.at
    assert ready(8.0, 10.0) == pytest.approx(DAWN + 18 * HOUR)
    assert ready(14.0, 10.0) == pytest.approx(DAWN + DAY)
    assert ready(14.1, 10.0) == DAWN + DAY
    assert ready(2.5, 21.5) == pytest.approx(DAWN + DAY)
    bucket.credits = -1.0
    assert ready(2.0, 13.0) == pytest.approx(DAWN + 15 * HOUR)
