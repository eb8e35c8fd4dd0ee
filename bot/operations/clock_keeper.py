"""The clock of this process, held to what others know of the time.

Replicas go by one clock, the database's: leases are times, and machines' clocks differ. A bot
with a file goes by its machine's, but not where Telegram and the Stories API agree that this one
is wrong. What a clock wrote while it was ahead is put right when the process begins; so it begins
anew when its clock goes back.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from bot.domain.incidents import CLOCK_OFF_S
from bot.runtime.clock import Clock, TimeWitnesses, steady
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
        now: Callable[[], datetime],
        witnesses: TimeWitnesses,
        *,
        every: timedelta = EVERY,
    ) -> None:
        """Correct ``now``, where it is a clock of ours."""
        self._db = db
        self._clock = now if isinstance(now, Clock) else None
        self._now = now
        self._witnesses = witnesses
        self._every = every
        self._seen: tuple[datetime, float] | None = None
        self.went_back = asyncio.Event()
        """Set when the clock has gone back: the process must begin anew."""

    async def correct_clock(self) -> datetime:
        """Follow who knows the time; at a start cut the times that a wrong clock wrote."""
        if self._seen and abs(self._seconds_behind(*self._seen)) >= _BACK_S:
            self._witnesses.forget()  # the machine's was set; they were held to another
        if self._clock is not None:
            await self._follow(self._clock)
        behind = self._seconds_behind(*self._seen) if self._seen else 0.0
        if self._seen is None or behind >= _BACK_S:
            await self._db.run(lambda tx: clock_bounds.cut_future_times(tx, now=self._now()))
        if behind >= _BACK_S:  # and the database works, without which nothing could begin
            log.warning("the clock was set back; the bot begins anew", seconds=round(behind, 1))
            self.went_back.set()
        self._seen = (self._now(), steady())
        return self._now() + self._every

    def _seconds_behind(self, then: datetime, counted: float) -> float:
        """Return by how many seconds the clock is behind what the loop has counted since."""
        return steady() - counted - (self._now() - then).total_seconds()

    async def _follow(self, clock: Clock) -> None:
        """Follow the database's clock, which replicas share; a file has none, but witnesses."""
        if self._db.is_sqlite:
            ahead, most = self._witnesses.agreed_seconds_ahead(), float(CLOCK_OFF_S)
        else:
            ahead, most = await server_clock.seconds_ahead_of(self._db, self._now), _CLOSE_S
        if abs(ahead) > most:
            clock.correct(ahead)
            self._witnesses.forget()
        if abs(ahead) >= _WORTH_A_WORD_S:
            log.warning("our clock was wrong, and is corrected", seconds=round(ahead, 1))
