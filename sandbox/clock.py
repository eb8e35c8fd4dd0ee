"""The sandbox's clock, which can run faster than the wall clock and can be advanced."""

import asyncio
import time
from collections.abc import Callable


class Clock:
    """The Unix time of the sandbox: start + time of the event loop x speed + advances."""

    def __init__(
        self,
        speed: float = 1.0,
        *,
        start: float | None = None,
        move_on: Callable[[float], None] | None = None,
    ) -> None:
        """Start at the present time or at `start`.

        `speed` is the number of sandbox seconds per second of the event loop. `move_on` is a
        function that also advances the clock of the event loop (`sandbox.loop`), so that all code
        in the loop has the same time.

        Raises:
            ValueError: The speed is not above zero.
        """
        if speed <= 0:
            raise ValueError("the clock's speed must be above zero")
        self.speed = speed
        self._steady = _steady()
        self._start = time.time() if start is None else start
        self._started = self._steady()
        self._advanced = 0.0
        self._move_on = move_on
        self._moved = asyncio.Event()

    def now(self) -> float:
        """Return the sandbox time in unix seconds."""
        elapsed = self._steady() - self._started
        return self._start + elapsed * self.speed + self._advanced

    def advance(self, seconds: float) -> None:
        """Advance the clock by a number of sandbox seconds. Sleepers past their deadline continue.

        Raises:
            ValueError: The number of seconds is negative.
        """
        if seconds < 0:
            raise ValueError("the clock only moves forward")
        if self._move_on is not None:
            self._move_on(seconds)
        else:
            self._advanced += seconds
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    async def sleep(self, seconds: float) -> None:
        """Sleep for a number of sandbox seconds."""
        until = self.now() + seconds
        while (left := until - self.now()) > 0:
            moved = self._moved
            try:
                async with asyncio.timeout(left / self.speed):
                    await moved.wait()
            except TimeoutError:
                continue


def _steady() -> Callable[[], float]:
    """Return a function that returns the time of the running event loop.

    If no event loop is running, the function returns the monotonic time.
    """
    try:
        return asyncio.get_running_loop().time
    except RuntimeError:
        return time.monotonic
