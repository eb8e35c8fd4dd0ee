"""The loops of the process: each is a step, repeated by one supervisor until it is stopped."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

log = structlog.get_logger()


FIRST_PAUSE_S = 0.25
LAST_PAUSE_S = 5.0  # so that all go on soon after the database is back
LONGEST = timedelta(minutes=1)
_HELD_S = 0.25
_SHORTEST_S = 0.001  # a timer may come early by the resolution of the clock


class Worker:
    """Repeats ``step``, which says when it has something to do next.

    A time that has come means at once; None, that only ``wake`` tells of more. No sleep is longer
    than ``longest``. Whatever a step raises is logged, and the step comes again after a pause that
    doubles up to 5 seconds. ``run`` runs once.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], Awaitable[datetime | None]],
        *,
        now: Callable[[], datetime],
        longest: timedelta = LONGEST,
    ) -> None:
        """Prepare to repeat ``step``; ``name`` is for the log and for /readyz."""
        self.name = name
        self.trouble = ""
        """Why the last step failed, in a few words; empty when it did not."""
        self.step = step
        self.is_held: Callable[[], bool] = lambda: False
        """Returns whether no step may begin for now."""
        self._now = now
        self._longest = longest.total_seconds()
        self._failures = 0
        self._woken = asyncio.Event()
        self._stopped = asyncio.Event()

    def wake(self) -> None:
        """Let the step come now; one that is under way comes once more."""
        self._woken.set()

    def stop(self) -> None:
        """Let ``run`` end when the step that is under way has."""
        self._stopped.set()
        self._woken.set()

    @property
    def is_stopping(self) -> bool:
        """Return whether ``stop`` was called."""
        return self._stopped.is_set()

    async def run(self) -> None:
        """Repeat the step until ``stop``."""
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
        """Log what a step raised, and wait; a wake must not shorten it, or it would spin."""
        self._failures += 1
        self.trouble = reason_of(error)
        pause = min(FIRST_PAUSE_S * 2 ** min(self._failures - 1, 10), LAST_PAUSE_S)
        # What we depend on may be gone for long: that needs a line each time, no traceback.
        trace = None if getattr(error, "is_outage", False) else error
        log.error("a loop failed", loop=self.name, again_s=pause, why=str(error), exc_info=trace)
        await wait_until_set(self._stopped, pause)

    async def _sleep_until(self, due: datetime | None) -> None:
        """Sleep until ``due``, or somebody calls."""
        left = self._longest if due is None else (due - self._now()).total_seconds()
        if left <= 0:
            await asyncio.sleep(0)  # others are to have their turn
        else:
            await wait_until_set(self._woken, min(max(left, _SHORTEST_S), self._longest))


def reason_of(error: BaseException) -> str:
    """Return why something failed, as /readyz shows it to anybody.

    Only an outage of the database says it in words that can't hold a secret.
    """
    return str(error) if getattr(error, "is_outage", False) else type(error).__name__


async def wait_until_set(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event, but no longer than so many seconds; return whether it came."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()
