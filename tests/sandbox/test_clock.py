"""The sandbox's clock."""

import asyncio
import time

import pytest

from sandbox.clock import Clock


def test_starts_at_the_wall_clock() -> None:
    assert abs(Clock().now() - time.time()) < 1


def test_runs_faster_when_told() -> None:
    clock = Clock(speed=1_000_000)
    first = clock.now()
    while clock.now() == first:
        pass
    assert clock.now() - time.time() > 0


def test_advances() -> None:
    clock = Clock()
    before = clock.now()
    clock.advance(3_600)
    assert 3_600 <= clock.now() - before < 3_601


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


@pytest.mark.parametrize("speed", [0, -1])
def test_never_stands_still(speed: float) -> None:
    with pytest.raises(ValueError, match="speed"):
        Clock(speed)


def test_never_runs_back() -> None:
    with pytest.raises(ValueError, match="forward"):
        Clock().advance(-1)
