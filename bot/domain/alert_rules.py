"""The rules of alerts, as arithmetic: when to try again, when a chat may be rung.

No clock and no I/O: ``now`` is an argument. Minutes are counted from midnight in a chat's zone.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from bot.domain.budget import DAY
from bot.domain.hours import is_within
from bot.domain.model import STORY_LIFE, Right
from bot.domain.zones import zone_of

MOST_DOUBTS = 2
"""After so many answers in a row that a profile is private, or gone, it is believed."""

KEPT_FOR = timedelta(days=90)
"""For so long after it was posted, a story that a chat keeps can be sent again."""

MAX_COPIES = 3
"""A delivery is sent so often at most where the answer is lost: each copy may have arrived."""

MAX_ATTEMPTS = 30
"""After so many attempts, of which the last has no outcome, a delivery is suspected of a crash.

Another delivery of the same moment may be the cause as well. A suspect is tried once in a quarter
of an hour, each suspect at its own time, until it has arrived or its story is over.
"""

STANDSTILL = timedelta(seconds=30)
"""How long a chat waits after a send whose answer was lost: Telegram may still deliver it."""

REPLY_STANDSTILL = timedelta(seconds=15)
"""How long it waits where what was sent is an answer: somebody waits for it."""

LATE = timedelta(minutes=5)
"""An answer that is older makes no sound in quiet hours; of equal ones only the last is sent."""

UNTOLD_FOR = timedelta(minutes=15)
"""What was given up is told after the next send that Telegram answers, or after this time."""

BOT_RESTS = timedelta(minutes=1)
"""How long nothing is sent after Telegram refused the bot itself; its owner may mend it."""

MAX_REMOVALS = 3
"""After so many sends in a row that another bot removed at once, the place waits for a day."""

LONGEST_WAIT = timedelta(minutes=1)
"""How long a story waits for an earlier one of its subscription that can't be sent."""

TOPIC_SOUGHT_FOR = timedelta(hours=1)
"""How long alerts wait for a topic that Telegram can't find, and that nobody saw deleted."""

SUMMARY_LEAD = timedelta(minutes=10)
"""How long before a daily summary its profiles are checked."""

_MINUTE = timedelta(minutes=1)
_THIRD_COPY_AFTER = timedelta(minutes=15)
_THIRD_REPLY_AFTER = timedelta(minutes=5)
_FIRST_TEST_AGAIN = timedelta(seconds=15)
_FIRST_RETRY = timedelta(seconds=5)
_LAST_RETRY = timedelta(minutes=15)
_FIRST_POLL_AGAIN = timedelta(minutes=1)
_LAST_POLL_AGAIN = timedelta(minutes=30)
_FIRST_UNAVAILABLE_PAUSE = timedelta(minutes=30)  # its owner may have erred, and posts again
_LAST_UNAVAILABLE_PAUSE = DAY
_DIGEST_MARGIN = timedelta(minutes=30)


KINDS_OF: Mapping[Right, frozenset[str]] = {
    "photos": frozenset({"photo"}),
    "videos": frozenset({"video"}),
    "gifs": frozenset({"video"}),  # a video without sound may go out as one
    "documents": frozenset(),  # what was refused as a file waits; ``selection`` knows it
    "media": frozenset({"photo", "video"}),
}
"""Which kinds of stories wait while such a right is missing; for any other right all wait."""


def combine_missing_rights(known: Right, new: Right) -> Right:
    """Return the right that stands for both: ``known``, which was missing, and ``new``, which is.

    The right to photos or videos counts for more than that to files, as which few stories go.
    """
    if "documents" in {known, new} and {known, new} <= KINDS_OF.keys():
        return new if known == "documents" else known
    is_more = known != new and {known, new} <= KINDS_OF.keys()
    return "media" if is_more else new


_PROBE_AFTER = timedelta(minutes=10)
_HOURLY_PROBES = 24


def recheck_right_at(now: datetime, probes: int, missing: Right = "text") -> datetime:
    """Return when to ask again whether the bot may write, after ``probes`` times of asking.

    First after 10 minutes, then each hour for a day, then each day: some groups close at night.
    Where another bot removes our posts, the first three are sent one after the other.
    """
    if missing == "peace":
        return now if probes + 1 < MAX_REMOVALS else now + DAY
    if not probes:
        return now + _PROBE_AFTER
    return now + (timedelta(hours=1) if probes <= _HOURLY_PROBES else DAY)


def retry_at(now: datetime, attempts: int, *, is_repeat: bool = False) -> datetime:
    """Return when to send again after ``attempts`` in a row that surely did not arrive.

    The first pause is longer where a copy may be in the chat already (``is_repeat``).
    """
    first = _FIRST_TEST_AGAIN if is_repeat else _FIRST_RETRY
    return now + _doubled(first, attempts, _LAST_RETRY)


