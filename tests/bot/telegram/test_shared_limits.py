"""Replicas that count at the same moment count as one would."""

import asyncio
from datetime import timedelta

import pytest

from bot.store import chats, leases
from bot.store.database import Database
from bot.telegram.limit_state import LocalLimitState, SharedLimitState
from tests.support.followed import Clock

REPLICAS, EACH = 4, 12


@pytest.mark.parametrize("chat", [7, -7, 99, "@channel"])  # 99: nothing is known of it
async def test_replicas_let_through_what_one_process_would(db: Database, chat: int | str) -> None:
    clock = Clock()
    local = LocalLimitState(lambda: clock().timestamp())
    alone = [await local.enter(chat, 1, "reply") for _ in range(REPLICAS * EACH)]
    async with db.begin() as tx:
        for known in (7, -7):
            await chats.ensure(tx, known, kind="private", title="", now=clock())
    replicas = [SharedLimitState(db, 1, clock) for _ in range(REPLICAS)]
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(replica.enter(chat, 1, "reply"))
            for _ in range(EACH)
            for replica in replicas
        ]
    together = [task.result() for task in tasks]
    assert together.count(0) == alone.count(0) > 10
    assert await replicas[0].enter(chat, 1, "reply") > 0
    clock.on(timedelta(hours=1))
    assert await replicas[-1].enter(chat, 1, "reply") == 0


async def test_what_telegram_closes_for_one_is_closed_for_all(db: Database) -> None:
    clock = Clock()
    first, second = (SharedLimitState(db, 1, clock) for _ in range(2))
    async with db.begin() as tx:
        await chats.ensure(tx, 7, kind="private", title="", now=clock())
    assert await second.enter(7, 1, "alert") == 0
    await first.close(7, 30)
    assert await second.closed_for(7) == 30
    assert await second.enter(7, 1, "alert") == 30


async def test_slots_of_replicas_follow_one_another(db: Database) -> None:
    clock = Clock()
    replicas = [SharedLimitState(db, 1, clock) for _ in range(REPLICAS)]
    found = await asyncio.gather(*(replica.slots(1, 4, 20.0) for replica in replicas))
    assert sorted(round(wait, 3) for wait, _ in found) == [0, 0.2, 0.4, 0.6]
    await replicas[0].stop(60)
    assert (await replicas[1].slots(1, 4, 20.0))[0] == pytest.approx(60, abs=0.001)
    async with db.begin() as tx:
        await leases.clean(tx, now=clock() + timedelta(days=1))
    assert (await replicas[1].slots(1, 4, 20.0))[0] == 0
