"""The rules of alerts as arithmetic: retry times, quiet hours, daily summaries, check times.

The functions use no clock and no I/O: ``now`` is an argument. Times of day are minutes after
midnight in the zone of the chat.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from bot.domain.budget import DAY
from bot.domain.hours import is_within
from bot.domain.model import STORY_LIFE, Right
from bot.domain.zones import zone_of

MOST_DOUBTS = 2
"""The number of equal answers in a row that prove that a profile is private or does not exist."""

KEPT_FOR = timedelta(days=90)
"""The time after posting during which a kept story can be sent again."""

MAX_COPIES = 3
"""The maximum number of unanswered sends of a delivery. Each send may have left a copy."""

MAX_ATTEMPTS = 30
"""The number of attempts after which a delivery without an outcome is suspected to crash the bot.

A different delivery may be the cause. Therefore each suspect is sent at a separate time, once in
15 to 18 minutes, until the suspect has arrived or its story has expired. A suspected notice that
is over a day old is dropped.
"""

STANDSTILL = timedelta(seconds=30)
"""The pause of a chat after a send with a lost answer: Telegram may still deliver the message."""

REPLY_STANDSTILL = timedelta(seconds=15)
"""The same pause after a reply to a person; shorter, because the person waits for the reply."""

LATE = timedelta(minutes=5)
"""The age from which a reply is late.

A late reply is silent in quiet hours. It is dropped if the queue contains a later, equal reply.
"""

UNTOLD_FOR = timedelta(minutes=15)
"""The maximum time before a failed delivery is reported to the chat.

The report is sent earlier if Telegram accepts another message in the chat.
"""

BOT_RESTS = timedelta(minutes=1)
"""The pause of all sends after Telegram refused the bot itself; the owner may fix the token."""

MAX_REMOVALS = 3
"""The number of consecutive sends removed by another bot after which a chat pauses for a day."""

LONGEST_WAIT = timedelta(minutes=1)
"""The maximum time for which a story waits for an earlier, failing story of its subscription."""

TOPIC_SOUGHT_FOR = timedelta(hours=1)
"""The time for which alerts wait for a topic that Telegram does not find.

