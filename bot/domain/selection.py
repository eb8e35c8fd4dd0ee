"""The selection of due deliveries to send now, and the decision about the other deliveries.

No I/O.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Literal, assert_never

from bot.domain import albums, alert_rules, options
from bot.domain.budget import DAY
from bot.domain.errors import StoryGoneError
from bot.domain.model import Album, Target
from bot.domain.records import (
    BROADCAST,
    MAIN,
    REPLY,
    SUMMARY,
    WHOLE,
    Chat,
    ChatQueue,
    Delivery,
    Held,
    Mute,
)

FILTERED = "filtered"
TOO_OLD = "expired"
REMOVED = "removed"
PAUSED = "paused"
_FORGOTTEN = "forgotten"
_TOO_MANY_CRASHES = "too many crashes"
# A story that quiet hours deferred may be sent within this time after the quiet hours, even if the
# story has expired. The time allows a second send after a failure.
_AFTER_QUIET = timedelta(hours=1)
NO_ANSWERS = "no answers"
UNREADABLE = "unreadable"


_OF_THE_ASKING = frozenset({"reply_to", "trace"})
NOTICES = 20  # the maximum number of notices in a message, so that they fit into 4,096 characters


@dataclass(frozen=True, slots=True)
class Batch:
    """Deliveries that are sent together: an album, or notices of a kind.

    ``rows`` are in the order of the album or of the notices.
    """

    target: Target
    rows: tuple[Delivery, ...]
    album: Album | None = None
    is_late: bool = False
    """Whether the batch is so late that it must be silent in quiet hours."""

    @property
    def is_repeat(self) -> bool:
        """Return whether a message of the batch may already be in the chat."""
        return any(row.copies for row in self.rows)

    @property
    def is_listed(self) -> bool:
        """Return whether a summary lists the stories of the batch."""
        return self.rows[0].is_listed

    @property
    def reply(self) -> Delivery | None:
        """Return the reply of the batch, or None if the batch is no reply."""
        return self.rows[0] if self.rows[0].notice == REPLY else None

    def cut_to_first_message(self) -> "Batch":
        """Return the part of the batch that is a single message."""
        if self.album is None:
            return Batch(self.target, self.rows[:1])
        return Batch(self.target, self.rows[:1], Album(self.album.stories[:1]))


@dataclass(slots=True)
class Decision:
    """The decision about a chat queue. Nothing is sent if ``batch`` is None.

    - ``doubtful``: rows that may have been sent, because the outcome was not recorded.
    - ``held``: deferred rows, each with the due time and the reason.
    - ``dropped``: rows that will never be sent, each with the reason.
    - ``doubled``: late replies with the same content as a later reply.
    - ``unreadable``: rows whose stored story this version of the code can't read.
    - ``probe``: the mute whose right must be checked before a send.
    """

    batch: Batch | None = None
    doubtful: list[Delivery] = field(default_factory=list)
    held: list[tuple[Delivery, datetime, Held]] = field(default_factory=list)
    dropped: list[tuple[Delivery, str]] = field(default_factory=list)
    doubled: list[Delivery] = field(default_factory=list)
    unreadable: list[Delivery] = field(default_factory=list)
    probe: Mute | None = None


def decide(queue: ChatQueue, *, now: datetime) -> Decision:
    """Select the deliveries to send next into a chat, and decide about the other due rows.

    Replies come first. Then come a summary, the stories that it lists, and all other alerts in
    the order of the queue. If a reply is doubtful, nothing is sent. If an alert is doubtful, only
    a reply is sent. In quiet hours, only replies are sent.
    """
    decision = Decision(doubtful=[row for row in queue.rows if _is_doubtful(row)])
    if any(row.notice == REPLY for row in decision.doubtful):
        return decision
    quiet_end = _deferred_until(now, queue.chat)
    # Replies are sent before alerts, also in quiet hours.
    decision.batch = _first_reply(queue, decision, now, is_quiet=quiet_end is not None)
    if decision.batch or decision.doubtful:
        return decision
    alerts = [row for row in queue.rows if row.notice != REPLY]
    if quiet_end:
        _defer_quiet(alerts, queue.chat, decision, now, until=quiet_end)
        return decision
    rest = _defer_muted_rows(sorted(alerts, key=_turn), queue.mutes, decision, now)
    while rest and decision.batch is None:
        head = rest[0]
        group = [row for row in rest if _belongs_to_album(row, head)]
        rest = [row for row in rest if not _belongs_to_album(row, head)]
        willing = [row for row in group if not _defer_or_drop(row, queue.chat, decision, now)]
        if willing:
            decision.batch = _first_batch(willing)
    return decision


def _first_reply(
    queue: ChatQueue, decision: Decision, now: datetime, *, is_quiet: bool
) -> Batch | None:
    """Return the first reply that may be sent now. Record the decision about earlier replies."""
    replies = [row for row in queue.rows if row.notice == REPLY]
    for place, row in enumerate(replies):
        is_late = row.created_at <= now - alert_rules.LATE
        later = map(_content_and_place, replies[place + 1 :])
        if is_late and _content_and_place(row) in later:
            decision.doubled.append(row)
        elif not _defer_or_drop(row, queue.chat, decision, now):
            return Batch(row.target, (row,), is_late=is_late and is_quiet)
    return None


def _defer_quiet(
    alerts: Sequence[Delivery], chat: Chat, decision: Decision, now: datetime, *, until: datetime
) -> None:
    """Drop the expired alerts, and defer the others to the end of the quiet hours."""
    for row in alerts:
        if _is_over(row, chat, now):
            decision.dropped.append((row, TOO_OLD))
        else:
            decision.held.append((row, until, Held.QUIET))


def judge(
    rows: Sequence[Delivery], queue: ChatQueue, *, now: datetime
) -> tuple[list[Delivery], Decision]:
    """Return the stories that may be sent now, and the decision about the other stories."""
    decision = Decision()
    free = _defer_muted_rows(rows, queue.mutes, decision, now)
    willing = [row for row in free if not _defer_or_drop(row, queue.chat, decision, now)]
    return willing, decision


def is_for_summary(row: Delivery, chat: Chat) -> bool:
    """Return whether a story waits for a daily summary, and no summary lists the story yet.

    A story that would expire too early does not wait, because it is sent before the summary.
    """
    if not can_join_summary(row) or row.story is None:
        return False
    return alert_rules.summary_at(row.created_at, row.story.expires_at, _member(chat)) is not None


def can_join_summary(row: Delivery) -> bool:
    """Return whether a summary may list a story.

    The subscription must have a daily summary. The story must be unsent and not yet listed.
    """
    return row.options.digest and not row.copies and not row.is_listed


Foreseen = Literal["filtered", "paused", "failed", "muted", "digest", "quiet", "sending"]
"""The possible outcome of a pending story. ``sending``: the story is sent as soon as possible."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """The currently expected outcome of a pending story.

    ``until`` is the time when a deferred story is sent. ``reason`` is the reason why a story will
    not be sent.
    """

    kind: Foreseen
    until: datetime | None = None
    reason: str = ""


def predict_decision(
    row: Delivery, chat: Chat, mutes: Sequence[Mute], *, now: datetime
) -> Outlook:
    """Return the decision that ``decide`` will make about a pending story, and the time.

    At the end of quiet hours the rules and the daily summary are applied to the story.
    """
    quiet_end = _deferred_until(now, chat)
    decision = Decision()
    _defer_or_drop(row, chat, decision, quiet_end or now)
    if decision.dropped:
        reason = decision.dropped[0][1]
        return Outlook(_kind_of_dropped(reason), reason=reason)
    if not _defer_muted_rows([row], mutes, Decision(), now):
        return Outlook("muted")
    if not decision.held:
        return _outlook_of_free(quiet_end)
    _, until, why = decision.held[0]
    match why:
        case Held.DIGEST:
            return Outlook("digest", _deferred_until(until, chat) or until)
        case Held.MUTED:
            return Outlook("muted")
        case Held.NOTHING | Held.QUIET | Held.RETRY | Held.UNTOLD | Held.SUSPECT | Held.CHANGED:
            return _outlook_of_free(quiet_end)
        case _:
            assert_never(why)


def _kind_of_dropped(reason: str) -> Literal["filtered", "paused", "failed"]:
    if reason == PAUSED:
        return "paused"
    return "filtered" if reason.startswith(FILTERED) else "failed"


def _outlook_of_free(quiet_end: datetime | None) -> Outlook:
    """Return the outlook of a story that only quiet hours can defer."""
    return Outlook("quiet", quiet_end) if quiet_end else Outlook("sending")


def _defer_muted_rows(
    rows: Sequence[Delivery], mutes: Sequence[Mute], decision: Decision, now: datetime
) -> list[Delivery]:
    """Defer rows that a mute affects until the next check of the right. Return the other rows.

    If the bot must first ask Telegram about its rights in the chat, no row is returned. Telegram
    has no call for the state of a topic, so a row is sent into a closed topic as a test.
    """
    muted = {mute.thread_id: mute for mute in mutes}
    if not muted:
        return list(rows)
    may_go = []
    for row in rows:
        mutes_here = [muted.get(WHOLE), muted.get(row.target.thread_id or MAIN)]
        holding = [mute for mute in mutes_here if mute and not _passes_mute(row, mute)]
        until = max((mute.probe_at for mute in holding), default=now)
        if until > now:
            decision.held.append((row, until, Held.MUTED))
        elif any(mute.mutes_whole_chat for mute in holding):
            decision.probe = muted[WHOLE]
        else:
            may_go.append(row)
    return [] if decision.probe else may_go


def _passes_mute(row: Delivery, mute: Mute) -> bool:
    """Return whether a row can be sent despite a mute.

    A mute of some kinds of media does not affect notices and other kinds of media. A story that is
    sent as a file is tried once, and is then deferred.
    """
    kinds = alert_rules.KINDS_OF.get(mute.missing)
    if kinds is None:
        return False
    if row.notice is not None:
        return True
    if mute.missing == "documents":
        return not row.options.files and row.held != Held.MUTED
    if row.options.files:
        return row.held != Held.MUTED
    return row.story is not None and row.story.kind not in kinds


def _content_and_place(reply: Delivery) -> tuple[Target, dict[str, object]]:
    """Return the target and the content of a reply, for the comparison of replies.

    The id of the answered message and the trace id are omitted.
    """
    fields = reply.fields.items()
    return reply.target, {name: value for name, value in fields if name not in _OF_THE_ASKING}


def _deferred_until(moment: datetime, chat: Chat) -> datetime | None:
    """Return the end of the chat's quiet hours that contain ``moment``, or None."""
    return alert_rules.deferred_until(moment, _member(chat))


