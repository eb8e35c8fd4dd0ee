"""The mixture of experts finds who foretold best, and its rows survive other versions."""

import json
import random

from hypothesis import given
from hypothesis import strategies as st

from bot.scheduling.forecast import Population, ProfileState, learn, rate_of
from bot.scheduling.pricing import Demand
from bot.scheduling.rates import (
    EXPERTS,
    EXPONENTS,
    HALF_LIVES,
    WEIGHTS,
    Forecaster,
    Mixture,
    Pool,
    guesses,
    leanings,
    pooled,
    steady_sums,
)
from bot.scheduling.schedule import Schedule
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
        learn(state, Population(), at=at, taken=shown)
    return state


def test_each_expert_finds_the_rate_of_a_steady_profile() -> None:
    state = watched(200)
    found = guesses(state.sums, state.age, common=2.0)
    assert len(found) == EXPERTS
    assert all(1.5 < rate < 2.5 for rate in found)


def test_the_sums_follow_in_closed_form_from_the_mean_rate() -> None:
    state = watched(20)
    for own, steady in zip(state.sums, steady_sums(2.0, state.age), strict=True):
        assert abs(own - steady) < 1.0


def moves(rate_of_day: list[float]) -> Mixture:
    """Return the mixture after profiles that post at these rates."""
    rng = random.Random(5)  # noqa: S311 - a made-up past
    mixture = Mixture()
    for _ in range(40):
        state = ProfileState(seen_at=START)
        for day, rate in enumerate(rate_of_day, 1):
            at = START + day * DAY
            found = guesses(state.sums, state.age, common=2.0)
            taken = sorted(at - rng.random() * DAY for _ in range(round(rate)))
            mixture.observe(found, 1.0, len(taken))
            mixture.update(at)
            learn(state, Population(), at=at, taken=taken)
    return mixture


def regressed(rate_of_day: list[float]) -> Pool:
    """Return the pool after profiles that post at these rates, where the mixture never learns."""
    pool = Pool()
    for shift in range(40):
        state = ProfileState(seen_at=START)
        for day in range(len(rate_of_day)):
            at = START + (day + 1) * DAY
            found = guesses(state.sums, state.age, common=2.0)
            mixture = sum(map(lambda a, b: a * b, WEIGHTS, found))
            leaning = leanings(found, mixture)
            stories = round(rate_of_day[(day + shift) % len(rate_of_day)])
            pool.came(leaning, stories)
            pool.expected(leaning, mixture)
            pool.update(at)
            taken = [at - (place + 1) * DAY / (stories + 1) for place in range(stories)]
            learn(state, Population(), at=at, taken=sorted(taken))
    return pool


def after_silence(pool: Pool) -> float:
    """Return what is expected of who posted six a day for a month, and then none for four."""
    state = ProfileState(seen_at=START)
    for day in range(1, 35):
        at = START + day * DAY
        taken = [at - hour * HOUR for hour in (21, 17, 13, 9, 5, 1)] if day <= 30 else []
        learn(state, Population(), at=at, taken=taken)
    return rate_of(state, Population(exponents=pool.exponents)) * 24


def test_who_falls_silent_is_expected_by_what_silence_has_meant() -> None:
    usual = after_silence(Pool())
    blocks = regressed([6.0] * 10 + [0.0] * 20)
    steady = regressed([2.0])
    assert after_silence(blocks) < usual / 2
    assert usual / 1.5 < after_silence(steady) < usual * 1.5


def test_the_rate_is_what_the_experts_say_together() -> None:
    state, exponents = watched(20), (0.5, -0.2, 0.3, 0.1, 0.4, -0.6, 0.2, 0.1)
    found = guesses(state.sums, state.age, common=2.0)
    mixture = sum(map(lambda a, b: a * b, WEIGHTS, found))
    forecaster = Forecaster(WEIGHTS, exponents, age=state.age, common=2.0)
    expected = mixture * pooled(exponents, leanings(found, mixture))
    assert abs(forecaster.rate(state.sums) - expected) < 1e-9
    plain = Forecaster(WEIGHTS, EXPONENTS, age=state.age, common=2.0)
    assert abs(plain.rate(state.sums) - mixture) < 1e-9


