"""The README's tables of money follow from the packs and the rule of thumb."""

import re
from pathlib import Path

from bot.domain.packs import CHECKS_A_DAY, DEFAULT_BUDGET, PACKS, BudgetPlan

README = (Path(__file__).parents[2] / "README.md").read_text()
SOLD = [pack for pack in PACKS.values() if pack.dollars]
A_QUESTION = 2


def cells(first: str) -> list[str]:
    """Return the other cells of the row that begins so."""
    (row,) = re.findall(rf"^\| {re.escape(first)}.*$", README, re.MULTILINE)
    return [cell.strip() for cell in row.strip("|").split("|")][1:]


def number(text: str) -> float:
    return float(text.replace(",", "").replace("$", ""))


def test_each_pack_has_its_size_and_price() -> None:
    for pack, cell in zip(SOLD, cells("you buy at once"), strict=True):
        assert f"{pack.credits:,} credits, ${pack.dollars}" in cell
    for pack, cell in zip(SOLD, cells("a credit costs"), strict=True):
        assert round(number(cell), 5) == round(pack.credit_price, 5)


def test_a_month_costs_thirty_budgets() -> None:
    for budget in (33, DEFAULT_BUDGET, 300, 1000):
        row = cells(f"a month with `DAILY_BUDGET={budget}`")
        for pack, cell in zip(SOLD, row, strict=True):
            plan = BudgetPlan(budget, pack.credit_price)
            assert abs(number(cell) - plan.dollars_a_month) < 0.006


def test_the_budgets_of_the_examples_follow_from_profiles_and_questions() -> None:
    for who in ("a household", "a club of 100", "a bot with `ACCESS=open` and 5,000"):
        asked, credits_, dollars = cells(who)
        profiles, questions = (number(part.split()[0]) for part in asked.split(", "))
        assert number(credits_) == profiles * CHECKS_A_DAY + questions * A_QUESTION
        amount, name = re.fullmatch(r"\$(\d+) \((\w+)\)", dollars).groups()  # type: ignore[union-attr] # else the test fails
        plan = BudgetPlan(int(number(credits_)), PACKS[name.lower()].credit_price)
        assert round(plan.dollars_a_month) == int(amount)
