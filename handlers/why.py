"""/why: the checks of a profile, and the result for each story: sent, waiting or skipped."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import assert_never

from bot.chats.explain import KINDS, LOOKBACK, Kind, Obstacle, Why
from bot.context import Context
from bot.domain import links
from bot.domain.budget import midnight_after
from bot.domain.errors import NotFollowedError
from bot.domain.options import CHAT_RULE
from bot.domain.records import Known
from bot.domain.sentences import N_, NN_
from bot.presentation.actions import SUBSCRIPTION, SUBSCRIPTIONS, back_button
from bot.presentation.html import escape
from bot.presentation.notices import AWAY, MISSING
from handlers.guard import command
from handlers.options import MEDIA, SUMMARY_TIME, clock_time, paused_line, subscription_line
from handlers.payers import LEFT
from handlers.questions import TO_EXPLAIN
from handlers.replies import say, say_message
from handlers.show import offer_alternatives_or_raise
from handlers.subscriptions import DELAY, ask_which_profile, expected_delay

USAGE = N_("Add a name, for example: /why natgeo")
MOST_REASONS = 5  # maximum number of reasons in a line
STATES = {
    "active": N_("This profile is public."),
    "private": N_("🔒 This profile is private now. Alerts will start again when it's public."),
    "gone": N_("I can't find this profile right now. Alerts will start again when it's back."),
    "blocked": N_("⏸ Paused by the bot's owner."),
}
OVERDUE = timedelta(minutes=2)  # a check counts as late this long after its planned time
DELAYED: dict[Obstacle, str] = {
    "": N_("Next check: as soon as possible"),
    "budget": N_("Next check: delayed (today's limit is used up)"),
    "stopped": N_("Next check: delayed (checks are paused for now)"),
    "outage": N_("Next check: delayed (I can't get stories right now)"),
}
PASSING = N_("Current stories you'd get with this chat's options: {n} of {total}")
FOUND = N_("found: {n}")
OF_CHAT = N_("{rule} (rule for the whole chat)")


def _outcome_msgid(kind: Kind) -> str:
    """Return the message id of the sentence about the stories of one kind."""
    match kind:
        case "sent":
            sentence = N_("sent: {n}")
        case "filtered":
            sentence = N_("skipped because of “{options}”: {n}")
        case "quiet":
            sentence = N_("waiting for the end of quiet hours, until {until}: {n}")
        case "digest":
            sentence = N_("waiting for the daily summary ({until}): {n}")
        case "sending":
            sentence = N_("being sent: {n}")
        case "muted":
            sentence = N_("waiting for permission to send here: {n}")
        case "paused":
            sentence = N_("skipped while alerts were paused: {n}")
        case "away":
            sentence = N_("skipped while I couldn't write here: {n}")
        case "failed":
            sentence = N_("could not be sent: {n}")
        case _:
            assert_never(kind)
    return sentence


@command("why", channel_after=1, usage=USAGE)
async def explain_alerts(context: Context) -> None:
    """Send a report about the checks of a profile and the chat's alerts, for 0 credits.

    The report counts the sent, waiting and skipped stories of the last two days.

    Raises:
        NotFollowedError: A group or channel has no subscription to the profile.
    """
    if not context.words_after_command:
        await ask_which_profile(context, TO_EXPLAIN, "why", USAGE)
        return
    link = links.parse_username_or_link(context.words_after_command[0])
    if link is None or link.username is None:
        await say_message(context, USAGE)
        return
    try:
        known = await context.services.subscriptions.explain_each_subscription(
            context.command_target, link.username
        )
    except NotFollowedError as error:
        await offer_alternatives_or_raise(context, error)
    else:
        subscription = known[0].subscription
        to = (
            SUBSCRIPTION(subscription.id) if len(known) == 1 else SUBSCRIPTIONS(0, subscription.id)
        )
        buttons = [] if context.is_channel else [[back_button(context.t, to)]]
        await say(context, _why_text(known, context), buttons)


def _why_text(reports: Sequence[Why], context: Context) -> str:
    """Return the report about a profile and the chat's subscriptions to the profile."""
    t = context.t
    first = reports[0]
    is_one = len(reports) == 1
    profile = first.profile
    lines: list[str] = [t("<b>{username}</b>", username=first.subscription.username)]
    if is_one:
        lines += _paused_lines(first, context)
    lines.append(t(STATES[profile.state if profile else "active"]))
    if is_one:
        lines += _obstacle_lines(first, context)
    if profile and not first.has_stopped:
        lines += _lines_about_checks(reports, profile, context)
    for known in reports:
        lines.append("")
        if not is_one:
            lines.append(escape(subscription_line(known.subscription, context)))
            lines += _paused_lines(known, context) + _obstacle_lines(known, context)
        lines += _outcome_lines(known, context)
        if known.live:
            if is_one:
                lines.append("")
            lines.append(t(PASSING, n=known.passing, total=known.live))
    return "\n".join(lines)


