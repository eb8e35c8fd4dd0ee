"""/usage: how many stories this chat got, and how much of today's limit is used.

Who runs the bot sees the credits besides.
"""

from datetime import UTC, datetime, time, timedelta

from bot.billing.reports import ChatUsage, UsageLine
from bot.context import Context
from bot.domain.model import MEGABYTE
from bot.domain.sentences import N_, NN_
from bot.presentation.charts import bars
from bot.presentation.html import Safe
from handlers.guard import command
from handlers.money import LEFT, cost_of
from handlers.replies import say

KINDS = {
    "link": N_("Links"),
    "stories": N_("/stories"),
    "highlight": N_("Highlights"),
    "subscribe": N_("New subscriptions"),
    "media": N_("Downloads"),
    "alert": N_("Alerts"),
}
NOTHING = "·"  # a day without stories; blanks would be lost
TITLE = N_("<b>This chat's usage</b>")
TODAY = NN_("{n} story today", "{n} stories today")
LIMIT = N_("{percent} of today's limit used; it resets at {clock}")
WEEK = N_("The last seven days: {bars}")
LINE = N_("{kind}: {cost}")
LINE_WITH_FILES = N_("{kind}: {cost}, files: {items} ({size} MB)")


@command("usage", channel_after=0)
async def usage(context: Context) -> None:
    """Show what was used today; to owners with the figures."""
    used = await context.services.reports.usage(context.chat.id)
    text = _text(used, context)
    if context.asker.is_owner:
        text += f"\n\n{_figures(used, context)}"
    await say(context, text)


def _text(used: ChatUsage, context: Context) -> str:
    t = context.t
    lines: list[str] = [t(TITLE), t(TODAY, n=used.stories[-1])]
    if used.part is not None:
        # The day of limits is that of UTC.
        midnight = datetime.combine(context.now.date() + timedelta(days=1), time(), UTC)
        lines.append(t(LIMIT, percent=used.part, clock=t.time(midnight)))
    if any(used.stories):
        row = Safe(f"<code>{bars(used.stories).replace(' ', NOTHING)}</code>")
        lines.append(t(WEEK, bars=row))
    return "\n".join(lines)


def _figures(used: ChatUsage, context: Context) -> str:
    t = context.t
    parts = [
        _block(t(N_("Today")), used.today, context),
        _block(t(N_("This month")), used.month, context),
        t(LEFT, left=used.left, n=used.allowance),
    ]
    return "\n\n".join(parts)


def _block(title: str, lines: dict[str, UsageLine], context: Context) -> str:
    t = context.t
    shown = [f"<b>{title}</b>"]
    for kind, text in KINDS.items():
        line = lines.get(kind)
        if line is None:
            continue
        shown.append(
            "• "
            + t(
                LINE_WITH_FILES if line.items else LINE,
                kind=t.plain(text),
                cost=cost_of(line.credits, context),
                items=line.items,
                size=round(line.bytes / MEGABYTE, 1),
            )
        )
    if len(shown) == 1:
        shown.append(t(N_("nothing")))
    return "\n".join(shown)
