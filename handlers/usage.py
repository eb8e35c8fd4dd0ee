"""/usage: the stories sent to the chat, the used part of today's limit, and the month's cost."""

from datetime import UTC, datetime, time, timedelta

from bot.billing.people import Guest
from bot.context import Context
from bot.domain.errors import NoPayerError
from bot.domain.sentences import N_, NN_
from bot.presentation.actions import Buttons
from bot.presentation.charts import bar_chart
from bot.presentation.html import Safe, truncate_plain
from handlers.guard import command
from handlers.money import cost_text
from handlers.payers import LEFT, become_payer_buttons, paid_chats_page
from handlers.people import KINDS, LONGEST_NAME
from handlers.replies import say

NOTHING = "·"  # the sign of an empty day in a chart, instead of an invisible space
TITLE = N_("<b>This chat's usage</b>")
TODAY = NN_("{n} story today", "{n} stories today")
LIMIT = N_("{percent} of today's limit used; it resets at {clock}")
NEWCOMER = N_(
    "You're new here: until you've used the bot on three different days, you have "
    "{percent} of the usual limit, and a subscription limit of {most}."
)
WEEK = N_("The last seven days: {bars}")
MONTH = N_("This month: {cost}, paid by the bot's owner")
OTHERS = N_("Others")


@command("usage", channel_after=0)
async def show_usage(context: Context) -> None:
    """Show today's usage, the stories sent in the last seven days, and the cost of this month."""
    t = context.t
    used = await context.services.reports.read_usage_of_chat(context.chat.id)
    lines: list[str] = [t(TITLE), t(TODAY, n=used.stories[-1])]
    if used.part is not None:
        # The limits of a day are reset at midnight UTC.
        midnight = datetime.combine(context.now.date() + timedelta(days=1), time(), UTC)
        lines.append(t(LIMIT, percent=used.part, clock=t.time(midnight)))
    if used.newcomer_part is not None and not context.is_owner:
        most = context.services.payers.limits.most_subscriptions_of_payer(is_known=False)
        lines.append(t(NEWCOMER, percent=used.newcomer_part, most=most))
    if any(used.stories):
        row = Safe(f"<code>{bar_chart(used.stories).replace(' ', NOTHING)}</code>")
        lines.append(t(WEEK, bars=row))
    lines += _month_lines(used.month, context)
    buttons: Buttons = []
    if not await context.services.payers.has_payer(context.chat.id):
        followed = await context.read_subscriptions()
        lines += ["", t(LEFT if followed else NoPayerError.text)]
        buttons = become_payer_buttons(context.chat.id, context.chat.kind, context)
    if context.is_private and context.about is None:
        text, buttons = await paid_chats_page(context)
        lines += ["", text] if buttons else []
    await say(context, "\n".join(lines), buttons)


def _month_lines(month: Guest, context: Context) -> list[str]:
    """Return the lines about the cost of the chat in this month.

    Without costs, return no lines. If the setting for the cost by member is on, the lines also
    state the cost by member.
    """
    t = context.t
    if not month.millicredits_in_chat:
        return []
    lines: list[str] = [t(MONTH, cost=cost_text(month.millicredits_in_chat / 1000, context))]
    if not context.chat.shows_parts:
        return lines
    parts = list(month.by_member)
    alerts = month.millicredits_by_kind.get("alert", 0)
    rest = month.millicredits_in_chat - alerts - sum(spent for _, spent in parts)
    parts += [(t.plain(KINDS["alert"]), alerts), (t.plain(OTHERS), rest)]
    for name, spent in parts:
        if spent:
            cost = cost_text(spent / 1000, context)
            lines.append("• " + t.labelled(truncate_plain(name, LONGEST_NAME), cost))
    return lines
