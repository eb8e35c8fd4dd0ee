"""Slots that limit concurrent tasks, fairly among holders, with extra slots for slow tasks."""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import count
from weakref import WeakValueDictionary


class FairSlots:
    """At most ``most`` concurrent slots in total and ``each`` per holder, in order of arrival."""

    def __init__(self, most: int, *, each: int) -> None:
        """Create free slots."""
        self._all = asyncio.Semaphore(most)
        self._each = each
        self._of: WeakValueDictionary[Hashable, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def slot(self, holder: Hashable) -> AsyncIterator[None]:
        """Wait for a slot and hold the slot during the block."""
        own = self._of.get(holder)
        if own is None:
            own = self._of[holder] = asyncio.Semaphore(self._each)
        # The holder's own limit comes first, so a waiting holder blocks no slot of a different
        # holder.
        async with own, self._all:
            yield


SLOW_AFTER = timedelta(seconds=5)
"""The time for which a task occupies a fast slot."""


class FastAndSlowSlots:
    """Slots for tasks: a task that runs for 5 seconds moves from a fast slot to a slow slot.

    Tasks that wait for a slow server therefore do not delay other tasks. While all slow slots are
    taken, a task stays in its fast slot. The current time is an argument.
    """

    def __init__(self, fast: int, slow: int) -> None:
        """Create free slots."""
        self.fast = fast
        self._most_slow = slow
        self._tickets = count()
        self._begun: dict[int, datetime] = {}  # the start times by task, earliest first

    def __len__(self) -> int:
        """Return the number of running tasks, including tasks in slow slots."""
        return len(self._begun)

    def take(self, now: datetime) -> int:
        """Record the start of a task. Return the ticket for the end of the task."""
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
        """Return the number of tasks that may start now."""
        return max(0, self.fast - (len(self) - self.count_slow(now)))

    def next_free_at(self, now: datetime) -> datetime | None:
        """Return when the next task moves to a slow slot, or None if only an end frees a slot."""
        begun = list(self._begun.values())
        moved = self.count_slow(now)
        if moved == self._most_slow or moved == len(begun):
            return None
        return begun[moved] + SLOW_AFTER
