"""/usage: the number of stories sent to this chat, and the used part of today's limit."""

from datetime import UTC, datetime, time, timedelta

from bot.context import Context
from bot.domain.budget import OF_NEWCOMER
from bot.domain.sentences import N_, NN_
from bot.presentation.actions import Buttons
from bot.presentation.charts import bars
from bot.presentation.html import Safe
from handlers.guard import command
from handlers.payers import paid_page
from handlers.replies import say

NOTHING = "·"  # the sign of an empty day in a chart, instead of an invisible space
TITLE = N_("<b>This chat's usage</b>")
TODAY = NN_("{n} story today", "{n} stories today")
LIMIT = N_("{percent} of today's limit used; it resets at {clock}")
NEWCOMER = N_(
    "You're new here: until you've used the bot on three different days, you "
    "have {percent} of the usual limit, and a limit of subscriptions "
    "({most})."
)
WEEK = N_("The last seven days: {bars}")


@command("usage", channel_after=0)
async def show_usage(context: Context) -> None:
    """Show today's usage, and the stories sent in the last seven days."""
    used, t = await context.services.reports.usage(context.chat.id), context.t
    lines: list[str] = [t(TITLE), t(TODAY, n=used.stories[-1])]
    if used.part is not None:
        # Limits reset at midnight UTC.
        midnight = datetime.combine(context.now.date() + timedelta(days=1), time(), UTC)
        lines.append(t(LIMIT, percent=used.part, clock=t.time(midnight)))
    if used.is_newcomer and not context.is_owner:
        most = context.services.payers.limits.most_of_payer(is_known=False)
        lines.append(t(NEWCOMER, percent=OF_NEWCOMER, most=most))
    if any(used.stories):
        row = Safe(f"<code>{bars(used.stories).replace(' ', NOTHING)}</code>")
        lines.append(t(WEEK, bars=row))
    buttons: Buttons = []
    if context.is_private and context.about is None:
        text, buttons = await paid_page(context)
        lines += ["", text] if buttons else []
    await say(context, "\n".join(lines), buttons)
