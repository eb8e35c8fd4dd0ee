"""Brings what was learned of a profile to all who wait for it, in slices of some 30 ms."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.runtime.slice_size import next_limit
from bot.runtime.workers import LONGEST, Worker
from bot.store import fan_outs
from bot.store.engine.database import Database, Tx

_FIRST_SLICE = 200  # subscriptions
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
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Call ``wake`` after each slice, when something is due."""
        self._db = db
        self._wake = wake
        self._now = now
        self._stopwatch = stopwatch
        self._limit = _FIRST_SLICE
        longest = LONGEST if db.is_sqlite else _LEFT_BY_OTHERS
        self.worker = Worker("fan-out", self._step, now=now, longest=longest)

    async def finish(self) -> None:
        """Bring all there is to those who wait."""
        while await self._write_slice():
            pass

    async def _step(self) -> datetime | None:
        return self._now() if await self._write_slice() else None

    async def _write_slice(self) -> bool:
        """Write one slice; false when there was none."""
        async with self._db.read() as tx:
            if not await fan_outs.is_any(tx):
                return False
        # What a power cut undoes of it undoes how far it had come as well.
        result, began = await self._db.run(self._advance, durable=False)
        if result:
            self._limit = next_limit(self._limit, self._stopwatch() - began)
            self._wake()
        return result

    async def _advance(self, tx: Tx) -> tuple[bool, float]:
        began = self._stopwatch()
        result = await fan_outs.advance(tx, now=self._now(), limit=self._limit)
        return result, began