def repeat_asks_again_at(now: datetime, number: int) -> datetime:
    """Return when a repeat asks for its turn again; ``number``, its id, spreads them in time."""
    return now + _FIRST_TEST_AGAIN * (1 + number % 100 / 50)


def lost_answer_wait(*, is_reply: bool) -> timedelta:
    """Return how long a chat waits after the first send of something whose answer was lost."""
    return REPLY_STANDSTILL if is_reply else STANDSTILL


def repeat_at(now: datetime, copies: int, *, is_reply: bool, number: int) -> datetime:
    """Return when something is repeated of which ``copies`` may be in the chat, at most 2.

    ``number``, its id, puts the third copy up to a fifth later: not all come at one moment.
    """
    if copies == 1:
        return now + lost_answer_wait(is_reply=is_reply)
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
    """Return when a delivery that failed is sent again after its chat has received a message.

    Until then its retry was planned for ``due_at``. Without a copy of unknown outcome it is due
    now. A repeat keeps its first pause after the last copy, which is over where the repeat has
    been tried since (``attempts``). The third copy of a reply is advanced only by a message of the
    same kind. The third copy of an alert keeps its pause: while Telegram fails every second call,
    a success says little, and the last copy would be spent before the fault ends.
    """
    if not copies:
        return now
    if copies == MAX_COPIES - 1 and not (is_reply and is_same_kind):
        return due_at
    if attempts:
        return now
    last_copy_at = due_at - (repeat_at(now, copies, is_reply=is_reply, number=number) - now)
    return min(due_at, max(now, last_copy_at + lost_answer_wait(is_reply=is_reply)))


def poll_again_at(now: datetime, failures: int) -> datetime:
    """Return when to check again after ``failures`` checks in a row that failed."""
    return now + _doubled(_FIRST_POLL_AGAIN, failures, _LAST_POLL_AGAIN)


def check_if_back_at(now: datetime, answers: int) -> datetime:
    """Return when to check whether a profile that is private or gone is back.

    ``answers`` in a row have said so. Within the hour at first, as a story lives only a day; then
    later and later, up to a day.
    """
    return now + _doubled(_FIRST_UNAVAILABLE_PAUSE, answers - 1, _LAST_UNAVAILABLE_PAUSE)


def is_refusal_proven(answers: int) -> bool:
    """Return whether so many answers in a row prove that a profile is private, or gone."""
    return answers >= MOST_DOUBTS


def _doubled(first: timedelta, times: int, most: timedelta) -> timedelta:
    return min(first * (1 << min(max(times - 1, 0), 16)), most)


def missed_hours(snapshot_at: datetime | None, now: datetime) -> tuple[datetime, datetime] | None:
    """Return the hours whose stories nobody saw: they expired before this check."""
    gone = now - STORY_LIFE
    return (snapshot_at, gone) if snapshot_at is not None and snapshot_at < gone else None


def missed_notice_fields(username: str, begin: datetime, end: datetime) -> dict[str, str | int]:
    """Return the fields of the notice that stories of these hours may be missing, in Unix ms."""
    begun, ended = (int(moment.timestamp() * 1000) for moment in (begin, end))
    return {"username": username, "from": begun, "to": ended}


