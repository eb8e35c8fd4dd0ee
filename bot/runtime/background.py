"""Work that goes on beside a block or beside other work, and ends with it, or after it."""

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
    """Run ``work`` beside the block, and wait until it has ended, as ``end`` asks it to.

    What the block raises comes through as it is.
    """
    failure: Exception | None = None
    async with asyncio.TaskGroup() as group:
        group.create_task(work)
        try:
            yield
        except Exception as error:  # noqa: BLE001 - raised again below; a group would wrap it
            failure = error
        finally:
            end()
    if failure:
        raise failure


async def run_together(*work: Coroutine[Any, Any, None]) -> None:
    """Do all of it at once; the first failure ends the rest, and comes through as it is.

    Raises:
        Exception: What the first that failed raised.
    """
    try:
        async with asyncio.TaskGroup() as group:
            for one in work:
                group.create_task(one)
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def finish_on_cancel(
    work: Coroutine[Any, Any, T], *, undo: Callable[[T], Awaitable[object]] | None = None
) -> T:
    """Finish ``work`` even when cancelled, and be cancelled then.

    ``undo`` takes back what came of it where nobody is left who wants it.
    """
    task = asyncio.get_running_loop().create_task(work)
    try:
        return (await wait_for_end(task)).result()
    except asyncio.CancelledError:
        if undo and not task.cancelled() and task.exception() is None:
            await undo(task.result())
        raise


async def wait_for_end(task: asyncio.Task[T]) -> asyncio.Task[T]:
    """Return a task when it has ended; who is cancelled meanwhile is so only then."""
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled:
        if not task.cancelled():
            task.exception()  # asyncio would say that nobody has heard of it
        raise cancelled
    return task


@asynccontextmanager
async def running_after(
    seconds: float, work: Callable[[], Coroutine[Any, Any, None]]
) -> AsyncIterator[None]:
    """Begin ``work`` where the block takes longer than that, and cancel it when the block ends.

    A failure of the work is logged, and does not end the block.
    """
    loop = asyncio.get_running_loop()
    tasks: list[asyncio.Task[None]] = []
    # Most blocks end before, and need no task.
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
    renew: Callable[[], Awaitable[bool]], *, every_s: float, **of_what: object
) -> AbstractAsyncContextManager[None]:
    """Renew a lease again and again while the block runs, until ``renew`` says that it is lost.

    A failure is logged with ``of_what``, and renewing is tried again: if that fails, too, the
    lease ends, and at worst another does the same as we do.
    """
    return running_after(every_s, partial(_renew_repeatedly, renew, every_s, of_what))


async def _renew_repeatedly(
    renew: Callable[[], Awaitable[bool]], every_s: float, of_what: dict[str, object]
) -> None:
    is_held = True
    while is_held:
        try:
            is_held = await renew()
        except Exception as error:
            trace = None if getattr(error, "is_outage", False) else error
            log.warning("a lease could not be kept", why=str(error), exc_info=trace, **of_what)
        await asyncio.sleep(every_s)
