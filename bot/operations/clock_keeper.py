"""The clock of this process, held to what others know of the time.

Replicas go by one clock, the database's: leases are times, and machines' clocks differ. What a
clock wrote while it was ahead is put right when the process begins; so it begins anew when its
clock goes back.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from bot.runtime.clock import Clock, steady
from bot.runtime.workers import Worker
from bot.store import clock_bounds
from bot.store.engine import server_clock
from bot.store.engine.database import Database

log = structlog.get_logger()

EVERY = timedelta(seconds=15)
_CLOSE_S = 0.05  # a smaller difference is not corrected
_WORTH_A_WORD_S = 1.0
_BACK_S = 5.0  # after a smaller step back nobody notices that something is late


class ClockKeeper:
    """Keeps the clock of this process right, and the database's times with it."""

    def __init__(
        self,
        db: Database,
        clock: Clock | None,
        *,
        now: Callable[[], datetime],
        every: timedelta = EVERY,
    ) -> None:
        """Correct ``clock``, where it is ours to correct."""
        self._db = db
        self._clock = clock
        self._now = now
        self._every = every
        self._seen: tuple[datetime, float] | None = None
        self.went_back = asyncio.Event()
        """Set when the clock has gone back: the process must begin anew."""
        self.worker = Worker("clock", self.agree, now=now, longest=every)

    async def agree(self) -> datetime:
        """Follow the database's clock; at a start cut the times that a wrong clock wrote."""
        if self._clock is not None and not self._db.is_sqlite:
            await self._follow_database(self._clock)
        if self._seen is None:
            await self._db.run(lambda tx: clock_bounds.cut(tx, now=self._now()))
        elif (behind := self._behind(*self._seen)) >= _BACK_S:
            log.warning("the clock was set back; the bot begins anew", seconds=round(behind, 1))
            self.went_back.set()
        self._seen = (self._now(), steady())
        return self._now() + self._every

    def _behind(self, then: datetime, counted: float) -> float:
        """Return by how many seconds the clock is behind what the loop has counted since."""
        return steady() - counted - (self._now() - then).total_seconds()

    async def _follow_database(self, clock: Clock) -> None:
        ahead = await server_clock.ahead_of(self._db, self._now)
        if abs(ahead) >= _CLOSE_S:
            clock.correct(ahead)
        if abs(ahead) >= _WORTH_A_WORD_S:
            log.warning("our clock and the database's differ", seconds=round(ahead, 1))
