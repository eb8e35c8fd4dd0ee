"""What is learned is trusted while it does better than an even interval would."""

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
