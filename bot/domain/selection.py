"""The selection of the deliveries that are sent now, and the decisions about other due deliveries.

The functions perform no I/O.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Literal, assert_never

from bot.domain import albums, alert_rules, options
from bot.domain.alert_rules import NotInQuietHours
from bot.domain.budget import DAY
from bot.domain.errors import StoryGoneError
from bot.domain.model import Album, Target
from bot.domain.records import (
    ANSWERED,
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

IsWithheld = bool
"""True if a row must not be sent now, because the row was deferred or dropped."""

FILTERED = "filtered"
TOO_OLD = "expired"
REMOVED = "removed"
PAUSED = "paused"
_FORGOTTEN = "forgotten"
_TOO_MANY_CRASHES = "too many crashes"
# The reason why a summary that is more than a day old is dropped. Only a summary that may already
# be in the chat is dropped for this reason. Usually, any other summary is planned again.
_OUTDATED = "outdated"
AFTER_QUIET = timedelta(hours=1)
"""The time after quiet hours in which a deferred story can be sent, even if the story has expired.

The time is long enough for a second send after a failure.
"""
NO_ANSWERS = "no answers"
UNREADABLE = "unreadable"


_OF_THE_ASKING = frozenset({*ANSWERED, "trace"})
# The maximum number of notices in a message. With this limit, the notices fit into the 4,096
# characters of a message.
NOTICES = 20


@dataclass(frozen=True, slots=True)
class Batch:
    """Deliveries that are sent together, as an album or as one message with notices of one kind.

    ``rows`` has the deliveries in the order of the album's stories or of the notices.
    """

    target: Target
    rows: tuple[Delivery, ...]
    album: Album | None = None
    is_late: bool = False
    """Whether the batch is a late reply in quiet hours, which must be silent."""

    @property
    def is_repeat(self) -> bool:
        """Return whether a message of the batch may already be in the chat."""
        return any(row.copies for row in self.rows)

    @property
    def is_listed_in_summary(self) -> bool:
        """Return whether a summary lists the stories of the batch."""
        return self.rows[0].is_listed_in_summary

    @property
    def reply(self) -> Delivery | None:
        """Return the reply in the batch, or None if the batch has no reply."""
        return self.rows[0] if self.rows[0].notice == REPLY else None

    def with_first_delivery_only(self) -> "Batch":
        """Return a new batch with only the first delivery of this batch.

        In the new batch, ``is_late`` is False.
        """
        if self.album is None:
            return Batch(self.target, self.rows[:1])
        return Batch(self.target, self.rows[:1], Album(self.album.stories[:1]))


@dataclass(slots=True)
class Decision:
    """The decision about the due deliveries (rows) of a chat queue."""

    batch: Batch | None = None
    """The rows that are sent now."""
    doubtful: list[Delivery] = field(default_factory=list)
    """The rows that may already be in the chat and are not sent again now."""
    held: list[tuple[Delivery, datetime, Held]] = field(default_factory=list)
    """The deferred rows, each with the new due time and the reason."""
    dropped: list[tuple[Delivery, str]] = field(default_factory=list)
    """The dropped rows, each with the reason. Some of these rows can be reopened later."""
    doubled: list[Delivery] = field(default_factory=list)
    """The late replies that have the same content as a later reply."""
    unreadable: list[Delivery] = field(default_factory=list)
    """The rows whose stored story this version of the bot can't read."""
    probe: Mute | None = None
    """The mute of the whole chat, if the missing right must be checked before a send."""


def decide(queue: ChatQueue, *, now: datetime) -> Decision:
    """Select the deliveries to send next into a chat, and decide about other due rows.

    Replies are sent first, then a summary with its stories, and then other alerts. In quiet hours,
    only replies are sent. A doubtful alert (``Decision.doubtful``) stops the alerts, and a
    doubtful reply stops all sends.
    """
    decision = Decision(doubtful=[row for row in queue.rows if _is_outcome_unknown(row)])
    if any(row.notice == REPLY for row in decision.doubtful):
        return decision
    quiet_end = _deferred_until(now, queue.chat)
    # Replies are sent before alerts. Replies are also sent in quiet hours.
    is_quiet = quiet_end is not None
    decision.batch = _select_reply_and_record_others(queue, decision, now, is_quiet=is_quiet)
    if decision.batch or decision.doubtful:
        return decision
    alerts = [row for row in queue.rows if row.notice != REPLY]
    if quiet_end:
        _add_to_held_or_dropped_in_quiet_hours(alerts, queue.chat, decision, now, until=quiet_end)
        return decision
    rest = _add_muted_to_held_and_return_others(
        sorted(alerts, key=_sort_key), queue.mutes, decision, now
    )
    while rest and decision.batch is None:
        head = rest[0]
        group = [row for row in rest if _belongs_to_batch(row, head)]
        rest = [row for row in rest if not _belongs_to_batch(row, head)]
        willing = [
            row for row in group if not _add_to_held_or_dropped(row, queue.chat, decision, now)
        ]
        if willing:
            decision.batch = _first_batch(willing)
    return decision


