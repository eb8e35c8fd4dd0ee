"""What was said, done or answered lately, so that it is not repeated; in memory only.

A restart, or another replica, may do a thing once more: that harms nobody, and a table would be
written with every message.
"""

from collections import OrderedDict
from collections.abc import Hashable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

T = TypeVar("T")
MOST = 10_000  # entries; the oldest go


class Recent(Generic[T]):
    """Values with the time when they were recorded."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._recorded: OrderedDict[Hashable, tuple[datetime, T]] = OrderedDict()

    def record(self, key: Hashable, value: T, *, now: datetime) -> None:
        """Keep ``value`` under ``key``."""
        self._recorded[key] = (now, value)
        self._recorded.move_to_end(key)
        while len(self._recorded) > MOST:
            self._recorded.popitem(last=False)

    def get(self, key: Hashable, *, within: timedelta, now: datetime) -> T | None:
        """Return what was recorded under ``key`` not longer ago than ``within``, else None."""
        at, value = self._recorded.get(key, (None, None))
        return value if at is not None and now - at < within else None

    def forget(self, key: Hashable) -> None:
        """Let nothing be recorded under ``key``."""
        self._recorded.pop(key, None)
