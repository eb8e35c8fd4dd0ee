"""An event loop whose time can be moved on, for all that run in it."""

import asyncio


class MovableLoop(asyncio.SelectorEventLoop):
    """A loop that counts also the seconds by which it was moved on.

    Timers, time-outs and whoever dates by `time()` go along: a day that is skipped has passed for
    all of them.
    """

    _skipped = 0.0

    def time(self) -> float:
        """Seconds that never go back."""
        return super().time() + self._skipped

    def advance(self, seconds: float) -> None:
        """Skip so many seconds; what was to come meanwhile comes now."""
        if seconds < 0:
            raise ValueError("the clock only moves forward")
        self._skipped += seconds
