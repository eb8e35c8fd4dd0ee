"""The clock of the process: the event loop's time plus an offset.

A change of the system clock does not change this clock.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from bot.runtime.clock_anchor import JUMP_S, QUICK_S, ServerClock

TELEGRAM, STORIES_API = "Telegram", "the Stories API"
# A ``Date`` header omits the fraction of a second. This average of the fraction is added instead.
_HALF_S = 0.5
_NOT_COMPARED = "the machine's clock is not compared with another one yet"
_WAS_SET = "the machine's clock was set, and is not compared with another one yet"


def event_loop_time_s() -> float:
    """Return the time of the running event loop in seconds. This time never goes back."""
    return asyncio.get_running_loop().time()


def utc_now() -> datetime:
    """Return the time of the machine's clock as an aware UTC datetime."""
    return datetime.now(UTC)


class Clock:
    """A clock that returns the current time as an aware UTC datetime.

    The clock is called anchored while its time is confirmed. After a call of ``mark_unconfirmed``
    or a step of the system clock by a second or more, ``correct_and_confirm`` must be called
    again.
    """

    def __init__(
        self, start: datetime | None = None, *, machine: Callable[[], float] | None = None
    ) -> None:
        """Create a clock. The creation needs a running event loop.

        If ``start`` is given, the clock is anchored, and ignores steps of the system clock.
        Otherwise, the clock starts at the system time and is not anchored.
        """
        self._loop = asyncio.get_running_loop()
        self._machine = machine or (lambda: time.time())  # noqa: PLW0108 - tests replace the function
        self._is_always_anchored = start is not None
        begin = self._machine() if start is None else start.timestamp()
        self._offset = begin - self._loop.time()
        self._machine_ahead = self._machine() - time.monotonic()
        self._latest = 0.0
        self._anchored = asyncio.Event()
        self.has_been_anchored = self._is_always_anchored
        self.why_unanchored = "" if self._is_always_anchored else _NOT_COMPARED
        """The reason why the time is not confirmed, or an empty string if it is confirmed."""
        if self._is_always_anchored:
            self._anchored.set()
        self.on_doubt: Callable[[], None] = lambda: None
        """The callback that is called when the time is no longer confirmed."""

    def __call__(self) -> datetime:
        """Return the current time.

        The time never goes back, except at the first correction and after a call of
        ``allow_going_back_once``.
        """
        self._doubt_if_machine_clock_stepped()
        self._latest = max(self._latest, self._offset + self._loop.time())
        return datetime.fromtimestamp(self._latest, UTC)

    def unclamped_time(self) -> datetime:
        """Return the event loop's time plus the offset of the clock, as an aware UTC datetime.

        Unlike the time that a call of the clock returns, this time can go back at each correction.
        """
        return datetime.fromtimestamp(self._offset + self._loop.time(), UTC)

    @property
    def is_anchored(self) -> bool:
        """Return whether the time is confirmed.

        If the clock was created without ``start``, a step of the system clock is detected first.
        """
        self._doubt_if_machine_clock_stepped()
        return not self.why_unanchored

    @property
    def ahead_of_machine_s(self) -> float:
        """Return the seconds by which this clock is ahead of the system clock.

        If the clock was created with ``start``, the result is 0.
        """
        if self._is_always_anchored:
            return 0.0
        return self._offset + self._loop.time() - self._machine()

    async def wait_until_anchored(self) -> None:
        """Wait until the time is confirmed."""
        while not self.is_anchored:
            await self._anchored.wait()

    def mark_unconfirmed(self, reason: str) -> None:
        """Mark the time as not confirmed, and store the short text ``reason``.

        If the time was confirmed before, call ``on_doubt``.
        """
        was_anchored, self.why_unanchored = not self.why_unanchored, reason
        self._anchored.clear()
        if was_anchored:
            self.on_doubt()

    def correct_and_confirm(self, correction_s: float = 0.0) -> None:
        """Correct the time by ``correction_s`` seconds, and mark the time as confirmed.

        Only the first correction can set the clock back at once. After a later negative
        correction, the clock stands still until the corrected time reaches the last returned time.
        """
        self._offset += correction_s
        if not self.has_been_anchored:
            self.allow_going_back_once()
        self.has_been_anchored, self.why_unanchored = True, ""
        self._machine_ahead = self._machine() - time.monotonic()
        self._anchored.set()

    def allow_going_back_once(self) -> None:
        """Allow the time to go back once.

        Call this method only if no running code uses a time that the clock has returned before.
        """
        self._latest = 0.0

    def _doubt_if_machine_clock_stepped(self) -> None:
        """Mark the time as not confirmed if the system clock has stepped by a second or more.

        Do nothing if the clock was created with ``start``.
        """
        if self._is_always_anchored:
            return
        ahead = self._machine() - time.monotonic()
        if abs(ahead - self._machine_ahead) >= JUMP_S:
            self._machine_ahead = ahead
            self.mark_unconfirmed(_WAS_SET)


class ServerClocks:
    """The clocks of servers, known from the times in the answers of the servers."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Create an empty record of server times.

        Server times are compared with a reference clock: ``now``, or the system clock if ``now``
        is a ``Clock`` that was created without ``start``.
        """
        self._now = now
        self._answered: set[str] = set()
        self._offsets: dict[str, float] = {}
        self._received_at: dict[str, float] = {}
        self._new: set[str] = set()

    def record_time(self, server: str, at: datetime | str, took_s: float = 0.0) -> None:
        """Record the time ``at`` in an answer of the server ``server``.

        If the duration ``took_s`` of the call is above 2 seconds, or if ``at`` is an invalid date,
        record only that the server has answered.
        """
        self._answered.add(server)
        if took_s > QUICK_S:
            return
        try:
            server_time = (
                parsedate_to_datetime(at).replace(tzinfo=UTC) if isinstance(at, str) else at
            )
        except ValueError:  # the answer has no ``Date`` header, or the header is invalid
            return
        asked_and_answered = event_loop_time_s() - took_s / 2
        self._offsets[server] = server_time.timestamp() + _HALF_S - asked_and_answered
        self._received_at[server] = event_loop_time_s()
        self._new.add(server)

    def has_recent_time(self, server: str, *, within_s: float) -> bool:
        """Return whether ``server`` sent its time within the last ``within_s`` seconds."""
        received_at = self._received_at.get(server)
        return received_at is not None and event_loop_time_s() - received_at <= within_s

    def clock_of_server(self, server: str) -> ServerClock:
        """Return the clock of ``server``, compared with the reference clock (see ``__init__``)."""
        offset = self._offsets.get(server)
        ahead_s = None if offset is None else offset - self._machine_offset()
        return ServerClock(server in self._answered, ahead_s)

    def pop_largest_clock_error(self) -> float | None:
        """Return the largest error of the reference clock (see ``__init__``), in seconds.

        Each server time is used only once. Without a new server time, return None.
        """
        servers, self._new = self._new, set()
        machine = self._machine_offset()
        return max((abs(self._offsets[server] - machine) for server in servers), default=None)

    def forget(self) -> None:
        """Delete all recorded server times.

        Call this method after an interruption of the event loop's time, because the times are then
        wrong.
        """
        self._answered.clear()
        self._offsets.clear()
        self._received_at.clear()
        self._new.clear()

    def _machine_offset(self) -> float:
        """Return the seconds by which the reference clock is ahead of the event loop's time."""
        ahead = self._now.ahead_of_machine_s if isinstance(self._now, Clock) else 0.0
        now = self._now.unclamped_time() if isinstance(self._now, Clock) else self._now()
        return now.timestamp() - ahead - event_loop_time_s()
