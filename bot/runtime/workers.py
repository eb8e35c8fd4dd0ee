"""The loops of the process. Each loop repeats a function, even after errors, until a stop."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

log = structlog.get_logger()


FIRST_PAUSE_S = 0.25
# The longest pause in seconds after a failure. A short pause lets loops resume soon after an
# outage.
LAST_PAUSE_S = 5.0
LONGEST = timedelta(minutes=1)
_HELD_S = 0.25
_SHORTEST_S = 0.001  # minimum sleep in seconds, because a timer may fire slightly early


class Worker:
    """A loop that repeats the function ``step``.

    ``step`` returns the time of the next call, and a past time means immediately. If ``step``
    returns None, the next call waits for ``wake``. No sleep is longer than ``longest``.

    An exception of ``step`` is logged. ``step`` is then repeated after a pause of 0.25 seconds,
    which doubles with each failure up to ``last_pause_s`` (5 seconds by default). ``run`` may be
    called only once.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], Awaitable[datetime | None]],
        *,
        now: Callable[[], datetime],
        longest: timedelta = LONGEST,
        last_pause_s: float = LAST_PAUSE_S,
    ) -> None:
        """Prepare to repeat ``step``. ``name`` identifies the loop in the log and in /readyz.

        ``last_pause_s`` is the longest pause in seconds after a failure.
        """
        self.name = name
        self.trouble = ""
        """The reason why the last call of ``step`` failed, or an empty string."""
        self.step = step
        self.is_held: Callable[[], bool] = lambda: False
        """Returns whether the loop is paused."""
        self._now = now
        self._longest = longest.total_seconds()
        self._last_pause_s = last_pause_s
        self._failures = 0
        self._woken = asyncio.Event()
        self._stopped = asyncio.Event()

    def wake(self) -> None:
        """Call ``step`` now, or immediately after the running call.

        A pause after a failure, or while ``is_held`` returns True, is not shortened.
        """
        self._woken.set()

    def stop(self) -> None:
        """End ``run`` after the running call of ``step``."""
        self._stopped.set()
        self._woken.set()

    @property
    def is_stopping(self) -> bool:
        """Return whether ``stop`` was called."""
        return self._stopped.is_set()

    async def run(self) -> None:
        """Repeat ``step`` until ``stop`` is called."""
        while not self.is_stopping:
            if self.is_held():
                await wait_until_set(self._stopped, _HELD_S)
                continue
            self._woken.clear()
            try:
                due = await self.step()
            except (Exception, asyncio.CancelledError) as error:
                task = asyncio.current_task()
                if isinstance(error, asyncio.CancelledError) and task and task.cancelling():
                    raise
                await self._log_and_pause(error)
            else:
                if self._failures:
                    log.info("a loop goes on", loop=self.name, failures=self._failures)
                self._failures, self.trouble = 0, ""
                await self._sleep_until(due)

    async def _log_and_pause(self, error: BaseException) -> None:
        """Log an exception of ``step``, and pause. ``wake`` does not shorten the pause.

        A shorter pause could let the loop fail without a break.
        """
        self._failures += 1
        self.trouble = reason_of(error)
        pause = min(FIRST_PAUSE_S * 2 ** min(self._failures - 1, 10), self._last_pause_s)
        # An outage may cause many such failures, so its traceback is not logged.
        trace = None if getattr(error, "is_outage", False) else error
        log.error("a loop failed", loop=self.name, again_s=pause, why=str(error), exc_info=trace)
        await wait_until_set(self._stopped, pause)

    async def _sleep_until(self, due: datetime | None) -> None:
        """Sleep until ``due`` or until ``wake`` is called."""
        left = self._longest if due is None else (due - self._now()).total_seconds()
        if left <= 0:
            await asyncio.sleep(0)  # let other tasks run
        else:
            await wait_until_set(self._woken, min(max(left, _SHORTEST_S), self._longest))


def reason_of(error: BaseException) -> str:
    """Return the reason of a failure for /readyz, which is public.

    If the error is a database outage, return its full text, which contains no secret. Otherwise
    return only the name of the error's class.
    """
    return str(error) if getattr(error, "is_outage", False) else type(error).__name__


async def wait_until_set(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event for at most ``seconds``. Return whether the event is set."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()
