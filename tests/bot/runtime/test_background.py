"""Work beside other work: it ends with it, and failures come through as they are."""

import asyncio

import pytest
from structlog.testing import capture_logs

from bot.runtime.background import renewing, run_together, running_after


async def test_what_a_block_raises_comes_through_and_what_fails_beside_it_is_logged() -> None:
    begun = asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            raise OSError

    async def block() -> None:
        async with running_after(0, work):
            await asyncio.wait_for(begun.wait(), 60)
            raise LookupError

    with capture_logs() as logs, pytest.raises(LookupError):
        await block()
    assert [type(one["exc_info"]) for one in logs] == [OSError]


async def test_the_first_failure_of_several_ends_the_rest_and_comes_through() -> None:
    done: list[int] = []

    async def work(number: int) -> None:
        await asyncio.sleep(0)
        if number == 1:
            raise LookupError
        if number == 2:
            await asyncio.Event().wait()
        done.append(number)

    with pytest.raises(LookupError):
        await run_together(*(work(number) for number in range(3)))
    assert done == [0]


async def test_a_lease_is_renewed_while_the_block_runs_whatever_fails() -> None:
    times = 0
    enough = asyncio.Event()

    async def renew() -> bool:
        nonlocal times
        times += 1
        if times == 1:
            raise OSError
        if times == 3:
            enough.set()
        return True

    async with asyncio.timeout(60), renewing(renew, every_s=0.001):
        await enough.wait()
    assert [task for task in asyncio.all_tasks() if "_renew_repeatedly" in repr(task)] == []


async def test_a_lease_that_is_lost_is_renewed_no_more() -> None:
    asked = asyncio.Event()

    async def renew() -> bool:
        asked.set()
        return False

    async with asyncio.timeout(60), renewing(renew, every_s=0.001):
        await asked.wait()
        [task] = [task for task in asyncio.all_tasks() if "_renew_repeatedly" in repr(task)]
        await asyncio.wait([task])


async def test_nothing_renews_after_the_block_however_often_that_is_cancelled() -> None:
    begun = asyncio.Event()
    is_over = False

    async def renew() -> bool:
        nonlocal is_over
        begun.set()
        try:
            return await asyncio.Event().wait()
        finally:
            for _ in range(3):  # a transaction is rolled back
                await asyncio.sleep(0)
            is_over = True

    async def work() -> None:
        async with renewing(renew, every_s=0.001):
            await asyncio.Event().wait()

    task = asyncio.get_running_loop().create_task(work())
    async with asyncio.timeout(60):
        await begun.wait()
        for _ in range(2):
            task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task
    assert is_over
