"""The rules name the intervals that they should."""

from bot.scheduling.forecast import ProfileState
from bot.scheduling.policies import EntryFrequency, Fixed, Learned
from bot.scheduling.pricing import Demand
from bot.scheduling.waiting_time import DAY

DAWN = 20_000 * DAY


def test_fixed_is_the_same_whatever_was_seen() -> None:
    rule, state = Fixed(2.0), ProfileState()
    rule.learn(state, Demand(), DAWN, [DAWN - 5])
    assert state.seen_at == DAWN
    assert rule.hours(state, Demand(), 1.0, 1, 1, 12.0) == 2.0


def test_entry_frequency_divides_the_week_and_forgets_it() -> None:
    rule, state = EntryFrequency(), ProfileState()
    assert rule.hours(state, Demand(), 1.0, 1, 1, 99.0) == 24.0
    rule.learn(state, Demand(), DAWN, [DAWN - 100.0 * part for part in range(28, 0, -1)])
    assert rule.hours(state, Demand(), 1.0, 1, 1, 99.0) == 6.0
    assert rule.hours(state, Demand(), 4.0, 1, 1, 99.0) == 12.0
    assert rule.hours(state, Demand(), 1.0, 1, 1, 5.0) == 5.0
    rule.learn(state, Demand(), DAWN + 8 * DAY, [])
    assert rule.hours(state, Demand(), 1.0, 1, 1, 99.0) == 24.0


def test_nobody_waiting_means_the_floor() -> None:
    state = ProfileState(seen_at=DAWN)
    assert Learned().hours(state, Demand(), 1.0, 0, 1, 12.0) == 12.0
    assert Learned().hours(state, Demand(), 1.0, 5, 1, 12.0) < 12.0
