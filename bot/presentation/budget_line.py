"""The text about a daily budget: the cost, and the number of profiles that can be checked."""

from datetime import timedelta

from bot.domain.model import Unknown
from bot.domain.packs import CHECKS_A_DAY, BudgetPlan, corrected_credit_price_if_wrong
from bot.domain.paid_calls import Balance
from bot.domain.sentences import N_, NN_
from bot.presentation.translation import Translator

BALANCE = NN_("Balance: {n} credit", "Balance: {n} credits")
DAYS_LEFT = NN_(
    "Balance: {n} credit, enough for about {time}", "Balance: {n} credits, enough for about {time}"
)
_BUDGET = NN_(
    "Daily budget: {n} credit, up to {amount} a month",
    "Daily budget: {n} credits, up to {amount} a month",
)
_PROFILES = NN_(
    "Enough to check about {n} profile {times} times a day",
    "Enough to check about {n} profiles {times} times a day",
)
_SHORT = N_(
    "The balance lasts for less than two weeks. Set a lower DAILY_BUDGET, or buy more credits."
)
# If the balance lasts longer than this number of days, the text omits the time.
_A_YEAR = 365


def wrong_price_note(credit_price: float, balance: Balance) -> str:
    """Return the English note that ``CREDIT_PRICE`` is wrong.

    ``credit_price`` is the value of this setting, in US dollars. Return an empty string if the
    balance does not show that ``CREDIT_PRICE`` is wrong.
    """
    price = corrected_credit_price_if_wrong(credit_price, balance.amount, balance.credits)
    if price is None:
        return ""
    return (
        f"CREDIT_PRICE is {credit_price:g}, but the balance says that a credit costs ${price:g}. "
        f"Set CREDIT_PRICE={price:g}: all prices in dollars depend on it."
    )


def balance_text(t: Translator, balance: int, days_left: float | Unknown) -> str:
    """Return the text about the remaining credits and the time for which the credits will last.

    ``balance`` is in credits, and ``days_left`` is in days, or None if unknown. A time of over 365
    days is omitted.
    """
    if balance <= 0 or days_left is None or days_left > _A_YEAR:
        return t.plain(BALANCE, n=balance)
    time = timedelta(days=round(days_left))
    if days_left < 1:
        time = timedelta(hours=max(1, round(days_left * 24)))
    return t.plain(DAYS_LEFT, n=balance, time=time)


def budget_lines(t: Translator, plan: BudgetPlan) -> list[str]:
    """Return the lines of the text about a daily budget.

    If the balance lasts for less than two weeks, the last line is a warning.
    """
    lines = [t.plain(_BUDGET, n=plan.budget, amount=t.money(plan.dollars_a_month))]
    if plan.balance is not None:
        lines.append(balance_text(t, plan.balance, plan.days_left))
    lines.append(t.plain(_PROFILES, n=plan.checkable_profiles, times=CHECKS_A_DAY))
    if plan.lasts_less_than_two_weeks:
        lines.append(t.plain(_SHORT))
    return lines
