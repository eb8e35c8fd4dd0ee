"""The owner's commands: spending, the stop switch and the link to the admin page."""

from bot.billing.reports import Spending
from bot.context import Context
from bot.domain.errors import CHAT_UNKNOWN, RightsError
from bot.domain.sentences import N_, NN_
from bot.operations.admin_sessions import KEY_VALID_FOR
from bot.presentation.charts import bar_chart
from bot.presentation.html import Safe, code, paragraphs
from handlers.guard import command
from handlers.money import (
    LEFT,
    STOPPED,
    balance_text,
    cost_text,
    resume_spending_row,
    unconfirmed_line,
)
from handlers.replies import say, say_message
from handlers.usage import NOTHING

SPENDING = N_(
    "<b>Spending</b>\n"
    "Today: {today}\n"
    "{left}\n"
    "7 days: {week}\n"
    "30 days: {month}\n"
    "Forecast for this month: {forecast}\n"
)
BY_KIND = N_("By kind of call")
DRIFT = NN_("Billed more than I counted: {n} credit", "Billed more than I counted: {n} credits")
RESUMED = N_("Spending has resumed.")
ADMIN_PAGE = N_("Spending, people, problems and the next checks, on one page.")
ADMIN_ONCE = N_("Open the page with this link. It works once, within {time}:")
ADMIN_HERE = N_(
    "The link only works on the bot's own computer. To open the page from "
    "anywhere, set PUBLIC_URL."
)


@command("spending", only_in_private=True)
async def show_spending(context: Context) -> None:
    """Show the spent credits with their price, and the forecast of the spending.

    The credits are shown for today (UTC), for the last 7 days and for the last 30 days.
    """
    spent = await context.services.reports.read_spending()
    text = _spending_text(spent, context)
    if await context.services.ledger.is_spending_stopped():
        await say(context, paragraphs(context.t(STOPPED), text), resume_spending_row(context))
    else:
        await say(context, text)


@command("stop_spending")
async def stop_spending(context: Context) -> None:
    """Refuse all paid calls from now on."""
    await context.services.ledger.set_spending_stopped(stopped=True)
    await say_message(context, STOPPED, resume_spending_row(context))


@command("resume_spending")
async def resume_spending(context: Context) -> None:
    """Allow paid calls again."""
    await context.services.ledger.set_spending_stopped(stopped=False)
    await say_message(context, RESUMED)


@command("admin", only_in_private=True)
async def issue_and_send_admin_link(context: Context) -> None:
    """Send a link that opens the admin page once, within ten minutes.

    Earlier links stop working, and an open session of the admin page ends.

    Raises:
        RightsError: The update names no person.
    """
    services = context.services
    t = context.t
    owner = context.user_id
    if owner is None:
        raise RightsError(text=CHAT_UNKNOWN)
    link = await services.overview.issue_admin_link_and_end_session(owner)
    lines = [t(ADMIN_PAGE), t(ADMIN_ONCE, time=KEY_VALID_FOR), link]
    lines += [] if services.has_public_page else [t(ADMIN_HERE)]
    await say(context, Safe("\n".join(lines)))


def _spending_text(spent: Spending, context: Context) -> str:
    t = context.t
    text: str = t(
        SPENDING,
        today=cost_text(spent.confirmed_credits_today, context),
        left=t(LEFT, left=spent.left_today, n=spent.budget),
        week=cost_text(spent.week, context),
        month=cost_text(spent.month, context),
        forecast=cost_text(spent.forecast, context),
    )
    text += unconfirmed_line(spent, context)
    text += f"{_bar_chart_of_days(spent)}\n" + balance_text(spent, context)
    if spent.drift:
        text += "\n" + t(DRIFT, n=spent.drift)
    top = sorted(spent.by_operation.items(), key=lambda line: -line[1])
    if top:
        text += f"\n\n<b>{t(BY_KIND)}</b>"
    for name, n in top:
        text += f"\n{t.isolate(code(name))} {cost_text(n, context)}"
    return text


def _bar_chart_of_days(spent: Spending) -> Safe:
    """Return a chart of the credits of the last 30 days, with a character for each day."""
    row = bar_chart([credits for _, credits in spent.days])  # noqa: A001 - the project's word
    return Safe(f"<code>{row.replace(' ', NOTHING)}</code>")
