"""What is asked together is written together, and a failure is told to all whom it concerns."""

import asyncio

from bot.runtime.batching import BatchingQueue


async def test_what_comes_while_one_is_written_is_written_at_once() -> None:
    held = asyncio.Event()
    written: list[list[int]] = []

    async def write(items: list[int]) -> None:
        written.append(items)
        await held.wait()

    combined = BatchingQueue(write)
    async with asyncio.TaskGroup() as group:
        group.create_task(combined([1]))
        await asyncio.sleep(0)
        for n in range(2, 6):
            group.create_task(combined([n]))
        await asyncio.sleep(0)
        held.set()
    assert written == [[1], [2, 3, 4, 5]]


async def test_what_is_asked_at_one_moment_is_written_at_once() -> None:
    written: list[list[int]] = []

    async def write(items: list[int]) -> None:
        written.append(items)

    combined = BatchingQueue(write)
    await asyncio.gather(*(combined([n]) for n in range(5)))
    assert written == [[0, 1, 2, 3, 4]]


async def test_a_store_that_fails_is_told_to_everyone_who_waits() -> None:
    held = asyncio.Event()
    written: list[list[int]] = []

    async def write(items: list[int]) -> None:
        await held.wait()
        if 3 in items:
            raise OSError
        written.append(items)

    combined = BatchingQueue(write)
    results = asyncio.gather(*(combined([n]) for n in range(1, 6)), return_exceptions=True)
    await asyncio.sleep(0)
    held.set()
    first, *others = await results
    assert first is None or isinstance(first, OSError)
    assert all(isinstance(other, OSError | RuntimeError) for other in others)
    await combined([9])
    assert written[-1] == [9]
