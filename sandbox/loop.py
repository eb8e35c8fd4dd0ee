"""An event loop with a clock that can be advanced for all code in the loop."""

import asyncio


class MovableLoop(asyncio.SelectorEventLoop):
    """An event loop with a time that includes the skipped seconds.

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
