"""The rules of alerts as arithmetic: retry times, quiet hours, daily summaries and check times.

The functions get the current time as the argument ``now``. Times of day are minutes after midnight
in the time zone of the chat.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TypeAlias

from bot.domain.budget import DAY
from bot.domain.hours import is_within
from bot.domain.model import STORY_LIFE, Endless, Right
from bot.domain.zones import zone_or_utc

NotInQuietHours: TypeAlias = None
"""In the type of the end of quiet hours, the time is not in quiet hours."""

MOST_DOUBTS = 2
"""The number of equal answers in a row that prove that a profile or story is not available.

The answers are that a profile is private, or that a profile or story does not exist.
"""

KEPT_FOR = timedelta(days=90)
"""The time after its posting during which a kept story can be sent again."""

MAX_COPIES = 3
"""The maximum number of sends of a delivery without a response from Telegram.

Each of these sends may have left a copy of the message in the chat.
"""

MAX_ATTEMPTS = 30
"""The number of attempts after which a delivery without an outcome is suspected to crash the bot.

The crashes can also be the fault of a different delivery. Therefore each suspected delivery is
sent at a separate time, once in 15 to 18 minutes, until the delivery has arrived or its story has
expired. A suspected notice that is more than a day old is dropped.
"""

STANDSTILL = timedelta(seconds=30)
"""The pause of a chat after a send whose response was lost.

The pause is needed because Telegram can still deliver the message.
"""

REPLY_STANDSTILL = timedelta(seconds=15)
"""The pause of a chat after the send of a reply if Telegram's response to the send was lost.

This pause is shorter than ``STANDSTILL``, because the person waits for the reply.
"""

LATE = timedelta(minutes=5)
"""The minimum age of a late reply.

A late reply is sent without a sound in quiet hours. A late reply is dropped if the queue of the
chat contains a later reply with the same content.
"""

UNTOLD_FOR = timedelta(minutes=15)
"""The maximum time until the chat is notified of a failed delivery.

The notice is sent earlier if Telegram accepts another message in the chat.
"""

BOT_RESTS = timedelta(minutes=1)
"""The pause of all sends after Telegram has refused the bot itself, for example its token.

After the pause the bot tries again, because the owner may have corrected the token.
"""

MAX_REMOVALS = 3
"""The number of consecutive removed messages after which the alerts of a topic pause for a day.

The messages are removed by another bot in the chat.
"""

LONGEST_WAIT = timedelta(minutes=1)
"""The maximum time for which a story waits for an earlier, failing story of its subscription."""

TOPIC_SOUGHT_FOR = timedelta(hours=1)
"""The time for which alerts wait for a topic that Telegram does not find.

If the bot knows that the topic was deleted, the alerts do not wait.
"""

SUMMARY_LEAD = timedelta(minutes=10)
"""The time from the check of the profiles of a daily summary until the summary is sent."""

_MINUTE = timedelta(minutes=1)
_THIRD_COPY_AFTER = timedelta(minutes=15)
_THIRD_REPLY_AFTER = timedelta(minutes=5)
_FIRST_TEST_AGAIN = timedelta(seconds=15)
_FIRST_RETRY = timedelta(seconds=5)
_LAST_RETRY = timedelta(minutes=15)
_LONGEST_UPLOAD_PAUSE = timedelta(seconds=15)
_FIRST_POLL_AGAIN = timedelta(minutes=1)
_LAST_POLL_AGAIN = timedelta(minutes=30)
# For a restricted account, the API bills each failed check.
_LAST_BILLED_POLL_AGAIN = timedelta(hours=4)
# The first pause is short, because some people make their account private by mistake, and soon
# make the account public again.
_FIRST_UNAVAILABLE_PAUSE = timedelta(minutes=30)
_LAST_UNAVAILABLE_PAUSE = DAY
_DIGEST_MARGIN = timedelta(minutes=30)


KINDS_OF: Mapping[Right, frozenset[str]] = {
    "photos": frozenset({"photo"}),
    "videos": frozenset({"video"}),
    "gifs": frozenset({"video"}),  # Telegram can send a video without sound as a GIF
    # The set is empty, because no kind of story always needs the right to documents. A story needs
    # this right if the subscription gets its stories as files (``selection``).
    "documents": frozenset(),
    "media": frozenset({"photo", "video"}),
}
"""The kinds of stories that wait while a right is missing.

