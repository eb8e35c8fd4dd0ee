"""Group commit: what many ask to be written at the same time is written in one transaction."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(eq=False, slots=True)
class _Batch(Generic[T]):
    """What is written together; the first who asks writes, the others wait.

    Each ``waiter`` is told whether it is to write, as the one before it was cancelled.
    """

    items: list[T] = field(default_factory=list)
    has_writer: bool = False
    waiters: list[asyncio.Future[bool]] = field(default_factory=list)
    error: BaseException | None = None

    def end(self) -> None:
        """Let all go who wait for it: in one turn of the loop, however many they are."""
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(False)

    def hand_over(self) -> None:
        """Let another write it, if there is any; else who asks next."""
        self.has_writer = False
        for waiter in self.waiters:
            if not waiter.done():
                self.has_writer = True
                waiter.set_result(True)
                break


class BatchingQueue(Generic[T]):
    """Calls that come while one is being written are written together: one commit for many."""

    def __init__(
        self,
        write: Callable[[list[T]], Awaitable[None]],
        *,
        outages: tuple[type[Exception], ...] = (),
        gather_s: float = 0.0,
    ) -> None:
        """Combine calls of ``write``; ``outages`` are errors of which no batch is the cause.

        Each batch waits for ``gather_s`` seconds for what else is about to be asked.
        """
        self._outages = outages
        self._gather_s = gather_s
        self._write = write
        self._lock = asyncio.Lock()
        self._next = _Batch[T]()

    async def __call__(self, items: list[T]) -> None:
        """Return when ``items`` are written; of who is cancelled they may be, all the same.

        Raises:
            Exception: One of ``outages``; nothing of the batch is written.
            RuntimeError: The batch could not be written, which need not be the fault of ``items``.
        """
        batch = self._next
        batch.items.extend(items)
        if await self._is_writer(batch):
            await self._written(batch)
        elif isinstance(batch.error, self._outages):
            raise type(batch.error)(str(batch.error)) from batch.error
        elif batch.error:
            raise RuntimeError("the batch could not be written") from batch.error

    @staticmethod
    async def _is_writer(batch: _Batch[T]) -> bool:
        """Return whether the caller is to write the batch; else it is done with."""
        if not batch.has_writer:
            batch.has_writer = True
            return True
        waiter: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        batch.waiters.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled() and waiter.result():
                batch.hand_over()
            raise

    async def _written(self, batch: _Batch[T]) -> None:
        try:
            async with self._lock:
                await asyncio.sleep(self._gather_s)  # what others are about to ask goes along
                self._next = _Batch()
                try:
                    await self._write(batch.items)
                except BaseException as error:
                    batch.error = error
                    raise
        finally:
            if self._next is batch:  # cancelled before it began
                batch.hand_over()
            else:
                batch.end()
