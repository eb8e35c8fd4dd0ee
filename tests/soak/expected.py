"""When a story must be in a chat, by what people are told: the documentation, not the bot's code.

- A story arrives when a check has found it; in quiet hours, when they end.
- With the daily summary it arrives at the summary's hour, or where that is in quiet hours, when
  they end. A story posted ``LEAD_S`` before that hour is in that summary.
- After a change of the hour, the zone or the quiet hours, a waiting story goes by the new ones.
- A pause or the end of a subscription drops what waits. Undo brings all of it back.

Pure: times are Unix seconds; `datetime` and `zoneinfo` alone know the clocks of a place.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

MINUTE = 60.0
HOUR = 3600.0
DAY = 24 * HOUR
LEAD_S = 15 * MINUTE
"""10 minutes before the hour a story is in the summary; 5 are for the check itself."""
LAST_S = 35 * MINUTE
"""A summary that comes so shortly before the end of a story, or later, may be too late for it."""


@dataclass(frozen=True)
class Terms:
    """What a chat has decided about one subscription; hours are minutes of the chat's day."""

    zone: str = "UTC"
    quiet: tuple[int, int] | None = None
    summary: int | None = None
    """The hour of the daily summary, None where stories come at once."""
    silent: bool = False
    paused: bool = False
    is_open: bool = True
    options: dict[str, Any] = field(default_factory=dict, compare=False)
    number: int = 0
    """The subscription's id."""


class Span(NamedTuple):
    """Terms from ``begin`` to ``end``; None: nothing is followed."""

    begin: float
    end: float
    terms: Terms | None
    is_undone: bool = False
    """The subscription was ended, or paused, and Undo has brought it back at ``end``."""


class Due(NamedTuple):
    """Between which moments a story arrives."""

    earliest: float
    latest: float
    at_summary: float | None = None
    """The hour of the summary that it is in."""


def is_quiet(at: float, terms: Terms) -> bool:
    """Return whether it is quiet at a moment."""
    if terms.quiet is None or terms.quiet[0] == terms.quiet[1]:
        return False
    begin, end = terms.quiet
    local = datetime.fromtimestamp(at, ZoneInfo(terms.zone))
    minute = local.hour * 60 + local.minute
    return begin <= minute < end if begin < end else minute >= begin or minute < end


def quiet_ends(at: float, terms: Terms) -> float:
    """Return the first whole minute from ``at`` on that is not quiet, or ``at``."""
    while is_quiet(at, terms):
        at = (at // MINUTE + 1) * MINUTE
    return at


def hours_after(at: float, minute: int, zone: str) -> Iterator[float]:
    """Generate the moments from ``at`` on when the clocks of a zone show a time of day.

    A time that is skipped where clocks are put forward counts as much later; of one that is shown
    twice the first counts.
    """
    place = ZoneInfo(zone)
    day: date = datetime.fromtimestamp(at, place).date() - timedelta(days=1)
    while True:
        local = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=place)
        if (moment := local.timestamp()) >= at:
            yield moment
        day += timedelta(days=1)


def summary_after(at: float, terms: Terms) -> tuple[float, float]:
    """Return the next summary from ``at`` on: its hour, and when it arrives."""
    assert terms.summary is not None
    hour = next(hours_after(at, terms.summary, terms.zone))
    return hour, quiet_ends(hour, terms)


def due(taken: float, known: float, spans: Sequence[Span], doubt: float) -> Due | None:
    """Return when a story must arrive; None where it need not, or nobody can say.

    ``known`` is when a check has shown it, or endless. ``spans`` are in order; where one ends and
    the next begins is known but for ``doubt`` seconds.
    """
    live = [span for span in spans if span.end > taken]
    before = spans[: len(spans) - len(live)]
    begins = not before or not (_brings(before[-1]) or before[-1].is_undone)
    if not live or (begins and live[0].begin + doubt + MINUTE > taken):
        return None  # it may have been there when the subscription began
    is_steady = True
    for span in live:
        if span.is_undone:
            is_steady = False
            continue
        if span.terms is None or not _brings(span):
            return None
        found = _within(span, span.terms, taken, known, doubt)
        if found is not None:
            return found if is_steady else found._replace(earliest=taken)
        is_steady = False
    return None


def _brings(span: Span) -> bool:
    """Return whether a subscription is there, is not paused, and the bot is in its chat."""
    return span.terms is not None and not span.terms.paused and span.terms.is_open


def _within(span: Span, terms: Terms, taken: float, known: float, doubt: float) -> Due | None:
    """Return when a story arrives while these terms hold; None: not then."""
    if terms.summary is None:
        moment = quiet_ends(max(span.begin, taken, known), terms)
        # What must not come in quiet hours is another rule.
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
    if moment > end - LAST_S:  # it goes out before, but not in quiet hours
        return Due(taken, quiet_ends(end, terms), hour)
    if span.begin > taken or _is_after_a_quiet_summary(taken, terms):
        earliest = taken
    return Due(earliest, moment, hour)


def _is_after_a_quiet_summary(taken: float, terms: Terms) -> bool:
    """Return whether a summary waits for the end of quiet hours; a story may join it."""
    assert terms.summary is not None
    hour = next(hours_after(taken - DAY, terms.summary, terms.zone))
    return hour <= taken <= quiet_ends(hour, terms)
