"""Two sides share a day's budget."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.budget import Limits, budget_again, midnight_after, rule_for

DAY = datetime(2026, 4, 8, tzinfo=UTC)
TIMES = st.integers(0, 86_399).map(lambda s: DAY + timedelta(seconds=s))
LIMITS = st.builds(Limits, daily_budget=st.integers(0, 5000), reply_share=st.floats(0, 1))


def test_at_midnight_each_has_its_share_and_in_the_evening_all_that_is_left() -> None:
    limits = Limits(daily_budget=1000, reply_share=0.4)
    assert rule_for("replies", limits, DAY).room(mine=0, others=0) == 400
    assert rule_for("schedule", limits, DAY).room(mine=0, others=0) == 600
    noon = DAY + timedelta(hours=12)
    assert rule_for("replies", limits, noon).room(mine=0, others=0) == 700
    assert rule_for("replies", limits, noon).room(mine=0, others=500) == 400
    assert rule_for("replies", limits, noon).room(mine=650, others=0) == 50
    late = DAY + timedelta(hours=23, minutes=59)
    assert rule_for("schedule", limits, late).room(mine=300, others=100) == 599


@given(LIMITS, TIMES, st.integers(0, 5000), st.integers(0, 5000))
def test_nobody_goes_over_the_budget_or_into_the_others_protected_part(
    limits: Limits, now: datetime, mine: int, others: int
) -> None:
    for side in ("replies", "schedule"):
        rule = rule_for(side, limits, now)
        room = rule.room(mine=mine, others=others)
        assert room == 0 or mine + others + room <= limits.daily_budget
        if mine == others == 0:
            assert room == limits.daily_budget - min(rule.protected, rule.others_share)


@given(LIMITS, TIMES, st.integers(0, 3000), st.integers(0, 3000), st.integers(1, 3))
def test_the_time_that_is_told_is_right(
    limits: Limits, now: datetime, mine: int, others: int, price: int
) -> None:
    if rule_for("replies", limits, now).room(mine=mine, others=others) >= price:
        return
    again = budget_again("replies", limits, (mine, others), price, now)
    assert now <= again <= midnight_after(now)
    if again < midnight_after(now):
        at = max(again, now) + timedelta(seconds=1)
        if at < midnight_after(now):
            assert rule_for("replies", limits, at).room(mine=mine, others=others) >= price
