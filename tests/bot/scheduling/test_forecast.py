"""The forecast counts, forgets, and keeps its order."""

import json
import random
from array import array
from dataclasses import replace
from itertools import pairwise
from math import exp, inf, log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.scheduling.forecast import (
    MOST_ECHOES,
    Population,
    ProfileState,
    count_untriggered_stories,
    expected_stories_per_hour,
    fading_echo,
    fast_and_slow_echo_shares,
    hours_to_due,
    hours_weighted_by_rhythm,
    learn_and_count_new_stories,
    rhythm,
)
from bot.scheduling.rates import POOLED, expert_rates, log_ratios, mixed_rate, mixture_factor
from bot.scheduling.waiting_time import DAY, HOUR, hours_to_target, rhythm_at

START = 20_000 * DAY
moments = st.lists(st.floats(START, START + 5 * DAY), max_size=40).map(sorted)


def watched(taken: list[float], looks: list[float]) -> tuple[ProfileState, int]:
    """Look at these times at a profile that posted at those; count what was new."""
    state = ProfileState(seen_at=START - HOUR)
    new = 0
    for at in looks:
        alive = [story for story in taken if at - DAY <= story <= at]
        new += learn_and_count_new_stories(state, prior=Population(), at=at, taken=alive)
    return state, new


@settings(deadline=None)
@given(moments, moments)
def test_each_story_is_counted_once_by_the_first_look_that_shows_it(
    taken: list[float], looks: list[float]
) -> None:
    _, new = watched(taken, looks)
    distinct = sorted(set(looks))
    shown = [story for story in taken if any(at - DAY <= story <= at for at in distinct)]
    assert new == len(shown)


def test_two_stories_of_one_second_are_two() -> None:
    state = ProfileState(seen_at=START)
    assert (
        learn_and_count_new_stories(
            state, prior=Population(), at=START + 60, taken=[START + 5, START + 5]
        )
        == 2
    )


def test_a_look_before_the_last_one_teaches_nothing() -> None:
    state, _ = watched([START + 100], [START + 200])
    kept = state.to_json()
    assert (
        learn_and_count_new_stories(state, prior=Population(), at=START + 150, taken=[START + 100])
        == 0
    )
    assert state.to_json() == kept


@settings(deadline=None)
@given(moments, moments)
def test_a_row_comes_back_as_it_was(taken: list[float], looks: list[float]) -> None:
    state, _ = watched(taken, looks)
    row = json.loads(json.dumps(state.to_json()))
    again = ProfileState.from_json(row)
    assert again.to_json() == row
    assert (
        abs(
            expected_stories_per_hour(again, Population())
            - expected_stories_per_hour(state, Population())
        )
        < 1e-4
    )


@settings(deadline=None)
@given(moments, moments)
def test_the_rhythm_has_mean_one_and_is_nowhere_zero(
    taken: list[float], looks: list[float]
) -> None:
    shape = rhythm(watched(taken, looks)[0], Population())
    assert abs(sum(shape) - 24) < 1e-6
    assert min(shape) > 0


@settings(deadline=None)
@given(moments, moments)
def test_echoes_never_feed_themselves(taken: list[float], looks: list[float]) -> None:
    state, _ = watched(taken, looks)
    fast, slow = fast_and_slow_echo_shares(state, Population())
    assert 0 <= fast + slow <= MOST_ECHOES + 1e-9


@settings(deadline=None)
@given(moments, moments, st.floats(0.001, 50), st.floats(0.001, 50))
def test_a_higher_target_is_reached_later_and_never_after_the_floor(
    taken: list[float], looks: list[float], one: float, other: float
) -> None:
    state, _ = watched(taken, looks)
    low, high = sorted((one, other))
    first = hours_to_due(state, Population(), target=low, most=12.0)
    second = hours_to_due(state, Population(), target=high, most=12.0)
    assert 0 <= first <= second + 1e-3
    assert second <= 12.0
    assert hours_to_due(state, Population(), target=inf, most=12.0) == 12.0


