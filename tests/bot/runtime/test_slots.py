"""A task that runs for long moves from a fast slot to a slow one."""

from datetime import timedelta

from bot.runtime.concurrency import SLOW_AFTER, FastAndSlowSlots
from tests.support.followed import NOON

SECOND = timedelta(seconds=1)


def test_a_task_that_runs_for_long_frees_its_fast_slot() -> None:
    slots = FastAndSlowSlots(2, 2)
    first = slots.record_start_and_return_ticket(NOON)
    slots.record_start_and_return_ticket(NOON + SECOND)
    assert slots.count_free(NOON + SECOND) == 0
    assert slots.next_free_at(NOON + SECOND) == NOON + SLOW_AFTER
    assert slots.count_free(NOON + SLOW_AFTER) == 1
    assert slots.next_free_at(NOON + SLOW_AFTER) == NOON + SECOND + SLOW_AFTER
    slots.record_end(first)
    assert (len(slots), slots.count_free(NOON + SLOW_AFTER)) == (1, 1)


def test_slow_slots_are_bounded() -> None:
    slots = FastAndSlowSlots(2, 1)
    late = NOON + SLOW_AFTER
    tickets = [slots.record_start_and_return_ticket(NOON) for _ in range(3)]
    assert (slots.count_slow(late), slots.count_free(late)) == (1, 0)
    assert slots.next_free_at(late) is None
    slots.record_end(tickets[0])
    assert slots.count_free(late) == 1
