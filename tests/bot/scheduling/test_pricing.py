"""The purse keeps to the day, the price follows the money."""

import json
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.scheduling.forecast import Population, ProfileState
from bot.scheduling.pricing import (
    CreditBucket,
    Demand,
    Price,
    ReleaseCurve,
    floor_hours,
    is_feasible,
    survey,
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
        purse.advance(now, spent=spent, budget=budget, plan=pace)
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
    at = purse.ready_at(need, spent=0, budget=50.0, plan=pace)
    assert at >= purse.at - 1e-3
    if at < DAWN + DAY:
        purse.advance(at, spent=0, budget=50.0, plan=pace)
        assert abs(purse.credits - need) < 0.01


def test_what_others_borrowed_is_taken_from_the_rest_of_the_day() -> None:
    pace = ReleaseCurve((1.0,) * 24, most=100.0)
    purse = CreditBucket(at=DAWN)
    purse.advance(DAWN + 12 * HOUR, spent=0, budget=24.0, plan=pace)
    assert abs(purse.credits - 12.0) < 1e-6
    purse.advance(DAWN + 12 * HOUR, spent=20, budget=24.0, plan=pace)
    assert purse.credits <= 4.0
    purse.advance(DAWN + DAY - 1, spent=20, budget=24.0, plan=pace)
    assert 3.9 < purse.credits <= 4.0


def test_what_an_outage_kept_back_is_let_out_later_in_the_day() -> None:
    pace = ReleaseCurve((1.0,) * 24, most=2.0)
    purse = CreditBucket(at=DAWN)
    purse.advance(DAWN + 6 * HOUR, spent=0, budget=24.0, plan=pace)
    assert purse.credits == 2.0
    purse.credits = 0.0
    purse.advance(DAWN + 7 * HOUR, spent=2, budget=24.0, plan=pace)
    assert abs(purse.credits - 22 / 18) < 1e-6


@settings(deadline=None)
@given(st.floats(0.01, 1000))
def test_the_floor_leaves_a_story_four_hours(looks: float) -> None:
    assert 12 <= floor_hours(looks) <= 20


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
    assert Price().of(demand, budget * factor) <= Price().of(demand, budget) * (1 + 1e-9)


def test_late_looks_raise_the_price_and_early_ones_lower_it() -> None:
    late, early, frozen = Price(since=DAWN), Price(since=DAWN), Price(since=DAWN)
    frozen.freeze(DAWN + 3 * HOUR)
    for minute in range(0, 90, 10):
        late.observe(DAWN + minute * 60, 1800)
        early.observe(DAWN + minute * 60, -1800)
        frozen.observe(DAWN + minute * 60, 1800)
    assert late.factor > 1 > early.factor
    assert frozen.factor == 1


def test_the_sums_come_back_as_they_were() -> None:
    states = [
        ProfileState(
            seen_at=DAWN, stories=3.0, days=2.0, hours_at=DAWN, hours=array("d", [1.0] * 24)
        )
    ]
    demand = survey(((state, 2, 1) for state in states), Population())
    assert Demand.from_json(json.loads(json.dumps(demand.to_json()))) == demand
    assert demand.profiles == 1
    assert demand.costs == 1
    assert abs(demand.population.rate - (3.0 + 2.0) / 3.0) < 1e-9


def test_a_fair_sample_stands_for_all() -> None:
    states = [ProfileState(seen_at=DAWN, stories=float(n), days=2.0) for n in range(10)]
    whole = survey(((state, 2, 1) for state in states * 2), Population())
    half = survey(((state, 2, 1) for state in states), Population(), profiles=20)
    assert (half.profiles, half.costs) == (20, 20)
    assert half.wanted == pytest.approx(whole.wanted)
    assert half.population.rate == pytest.approx(whole.population.rate, rel=0.1)
    assert survey([], Population(), profiles=0).profiles == 0
