"""One clock: what is dated and what waits go by the event loop's time."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from bot.runtime.clock import TELEGRAM, Clock, ServerClocks, event_loop_time_s
from sandbox.loop import MovableLoop

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
HOUR_S = 3600.0


class Machine:
    """A machine's clock that a test sets."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return NOON.timestamp() + event_loop_time_s() + self.ahead_s


def seconds_after_noon(clock: Callable[[], datetime]) -> float:
    return round((clock() - NOON).total_seconds() - event_loop_time_s())


async def test_it_begins_with_the_machines_time() -> None:
    assert abs((Clock()() - datetime.now(UTC)).total_seconds()) < 1
    assert abs(event_loop_time_s() - asyncio.get_running_loop().time()) < 1


def test_on_a_loop_that_is_moved_on_dates_and_waits_go_along() -> None:
    loop = MovableLoop()

    async def skip_a_day() -> tuple[timedelta, float, bool]:
        clock = Clock(NOON)
        async with asyncio.TaskGroup() as group:
            sleeper = group.create_task(asyncio.sleep(86_000))
            await asyncio.sleep(0)
            before = clock()
            loop.advance(86_400)
            began = time.monotonic()
            await sleeper
            return clock() - before, time.monotonic() - began, clock.is_anchored

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        passed, waited, is_anchored = runner.run(skip_a_day())
    assert timedelta(days=1) <= passed < timedelta(days=1, seconds=5)
    assert waited < 5
    assert is_anchored


@pytest.mark.parametrize(("step_s", "is_anchored"), [(0.9, True), (1.1, False), (-HOUR_S, False)])
async def test_a_step_of_the_machines_clock_moves_nothing_and_ends_the_anchoring(
    step_s: float, is_anchored: bool
) -> None:
    machine, doubts = Machine(), list[bool]()
    clock = Clock(machine=machine)
    assert not clock.is_anchored
    clock.correct_and_confirm()
    clock.on_doubt = lambda: doubts.append(True)
    machine.ahead_s += step_s
    assert seconds_after_noon(clock) == 0
    assert clock.is_anchored == is_anchored
    assert len(doubts) == (not is_anchored)
    assert bool(clock.why_unanchored) != is_anchored


async def test_after_a_correction_backwards_it_stands_still_until_the_count_has_caught_up() -> (
    None
):
    clock = Clock(machine=Machine())
    clock.correct_and_confirm(HOUR_S)
    before = clock()
    clock.correct_and_confirm(-HOUR_S)
    assert clock() == before
    assert seconds_after_noon(clock.unclamped_time) == 0
    clock.allow_going_back_once()  # as for a process that begins anew
    assert seconds_after_noon(clock) == 0


async def test_the_first_correction_may_set_it_back() -> None:
    machine = Machine()
    machine.ahead_s = HOUR_S
    clock = Clock(machine=machine)
    clock()
    clock.correct_and_confirm(-HOUR_S)
    assert seconds_after_noon(clock) == 0
    assert round(clock.ahead_of_machine_s) == -HOUR_S


async def test_only_a_quick_answer_with_a_date_tells_the_time() -> None:
    clock = Clock(machine=Machine())
    server_clocks = ServerClocks(clock)
    assert not server_clocks.clock_of_server(TELEGRAM).has_answered
    server_clocks.record_time(TELEGRAM, "")
    server_clocks.record_time(TELEGRAM, "no date")
    server_clocks.record_time(TELEGRAM, clock() + timedelta(hours=9), took_s=2.1)
    assert server_clocks.clock_of_server(TELEGRAM).has_answered
    assert server_clocks.clock_of_server(TELEGRAM).ahead_s is None
    assert server_clocks.pop_largest_clock_error() is None
    server_clocks.record_time(TELEGRAM, clock() + timedelta(hours=1), took_s=1.9)
    told = server_clocks.clock_of_server(TELEGRAM).ahead_s
    assert told is not None
    assert abs(told - HOUR_S) <= 2
    error = server_clocks.pop_largest_clock_error()
    assert error is not None
    assert abs(error - HOUR_S) <= 2
    assert server_clocks.pop_largest_clock_error() is None
