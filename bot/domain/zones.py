"""Time zones by their names; one that this machine does not know is UTC, and stops nobody.

Names come and go with the database of zones: a chat may have chosen one that another machine, or
a later release, does not have.
"""

from functools import cache
from zoneinfo import ZoneInfo


@cache
def zone_of(name: str) -> ZoneInfo:
    """Return the zone of this name, UTC where nobody knows it."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")
