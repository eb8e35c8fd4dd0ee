"""The clock of the process is its event loop's: what is dated and what waits go by one time.

Waits are ``asyncio.sleep`` and ``asyncio.timeout``, which the loop times; so are the time-outs of
aiohttp. A loop that jumps ahead, or runs faster, takes the whole bot along.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import combinations

CHECK_EVERY_S = 60.0  # of the loop: how often the machine's clock is compared
_READINGS, _AGREE_S = 3, 30.0  # of each witness; as far as the oldest and newest may lie apart
_STEP_S = 1.0  # by less a machine's clock is not set anew, it is drifting


def steady() -> float:
    """Return the seconds of the running loop, which never go back."""
    return asyncio.get_running_loop().time()


class Clock:
    """The time of day, aware and UTC: a start and what the running loop has counted since.

    When the machine's clock is set (after a suspend, by NTP), ours follows within a minute; but
    not on a loop that doesn't count real seconds, nor when ``start`` says what time it is.
    """

    def __init__(
        self, start: datetime | None = None, *, check_every_s: float = CHECK_EVERY_S
    ) -> None:
        """Begin at ``start``, or at the machine's time; needs a running loop."""
        self._loop = asyncio.get_running_loop()
        self._follows = start is None
        self._start = (time.time() if start is None else start.timestamp()) - self._loop.time()
        self._real = self._loop.time() - time.monotonic()
        self._check_at = self._loop.time() + check_every_s
        self._check_every_s = check_every_s
        self.ahead = 0.0
        """By how many seconds this clock was corrected since the machine's was set last."""

    def correct(self, ahead: float) -> None:
        """Go by a clock that is so many seconds ahead of this one: one that others share."""
        self.ahead += ahead

    def __call__(self) -> datetime:
        """Return the time."""
        passed = self._loop.time()
        if self._follows and passed >= self._check_at:
            self._check_at = passed + self._check_every_s
            self._follow_machine(passed)
        return datetime.fromtimestamp(self._start + self.ahead + passed, UTC)

    def _follow_machine(self, passed: float) -> None:
        """Take over the machine's time where it was set."""
        self._follows = abs(passed - time.monotonic() - self._real) < _STEP_S
        start = time.time() - passed
        if self._follows and abs(start - self._start) >= _STEP_S:
            self._start, self.ahead = start, 0.0  # the correction is in it, or was never right


class TimeWitnesses:
    """What others say of the time, by which it shows that our machine's clock is wrong."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Compare with ``now``; a ``Clock`` that goes by another one than the machine's."""
        self._now = now
        self._said: dict[str, deque[float]] = {}
        self._new: set[str] = set()

    def record_time(self, who: str, at: datetime | str) -> None:
        """Take a time that was told a moment ago, or the ``Date`` of an answer."""
        try:
            there = parsedate_to_datetime(at).replace(tzinfo=UTC) if isinstance(at, str) else at
        except ValueError:  # it is missing, or a proxy's
            return
        said = self._said.setdefault(who, deque(maxlen=_READINGS))
        said.append((there - self._now()).total_seconds())
        self._new.add(who)

    def take_clock_error(self) -> float | None:
        """Return by how many seconds our machine is wrong at most; of what is new since last."""
        heard, self._new = self._new, set()
        corrected = self._now.ahead if isinstance(self._now, Clock) else 0.0
        return max((abs(self._said[who][-1] + corrected) for who in heard), default=None)

    def agreed_seconds_ahead(self) -> float:
        """Return how many seconds ahead of us two of them are who agree each time; else 0."""
        whole = [said for said in self._said.values() if len(said) == _READINGS]
        for one, other in combinations(whole, 2):
            both = sorted([*one, *other])
            if both[-1] - both[0] <= _AGREE_S:
                return both[_READINGS]
        return 0.0

    def forget(self) -> None:
        """Forget what was heard by a clock that is corrected now."""
        self._said.clear()
        self._new.clear()