def next_local_time(now: datetime, minute: int, zone: str) -> datetime:
    """Return the first moment after ``now`` when the clocks of ``zone`` show ``minute``.

    Where the clocks are put forward over it, it is that much later; where they show it twice, each
    time counts.
    """
    place = zone_of(zone)
    today = now.astimezone(place).date()
    at = time(minute // 60 % 24, minute % 60)
    readings = [
        datetime.combine(
            today + timedelta(days=day), at.replace(fold=fold), tzinfo=place
        ).astimezone(now.tzinfo)
        for day in (-1, 0, 1)  # yesterday, where the clocks go back over midnight
        for fold in (0, 1)
    ]
    # Of a time that the clocks skip, the second reading would be too early.
    moments = readings[::2] + [m for m in readings[1::2] if m.astimezone(place).time() == at]
    return min(moment for moment in moments if moment > now)


def quiet_until(now: datetime, quiet: tuple[int, int] | None, zone: str) -> datetime | None:
    """Return when the quiet hours end, None when it is not quiet now."""
    if quiet is None or not is_within(now, quiet, zone):
        return None
    end = next_local_time(now, quiet[1], zone)
    # Clocks put forward over the end may show what is in the next quiet hours.
    while is_within(end, quiet, zone):
        end = next_local_time(end, quiet[1], zone)
    while not is_within(end - _MINUTE, quiet, zone):  # of an end that is skipped, it was as late
        end -= _MINUTE
    return end


@dataclass(frozen=True, slots=True)
class AudienceMember:
    """When a chat can be notified; ``quiet`` and ``digest`` are minutes of the day of ``zone``.

    ``digest`` is the hour of the daily summary, None for a subscription that does not use it.
    """

    zone: str
    quiet: tuple[int, int] | None = None
    digest: int | None = None


def heard_at(seen_at: datetime, expires_at: datetime, member: AudienceMember) -> datetime:
    """Return when a chat hears of a story that a check finds at ``seen_at``.

    The delivery of alerts and the planning of checks both use this function.

    Without a daily summary the chat hears of the story at once; in quiet hours, at their end.
    With a daily summary the chat hears of the story at the next summary. A summary whose hour is
    in quiet hours is sent at their end. A story whose life ends less than half an hour after the
    summary is sent before the summary: half an hour before the end of its life. Where that moment
    is in quiet hours, or less than half an hour before them, the story is sent half an hour before
    the quiet hours begin. So no story is sent after a newer one.
    """
    if member.digest is None:
        return _when_awake(seen_at, member)
    last = max(seen_at, expires_at - _DIGEST_MARGIN)
    summary = _next_summary_at(seen_at, member.digest, member)
    if summary <= last:
        return summary
    return _when_awake(max(seen_at, _before_quiet(last, member)), member)


def _when_awake(moment: datetime, member: AudienceMember) -> datetime:
    """Return the moment itself, or the end of the quiet hours in which it is."""
    return quiet_until(moment, member.quiet, member.zone) or moment


def _next_summary_at(after: datetime, hour: int, member: AudienceMember) -> datetime:
    """Return when the first summary after ``after`` is sent."""
    until = quiet_until(after, member.quiet, member.zone)
    if until is not None:
        last_hour = _last_local_time(after, hour, member.zone)
        if quiet_until(last_hour, member.quiet, member.zone) == until:
            return until  # these quiet hours hold a summary back
    return _when_awake(next_local_time(after, hour, member.zone), member)


def _before_quiet(last: datetime, member: AudienceMember) -> datetime:
    """Return ``last``, or half an hour before the quiet hours that are too near to it."""
    quiet, zone = member.quiet, member.zone
    if quiet is None or quiet[0] == quiet[1]:
        return last
    begin = _last_local_time(last + _DIGEST_MARGIN, quiet[0], zone)
    if begin <= last and not is_within(last, quiet, zone):
        return last
    before = begin - _DIGEST_MARGIN
    if is_within(before, quiet, zone):  # clocks put back may let them begin twice
        before = _last_local_time(before, quiet[0], zone) - _DIGEST_MARGIN
    return before


def _last_local_time(now: datetime, minute: int, zone: str) -> datetime:
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
    """Return when to check a profile whose last check was at ``seen_at``.

    ``due`` is when a check is worth its price if everybody can be notified at once. A check that
    brings nobody anything then is made later, but never after ``latest`` (and ``due``). The check
    before a daily summary is made once, also where ``due`` is later, but not before ``earliest``.
    An empty audience stands for one in which somebody can always be notified.
    """
    if not audience:
        return due
    times = [_useful_for(member, due, seen_at, earliest) for member in audience]
    return min(max(latest, due), *times)


def _useful_for(
    member: AudienceMember, due: datetime, seen_at: datetime, earliest: datetime
) -> datetime:
    """Return when the next check brings a member of the audience anything."""
    if member.digest is None:
        return _when_awake(due, member)
    # What the last check could not show was posted after it; a check shows all for a summary that
    # is at most the lead away.
    after = max(seen_at + SUMMARY_LEAD, earliest)
    for posted_at in (seen_at, after, max(after, due)):
        heard = heard_at(posted_at, posted_at + STORY_LIFE, member)
        if heard > max(after, posted_at):
            return max(earliest, heard - SUMMARY_LEAD)
    return max(after, due)  # between long quiet hours all is sent at once


def is_summary_near(now: datetime, audience: Sequence[AudienceMember]) -> bool:
    """Return whether the check before a daily summary of the audience is to be made now."""
    return any(
        _next_summary_at(now, member.digest, member) <= now + SUMMARY_LEAD
        for member in audience
        if member.digest is not None
    )


def alerts_begin_at(now: datetime) -> datetime:
    """Return the time from which stories are news to who begins now; in whole seconds."""
    return now.replace(microsecond=0)


def is_on_block_list(profile_id: str, username: str, blocked: Collection[str]) -> bool:
    """Return whether the owner has put the profile on the block-list, by id or name."""
    return profile_id in blocked or username in blocked