def _select_reply_and_record_others(
    queue: ChatQueue, decision: Decision, now: datetime, *, is_quiet: bool
) -> Batch | None:
    """Return a batch with the first reply that may be sent now, or None.

    Record the decision about the earlier replies in ``decision``.
    """
    replies = [row for row in queue.rows if row.notice == REPLY]
    for place, row in enumerate(replies):
        is_late = row.created_at <= now - alert_rules.LATE
        later = map(_target_and_content, replies[place + 1 :])
        if is_late and _target_and_content(row) in later:
            decision.doubled.append(row)
        elif not _add_to_held_or_dropped(row, queue.chat, decision, now):
            return Batch(row.target, (row,), is_late=is_late and is_quiet)
    return None


def _add_to_held_or_dropped_in_quiet_hours(
    alerts: Sequence[Delivery], chat: Chat, decision: Decision, now: datetime, *, until: datetime
) -> None:
    """Drop the stories that are too old to be sent, and defer the other alerts.

    The alerts are deferred to ``until``, the end of the quiet hours. The result is in
    ``decision``.
    """
    for row in alerts:
        if _is_too_late_to_send(row, chat, now):
            decision.dropped.append((row, TOO_OLD))
        else:
            decision.held.append((row, until, Held.QUIET))


def select_sendable(
    rows: Sequence[Delivery], queue: ChatQueue, *, now: datetime
) -> tuple[list[Delivery], Decision]:
    """Return the stories among ``rows`` that may be sent now, without regard to quiet hours.

    The second value is the decision about the other stories. If the missing right of the whole
    chat must be checked now, no stories are returned.
    """
    decision = Decision()
    free = _add_muted_to_held_and_return_others(rows, queue.mutes, decision, now)
    willing = [row for row in free if not _add_to_held_or_dropped(row, queue.chat, decision, now)]
    return willing, decision


def waits_for_summary(row: Delivery, chat: Chat) -> bool:
    """Return whether a story waits for a daily summary that does not list the story yet.

    A story does not wait if it would expire before the summary or soon after the summary.
    """
    if not can_join_summary(row) or row.story is None:
        return False
    since = alert_rules.summary_wait_begins_at(row.created_at, row.story.taken_at)
    return (
        alert_rules.summary_at(since, row.story.expires_at, _audience_member_of(chat)) is not None
    )


def can_join_summary(row: Delivery) -> bool:
    """Return whether a summary may list a story.

    The subscription has daily summaries, no summary lists the story yet, and no send of the story
    can have arrived.
    """
    return row.options.digest and not row.copies and not row.is_listed_in_summary


Foreseen = Literal["filtered", "paused", "failed", "muted", "digest", "quiet", "sending"]
"""The kinds of the expected outcome of a pending story.

"sending" means that the story is sent as soon as possible.
"""


@dataclass(frozen=True, slots=True)
class Outlook:
    """The currently expected outcome of a pending story.

    ``until`` is the time at which a deferred story will be sent, or None if the time is unknown.
    ``reason`` is the reason why a story is dropped.
    """

    kind: Foreseen
    until: datetime | None = None
    reason: str = ""


