"""The closed form of the waiting, held against the integral."""

import random
from itertools import pairwise
from math import exp, expm1, nextafter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.scheduling.waiting_time import Echo, hours_to_target, rhythm_at

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
        level = rate * rhythm_at(shape, seen_at + after * 3600)
        level += first * exp(-fast * after) + second * exp(-slow * after)
        total += level * (hours - after) * step
    return total


def hats(shape: list[float], at: float) -> float:
    """Return the rhythm as a sum of hats, one of two hours' width around the middle of each."""
    return sum(
        level * max(0.0, 1.0 - abs((at / 3600 - 0.5 - hour + 12) % 24 - 12))
        for hour, level in enumerate(shape)
    )


def exactly(
    seen_at: float, rate: float, shape: list[float], echo: Echo, hours: float
) -> tuple[float, float]:
    """Return the waiting at ``hours`` and how fast it grows.

    By Simpson's rule from one bend of the rhythm to the next, which is exact for the rhythm.
    """
    place = seen_at / 3600 - 0.5
    bends = [0.0, *(it for n in range(1, 60) if 0 < (it := int(place) + n - place) < hours), hours]
    waiting = gain = 0.0
    for begin, end in pairwise(bends):
        for after, part in ((begin, 1), ((begin + end) / 2, 4), (end, 1)):
            level = rate * hats(shape, seen_at + after * 3600) * (end - begin) * part / 6
            gain += level
            waiting += level * (hours - after)
    first, fast, second, slow = echo
    for size, decay in ((first, fast), (second, slow)):
        gain -= size / decay * expm1(-decay * hours)
        waiting += size / decay**2 * (expm1(-decay * hours) + decay * hours)
    return waiting, gain


def made_up(seed: int) -> tuple[float, float, list[float], Echo]:
    """Return a time, a rate, a rhythm and an echo, no two alike."""
    rng = random.Random(seed)  # noqa: S311 - a made-up past
    shape = [rng.uniform(0.05, 3) for _ in range(24)]
    echo = (rng.uniform(0, 6), rng.uniform(8, 16), rng.uniform(0, 2), rng.uniform(0.3, 3))
    return rng.uniform(2e4, 2.1e4) * 86400, rng.uniform(0.02, 3), shape, echo


def test_the_first_middle_of_an_hour_is_rounded_to_no_twenty_fifth() -> None:
    """A trace may count its seconds from zero; one step of floats before it is 24 hours before."""
    _, rate, shape, echo = made_up(1)
    moments = (nextafter(1800.0, 0.0), 1800.0)
    assert [rhythm_at(shape, at) for at in moments] == pytest.approx([shape[0]] * 2)
    hours = [hours_to_target(at, rate, shape, echo, target=1.0, most=48.0) for at in moments]
    assert hours[0] == pytest.approx(hours[1])


@pytest.mark.parametrize("seed", range(60))
def test_the_crossing_is_exact(seed: int) -> None:
    # By Newton's method: where it ends with a step below 1e-4 hours, the error is of its square.
    seen_at, rate, shape, echo = made_up(seed)
    target = 40 ** (seed / 30 - 1)
    hours = hours_to_target(seen_at, rate, shape, echo, target=target, most=48.0)
    assert 0 < hours < 48
    waiting, gain = exactly(seen_at, rate, shape, echo, hours)
    assert abs(waiting - target) < 1e-7 * gain
    most = hours * 0.99
    assert hours_to_target(seen_at, rate, shape, echo, target=target, most=most) == most
    assert hours_to_target(seen_at, rate, shape, echo, target=target, most=hours + 1e-3) == hours


@pytest.mark.parametrize("wished", [0.002, 0.02, 0.0499, 0.0501, 0.06])
def test_the_crossing_is_exact_where_the_rhythm_soon_bends(wished: float) -> None:
    _, rate, shape, _ = made_up(3)
    seen_at = 20_000 * 86400 + (7.5 - 0.05) * 3600  # three minutes before a bend
    echo = (5.0, 12.0, 1.5, 0.7)
    target, _ = exactly(seen_at, rate, shape, echo, wished)
    hours = hours_to_target(seen_at, rate, shape, echo, target=target, most=48.0)
    assert abs(hours - wished) < 1e-6


