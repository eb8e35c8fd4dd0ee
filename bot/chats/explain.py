"""The explanation of /why: the state of a subscription and the outcomes of recent stories."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from bot.domain.model import Unknown
from bot.domain.options import Options, exclusion_reason
from bot.domain.records import Known, Mute, Subscription, find_mute
from bot.domain.selection import FILTERED, Outlook, predict_outcome
from bot.store import chats, deliveries, enqueue, mutes, profiles, stories
from bot.store.engine.database import Tx
from bot.store.enqueue import OutcomeCount

LOOKBACK = timedelta(days=2)
Ended = Literal["sent", "filtered", "paused", "away", "failed"]
"""The final outcome of a story."""
Kind = Literal[
    "sent", "filtered", "quiet", "digest", "sending", "muted", "paused", "away", "failed"
]
"""The final or expected outcome of a story, in the order of ``/why``."""
KINDS: tuple[Kind, ...] = get_args(Kind)

Obstacle = Literal["", "budget", "stopped", "outage"]
"""The reason why the schedule can't check any profile now, or an empty string."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The number of stories enqueued in the last two days, for each outcome in ``KINDS``.

    ``until`` maps an outcome of deferred stories, except ``muted``, to their earliest send time.
    ``filtered_by`` names the options and rules that excluded stories.
    """

    counts: Mapping[Kind, int]
    until: Mapping[Kind, datetime]
    filtered_by: tuple[str, ...]

    @property
    def total(self) -> int:
        """Return the number of stories with any outcome."""
        return sum(self.counts.values())

    @classmethod
    def sum_up(cls, ended: Iterable[OutcomeCount], outlooks: Iterable[Outlook]) -> "Outcomes":
        """Combine the counts of finished stories with the forecasts for pending stories."""
        counts: dict[Kind, int] = dict.fromkeys(KINDS, 0)
        until: dict[Kind, datetime] = {}
        reasons: set[str] = set()
        for group in ended:
            counts[_outcome_of_ended_group(group)] += group.count
            reasons.add(group.reason)
        for outlook in outlooks:
            counts[outlook.kind] += 1
            reasons.add(outlook.reason)
            if outlook.until is not None:
                until[outlook.kind] = min(outlook.until, until.get(outlook.kind, outlook.until))
        filtered = {
            reason.removeprefix(f"{FILTERED}: ")
            for reason in reasons
            if reason.startswith(FILTERED)
        }
        return cls(counts, until, tuple(sorted(filtered)))


@dataclass(frozen=True, slots=True)
class Why:
    """The state of a subscription.

    ``has_stopped`` is True if the chat has no payer. ``obstacle`` is the reason why no profile can
    be checked now, or an empty string. ``mute`` is a right that the bot lacks, or None.
    """

    subscription: Subscription
    profile: Known | None
    outcomes: Outcomes
    chat_open: bool
    has_stopped: bool
    obstacle: Obstacle
    mute: Mute | None
    live: int
    """The number of stored stories that are less than 24 hours old.

    Stories that the profile has deleted since are included. ``passing`` is the number of these
    stories that match the options and rules.
    """
    passing: int


def mean_detection_delay_of(known: Known) -> timedelta | Unknown:
    """Return the mean delay before a new story is detected: half the check interval.

    Return None if the profile has no snapshot or no planned check.
    """
    if known.snapshot_at is None or known.due_at is None:
        return None
    return (known.due_at - known.snapshot_at) / 2


def _outcome_of_ended_group(group: OutcomeCount) -> Ended:
    """Return the common outcome of a group of stories whose deliveries have ended."""
    if group.state == "sent" or group.reason == "had":
        # The reason ``had`` means that the story was sent before the group became a supergroup, so
        # the story counts as sent.
        return "sent"
    if group.reason.startswith(FILTERED):
        return "filtered"
    if group.reason == deliveries.PAUSED:
        return "paused"
    if group.reason == deliveries.AWAY:
        return "away"
    return "failed"


async def explain_subscription(
    tx: Tx, subscription: Subscription, *, obstacle: Obstacle, now: datetime
) -> Why:
    """Return the state of a subscription and of its alerts."""
    target = subscription.target
    since = now - LOOKBACK
    known = await profiles.get(tx, subscription.profile_id)
    chat = await chats.get(tx, target.chat_id)
    live = await stories.live_stories(tx, subscription.profile_id, now=now)
    ended = await enqueue.count_outcomes(tx, subscription.id, enqueued_since=since)
    waiting = await deliveries.pending_stories_of_subscription(
        tx, subscription.id, enqueued_since=since
    )
    missing = await mutes.of_chat(tx, target.chat_id)
    chat_rules = chat.rule_options if chat else Options()
    is_open = chat is not None and chat.state == "active"
    if chat is not None and is_open:
        outlooks = [predict_outcome(row, chat, missing, now=now) for row in waiting]
    else:
        # The pending stories of a closed chat count as dropped, because stories from before the
        # return of the bot are dropped at the return.
        ended.append(OutcomeCount("dropped", deliveries.AWAY, len(waiting)))
        outlooks = []
    return Why(
        subscription=subscription,
        profile=known,
        outcomes=Outcomes.sum_up(ended, outlooks),
        chat_open=is_open,
        has_stopped=chat is not None and chat.payer is None,
        obstacle=obstacle,
        mute=find_mute(missing, target.thread_id),
        live=len(live),
        passing=sum(
            not exclusion_reason(story, subscription.options, chat_rules) for story in live
        ),
    )