def _member(chat: Chat) -> alert_rules.AudienceMember:
    """Return the notification times of a subscription with a daily summary."""
    quiet = None
    if chat.quiet_from is not None and chat.quiet_to is not None:
        quiet = chat.quiet_from, chat.quiet_to
    return alert_rules.AudienceMember(chat.zone, quiet, chat.digest_at)


def _turn(row: Delivery) -> tuple[int, int]:
    """Return the sort key of an alert: a summary, the listed stories, then all other alerts."""
    if row.notice == SUMMARY:
        return 0, 0
    place = row.summary_place
    return (2, 0) if place is None else (1, place)


def _belongs_to_album(row: Delivery, head: Delivery) -> bool:
    if head.notice or row.notice:
        return row.notice == head.notice and row.target == head.target
    return row.subscription_id == head.subscription_id


def _is_doubtful(row: Delivery) -> bool:
    if row.copies >= alert_rules.MAX_COPIES:
        return True
    return row.copies > 0 and row.sending


def _defer_or_drop(row: Delivery, chat: Chat, decision: Decision, now: datetime) -> bool:
    """Defer or drop a row that may not be sent now. Return whether this happened.

    The stories of a chat without a payer are dropped.
    """
    may_crash_us = row.sending and row.attempts >= alert_rules.MAX_ATTEMPTS
    if may_crash_us and row.notice and row.created_at <= now - DAY:
        decision.dropped.append((row, _TOO_MANY_CRASHES))
    elif may_crash_us and row.held != Held.SUSPECT:
        until = alert_rules.repeat_at(now, 2, is_reply=False, number=row.id)
        decision.held.append((row, until, Held.SUSPECT))
    elif row.notice:
        return False
    elif row.is_unreadable:
        decision.unreadable.append(row)
    elif reason := _drop_reason(row, chat, now):
        decision.dropped.append((row, reason))
    else:
        return _defer_to_digest(row, chat, decision, now)
    return True


