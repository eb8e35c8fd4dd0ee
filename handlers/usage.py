"""/usage: what this chat has used today and this month, and what is left."""

from telegram import Update

from bot.billing.reports import ChatUsage, UsageLine, usage_of
from bot.context import Context
from bot.domain.errors import N_
from handlers.guard import Handler, command
from handlers.replies import say_with_chart

KINDS = {
    "link": N_("Links"),
    "stories": N_("/stories"),
    "subscribe": N_("New subscriptions"),
    "media": N_("Downloads"),
    "alert": N_("Alerts"),
}
MEGABYTE = 1_000_000
TITLE = N_("<b>What this chat has used</b>")
LEFT = N_("Left for today: {left} of {allowance}")
LINE = N_("{kind}: used {credits}, files {items} ({size} MB)")


@command("usage")
async def usage(update: Update, context: Context) -> None:
    """Show the figures, with a chart where one can be drawn."""
    services = context.services
    used = await usage_of(services.db, context.chat.id, services.ledger.limits, now=context.now)
    text = _text(used, context)
    await say_with_chart(update, context, text, used.days)


def _text(used: ChatUsage, context: Context) -> str:
    t = context.t
    parts = [
        t(TITLE),
        _block(t(N_("Today")), used.today, context),
        _block(t(N_("This month")), used.month, context),
        t(LEFT, left=t.number(used.left), allowance=t.number(used.allowance)),
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
                LINE,
                kind=t.plain(text),
                credits=t.number(round(line.credits, 1)),
                items=t.number(line.items),
                size=t.number(round(line.bytes / MEGABYTE, 1)),
            )
        )
    if len(shown) == 1:
        shown.append(t(N_("nothing")))
    return "\n".join(shown)


def handlers() -> list[Handler]:
    """Return this module's handlers, in order."""
    return [usage.handler]
