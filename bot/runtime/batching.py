"""Group commit, which combines concurrent writes into a single transaction."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bot.runtime.background import wait_for_end

T = TypeVar("T")


@dataclass(eq=False, slots=True)
class _Batch(Generic[T]):
    """A batch of items, and the task ``writing`` that writes the items.

    The first caller who adds items to the batch starts the task.
    """

    items: list[T] = field(default_factory=list)
    writing: asyncio.Task[None] | None = None


class BatchingQueue(Generic[T]):
    """A queue that writes items in batches.

    Items that are added while a batch is written go into the next batch.
    """

    def __init__(
        self, write: Callable[[list[T]], Awaitable[None]], *, gather_s: float = 0.0
    ) -> None:
        """Create a queue that calls ``write`` to write a batch.

        Each batch waits for ``gather_s`` seconds, so that items of further calls join the batch.
        """
        self._gather_s = gather_s
        self._write = write
        self._lock = asyncio.Lock()
        self._next = _Batch[T]()

    async def __call__(self, items: list[T]) -> None:
        """Write ``items`` in a batch, and wait for the write, even if the caller is cancelled.

        Raises:
            Exception: ``write`` failed. The cause can be items of a different caller.
        """
        batch = self._next
        batch.items.extend(items)
        if batch.writing is None:
            batch.writing = asyncio.get_running_loop().create_task(self._write_batch(batch))
        (await wait_for_end(batch.writing)).result()

    async def _write_batch(self, batch: _Batch[T]) -> None:
        async with self._lock:
            await asyncio.sleep(self._gather_s)  # items of further calls join the batch now
            self._next = _Batch()
            await self._write(batch.items)