def _drop_reason(row: Delivery, chat: Chat, now: datetime) -> str | None:
    """Return the reason why a story will never be sent, or None.

    The reason of a story that a rule excludes names the rule. A story that may already be in the
    chat is dropped only if the story is gone or has expired.
    """
    if row.story is None:  # the story's row is deleted, hours after the expiry
        return TOO_OLD if row.held == Held.MUTED else _FORGOTTEN
    if chat.payer is None and not row.copies:
        return PAUSED
    rule = options.excluded_by(row.story, row.options, chat.rule_options)
    if rule and not row.copies:
        return f"{FILTERED}: {rule}"
    if _is_over(row, chat, now) and not _is_released_from_quiet_hours(row, now):
        return TOO_OLD
    return None


def _is_over(row: Delivery, chat: Chat, now: datetime) -> bool:
    """Return whether a story has expired and is not sent any more.

    A story that expires during quiet hours is still sent within an hour after the quiet hours,
    because Instagram serves the file some hours longer. A story that expired before the quiet
    hours is not deferred.
    """
    if row.story is None or row.story.expires_at > now:
        return False
    until = _deferred_until(row.story.expires_at, chat)
    return until is None or now >= until + _AFTER_QUIET


def _is_released_from_quiet_hours(row: Delivery, now: datetime) -> bool:
    """Return whether quiet hours deferred a row until less than an hour ago.

    The quiet hours ended at that time, or were changed. The result is False if the quiet hours
    ended more than an hour ago, for example while the bot was off.
    """
    return row.held == Held.QUIET and now < row.due_at + _AFTER_QUIET


