"""Two sides share a day's budget."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.budget import (
    Limits,
    Side,
    budget_free_at,
    midnight_after,
    reply_credits_left_for_schedule,
    side_rule_for,
    split_budget_with_newcomers,
)

DAY = datetime(2026, 4, 8, tzinfo=UTC)
ONE_DAY = timedelta(days=1)
TIMES = st.integers(0, 86_399).map(lambda s: DAY + timedelta(seconds=s))
LIMITS = st.builds(Limits, daily_budget=st.integers(0, 5000), reply_share=st.floats(0, 1))


def test_at_midnight_each_has_its_share_and_in_the_evening_all_that_is_left() -> None:
    limits = Limits(daily_budget=1000, reply_share=0.4)

    def left(side: Side, at: datetime, *, own: int = 0, others: int = 0) -> int:
        rule = side_rule_for(side, limits, at)
        return rule.credits_left(own_spending=own, spending_of_others=others)

    assert left("replies", DAY) == 400
    assert left("schedule", DAY) == 600
    noon = DAY + timedelta(hours=12)
    assert left("replies", noon) == 700
    assert left("replies", noon, others=500) == 400
    assert left("replies", noon, own=650) == 50
    late = DAY + timedelta(hours=23, minutes=59)
    assert left("schedule", late, own=300, others=100) == 599


@given(LIMITS, TIMES, st.integers(0, 5000), st.integers(0, 5000))
def test_nobody_goes_over_the_budget_or_into_the_others_protected_part(
    limits: Limits, now: datetime, mine: int, others: int
) -> None:
    for side in ("replies", "schedule"):
        rule = side_rule_for(side, limits, now)
        room = rule.credits_left(own_spending=mine, spending_of_others=others)
        assert room == 0 or mine + others + room <= limits.daily_budget
        if mine == others == 0:
            assert room == limits.daily_budget - min(rule.protected, rule.others_share)


@given(LIMITS, TIMES, st.integers(0, 3000), st.integers(0, 3000), st.integers(1, 3))
def test_the_time_that_is_told_is_right(
    limits: Limits, now: datetime, mine: int, others: int, price: int
) -> None:
    if (
        side_rule_for("replies", limits, now).credits_left(
            own_spending=mine, spending_of_others=others
        )
        >= price
    ):
        return
    again = budget_free_at("replies", limits, (mine, others), price, now)
    assert now <= again <= midnight_after(now)
    if again < midnight_after(now):
        at = max(again, now) + timedelta(seconds=1)
        if at < midnight_after(now):
            assert (
                side_rule_for("replies", limits, at).credits_left(
                    own_spending=mine, spending_of_others=others
                )
                >= price
            )


@pytest.mark.parametrize(
    ("used", "hours"), [(20, 9), (78, 12.48), (89, 23.04), (90, 24), (91, 24), (100, 24)]
)
def test_a_protected_share_becomes_free_in_the_course_of_the_day(used: int, hours: float) -> None:
    """Of 100 credits the schedule has 25; now it is nine, and ten are asked for."""
    limits = Limits(daily_budget=100, reply_share=0.75)
    again = budget_free_at("replies", limits, (used, 0), 10, DAY + timedelta(hours=9))
    assert again == DAY + timedelta(hours=hours)


@given(LIMITS, TIMES, st.integers(0, 3000), st.integers(1, 3))
def test_the_time_that_is_told_is_right_while_the_schedule_goes_on_spending(
    limits: Limits, now: datetime, mine: int, price: int
) -> None:
    passed = (now - (midnight_after(now) - ONE_DAY)) / ONE_DAY
    share = limits.daily_budget - round(limits.daily_budget * limits.reply_share)
    for pace in (0.3, 0.6, 0.9, 1.0, 1.5):
        spent = share * pace
        others = int(spent * passed)
        if (
            side_rule_for("replies", limits, now).credits_left(
                own_spending=mine, spending_of_others=others
            )
            >= price
        ):
            continue
        again = budget_free_at("replies", limits, (mine, others), price, now)
        assert now <= again <= midnight_after(now)
        at = again + timedelta(seconds=1)
        if again < midnight_after(now) and at < midnight_after(now) and passed > 1 / 24:
            later = others + int(others / passed * ((at - now) / ONE_DAY))
            assert (
                side_rule_for("replies", limits, at).credits_left(
                    own_spending=mine, spending_of_others=later
                )
                >= price
            )


def test_what_nobody_else_may_spend_is_back_at_midnight() -> None:
    limits = Limits(daily_budget=100, reply_share=1)
    assert budget_free_at("replies", limits, (60, 0), 50, DAY) == midnight_after(DAY)


def test_newcomers_have_a_part_of_the_schedule_where_both_follow_something() -> None:
    assert split_budget_with_newcomers(1600, known_profiles=2, newcomer_profiles=1) == (1552, 48)
    assert split_budget_with_newcomers(1600, known_profiles=0, newcomer_profiles=1) == (1600, 1600)
    assert split_budget_with_newcomers(1600, known_profiles=2, newcomer_profiles=0) == (1600, 1600)


def test_what_replies_leave_is_what_no_day_took_from_this_hour_on() -> None:
    limits, noon = Limits(daily_budget=1000, reply_share=0.4), DAY + timedelta(hours=12)
    assert reply_credits_left_for_schedule(limits, [], used=50, now=noon) == 400 - 50 - 200
    quiet, busy = [0] * 24, [9] * 11 + [0] + [10] * 12
    assert reply_credits_left_for_schedule(limits, [quiet], used=50, now=noon) == 400 - 50 - 20
    assert (
        reply_credits_left_for_schedule(limits, [quiet, busy], used=50, now=noon) == 400 - 50 - 144
    )
    assert reply_credits_left_for_schedule(limits, [busy], used=390, now=noon) == 0
