"""Turns fan-outs of a profile into deliveries for the subscriptions, in slices of some 20 ms."""

from collections.abc import Callable
from datetime import datetime

from bot.runtime.claims import Owner
from bot.runtime.sharing import SEVERAL_PROCESSES, Sharing
from bot.runtime.workers import Worker
from bot.store import fan_outs
from bot.store.engine.database import Database, Tx

_SLICE = 200  # subscriptions per transaction


class FanOut:
    """Turns fan-outs into deliveries while the outbox sends.

    Each slice is a separate transaction, so a story for very many chats delays no other writer.
    """

    def __init__(
        self,
        db: Database,
        wake: Callable[[], None],
        *,
        now: Callable[[], datetime],
        sharing: Sharing = SEVERAL_PROCESSES,
        owner: Owner | None = None,
    ) -> None:
        """Call ``wake`` after each slice, because deliveries have become due."""
        self._db = db
        self._wake = wake
        self._now = now
        self._owner = owner or Owner()
        self._lease = sharing.lease
        self.worker = Worker("fan-out", self._step, now=now, longest=sharing.fan_outs_every)

    async def write_all(self) -> None:
        """Write the deliveries of all fan-outs."""
        while await self._write_slice():
            pass

    async def _step(self) -> datetime | None:
        if await self._write_slice():
            return self._now()
        due = await self._db.fetch(fan_outs.claims.next_claimable_at)
        # Another process has claimed a fan-out that is already due.
        return due if due and due > self._now() else None

    async def _write_slice(self) -> bool:
        """Write the deliveries of a slice. Return False if no fan-out can be claimed."""
        async with self._db.read() as tx:
            if not await fan_outs.has_any(tx):
                return False
        # A power cut that undoes these deliveries also undoes the progress of the fan-out.
        result = await self._db.run(self._write_claimed_slice, durable=False)
        if result:
            self._wake()
        return result

    async def _write_claimed_slice(self, tx: Tx) -> bool:
        lease = self._owner.lease(self._now(), self._lease)
        return await fan_outs.write_slice(tx, lease, limit=_SLICE)
