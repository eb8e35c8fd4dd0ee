"""One supervisor for all loops: a step that fails comes again, none is repeated for nothing."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from bot.runtime.clock import Clock
from bot.runtime.workers import Worker
from sandbox.jumping import JumpingLoop

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def timed(test: Callable[[Clock], Awaitable[None]]) -> None:
    """Run a test on a loop that jumps over its waits."""

    async def bounded() -> None:
        async with asyncio.timeout(20_000):
            await test(Clock(NOON))

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        runner.run(bounded())


def test_it_sleeps_until_something_is_due_and_no_longer_than_it_may() -> None:
    async def test(clock: Clock) -> None:
        at: list[timedelta] = []

        async def step() -> datetime | None:
            at.append(clock() - NOON)
            if len(at) == 4:
                worker.stop()
            return [clock() + 7 * SECOND, None, clock(), None][len(at) - 1]

        worker = Worker("test", step, now=clock, longest=60 * SECOND)
        await worker.run()
        seconds = [round(span.total_seconds()) for span in at]
        assert seconds == [0, 7, 67, 67]

    timed(test)


def test_a_step_that_fails_comes_again_after_longer_and_longer_pauses() -> None:
    async def test(clock: Clock) -> None:
        at: list[float] = []

        async def step() -> datetime | None:
            at.append((clock() - NOON).total_seconds())
            worker.wake()  # which must not make it spin
            if len(at) == 9:
                worker.stop()
                return None
            if len(at) > 1:
                assert worker.trouble == "ZeroDivisionError"
            raise ZeroDivisionError

        worker = Worker("test", step, now=clock)
        await worker.run()
        pauses = [round(after - before, 1) for before, after in itertools.pairwise(at)]
        assert pauses == [0.2, 0.5, 1, 2, 4, 5, 5, 5]
        assert worker.trouble == ""

    timed(test)


async def test_a_wake_is_not_lost_while_a_step_runs() -> None:
    steps = 0

    async def step() -> None:
        nonlocal steps
        steps += 1
        if steps == 1:
            worker.wake()
        else:
            worker.stop()

    worker = Worker("test", step, now=lambda: NOON)
    async with asyncio.timeout(60):
        await worker.run()
    assert steps == 2


async def test_a_cancellation_of_ours_comes_through() -> None:
    began = asyncio.Event()

    async def hang() -> None:
        began.set()
        await asyncio.Event().wait()

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        task = group.create_task(Worker("test", hang, now=lambda: NOON).run())
        await began.wait()
        task.cancel()
    assert task.cancelled()


async def test_a_cancellation_that_nobody_asked_for_ends_nothing() -> None:
    steps = 0

    async def step() -> None:
        nonlocal steps
        steps += 1
        if steps == 2:
            worker.stop()
            return
        raise asyncio.CancelledError  # as of a future that some library cancelled

    worker = Worker("test", step, now=lambda: NOON)
    async with asyncio.timeout(60):
        await worker.run()
    assert steps == 2