def test_where_nothing_is_posted_and_nothing_asked_for_the_crossing_is_at_once() -> None:
    nothing = (0.0, 1.0, 0.0, 1.0)
    assert hours_to_target(0.0, 0.0, [1.0] * 24, nothing, target=0.0, most=24.0) == 0.0
    assert hours_to_target(0.0, 0.0, [1.0] * 24, nothing, target=1e-9, most=24.0) == 24.0


@pytest.mark.parametrize("seed", range(40))
def test_the_crossing_is_there_where_the_intensity_falls_below_zero(seed: int) -> None:
    seen_at, rate, shape, _ = made_up(seed)
    missing = rate * hats(shape, seen_at) * (1.0 - seed / 60)
    echo = (-missing / 5, 12.0, -missing, 0.2 + seed / 50)
    target = rate / 30 * 1.1**seed
    hours = hours_to_target(seen_at, rate, shape, echo, target=target, most=48.0)
    waiting, gain = exactly(seen_at, rate, shape, echo, hours)
    assert gain > 0
    assert abs(waiting - target) < 1e-4 * gain


def test_the_rhythm_is_lines_between_the_middles_of_the_hours() -> None:
    _, _, shape, _ = made_up(0)
    for minute in range(24 * 60):
        assert rhythm_at(shape, minute * 60.0 + 86400) == pytest.approx(hats(shape, minute * 60))


@settings(max_examples=50, deadline=None)
@given(times, shapes, st.floats(0.01, 5), echoes, st.floats(0.01, 30))
def test_the_closed_form_is_the_integral(
    seen_at: float, shape: list[float], rate: float, parts: tuple[float, float], target: float
) -> None:
    echo = (parts[0], 12.0, parts[1], 1.0)
    hours = hours_to_target(seen_at, rate, shape, echo, target=target, most=30.0)
    found = waited(seen_at, rate, shape, echo, hours)
    if hours < 30.0:
        assert abs(found - target) < 0.01 * target + 0.002
    else:
        assert found <= target * 1.01


def test_at_a_constant_rate_the_interval_is_the_square_root() -> None:
    shape = [1.0] * 24
    hours = hours_to_target(0.0, 0.5, shape, (0.0, 1.0, 0.0, 1.0), target=4.0, most=24.0)
    assert abs(hours - 4.0) < 0.001


@given(times, shapes, st.floats(0.01, 5), st.floats(0.001, 10), st.floats(0.001, 10))
def test_a_higher_target_is_later(
    seen_at: float, shape: list[float], rate: float, one: float, other: float
) -> None:
    echo = (0.5, 12.0, 0.2, 1.0)
    early, late = sorted((one, other))
    first = hours_to_target(seen_at, rate, shape, echo, target=early, most=24.0)
    assert first <= hours_to_target(seen_at, rate, shape, echo, target=late, most=24.0) + 1e-3


@given(st.integers(0, 239), st.floats(0.5, 0.9))
def test_a_higher_target_is_later_where_the_missing_echo_outweighs_the_rhythm(
    tenth: int, share: float
) -> None:
    # After a silence, at dusk: the intensity falls below zero for a while.
    shape = [0.1, 0.05, 0.07, 0.16, 0.3, 0.5, *[1.7] * 12, *[0.6] * 3, 0.5, 0.58, 0.3]
    seen_at = tenth * 360.0
    missing = -share * 0.7 * rhythm_at(shape, seen_at)
    echo = (missing / 30, 12.0, missing, 0.55)
    targets = [0.0001 * 1.2**step for step in range(50)]
    hours = [hours_to_target(seen_at, 0.7, shape, echo, target=it, most=24.0) for it in targets]
    assert hours[0] > 0.0
    assert all(one <= other + 1e-3 for one, other in pairwise(hours))
    assert hours[-1] < 12.0