def _defer_to_digest(row: Delivery, chat: Chat, decision: Decision, now: datetime) -> bool:
    if row.story is None or not can_join_summary(row):
        return False
    notified_at = alert_rules.notified_at(row.created_at, row.story.expires_at, _member(chat))
    if notified_at <= now:
        return False
    decision.held.append((row, notified_at, Held.DIGEST))
    return True


def _first_batch(willing: Sequence[Delivery]) -> Batch:
    """Return the first batch of the rows that may be sent.

    A batch never mixes possible repeats with first sends, or stories of a summary with other
    stories.
    """
    head = willing[0]
    alike = list(takewhile(lambda row: bool(row.copies) == bool(head.copies), willing))
    if head.must_be_sent_alone:
        alike = [head]
    alike = [
        row
        for row in alike
        if row.must_be_sent_alone == head.must_be_sent_alone and row.is_listed == head.is_listed
    ]
    if head.notice:
        # A single broadcast or summary may fill a message.
        most = 1 if head.notice in {BROADCAST, SUMMARY} else NOTICES
        return Batch(head.target, tuple(alike[:most]))
    by_pk = {row.story.pk: row for row in alike if row.story}
    album = albums.plan_albums(row.story for row in alike if row.story)[0]
    return Batch(head.target, tuple(by_pk[story.pk] for story in album.stories), album)


def count_too_late(decision: Decision) -> dict[tuple[Target, str], int]:
    """Count the stories that expired before the send, by target and profile, for a notice."""
    late = (row for row, reason in decision.dropped if reason == TOO_OLD)
    return Counter((row.target, row.username) for row in late)


GONE = StoryGoneError.text
