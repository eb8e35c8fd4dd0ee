"""The correction of the clock of this process.

With PostgreSQL, the clock follows the database's clock. With SQLite, ``bot.runtime.clock_anchor``
decides the time. Before the time is known for the first time, no time is written to the database.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog
from telegram.error import TelegramError

from bot.domain.incidents import CLOCK_OFF_S
from bot.runtime.clock import STORIES_API, TELEGRAM, Clock, ServerClocks, event_loop_time_s
from bot.runtime.clock_anchor import Decision, choose_correct_time
from bot.runtime.workers import NextStepAt
from bot.store.engine import server_clock
from bot.store.engine.database import Database

log = structlog.get_logger()

EVERY = timedelta(seconds=15)
_AGAIN = timedelta(seconds=5)
_FRESH_S = 30.0  # seconds for which a server that has sent its time is not asked again
_CLOSE_S = 0.05  # seconds; smaller differences to the database's clock are ignored
_WORTH_A_LINE_S = 1.0
# Seconds; if the clock is set back by more, the parts of the process are built again.
_BACK_S = 60.0
_DOUBT_EVERY_S = 600.0
_IS_DOUBTED = "Telegram and the Stories API tell another time"

Ask = Callable[[], Awaitable[object]]


class ClockKeeper:
    """Corrects a clock at the start of the process, and whenever the clock's time is in doubt."""

    def __init__(
        self,
        db: Database,
        now: Callable[[], datetime],
        server_clocks: ServerClocks,
        *,
        ask_telegram: Ask,
        ask_api: Ask,
        every: timedelta = EVERY,
        follows_database: bool = False,
    ) -> None:
        """Prepare to correct the clock ``now``. Only a ``Clock`` is corrected.

        If ``follows_database`` is True, the clock follows the database. Otherwise, the clock
        follows the server times that ``server_clocks`` records. ``ask_telegram`` and ``ask_api``
        make a call at no cost.
        """
        self._db = db
        self._clock = now if isinstance(now, Clock) else None
        self._now = now
        self._server_clocks = server_clocks
        self._ask_telegram, self._ask_api = ask_telegram, ask_api
        self._every, self._follows_database = every, follows_database
        self._logged = ""
        self._may_doubt_at = event_loop_time_s() + _DOUBT_EVERY_S
        self.went_back = asyncio.Event()
        """Set if the clock was set back by more than 60 seconds.

        The parts of the process must then be built again.
        """
        self.wake: Callable[[], None] = lambda: None
        """A function that makes the loop call ``anchor_if_in_doubt`` soon."""
        if self._clock is not None:
            self._clock.on_doubt = self._forget_server_clocks_and_wake

    @property
    def trouble(self) -> str:
        """Return the reason why the time is unknown, or an empty string."""
        return "" if self._clock is None or self._clock.is_anchored else self._clock.why_unanchored

    def is_in_doubt(self) -> bool:
        """Return whether the time is unknown. If the time is unknown, no new work must begin."""
        return self._clock is not None and not self._clock.is_anchored

    async def wait_until_anchored(self) -> None:
        """Wait until the time is known."""
        if self._clock is not None:
            await self._clock.wait_until_anchored()

    async def anchor_if_in_doubt(self) -> NextStepAt:
        """Correct the clock if its time is unknown, or if all servers contradict the clock.

        A clock that follows the database is corrected at each call. Return the time of the next
        check.

        Raises:
            DatabaseUnavailableError: The clock follows PostgreSQL, and PostgreSQL does not answer.
        """
        clock = self._clock
        if clock is None:
            return self._now() + self._every
        if self._follows_database:
            await self.correct_by_database_clock()
            return self._now() + self._every
        if clock.is_anchored and self._is_contradicted(clock):
            self._may_doubt_at = event_loop_time_s() + _DOUBT_EVERY_S
            clock.mark_unconfirmed(_IS_DOUBTED)
        is_right = await self.anchor()
        return self._now() + (self._every if is_right else min(self._every, _AGAIN))

    async def anchor(self) -> bool:
        """Correct the clock if its time is in doubt. Return True if the time is known after that.

        The balance of the Stories API is fetched (0 credits) only if Telegram does not settle the
        doubt.

        Raises:
            DatabaseUnavailableError: The clock follows PostgreSQL, and PostgreSQL does not answer.
        """
        clock = self._clock
        if clock is None or clock.is_anchored:
            return True
        if self._follows_database:
            await self.correct_by_database_clock()
            return True
        await self._ask_time_unless_recent(TELEGRAM, self._ask_telegram)
        decision = self._choose_correct_time(clock, has_asked_api=False)
        if decision.needs_api:
            await self._ask_time_unless_recent(STORIES_API, self._ask_api)
            decision = self._choose_correct_time(clock, has_asked_api=True)
        if decision.ahead_s is None:
            clock.mark_unconfirmed(decision.reason)
            if self._logged != decision.reason:
                log.warning("the time is not known; trying again", reason=decision.reason)
            self._logged = decision.reason
            return False
        self._logged = ""
        self._correct(clock, decision.ahead_s - clock.ahead_of_machine_s)
        return True

    async def correct_by_database_clock(self) -> None:
        """Correct the clock by the clock of PostgreSQL. Do nothing with SQLite.

        Raises:
            DatabaseUnavailableError: The database does not answer.
        """
        clock = self._clock
        if clock is None or not self._follows_database:
            return
        ahead = await server_clock.server_clock_lead_s(self._db, clock.unclamped_time)
        self._correct(clock, ahead if abs(ahead) > _CLOSE_S else 0.0)

    def _correct(self, clock: Clock, seconds: float) -> None:
        """Add ``seconds`` to the clock, and mark its time as known.

        If the clock is set back by more than 60 seconds, set ``went_back``.
        """
        if abs(seconds) >= _WORTH_A_LINE_S:
            log.warning("the clock was wrong, and is corrected", seconds=round(seconds, 1))
        clock.correct_and_confirm(seconds)
        if seconds < -_BACK_S:
            log.warning("the clock was set back; the bot begins anew", seconds=round(-seconds, 1))
            self.went_back.set()

    def _choose_correct_time(self, clock: Clock, *, has_asked_api: bool) -> Decision:
        return choose_correct_time(
            self._server_clocks.clock_of_server(TELEGRAM),
            self._server_clocks.clock_of_server(STORIES_API) if has_asked_api else None,
            process_clock_ahead_s=clock.ahead_of_machine_s if clock.has_been_anchored else None,
        )

    async def _ask_time_unless_recent(self, source: str, ask: Ask) -> None:
        """Ask a server for its time, unless its time was received in the last 30 seconds.

        A failed call raises no error.
        """
        if self._server_clocks.has_recent_time(source, within_s=_FRESH_S):
            return
        try:
            await ask()
        except TelegramError as error:
            log.info("a server does not tell the time", who=source, why=str(error))

    def _is_contradicted(self, clock: Clock) -> bool:
        """Return whether all servers that sent a time in the last 10 minutes contradict the clock.

        An example is a machine that was suspended. Return False within 10 minutes after the start
        or the last contradiction.
        """
        if event_loop_time_s() < self._may_doubt_at:
            return False
        lately = [
            self._server_clocks.clock_of_server(source)
            for source in (TELEGRAM, STORIES_API)
            if self._server_clocks.has_recent_time(source, within_s=_DOUBT_EVERY_S)
        ]
        offsets_s = [server.ahead_s for server in lately if server.ahead_s is not None]
        own_offset_s = clock.ahead_of_machine_s
        return bool(offsets_s) and all(
            abs(ahead_s - own_offset_s) > CLOCK_OFF_S for ahead_s in offsets_s
        )

    def _forget_server_clocks_and_wake(self) -> None:
        self._server_clocks.forget()
        self.wake()
