"""What was said or done a moment ago, so that it is not repeated; in memory only.

A restart, or another replica, may say a thing once more: that harms nobody, and a table would be
written with every message.
"""

from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

T = TypeVar("T")
MOST = 10_000  # entries; the oldest go


class Recent(Generic[T]):
    """Values with the time when they were noted."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._noted: OrderedDict[Hashable, tuple[datetime, T]] = OrderedDict()

    def record(self, key: Hashable, value: T, *, now: datetime) -> None:
        """Keep ``value`` under ``key``."""
        self._noted[key] = (now, value)
        self._noted.move_to_end(key)
        while len(self._noted) > MOST:
            self._noted.popitem(last=False)

    def get(self, key: Hashable, *, within: timedelta, now: datetime) -> T | None:
        """Return what was noted under ``key`` not longer ago than ``within``, else None."""
        at, value = self._noted.get(key, (None, None))
        return value if at is not None and now - at < within else None

    def forget(self, key: Hashable) -> None:
        """Let nothing be noted under ``key``."""
        self._noted.pop(key, None)