While a right that is not in this table is missing, all stories wait.
"""


def combine_missing_rights(known: Right, new: Right) -> Right:
    """Return the single right that represents the two missing rights of a chat.

    Two different rights to kinds of media become ``media``, or the other right if one right is
    ``documents``. Otherwise, the result is ``new``, the right that is missing now.
    """
    if "documents" in {known, new} and {known, new} <= KINDS_OF.keys():
        return new if known == "documents" else known
    is_more = known != new and {known, new} <= KINDS_OF.keys()
    return "media" if is_more else new


_FIRST_PROBE_AFTER = timedelta(minutes=10)
_PROBE_EVERY = timedelta(hours=1)


def recheck_right_at(now: datetime, probes: int, missing: Right = "text") -> datetime:
    """Return the time of the next check whether the bot may write in a chat.

    ``probes`` is the number of failed checks so far. The pauses are 10 minutes and then 1 hour,
    unless another bot removes the posts (``missing`` is "peace").
    """
    if missing == "peace":
        return now if probes + 1 < MAX_REMOVALS else now + DAY
    return now + (_PROBE_EVERY if probes else _FIRST_PROBE_AFTER)


def retry_at(now: datetime, attempts: int, *, is_repeat: bool = False) -> datetime:
    """Return the time to retry a send after ``attempts`` consecutive sends that did not arrive.

    The pause starts at 5 seconds (15 seconds with ``is_repeat``) and doubles up to 15 minutes.
    ``is_repeat`` means that an earlier send may have arrived.
    """
    first = _FIRST_TEST_AGAIN if is_repeat else _FIRST_RETRY
    return now + _doubling_delay(first, attempts, _LAST_RETRY)


def after_upload_at(now: datetime, upload_age: timedelta) -> datetime:
    """Return the time to send a message again that waits for the upload of another sender.

    The pause is the duration of the upload so far, but at least 5 and at most 15 seconds.
    """
    return now + min(max(upload_age, _FIRST_RETRY), _LONGEST_UPLOAD_PAUSE)


def postponed_repeat_at(now: datetime, delivery_id: int) -> datetime:
    """Return the time to retry a repeat of a delivery, 15 to 45 seconds after ``now``.

    The time depends on ``delivery_id``, so that the repeats of many deliveries are spread over
    time.
    """
    return now + _FIRST_TEST_AGAIN * (1 + delivery_id % 100 / 50)


def pause_after_lost_response(*, is_reply: bool) -> timedelta:
    """Return the pause of a chat after the response to a send was lost for the first time.

    The pause is 15 seconds for a reply, and 30 seconds for other messages.
    """
    return REPLY_STANDSTILL if is_reply else STANDSTILL


def repeat_at(now: datetime, copies: int, *, is_reply: bool, delivery_id: int) -> datetime:
    """Return the time at which a delivery is sent again after a response was lost.

    ``copies`` is the number of sends (1 or 2) whose response was lost. The pause after two sends
    also depends on ``delivery_id``, so that many repeats are spread over time.
    """
    if copies == 1:
        return now + pause_after_lost_response(is_reply=is_reply)
    wait = _THIRD_REPLY_AFTER if is_reply else _THIRD_COPY_AFTER
    return now + wait * (1 + delivery_id % 100 / 500)


def retry_after_success_at(
    now: datetime,
    due_at: datetime,
    *,
    copies: int,
    attempts: int,
    is_reply: bool,
    is_same_kind: bool,
    delivery_id: int,
) -> datetime:
    """Return the time to retry a failed delivery after the chat has received another message.

    ``due_at`` is the time for which the retry was planned. ``copies`` counts sends whose response
    was lost, and ``attempts`` counts later sends that certainly failed. ``is_same_kind`` means
    that the message is of the same kind as the delivery.
    """
    if not copies:
        return now
    if copies == MAX_COPIES - 1 and not (is_reply and is_same_kind):
        return due_at
    if attempts:
        return now
    last_copy_at = due_at - (
        repeat_at(now, copies, is_reply=is_reply, delivery_id=delivery_id) - now
    )
    return min(due_at, max(now, last_copy_at + pause_after_lost_response(is_reply=is_reply)))


def retry_failed_check_at(now: datetime, failures: int, *, is_billed: bool = False) -> datetime:
    """Return the time of the next check of a profile after ``failures`` consecutive failed checks.

    The pause after the first failure is 1 minute. The pause doubles with each failure, up to 30
    minutes, or up to 4 hours if the API bills the failed checks.
    """
    most = _LAST_BILLED_POLL_AGAIN if is_billed else _LAST_POLL_AGAIN
    return now + _doubling_delay(_FIRST_POLL_AGAIN, failures, most)


def recheck_unavailable_at(now: datetime, answers: int) -> datetime:
    """Return the time of the check whether a private or missing profile is available again.

    ``answers`` is the number of consecutive answers that the profile is private or missing. The
    first two pauses are 30 minutes. Later pauses double up to a day.
    """
    return now + _doubling_delay(_FIRST_UNAVAILABLE_PAUSE, answers - 1, _LAST_UNAVAILABLE_PAUSE)


def recheck_failed_at(
    now: datetime, *, failures: int, refusals: int, is_active: bool, is_billed: bool
) -> datetime:
    """Return the time of the next check of a profile whose last check failed.

    ``failures`` counts consecutive failed checks. ``refusals`` counts consecutive answers that the
    profile is private or missing. ``is_active`` is False for a profile that counts as private or
    missing. ``is_billed`` means that the API billed the last check.
    """
    if refusals and not is_active:
        return recheck_unavailable_at(now, refusals)
    return retry_failed_check_at(now, failures, is_billed=is_billed)


def is_refusal_proven(answers: int) -> bool:
    """Return whether ``answers`` consecutive answers prove that a profile is private or gone."""
    return answers >= MOST_DOUBTS


def _doubling_delay(first: timedelta, times: int, most: timedelta) -> timedelta:
    return min(first * (1 << min(max(times - 1, 0), 16)), most)


def period_of_missed_stories(
    snapshot_at: datetime | None, now: datetime
) -> tuple[datetime, datetime] | None:
    """Return the start and the end of the time in which missed stories may have been posted.

    Missed stories expired between the last complete check (``snapshot_at``) and ``now``. Return
    None without an earlier complete check, or if this check is at most a day old.
    """
    gone = now - STORY_LIFE
    if snapshot_at is None or snapshot_at >= gone:
        return None
    return snapshot_at, gone


def missed_notice_fields(username: str, begin: datetime, end: datetime) -> dict[str, str | int]:
    """Return the fields of the notice about stories that the bot may have missed.

    The stories were posted between ``begin`` and ``end``. The times in the fields are Unix
    milliseconds.
    """
    begun, ended = (int(moment.timestamp() * 1000) for moment in (begin, end))
    return {"username": username, "from": begun, "to": ended}


def next_local_time(now: datetime, minute: int, zone: str | None) -> datetime:
    """Return the first time after ``now`` at which the clocks of ``zone`` show ``minute``.

    ``minute`` is in minutes after midnight. If the clocks skip this time of day, the result is
    later by the skipped span.
    """
    place = zone_or_utc(zone)
    today = now.astimezone(place).date()
    at = time(minute // 60 % 24, minute % 60)
    moments: list[datetime] = []
    for day in (-1, 0, 1):  # the day before is needed because clocks can go back over midnight
        first = datetime.combine(today + timedelta(days=day), at, tzinfo=place)
        second = first.replace(fold=1).astimezone(now.tzinfo)
        moments.append(first.astimezone(now.tzinfo))
        # On a day on which the clocks go back, the clocks show ``at`` a second time, at the moment
        # ``second``. If the clocks skip ``at``, the clocks show a different time at this moment.
        if second.astimezone(place).time() == at:
            moments.append(second)
    return min(moment for moment in moments if moment > now)


def quiet_until(
    now: datetime, quiet: tuple[int, int] | None, zone: str | None
) -> datetime | NotInQuietHours:
    """Return the end of the quiet hours that contain ``now``, or None outside of quiet hours.

    ``quiet`` has the start and the end in minutes after midnight in ``zone``, or is None.
    """
    if quiet is None or not is_within(now, quiet, zone):
        return None
    end = next_local_time(now, quiet[1], zone)
    # On a day on which the clocks skip the end of the quiet hours, ``next_local_time`` returns a
    # later time. This time can be in the next quiet hours.
    while is_within(end, quiet, zone):
        end = next_local_time(end, quiet[1], zone)
    while not is_within(end - _MINUTE, quiet, zone):
        # If the clocks skip the end of the quiet hours, ``end`` is too late, because the quiet
        # hours end at the moment at which the clocks go forward.
        end -= _MINUTE
    return end


@dataclass(frozen=True, slots=True)
class AudienceMember:
    """The notification times of a subscriber, in minutes after midnight in ``zone``.

    ``quiet`` has the start and the end of the quiet hours. ``digest`` is the time of the daily
    summary. A value is None if the subscriber has no such setting.
    """

    zone: str | None
    quiet: tuple[int, int] | None = None
    digest: int | None = None


def deferred_until(moment: datetime, member: AudienceMember) -> datetime | NotInQuietHours:
    """Return the time until which quiet hours defer an alert that is due at ``moment``.

    Return None if ``moment`` is not in the member's quiet hours.
    """
    return quiet_until(moment, member.quiet, member.zone)


def notified_at(seen_at: datetime, expires_at: datetime, member: AudienceMember) -> datetime:
    """Return the time at which a chat is notified of a story, outside of quiet hours.

    A check finds the story at ``seen_at``. If the chat gets daily summaries, the story waits for
    the next summary, unless the story expires (``expires_at``) too early.
    """
    if member.digest is None:
        return _after_quiet_hours(seen_at, member)
    summary = summary_at(seen_at, expires_at, member)
    if summary is not None:
        return summary
    last = max(seen_at, expires_at - _DIGEST_MARGIN)
    return _after_quiet_hours(max(seen_at, _last_moment_before_quiet(last, member)), member)


def summary_at(seen_at: datetime, expires_at: datetime, member: AudienceMember) -> datetime | None:
    """Return the time of the daily summary that will list a story.

    A check finds the story at ``seen_at``. Return None without a daily summary, or if the story
    expires (``expires_at``) before the summary or soon after the summary.
    """
    if member.digest is None:
        return None
    summary = _next_summary_at(seen_at, member.digest, member)
    return summary if summary <= max(seen_at, expires_at - _DIGEST_MARGIN) else None


def summary_wait_begins_at(found_at: datetime, taken_at: datetime) -> datetime:
    """Return the time from which a story waits for the next daily summary.

    The result is ``found_at``, but at most 10 minutes (``SUMMARY_LEAD``) after ``taken_at``, so
    that a late check does not delay the story for a day.
    """
    return min(found_at, taken_at + SUMMARY_LEAD)


def _after_quiet_hours(moment: datetime, member: AudienceMember) -> datetime:
    """Return the end of the quiet hours that contain ``moment``.

    If ``moment`` is not in quiet hours, return ``moment``.
    """
    return deferred_until(moment, member) or moment


def _next_summary_at(moment: datetime, minute: int, member: AudienceMember) -> datetime:
    """Return the time of the member's first daily summary after ``moment``.

    ``minute`` is in minutes after midnight. A summary that is due in quiet hours is sent at the
    end of the quiet hours.
    """
    until = deferred_until(moment, member)
    if until is not None:
        last_due = _last_local_time(moment, minute, member.zone)
        if deferred_until(last_due, member) == until:
            return until  # a summary that is due in quiet hours is sent when the quiet hours end
    return _after_quiet_hours(next_local_time(moment, minute, member.zone), member)


def _last_moment_before_quiet(last: datetime, member: AudienceMember) -> datetime:
    """Return the last time, up to ``last``, at which a story can be sent before quiet hours.

    The result is at least half an hour before the start of the quiet hours.
    """
    quiet = member.quiet
    zone = member.zone
    if quiet is None or quiet[0] == quiet[1]:
        return last
    begin = _last_local_time(last + _DIGEST_MARGIN, quiet[0], zone)
    if begin <= last and not is_within(last, quiet, zone):
        return last
    before = begin - _DIGEST_MARGIN
    if is_within(before, quiet, zone):  # if the clocks go back, the quiet hours can begin twice
        before = _last_local_time(before, quiet[0], zone) - _DIGEST_MARGIN
    return before


def _last_local_time(now: datetime, minute: int, zone: str | None) -> datetime:
    """Return the last time, up to ``now``, at which the clocks of ``zone`` showed ``minute``.

    ``minute`` is in minutes after midnight. If the clocks skip this time of day, the result is
    later by the skipped span.
    """
    # The search starts 25 hours before ``now``, because a day can have 25 hours.
    latest = next_local_time(now - DAY - timedelta(hours=1), minute, zone)
    while (later := next_local_time(latest, minute, zone)) <= now:
        latest = later
    return latest


def useful_check_at(
    due: datetime,
    audience: Sequence[AudienceMember],
    *,
    seen_at: datetime,
    earliest: datetime,
    latest: datetime,
) -> datetime:
    """Return the time of the next check of a profile, considering when its chats can be notified.

    ``seen_at`` is the time of the last check, and ``due`` is the best next time. A check that
    would notify no chat is postponed up to ``latest``. A check for a daily summary can be as early
    as ``earliest``.
    """
    if not audience:
        return due
    times = [_useful_check_for_member(member, due, seen_at, earliest) for member in audience]
    return min(max(latest, due), *times)


def _useful_check_for_member(
    member: AudienceMember, due: datetime, seen_at: datetime, earliest: datetime
) -> datetime:
    """Return the time at which the next check can lead to a notification of ``member``."""
    if member.digest is None:
        return _after_quiet_hours(due, member)
    # The last check, at ``seen_at``, is recent enough for the summaries of the following
    # ``SUMMARY_LEAD``. Only later summaries need another check.
    after = max(seen_at + SUMMARY_LEAD, earliest)
    for posted_at in (seen_at, after, max(after, due)):
        notified = notified_at(posted_at, posted_at + STORY_LIFE, member)
        if notified > max(after, posted_at):
            return max(earliest, notified - SUMMARY_LEAD)
    # No story would wait for a summary, for example because the time between quiet hours is short.
    # The check is therefore not postponed.
    return max(after, due)


def is_summary_near(now: datetime, audience: Sequence[AudienceMember]) -> bool:
    """Return whether a daily summary of the audience is at most 10 minutes away.

    If the result is True, the check for this summary is due now (``SUMMARY_LEAD``).
    """
    return any(
        _next_summary_at(now, member.digest, member) <= now + SUMMARY_LEAD
        for member in audience
        if member.digest is not None
    )


def has_missed_summary(
    now: datetime,
    audience: Sequence[AudienceMember],
    *,
    seen_at: datetime,
    summaries_since: datetime,
) -> bool:
    """Return whether a daily summary was due without a check shortly before the summary.

    The last check (``seen_at``) is recent enough for summaries of the following 10 minutes
    (``SUMMARY_LEAD``). For each member, only the first later summary counts, and only if this
    summary is between ``summaries_since`` and ``now``.
    """
    return any(
        summaries_since <= _next_summary_at(seen_at + SUMMARY_LEAD, member.digest, member) <= now
        for member in audience
        if member.digest is not None
    )


def alerts_begin_at_second_of(now: datetime) -> datetime:
    """Return the time from which stories count as new if the alerts begin at ``now``.

    The result is ``now`` without the fraction of the second.
    """
    return now.replace(microsecond=0)


def alerts_begin_after_pause(alerts_began: datetime, pause_end: datetime | Endless) -> datetime:
    """Return the time from which stories count as new for a subscription after a pause.

    ``alerts_began`` is the time that applied before the pause. If the end of the pause
    (``pause_end``) is later, the end applies, in whole seconds.
    """
    return (
        alerts_began
        if pause_end is None
        else max(alerts_began, alerts_begin_at_second_of(pause_end))
    )


def is_on_block_list(profile_id: str, username: str, blocked: Collection[str]) -> bool:
    """Return whether the block list of the bot's owner has the id or the name of a profile."""
    return profile_id in blocked or username in blocked
