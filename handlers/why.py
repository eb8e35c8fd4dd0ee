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

USAGE = N_("Add a name, for example: /why natgeo")
STATES = {
    "active": N_("This profile is public."),
    "private": N_("🔒 This profile is private now. Alerts will start again when it's public."),
    "gone": N_("I can't find this profile right now. Alerts will start again when it's back."),
}
NOTHING = N_("None of the current stories from <b>{username}</b> match this chat's options.")


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
        await say(update, context, context.t(N_("Add a name, for example: /preview natgeo")))
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
        lines.append(t(N_("Last check: {ago}"), ago=t.ago(known.looked_at, now)))
    if known.out_of_budget and known.next_look_at and known.next_look_at <= now:
        lines.append(t(N_("Next check: delayed, today's limit is used up")))
    elif known.next_look_at:
        lines.append(t(N_("Next check: {ago}"), ago=t.ago(max(known.next_look_at, now), now)))
    if known.expected_delay and not known.failures:
        lines.append(
            t(
                N_("On average, new stories get here about {delay} after they are posted."),
                delay=known.expected_delay,
            )
        )
    if known.hours:
        hours = ", ".join(_hour(hour, context) for hour in known.hours)
        lines.append(t(N_("It usually posts around {hours}."), hours=hours))
    if known.failures:
        lines.append(
            t.n(
                N_("{n} check has failed since then."),
                N_("{n} checks have failed since then."),
                known.failures,
            )
        )
    lines.append("")
    lines.append(t(N_("In the last two days:")))
    counts = (
        (N_("found: {n}"), known.found),
        (N_("sent: {n}"), known.sent),
        (N_("skipped because of the options: {n}"), known.filtered),
        (N_("waiting until {until}: {n}"), known.held),
        (N_("on their way: {n}"), known.waiting),
        (N_("waiting for permission to send here: {n}"), known.muted),
        (N_("could not be sent: {n}"), known.failed),
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
