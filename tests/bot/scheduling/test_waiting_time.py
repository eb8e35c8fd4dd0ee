"""The closed form of the waiting, held against the integral."""

from itertools import pairwise
from math import exp

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.scheduling.waiting_time import Echo, crossing, level_at

shapes = st.lists(st.floats(0.05, 4), min_size=24, max_size=24)
times = st.floats(0, 3e9)
echoes = st.tuples(st.floats(0, 4), st.floats(0, 2))


def waited(seen_at: float, rate: float, shape: list[float], echo: Echo, hours: float) -> float:
    """Integrate by small steps what the closed form has at once."""
    first, fast, second, slow = echo
    steps = 2000
    step = hours / steps
    total = 0.0
    for number in range(steps):
        after = (number + 0.5) * step
        level = rate * level_at(shape, seen_at + after * 3600)
        level += first * exp(-fast * after) + second * exp(-slow * after)
        total += level * (hours - after) * step
    return total


@settings(max_examples=50, deadline=None)
@given(times, shapes, st.floats(0.01, 5), echoes, st.floats(0.01, 30))
def test_the_closed_form_is_the_integral(
    seen_at: float, shape: list[float], rate: float, parts: tuple[float, float], target: float
) -> None:
    echo = (parts[0], 12.0, parts[1], 1.0)
    hours = crossing(seen_at, rate, shape, echo, target=target, most=30.0)
    found = waited(seen_at, rate, shape, echo, hours)
    if hours < 30.0:
        assert abs(found - target) < 0.01 * target + 0.002
    else:
        assert found <= target * 1.01


def test_at_a_constant_rate_the_interval_is_the_square_root() -> None:
    shape = [1.0] * 24
    hours = crossing(0.0, 0.5, shape, (0.0, 1.0, 0.0, 1.0), target=4.0, most=24.0)
    assert abs(hours - 4.0) < 0.001


@given(times, shapes, st.floats(0.01, 5), st.floats(0.001, 10), st.floats(0.001, 10))
def test_a_higher_target_is_later(
    seen_at: float, shape: list[float], rate: float, one: float, other: float
) -> None:
    echo = (0.5, 12.0, 0.2, 1.0)
    early, late = sorted((one, other))
    first = crossing(seen_at, rate, shape, echo, target=early, most=24.0)
    assert first <= crossing(seen_at, rate, shape, echo, target=late, most=24.0) + 1e-3


@given(st.integers(0, 239), st.floats(0.5, 0.9))
def test_a_higher_target_is_later_where_the_missing_echo_outweighs_the_rhythm(
    tenth: int, share: float
) -> None:
    # After a silence, at dusk: the intensity falls below zero for a while.
    shape = [0.1, 0.05, 0.07, 0.16, 0.3, 0.5, *[1.7] * 12, *[0.6] * 3, 0.5, 0.58, 0.3]
    seen_at = tenth * 360.0
    missing = -share * 0.7 * level_at(shape, seen_at)
    echo = (missing / 30, 12.0, missing, 0.55)
    targets = [0.0001 * 1.2**step for step in range(50)]
    hours = [crossing(seen_at, 0.7, shape, echo, target=it, most=24.0) for it in targets]
    assert hours[0] > 0.0
    assert all(one <= other + 1e-3 for one, other in pairwise(hours))
    assert hours[-1] < 12.0