def test_the_rate_follows_an_account_that_posts_tenfold() -> None:
    state = ProfileState(seen_at=START)
    for day in range(1, 61):
        learn_and_count_new_stories(
            state, prior=Population(), at=START + day * DAY, taken=[START + (day - 0.5) * DAY]
        )
    slow = expected_stories_per_hour(state, Population()) * 24
    assert 0.9 < slow < 1.1
    for day in range(61, 91):
        taken = [START + (day - 1 + part / 11) * DAY for part in range(1, 11)]
        learn_and_count_new_stories(state, prior=Population(), at=START + day * DAY, taken=taken)
    assert 8 < expected_stories_per_hour(state, Population()) * 24 < 10


def test_a_new_profile_is_as_the_population_is() -> None:
    common = Population(rate=3.0)
    assert abs(expected_stories_per_hour(ProfileState(), common) * 24 - 3.0) < 1e-9


def test_the_hours_in_which_it_posts_stand_out() -> None:
    state = ProfileState(seen_at=START)
    for day in range(30):
        learn_and_count_new_stories(
            state,
            prior=Population(),
            at=START + (day + 1) * DAY,
            taken=[START + day * DAY + 18.5 * HOUR],
        )
    shape = rhythm(state, Population())
    assert shape.index(max(shape)) == 18
    assert shape[18] > 4
    assert shape[6] < 0.5


def test_right_after_a_story_the_next_look_is_sooner() -> None:
    fresh, _ = watched([START + HOUR], [START + HOUR + 60])
    quiet, _ = watched([START + HOUR], [START + 20 * HOUR])
    bursty = Population(fast=0.4, slow=0.3)
    soon = hours_to_due(fresh, bursty, target=0.05, most=12.0)
    assert soon < hours_to_due(quiet, bursty, target=0.05, most=12.0) / 2


@settings(deadline=None)
@given(st.floats(0, 0.4), st.floats(0, 0.4), st.floats(0, 20), st.floats(0, 5))
def test_what_is_excited_begins_whole_and_fades(
    fast: float, slow: float, by_fast: float, by_slow: float
) -> None:
    one, quick, other, steady = fading_echo(fast, slow, by_fast, by_slow)
    assert abs(one + other - by_fast - by_slow) < 1e-6
    assert quick > 0
    assert steady > 0


# From here on the figures are written out: who changes one of the schedule's constants on purpose
# changes it here as well.

LIVELY = Population(
    rate=3.0,
    rhythm=tuple(24 * (hour + 1) / 300 for hour in range(24)),
    fast=0.3,
    slow=0.2,
    sessions=8.0,
    exponents=tuple(0.05 * (number - 3) for number in range(len(POOLED))),
)


def bursts(seed: int) -> tuple[list[float], list[float]]:
    """Return the times of stories, of which many are close, and those of checks."""
    rng = random.Random(seed)  # noqa: S311 - a made-up past
    taken, looks, at = [], [], START
    while at < START + 12 * DAY:
        at += rng.choice((0.01, 0.03, 0.2, 0.9, 1.1, 5.0, 20.0, 30.0)) * HOUR * rng.uniform(1, 1.1)
        taken.append(at)
    at = START
    while at < START + 11 * DAY:
        at += rng.choice((0.2, 2.0, 6.0, 22.0)) * HOUR * rng.uniform(1, 1.05)
        looks.append(at)
    return taken, looks


def faded(taken: list[float], at: float, half_life: float) -> float:
    """Sum what is left of each story at a time, seconds."""
    return float(sum(0.5 ** ((at - story) / half_life) for story in taken))


def excited(taken: list[float], at: float, decay: float) -> float:
    return sum(exp(-decay * (at - story) / HOUR) for story in taken)


def fair_rate(state: ProfileState, population: Population) -> float:
    """Return stories a day by the definition of the mixture."""
    found = expert_rates(state.sums, state.age, population.rate)
    mixture = mixed_rate(found)
    return mixture * mixture_factor(population.exponents, log_ratios(found, mixture))


