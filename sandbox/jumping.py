"""An event loop that jumps: where nothing can happen before the next timer, it is that time.

A day of waiting takes as long as the work in it. The loop's ``time()`` is a number of ours. Its
selector polls; where nothing can be read and no call to a thread is outstanding, it moves that
number on by what it should have waited. Demo, tests and soak may run on it; not with uvloop.
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
_SHORTEST_S = 1e-6  # of a wait; on a real clock as much goes by while it is set
_NAP_S = 0.01  # real seconds of one wait while no timer is set
_POLLS = 3  # what was written to a socket of our own may need a moment to be readable

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")
_Ready = list[tuple[selectors.SelectorKey, int]]


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop on a clock of its own, which begins at ``start``."""

    def __init__(self, start: datetime | None = None) -> None:
        """Begin at ``start``, which is now where it is not given."""
        self.start = start or datetime.now(UTC)
        self.outstanding = 0
        self._number = 0.0
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        """Return the seconds since the loop began, as its timers count them."""
        return self._number

    def unix(self) -> float:
        """Return the loop's time of day in unix seconds."""
        return self.start.timestamp() + self._number

    def now(self) -> datetime:
        """Return the loop's time of day, aware and UTC."""
        return datetime.fromtimestamp(self.unix(), UTC)

    def jump(self, seconds: float) -> None:
        """Move the clock on."""
        self._number += seconds

    def call_at(
        self,
        when: float,
        callback: Callable[[*Arguments], object],
        *args: *Arguments,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Set a timer that is never due before the clock has moved.

        What is due within the clock's resolution is run at once; who then still finds a billionth
        of a second left to wait would wait for it for ever.
        """
        if when > self._number:
            when = max(when, self._number + _SHORTEST_S)
        return super().call_at(when, callback, *args, context=context)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Hold the clock while a call to a thread is outstanding."""
        self.outstanding += 1
        try:
            yield
        finally:
            self.outstanding -= 1

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Arguments], T], *args: *Arguments
    ) -> "asyncio.Future[T]":
        """Run ``func`` in a thread, and hold the clock until it has ended."""
        future = super().run_in_executor(executor, func, *args)
        self.outstanding += 1
        future.add_done_callback(self._done)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109, ARG002 - asyncio's
        """Wait for the threads, however long: a limit, as of Python 3.12, would be jumped to."""
        with self.waiting():
            await super().shutdown_default_executor()

    def _done(self, _: object) -> None:
        self.outstanding -= 1


class _JumpingSelector(selectors.BaseSelector):
    """The system's selector, asked without waiting."""

    def __init__(self, loop: JumpingLoop) -> None:
        self._loop = loop
        self._real = selectors.DefaultSelector()

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:  # noqa: ANN401 - as its base
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:  # noqa: ANN401 - as its base
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:  # noqa: ANN401 - as its base
        return self._real.modify(fileobj, events, data)

    def close(self) -> None:
        self._real.close()

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def select(self, timeout: float | None = None) -> _Ready:
        """Return what is ready; where nothing is, it is ``timeout`` seconds later now."""
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
    loop = asyncio._get_running_loop()  # noqa: SLF001 - the public one raises where there is none
    return loop if isinstance(loop, JumpingLoop) else None


def _time() -> float:
    loop = _jumping()
    return loop.unix() if loop else _real_time()


def _monotonic() -> float:
    loop = _jumping()
    return loop.time() if loop else _real_monotonic()


def install() -> None:
    """Give libraries that read ``time`` themselves the loop's, while a jumping one runs.

    Call it before they are imported: many take the function itself, as aiohttp does. A statement
    on its way to aiosqlite's thread holds the clock from now on.
    """
    time.time, time.monotonic = _time, _monotonic
    aiosqlite.core.Connection._execute = _counted(aiosqlite.core.Connection._execute)  # type: ignore[method-assign]  # noqa: SLF001 - the one place where a statement goes to its thread


def _counted(execute: Callable[..., Any]) -> Callable[..., Any]:
    async def counted(self: object, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever fn gives
        loop = _jumping()
        if loop is None:
            return await execute(self, fn, *args, **kwargs)
        with loop.waiting():
            return await execute(self, fn, *args, **kwargs)

    return counted
