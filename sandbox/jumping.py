"""An event loop that skips waiting times by advancing the clock to the next timer.

A day of waiting takes only the duration of the work in the day. The loop's ``time()`` is a
counter. The selector polls without waiting. If no input is available and no call to a thread is
outstanding, the selector advances the counter by the timeout of the poll instead of waiting. The
demo, tests and soak test may use the loop. uvloop is not supported.
"""

import asyncio
import selectors
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from contextvars import Context
from datetime import UTC, datetime
from typing import Any, TypeVar, TypeVarTuple

import aiosqlite

_TURN_S = 0.05  # real seconds of one wait for a thread
# Minimum wait in seconds; on a real clock, setting a timer takes about this time.
_SHORTEST_S = 1e-6
_NAP_S = 0.01  # real seconds of one wait if no timer is set
_POLLS = 3  # polls before a jump; data in a local socket may be readable only after a moment

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")
_Ready = list[tuple[selectors.SelectorKey, int]]


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop with a separate clock, which begins at ``start``."""

    def __init__(self, start: datetime | None = None) -> None:
        """Begin at ``start``. If ``start`` is None, begin at the present time."""
        self.start = start or datetime.now(UTC)
        self.outstanding = 0
        self._number = 0.0
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        """Return the seconds since the loop's start, as used by timers."""
        return self._number

    def unix(self) -> float:
        """Return the loop's wall-clock time in unix seconds."""
        return self.start.timestamp() + self._number

    def now(self) -> datetime:
        """Return the loop's wall-clock time in UTC, with a time zone."""
        return datetime.fromtimestamp(self.unix(), UTC)

    def jump(self, seconds: float) -> None:
        """Advance the clock by a number of seconds."""
        self._number += seconds

    def call_at(
        self,
        when: float,
        callback: Callable[[*Arguments], object],
        *args: *Arguments,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Schedule a callback that is never due before the clock has advanced.

        asyncio runs a timer at once if the timer is due within the clock's resolution. In that
        case, a caller could find that a nanosecond of its wait remains, and would schedule the
        same timer again without end.
        """
        if when > self._number:
            when = max(when, self._number + _SHORTEST_S)
        return super().call_at(when, callback, *args, context=context)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Stop the clock while a call to a thread is outstanding."""
        self.outstanding += 1
        try:
            yield
        finally:
            self.outstanding -= 1

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Arguments], T], *args: *Arguments
    ) -> "asyncio.Future[T]":
        """Run ``func`` in a thread, and stop the clock until the function returns."""
        future = super().run_in_executor(executor, func, *args)
        self.outstanding += 1
        future.add_done_callback(self._done)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109, ARG002 - the signature of asyncio
        """Wait for the threads without a timeout, because the clock would skip to the timeout.

        The parameter ``timeout`` exists since Python 3.12, and is ignored.
        """
        with self.waiting():
            await super().shutdown_default_executor()

    def _done(self, _: object) -> None:
        self.outstanding -= 1


class _JumpingSelector(selectors.BaseSelector):
    """The system's selector, called without waiting."""

    def __init__(self, loop: JumpingLoop) -> None:
        self._loop = loop
        self._real = selectors.DefaultSelector()

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:  # noqa: ANN401 - the signature of the base class
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:  # noqa: ANN401 - the signature of the base class
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:  # noqa: ANN401 - the signature of the base class
        return self._real.modify(fileobj, events, data)

    def close(self) -> None:
        self._real.close()

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def select(self, timeout: float | None = None) -> _Ready:
        """Return the ready events. If there are none, advance the clock by ``timeout`` seconds."""
        ready = self._real.select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        while self._loop.outstanding:
            if ready := self._real.select(_TURN_S):
                return ready
        for _ in range(_POLLS):
            if ready := self._real.select(0):
                return ready
        if timeout is None:
            return self._real.select(_NAP_S)
        self._loop.jump(timeout)
        return []


_real_time, _real_monotonic = time.time, time.monotonic


def _jumping() -> JumpingLoop | None:
    loop = asyncio._get_running_loop()  # noqa: SLF001 - the public function raises an error if no loop is running
    return loop if isinstance(loop, JumpingLoop) else None


def _time() -> float:
    loop = _jumping()
    return loop.unix() if loop else _real_time()


def _monotonic() -> float:
    loop = _jumping()
    return loop.time() if loop else _real_monotonic()


def install() -> None:
    """Replace the functions of ``time`` by functions that return a running jumping loop's time.

    Call this function before the import of libraries that import the functions by name, for
    example aiohttp. This function also changes aiosqlite, so that the clock stops while a
    statement is on its way to aiosqlite's thread.
    """
    time.time, time.monotonic = _time, _monotonic
    aiosqlite.core.Connection._execute = _counted(aiosqlite.core.Connection._execute)  # type: ignore[method-assign]  # noqa: SLF001 - every statement passes through this function on its way to the thread


def _counted(execute: Callable[..., Any]) -> Callable[..., Any]:
    async def counted(self: object, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the result type of fn
        loop = _jumping()
        if loop is None:
            return await execute(self, fn, *args, **kwargs)
        with loop.waiting():
            return await execute(self, fn, *args, **kwargs)

    return counted
