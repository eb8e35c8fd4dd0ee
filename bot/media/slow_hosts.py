"""The media hosts that are slow at the moment, from how fast the downloads from each host go."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.runtime.concurrency import SLOW_AFTER

SLOW_BYTES = 80 * 1024  # of one download in 5 seconds; fewer are slow
SLOW_AT_ONCE = 3  # downloads; of a single slow file a host is not slow
_SLOW_FOR = timedelta(seconds=5)  # after the last of them
_REMEMBERED = timedelta(minutes=1)  # how long a host that is tried again keeps its ``since``


@dataclass(slots=True)
class Download:
    """A download: its ``received`` bytes so far, and whether it is over."""

    received: int = 0
    is_over: bool = False


@dataclass(slots=True)
class _Host:
    """A host with its slow downloads; since when it is slow, and when it was slow last."""

    slow: set[int] = field(default_factory=set)
    since: datetime | None = None
    last: datetime | None = None


class SlowHosts:
    """Knows the hosts from which several downloads at once are slow."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Begin with no slow host."""
        self._now = now
        self._hosts: dict[str, _Host] = {}

    @contextmanager
    def watching(self, host: str) -> Iterator[Download]:
        """Watch how fast a download goes, which the block adds up in ``received``."""
        download = Download()
        self._judge_later(host, download)
        try:
            yield download
        finally:
            download.is_over = True
            self._record(host, download, is_slow=False)

    def _judge_later(self, host: str, download: Download) -> None:
        """Judge a download every 5 seconds until it is over, from the bytes of each interval."""
        loop, before = asyncio.get_running_loop(), download.received

        def judge() -> None:
            if not download.is_over:
                self._record(host, download, is_slow=download.received - before < SLOW_BYTES)
                self._judge_later(host, download)

        loop.call_later(SLOW_AFTER.total_seconds(), judge)

    def slow_since(self, host: str) -> datetime | None:
        """Return since when a host has been slow; None if it is not slow now."""
        one, now = self._hosts.get(host), self._now()
        if one is None or one.last is None:
            return None
        is_slow = len(one.slow) >= SLOW_AT_ONCE or now < one.last + _SLOW_FOR
        return one.since if is_slow else None

    def names(self) -> list[str]:
        """Return the hosts that are slow, or were slow in the last minute."""
        now = self._now()
        return sorted(
            host
            for host, one in self._hosts.items()
            if one.last is not None and now - one.last < _REMEMBERED
        )

    def _record(self, host: str, download: Download, *, is_slow: bool) -> None:
        self._forget_old()
        one, now = self._hosts.setdefault(host, _Host()), self._now()
        was_slow = len(one.slow) >= SLOW_AT_ONCE
        if is_slow:
            one.slow.add(id(download))
        else:
            one.slow.discard(id(download))
        if was_slow or len(one.slow) >= SLOW_AT_ONCE:
            if one.last is None or now - one.last >= _REMEMBERED:
                one.since = now
            one.last = now

    def _forget_old(self) -> None:
        """Forget hosts that have not been slow for a minute; later they begin anew."""
        now = self._now()
        for host, one in list(self._hosts.items()):
            if not one.slow and (one.last is None or now - one.last >= _REMEMBERED):
                del self._hosts[host]