@pytest.mark.parametrize("seed", range(3))
def test_what_is_kept_follows_from_the_whole_past(seed: int) -> None:
    taken, looks = bursts(seed)
    state = ProfileState(seen_at=START)
    bell = [number / 64 for number in (1, 6, 15, 20, 15, 6, 1)]
    usual = [level / 24 for level in LIVELY.rhythm]
    hours = [0.0] * 24
    hours_at = fast = slow = heard = likeness = stories = days = 0.0
    known: list[float] = []
    for before, at in pairwise([START, *looks]):
        fresh = [story for story in taken if before < story <= at]
        days = days * 0.5 ** ((at - before) / 10 / DAY) + (at - before) / DAY
        stories = stories * 0.5 ** ((at - before) / 10 / DAY) + len(fresh)
        shown = [story for story in taken if at - DAY < story <= at]
        assert learn_and_count_new_stories(state, prior=LIVELY, at=at, taken=shown) == len(fresh)
        if not fresh:
            continue
        hours = [value * 0.5 ** ((at - hours_at) / 30 / DAY) for value in hours]
        hours_at = at
        rate = fair_rate(replace(state), LIVELY) / 24
        scale = 24 / (sum(hours) + 8)
        shape = [scale * (own + 8 * part) for own, part in zip(hours, usual, strict=True)]
        fast_part = (fast + 12 * 0.3) / (heard + 12)
        slow_part = (slow + 12 * 0.2) / (heard + 12)
        for story in fresh:
            hour = int(story % DAY // HOUR)
            by_fast = fast_part * 15 * excited(known, story, 15)
            by_slow = slow_part * 3 * excited(known, story, 3)
            whole = by_fast + by_slow + (1 - fast_part - slow_part) * rate * shape[hour]
            fast += by_fast / whole
            slow += by_slow / whole
            heard += 1
            bound = (hours[hour] + 50 * usual[hour]) / (sum(hours) + 50)
            free = (hours[hour] + 5 * usual[hour]) / (sum(hours) + 5)
            weight = 1.0 if not known or story - known[-1] > HOUR else 0.3
            likeness += weight * log(bound / free)
            for place, part in enumerate(bell):
                hours[(hour + place - 3) % 24] += weight * part
            known.append(story)
    at = looks[-1]
    assert (state.seen_at, state.story_at, state.heard) == (at, known[-1], heard)
    assert state.hours_at == hours_at
    assert state.age == pytest.approx((at - START) / DAY)
    assert (state.stories, state.days) == pytest.approx((stories, days))
    for own, half_life in zip(state.sums, (0.5, 1.5, 6, 24), strict=True):
        assert own == pytest.approx(faded(known, at, half_life * DAY))
    for own, decay in ((state.fast, 15), (state.slow, 3)):
        assert own == pytest.approx(excited(known[:-1], known[-1], decay), abs=1e-12)
    assert list(state.hours) == pytest.approx(hours)
    assert (state.fast_echoes, state.slow_echoes) == pytest.approx((fast, slow))
    assert state.likeness == pytest.approx(likeness)
    assert count_untriggered_stories(state) == pytest.approx(heard - fast - slow)
    assert expected_stories_per_hour(state, LIVELY) * 24 == pytest.approx(fair_rate(state, LIVELY))


def test_a_check_teaches_of_one_day_whatever_was_before() -> None:
    state = ProfileState(seen_at=START)
    learn_and_count_new_stories(state, prior=LIVELY, at=START + 5 * DAY, taken=[])
    assert (state.age, state.days) == (1.0, 1.0)
    assert (
        learn_and_count_new_stories(
            state, prior=LIVELY, at=START + 5 * DAY, taken=[START + 5 * DAY]
        )
        == 0
    )


def test_a_check_half_a_second_later_teaches() -> None:
    state = ProfileState(seen_at=START)
    assert (
        learn_and_count_new_stories(state, prior=LIVELY, at=START + 0.5, taken=[START + 0.4]) == 1
    )
    assert state.seen_at == START + 0.5


def test_hours_of_a_clock_that_was_ahead_stay_as_they_are() -> None:
    state = ProfileState(seen_at=START, hours_at=START + DAY)
    state.hours[3] = 1.0
    learn_and_count_new_stories(
        state, prior=LIVELY, at=START + 13 * HOUR, taken=[START + 12 * HOUR]
    )
    assert (state.hours[3], state.hours_at) == (1.0, START + 13 * HOUR)


def test_a_story_of_the_very_hour_before_is_of_the_same_session() -> None:
    for gap, weight in ((HOUR, 0.3), (HOUR + 1, 1.0)):
        state = ProfileState(seen_at=START)
        learn_and_count_new_stories(
            state, prior=LIVELY, at=START + DAY, taken=[START + 9 * HOUR, START + 9 * HOUR + gap]
        )
        assert sum(state.hours) == pytest.approx(1.0 + weight)


def test_a_story_is_past_all_exciting_after_a_day() -> None:
    for gap, left in ((DAY - 1, exp(-3 * (24 - 1 / 3600))), (DAY, 0.0)):
        state = ProfileState(seen_at=START + DAY / 2, story_at=START, fast=1.0)
        learn_and_count_new_stories(state, prior=LIVELY, at=START + gap, taken=[START + gap])
        assert state.slow == pytest.approx(left, rel=1e-6, abs=0.0)


@pytest.mark.parametrize("seed", range(8))
def test_the_next_check_is_where_the_intensity_has_waited_for_it(seed: int) -> None:
    taken, looks = bursts(seed)
    quiet = (0.001, 0.3, 2.0, 12.0)[seed % 4] * HOUR  # since the last story
    at = next(story for story in taken if story > looks[-1] - DAY) + quiet
    known = [story for story in taken if story <= at]
    state = ProfileState(seen_at=START)
    for look in (*(look for look in looks if look < at), at):
        learn_and_count_new_stories(
            state,
            prior=LIVELY,
            at=look,
            taken=[story for story in known if look - DAY < story <= look],
        )
    (fast, slow), shape = fast_and_slow_echo_shares(state, LIVELY), rhythm(state, LIVELY)
    rate = fair_rate(state, LIVELY) / 24
    now = rate * rhythm_at(shape, at)
    by_fast = fast * (15 * excited(known, at, 15) - now)
    by_slow = slow * (3 * excited(known, at, 3) - now)
    echo = fading_echo(fast, slow, by_fast, by_slow)
    hours = hours_to_target(at, rate, shape, echo, target=0.4, most=12.0)
    assert 0 < hours < 12
    assert hours_to_due(state, LIVELY, target=0.4, most=12.0) == pytest.approx(hours, abs=1e-6)


def test_a_story_of_a_day_ago_excites_nothing() -> None:
    bursty = Population(fast=0.4, slow=0.4)
    early, late = (ProfileState(seen_at=START + gap, story_at=START) for gap in (DAY - 1e-3, DAY))
    early.slow = late.slow = 1e40
    assert hours_to_due(early, bursty, target=0.1, most=12.0) < 1e-3
    assert hours_to_due(late, bursty, target=0.1, most=12.0) > 0.5


@pytest.mark.parametrize(
    ("fast", "slow"), [(0.0, 0.0), (0.3, 0.2), (0.1, 0.7), (0.0, 0.4), (0.8, 0.0)]
)
def test_what_is_excited_fades_by_its_differential_equations(fast: float, slow: float) -> None:
    one, first, other, second = fading_echo(fast, slow, 5.0, 2.0)
    quick, steady, step = 5.0, 2.0, 1e-3
    for number in range(1, 1501):

        def change(quick: float, steady: float) -> tuple[float, float]:
            born = quick + steady
            return 15 * (fast * born - quick), 3 * (slow * born - steady)

        a, b = change(quick, steady)
        c, d = change(quick + step / 2 * a, steady + step / 2 * b)  # the midpoint method
        quick, steady = quick + step * c, steady + step * d
        after = number * step
        closed = one * exp(-first * after) + other * exp(-second * after)
        assert closed == pytest.approx(quick + steady, rel=1e-3)
    assert first > second


def test_echoes_are_the_mean_of_what_was_heard_and_of_all_and_bounded() -> None:
    state = ProfileState(heard=8.0, fast_echoes=2.0, slow_echoes=1.0)
    common = Population(fast=0.1, slow=0.3)
    assert fast_and_slow_echo_shares(state, common) == pytest.approx(
        ((2 + 1.2) / 20, (1 + 3.6) / 20)
    )
    state = ProfileState(heard=88.0, fast_echoes=60.0, slow_echoes=26.8)
    assert fast_and_slow_echo_shares(state, common) == pytest.approx(
        (0.85 * 61.2 / 91.6, 0.85 * 30.4 / 91.6)
    )


def test_what_is_known_of_all_before_any_survey() -> None:
    common = Population()
    assert (common.rate, common.fast, common.slow, common.sessions) == (2.0, 0.25, 0.25, 10.0)
    assert common.rhythm == (1.0,) * 24


def test_a_new_state_has_seen_nothing() -> None:
    times, numbers = [0.0] * 4, [0.0] * 9
    assert ProfileState().to_json() == [*times, *numbers, [0.0] * 24, [0.0] * 5]


@pytest.mark.parametrize("begin", [9.5, 9.6, 9.55])
def test_usual_hours_are_the_integral_of_the_rhythm(begin: float) -> None:
    state = ProfileState(hours=array("d", [float(hour) for hour in range(24)]))
    begin_at, end_at = START + begin * HOUR, START + 10.4 * HOUR  # the rhythm is a line there
    middle = rhythm_at(rhythm(state, LIVELY), (begin_at + end_at) / 2)
    found = hours_weighted_by_rhythm(state, LIVELY, begin_at, end_at)
    assert found == pytest.approx((10.4 - begin) * middle)


def test_a_row_keeps_the_order_and_the_digits_of_its_numbers() -> None:
    state = ProfileState(
        seen_at=1.2346, due_at=2.3457, story_at=3.4568, hours_at=4.5679,
        price=1.23456789, stories=2.0, days=3.0, fast=4.0, slow=5.0,
        fast_echoes=6.0, slow_echoes=7.0, heard=8.0, likeness=9.0,
        hours=array("d", [0.123456] * 24), age=1.2345678, sums=array("d", [1e3 / 3] * 4),
    )  # fmt: skip
    assert state.to_json() == [
        *(1.235, 2.346, 3.457, 4.568),
        *(1.23457, 2.0, 3.0, 4.0, 5.0),
        *(6.0, 7.0, 8.0, 9.0),
        [0.1235] * 24,
        [1.23457, *[333.333] * 4],
    ]


def test_the_rhythm_is_worked_out_anew_for_another_population_and_after_stories() -> None:
    state, common = ProfileState(seen_at=START), Population()
    assert rhythm(state, common) is rhythm(state, common)
    before = list(rhythm(state, common))
    assert list(rhythm(state, LIVELY)) == pytest.approx(LIVELY.rhythm)
    learn_and_count_new_stories(state, prior=LIVELY, at=START + HOUR, taken=[START + 60])
    assert list(rhythm(state, LIVELY)) != pytest.approx(LIVELY.rhythm)
    assert before == [1.0] * 24


def test_what_is_worked_out_for_later_makes_nothing_else() -> None:
    state, population = ProfileState(seen_at=START), Population()
    was, was_population = repr(state), repr(population)
    rhythm(state, population)
    expected_stories_per_hour(state, population)
    assert (state, population) == (ProfileState(seen_at=START), Population())
    assert (repr(state), repr(population)) == (was, was_population)
