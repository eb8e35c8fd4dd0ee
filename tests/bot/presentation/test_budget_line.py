"""The line about the balance names a time in which the balance is spent."""

import pytest

from bot.presentation.budget_line import balance_text
from bot.presentation.translation import translator_for


@pytest.mark.parametrize(
    ("balance", "days", "text"),
    [
        (40, 0.4, "Balance: 40 credits, enough for about 10 hr"),
        (1, 0.01, "Balance: 1 credit, enough for about 1 hr"),
        (900, 9.0, "Balance: 900 credits, enough for about 9 days"),
        (0, 0.0, "Balance: 0 credits"),
        (-5, 0.0, "Balance: -5 credits"),
        (10**6, 1000.0, "Balance: 1,000,000 credits"),
        (5, None, "Balance: 5 credits"),
    ],
)
def test_the_balance_lasts_for_a_time(balance: int, days: float | None, text: str) -> None:
    assert balance_text(translator_for("en"), balance, days) == text
