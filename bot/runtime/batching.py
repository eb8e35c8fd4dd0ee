"""Group commit: concurrent writes are combined into a single transaction."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bot.runtime.background import wait_for_end

T = TypeVar("T")


@dataclass(eq=False, slots=True)
class _Batch(Generic[T]):
    """A batch with its items, and the task that writes the batch.

    The first caller starts the task.
    """

    items: list[T] = field(default_factory=list)
    writing: asyncio.Task[None] | None = None


class BatchingQueue(Generic[T]):
    """A queue that writes items in batches. Calls made during a write go into the next batch."""

    def __init__(
        self, write: Callable[[list[T]], Awaitable[None]], *, gather_s: float = 0.0
    ) -> None:
        """Create a queue whose batches are written by ``write``.

        Each batch waits ``gather_s`` seconds for items of further calls.
        """
        self._gather_s = gather_s
        self._write = write
        self._lock = asyncio.Lock()
        self._next = _Batch[T]()

    async def __call__(self, items: list[T]) -> None:
        """Write ``items`` in a batch. A cancellation of the caller is raised after the write.

        Raises:
            Exception: ``write`` failed. The cause may be the items of a different caller.
        """
        batch = self._next
        batch.items.extend(items)
        if batch.writing is None:
            batch.writing = asyncio.get_running_loop().create_task(self._write_batch(batch))
        (await wait_for_end(batch.writing)).result()

    async def _write_batch(self, batch: _Batch[T]) -> None:
        async with self._lock:
            await asyncio.sleep(self._gather_s)  # further calls can join the batch now
            self._next = _Batch()
            await self._write(batch.items)
