"""Slots: few for each, first come first."""

import asyncio
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from bot.runtime.concurrency import FairSlots


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=30),
    st.integers(1, 6),
    st.integers(1, 3),
)
def test_no_holder_has_more_than_its_slots_and_all_come_to_their_turn(
    holders: list[int], most: int, each: int
) -> None:
    running: Counter[int] = Counter()
    done: Counter[int] = Counter()

    async def one(slots: FairSlots, holder: int) -> None:
        async with slots.slot(holder):
            running[holder] += 1
            assert running[holder] <= each
            assert running.total() <= most
            await asyncio.sleep(0)
            running[holder] -= 1
        done[holder] += 1

    async def all_of_them() -> None:
        slots = FairSlots(most, each=each)
        async with asyncio.timeout(60):
            await asyncio.gather(*(one(slots, holder) for holder in holders))

    asyncio.run(all_of_them())
    assert done == Counter(holders)
