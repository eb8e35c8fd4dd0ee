"""A cache in memory with expiring entries and a maximum size.

Use such a cache only if the bot may lose an entry at any time, for example at a restart.
docs/data.md lists all caches.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from datetime import datetime
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
SIZE = 10_000  # the default maximum number of entries


class TimedCache(Generic[K, V]):
    """A cache whose entries have an expiry time."""

    def __init__(self, *, size: int = SIZE) -> None:
        """Create an empty cache of at most ``size`` entries.

        A new entry in a full cache replaces the entry that was not written for the longest time.
        """
        self._size = size
        self._entries: OrderedDict[K, tuple[V, datetime]] = OrderedDict()

    def put(self, key: K, value: V, *, until: datetime) -> None:
        """Write an entry that expires at ``until``, and replace the previous entry of ``key``."""
        self._entries[key] = (value, until)
        self._entries.move_to_end(key)
        while len(self._entries) > self._size:
            self._entries.popitem(last=False)

    def get(self, key: K, *, now: datetime) -> V | None:
        """Return the value of ``key``, or None if the entry is missing or expired."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        value, until = entry
        return value if now < until else None

    def items(self, *, now: datetime) -> Iterator[tuple[K, V]]:
        """Yield the keys and values that have not expired."""
        for key, (value, until) in self._entries.items():
            if now < until:
                yield key, value

    def remove(self, key: K) -> None:
        """Remove the entry of ``key`` if it exists."""
        self._entries.pop(key, None)
