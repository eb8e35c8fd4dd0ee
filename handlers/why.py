"""/why and /preview: what becomes of a profile's stories here, and what the options let pass."""

from telegram import Update

from bot.chats.subscriptions import Why
from bot.context import Context, target_of
from bot.domain import links
from bot.domain.albums import plan
from bot.domain.errors import N_
from bot.presentation.notices import AWAY, MISSING
from handlers.guard import Handler, command
from handlers.replies import say
from handlers.show import show

USAGE = N_("Write it with a name, as in /why natgeo.")
STATES = {
    "active": N_("It is public, as it should be."),
    "private": N_("🔒 It is private now; alerts resume when it is public again."),
    "gone": N_("It can't be found now; alerts resume when it is back."),
}
NOTHING = N_(
    "Nothing that I have seen of <b>{username}</b> and is still alive passes the options."
)


@command("why")
async def why(update: Update, context: Context) -> None:
    """Tell the last look and the next, and what became of what was found."""
    username = _name(context)
    if username is None:
        await say(update, context, context.t(USAGE))
        return
    known = await context.services.subscriptions.why(target_of(update), username)
    await say(update, context, _text(known, context))


@command("preview")
async def preview(update: Update, context: Context) -> None:
    """Show what the options would send now, out of what was seen already; costs nothing."""
    username = _name(context)
    if username is None:
        await say(update, context, context.t(N_("Write it with a name, as in /preview natgeo.")))
        return
    found = await context.services.subscriptions.preview(username, chat_id=context.chat.id)
    if not found:
        await say(update, context, context.t(NOTHING, username=username))
        return
    await show(update, context, plan(found), kind="stories")


def _name(context: Context) -> str | None:
    link = links.parse_argument(context.args[0]) if context.args else None
    return link.username if link else None


def _text(known: Why, context: Context) -> str:
    t, now = context.t, context.now
    lines: list[str] = [t(N_("<b>{username}</b>"), username=known.subscription.username)]
    if known.subscription.paused:
        lines.append(t(N_("⏸ Paused: no alerts until you resume.")))
    lines.append(t(STATES[known.state]))
    if not known.chat_open:
        lines.append(t(AWAY))
    elif known.mute:
        lines.append(t(MISSING[known.mute.missing]))
    if known.looked_at:
        lines.append(t(N_("Last look: {ago}"), ago=t.ago(known.looked_at, now)))
    if known.out_of_budget and known.next_look_at and known.next_look_at <= now:
        lines.append(t(N_("Next look: when there are credits again")))
    elif known.next_look_at:
        lines.append(t(N_("Next look: {ago}"), ago=t.ago(max(known.next_look_at, now), now)))
    if known.expected_delay and not known.failures:
        lines.append(
            t(
                N_("A new story is noticed after about {delay}; a look costs {n} credits."),
                delay=known.expected_delay,
                n=known.cost,
            )
        )
    if known.hours:
        hours = ", ".join(_hour(hour, context) for hour in known.hours)
        lines.append(t(N_("It posts mostly around {hours}."), hours=hours))
    if known.failures:
        lines.append(
            t.n(
                N_("{n} look has failed since."),
                N_("{n} looks have failed since."),
                known.failures,
            )
        )
    lines.append("")
    lines.append(t(N_("In the last two days:")))
    counts = (
        (N_("found: {n}"), known.found),
        (N_("sent: {n}"), known.sent),
        (N_("left out by the options: {n}"), known.filtered),
        (N_("held until {until}: {n}"), known.held),
        (N_("waiting for Telegram: {n}"), known.waiting),
        (N_("waiting until I may send here: {n}"), known.muted),
        (N_("failed: {n}"), known.failed),
    )
    lines += [
        "• " + t(text, n=t.number(n), until=known.held_until or now)
        for i, (text, n) in enumerate(counts)
        if n or i == 0
    ]
    return "\n".join(lines)


def _hour(hour: int, context: Context) -> str:
    """Return an hour of UTC as the chat's clock shows it."""
    return context.t.time(context.now.replace(hour=hour, minute=0))


def handlers() -> list[Handler]:
    """Return this module's handlers, in order."""
    return [why.handler, preview.handler]
