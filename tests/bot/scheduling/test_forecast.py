"""The forecast counts, forgets, and keeps its order."""

import json
from math import inf

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.scheduling.forecast import (
    MOST_ECHOES,
    Population,
    ProfileState,
    after_echoes,
    echoes_of,
    learn,
    rate_of,
    reach,
    rhythm,
)
from bot.scheduling.waiting_time import DAY, HOUR

START = 20_000 * DAY
moments = st.lists(st.floats(START, START + 5 * DAY), max_size=40).map(sorted)


def watched(taken: list[float], looks: list[float]) -> tuple[ProfileState, int]:
    """Look at these times at a profile that posted at those; count what was new."""
    state = ProfileState(seen_at=START - HOUR)
    new = 0
    for at in looks:
        alive = [story for story in taken if at - DAY <= story <= at]
        new += learn(state, Population(), at=at, taken=alive)
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
    assert learn(state, Population(), at=START + 60, taken=[START + 5, START + 5]) == 2


def test_a_look_before_the_last_one_teaches_nothing() -> None:
    state, _ = watched([START + 100], [START + 200])
    kept = state.to_json()
    assert learn(state, Population(), at=START + 150, taken=[START + 100]) == 0
    assert state.to_json() == kept


@settings(deadline=None)
@given(moments, moments)
def test_a_row_comes_back_as_it_was(taken: list[float], looks: list[float]) -> None:
    state, _ = watched(taken, looks)
    row = json.loads(json.dumps(state.to_json()))
    again = ProfileState.from_json(row)
    assert again.to_json() == row
    assert abs(rate_of(again, Population()) - rate_of(state, Population())) < 1e-4


def test_a_row_of_another_shape_begins_anew() -> None:
    for row in (None, [], [1, 2, 3], [*range(13), [0.0] * 23]):
        assert ProfileState.from_json(row) == ProfileState()


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
    fast, slow = echoes_of(state, Population())
    assert 0 <= fast + slow <= MOST_ECHOES + 1e-9


@settings(deadline=None)
@given(moments, moments, st.floats(0.001, 50), st.floats(0.001, 50))
def test_a_higher_target_is_reached_later_and_never_after_the_floor(
    taken: list[float], looks: list[float], one: float, other: float
) -> None:
    state, _ = watched(taken, looks)
    low, high = sorted((one, other))
    first = reach(state, Population(), target=low, most=12.0)
    second = reach(state, Population(), target=high, most=12.0)
    assert 0 <= first <= second + 1e-3
    assert second <= 12.0
    assert reach(state, Population(), target=inf, most=12.0) == 12.0


def test_the_rate_follows_an_account_that_posts_tenfold() -> None:
    state = ProfileState(seen_at=START)
    for day in range(1, 61):
        learn(state, Population(), at=START + day * DAY, taken=[START + (day - 0.5) * DAY])
    slow = rate_of(state, Population()) * 24
    assert 0.9 < slow < 1.1
    for day in range(61, 91):
        taken = [START + (day - 1 + part / 11) * DAY for part in range(1, 11)]
        learn(state, Population(), at=START + day * DAY, taken=taken)
    assert 8 < rate_of(state, Population()) * 24 < 10


def test_a_new_profile_is_as_the_population_is() -> None:
    common = Population(rate=3.0)
    assert abs(rate_of(ProfileState(), common) * 24 - 3.0) < 1e-9


def test_the_hours_in_which_it_posts_stand_out() -> None:
    state = ProfileState(seen_at=START)
    for day in range(30):
        learn(
            state,
            Population(),
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
    soon = reach(fresh, bursty, target=0.05, most=12.0)
    assert soon < reach(quiet, bursty, target=0.05, most=12.0) / 2


@settings(deadline=None)
@given(st.floats(0, 0.4), st.floats(0, 0.4), st.floats(0, 20), st.floats(0, 5))
def test_what_is_excited_begins_whole_and_fades(
    fast: float, slow: float, by_fast: float, by_slow: float
) -> None:
    one, quick, other, steady = after_echoes(fast, slow, by_fast, by_slow)
    assert abs(one + other - by_fast - by_slow) < 1e-6
    assert quick > 0
    assert steady > 0