def predict_outcome(row: Delivery, chat: Chat, mutes: Sequence[Mute], *, now: datetime) -> Outlook:
    """Return the outcome that is expected for a pending story.

    Most rules of ``decide`` are applied to the story alone. In quiet hours, the filter rules and
    the daily summary are applied as if the quiet hours had ended.
    """
    quiet_end = _deferred_until(now, chat)
    decision = Decision()
    _add_to_held_or_dropped(row, chat, decision, quiet_end or now)
    if decision.dropped:
        reason = decision.dropped[0][1]
        return Outlook(_outcome_of_drop_reason(reason), reason=reason)
    if not _add_muted_to_held_and_return_others([row], mutes, Decision(), now):
        return Outlook("muted")
    if not decision.held:
        return _outlook_by_quiet_hours(quiet_end)
    _, until, why = decision.held[0]
    match why:
        case Held.DIGEST:
            return Outlook("digest", _deferred_until(until, chat) or until)
        case Held.MUTED:
            return Outlook("muted")
        case Held.NOTHING | Held.QUIET | Held.RETRY | Held.UNTOLD | Held.SUSPECT | Held.CHANGED:
            return _outlook_by_quiet_hours(quiet_end)
        case _:
            assert_never(why)


def _outcome_of_drop_reason(reason: str) -> Literal["filtered", "paused", "failed"]:
    if reason == PAUSED:
        return "paused"
    return "filtered" if reason.startswith(FILTERED) else "failed"


def _outlook_by_quiet_hours(quiet_end: datetime | NotInQuietHours) -> Outlook:
    """Return the outlook of a story that nothing but quiet hours can defer."""
    return Outlook("quiet", quiet_end) if quiet_end else Outlook("sending")


def _add_muted_to_held_and_return_others(
    rows: Sequence[Delivery], mutes: Sequence[Mute], decision: Decision, now: datetime
) -> list[Delivery]:
    """Defer the rows that the bot lacks the right to send, and return the other rows.

    If the right in the whole chat must be checked now, set ``decision.probe`` and return no rows.
    The right in a topic is checked only by a send.
    """
    muted = {mute.thread_id: mute for mute in mutes}
    if not muted:
        return list(rows)
    may_go = []
    for row in rows:
        mutes_here = [muted.get(WHOLE), muted.get(row.target.thread_id or MAIN)]
        holding = [
            mute for mute in mutes_here if mute and not _may_be_sent_despite_mute(row, mute)
        ]
        until = max((mute.probe_at for mute in holding), default=now)
        if until > now:
            decision.held.append((row, until, Held.MUTED))
        elif any(mute.mutes_whole_chat for mute in holding):
            decision.probe = muted[WHOLE]
        else:
            may_go.append(row)
    return [] if decision.probe else may_go


