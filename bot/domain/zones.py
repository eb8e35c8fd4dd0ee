"""Time zones by their names; one that this machine does not know is UTC, and stops nobody.

Names come and go with the database of zones: a chat may have chosen one that another machine, or
a later release, does not have.
"""

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

_NO_PLACES = frozenset({"localtime", "Factory", "posixrules"})  # what a machine calls its own


def is_zone(name: str) -> bool:
    """Return whether a chat may choose this name: one of the list, the same on every machine."""
    return name in _zone_names()


@cache
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones()) - _NO_PLACES


@cache
def zone_of(name: str) -> ZoneInfo:
    """Return the zone of this name, UTC where nobody knows it."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")
