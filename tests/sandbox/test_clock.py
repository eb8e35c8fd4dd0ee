"""The sandbox's clock."""

import asyncio

from sandbox.clock import Clock


async def test_a_sleeper_wakes_when_the_clock_passes_its_time() -> None:
    clock = Clock()
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        sleeper = group.create_task(clock.sleep(1_000))
        await asyncio.sleep(0)
        clock.advance(400)
        await asyncio.sleep(0)
        assert not sleeper.done()
        clock.advance(601)


async def test_sleeps_sandbox_seconds() -> None:
    clock = Clock(speed=10_000)
    started = clock.now()
    async with asyncio.timeout(60):
        await clock.sleep(1_000)
    assert clock.now() - started >= 1_000
