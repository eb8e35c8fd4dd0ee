"""Expected arrival times of stories, by the documentation, independent of the bot's code.

- A story arrives when a check has found the story; in quiet hours, at the end of the quiet hours.
- With the daily summary, a story arrives at the summary's hour, or at the end of quiet hours that
  include the hour. A story posted ``LEAD_S`` before the hour is in the summary.
- After a change of the hour, the zone or the quiet hours, the new settings apply to pending
  stories.
- A pause or the end of a subscription drops pending stories. Undo restores all stories that
  have not expired. If the bot has returned to the chat in between, Undo restores only stories that
  were posted since then.

Pure: times are Unix seconds. Only `datetime` and `zoneinfo` know the local time.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

MINUTE = 60.0
HOUR = 3600.0
DAY = 24 * HOUR
LEAD_S = 15 * MINUTE
"""A story 10 minutes before the hour is in the summary. The check may take 5 more minutes."""
LAST_S = 35 * MINUTE
"""A summary that is closer to the end of a story, or later, may be too late for the story."""


@dataclass(frozen=True)
class Terms:
    """The settings of a chat for one subscription. Times of day are minutes of the chat's day."""

    zone: str = "UTC"
    quiet: tuple[int, int] | None = None
    summary: int | None = None
    """The time of the daily summary, or None for immediate alerts."""
    silent: bool = False
    paused: bool = False
    is_open: bool = True
    options: dict[str, Any] = field(default_factory=dict, compare=False)
    number: int = 0
    """The subscription's id."""


class Span(NamedTuple):
    """Settings from ``begin`` to ``end``. None means no subscription."""

    begin: float
    end: float
    terms: Terms | None
    is_undone: bool = False
    """Whether a removal or pause of the subscription, or rules, were undone after ``begin``."""


class Due(NamedTuple):
    """The period in which a story arrives."""

    earliest: float
    latest: float
    at_summary: float | None = None
    """The hour of the summary that contains the story."""


def is_quiet(at: float, terms: Terms) -> bool:
    """Return whether a time is within the quiet hours."""
    if terms.quiet is None or terms.quiet[0] == terms.quiet[1]:
        return False
    begin, end = terms.quiet
    local = datetime.fromtimestamp(at, ZoneInfo(terms.zone))
    minute = local.hour * 60 + local.minute
    return begin <= minute < end if begin < end else minute >= begin or minute < end


def quiet_ends(at: float, terms: Terms) -> float:
    """Return ``at`` or, during quiet hours, the first whole minute after the quiet hours."""
    while is_quiet(at, terms):
        at = (at // MINUTE + 1) * MINUTE
    return at


def hours_after(at: float, minute: int, zone: str) -> Iterator[float]:
    """Yield the times from ``at`` on at which a zone's local time is the given time of day.

    A time skipped by a clock change counts as later by the change. The first occurrence of a
    repeated time counts.
    """
    place = ZoneInfo(zone)
    day: date = datetime.fromtimestamp(at, place).date() - timedelta(days=1)
    while True:
        local = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=place)
        if (moment := local.timestamp()) >= at:
            yield moment
        day += timedelta(days=1)


def summary_after(at: float, terms: Terms) -> tuple[float, float]:
    """Return the hour and the arrival of the next summary from ``at`` on."""
    assert terms.summary is not None
    hour = next(hours_after(at, terms.summary, terms.zone))
    return hour, quiet_ends(hour, terms)


def due(taken: float, known: float, spans: Sequence[Span], doubt: float) -> Due | None:
    """Return the expected arrival of a story, or None if no arrival is required or predictable.

    ``known`` is the time of the check that found the story, or infinity. ``spans`` are in order.
    The limits of spans are known with an accuracy of ``doubt`` seconds.
    """
    live = [span for span in spans if span.end > taken]
    before = spans[: len(spans) - len(live)]
    begins = not before or not (brings(before[-1]) or before[-1].is_undone)
    if not live or (begins and live[0].begin + doubt + MINUTE > taken):
        return None  # the story may precede the subscription
    is_steady = True
    for span in live:
        if span.is_undone:
            if span.end + doubt > taken + DAY:
                return None  # Undo restores no expired story
            is_steady = False
            continue
        if span.terms is None or not brings(span):
            return None
        found = _within(span, span.terms, taken, known, doubt)
        if found is not None:
            return found if is_steady else found._replace(earliest=taken)
        is_steady = False
    return None


def brings(span: Span) -> bool:
    """Return whether a subscription exists, is not paused, and the bot is in the chat."""
    return span.terms is not None and not span.terms.paused and span.terms.is_open


def _within(span: Span, terms: Terms, taken: float, known: float, doubt: float) -> Due | None:
    """Return the arrival of a story under the settings of a span, or None."""
    if terms.summary is None:
        if known == math.inf:
            return None  # no check found the story
        moment = quiet_ends(max(span.begin, taken, known), terms)
        # A separate rule checks that no alert arrives in quiet hours.
        return Due(taken, moment) if moment < span.end - doubt else None
    first = max(span.begin, taken)
    _, earliest = summary_after(taken, terms)
    while True:
        hour, moment = summary_after(first, terms)
        if moment >= span.end - doubt:
            return None
        ready = max(span.begin, taken) + LEAD_S
        if hour >= ready or (hour >= span.begin + doubt and known < hour - MINUTE):
            break
        first = hour + MINUTE
    end = taken + DAY
    if moment > end - LAST_S:  # it is sent earlier, but not in quiet hours
        return Due(taken, quiet_ends(end, terms), hour)
    if span.begin > taken or _is_after_a_quiet_summary(taken, terms):
        earliest = taken
    return Due(earliest, moment, hour)


def _is_after_a_quiet_summary(taken: float, terms: Terms) -> bool:
    """Return whether a summary is deferred by quiet hours, so that the story may be included."""
    assert terms.summary is not None
    hour = next(hours_after(taken - DAY, terms.summary, terms.zone))
    return hour <= taken <= quiet_ends(hour, terms)
