"""The detection of slow media hosts, from the speed of the downloads of each host."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.runtime.concurrency import SLOW_AFTER
from bot.runtime.timed_cache import TimedCache

SLOW_BYTES = 80 * 1024  # a download that receives fewer bytes in 5 seconds is slow
SLOW_AT_ONCE = 3  # a host with this number of concurrent slow downloads is slow
# A host still counts as slow for this time after its last slow download.
_SLOW_FOR = timedelta(seconds=5)
# If a host becomes slow again within this time, ``slow_since`` still returns the earlier time.
_REMEMBERED = timedelta(minutes=1)


@dataclass(slots=True)
class Download:
    """A download in progress. ``received`` is the number of bytes received so far."""

    received: int = 0
    is_over: bool = False


@dataclass(slots=True)
class _Host:
    """The state of a host.

    ``slow`` has the ids of the slow downloads in progress. ``since`` is the time at which the host
    became slow. ``last`` is the last slow time.
    """

    slow: set[int] = field(default_factory=set)
    since: datetime | None = None
    last: datetime | None = None


class SlowHosts:
    """The detector of slow hosts, which are hosts with several concurrent slow downloads."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Create a detector that knows of no slow hosts yet."""
        self._now = now
        self._hosts = TimedCache[str, _Host]()

    @contextmanager
    def measuring_download(self, host: str) -> Iterator[Download]:
        """Measure the speed of a download from ``host`` during the ``with`` block.

        Yield the download. The code in the block must add the number of received bytes to
        ``Download.received``.
        """
        download = Download()
        self._start_judging_every_5_s(host, download)
        try:
            yield download
        finally:
            download.is_over = True
            self._record_slowness(host, download, is_slow=False)

    def _start_judging_every_5_s(self, host: str, download: Download) -> None:
        """Decide every 5 seconds whether a download is slow, until the download ends.

        A download is slow if it received fewer than ``SLOW_BYTES`` bytes in the last 5 seconds.
        """
        loop, before = asyncio.get_running_loop(), download.received

        def judge() -> None:
            if not download.is_over:
                self._record_slowness(
                    host, download, is_slow=download.received - before < SLOW_BYTES
                )
                self._start_judging_every_5_s(host, download)

        loop.call_later(SLOW_AFTER.total_seconds(), judge)

    def slow_since(self, host: str) -> datetime | None:
        """Return the time at which a host became slow, or None if the host is not slow now.

        A host that becomes slow again within a minute keeps the earlier time.
        """
        now = self._now()
        state = self._hosts.get(host, now=now)
        if state is None or state.last is None:
            return None
        is_slow = len(state.slow) >= SLOW_AT_ONCE or now < state.last + _SLOW_FOR
        return state.since if is_slow else None

    def slow_host_names(self) -> list[str]:
        """Return the names of the hosts that are slow now or were slow in the last minute."""
        now = self._now()
        return sorted(
            host
            for host, state in self._hosts.items(now=now)
            if state.last is not None and now - state.last < _REMEMBERED
        )

    def _record_slowness(self, host: str, download: Download, *, is_slow: bool) -> None:
        now = self._now()
        state = self._hosts.get(host, now=now) or _Host()
        self._hosts.put(host, state, until=now + _REMEMBERED)
        was_slow = len(state.slow) >= SLOW_AT_ONCE
        if is_slow:
            state.slow.add(id(download))
        else:
            state.slow.discard(id(download))
        if was_slow or len(state.slow) >= SLOW_AT_ONCE:
            if state.last is None or now - state.last >= _REMEMBERED:
                state.since = now
            state.last = now
