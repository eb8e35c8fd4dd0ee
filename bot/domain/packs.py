"""The packs of credits that the vendor of the Stories API sells, and the cost of a daily budget.

In all computations of this module, a month has 30 days. Prices are in US dollars.
"""

from dataclasses import dataclass

from bot.domain.model import Unknown

DEFAULT_BUDGET = 100
"""The daily budget in credits if the setting ``DAILY_BUDGET`` is missing."""
CHECKS_A_DAY = 5
"""The number of checks per profile and day with which the capacity of a budget is computed."""
FEW_PROFILES = 3
"""The number of profiles below which a budget is small, so that the owner gets a warning."""
SHORT_DAYS = 14
"""The number of days below which the time of a balance is short, so that the owner is warned."""
_MONTH = 30
_LEAST_BUDGET = 2  # the price of the first check of a profile in credits
# The range of plausible prices, in US dollars per credit. The packs that are not free cost 0.0006
# to 0.02.
_LEAST_PRICE, _MOST_PRICE = 0.0001, 0.1
# The maximum difference, relative to the price, between two prices that count as equal.
_LIKE = 0.2


@dataclass(frozen=True, slots=True)
class Pack:
    """A package of credits that the Stories API sells. ``dollars`` is the price of the package."""

    name: str
    credits: int
    dollars: int

    @property
    def credit_price(self) -> float:
        """Return the price of one credit in US dollars."""
        return self.dollars / self.credits


PACKS = {
    pack.name: pack
    for pack in (
        Pack("trial", 100, 0),
        Pack("start", 1_000, 20),
        Pack("standard", 100_000, 100),
        Pack("business", 434_000, 300),
        Pack("ultra", 1_000_000, 600),
    )
}
"""The packs by name. The prices are from the vendor's pages of November 2026."""


@dataclass(frozen=True, slots=True)
class BudgetPlan:
    """The cost and the capacity of a daily budget.

    ``budget`` and ``balance`` are in credits. ``credit_price`` is the price of a credit in US
    dollars. ``balance`` is None if the balance is unknown.
    """

    budget: int
    credit_price: float
    balance: int | None = None

    @property
    def dollars_a_month(self) -> float:
        """Return the cost of a month in US dollars if every day spends the whole budget."""
        return self.budget * self.credit_price * _MONTH

    @property
    def days_left(self) -> float | Unknown:
        """Return the number of days that the balance lasts if each day spends the whole budget.

        Return None if the balance is unknown, or if the budget is 0.
        """
        if self.balance is None or self.budget <= 0:
            return None
        return max(0, self.balance) / self.budget

    @property
    def checkable_profiles(self) -> int:
        """Return the number of profiles that the budget can check ``CHECKS_A_DAY`` times a day.

        The result assumes that a check costs 1 credit.
        """
        return self.budget // CHECKS_A_DAY

    @property
    def lasts_less_than_two_weeks(self) -> bool:
        """Return whether the balance is known and lasts for fewer than ``SHORT_DAYS`` days."""
        return self.days_left is not None and self.days_left < SHORT_DAYS

    @property
    def is_budget_for_few_profiles(self) -> bool:
        """Return whether the budget pays the checks of fewer than ``FEW_PROFILES`` profiles."""
        return self.checkable_profiles < FEW_PROFILES


def credit_price_of_balance(amount: float, credits: int) -> float | None:  # noqa: A002 - the field's term
    """Return the price of a credit in US dollars, computed from the balance.

    ``amount`` is the balance in US dollars, and ``credits`` is the balance in credits. Return None
    without a plausible price.
    """
    if credits <= 0:
        return None
    price = amount / credits
    return round(price, 6) if _LEAST_PRICE <= price <= _MOST_PRICE else None


def corrected_credit_price_if_wrong(
    credit_price: float,
    amount: float,
    credits: int,  # noqa: A002 - the field's term
) -> float | None:
    """Return the price of a credit that follows from the balance, if ``credit_price`` is wrong.

    Prices are in US dollars. ``amount`` and ``credits`` are the balance in US dollars and in
    credits. Return None without a plausible price, or if the prices differ by at most 20 %.
    """
    price = credit_price_of_balance(amount, credits)
    if price is None or abs(price - credit_price) <= price * _LIKE:
        return None
    return price


def pack_of_credit_price(price: float) -> Pack | None:
    """Return the pack whose price of a credit is nearest to ``price``, in US dollars.

    The free pack is ignored. Return None if ``price`` differs from the nearest price by more than
    20 % of the nearest price.
    """
    sold = [pack for pack in PACKS.values() if pack.dollars]
    nearest = min(sold, key=lambda pack: abs(pack.credit_price - price))
    return nearest if abs(nearest.credit_price - price) <= nearest.credit_price * _LIKE else None


def propose_daily_budget(credits: int) -> int:  # noqa: A002 - the field's term
    """Return a daily budget in credits with which a balance of ``credits`` lasts for 30 days.

    The result is at most the default budget, and at least the price of the first check of a
    profile.
    """
    return max(_LEAST_BUDGET, min(DEFAULT_BUDGET, credits // _MONTH))
