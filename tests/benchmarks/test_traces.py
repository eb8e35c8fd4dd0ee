"""The made-up traces: the same for a seed, of the law that they name."""

from itertools import pairwise

import pytest

from benchmarks import traces


@pytest.mark.parametrize("kind", traces.KINDS + traces.CHANGING)
def test_a_seed_makes_one_trace_in_order_and_within_its_days(kind: str) -> None:
    one = traces.make(kind, profiles=40, days=10, seed=3)
    assert one == traces.make(kind, profiles=40, days=10, seed=3)
    assert one.records != traces.make(kind, profiles=40, days=10, seed=4).records
    for record in one.records:
        assert record.taken_at == sorted(record.taken_at)
        for story in record.taken_at:
            assert traces.START <= story < traces.START + 10 * traces.DAY
    assert bool(one.laws) is (kind not in {"bursty", "patches"})


@pytest.mark.parametrize("kind", ["homogeneous", "daily", "exciting", "equal", "jumps"])
def test_as_many_stories_come_as_the_law_says(kind: str) -> None:
    trace = traces.make(kind, profiles=300, days=20, seed=5)
    found = sum(len(record.taken_at) for record in trace.records)
    expected = sum(24 * sum(law.rates) for law in trace.laws)
    assert 0.85 < found / expected < 1.15


def test_three_quarters_have_one_subscriber_and_the_first_a_fortieth_of_all() -> None:
    shares = traces.subscribers(2000)
    assert 0.7 < shares.count(1) / 2000 < 0.8
    assert 0.02 < shares[0] / sum(shares) < 0.03
    assert shares == sorted(shares, reverse=True)


def test_equal_weights_are_equal() -> None:
    weighed = traces.make("bursty", profiles=20, days=5, seed=1, equal_weights=True)
    assert {record.subscribers for record in weighed.records} == {1}


def test_patches_come_a_hundred_in_a_minute_and_then_there_is_silence() -> None:
    trace = traces.make("patches", profiles=20, days=28, seed=1)
    for record in trace.records:
        assert len(record.taken_at) % 100 == 0
        for first in range(0, len(record.taken_at), 100):
            burst = record.taken_at[first : first + 100]
            assert burst[-1] - burst[0] <= 60


@pytest.mark.parametrize("kind", ["silences", "vacations"])
def test_people_are_away_for_a_week_and_come_back(kind: str) -> None:
    trace = traces.make(kind, profiles=60, days=42, seed=3)
    busy = [record.taken_at for record in trace.records if len(record.taken_at) > 60]
    gaps = [max(b - a for a, b in pairwise(taken)) / traces.DAY for taken in busy]
    assert sum(gap > 6 for gap in gaps) > 0.5 * len(gaps) > 0
    assert all(len(law.rates) == 42 for law in trace.laws)


def test_rates_that_jump_are_silent_for_days() -> None:
    laws = traces.make("jumps", profiles=40, days=28, seed=1).laws
    assert all(len(set(law.rates)) > 1 for law in laws)
    assert any(law.rates.count(0.0) >= 7 for law in laws)
