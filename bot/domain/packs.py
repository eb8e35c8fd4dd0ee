"""The packs of credits that the vendor of the Stories API sells, and what a daily budget costs.

A month has 30 days here. Prices are US dollars.
"""

from dataclasses import dataclass

DEFAULT_BUDGET = 100
"""Credits a day that the bot may spend unless ``DAILY_BUDGET`` is set."""
CHECKS_A_DAY = 5
"""Checks of one profile a day from which the number of profiles of a budget follows."""
FEW_PROFILES = 3
"""A budget for fewer profiles is worth a warning."""
SHORT_DAYS = 14
"""A balance that lasts for fewer days is worth a warning."""
_MONTH = 30
_LEAST_BUDGET = 2  # credits; the price of a first check
_LEAST_PRICE, _MOST_PRICE = 0.0001, 0.1  # US dollars per credit; the packs cost 0.0006 to 0.02
# The maximum relative difference between a computed price and the price of the same pack.
_LIKE = 0.2


@dataclass(frozen=True, slots=True)
class Pack:
    """A package of credits that the Stories API sells."""

    name: str
    credits: int
    dollars: int

    @property
    def price(self) -> float:
        """Return the dollars that one credit costs."""
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
"""The packs by name."""


@dataclass(frozen=True, slots=True)
class BudgetPlan:
    """The cost and the capacity of a daily budget in credits.

    ``balance`` is None if the balance is unknown.
    """

    budget: int
    credit_price: float
    balance: int | None = None

    @property
    def dollars_a_month(self) -> float:
        """Return the cost in US dollars of a month that spends the whole budget every day."""
        return self.budget * self.credit_price * _MONTH

    @property
    def days_left(self) -> float | None:
        """Return the days that the balance lasts if each day spends the whole budget.

        Return None if the balance is unknown, or if the budget is 0.
        """
        if self.balance is None or self.budget <= 0:
            return None
        return max(0, self.balance) / self.budget

    @property
    def profiles(self) -> int:
        """Return how many profiles the budget can check ``CHECKS_A_DAY`` times a day.

        A check costs 1 credit here.
        """
        return self.budget // CHECKS_A_DAY

    @property
    def is_short(self) -> bool:
        """Return whether the balance is known and lasts for less than ``SHORT_DAYS``."""
        return self.days_left is not None and self.days_left < SHORT_DAYS

    @property
    def is_small(self) -> bool:
        """Return whether the budget suffices for fewer than ``FEW_PROFILES`` profiles."""
        return self.profiles < FEW_PROFILES


def price_of_balance(amount: float, credits: int) -> float | None:  # noqa: A002 - the field's term
    """Return the price of a credit in US dollars, or None for an implausible price.

    ``amount`` is the balance in US dollars, and ``credits`` is the same balance in credits.
    """
    if credits <= 0:
        return None
    price = amount / credits
    return round(price, 6) if _LEAST_PRICE <= price <= _MOST_PRICE else None


def corrected_credit_price(credit_price: float, amount: float, credits: int) -> float | None:  # noqa: A002 - the field's term
    """Return the price of a credit according to the balance, if ``credit_price`` is wrong.

    None means that the two prices are alike, or that the balance has no plausible price.
    """
    price = price_of_balance(amount, credits)
    if price is None or abs(price - credit_price) <= price * _LIKE:
        return None
    return price


def pack_of_price(price: float) -> Pack | None:
    """Return the pack whose credits cost about ``price`` US dollars each, or None."""
    sold = [pack for pack in PACKS.values() if pack.dollars]
    nearest = min(sold, key=lambda pack: abs(pack.price - price))
    return nearest if abs(nearest.price - price) <= nearest.price * _LIKE else None


def propose_budget(credits: int) -> int:  # noqa: A002 - the field's term
    """Return a budget with which so many credits last for a month.

    The result is at most the default budget, and at least the price of a first check.
    """
    return max(_LEAST_BUDGET, min(DEFAULT_BUDGET, credits // _MONTH))
