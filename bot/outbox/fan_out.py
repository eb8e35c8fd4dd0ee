"""Brings what was learned of a profile to all who wait for it, in slices of some 20 ms."""

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.runtime.workers import LONGEST, Worker
from bot.store import fan_outs
from bot.store.engine.database import Database

_SLICE = 200  # subscriptions
_LEFT_BY_OTHERS = timedelta(seconds=5)  # after which what a dead replica has left is found


class FanOut:
    """Turns fan-outs into deliveries, beside the alerts that go out already.

    Between two slices others get their turn to write: a story for very many keeps nobody waiting.
    """

    def __init__(
        self,
        db: Database,
        wake: Callable[[], None],
        *,
        now: Callable[[], datetime],
    ) -> None:
        """Call ``wake`` after each slice, when something is due."""
        self._db = db
        self._wake = wake
        self._now = now
        longest = LONGEST if db.is_sqlite else _LEFT_BY_OTHERS
        self.worker = Worker("fan-out", self._step, now=now, longest=longest)

    async def write_all(self) -> None:
        """Bring all there is to those who wait."""
        while await self._write_slice():
            pass

    async def _step(self) -> datetime | None:
        return self._now() if await self._write_slice() else None

    async def _write_slice(self) -> bool:
        """Write one slice; false when there was none."""
        async with self._db.read() as tx:
            if not await fan_outs.has_any(tx):
                return False
        # What a power cut undoes of it undoes how far it had come as well.
        result = await self._db.run(
            lambda tx: fan_outs.write_slice(tx, now=self._now(), limit=_SLICE), durable=False
        )
        if result:
            self._wake()
        return result
