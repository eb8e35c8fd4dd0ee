"""Work that goes on beside a block or beside other work, and ends with it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def beside(
    work: Coroutine[Any, Any, None], *, end: Callable[[], object] | None = None
) -> AsyncIterator[None]:
    """Run ``work`` until the block ends; what the block raises comes through as it is.

    ``end`` asks the work to end by itself, and it is waited for; without it, it is cancelled.
    """
    failure: Exception | None = None
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work)
        try:
            yield
        except Exception as error:  # noqa: BLE001 - raised again below; a group would wrap it
            failure = error
        finally:
            (end or task.cancel)()
    if failure:
        raise failure


async def together(*work: Coroutine[Any, Any, None]) -> None:
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
