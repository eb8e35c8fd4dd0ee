"""The mixture of experts, and the powers of what they say."""

import random
from math import exp, log

import pytest
from hypothesis import strategies as st

from bot.scheduling.forecast import (
    Population,
    ProfileState,
    expected_stories_per_hour,
    learn_and_count_new_stories,
)
from bot.scheduling.rates import (
    DECAYS,
    EXPERTS,
    EXPONENTS,
    POOLED,
    WEIGHTS,
    Pool,
    empty_sums,
    expert_rates,
    log_ratios,
    mixed_rate,
    mixture_factor,
)
from bot.scheduling.waiting_time import DAY, HOUR

START = 20_000 * DAY
anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=26) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=40,
)


def watched(days: int = 20) -> ProfileState:
    """Return the state of a profile that posts twice a day, looked at every six hours."""
    state = ProfileState(seen_at=START)
    stories = [START + half * DAY / 2 + 100 for half in range(2 * days)]
    for look in range(1, 4 * days + 1):
        at = START + look * DAY / 4
        shown = [story for story in stories if at - DAY <= story <= at]
        learn_and_count_new_stories(state, prior=Population(), at=at, taken=shown)
    return state


def test_each_expert_finds_the_rate_of_a_steady_profile() -> None:
    state = watched(200)
    found = expert_rates(state.sums, state.age, common=2.0)
    assert len(found) == EXPERTS
    assert all(1.5 < rate < 2.5 for rate in found)


def test_the_sums_follow_in_closed_form_from_the_mean_rate() -> None:
    state = watched(20)
    for own, decay in zip(state.sums, DECAYS, strict=True):
        assert abs(own - 2.0 * (1.0 - exp(-decay * state.age)) / decay) < 1.0


def regressed(rate_of_day: list[float]) -> Pool:
    """Return the pool after profiles that post at these rates."""
    pool = Pool()
    for shift in range(40):
        state = ProfileState(seen_at=START)
        for day in range(len(rate_of_day)):
            at = START + (day + 1) * DAY
            found = expert_rates(state.sums, state.age, common=2.0)
            mixture = mixed_rate(found)
            ratios = log_ratios(found, mixture)
            stories = round(rate_of_day[(day + shift) % len(rate_of_day)])
            pool.learn_stories(ratios, stories)
            pool.learn_expected(ratios, mixture)
            pool.refit(at)
            taken = [at - (place + 1) * DAY / (stories + 1) for place in range(stories)]
            learn_and_count_new_stories(state, prior=Population(), at=at, taken=sorted(taken))
    return pool


def after_silence(pool: Pool) -> float:
    """Return what is expected of who posted six a day for a month, and then none for four."""
    state = ProfileState(seen_at=START)
    for day in range(1, 35):
        at = START + day * DAY
        taken = [at - hour * HOUR for hour in (21, 17, 13, 9, 5, 1)] if day <= 30 else []
        learn_and_count_new_stories(state, prior=Population(), at=at, taken=taken)
    return expected_stories_per_hour(state, Population(exponents=pool.exponents)) * 24


def test_who_falls_silent_is_expected_by_what_silence_has_meant() -> None:
    usual = after_silence(Pool())
    blocks = regressed([6.0] * 10 + [0.0] * 20)
    steady = regressed([2.0])
    assert after_silence(blocks) < usual / 2
    assert usual / 1.5 < after_silence(steady) < usual * 1.5


# From here on the figures are written out: who changes one of them on purpose changes it here.

ALL = [(days, prior) for days in (0.5, 1.5, 6.0, 24.0) for prior in (0.5, 2.0, 8.0)]


def numbers(seed: int, count: int, least: float, most: float) -> list[float]:
    rng = random.Random(seed)  # noqa: S311 - made up
    return [rng.uniform(least, most) for _ in range(count)]


