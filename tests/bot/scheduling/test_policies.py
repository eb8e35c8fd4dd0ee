"""The rules name the intervals that they should."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from benchmarks import traces
from benchmarks.other_policies import SHORTEST, EntryFrequency, Fixed, KnownRate
from benchmarks.schedule import replayed
from bot.scheduling.forecast import (
    Population,
    ProfileState,
    hours_to_due,
    learn_and_count_new_stories,
)
from bot.scheduling.policies import Learned
from bot.scheduling.pricing import Demand
from bot.scheduling.waiting_time import DAY, HOUR

DAWN = 20_000 * DAY


def test_fixed_is_the_same_whatever_was_seen() -> None:
    rule, state = Fixed(2.0), ProfileState()
    rule.learn(state, Demand(), DAWN, [DAWN - 5])
    assert state.seen_at == DAWN
    assert rule.hours_to_due(state, Demand(), 1.0, 1, 1, 12.0) == 2.0


def test_entry_frequency_divides_the_week_and_forgets_it() -> None:
    rule, state = EntryFrequency(), ProfileState()
    assert rule.hours_to_due(state, Demand(), 1.0, 1, 1, 99.0) == 24.0
    rule.learn(state, Demand(), DAWN, [DAWN - 100.0 * part for part in range(28, 0, -1)])
    assert rule.hours_to_due(state, Demand(), 1.0, 1, 1, 99.0) == 6.0
    assert rule.hours_to_due(state, Demand(), 4.0, 1, 1, 99.0) == 12.0
    assert rule.hours_to_due(state, Demand(), 1.0, 1, 1, 5.0) == 5.0
    rule.learn(state, Demand(), DAWN + 8 * DAY, [])
    assert rule.hours_to_due(state, Demand(), 1.0, 1, 1, 99.0) == 24.0


def test_nobody_waiting_means_the_floor() -> None:
    state = ProfileState(seen_at=DAWN)
    assert Learned().hours_to_due(state, Demand(), 1.0, 0, 1, 12.0) == 12.0
    assert Learned().hours_to_due(state, Demand(), 1.0, 5, 1, 12.0) < 12.0


def test_entry_frequency_counts_each_story_of_the_last_week_once() -> None:
    rule, state = EntryFrequency(), ProfileState()
    taken = [DAWN + number * HOUR for number in range(4)]
    rule.learn(state, Demand(), DAWN + HOUR, taken[:2])
    rule.learn(state, Demand(), DAWN + 3 * HOUR, taken)
    assert (state.seen_at, state.story_at) == (DAWN + 3 * HOUR, taken[-1])
    assert rule.hours_to_due(state, Demand(), 1.0, 1, 1, 99.0) == 42.0 - 18.0  # a day at most
    assert rule.hours_to_due(state, Demand(), 0.25, 1, 1, 99.0) == 21.0
    rule.learn(state, Demand(), DAWN + 7 * DAY, [])  # what is a week old is out
    assert rule.hours_to_due(state, Demand(), 1 / 64, 1, 1, 99.0) == 7.0
    assert rule.hours_to_due(state, Demand(), 1e-9, 1, 1, 99.0) == 1 / 12
    assert rule.hours_to_due(ProfileState(), Demand(), 0.25, 1, 1, 99.0) == 12.0


def test_the_bots_own_rule_waits_until_a_check_is_worth_its_price() -> None:
    rule, state, other = Learned(), ProfileState(seen_at=DAWN), ProfileState(seen_at=DAWN)
    demand = Demand(Population(rate=5.0))
    at, taken = DAWN + HOUR, [DAWN + 60, DAWN + 90]
    rule.learn(state, demand, at, taken)
    learn_and_count_new_stories(other, prior=demand.population, at=at, taken=taken)
    assert state.to_json() == other.to_json()
    target = 3.0 * 2 / 0.5
    expected = hours_to_due(state, demand.population, target=target, most=99.0)
    assert rule.hours_to_due(state, demand, 3.0, 0.5, 2, 99.0) == expected < 99.0


def test_the_credits_of_a_day_follow_its_hours_under_the_bots_own_rule_alone() -> None:
    rules = (Learned, Fixed, EntryFrequency)
    assert [rule.by_rhythm for rule in rules] == [True, False, False]


def intervals_of(rule: KnownRate) -> list[float]:
    """Return the interval of each profile of a rule."""
    states = [ProfileState() for _ in rule.hours]
    rule.bind(states)
    return [rule.hours_to_due(state, Demand(), 1.0, 1, 1, 12.0) for state in states]


def test_known_rates_give_intervals_by_the_square_root_that_spend_the_budget() -> None:
    rule = KnownRate([4.0, 1.0, 1.0, 0.0], [1, 1, 9, 5], 6.0)
    often, seldom, popular, silent = intervals_of(rule)
    assert silent == 12.0  # the longest interval of the bot with this budget
    assert seldom / often == pytest.approx(2.0)
    assert seldom / popular == pytest.approx(3.0)
    assert sum(24 / hours for hours in (often, seldom, popular, silent)) == pytest.approx(6.0 * 4)


def test_no_known_rate_is_checked_more_often_than_each_minute() -> None:
    assert min(intervals_of(KnownRate([1e9, 1e-9], [1, 1], 1000.0))) == SHORTEST
    assert intervals_of(KnownRate([0.0, 0.0], [1, 1], 6.0)) == [12.0, 12.0]


def test_a_replayed_trace_of_constant_rates_is_best_with_known_rates(tmp_path: Path) -> None:
    path = tmp_path / "constant.jsonl"
    trace = traces.make("homogeneous", profiles=40, days=21, seed=11, equal_weights=True)
    path.write_text("\n".join(json.dumps(asdict(record)) for record in trace.records))
    delays = {}
    for policy in ("learned", "known rate", "fixed"):
        delays[policy], lost = replayed(path, 6, policy)
        assert lost == 0
    assert delays["known rate"] < delays["learned"] < delays["fixed"]
