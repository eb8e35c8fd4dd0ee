"""One clock: what is dated and what waits go by the event loop's time."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from bot.runtime.clock import CHECK_EVERY_S, Clock, steady
from sandbox.loop import MovableLoop

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


async def test_it_begins_with_the_machines_time() -> None:
    assert abs((Clock()() - datetime.now(UTC)).total_seconds()) < 1
    assert abs(steady() - asyncio.get_running_loop().time()) < 1


def test_on_a_loop_that_is_moved_on_dates_and_waits_go_along() -> None:
    loop = MovableLoop()

    async def skip_a_day() -> tuple[timedelta, float]:
        clock = Clock(NOON)
        async with asyncio.TaskGroup() as group:
            sleeper = group.create_task(asyncio.sleep(86_000))
            await asyncio.sleep(0)
            before = clock()
            loop.advance(86_400)
            began = time.monotonic()
            await sleeper
            return clock() - before, time.monotonic() - began

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        passed, waited = runner.run(skip_a_day())
    assert timedelta(days=1) <= passed < timedelta(days=1, seconds=5)
    assert waited < 5


async def test_it_follows_a_machine_whose_clock_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time
    clock, told = Clock(check_every_s=0), Clock(NOON, check_every_s=0)
    monkeypatch.setattr(time, "time", lambda: real() + 7_200)
    assert abs((clock() - datetime.now(UTC)).total_seconds() - 7_200) < 1
    assert told() - NOON < timedelta(minutes=1)


def test_it_does_not_follow_it_on_a_loop_that_jumped() -> None:
    loop = MovableLoop()

    async def jump() -> timedelta:
        clock = Clock()
        before = clock()
        loop.advance(CHECK_EVERY_S + 3_600)
        return clock() - before

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        assert runner.run(jump()) >= timedelta(seconds=CHECK_EVERY_S + 3_600)
