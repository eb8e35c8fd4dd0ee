"""The loops of the process. Each loop repeats a function until the loop is stopped.

An error of the function does not end the loop.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TypeAlias

import structlog

log = structlog.get_logger()

NextStepAt = datetime
"""The time at which a ``Worker`` calls its step again."""
UntilWoken: TypeAlias = None
"""A ``Worker`` sleeps until a call of ``wake``, but at most for its longest sleep."""

FIRST_PAUSE_S = 0.25
# The longest pause after a failure, in seconds. The pause is short, so that loops continue soon
# after an outage.
LAST_PAUSE_S = 5.0
LONGEST = timedelta(minutes=1)
_HELD_S = 0.25
# The minimum duration of a sleep in seconds. The minimum is needed because a timer can fire
# slightly too early.
_SHORTEST_S = 0.001


class Worker:
    """A loop that repeats the function ``step``.

    ``step`` returns the time of the next call, or None to sleep until a call of ``wake``. An
    exception of ``step`` is logged, and ``step`` is repeated after a pause of 0.25 seconds, which
    doubles up to ``last_pause_s``. ``run`` must be called only once.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], Awaitable[NextStepAt | UntilWoken]],
        *,
        now: Callable[[], datetime],
        longest: timedelta = LONGEST,
        last_pause_s: float = LAST_PAUSE_S,
    ) -> None:
        """Create a loop that repeats ``step`` when ``run`` is called.

        ``name`` identifies the loop in the log and in /readyz. ``longest`` is the longest sleep.
        ``last_pause_s`` is in seconds.
        """
        self.name = name
        self.trouble = ""
        """The reason why the last call of ``step`` failed, or an empty string."""
        self.step = step
        self.is_held: Callable[[], bool] = lambda: False
        """A function that returns whether the loop is paused now."""
        self._now = now
        self._longest = longest.total_seconds()
        self._last_pause_s = last_pause_s
        self._failures = 0
        self._woken = asyncio.Event()
        self._stopped = asyncio.Event()

    def wake(self) -> None:
        """End the sleep of the loop, so that ``step`` is called now.

        A pause after a failure or by ``is_held`` is not shortened.
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
        """Log an exception of ``step``, and pause.

        ``wake`` does not shorten the pause, because the loop could otherwise fail without a break.
        """
        self._failures += 1
        self.trouble = public_reason_of(error)
        pause = min(FIRST_PAUSE_S * 2 ** min(self._failures - 1, 10), self._last_pause_s)
        # A database outage can cause many failures of the loops, so its traceback is not logged.
        trace = None if getattr(error, "is_outage", False) else error
        log.error("a loop failed", loop=self.name, again_s=pause, why=str(error), exc_info=trace)
        await wait_until_set(self._stopped, pause)

    async def _sleep_until(self, due: NextStepAt | UntilWoken) -> None:
        """Sleep until ``due`` or until ``wake`` is called, but at most for the longest sleep."""
        left = self._longest if due is None else (due - self._now()).total_seconds()
        if left <= 0:
            await asyncio.sleep(0)  # other tasks can run before the next call of ``step``
        else:
            await wait_until_set(self._woken, min(max(left, _SHORTEST_S), self._longest))


def public_reason_of(error: BaseException) -> str:
    """Return the reason of a failure for the page /readyz, without secrets.

    For a database outage, return the message. For any other error, return only the name of the
    class.
    """
    return str(error) if getattr(error, "is_outage", False) else type(error).__name__


async def wait_until_set(event: asyncio.Event, seconds: float) -> bool:
    """Wait until an event is set, but at most ``seconds``. Return whether the event is set."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()
