"""An event loop whose time can run faster and be moved on, for all that run in it."""

import asyncio
import selectors


class _Selector(selectors.DefaultSelector):
    """Waits so many seconds of the loop, not of the machine."""

    def __init__(self, speed: float) -> None:
        super().__init__()
        self._speed = speed

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(None if timeout is None else timeout / self._speed)


class MovableLoop(asyncio.SelectorEventLoop):
    """A loop that counts `speed` seconds in a real one, and those by which it was moved on.

    Timers, time-outs and whoever dates by `time()` go along: a day that is skipped has passed for
    all of them.
    """

    def __init__(self, speed: float = 1.0) -> None:
        """Run `speed` times as fast as the machine's clock; it is above zero."""
        self._speed = speed
        self._skipped = 0.0
        super().__init__(_Selector(speed))

    def time(self) -> float:
        """Seconds that never go back."""
        return super().time() * self._speed + self._skipped

    def advance(self, seconds: float) -> None:
        """Skip so many seconds; what was to come meanwhile comes now."""
        if seconds < 0:
            raise ValueError("the clock only moves forward")
        self._skipped += seconds
