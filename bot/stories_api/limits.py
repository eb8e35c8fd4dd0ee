"""How fast, how often again, and when not at all: pure state, the clock is an argument.

Seconds are of any steady clock.
"""

from collections import deque

MINUTE = 60.0


class Pace:
    """Calls one after the other at an even rate, without bursts; a 429 holds all of them."""

    def __init__(self, rate: float) -> None:
        """Let ``rate`` calls a second through."""
        self.rate = rate
        self._next = 0.0

    def turn(self, now: float) -> float:
        """Take a place; return the seconds until it is our turn."""
        at = max(now, self._next)
        self._next = at + 1 / self.rate
        return at - now

    def wait(self, now: float) -> float:
        """Return the seconds until the next free place, without taking it."""
        return max(0.0, self._next - now)

    def hold(self, until: float) -> None:
        """Give no place before ``until``."""
        self._next = max(self._next, until)


class RetryBudget:
    """Retries are at most a tenth of the calls of a minute, so that they never make it worse."""

    SHARE = 0.1
    ALWAYS = 2  # a minute: a quiet bot may try again, too

    def __init__(self) -> None:
        """Begin with no calls."""
        self._calls: deque[float] = deque()
        self._retries: deque[float] = deque()

    def call(self, now: float) -> None:
        """Count a call (its first try)."""
        _forget(self._calls, now)
        self._calls.append(now)

    def take(self, now: float) -> bool:
        """Take a retry if there is one left."""
        _forget(self._calls, now)
        _forget(self._retries, now)
        if len(self._retries) >= max(self.ALWAYS, int(len(self._calls) * self.SHARE)):
            return False
        self._retries.append(now)
        return True


class Breaker:
    """Opens when the API fails, then lets one probe through each 30 seconds until one succeeds."""

    IN_A_ROW = 5
    WINDOW = MINUTE
    AT_LEAST = 20
    RATIO = 0.5
    PROBE_EVERY = 30.0

    def __init__(self) -> None:
        """Begin closed."""
        self._row = 0
        self._seen: deque[float] = deque()
        self._failed: deque[float] = deque()
        self._next_probe: float | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether calls are held back."""
        return self._next_probe is not None

    def allows(self, now: float) -> bool:
        """Tell whether a call may go now; when open, the one that may is the probe."""
        if self._next_probe is None:
            return True
        if now < self._next_probe:
            return False
        self._next_probe = now + self.PROBE_EVERY
        return True

    def succeeded(self, now: float) -> None:
        """Note an answer; an open breaker closes and forgets."""
        if self._next_probe is not None:
            self._seen.clear()
            self._failed.clear()
            self._next_probe = None
        self._row = 0
        self._note(now)

    def failed(self, now: float) -> None:
        """Note a failure: five in a row, or half of twenty in a minute, open it."""
        self._row += 1
        self._note(now)
        self._failed.append(now)
        many = len(self._seen) >= self.AT_LEAST
        often = len(self._failed) >= len(self._seen) * self.RATIO
        if self._next_probe is None and (self._row >= self.IN_A_ROW or (many and often)):
            self._next_probe = now + self.PROBE_EVERY

    def _note(self, now: float) -> None:
        _forget(self._seen, now, self.WINDOW)
        _forget(self._failed, now, self.WINDOW)
        self._seen.append(now)


def _forget(times: deque[float], now: float, window: float = MINUTE) -> None:
    while times and times[0] <= now - window:
        times.popleft()
