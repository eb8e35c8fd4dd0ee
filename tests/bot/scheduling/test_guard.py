"""What is learned is trusted while it does better than an even interval would."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.scheduling.forecast import ProfileState
from bot.scheduling.guard import KNOWN, Guard
from bot.scheduling.schedule import Schedule
from bot.scheduling.waiting_time import DAY, HOUR

START = 20_000 * DAY


def after(days: int, delay_hours: float) -> Guard:
    """Return the guard after stories that waited so long, where two hours were even."""
    guard = Guard()
    for hour in range(24 * days):
        guard.observe(1.0, [delay_hours * HOUR] * 20, 2.0)
        guard.update(START + hour * HOUR)
    return guard


def test_trust_falls_while_stories_wait_longer_than_evenly_and_comes_back() -> None:
    guard = after(6, 2.0)
    assert guard.trust < 0.2
    for hour in range(24 * 30):
        guard.observe(1.0, [0.5 * HOUR] * 20, 2.0)
        guard.update(START + 6 * DAY + hour * HOUR)
    assert guard.trust == 1.0
    assert after(20, 0.8).trust == 1.0


@given(st.floats(0.01, 20), st.floats(0.01, 20), st.floats(0, 1))
def test_the_interval_lies_between_learned_and_even(
    hours: float, even: float, trust: float
) -> None:
    found = Guard(trust=trust).between(hours, even)
    assert min(hours, even) * (1 - 1e-9) <= found <= max(hours, even) * (1 + 1e-9)


def test_a_schedule_without_trust_looks_evenly() -> None:
    schedule = Schedule(120)
    states = [ProfileState(seen_at=START, age=KNOWN + n) for n in range(10)]
    schedule.survey((state, 1, 1) for state in states)
    schedule.guard.trust = 0.0
    dues = {round(schedule.due(state, weight, 1)) for weight, state in enumerate(states, 1)}
    assert dues == {round(START + 2 * HOUR)}


def test_it_comes_back_as_it_was() -> None:
    guard = after(3, 2.0)
    assert Guard.from_json(guard.to_json()) == guard
    broken: list[object] = [
        None,
        [],
        {},
        {"guard": 1},
        {"guard": ["x", 1, 2, 3]},
        {"guard": [1.0]},
    ]
    for kept in broken:
        assert Guard.from_json(kept) == Guard()


# From here on the figures are written out: who changes one of them on purpose changes it here.


def test_the_sums_and_the_trust_are_those_of_the_whole_past() -> None:
    rng = random.Random(3)  # noqa: S311 - a made-up past
    guard = Guard()
    assert (guard.waited, guard.even, guard.trust, guard.at) == (0.0, 0.0, 1.0, 0.0)
    guard.update(START)
    seen: list[tuple[float, float, float]] = []  # the last update before it, waited, even
    trust, at = 1.0, START
    trusts = set[float]()
    for number in range(400):
        weight, interval = rng.uniform(1, 50), rng.uniform(1, 8)
        worse = 3.0 if number % 100 < 50 else 0.2
        delays = [rng.uniform(0, worse) * interval * HOUR / 2 for _ in range(rng.randrange(1, 9))]
        if not seen:
            half = 100 * weight * interval / 2
            seen.append((at, 0.8 * half, half))
        guard.observe(weight, delays, interval)
        seen.append((at, weight * sum(delays) / HOUR, weight * len(delays) * interval / 2))
        waited = sum(own * 0.5 ** ((at - then) / 7 / DAY) for then, own, _ in seen)
        even = sum(own * 0.5 ** ((at - then) / 7 / DAY) for then, _, own in seen)
        assert (guard.waited, guard.even) == pytest.approx((waited, even))
        passed = rng.uniform(0, 6) * HOUR
        at += passed
        guard.update(at)
        over = waited / even - 1
        trust += passed / DAY * (-0.5 * over if over > 0 else 0.15)
        trust = min(max(trust, 0.0), 1.0)
        trusts.add(trust)
        assert guard.trust == pytest.approx(trust)
        assert guard.at == at
    assert {0.0, 1.0} < trusts


def test_without_stories_and_without_time_the_trust_stays() -> None:
    guard = Guard(trust=0.5)
    guard.update(START)
    guard.update(START + DAY)
    assert (guard.trust, guard.waited, guard.even) == (0.5, 0.0, 0.0)
    guard = Guard(waited=9.0, even=1.0, trust=0.5)
    guard.update(START)  # of when it began nothing is known
    assert (guard.trust, guard.waited, guard.even) == (0.5, 9.0, 1.0)
    level = Guard(waited=1.0, even=1.0, trust=0.5, at=START)
    level.update(START + DAY)
    assert level.trust == 0.65  # as good as even is good enough


def test_the_interval_is_the_geometric_mean_by_trust() -> None:
    assert Guard(trust=0.25).between(1.0, 16.0) == pytest.approx(8.0)
    assert Guard(trust=0.0).between(1.0, 16.0) == 16.0
    assert Guard(trust=1.0).between(1.0, 0.0) == 1.0
    assert Guard(trust=0.0).between(0.0, 16.0) == 0.0
    assert Guard(trust=0.5).between(0.5, 2.0) == pytest.approx(1.0)


def test_a_profile_is_judged_by_from_three_days_on() -> None:
    for age, judged in ((2.99, False), (3.0, True)):
        schedule = Schedule(120)
        state = ProfileState(seen_at=START, age=age)
        schedule.polled(state, 1, 1, at=START + HOUR, taken=[START + 60])
        assert (schedule.guard.even > 0) is judged
