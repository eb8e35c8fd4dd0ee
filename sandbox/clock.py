"""The sandbox's own time: it can run faster than the wall clock and be moved on."""

import asyncio
import time


class Clock:
    """Unix time of the sandbox: real start + elapsed x speed + advances."""

    def __init__(self, speed: float = 1.0) -> None:
        """Start now; `speed` is sandbox seconds a real second, above zero."""
        if speed <= 0:
            raise ValueError("the clock's speed must be above zero")
        self.speed = speed
        self._start = time.time()
        self._started = time.monotonic()
        self._advanced = 0.0
        self._moved = asyncio.Event()

    def now(self) -> float:
        """Sandbox time, in unix seconds."""
        elapsed = time.monotonic() - self._started
        return self._start + elapsed * self.speed + self._advanced

    def advance(self, seconds: float) -> None:
        """Move the clock on and wake the sleepers whose time has come."""
        if seconds < 0:
            raise ValueError("the clock only moves forward")
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
