"""Even calls, and a breaker that opens and closes when it should."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.stories_api.limits import Breaker, CallRate, Refused


@given(st.lists(st.floats(0, 5), max_size=100), st.floats(1, 100), st.integers(1, 4))
def test_no_two_calls_are_closer_than_a_replicas_part_of_the_rate(
    pauses: list[float], rate: float, replicas: int
) -> None:
    pace, now, times = CallRate(rate), 0.0, []
    for pause in pauses:
        now += pause
        wait = pace.turn(now, within=1e6, replicas=replicas)
        assert wait is not None
        times.append(now + wait)
    assert all(b - a >= replicas / rate - 1e-9 for a, b in pairwise(times))


def test_a_hold_is_for_all_and_never_shortens_another() -> None:
    pace = CallRate(10)
    pace.pause(60)
    pace.pause(5)
    assert pace.turn(0, within=60) is None
    assert pace.turn(0, within=61) == 60
    assert pace.turn(0, within=61) == pytest.approx(60.1)


def test_open_it_lets_one_probe_through_in_half_a_minute() -> None:
    breaker = Breaker()
    breaker.open(100)
    states = [breaker.is_open, breaker.failed("a", 101)]
    states += [breaker.takes_probe(now) for now in (129, 130, 131, 160)]
    breaker.succeeded()
    states += [breaker.is_open, breaker.takes_probe(1000)]
    assert states == [True, False, False, True, False, True, False, False]


def test_three_probes_that_were_answered_are_enough_for_ten_minutes() -> None:
    breaker = Breaker()
    for now in (0, 100, 200):
        assert [breaker.failed(one, now) for one in "abc"] == [False, False, True]
        breaker.probe_answered(now + 2)
    assert not any(breaker.failed(one, 300) for one in "abcdef")
    assert [breaker.failed(one, 603) for one in "abc"] == [False, False, True]


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.booleans(), st.floats(0, 40))))
def test_it_is_suspicious_only_at_three_subjects_since_the_last_answer(
    events: list[tuple[str, bool, float]],
) -> None:
    breaker, now, failed = Breaker(), 0.0, dict[str, float]()
    for subject, is_failure, pause in events:
        now += pause
        if is_failure:
            failed[subject] = now
            recent = [at for at in failed.values() if at > now - 60]
            assert breaker.failed(subject, now) is (len(recent) >= 3)
        else:
            failed.clear()
            breaker.succeeded()


def test_a_subject_that_fails_is_refused_for_a_minute_and_then_for_longer() -> None:
    refused, now = Refused(), 0.0
    waits = []
    for _ in range(8):
        refused.failed("sick", now)
        assert refused.is_refused("sick", now)
        assert not refused.is_refused("well", now)
        until = refused.rows["sick"][1]
        waits.append(until - now)
        now = until
        assert not refused.is_refused("sick", now)
    assert waits == [60, 120, 240, 480, 960, 1800, 1800, 1800]
    refused.forgive(["sick"])
    refused.failed("sick", now)
    assert refused.rows["sick"][1] == now + 60
    assert refused.count(now) == 1


def test_the_memory_of_subjects_is_bounded() -> None:
    refused = Refused()
    for n in range(Refused.MOST + 5):
        refused.failed(str(n), 0)
    assert len(refused.rows) == Refused.MOST
    assert "4" not in refused.rows
