"""Time zones by name. A name that is missing in this machine's zone database means UTC.

Names change with the releases of the zone database, so a stored name can be missing.
"""

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

# Names in the zone database that name no place. For example, "localtime" is the time zone of the
# machine that runs the bot.
_NO_PLACES = frozenset({"localtime", "Factory", "posixrules"})


def is_zone(name: str) -> bool:
    """Return whether ``name`` is the name of a time zone that a chat can choose.

    A chat can choose each time zone in the zone database of this machine, except the names in
    ``_NO_PLACES``.
    """
    return name in _zone_names()


@cache
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones()) - _NO_PLACES


@cache
def zone_or_utc(name: str | None) -> ZoneInfo:
    """Return the time zone with the name ``name``.

    Return UTC if ``name`` is invalid, or if ``name`` is None because no time zone was chosen.
    """
    try:
        return ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")
