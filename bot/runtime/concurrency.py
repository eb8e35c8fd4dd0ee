"""Slots that limit the number of concurrent tasks.

``FairSlots`` also limits the number of tasks of each holder, for example of each person.
``FastAndSlowSlots`` has extra slots for slow tasks.
"""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import count
from weakref import WeakValueDictionary


class FairSlots:
    """Slots with a limit in total and a limit for each holder.

    The waiting tasks of a holder get slots in the order of arrival.
    """

    def __init__(self, most: int, *, each: int) -> None:
        """Create ``most`` free slots. A holder can occupy at most ``each`` slots at a time."""
        self._all = asyncio.Semaphore(most)
        self._each = each
        self._of: WeakValueDictionary[Hashable, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def slot(self, holder: Hashable) -> AsyncIterator[None]:
        """Wait for a free slot for ``holder``, and occupy the slot during the ``with`` block."""
        own = self._of.get(holder)
        if own is None:
            own = self._of[holder] = asyncio.Semaphore(self._each)
        # The holder's own limit is checked first, so that a holder who waits because of this limit
        # does not occupy a slot that other holders could use.
        async with own, self._all:
            yield


SLOW_AFTER = timedelta(seconds=5)
"""The time after which a task moves from a fast slot to a slow slot."""


class FastAndSlowSlots:
    """Fast slots and slow slots for tasks.

    After 5 seconds, a task moves from a fast slot to a free slow slot, so that slow tasks do not
    delay other tasks.
    """

    def __init__(self, fast: int, slow: int) -> None:
        """Create free slots.

        ``fast`` is the number of fast slots, and ``slow`` is the number of slow slots.
        """
        self.fast = fast
        self._most_slow = slow
        self._tickets = count()
        self._begun: dict[int, datetime] = {}  # the start time of each task, earliest first

    def __len__(self) -> int:
        """Return the number of running tasks, including tasks in slow slots."""
        return len(self._begun)

    def record_start_and_return_ticket(self, now: datetime) -> int:
        """Record the start of a task. Return the ticket with which ``record_end`` must be called.

        The method neither waits for a slot nor checks that a slot is free (``count_free``).
        """
        ticket = next(self._tickets)
        self._begun[ticket] = now
        return ticket

    def record_end(self, ticket: int) -> None:
        """Record the end of the task with the ticket ``ticket``."""
        del self._begun[ticket]

    def count_slow(self, now: datetime) -> int:
        """Return the number of tasks in slow slots."""
        old = sum(now - begun >= SLOW_AFTER for begun in self._begun.values())
        return min(old, self._most_slow)

    def count_free(self, now: datetime) -> int:
        """Return the number of free fast slots, which is the number of tasks that may start."""
        return max(0, self.fast - (len(self) - self.count_slow(now)))

    def next_free_at(self, now: datetime) -> datetime | None:
        """Return the time at which the next task moves to a slow slot and frees a fast slot.

        Return None if no fast slot becomes free before a task ends.
        """
        begun = list(self._begun.values())
        moved = self.count_slow(now)
        if moved == self._most_slow or moved == len(begun):
            return None
        return begun[moved] + SLOW_AFTER
