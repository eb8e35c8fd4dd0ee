"""Turns the news of a profile into deliveries for its subscriptions, in slices of some 20 ms."""

from collections.abc import Callable
from datetime import datetime

from bot.runtime.sharing import SEVERAL_PROCESSES, Sharing
from bot.runtime.workers import Worker
from bot.store import fan_outs
from bot.store.engine.database import Database

_SLICE = 200  # subscriptions


class FanOut:
    """Turns fan-outs into deliveries while the outbox sends.

    Each slice is a transaction of its own, so a story for very many chats delays no other writer.
    """

    def __init__(
        self,
        db: Database,
        wake: Callable[[], None],
        *,
        now: Callable[[], datetime],
        sharing: Sharing = SEVERAL_PROCESSES,
    ) -> None:
        """Call ``wake`` after each slice: deliveries have become due."""
        self._db = db
        self._wake = wake
        self._now = now
        every = sharing.fan_outs_every
        self.worker = Worker("fan-out", self._step, now=now, longest=every)

    async def write_all(self) -> None:
        """Write the deliveries of all fan-outs."""
        while await self._write_slice():
            pass

    async def _step(self) -> datetime | None:
        return self._now() if await self._write_slice() else None

    async def _write_slice(self) -> bool:
        """Write one slice; return False if there is no fan-out."""
        async with self._db.read() as tx:
            if not await fan_outs.has_any(tx):
                return False
        # A power cut that undoes these deliveries undoes the progress of the fan-out as well.
        result = await self._db.run(
            lambda tx: fan_outs.write_slice(tx, now=self._now(), limit=_SLICE), durable=False
        )
        if result:
            self._wake()
        return result
