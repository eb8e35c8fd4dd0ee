"""Replicas go by one clock, the database's: leases are times, and machines' clocks differ."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from bot.runtime.clock import Clock
from bot.runtime.workers import Worker
from bot.store import server_clock
from bot.store.database import Database

log = structlog.get_logger()

_EVERY = timedelta(minutes=1)
_CLOSE_S = 0.05  # so little is not worth a step
_WORTH_A_WORD_S = 1.0


class SharedClock:
    """Keeps the clock of this process at the database's time."""

    def __init__(self, db: Database, clock: Clock, *, now: Callable[[], datetime]) -> None:
        """Correct ``clock`` each minute."""
        self._db = db
        self._clock = clock
        self._now = now
        self.worker = Worker("clock", self.agree, now=now, longest=_EVERY)

    async def agree(self) -> datetime:
        """Follow the database's clock as far as it is ahead of ours; return when next."""
        ahead = await server_clock.ahead_of(self._db, self._now)
        if abs(ahead) >= _CLOSE_S:
            self._clock.correct(ahead)
        if abs(ahead) >= _WORTH_A_WORD_S:
            log.warning("our clock and the database's differ", seconds=round(ahead, 1))
        return self._now() + _EVERY