def _paused_lines(known: Why, context: Context) -> list[str]:
    """Return a list with the line about the pause, or an empty list.

    The list is also empty for a blocked profile, because ``STATES`` has a line about the block.
    """
    subscription = known.subscription
    if not subscription.paused or subscription.state == "blocked":
        return []
    return [paused_line(subscription, context)]


def _obstacle_lines(known: Why, context: Context) -> list[str]:
    """Return a list with the line about a closed chat, a missing payer or a mute.

    A mute means that the bot cannot post in the chat or topic. Without an obstacle, the list is
    empty.
    """
    if not known.chat_open:
        return [context.t(AWAY)]
    if known.has_stopped:
        return [context.t(LEFT)]
    return [context.t(MISSING[known.mute.missing])] if known.mute else []


def _lines_about_checks(reports: Sequence[Why], profile: Known, context: Context) -> list[str]:
    """Return the lines about the last check, the next check, the delay and failed checks.

    After a failed check, or with daily summaries alone, the delay is omitted.
    """
    t = context.t
    lines: list[str] = []
    if profile.snapshot_at:
        lines.append(t("Last check: {ago}", ago=t.relative_time(profile.snapshot_at)))
    if profile.due_at:
        lines.append(_next_check_line(reports[0].obstacle, profile.due_at, context))
    delay = expected_delay(profile)
    if all(known.subscription.options.digest for known in reports):
        lines.append(
            t(
                SUMMARY_TIME,
                time=clock_time(context.chat.summary_minute_after_quiet_hours, context),
            )
        )
    elif delay and not profile.failures:
        lines.append(t(DELAY, delay=delay))
    if profile.failures:
        failed = NN_("{n} check has failed since then.", "{n} checks have failed since then.")
        lines.append(t(failed, n=profile.failures))
    return lines


def _next_check_line(obstacle: Obstacle, due: datetime, context: Context) -> str:
    """Return the line about the next check: the expected time, or the reason for a delay."""
    t = context.t
    now = context.now
    is_day_over = due >= midnight_after(now)  # the budget resets at midnight UTC
    if obstacle == "stopped" or (obstacle == "budget" and not is_day_over):
        return t(DELAYED[obstacle])
    if due > now:
        return t("Next check: {ago}", ago=t.relative_time(due))
    if obstacle or due < now - OVERDUE:
        return t(DELAYED[obstacle])
    return t("Next check: now")


def _outcome_lines(known: Why, context: Context) -> list[str]:
    """Return the lines about the results for the stories of the last two days.

    If the chat has no payer and no stories were found, return an empty list.
    """
    t = context.t
    outcomes = known.outcomes
    begun = known.subscription.created_at
    if not outcomes.total and known.has_stopped:
        return []
    if not outcomes.total and begun > context.now - LOOKBACK:
        return [t("No new stories since alerts began ({when}).", when=t.relative_time(begun))]
    if not outcomes.total:
        return [t("I found no new stories in the last two days.")]
    reasons = [_option_or_rule_text(reason, context) for reason in outcomes.filtered_by]
    options = t.listed(reasons[:MOST_REASONS])
    lines: list[str] = [t("In the last two days:"), "• " + t(FOUND, n=outcomes.total)]
    for kind in KINDS:
        if n := outcomes.counts[kind]:
            until = outcomes.until.get(kind)
            lines.append("• " + t(_outcome_msgid(kind), n=n, until=until, options=options))
    return lines


def _option_or_rule_text(reason: str, context: Context) -> str:
    """Return the text of an option or rule that excluded stories. Rules are not translated."""
    if reason in MEDIA:
        return context.t.plain(MEDIA[reason])
    rule = reason.removeprefix(CHAT_RULE)
    return rule if rule == reason else context.t.plain(OF_CHAT, rule=rule)
