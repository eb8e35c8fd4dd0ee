"""The loop that turns fan-outs into deliveries.

A fan-out is a database row that requests the delivery of stories or of a notice to the
subscriptions of a profile.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.runtime.sharing import SEVERAL_PROCESSES, Sharing
from bot.runtime.workers import NextStepAt, UntilWoken, Worker
from bot.store import fan_outs
from bot.store.engine.database import Database

_SLICE = 200  # subscriptions per transaction
_LOCKED_AGAIN = timedelta(seconds=0.1)  # the pause if other processes have locked all due fan-outs


class FanOut:
    """The loop that turns fan-outs into deliveries while the outbox sends.

    Each transaction writes the deliveries of at most 200 subscriptions, so that other writers do
    not wait for long.
    """

    def __init__(
        self,
        db: Database,
        wake: Callable[[], None],
        *,
        now: Callable[[], datetime],
        sharing: Sharing = SEVERAL_PROCESSES,
    ) -> None:
        """Create the loop. ``wake`` is called whenever deliveries were written."""
        self._db = db
        self._wake = wake
        self._now = now
        self.worker = Worker(
            "fan-out",
            self._write_next_slice,
            now=now,
            longest=sharing.fan_outs_every,
        )

    async def write_due_fan_outs(self) -> None:
        """Write the deliveries of all due fan-outs that no other process has locked."""
        while await self._write_slice_if_due():
            pass

    async def _write_next_slice(self) -> NextStepAt | UntilWoken:
        """If a fan-out is due, write the deliveries of its next 200 subscriptions.

        Return the time of the next step, or None if no fan-out is left.
        """
        due_at, now = await self._db.fetch(fan_outs.next_due_at), self._now()
        if due_at is None or due_at > now:
            return due_at
        if await self._write_slice_if_due():
            return now
        return now + _LOCKED_AGAIN

    async def _write_slice_if_due(self) -> bool:
        """Write deliveries of a due fan-out. Return False if no unlocked fan-out is due.

        If the write fails, the fan-out is retried later, and the result is True.

        Raises:
            DatabaseUnavailableError: The database has an outage.
        """
        # The commit need not wait for the disk. If a power failure undoes the deliveries, the
        # failure also undoes the progress of the fan-out, so the deliveries are written again.
        is_written = await self._db.run(
            lambda tx: fan_outs.write_next_slice_if_due(tx, now=self._now(), limit=_SLICE),
            durable=False,
        )
        if is_written:
            self._wake()
        return is_written
