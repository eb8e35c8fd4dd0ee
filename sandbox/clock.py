"""The sandbox's own time: it can run faster than the wall clock and be moved on."""

import asyncio
import time
from collections.abc import Callable


class Clock:
    """Unix time of the sandbox: start + the event loop's time x speed + advances."""

    def __init__(
        self,
        speed: float = 1.0,
        *,
        start: float | None = None,
        move_on: Callable[[float], None] | None = None,
    ) -> None:
        """Start now, or at `start`; `speed` is sandbox seconds a second of the loop, above zero.

        Where the loop itself can be moved on (`sandbox.loop`), `move_on` does that: then all that
        run in it have the same time.
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
        """Sandbox time, in unix seconds."""
        elapsed = self._steady() - self._started
        return self._start + elapsed * self.speed + self._advanced

    def advance(self, seconds: float) -> None:
        """Move the clock on and wake the sleepers whose time has come."""
        if seconds < 0:
            raise ValueError("the clock only moves forward")
        if self._move_on is not None:
            self._move_on(seconds)
        else:
            self._advanced += seconds
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    async def sleep(self, seconds: float) -> None:
        """Wait for so many sandbox seconds."""
        until = self.now() + seconds
        while (left := until - self.now()) > 0:
            moved = self._moved
            try:
                async with asyncio.timeout(left / self.speed):
                    await moved.wait()
            except TimeoutError:
                continue


def _steady() -> Callable[[], float]:
    """The seconds of the running loop, of the machine where none runs."""
    try:
        return asyncio.get_running_loop().time
    except RuntimeError:
        return time.monotonic
