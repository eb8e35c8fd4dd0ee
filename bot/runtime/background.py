"""Helpers for coroutines that run during a ``with`` block or must end despite a cancellation."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any, TypeVar

import structlog

log = structlog.get_logger()

T = TypeVar("T")


@asynccontextmanager
async def running_beside(
    work: Coroutine[Any, Any, None], *, end: Callable[[], object]
) -> AsyncIterator[None]:
    """Run ``work`` while the ``with`` block runs.

    At the end of the block, call ``end``, which must make ``work`` end. If ``work`` fails, the
    block is cancelled. If the block is cancelled, ``work`` is cancelled.

    Raises:
        ExceptionGroup: ``work`` failed.
    """
    failure: Exception | None = None
    async with asyncio.TaskGroup() as group:
        group.create_task(work)
        try:
            yield
        except Exception as error:  # noqa: BLE001 - raised again below; a task group would wrap the error
            failure = error
        finally:
            end()
    if failure:
        raise failure


async def run_together(*work: Coroutine[Any, Any, None]) -> None:
    """Run coroutines concurrently. If a coroutine fails, cancel the other coroutines.

    Raises:
        Exception: The exception of the first coroutine that failed, unchanged. Further exceptions
            are dropped.
    """
    try:
        async with asyncio.TaskGroup() as group:
            for coroutine in work:
                group.create_task(coroutine)
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def finish_on_cancel(
    work: Coroutine[Any, Any, T], *, undo: Callable[[T], Awaitable[object]] | None = None
) -> T:
    """Run ``work`` to its end, even if the caller is cancelled. Return the result of ``work``.

    After a cancellation, ``undo`` is called with the result of a successful ``work``, and the
    cancellation is raised.
    """
    task = asyncio.get_running_loop().create_task(work)
    try:
        return (await wait_for_end(task)).result()
    except asyncio.CancelledError:
        if undo and not task.cancelled() and task.exception() is None:
            await undo(task.result())
        raise


async def wait_for_end(task: asyncio.Task[T]) -> asyncio.Task[T]:
    """Wait until ``task`` is done, and return the task.

    If the caller is cancelled, the cancellation is raised after the task is done.
    """
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled:
        if not task.cancelled():
            task.exception()  # prevents a log entry of asyncio about an unread exception
        raise cancelled
    return task


@asynccontextmanager
async def running_after(
    seconds: float, work: Callable[[], Coroutine[Any, Any, None]]
) -> AsyncIterator[None]:
    """Start ``work`` if the ``with`` block takes longer than ``seconds``.

    At the end of the block, ``work`` is cancelled. An exception of ``work`` is only logged.
    """
    loop = asyncio.get_running_loop()
    tasks: list[asyncio.Task[None]] = []
    # The task is created by a timer and not immediately, because most ``with`` blocks end before
    # ``seconds`` have passed and therefore need no task.
    timer = loop.call_later(seconds, lambda: tasks.append(loop.create_task(work())))
    try:
        yield
    finally:
        timer.cancel()
        for task in tasks:
            task.cancel()
            await wait_for_end(task)
            if not task.cancelled() and (error := task.exception()):
                trace = None if getattr(error, "is_outage", False) else error
                log.error("work beside a block failed", why=str(error), exc_info=trace)


def renewing(
    renew: Callable[[], Awaitable[bool]], *, every_s: float, **log_fields: object
) -> AbstractAsyncContextManager[None]:
    """Call ``renew`` every ``every_s`` seconds during the ``with`` block, to renew a lease.

    The calls end when ``renew`` returns False. Exceptions of ``renew`` are only logged, so the
    lease may expire during the block.
    """
    return running_after(every_s, partial(_renew_repeatedly, renew, every_s, log_fields))


async def _renew_repeatedly(
    renew: Callable[[], Awaitable[bool]], every_s: float, log_fields: dict[str, object]
) -> None:
    is_held = True
    while is_held:
        try:
            is_held = await renew()
        except Exception as error:
            trace = None if getattr(error, "is_outage", False) else error
            log.warning("a lease could not be kept", why=str(error), exc_info=trace, **log_fields)
        await asyncio.sleep(every_s)
