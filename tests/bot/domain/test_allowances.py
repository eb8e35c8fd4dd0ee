"""What an asker may spend: the laws of newcomers."""

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.budget import (
    OF_NEWCOMER,
    Allowances,
    Limits,
    allowances_for,
    split_budget_with_newcomers,
)
from bot.scheduling.forecast import ProfileState
from bot.scheduling.schedule import Schedule

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
CREDITS = st.integers(0, 300)
LIMITS = st.builds(
    Limits,
    daily_budget=CREDITS,
    reply_share=st.floats(0, 1),
    chat_daily_allowance=CREDITS,
    person_daily_allowance=CREDITS,
    newcomer_allowance=st.none() | CREDITS,
    newcomer_share=st.floats(0, 1),
)


@given(LIMITS, st.booleans())
def test_nobody_gets_more_by_being_new(limits: Limits, is_known: bool) -> None:
    found = allowances_for(limits, is_known=is_known)
    most = allowances_for(limits, is_known=True)
    assert found.chat == most.chat
    assert found.own <= most.own
    if is_known or limits.newcomer_allowance is None:
        assert found.newcomers is None
    else:
        assert found.own <= limits.newcomer_allowance
        assert found.newcomers is not None
        assert found.newcomers <= limits.daily_budget * limits.reply_share + 0.5
        assert found.own <= max(3, found.newcomers / 5)


@pytest.mark.parametrize(
    ("budget", "share", "person", "own", "together"),
    [
        (100, 0.5, 100, 5, 25),  # the default values
        (1_000, 0.5, 100, 30, 250),  # 30 % of the limit of other persons are less than a fifth
        (40, 0.5, 100, 3, 10),  # a fifth would not pay for one question about a new name
        (40, 0.0, 100, 3, 0),
        (100, 0.5, 2, 1, 25),
    ],
)
def test_one_newcomer_has_at_most_a_fifth_of_the_credits_of_all_newcomers(
    budget: int, share: float, person: int, own: int, together: int
) -> None:
    limits = Limits(
        budget,
        share,
        person_daily_allowance=person,
        newcomer_allowance=math.ceil(person * OF_NEWCOMER),
        newcomer_share=0.5,
    )
    assert allowances_for(limits, is_known=False) == Allowances(100, own, together)


@given(st.floats(0, 1e6), st.integers(0, 400), st.integers(0, 400))
def test_newcomers_have_a_tenth_at_most_where_others_want_looks(
    budget: float, known: int, fresh: int
) -> None:
    for_known, for_fresh = split_budget_with_newcomers(
        budget, known_profiles=known, newcomer_profiles=fresh
    )
    if known and fresh:
        assert for_known + for_fresh <= budget * (1 + 1e-9)
        assert for_fresh <= budget / 10
    else:
        assert for_known == for_fresh == budget


def test_sixty_new_accounts_with_267_profiles_make_nobodys_checks_rarer_than_by_a_tenth() -> None:
    honest = [(ProfileState(), 1.0 + n % 3, 2.0) for n in range(40)]

    def mean_pause(budget: float) -> float:
        schedule = Schedule(budget)
        schedule.recompute_demand(honest)
        pauses = [
            schedule.rule.hours_to_due(
                state, schedule.demand, schedule.current, weight, cost, schedule.floor
            )
            for state, weight, cost in honest
        ]
        return sum(pauses) / len(pauses)

    attacked, _ = split_budget_with_newcomers(
        5_000, known_profiles=len(honest), newcomer_profiles=267
    )
    assert mean_pause(attacked) <= 1.1 * mean_pause(5_000) * (1 + 1e-9)
