"""Times of day in minutes after midnight: parsing ("23-7", "9:30 pm") and comparison; pure."""

import re
from datetime import datetime

from bot.domain.zones import zone_of

_DAY = 24 * 60
_TIME = r"(\d{1,2})(?:[:.h](\d{2}))?\s*(?:h|uhr)?\s*([ap]\.?m\.?|[صم])?"
_TO = (
    r"\s*(?:-|\u2013|\u2014|to|till|until|a|à|ate|até|hasta|до|по|bis|alle|تا|से|sampai|s/d"
    r"|إلى|الى)\s*"
)
_FROM = r"(?:from|von|dalle|de|desde|das|\u0441|dari|من)?\s*"
_HOURS = re.compile(_FROM + _TIME + _TO + _TIME)
_HOUR = re.compile(r"(?:at|a las|às|в|jam|في|um|alle|à|saat|\u043e\u0431?|ساعت)?\s*" + _TIME)


def parse_hours(text: str) -> tuple[int, int] | None:
    """Parse the start and end of a span of hours; return None if the text is no span."""
    match = _HOURS.fullmatch(text.strip().lower())
    if match is None:
        return None
    start, end = _minutes(*match.group(1, 2, 3)), _minutes(*match.group(4, 5, 6))
    return None if start is None or end is None else (start, end)


def parse_hour(text: str) -> int | None:
    """Parse one time of day; return None if the text is no time of day."""
    match = _HOUR.fullmatch(text.strip().lower())
    return _minutes(*match.groups()) if match else None


def is_within(at: datetime, hours: tuple[int, int] | None, zone: str | None) -> bool:
    """Return whether a moment is within hours of the day; the hours may span midnight."""
    if hours is None or hours[0] == hours[1]:
        return False
    local = at.astimezone(zone_of(zone))
    minute = local.hour * 60 + local.minute
    begin, end = hours
    return begin <= minute < end if begin < end else minute >= begin or minute < end


def _minutes(hour: str, minute: str | None, half: str | None) -> int | None:
    """Return the minutes after midnight; 24:00 is 0:00."""
    hours, minutes = int(hour), int(minute or 0)
    if half:
        if not 1 <= hours <= 12:  # noqa: PLR2004 - hours of half a day
            return None
        hours = hours % 12 + (12 if half[0] in "pم" else 0)
    total = hours * 60 + minutes
    return total % _DAY if total <= _DAY and minutes < 60 else None  # noqa: PLR2004 - minutes of an hour
