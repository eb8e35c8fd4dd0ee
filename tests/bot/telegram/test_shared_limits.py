"""Replicas that count at the same moment count as one would."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.store import chat_queues, chats, leases
from bot.store.database import Database
from bot.telegram.limit_state import LocalLimitState, SharedLimitState
from tests.support.database import on_postgresql
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


async def known_chats(db: Database, clock: Clock, ids: range) -> None:
    async with db.begin() as tx:
        for chat in ids:
            await chats.ensure(tx, chat, kind="private", title="", now=clock())
            await chat_queues.ensure(tx, chat, now=clock())


@on_postgresql
async def test_claimed_chats_are_counted_in_few_statements(db: Database) -> None:
    clock, state = Clock(), SharedLimitState(db, 1, Clock())
    await known_chats(db, clock, range(1, 65))
    async with db.begin() as tx:
        for chat in range(1, 65):
            await chat_queues.wake(tx, chat, due_at=clock(), now=clock())
        claimed = await chat_queues.claim(tx, now=clock(), limit=64, lease=timedelta(minutes=1))
    for queue in claimed:
        state.see(queue.chat.id, queue.flood)
    count = 0

    @sa.event.listens_for(sa.Engine, "before_cursor_execute")
    def asked(*_: object) -> None:
        nonlocal count
        count += 1

    try:
        waits = await asyncio.gather(*(state.enter(chat, 1, "alert") for chat in range(1, 65)))
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", asked)
    assert not any(waits)
    assert count <= 3
    async with db.read() as tx:
        versions = [await chat_queues.flood(tx, chat) for chat in range(1, 65)]
    assert [version[1] for version in versions if version] == [1] * 64


async def test_what_counts_at_the_same_moment_in_one_chat_counts_each_time(db: Database) -> None:
    clock = Clock()
    first, second = (SharedLimitState(db, 1, clock) for _ in range(2))
    await known_chats(db, clock, range(7, 8))
    for state in (first, second):
        state.see(7, (None, 0))
    await asyncio.gather(*(one.enter(7, 1, "alert") for one in (first, first, second)))
    assert await first.enter(7, 1, "alert") > 0  # a burst of three


@on_postgresql
async def test_a_queue_that_somebody_holds_keeps_no_other_chat_waiting(
    db: Database,
) -> None:
    clock, state = Clock(), SharedLimitState(db, 1, Clock())
    await known_chats(db, clock, range(1, 4))
    for chat in range(1, 4):
        state.see(chat, (None, 0))
    async with asyncio.TaskGroup() as group, db.begin() as tx:
        await chat_queues.lock(tx, 1)
        held = group.create_task(state.enter(1, 1, "alert"))
        others = await asyncio.gather(*(state.enter(chat, 1, "alert") for chat in (2, 3)))
        assert (others, held.done()) == ([0, 0], False)
    assert held.result() == 0


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
