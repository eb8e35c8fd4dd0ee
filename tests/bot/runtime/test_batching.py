"""What is asked together is written together, and a failure is told to all whom it concerns."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from bot.runtime.batching import BatchingQueue


async def test_what_is_asked_at_one_moment_is_written_at_once() -> None:
    written: list[list[int]] = []

    async def write(items: list[int]) -> None:
        written.append(items)

    combined = BatchingQueue(write)
    await asyncio.gather(*(combined([n]) for n in range(5)))
    assert written == [[0, 1, 2, 3, 4]]


async def test_what_is_asked_by_who_is_cancelled_is_written_before_it_ends() -> None:
    held = asyncio.Event()
    written: list[list[int]] = []

    async def write(items: list[int]) -> None:
        written.append(items)
        await held.wait()

    combined = BatchingQueue(write)
    tasks = [asyncio.get_running_loop().create_task(combined([n])) for n in range(2)]
    await asyncio.sleep(0.01)
    tasks += [asyncio.get_running_loop().create_task(combined([n])) for n in range(2, 6)]
    await asyncio.sleep(0.01)
    for task in tasks[:3]:  # the first asked first, and so did the third of the next batch
        task.cancel()
        task.cancel()
    await asyncio.sleep(0.01)
    assert not any(task.done() for task in tasks)
    held.set()
    await asyncio.wait(tasks)
    assert [task.cancelled() for task in tasks] == [True] * 3 + [False] * 3
    assert written == [[0, 1], [2, 3, 4, 5]]


@given(st.lists(st.integers(-8, 8), max_size=60), st.integers(0, 3))
async def test_nobody_waits_for_ever_and_nothing_is_written_twice(
    steps: list[int], turns: int
) -> None:
    """A step above zero asks for so many, one below cancels who asked so many calls ago."""
    written: list[int] = []

    async def write(items: list[int]) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        if 3 in items:
            raise OSError
        written.extend(items)

    combined = BatchingQueue(write)
    tasks: list[asyncio.Task[None]] = []
    for step in steps:
        for _ in range(step):
            tasks.append(asyncio.get_running_loop().create_task(combined([len(tasks)])))
        if step < 0 and len(tasks) >= -step:
            tasks[step].cancel()
        await asyncio.sleep(0)
    async with asyncio.timeout(60):
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    done = {n for n, error in enumerate(ended) if error is None}
    assert done <= set(written)
    assert len(written) == len(set(written))
    await combined([-1])
    assert written[-1] == -1


async def test_a_batch_may_wait_a_moment_for_what_comes_next() -> None:
    written: list[list[int]] = []

    async def write(items: list[int]) -> None:
        written.append(items)

    combined = BatchingQueue(write, gather_s=0.01)
    async with asyncio.TaskGroup() as group:
        group.create_task(combined([1]))
        for _ in range(5):
            await asyncio.sleep(0)
        group.create_task(combined([2]))
    assert written == [[1, 2]]