def test_each_expert_has_a_half_life_and_a_prior_and_the_last_knows_all_alone() -> None:
    sums, age, common = [1.0, 2.0, 5.0, 9.0], 3.0, 4.0
    expected = []
    for total, decay in zip(sums, (log(2) / days for days in (0.5, 1.5, 6, 24)), strict=True):
        watched_days = (1 - exp(-decay * age)) / decay
        expected += [(total + prior * 4) / (watched_days + prior) for prior in (0.5, 2, 8)]
    assert expert_rates(sums, age, common) == pytest.approx([*expected, 4.0])
    assert expert_rates(empty_sums(), 0.0, common) == pytest.approx([4.0] * 13)
    assert len(ALL) + 1 == EXPERTS == 13
    assert [ALL[number] for number in POOLED] == [it for it in ALL if it[1] != 2.0]


def test_a_memory_of_days_and_a_prior_of_half_a_day_count_most() -> None:
    speeds = dict(zip((0.5, 1.5, 6.0, 24.0), (0.02, 0.13, 0.6, 0.25), strict=True))
    bonds = dict(zip((0.5, 2.0, 8.0), (0.9, 0.08, 0.02), strict=True))
    usual = [0.99 * speeds[days] * bonds[prior] for days, prior in ALL]
    assert list(WEIGHTS) == pytest.approx([*usual, 0.01])
    assert EXPONENTS == (0.0,) * 8


def test_a_log_ratio_is_the_logarithm_of_a_ratio_where_never_is_not_nothing() -> None:
    estimates = numbers(1, 13, 0.0, 4.0)
    found = log_ratios(estimates, 2.0)
    assert found == pytest.approx([log((estimates[n] + 0.003) / 2.003) for n in POOLED])


def test_the_mixture_is_never_multiplied_by_more_than_the_square_of_e() -> None:
    one, rest = (1.0,), [0.0]
    assert mixture_factor(one, [0.5]) == pytest.approx(exp(0.5))
    assert mixture_factor((0.5, -1.0), [1.0, 0.3]) == pytest.approx(exp(0.2))
    assert mixture_factor(one, [2.5]) == pytest.approx(exp(2.0))
    assert mixture_factor(one, [-2.5]) == pytest.approx(exp(-2.0))
    assert mixture_factor(one, rest) == 1.0


def test_the_exponents_solve_the_normal_equations_of_all_that_was_seen() -> None:
    pool = Pool()
    size = len(POOLED)
    for round_, at in enumerate((START, START + 3 * HOUR, START + 5 * DAY)):
        matrix, pull = [[*row] for row in pool.curvature], [*pool.pull]
        for number in range(6):
            ratios = numbers(10 * round_ + number, size, -1.0, 1.0)
            pool.learn_stories(ratios, number * 3.0)
            pool.learn_expected(ratios, 20.0)
            stories = 20.0 * mixture_factor(pool.exponents, ratios)
            tilt = sum(one * other for one, other in zip(pool.exponents, ratios, strict=True))
            for row, one in enumerate(ratios):
                pull[row] += one * (number * 3.0 + stories * (tilt - 1))
                for column, other in enumerate(ratios):
                    matrix[row][column] += stories * one * other
        assert pool.pull == pytest.approx(pull)
        for own, expected in zip(pool.curvature, matrix, strict=True):
            assert own == pytest.approx(expected)
        before, last = pool.at, pool.at or at
        pool.refit(at)
        assert max(map(abs, pool.exponents)) < 2.0  # else the bound, not the equations
        for row, right in enumerate(pull):
            left = sum(map(lambda a, b: a * b, matrix[row], pool.exponents))
            assert left + 30 * pool.exponents[row] == pytest.approx(right)
        kept = 0.5 ** ((at - last) / (20 * DAY))
        assert kept < 1 or not before
        assert pool.pull == pytest.approx([kept * value for value in pull])
        assert pool.curvature[1] == pytest.approx([kept * value for value in matrix[1]])
        assert pool.at == at


def test_the_exponents_are_bounded_and_a_clock_that_goes_back_forgets_nothing() -> None:
    pool = Pool(at=START)
    pool.pull[0], pool.pull[1] = 1e9, -1e9
    pool.refit(START - DAY)
    assert pool.exponents == (2.0, -2.0, *(0.0,) * 6)
    assert (pool.pull[0], pool.at) == (1e9, START - DAY)
    assert Pool().at == 0.0
    assert (Pool().pull, Pool().curvature) == ([0.0] * 8, [[0.0] * 8] * 8)
