"""Even calls, few retries, and a breaker that opens and closes when it should."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bot.stories_api.limits import Breaker, Pace, RetryBudget


@given(st.lists(st.floats(0, 5), max_size=100), st.floats(1, 100))
def test_no_two_calls_are_closer_than_the_rate(pauses: list[float], rate: float) -> None:
    pace, now, times = Pace(rate), 0.0, []
    for pause in pauses:
        now += pause
        times.append(now + pace.turn(now))
    assert all(b - a >= 1 / rate - 1e-9 for a, b in pairwise(times))


def test_a_hold_is_for_all_and_never_shortens_another() -> None:
    pace = Pace(10)
    pace.hold(60)
    pace.hold(5)
    assert pace.wait(0) == 60
    assert pace.turn(0) == 60
    assert round(pace.turn(0), 6) == 60.1


@given(st.lists(st.tuples(st.floats(0, 3), st.booleans()), max_size=400))
def test_retries_stay_within_a_tenth_of_any_minute(events: list[tuple[float, bool]]) -> None:
    budget, now = RetryBudget(), 0.0
    calls: list[float] = []
    retries: list[float] = []
    for pause, wants_retry in events:
        now += pause
        budget.call(now)
        calls.append(now)
        if wants_retry and budget.take(now):
            retries.append(now)
        recent = sum(at > now - 60 for at in retries)
        assert recent <= max(2, len(calls) // 10)


def test_five_in_a_row_open_it_and_one_good_answer_closes_it() -> None:
    breaker = Breaker()
    for second in range(4):
        breaker.failed(second)
    breaker.succeeded(4)
    for second in range(5, 10):
        assert breaker.allows(second)
        breaker.failed(second)
    assert breaker.is_open
    assert not breaker.allows(10)
    assert breaker.allows(9 + 30)
    assert not breaker.allows(9 + 31)  # one probe in 30 seconds
    breaker.failed(41)
    assert not breaker.allows(9 + 59)
    assert breaker.allows(9 + 60)
    breaker.succeeded(70)
    assert all(breaker.allows(70) for _ in range(10))


def test_half_of_twenty_within_a_minute_open_it() -> None:
    breaker = Breaker()
    for second in range(18):
        (breaker.failed if second % 2 else breaker.succeeded)(second)
    assert not breaker.is_open
    breaker.succeeded(18)
    breaker.failed(19)
    assert breaker.is_open


def test_old_failures_are_forgotten() -> None:
    breaker = Breaker()
    for second in range(0, 4000, 4):  # 15 a minute are too few to judge
        (breaker.failed if second % 8 else breaker.succeeded)(second)
    assert not breaker.is_open
