"""Time zones by name. A name that this machine does not know is treated as UTC.

Zone names change with the zone database: a chat may have chosen a name that another machine, or a
later release, does not have.
"""

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

# Names that are no places: for example, the zone of the machine that runs the bot.
_NO_PLACES = frozenset({"localtime", "Factory", "posixrules"})


def is_zone(name: str) -> bool:
    """Return whether a chat may choose this name. This machine's zone database has the names."""
    return name in _zone_names()


@cache
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones()) - _NO_PLACES


@cache
def zone_of(name: str | None) -> ZoneInfo:
    """Return the time zone of this name, or UTC for an invalid name and for None (not set)."""
    try:
        return ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")
