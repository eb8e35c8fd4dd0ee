"""Group commit: what many ask to be written at the same time is written in one transaction."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Combined(Generic[T]):
    """Calls that come while one is being written are written together: one commit for many."""

    def __init__(self, write: Callable[[list[T]], Awaitable[None]]) -> None:
        """Combine calls of ``write``."""
        self._write = write
        self._lock = asyncio.Lock()
        self._next: tuple[list[T], list[BaseException]] = ([], [])

    async def __call__(self, items: list[T]) -> None:
        """Return when ``items`` are written.

        Raises:
            RuntimeError: The batch could not be written; nothing of it is.
        """
        batch, errors = self._next
        batch.extend(items)
        async with self._lock:
            if self._next[0] is batch:
                self._next = ([], [])
                try:
                    await self._write(batch)
                except BaseException as error:
                    errors.append(error)
                    raise
        if errors:
            raise RuntimeError("the batch could not be written") from errors[0]
