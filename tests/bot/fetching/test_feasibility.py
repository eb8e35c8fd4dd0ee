"""What a budget is enough for, and the one that would do for all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.fetching.feasibility import BudgetWatch, shortfall


@given(
    st.floats(0, 10**5),
    st.tuples(st.integers(0, 10**4), st.integers(0, 10**4)),
    st.floats(0.5, 4),
    st.floats(0, 0.95),
)
def test_the_budget_that_is_named_is_enough_and_ends_it(
    budget: float, counts: tuple[int, int], cost: float, share: float
) -> None:
    found = shortfall(budget, counts, cost, reply_share=share)
    if found is None:
        return
    assert found.enough < found.profiles == sum(counts)
    assert found.credits > budget
    assert shortfall(found.credits, counts, cost, reply_share=share, was_short=True) is None
    assert found.daily_budget is not None
    assert found.daily_budget * (1 - share) >= found.credits - 1 - 1e-6


@pytest.mark.parametrize("counts", [(100, 0), (0, 100)])
def test_fifty_credits_are_not_enough_for_a_hundred_profiles(counts: tuple[int, int]) -> None:
    found = shortfall(25, counts, 2, reply_share=0.5)
    assert found is not None
    assert (found.profiles, found.enough) == (100, 9)
    assert (found.credits, found.daily_budget) == (252, 504)
    nothing = shortfall(0, counts, 2, reply_share=1)
    assert nothing is not None
    assert nothing.daily_budget is None


async def test_it_is_said_when_it_has_changed_and_ends_with_something_to_spare() -> None:
    told: list[str | None] = []

    async def set_incident(sentence: str | None, /, **_: object) -> None:
        told.append(sentence and sentence[:26])

    watch = BudgetWatch(set_incident)
    for budget in (240, 25, 25, 240, 251, 252, 252, 240, 239):
        await watch.report_shortfall_or_its_end(budget, (100, 0), 2, reply_share=0)
    short = "The daily budget is too sm"
    assert told == [None, short, short, short, None, short]