def mean_half_life(mixture: Mixture) -> float:
    priors = (EXPERTS - 1) // len(HALF_LIVES)
    parts = [sum(mixture.weights[n * priors : (n + 1) * priors]) for n in range(len(HALF_LIVES))]
    return sum(map(lambda a, b: a * b, parts, HALF_LIVES)) / sum(parts)


def test_weights_go_to_who_foretells() -> None:
    jumpy = moves([6.0, 6.0, 6.0, 6.0, 0.0, 0.0, 0.0, 0.0] * 5)
    noisy = moves([2.0, 6.0, 0.0, 4.0, 0.0] * 8)
    assert abs(sum(jumpy.weights) - 1) < 1e-9
    assert mean_half_life(jumpy) < mean_half_life(noisy) / 2


@given(anything)
def test_nothing_that_was_kept_raises(kept: object) -> None:
    for row in (kept, [*range(13), kept], [*range(13), [0.5] * 24, kept]):
        assert rate_of(ProfileState.from_json(row), Population()) == rate_of(
            ProfileState.from_json(row), Population()
        )
    assert len(Demand.from_json(kept).wanted) == 24
    assert len(Demand.from_json({"rhythm": kept, "costs": kept}).population.rhythm) == 24
    assert len(Mixture.from_json(kept).weights) == EXPERTS
    assert Pool.from_json({"pool": kept}) == Pool.from_json(kept) == Pool()
    schedule = Schedule(24)
    schedule.restore(kept)
    schedule.restore({"demand": kept, "price": kept, "purse": kept})
    assert schedule.current > 0


def test_a_row_of_the_version_before_keeps_its_rate() -> None:
    state = watched()
    before = json.loads(json.dumps(state.to_json()))[:14]
    again = ProfileState.from_json(before)
    assert again.stories == before[5]
    assert list(again.hours) == before[13]
    for weights in (WEIGHTS, *([float(n == m) for m in range(EXPERTS)] for n in range(EXPERTS))):
        common = Population(weights=tuple(weights))
        assert 0.8 < rate_of(again, common) / rate_of(state, common) < 1.25


def test_a_row_of_a_version_to_come_keeps_what_is_known_of_it() -> None:
    row = watched().to_json()
    longer = [*row, {"more": 1}, "x", [1.0]]
    assert ProfileState.from_json(longer).to_json() == row
    more_numbers = [*row[:13], 5.5, *row[13:]]
    assert ProfileState.from_json(more_numbers).to_json() == row


def test_a_look_of_the_version_before_leaves_the_memory_whole() -> None:
    state = watched()
    row = json.loads(json.dumps(state.to_json()))
    memory = row.pop()
    row[0] += DAY / 2  # it looked, and wrote what it knows
    again = ProfileState.from_json([*row, memory])
    assert abs(again.age - state.age - 0.5) < 1e-3
    later = steady_sums(2.0, again.age)
    assert all(abs(own - steady) < 1.2 for own, steady in zip(again.sums, later, strict=True))


def test_the_weights_come_back_as_they_were() -> None:
    schedule = Schedule(240)
    states = [ProfileState(seen_at=START) for _ in range(10)]
    schedule.survey((state, 1, 1) for state in states)
    for hour in range(1, 400):
        state = states[hour % 10]
        at = START + hour * HOUR
        taken = [at - 60] if hour % 3 else []
        schedule.polled(state, 1, 1, at=at, taken=taken)
    assert schedule.mixture.weights != WEIGHTS
    kept = json.loads(json.dumps(schedule.mixture.to_json()))
    assert Mixture.from_json(kept) == schedule.mixture
    assert schedule.pool.exponents != EXPONENTS
    pool = json.loads(json.dumps(schedule.pool.to_json()))
    assert Pool.from_json(pool) == schedule.pool
    assert Mixture.from_json(kept | {"half_lives": [1, 2]}).weights == WEIGHTS
