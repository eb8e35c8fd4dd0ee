"""How money is said: credits and their worth, the balance, and that spending is stopped."""

from bot.billing.reports import Spending
from bot.context import Context
from bot.domain.errors import N_
from bot.presentation.html import Safe

COST = (N_("{n} credit ({amount})"), N_("{n} credits ({amount})"))
BALANCE = N_("Balance: {balance} credits")
DAYS_LEFT = N_("Balance: {balance} credits, about {days} days")
SEVERAL = 2  # what is more than whole is told in the plural
STOPPED = N_("Spending is stopped. I won't get any stories until you send /resume_spending.")


def cost_of(credits: float, context: Context) -> Safe:  # noqa: A002 - the project's word
    """Return credits to the tenth, with what they are worth."""
    t, services = context.t, context.services
    amount = t.money(credits * services.credit_price)
    shown = round(float(credits), 1)
    whole = int(shown) if shown.is_integer() else int(shown) + SEVERAL
    return t.n(*COST, whole, n=Safe(t.number(shown)), amount=amount)


def balance_of(spent: Spending, context: Context) -> str:
    """Return how many credits are left and for how long; empty while that is not known."""
    if spent.balance is None:
        return ""
    t, balance = context.t, context.t.number(spent.balance)
    if spent.days_left is None:
        return t(BALANCE, balance=balance)
    return t(DAYS_LEFT, balance=balance, days=t.number(round(spent.days_left)))