If the bot has seen that the topic was deleted, the alerts do not wait.
"""

SUMMARY_LEAD = timedelta(minutes=10)
"""The time between the check of the profiles of a daily summary and the summary."""

_MINUTE = timedelta(minutes=1)
_THIRD_COPY_AFTER = timedelta(minutes=15)
_THIRD_REPLY_AFTER = timedelta(minutes=5)
_FIRST_TEST_AGAIN = timedelta(seconds=15)
_FIRST_RETRY = timedelta(seconds=5)
_LAST_RETRY = timedelta(minutes=15)
_FIRST_POLL_AGAIN = timedelta(minutes=1)
_LAST_POLL_AGAIN = timedelta(minutes=30)
# The owner of the account may have hidden the account by mistake, and may soon show it again.
_FIRST_UNAVAILABLE_PAUSE = timedelta(minutes=30)
_LAST_UNAVAILABLE_PAUSE = DAY
_DIGEST_MARGIN = timedelta(minutes=30)


KINDS_OF: Mapping[Right, frozenset[str]] = {
    "photos": frozenset({"photo"}),
    "videos": frozenset({"video"}),
    "gifs": frozenset({"video"}),  # Telegram may send a video without sound as a GIF
    # A mute of documents defers only stories that were refused as files (see ``selection``).
    "documents": frozenset(),
    "media": frozenset({"photo", "video"}),
}
"""The kinds of stories that wait while a right is missing; for other rights all stories wait."""


def combine_missing_rights(known: Right, new: Right) -> Right:
    """Return the right that represents two missing rights, ``known`` (earlier) and ``new`` (now).

    Two different rights to media become ``media``. A right to photos, videos, GIFs or media takes
    precedence over the right to documents, because few stories are sent as documents. In all other
    cases the result is ``new``.
    """
    if "documents" in {known, new} and {known, new} <= KINDS_OF.keys():
        return new if known == "documents" else known
    is_more = known != new and {known, new} <= KINDS_OF.keys()
    return "media" if is_more else new


_PROBE_AFTER = timedelta(minutes=10)
_HOURLY_PROBES = 24


def recheck_right_at(now: datetime, probes: int, missing: Right = "text") -> datetime:
    """Return when to check again whether the bot may write, after ``probes`` failed checks.

    The first check is after 10 minutes, then a check per hour for a day, then a check per day,
    because some groups close at night. If a different bot removes the posts ("peace"), the first
    two checks follow without a pause, and then a check per day.
    """
    if missing == "peace":
        return now if probes + 1 < MAX_REMOVALS else now + DAY
    if not probes:
        return now + _PROBE_AFTER
    return now + (timedelta(hours=1) if probes <= _HOURLY_PROBES else DAY)


def retry_at(now: datetime, attempts: int, *, is_repeat: bool = False) -> datetime:
    """Return when to retry after ``attempts`` consecutive sends that certainly did not arrive.

    The first pause is 5 seconds, or 15 seconds if a copy may already be in the chat
    (``is_repeat``). The pause doubles with each attempt, up to 15 minutes.
    """
    first = _FIRST_TEST_AGAIN if is_repeat else _FIRST_RETRY
    return now + _doubling_delay(first, attempts, _LAST_RETRY)


def postponed_repeat_at(now: datetime, delivery_id: int) -> datetime:
    """Return when a postponed repeat asks for its turn again: after 15 to 45 seconds.

    The id ``delivery_id`` spreads the times of many repeats.
    """
    return now + _FIRST_TEST_AGAIN * (1 + delivery_id % 100 / 50)


def pause_after_lost_response(*, is_reply: bool) -> timedelta:
    """Return the pause of a chat after the first send with a lost response.

    The pause is 15 seconds for a reply, and 30 seconds for other messages.
    """
    return REPLY_STANDSTILL if is_reply else STANDSTILL


def repeat_at(now: datetime, copies: int, *, is_reply: bool, number: int) -> datetime:
    """Return when to repeat a delivery that may have ``copies`` copies in the chat (at most 2).

    The second copy waits for ``pause_after_lost_response``. The third copy waits for 15 minutes,
    or for 5 minutes in the case of a reply. ``number``, the id of the delivery, delays the third
    copy by up to a fifth to spread the load.
    """
    if copies == 1:
        return now + pause_after_lost_response(is_reply=is_reply)
    wait = _THIRD_REPLY_AFTER if is_reply else _THIRD_COPY_AFTER
    return now + wait * (1 + number % 100 / 500)


def retry_after_success_at(
    now: datetime,
    due_at: datetime,
    *,
    copies: int,
    attempts: int,
    is_reply: bool,
    is_same_kind: bool,
    number: int,
) -> datetime:
    """Return when to retry a failed delivery after the chat has received a different message.

    The retry was planned for ``due_at``. If certainly no copy has arrived, the delivery is due
    now. After a copy that may have arrived, the first pause must pass, unless a later attempt
    (``attempts``) has already followed the pause. The third copy of a reply is sent earlier only
    after a message of the same kind. The third copy of an alert is not sent earlier. If Telegram
    fails every second call, a single success proves little, and the last copy would be wasted.
    """
    if not copies:
        return now
    if copies == MAX_COPIES - 1 and not (is_reply and is_same_kind):
        return due_at
    if attempts:
        return now
    last_copy_at = due_at - (repeat_at(now, copies, is_reply=is_reply, number=number) - now)
    return min(due_at, max(now, last_copy_at + pause_after_lost_response(is_reply=is_reply)))


def poll_again_at(now: datetime, failures: int) -> datetime:
    """Return when to check again after ``failures`` consecutive failed checks.

    The pause doubles from 1 minute up to 30 minutes.
    """
    return now + _doubling_delay(_FIRST_POLL_AGAIN, failures, _LAST_POLL_AGAIN)


def check_if_back_at(now: datetime, answers: int) -> datetime:
    """Return when to check whether a private or missing profile is available again.

    ``answers`` is the number of consecutive answers with this result. After the first and the
    second answer the pause is 30 minutes, because a story lives only a day. With each further
    answer the pause doubles, up to a day.
    """
    return now + _doubling_delay(_FIRST_UNAVAILABLE_PAUSE, answers - 1, _LAST_UNAVAILABLE_PAUSE)


def is_refusal_proven(answers: int) -> bool:
    """Return whether ``answers`` consecutive answers prove that a profile is private or gone."""
    return answers >= MOST_DOUBTS


def _doubling_delay(first: timedelta, times: int, most: timedelta) -> timedelta:
    return min(first * (1 << min(max(times - 1, 0), 16)), most)


def missed_hours(snapshot_at: datetime | None, now: datetime) -> tuple[datetime, datetime] | None:
    """Return the period of stories that expired before this check.

    Return None if the last complete check (``snapshot_at``) is at most a day ago, or is missing.
    """
    gone = now - STORY_LIFE
    if snapshot_at is None or snapshot_at >= gone:
        return None
    return snapshot_at, gone


def missed_notice_fields(username: str, begin: datetime, end: datetime) -> dict[str, str | int]:
    """Return the fields of the notice of possibly missed stories; times are Unix milliseconds."""
    begun, ended = (int(moment.timestamp() * 1000) for moment in (begin, end))
    return {"username": username, "from": begun, "to": ended}


def next_local_time(now: datetime, minute: int, zone: str | None) -> datetime:
    """Return the first moment after ``now`` when the clocks of ``zone`` show ``minute``.

    If the clocks skip that time, the result is later by the skipped span. If the clocks show that
    time twice, both moments count.
    """
    place = zone_of(zone)
    today = now.astimezone(place).date()
    at = time(minute // 60 % 24, minute % 60)
    moments: list[datetime] = []
    for day in (-1, 0, 1):  # -1: the clocks may go back over midnight
        first = datetime.combine(today + timedelta(days=day), at, tzinfo=place)
        second = first.replace(fold=1).astimezone(now.tzinfo)
        moments.append(first.astimezone(now.tzinfo))
        # If the clocks skip the time, the second reading is too early.
        if second.astimezone(place).time() == at:
            moments.append(second)
    return min(moment for moment in moments if moment > now)


def quiet_until(now: datetime, quiet: tuple[int, int] | None, zone: str | None) -> datetime | None:
    """Return the end of the current quiet hours, or None outside quiet hours."""
    if quiet is None or not is_within(now, quiet, zone):
        return None
    end = next_local_time(now, quiet[1], zone)
    # If the clocks skip the end of the quiet hours, the computed end may be inside the next quiet
    # hours.
    while is_within(end, quiet, zone):
        end = next_local_time(end, quiet[1], zone)
    while not is_within(end - _MINUTE, quiet, zone):
        # If the clocks skip the end, the computed end is too late.
        end -= _MINUTE
    return end


@dataclass(frozen=True, slots=True)
class AudienceMember:
    """The notification times of a subscriber: zone, quiet hours and daily summary.

    ``quiet`` has the begin and the end of the quiet hours. ``digest`` is the time of the daily
    summary, or None for a subscription without daily summaries. The times are minutes after
    midnight in ``zone``.
    """

    zone: str | None
    quiet: tuple[int, int] | None = None
    digest: int | None = None


def deferred_until(moment: datetime, member: AudienceMember) -> datetime | None:
    """Return the end of the member's quiet hours that contain ``moment``, or None.

    An alert of that time is deferred to the result. The outbox, the predictions of /why and the
    planning of checks all use this function.
    """
    return quiet_until(moment, member.quiet, member.zone)


def notified_at(seen_at: datetime, expires_at: datetime, member: AudienceMember) -> datetime:
    """Return when a chat is notified of a story that a check finds at ``seen_at``.

    The delivery of alerts and the planning of checks both use this function.

    Without a daily summary, the chat is notified immediately, or when the quiet hours end. With a
    daily summary the chat is notified at the next summary. A summary with an hour in quiet hours
    is sent at the end of the quiet hours. A story that expires earlier than half an hour after the
    summary is sent half an hour before the expiry instead. If that moment is in quiet hours, or
    less than half an hour before quiet hours, the story is sent half an hour before the quiet
    hours begin. If the check is later than the computed moment, the check counts: the story is
    sent immediately, or when the quiet hours end. No story is sent after a newer story.
    """
    if member.digest is None:
        return _after_quiet_hours(seen_at, member)
    summary = summary_at(seen_at, expires_at, member)
    if summary is not None:
        return summary
    last = max(seen_at, expires_at - _DIGEST_MARGIN)
    return _after_quiet_hours(max(seen_at, _before_quiet(last, member)), member)


def summary_at(seen_at: datetime, expires_at: datetime, member: AudienceMember) -> datetime | None:
    """Return the time of the daily summary with a story that a check finds at ``seen_at``.

    Return None if the member has no summary, or if the story is sent before the summary.
    """
    if member.digest is None:
        return None
    summary = _next_summary_at(seen_at, member.digest, member)
    return summary if summary <= max(seen_at, expires_at - _DIGEST_MARGIN) else None


def _after_quiet_hours(moment: datetime, member: AudienceMember) -> datetime:
    """Return ``moment``, or the end of the quiet hours that contain ``moment``."""
    return deferred_until(moment, member) or moment


def _next_summary_at(after: datetime, hour: int, member: AudienceMember) -> datetime:
    """Return the time of the first summary after ``after``."""
    until = deferred_until(after, member)
    if until is not None:
        last_hour = _last_local_time(after, hour, member.zone)
        if deferred_until(last_hour, member) == until:
            return until  # a summary due in quiet hours is sent when the quiet hours end
    return _after_quiet_hours(next_local_time(after, hour, member.zone), member)


def _before_quiet(last: datetime, member: AudienceMember) -> datetime:
    """Return ``last``, or half an hour before quiet hours that are too close to ``last``."""
    quiet = member.quiet
    zone = member.zone
    if quiet is None or quiet[0] == quiet[1]:
        return last
    begin = _last_local_time(last + _DIGEST_MARGIN, quiet[0], zone)
    if begin <= last and not is_within(last, quiet, zone):
        return last
    before = begin - _DIGEST_MARGIN
    if is_within(before, quiet, zone):  # if the clocks go back, the quiet hours may begin twice
        before = _last_local_time(before, quiet[0], zone) - _DIGEST_MARGIN
    return before


def _last_local_time(now: datetime, minute: int, zone: str | None) -> datetime:
    """Return the last moment up to ``now`` when the clocks of ``zone`` showed ``minute``."""
    # A day may have 25 hours.
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
    """Return when to check a profile with a last check at ``seen_at``.

    ``due`` is the best time for a check if all chats can be notified at once. If no chat could be
    notified at that time, the check is postponed, but not beyond ``latest`` or ``due``, whichever
    is later. A check before a daily summary may be earlier than ``due``, but not earlier than
    ``earliest``. If ``audience`` is empty, all chats can be notified at any time.
    """
    if not audience:
        return due
    times = [_useful_for(member, due, seen_at, earliest) for member in audience]
    return min(max(latest, due), *times)


def _useful_for(
    member: AudienceMember, due: datetime, seen_at: datetime, earliest: datetime
) -> datetime:
    """Return when the next check can lead to a notification of the member."""
    if member.digest is None:
        return _after_quiet_hours(due, member)
    # A story that the last check did not find was posted after that check. The check covers all
    # summaries of the next ``SUMMARY_LEAD``.
    after = max(seen_at + SUMMARY_LEAD, earliest)
    for posted_at in (seen_at, after, max(after, due)):
        notified = notified_at(posted_at, posted_at + STORY_LIFE, member)
        if notified > max(after, posted_at):
            return max(earliest, notified - SUMMARY_LEAD)
    return max(after, due)  # between long quiet hours, each story is sent as soon as it is found


def is_summary_near(now: datetime, audience: Sequence[AudienceMember]) -> bool:
    """Return whether the check before a daily summary of the audience is due now."""
    return any(
        _next_summary_at(now, member.digest, member) <= now + SUMMARY_LEAD
        for member in audience
        if member.digest is not None
    )


def alerts_begin_at(now: datetime) -> datetime:
    """Return the time from which stories count as new for a new subscription, in whole seconds."""
    return now.replace(microsecond=0)


def is_on_block_list(profile_id: str, username: str, blocked: Collection[str]) -> bool:
    """Return whether the owner has put the profile on the block-list, by id or name."""
    return profile_id in blocked or username in blocked
