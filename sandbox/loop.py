"""An event loop whose clock can be advanced for all code that runs in it."""

import asyncio


class MovableLoop(asyncio.SelectorEventLoop):
    """An event loop whose time includes the skipped seconds.

    Timers, timeouts and all users of `time()` see the skipped time as elapsed.
    """

    _skipped = 0.0

    def time(self) -> float:
        """Return the loop's monotonic time, including the skipped seconds."""
        return super().time() + self._skipped

    def advance(self, seconds: float) -> None:
        """Skip a number of seconds. Timers within the skipped time become due at once.

        Raises:
            ValueError: The number of seconds is negative.
        """
        if seconds < 0:
            raise ValueError("the clock only moves forward")
        self._skipped += seconds
