"""/why: when a profile is checked, and which of its stories were sent here or why not."""

from datetime import timedelta

from bot.chats.explain import LOOKBACK, Why, mean_delay_of
from bot.context import Context
from bot.domain import links
from bot.domain.errors import NotFollowedError
from bot.domain.records import Known
from bot.domain.sentences import N_, NN_
from bot.presentation.notices import AWAY, MISSING
from handlers.guard import command
from handlers.options import MEDIA, paused_line
from handlers.replies import say
from handlers.show import offer_instead
from handlers.subscriptions import ask_which_profile

USAGE = N_("Add a name, for example: /why natgeo")
WHY = N_("Which profile do you want to know about?")
DELAY = N_("On average, new stories arrive here about {delay} after they're posted.")
LEAST = timedelta(minutes=1)  # to send takes a while, too
MOST_REASONS = 5  # named in one line
STATES = {
    "active": N_("This profile is public."),
    "private": N_("🔒 This profile is private now. Alerts will start again when it's public."),
    "gone": N_("I can't find this profile right now. Alerts will start again when it's back."),
}
PASSING = N_("Current stories that this chat's options let through: {n} of {total}")


OUTCOMES = {
    "total": N_("found: {n}"),
    "sent": N_("sent: {n}"),
    "filtered": N_("skipped because of “{options}”: {n}"),
    "quiet": N_("waiting for the end of quiet hours, until {until}: {n}"),
    "digest": N_("waiting for the daily summary at {until}: {n}"),
    "waiting": N_("being sent: {n}"),
    "muted": N_("waiting for permission to send here: {n}"),
    "failed": N_("could not be sent: {n}"),
}


@command("why", channel_after=1, usage=USAGE)
async def explain_alerts(context: Context) -> None:
    """Tell the last check and the next, and what became of what was found."""
    if not context.words:
        await ask_which_profile(context, WHY, "why", USAGE)
        return
    link = links.parse_argument(context.words[0])
    if link is None or link.username is None:
        await say(context, context.t(USAGE))
        return
    try:
        known = await context.services.subscriptions.why(context.acted_on, link.username)
    except NotFollowedError as error:
        await offer_instead(context, error)
    else:
        await say(context, _why_text(known, context))


def _why_text(known: Why, context: Context) -> str:
    lines = [
        context.t(N_("<b>{username}</b>"), username=known.subscription.username),
        *_state_lines(known, context),
        *(_check_lines(known, known.profile, context) if known.profile else ()),
        "",
        *_outcome_lines(known, context),
    ]
    if known.live:
        lines += ["", context.t(PASSING, n=known.passing, total=known.live)]
    return "\n".join(lines)


def _state_lines(known: Why, context: Context) -> list[str]:
    """Return what keeps alerts from coming, whatever is posted; and whether it is public."""
    t = context.t
    lines: list[str] = []
    if known.subscription.paused:
        lines.append(paused_line(known.subscription, context))
    lines.append(t(STATES[known.profile.state if known.profile else "active"]))
    if not known.chat_open:
        lines.append(t(AWAY))
    elif known.mute:
        lines.append(t(MISSING[known.mute.missing]))
    return lines


def _check_lines(known: Why, profile: Known, context: Context) -> list[str]:
    """Return when it was checked and will be, and how soon stories come."""
    t, now = context.t, context.now
    lines: list[str] = []
    if profile.snapshot_at:
        lines.append(t(N_("Last check: {ago}"), ago=t.relative_time(profile.snapshot_at)))
    if profile.next_check_at:
        if profile.next_check_at > now:
            lines.append(t(N_("Next check: {ago}"), ago=t.relative_time(profile.next_check_at)))
        elif known.out_of_budget:
            lines.append(t(N_("Next check: delayed (today's limit is used up)")))
        else:
            lines.append(t(N_("Next check: now")))
    if (delay := mean_delay_of(profile)) and not profile.failures:
        lines.append(t(DELAY, delay=max(delay, LEAST)))
    if profile.failures:
        failed = NN_("{n} check has failed since then.", "{n} checks have failed since then.")
        lines.append(t(failed, n=profile.failures))
    return lines


def _outcome_lines(known: Why, context: Context) -> list[str]:
    """Return what became of the stories of two days; why nothing came, where nothing did."""
    t, outcomes, begun = context.t, known.outcomes, known.subscription.created_at
    if not outcomes.total and begun > context.now - LOOKBACK:
        return [t(N_("No new stories since alerts began ({when})."), when=t.relative_time(begun))]
    if not outcomes.total:
        return [t(N_("I found no new stories in the last two days."))]
    # Which photos or videos, in words; rules as they are written.
    reasons = [t.plain(MEDIA[it]) if it in MEDIA else it for it in outcomes.filtered_by]
    options = t.listed(reasons[:MOST_REASONS])
    counts = {"total": outcomes.total, **outcomes.counts}
    until = outcomes.held_until or context.now
    lines: list[str] = [t(N_("In the last two days:"))]
    lines += [
        "• " + t(text, n=counts[kind], until=until, options=options)
        for kind, text in OUTCOMES.items()
        if counts[kind]
    ]
    return lines
