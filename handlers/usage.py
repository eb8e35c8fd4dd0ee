"""/usage: how many stories this chat got, and how much of today's limit is used."""

from datetime import UTC, datetime, time, timedelta

from bot.context import Context
from bot.domain.sentences import N_, NN_
from bot.presentation.charts import bars
from bot.presentation.html import Safe
from handlers.guard import command
from handlers.replies import say

NOTHING = "·"  # a day without stories; blanks would be lost
TITLE = N_("<b>This chat's usage</b>")
TODAY = NN_("{n} story today", "{n} stories today")
LIMIT = N_("{percent} of today's limit used; it resets at {clock}")
WEEK = N_("The last seven days: {bars}")


@command("usage", channel_after=0)
async def show_usage(context: Context) -> None:
    """Show what was used today, and what came in the last seven days."""
    used, t = await context.services.reports.usage(context.chat.id), context.t
    lines: list[str] = [t(TITLE), t(TODAY, n=used.stories[-1])]
    if used.part is not None:
        # The day of limits is that of UTC.
        midnight = datetime.combine(context.now.date() + timedelta(days=1), time(), UTC)
        lines.append(t(LIMIT, percent=used.part, clock=t.time(midnight)))
    if any(used.stories):
        row = Safe(f"<code>{bars(used.stories).replace(' ', NOTHING)}</code>")
        lines.append(t(WEEK, bars=row))
    await say(context, "\n".join(lines))
