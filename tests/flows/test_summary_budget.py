"""Changes of the time of a daily summary cause a limited number of additional checks in a day."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.store import budgets
from bot.store.subscriptions import subscriptions
from sandbox.jumping import JumpingLoop
from tests.flows.test_payer import Town, town

__all__ = ["town"]
pytestmark = [
    pytest.mark.jumps,
    pytest.mark.slow,
    # On PostgreSQL a test takes two minutes. Other tests execute the statements on PostgreSQL.
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]

CHECK = 1  # credits, because the privacy of each profile was checked within a day
MOST = 10  # moved checks a day


@pytest.fixture
async def values() -> dict[str, Any]:
    """Return settings with which a profile is checked about once an hour.

    The clock jumps to the first hour of a day, in which no credits are left for early checks.
    """
    loop = asyncio.get_running_loop()
    assert isinstance(loop, JumpingLoop)
    now = loop.now()
    begin = now.replace(hour=0, minute=30) + timedelta(days=1)
    loop.jump((begin - now).total_seconds())
    return {
        "person_daily_allowance": 1000,
        "max_subscriptions": MOST,
        "max_new_subscriptions_a_day": MOST,
        "poll_floor_s": 60,
        "daily_budget": 600,
    }


def clock() -> datetime:
    """Return the time of the clock that jumps."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, JumpingLoop)
    return loop.now()


async def spent_by_checks(town: Town) -> int:
    async with town.db.read() as tx:
        return (await budgets.account_state(tx)).schedule


async def press(town: Town, chat: int, *keys: str) -> None:
    page = await town.bell.old_post(chat, *keys)
    for key in keys:
        await town.bell.press(chat, page, key)


async def with_summaries(town: Town, count: int) -> tuple[int, list[int]]:
    """Return a known person with daily summaries of ``count`` profiles, and the subscriptions."""
    ann = await town.known("Ann", started=True)
    names = [await town.star() for _ in range(count)]
    await town.bell.ask(ann, "/subscribe " + " ".join(names))
    async with town.db.read() as tx:
        numbers = list(await tx.scalars(sa.select(subscriptions.c.id)))
    assert len(numbers) == count
    await press(town, ann, *(f"opt:{number}:digest:on" for number in numbers))
    await asyncio.sleep(900)  # of the jumping clock
    return ann, numbers


async def set_summary_soon(town: Town, chat: int) -> None:
    """Set the summary to a time in 12 minutes."""
    at = clock() + timedelta(minutes=12)
    await press(town, chat, f"set:digest:{at.hour}:{at.minute:02}")


async def test_the_first_hours_of_a_summary_are_each_checked_in_time(town: Town) -> None:
    ann, numbers = await with_summaries(town, 3)
    for _ in range(2):
        before = await spent_by_checks(town)
        await set_summary_soon(town, ann)
        await asyncio.sleep(180)  # of the jumping clock: until the checks are made
        assert await spent_by_checks(town) == before + CHECK * len(numbers)


@pytest.mark.parametrize("pauses", [False, True])
async def test_a_summary_that_is_moved_again_and_again_has_few_checks(
    town: Town, *, pauses: bool
) -> None:
    ann, numbers = await with_summaries(town, 5)
    before = await spent_by_checks(town)
    for _ in range(5):
        await set_summary_soon(town, ann)
        if pauses:
            on = (f"opt:{number}:pause:on" for number in numbers)
            off = (f"opt:{number}:pause:off" for number in numbers)
            await press(town, ann, *on, *off)
        await asyncio.sleep(180)  # of the jumping clock
    assert CHECK * len(numbers) <= await spent_by_checks(town) - before <= CHECK * MOST
