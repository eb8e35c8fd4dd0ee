"""How money is said: credits and their worth, the balance, and that spending is stopped."""

from bot.billing.reports import Spending
from bot.context import Context
from bot.domain.errors import N_

COST = N_("{credits} credits ({amount})")
BALANCE = N_("Balance: {balance} credits")
DAYS_LEFT = N_("Balance: {balance} credits, about {days} days")
STOPPED = N_("Spending is stopped. I won't get any stories until you send /resume_spending.")


def cost_of(credits: float, context: Context) -> str:  # noqa: A002 - the project's word
    """Return credits to the tenth, with what they are worth."""
    t, services = context.t, context.services
    amount = t.money(credits * services.credit_price, services.currency)
    return t.plain(COST, credits=t.number(round(credits, 1)), amount=amount)


def balance_of(spent: Spending, context: Context) -> str:
    """Return how many credits are left and for how long; empty while that is not known."""
    if spent.balance is None:
        return ""
    t, balance = context.t, context.t.number(spent.balance)
    if spent.days_left is None:
        return t(BALANCE, balance=balance)
    return t(DAYS_LEFT, balance=balance, days=t.number(round(spent.days_left)))
