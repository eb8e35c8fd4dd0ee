"""What a budget of credits costs and carries."""

import pytest

from bot.domain.packs import (
    PACKS,
    BudgetPlan,
    credit_price_of_balance,
    pack_of_credit_price,
    propose_daily_budget,
)


@pytest.mark.parametrize(
    ("pack", "budget", "dollars", "profiles"),
    [
        ("trial", 3, 0, 0),
        ("start", 33, 19.80, 6),
        ("standard", 100, 3.00, 20),
        ("business", 100, 2.07, 20),
        ("ultra", 100, 1.80, 20),
    ],
)
def test_a_proposed_budget_makes_its_pack_last_for_a_month(
    pack: str, budget: int, dollars: float, profiles: int
) -> None:
    sold = PACKS[pack]
    assert propose_daily_budget(sold.credits) == budget
    plan = BudgetPlan(budget, sold.credit_price, sold.credits)
    assert plan.days_left is not None
    assert plan.days_left >= 30
    assert not plan.lasts_less_than_two_weeks
    assert plan.dollars_a_month == pytest.approx(dollars, abs=0.01)
    assert plan.checkable_profiles == profiles
    assert plan.is_budget_for_few_profiles == (pack == "trial")


def test_a_thousand_credits_a_day_empty_the_smallest_pack_in_a_day() -> None:
    plan = BudgetPlan(1000, PACKS["start"].credit_price, 1000)
    assert plan.days_left == 1
    assert plan.lasts_less_than_two_weeks


@pytest.mark.parametrize(
    ("amount", "left", "price", "pack"),
    [
        (20.0, 1_000, 0.02, "start"),
        (99.5, 99_500, 0.001, "standard"),
        (5.0, 1_000, 0.005, None),
        (0.0, 1_000, None, None),
        (100.0, 0, None, None),
        (100.0, 100, None, None),
        (-5.0, 1_000, None, None),
    ],
)
def test_a_price_is_read_from_a_plausible_balance(
    amount: float, left: int, price: float | None, pack: str | None
) -> None:
    assert credit_price_of_balance(amount, left) == price
    found = pack_of_credit_price(price) if price is not None else None
    assert (found.name if found else None) == pack
