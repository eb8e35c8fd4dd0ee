"""Places for what runs at the same time: not held while their holder only waits, fair by person.

A task that waits for a flood limit or for an answer that others may have to wait for does no work,
so it must not keep others from theirs. ``waiting`` marks such a wait where it happens, however
deep; whoever started the task sees its place become free.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from weakref import WeakValueDictionary


class Place:
    """The place of one task; ``is_held`` is false while the task only waits."""

    def __init__(self, on_free: Callable[[], None] = lambda: None) -> None:
        """``on_free`` is called whenever the place becomes free for somebody else."""
        self._on_free = on_free
        self._waits = 0

    @property
    def is_held(self) -> bool:
        """Return whether the task works now."""
        return self._waits == 0

    def take(self) -> None:
        """Make this the place of the task that calls, and of the tasks that it starts."""
        _place.set(self)

    @contextmanager
    def left(self) -> Iterator[None]:
        """Leave the place for the block; it is taken again at once after it, free or not."""
        self._waits += 1
        if self._waits == 1:
            self._on_free()
        try:
            yield
        finally:
            self._waits -= 1


_place: ContextVar[Place | None] = ContextVar("place", default=None)


@contextmanager
def waiting() -> Iterator[None]:
    """Give back the place of this task, if it has one, while the block waits."""
    place = _place.get()
    if place is None:
        yield
    else:
        with place.left():
            yield


class FairSlots:
    """At most ``most`` at a time, and at most ``each`` of them for one holder; first come first.

    Who waits here holds no ``Place``.
    """

    def __init__(self, most: int, *, each: int) -> None:
        """Begin with all of them free."""
        self._all = asyncio.Semaphore(most)
        self._each = each
        self._of: WeakValueDictionary[Hashable, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def slot(self, holder: Hashable) -> AsyncIterator[None]:
        """Wait for a slot and have it for the block; ``waiting`` is up to who calls inside."""
        own = self._of.get(holder)
        if own is None:
            own = self._of[holder] = asyncio.Semaphore(self._each)
        # One's own limit first: who waits for it keeps no slot from anybody else.
        async with own, self._all:
            yield