def _may_be_sent_despite_mute(row: Delivery, mute: Mute) -> bool:
    """Return whether a row can be sent although the bot lacks the right ``mute.missing``.

    Without a right to kinds of media (``KINDS_OF``), notices and usually the stories that do not
    need the right can be sent. Any other right is needed by all rows.
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


def _target_and_content(reply: Delivery) -> tuple[Target, dict[str, object]]:
    """Return the target and the content of a reply, by which equal replies are found.

    The content has neither the ids of the answered messages (``ANSWERED``) nor the trace id.
    """
    fields = reply.fields.items()
    return reply.target, {name: value for name, value in fields if name not in _OF_THE_ASKING}


def _deferred_until(moment: datetime, chat: Chat) -> datetime | NotInQuietHours:
    """Return the end of the chat's quiet hours that contain ``moment``.

    Return None if ``moment`` is not in quiet hours.
    """
    return alert_rules.deferred_until(moment, _audience_member_of(chat))


def _audience_member_of(chat: Chat) -> alert_rules.AudienceMember:
    """Return the notification times of the chat for a subscription with daily summaries."""
    quiet = None
    if chat.quiet_from is not None and chat.quiet_to is not None:
        quiet = chat.quiet_from, chat.quiet_to
    return alert_rules.AudienceMember(chat.zone, quiet, chat.digest_at)


def _sort_key(row: Delivery) -> tuple[int, int]:
    """Return the sort key of an alert.

    Summaries come first, then the stories that a summary lists, and then all other alerts.
    """
    if row.notice == SUMMARY:
        return 0, 0
    place = row.summary_place
    return (2, 0) if place is None else (1, place)


def _belongs_to_batch(row: Delivery, head: Delivery) -> bool:
    if head.notice or row.notice:
        return row.notice == head.notice and row.target == head.target
    return row.subscription_id == head.subscription_id


def _is_outcome_unknown(row: Delivery) -> bool:
    if row.copies >= alert_rules.MAX_COPIES:
        return True
    return row.copies > 0 and row.sending


def _add_to_held_or_dropped(
    row: Delivery, chat: Chat, decision: Decision, now: datetime
) -> IsWithheld:
    """Defer or drop a row if the row must not be sent now. Record the result in ``decision``.

    Return False if the row may be sent now.
    """
    may_crash_us = row.sending and row.attempts >= alert_rules.MAX_ATTEMPTS
    if may_crash_us and row.notice and row.created_at <= now - DAY:
        decision.dropped.append((row, _TOO_MANY_CRASHES))
    elif may_crash_us and row.held != Held.SUSPECT:
        until = alert_rules.repeat_at(now, 2, is_reply=False, delivery_id=row.id)
        decision.held.append((row, until, Held.SUSPECT))
    elif row.notice == SUMMARY and row.copies and row.created_at <= now - DAY:
        decision.dropped.append((row, _OUTDATED))
    elif row.notice:
        return False
    elif row.is_unreadable:
        decision.unreadable.append(row)
    elif reason := _drop_reason(row, chat, now):
        decision.dropped.append((row, reason))
    else:
        return _add_to_held_if_before_summary(row, chat, decision, now)
    return True


def _drop_reason(row: Delivery, chat: Chat, now: datetime) -> str | None:
    """Return the reason why a story must be dropped, or None if the story can still be sent.

    A lack of a payer or a rule drops a story only if the story can't already be in the chat.
    """
    if row.story is None:  # the stored story was deleted, some hours after its expiry
        return TOO_OLD if row.held == Held.MUTED else _FORGOTTEN
    if chat.payer is None and not row.copies:
        return PAUSED
    rule = options.exclusion_reason(row.story, row.options, chat.rule_options)
    if rule and not row.copies:
        return f"{FILTERED}: {rule}"
    if _is_too_late_to_send(row, chat, now) and not _is_released_from_quiet_hours(row, now):
        return TOO_OLD
    return None


def _is_too_late_to_send(row: Delivery, chat: Chat, now: datetime) -> bool:
    """Return whether a story has expired and must not be sent.

    A story that expires in quiet hours can still be sent for an hour after the quiet hours,
    because Instagram serves the file for some hours after the expiry.
    """
    if row.story is None or row.story.expires_at > now:
        return False
    until = _deferred_until(row.story.expires_at, chat)
    return until is None or now >= until + AFTER_QUIET


def _is_released_from_quiet_hours(row: Delivery, now: datetime) -> bool:
    """Return whether quiet hours have deferred a row that became due less than an hour ago.

    The row becomes due when the quiet hours end or are changed.
    """
    return row.held == Held.QUIET and now < row.due_at + AFTER_QUIET


def _add_to_held_if_before_summary(
    row: Delivery, chat: Chat, decision: Decision, now: datetime
) -> IsWithheld:
    if row.story is None or not can_join_summary(row):
        return False
    since = alert_rules.summary_wait_begins_at(row.created_at, row.story.taken_at)
    notified_at = alert_rules.notified_at(since, row.story.expires_at, _audience_member_of(chat))
    if notified_at <= now:
        return False
    decision.held.append((row, notified_at, Held.DIGEST))
    return True


def _first_batch(willing: Sequence[Delivery]) -> Batch:
    """Return the first batch of ``willing``, which are rows that may be sent now.

    A batch has rows of one kind, and at most 10 stories or 20 notices.
    """
    head = willing[0]
    alike = list(takewhile(lambda row: bool(row.copies) == bool(head.copies), willing))
    if head.must_be_sent_alone:
        alike = [head]
    alike = [
        row
        for row in alike
        if row.must_be_sent_alone == head.must_be_sent_alone
        and row.is_listed_in_summary == head.is_listed_in_summary
    ]
    if head.notice:
        # A broadcast or a summary gets a message of its own, because its text can be so long that
        # no other notice fits into the message.
        most = 1 if head.notice in {BROADCAST, SUMMARY} else NOTICES
        return Batch(head.target, tuple(alike[:most]))
    by_pk = {row.story.pk: row for row in alike if row.story}
    album = albums.plan_albums(row.story for row in alike if row.story)[0]
    return Batch(head.target, tuple(by_pk[story.pk] for story in album.stories), album)


def count_expired_stories(decision: Decision) -> dict[tuple[Target, str, bool], int]:
    """Return how many stories were dropped because they expired before they could be sent.

    The result has a number for each target, username and ``is_silent``, because each combination
    gets a notice.
    """
    late = (row for row, reason in decision.dropped if reason == TOO_OLD)
    return Counter((row.target, row.username, row.is_silent) for row in late)


GONE = StoryGoneError.text
