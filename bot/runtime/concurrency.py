"""Slots for what runs at the same time: few for each, first come first; more where it is slow."""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import count
from weakref import WeakValueDictionary


class FairSlots:
    """At most ``most`` at a time, and ``each`` of them for one holder; first come first."""

    def __init__(self, most: int, *, each: int) -> None:
        """Begin with all of them free."""
        self._all = asyncio.Semaphore(most)
        self._each = each
        self._of: WeakValueDictionary[Hashable, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def slot(self, holder: Hashable) -> AsyncIterator[None]:
        """Wait for a slot and have it for the block."""
        own = self._of.get(holder)
        if own is None:
            own = self._of[holder] = asyncio.Semaphore(self._each)
        # One's own limit first: who waits for it keeps no slot from anybody else.
        async with own, self._all:
            yield


SLOW_AFTER = timedelta(seconds=5)
"""How long a task has a fast slot."""


class FastAndSlowSlots:
    """Slots for tasks: a task that runs for 5 seconds moves from a fast slot to a slow one.

    So tasks that wait for a slow server hold up no other tasks. While all slow slots are taken, a
    task stays in its fast slot. The current time is an argument.
    """

    def __init__(self, fast: int, slow: int) -> None:
        """Begin with all of them free."""
        self.fast = fast
        self._most_slow = slow
        self._tickets = count()
        self._begun: dict[int, datetime] = {}  # in the order of the starts

    def __len__(self) -> int:
        """Return the number of tasks that run, slow ones among them."""
        return len(self._begun)

    def take(self, now: datetime) -> int:
        """Record the start of a task; return the ticket for its end."""
        ticket = next(self._tickets)
        self._begun[ticket] = now
        return ticket

    def release(self, ticket: int) -> None:
        """Record the end of a task."""
        del self._begun[ticket]

    def count_slow(self, now: datetime) -> int:
        """Return the number of tasks in slow slots."""
        old = sum(now - begun >= SLOW_AFTER for begun in self._begun.values())
        return min(old, self._most_slow)

    def count_free(self, now: datetime) -> int:
        """Return the number of tasks that may begin now."""
        return max(0, self.fast - (len(self) - self.count_slow(now)))

    def next_free_at(self, now: datetime) -> datetime | None:
        """Return when the next task moves to a slow slot; None if only an end frees a slot."""
        begun = list(self._begun.values())
        moved = self.count_slow(now)
        if moved == self._most_slow or moved == len(begun):
            return None
        return begun[moved] + SLOW_AFTER
