"""Detection of slow media hosts, from the speed of the downloads of each host."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.runtime.concurrency import SLOW_AFTER
from bot.runtime.timed_cache import TimedCache

SLOW_BYTES = 80 * 1024  # a download that receives fewer bytes in 5 seconds is slow
SLOW_AT_ONCE = 3  # number of simultaneous slow downloads that makes a host slow
# A host counts as slow for this time after the last slow download.
_SLOW_FOR = timedelta(seconds=5)
# A host that is slow again within this time keeps its start time ``since``.
_REMEMBERED = timedelta(minutes=1)


@dataclass(slots=True)
class Download:
    """A download: the ``received`` bytes so far, and whether the download is over."""

    received: int = 0
    is_over: bool = False


@dataclass(slots=True)
class _Host:
    """A host: the slow downloads, the start of the slow period, and the last slow time."""

    slow: set[int] = field(default_factory=set)
    since: datetime | None = None
    last: datetime | None = None


class SlowHosts:
    """Detector of hosts from which several simultaneous downloads are slow."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Create a detector without slow hosts."""
        self._now = now
        self._hosts = TimedCache[str, _Host]()

    @contextmanager
    def watching(self, host: str) -> Iterator[Download]:
        """Measure the speed of a download. The block adds the received bytes to ``received``."""
        download = Download()
        self._judge_later(host, download)
        try:
            yield download
        finally:
            download.is_over = True
            self._record(host, download, is_slow=False)

    def _judge_later(self, host: str, download: Download) -> None:
        """Judge a download every 5 seconds until the end, by the bytes of each interval."""
        loop, before = asyncio.get_running_loop(), download.received

        def judge() -> None:
            if not download.is_over:
                self._record(host, download, is_slow=download.received - before < SLOW_BYTES)
                self._judge_later(host, download)

        loop.call_later(SLOW_AFTER.total_seconds(), judge)

    def slow_since(self, host: str) -> datetime | None:
        """Return the time when a host became slow, or None if the host is not slow now."""
        now = self._now()
        one = self._hosts.get(host, now=now)
        if one is None or one.last is None:
            return None
        is_slow = len(one.slow) >= SLOW_AT_ONCE or now < one.last + _SLOW_FOR
        return one.since if is_slow else None

    def names(self) -> list[str]:
        """Return the hosts that are slow, or were slow in the last minute."""
        now = self._now()
        return sorted(
            host
            for host, one in self._hosts.items(now=now)
            if one.last is not None and now - one.last < _REMEMBERED
        )

    def _record(self, host: str, download: Download, *, is_slow: bool) -> None:
        now = self._now()
        one = self._hosts.get(host, now=now) or _Host()
        self._hosts.put(host, one, until=now + _REMEMBERED)
        was_slow = len(one.slow) >= SLOW_AT_ONCE
        if is_slow:
            one.slow.add(id(download))
        else:
            one.slow.discard(id(download))
        if was_slow or len(one.slow) >= SLOW_AT_ONCE:
            if one.last is None or now - one.last >= _REMEMBERED:
                one.since = now
            one.last = now
