"""Slots for what runs at the same time: few for each, first come first."""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
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
