"""Group commit: what many ask to be written at the same time is written in one transaction."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class BatchingQueue(Generic[T]):
    """Calls that come while one is being written are written together: one commit for many."""

    def __init__(
        self,
        write: Callable[[list[T]], Awaitable[None]],
        *,
        outages: tuple[type[Exception], ...] = (),
    ) -> None:
        """Combine calls of ``write``; ``outages`` are errors of which no batch is the cause."""
        self._outages = outages
        self._write = write
        self._lock = asyncio.Lock()
        self._next: tuple[list[T], list[BaseException]] = ([], [])

    async def __call__(self, items: list[T]) -> None:
        """Return when ``items`` are written.

        Raises:
            Exception: One of ``outages``; nothing of the batch is written.
            RuntimeError: The batch could not be written, which need not be the fault of ``items``.
        """
        batch, errors = self._next
        batch.extend(items)
        async with self._lock:
            if self._next[0] is batch:
                await asyncio.sleep(0)  # what others are about to ask at this moment goes along
                self._next = ([], [])
                try:
                    await self._write(batch)
                except BaseException as error:
                    errors.append(error)
                    raise
        if errors and isinstance(errors[0], self._outages):
            raise type(errors[0])(str(errors[0])) from errors[0]
        if errors:
            raise RuntimeError("the batch could not be written") from errors[0]
