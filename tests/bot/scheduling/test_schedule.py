"""When to look next, by the sums, the price and the purse."""

import json
from math import isfinite

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.scheduling.forecast import ProfileState
from bot.scheduling.pricing import floor_hours
from bot.scheduling.schedule import Schedule
from bot.scheduling.waiting_time import DAY, HOUR

DAWN = 20_000 * DAY


def schedule_of(budget: float, profiles: int = 10) -> tuple[Schedule, list[ProfileState]]:
    """Return a schedule that knows of profiles which were just seen."""
    schedule = Schedule(budget)
    states = [ProfileState(seen_at=DAWN) for _ in range(profiles)]
    schedule.survey((state, 1, 1) for state in states)
    schedule.bucket.at = DAWN
    return schedule, states


@settings(deadline=None)
@given(
    st.floats(12, 5000),
    st.lists(st.floats(0, 5 * DAY), max_size=20),
    st.floats(0, 1000),
    st.floats(0, 1000),
    st.sampled_from([1, 2, 3]),
)
def test_due_falls_with_subscribers_and_stays_between_minimum_and_floor(
    budget: float, stories: list[float], one: float, other: float, cost: int
) -> None:
    schedule, (state, *_) = schedule_of(budget)
    at = DAWN + 5 * DAY
    taken = sorted(DAWN + story for story in stories if story > 4 * DAY)
    few, many = sorted((one, other))
    late = schedule.seen(state, few, cost, at=at, taken=taken)
    early = schedule.due(state, many, cost)
    assert early <= late + 1
    assert late <= schedule.due(state, few, cost + 1) + 1
    for due in (early, late):
        assert at + schedule.minimum <= due <= at + floor_hours(budget / 10) * HOUR


def test_a_profile_that_nobody_waits_for_is_looked_at_by_the_floor() -> None:
    schedule, (state, *_) = schedule_of(240)
    assert schedule.seen(state, 0, 1, at=DAWN + 60, taken=[]) == DAWN + 60 + 12 * HOUR


def test_a_higher_budget_makes_what_is_queued_stale_and_sooner() -> None:
    schedule, (state, *_) = schedule_of(60)
    before = schedule.due(state, 1, 1)
    assert not schedule.is_stale(state)
    schedule.set_budget(600)
    assert schedule.is_stale(state)
    assert schedule.due(state, 1, 1) < before


def test_credits_before_their_time_are_those_above_half_of_the_bank() -> None:
    schedule, _ = schedule_of(2400)
    schedule.advance(DAWN + HOUR, spent=0)
    due, early = schedule.credits(DAWN + HOUR)
    assert 0 <= early < due <= schedule.release_curve.most
    schedule.advance(DAWN + 6 * HOUR, spent=0)
    due, early = schedule.credits(DAWN + 6 * HOUR)
    assert due == schedule.release_curve.most
    assert early == due / 2


def test_the_next_look_waits_for_its_time_and_for_its_credit() -> None:
    schedule, _ = schedule_of(24, profiles=1)
    assert schedule.next_at(DAWN, DAWN, 1, now=DAWN, spent=0) > DAWN
    schedule.bucket.credits = 1.0
    assert schedule.next_at(DAWN - 60, DAWN, 1, now=DAWN, spent=0) == DAWN
    assert schedule.next_at(DAWN + 60, DAWN, 1, now=DAWN, spent=0) == DAWN + 60
    schedule.bucket.credits = 0.0
    assert schedule.next_at(DAWN, DAWN, 1, now=DAWN, spent=24) == DAWN + DAY


def test_a_profile_not_seen_for_long_does_not_wait_for_the_pace() -> None:
    schedule, _ = schedule_of(24, profiles=1)
    seen_at = DAWN - 20 * HOUR
    assert schedule.next_at(DAWN, seen_at, 1, now=DAWN, spent=0) == DAWN
    assert schedule.may_poll(DAWN, seen_at, 1, now=DAWN, spent=23)
    assert not schedule.may_poll(DAWN, seen_at, 1, now=DAWN, spent=24)
    assert not schedule.may_poll(DAWN, seen_at + 60, 1, now=DAWN, spent=0)
    assert not schedule.may_poll(DAWN + 60, seen_at, 1, now=DAWN, spent=0)


def test_nobody_is_looked_at_early_who_has_not_rested() -> None:
    schedule, _ = schedule_of(2400)
    noon = DAWN + 12 * HOUR
    schedule.advance(noon, spent=0)
    due_at, minimum = noon + HOUR, schedule.minimum
    assert schedule.next_at(due_at, noon - minimum, 1, now=noon, spent=0) == noon
    assert schedule.next_at(due_at, noon - 1, 1, now=noon, spent=0) == noon - 1 + minimum
    assert schedule.may_poll(due_at, noon - minimum, 1, now=noon, spent=0)
    assert not schedule.may_poll(due_at, noon - 1, 1, now=noon, spent=0)
    assert schedule.may_poll(noon, noon - 1, 1, now=noon, spent=0)


def test_what_the_day_still_has_at_its_end_is_spent_early() -> None:
    schedule, _ = schedule_of(2400)
    now, tomorrow = DAWN + 23.5 * HOUR, DAWN + 30 * HOUR
    spent = 2400.0 - 40
    schedule.advance(now, spent=spent)
    looks = tries = 0
    while (at := schedule.next_at(tomorrow, DAWN, 1, now=now, spent=spent)) < DAWN + DAY:
        now = max(at, now + 1.0)
        tries += 1
        schedule.advance(now, spent=spent)
        if schedule.may_poll(tomorrow, DAWN, 1, now=now, spent=spent):
            schedule.bucket.credits -= 1
            spent += 1
            looks += 1
    assert 35 <= looks <= 40
    assert tries <= looks + 5  # it is not asked in vain
    assert spent <= 2400


def test_the_first_look_at_a_profile_says_nothing_of_the_price() -> None:
    schedule, (state, *_) = schedule_of(2400)
    state.seen_at = 0.0
    schedule.polled(state, 1, 1, at=DAWN + HOUR, taken=[])
    assert schedule.price.late == 0
    assert schedule.price.factor == 1
    schedule.polled(state, 1, 1, at=state.due_at + HOUR, taken=[])
    assert schedule.price.factor > 1


def test_replicas_share_what_one_of_them_wrote() -> None:
    schedule, states = schedule_of(240)
    schedule.advance(DAWN + HOUR, spent=0)
    schedule.polled(states[0], 1, 1, at=DAWN + HOUR, taken=[])
    schedule.failed(DAWN + HOUR)
    other = Schedule(240)
    other.restore(json.loads(json.dumps(schedule.to_json())))
    assert other.to_json() == schedule.to_json()
    assert other.due(states[1], 1, 1) == schedule.due(states[1], 1, 1)
    assert isfinite(other.current)
