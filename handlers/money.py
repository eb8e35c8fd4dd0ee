"""Texts about money: credits and their price, the balance, and stopped spending."""

from bot.billing.reports import Spending
from bot.context import Context
from bot.domain.sentences import N_, NN_
from bot.presentation import budget_line
from bot.presentation.actions import RUN, Buttons
from bot.presentation.html import Safe

COST = NN_("{n} credit ({amount})", "{n} credits ({amount})")
# The text for a fraction, such as 1.5 credits. The singular form of the message also has the word
# "credits", because in English a fraction takes the plural.
PART = NN_("{n} credits ({amount})", "{n} credits ({amount})")
LESS_THAN = N_("less than {amount}")
_CENT = 0.01
LEFT = NN_("Left today: {left} of {n} credit", "Left today: {left} of {n} credits")
UNCONFIRMED = N_("Billing not yet known: {credits}")
STOPPED = N_(
    "Spending is stopped. Nobody gets stories or new alerts until you tap "
    "<b>[[Resume spending]]</b>."
)


def resume_spending_row(context: Context) -> Buttons:
    """Return a row with the button that resumes spending, for a message with ``STOPPED``."""
    return [[context.button(N_("Resume spending"), RUN("resume_spending"))]]


def cost_text(credits: float, context: Context) -> Safe:  # noqa: A002 - the project's word
    """Return a number of credits, rounded to a tenth, and the price in US dollars as text.

    A price above 0 and below a cent is shown as "less than $0.01".
    """
    price = credits * context.services.credit_price
    amount = context.t.money(price)
    if 0 < price < _CENT:
        amount = context.t(LESS_THAN, amount=context.t.money(_CENT))
    n = round(credits, 1)
    return context.t(COST if n == int(n) else PART, n=n, amount=amount)


def unconfirmed_line(spent: Spending, context: Context) -> str:
    """Return the line with the credits of today's calls whose bill is not yet known.

    The line ends with a line feed. Without such calls, return an empty string.
    """
    return f"{context.t(UNCONFIRMED, credits=spent.unconfirmed)}\n" if spent.unconfirmed else ""


def balance_text(spent: Spending, context: Context) -> str:
    """Return a text with the remaining credits and days.

    If the balance is unknown, the text is empty. The text can omit the days, for example if the
    credits last for more than a year.
    """
    if spent.balance is None:
        return ""
    return budget_line.balance_text(context.t, spent.balance, spent.days_left)
