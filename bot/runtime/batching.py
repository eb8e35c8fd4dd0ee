"""Group commit: what many ask to be written at the same time is written in one transaction."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bot.runtime.background import wait_for_end

T = TypeVar("T")


@dataclass(eq=False, slots=True)
class _Batch(Generic[T]):
    """What is written together, and the task that writes it; who asks first starts that."""

    items: list[T] = field(default_factory=list)
    writing: asyncio.Task[None] | None = None


class BatchingQueue(Generic[T]):
    """Calls that come while one is being written are written together: one commit for many."""

    def __init__(
        self, write: Callable[[list[T]], Awaitable[None]], *, gather_s: float = 0.0
    ) -> None:
        """Combine calls of ``write``.

        Each batch waits for ``gather_s`` seconds for what else is about to be asked.
        """
        self._gather_s = gather_s
        self._write = write
        self._lock = asyncio.Lock()
        self._next = _Batch[T]()

    async def __call__(self, items: list[T]) -> None:
        """Return when ``items`` are written, also where the caller is cancelled meanwhile.

        Raises:
            Exception: What ``write`` raised, which need not be the fault of ``items``.
        """
        batch = self._next
        batch.items.extend(items)
        if batch.writing is None:
            batch.writing = asyncio.get_running_loop().create_task(self._write_batch(batch))
        (await wait_for_end(batch.writing)).result()

    async def _write_batch(self, batch: _Batch[T]) -> None:
        async with self._lock:
            await asyncio.sleep(self._gather_s)  # what others are about to ask goes along
            self._next = _Batch()
            await self._write(batch.items)
