"""Even calls, and a breaker that opens and closes when it should."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.stories_api.limits import CallRate, OutageDetector


@given(st.lists(st.floats(0, 5), max_size=100), st.floats(1, 100), st.integers(1, 4))
def test_no_two_calls_are_closer_than_a_replicas_part_of_the_rate(
    pauses: list[float], rate: float, replicas: int
) -> None:
    pace, now, times = CallRate(rate), 0.0, []
    for pause in pauses:
        now += pause
        wait = pace.reserve_turn_and_return_wait_s(now, within=1e6, replicas=replicas)
        assert wait is not None
        times.append(now + wait)
    assert all(b - a >= replicas / rate - 1e-9 for a, b in pairwise(times))


def test_a_hold_is_for_all_and_never_shortens_another() -> None:
    pace = CallRate(10)
    pace.pause(60)
    pace.pause(5)
    assert pace.reserve_turn_and_return_wait_s(0, within=60) is None
    assert pace.reserve_turn_and_return_wait_s(0, within=61) == 60
    assert pace.reserve_turn_and_return_wait_s(0, within=61) == pytest.approx(60.1)


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.booleans(), st.floats(0, 40))))
def test_the_api_fails_from_three_subjects_within_a_minute_until_an_answer(
    events: list[tuple[str, bool, float]],
) -> None:
    failing, now, failed, fails = OutageDetector(), 0.0, dict[str, float](), False
    for subject, is_failure, pause in events:
        now += pause
        if is_failure:
            failed[subject] = now
            fails = fails or len([at for at in failed.values() if at > now - 60]) >= 3
            failing.record_failure(subject, now)
        else:
            failed.clear()
            fails = False
            failing.record_answer(now)
        assert failing.is_on is fails
