"""What an asker may spend: the laws of the burst, of groups and of newcomers."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.budget import BURST_WINDOW, Limits, allowances_for, burst_free_at, poll_shares
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
    person_burst=st.integers(1, 40),
    newcomer_allowance=st.none() | CREDITS,
    newcomer_share=st.floats(0, 1),
)


@given(LIMITS, st.booleans(), st.booleans())
def test_nobody_gets_more_by_being_new_or_in_a_group(
    limits: Limits, in_group: bool, is_known: bool
) -> None:
    found = allowances_for(limits, in_group=in_group, is_known=is_known)
    most = allowances_for(limits, in_group=False, is_known=True)
    assert found.chat == most.chat
    assert found.own <= most.own
    assert found.here <= most.here
    if in_group:
        assert 2 * found.here <= found.chat
    if is_known or limits.newcomer_allowance is None:
        assert found.newcomers is None
    else:
        assert found.own <= limits.newcomer_allowance
        assert found.newcomers is not None
        assert found.newcomers <= limits.daily_budget * limits.reply_share + 0.5


TIMES = st.lists(st.tuples(st.integers(0, 180), st.integers(1, 9)), max_size=12)


@given(LIMITS, TIMES, st.integers(1, 9))
def test_the_burst_says_when_and_then_it_fits(
    limits: Limits, ages: list[tuple[int, int]], nominal: int
) -> None:
    recent = sorted((NOW - timedelta(seconds=age), spent) for age, spent in ages)
    until = burst_free_at(limits, recent, nominal, NOW)
    in_window = sum(spent for at, spent in recent if at > NOW - BURST_WINDOW)
    assert (until is None) == (in_window + nominal <= limits.person_burst)
    if until is not None:
        assert NOW < until <= NOW + BURST_WINDOW
        if nominal <= limits.person_burst:
            assert burst_free_at(limits, recent, nominal, until) is None


@given(st.floats(0, 1e6), st.integers(0, 400), st.integers(0, 400))
def test_newcomers_have_a_tenth_at_most_where_others_want_looks(
    budget: float, known: int, fresh: int
) -> None:
    for_known, for_fresh = poll_shares(budget, known=known, fresh=fresh)
    if known and fresh:
        assert for_known + for_fresh <= budget * (1 + 1e-9)
        assert for_fresh <= budget / 10
    else:
        assert for_known == for_fresh == budget


def test_sixty_new_accounts_with_267_profiles_make_nobodys_checks_rarer_than_by_a_tenth() -> None:
    honest = [(ProfileState(), 1.0 + n % 3, 2.0) for n in range(40)]

    def mean_pause(budget: float) -> float:
        schedule = Schedule(budget)
        schedule.survey(honest)
        pauses = [
            schedule.rule.hours(
                state, schedule.demand, schedule.current, weight, cost, schedule.floor
            )
            for state, weight, cost in honest
        ]
        return sum(pauses) / len(pauses)

    attacked, _ = poll_shares(5_000, known=len(honest), fresh=267)
    assert mean_pause(attacked) <= 1.1 * mean_pause(5_000) * (1 + 1e-9)
