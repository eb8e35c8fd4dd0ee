"""The clock of the process: the count of the event loop plus an offset.

Waits are ``asyncio.sleep`` and ``asyncio.timeout``, which the loop times, as do the timeouts of
aiohttp. Dates come from the same count, so dates and waits never disagree. A step of the machine's
clock does not move this clock.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from bot.runtime.clock_anchor import JUMP_S, QUICK_S, Witness

TELEGRAM, STORIES_API = "Telegram", "the Stories API"
_HALF_S = 0.5  # a date without fractions is half a second old on average
_NOT_COMPARED = "the machine's clock is not compared with another one yet"
_WAS_SET = "the machine's clock was set, and is not compared with another one yet"


def steady() -> float:
    """Return the seconds of the running loop, which never go back."""
    return asyncio.get_running_loop().time()


class Clock:
    """Returns the time of day, aware and UTC; it never goes back.

    It is anchored once somebody else has confirmed its time. A step of the machine's clock by a
    second or more (a suspend, NTP) ends that, until ``anchor`` is called again.
    """

    def __init__(
        self, start: datetime | None = None, *, machine: Callable[[], float] | None = None
    ) -> None:
        """Begin at the machine's time, not anchored; at ``start``, where it is given, for ever.

        ``machine`` returns the machine's time in unix seconds. Needs a running loop.
        """
        self._loop = asyncio.get_running_loop()
        self._machine = machine or (lambda: time.time())  # noqa: PLW0108 - tests replace the function
        self._is_told = start is not None
        begin = self._machine() if start is None else start.timestamp()
        self._offset = begin - self._loop.time()
        self._machine_ahead = self._machine() - time.monotonic()
        self._latest = 0.0
        self._anchored = asyncio.Event()
        self.has_been_anchored = self._is_told
        self.why_unanchored = "" if self._is_told else _NOT_COMPARED
        """Why this clock is not anchored; empty where it is."""
        if self._is_told:
            self._anchored.set()
        self.on_doubt: Callable[[], None] = lambda: None
        """Called when this clock is no longer anchored."""

    def __call__(self) -> datetime:
        """Return the time."""
        self._notice_step()
        self._latest = max(self._latest, self._offset + self._loop.time())
        return datetime.fromtimestamp(self._latest, UTC)

    def count(self) -> datetime:
        """Return the time by the count alone, which a correction may set back."""
        return datetime.fromtimestamp(self._offset + self._loop.time(), UTC)

    @property
    def is_anchored(self) -> bool:
        """Return whether this clock is anchored, and the machine's was not set since."""
        self._notice_step()
        return not self.why_unanchored

    @property
    def ahead_of_machine_s(self) -> float:
        """Return by how many seconds the count is ahead of the machine's clock."""
        if self._is_told:
            return 0.0
        return self._offset + self._loop.time() - self._machine()

    async def wait_until_anchored(self) -> None:
        """Wait until this clock is anchored."""
        while not self.is_anchored:
            await self._anchored.wait()

    def doubt(self, reason: str) -> None:
        """End the anchoring, for a reason in a few words."""
        was_anchored, self.why_unanchored = not self.why_unanchored, reason
        self._anchored.clear()
        if was_anchored:
            self.on_doubt()

    def anchor(self, correction_s: float = 0.0) -> None:
        """Add a correction, and count as anchored.

        After a correction backwards the clock stands still until the count has caught up. The
        first correction may set it back, since nothing was written before.
        """
        self._offset += correction_s
        if not self.has_been_anchored:
            self.forget_latest()
        self.has_been_anchored, self.why_unanchored = True, ""
        self._machine_ahead = self._machine() - time.monotonic()
        self._anchored.set()

    def forget_latest(self) -> None:
        """Allow the time to go back: nothing that has seen it runs any more."""
        self._latest = 0.0

    def _notice_step(self) -> None:
        """End the anchoring where the machine's clock was set."""
        if self._is_told:
            return
        ahead = self._machine() - time.monotonic()
        if abs(ahead - self._machine_ahead) >= JUMP_S:
            self._machine_ahead = ahead
            self.doubt(_WAS_SET)


class TimeWitnesses:
    """The clocks of servers, as their answers told them, against the count of the loop."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Hold nothing; ``now`` stands for the machine's clock where it is no ``Clock``."""
        self._now = now
        self._answered: set[str] = set()
        self._offsets: dict[str, float] = {}
        self._heard_at: dict[str, float] = {}
        self._new: set[str] = set()

    def record_time(self, who: str, at: datetime | str, took_s: float = 0.0) -> None:
        """Record the ``Date`` of an answer, or a time in it; ``took_s`` is how long it took."""
        self._answered.add(who)
        if took_s > QUICK_S:
            return
        try:
            there = parsedate_to_datetime(at).replace(tzinfo=UTC) if isinstance(at, str) else at
        except ValueError:  # it is missing, or no date
            return
        asked_and_answered = steady() - took_s / 2
        self._offsets[who] = there.timestamp() + _HALF_S - asked_and_answered
        self._heard_at[who] = steady()
        self._new.add(who)

    def has_heard(self, who: str, *, within_s: float) -> bool:
        """Return whether a server told its time within the last seconds."""
        heard_at = self._heard_at.get(who)
        return heard_at is not None and steady() - heard_at <= within_s

    def witness(self, who: str) -> Witness:
        """Return the clock of a server against the machine's."""
        offset = self._offsets.get(who)
        ahead_s = None if offset is None else offset - self._machine_offset()
        return Witness(who in self._answered, ahead_s)

    def take_clock_error(self) -> float | None:
        """Return by how many seconds the machine's clock is wrong at most.

        Only times count that were told since the last call; None where there is none.
        """
        told, self._new = self._new, set()
        machine = self._machine_offset()
        return max((abs(self._offsets[who] - machine) for who in told), default=None)

    def forget(self) -> None:
        """Forget all times: the loop did not count for a while."""
        self._answered.clear()
        self._offsets.clear()
        self._heard_at.clear()
        self._new.clear()

    def _machine_offset(self) -> float:
        """Return the machine's time less the count of the loop."""
        ahead = self._now.ahead_of_machine_s if isinstance(self._now, Clock) else 0.0
        now = self._now.count() if isinstance(self._now, Clock) else self._now()
        return now.timestamp() - ahead - steady()
