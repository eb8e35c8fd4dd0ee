"""Broadcasts: what counts as sent, as waiting and as unreachable, on both databases."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.domain.records import Held
from bot.operations.broadcast import Broadcasts
from bot.store import broadcasts, chat_queues, chats, moves
from bot.store.broadcasts import Reach
from bot.store.deliveries import deliveries, is_open
from bot.store.engine.database import Database, Tx
from tests.support.control import wait_for
from tests.support.database import on_postgresql
from tests.support.followed import HOUR, NOON, Clock

MANY = 33_000  # more than the parameters of a statement on PostgreSQL


async def running(tx: Tx, text: str) -> int:
    """Hand a broadcast out to all chats; return its number."""
    number = await broadcasts.add_draft(tx, text, 1, now=NOON)
    one = await broadcasts.change_state(tx, number, from_states=("draft",), to_state="running")
    assert one
    assert await broadcasts.enqueue_next_if_chats_left(tx, one, limit=10, now=NOON)
    return number


async def change(tx: Tx, chat_id: int, **values: object) -> None:
    """Change what is owed to a chat, as the outbox would."""
    theirs = sa.update(deliveries).where(deliveries.c.chat_id == chat_id)
    await tx.execute(theirs.values(**values))


async def test_each_broadcast_counts_and_drops_its_own_deliveries(db: Database) -> None:
    async with db.begin() as tx:
        for chat_id in (1, 2, 3, 4):
            await chats.add_or_update(tx, chat_id, kind="private", title="", now=NOON)
        one, other = await running(tx, "one"), await running(tx, "other")
        assert await broadcasts.is_being_sent_or_due_soon(tx, one, now=NOON)
        await change(tx, 1, state="sent")
        await change(tx, 2, held=Held.QUIET, due_at=NOON + HOUR)
        await moves.close_left_chat(tx, 3, now=NOON)
        await change(tx, 4, held=Held.MUTED)
        assert not await broadcasts.is_being_sent_or_due_soon(tx, one, now=NOON)
        assert await broadcasts.count_reach(tx, one) == Reach(sent=1, waiting=2, unreachable=1)
        await broadcasts.drop_unsent(tx, other, now=NOON)
        assert await broadcasts.count_reach(tx, one) == Reach(sent=1, waiting=2, unreachable=1)
        assert await broadcasts.count_reach(tx, other) == Reach(sent=1, waiting=0, unreachable=3)


async def test_a_group_that_moves_during_a_broadcast_gets_the_message_once(db: Database) -> None:
    async with db.begin() as tx:
        for chat_id in (-2000, -9, -5):
            await chats.add_or_update(tx, chat_id, kind="group", title="", now=NOON)
        number = await broadcasts.add_draft(tx, "Hello", 1, now=NOON)
        await broadcasts.change_state(tx, number, from_states=("draft",), to_state="running")
        for _ in range(2):
            [one] = await broadcasts.running(tx)
            await broadcasts.enqueue_next_if_chats_left(tx, one, limit=1, now=NOON)
        await moves.move_chat(tx, -9, -1009, now=NOON)  # has the message
        await moves.move_chat(tx, -5, -1005, now=NOON)  # would have been the next
        [one] = await broadcasts.running(tx)
        assert not await broadcasts.enqueue_next_if_chats_left(tx, one, limit=9, now=NOON)
        found = await tx.scalars(sa.select(deliveries.c.chat_id).order_by(deliveries.c.chat_id))
        assert list(found) == [-2000, -1009, -1005]


@pytest.mark.parametrize("reached", [1, 2])
async def test_a_supergroup_that_has_the_message_gets_no_second_one_of_its_group(
    db: Database, reached: int
) -> None:
    async with db.begin() as tx:
        for chat_id in (-1009, -9):
            await chats.add_or_update(tx, chat_id, kind="group", title="", now=NOON)
        number = await broadcasts.add_draft(tx, "Hello", 1, now=NOON)
        await broadcasts.change_state(tx, number, from_states=("draft",), to_state="running")
        [one] = await broadcasts.running(tx)
        await broadcasts.enqueue_next_if_chats_left(tx, one, limit=reached, now=NOON)
        await moves.move_chat(tx, -9, -1009, now=NOON)  # the news of the move came late
        found = await tx.scalars(sa.select(deliveries.c.chat_id))
        assert list(found) == [-1009]


async def test_a_flood_limit_of_a_minute_is_waited_for(db: Database) -> None:
    async with db.begin() as tx:
        await chats.add_or_update(tx, 1, kind="private", title="", now=NOON)
        one = await running(tx, "one")
        for wait, is_being_sent in ((HOUR / 120, True), (HOUR, False)):
            await chat_queues.reschedule(tx, 1, unclaimed_until=NOON + wait)
            assert await broadcasts.is_being_sent_or_due_soon(tx, one, now=NOON) is is_being_sent


async def test_a_broadcast_ends_whose_author_was_erased(sqlite_db: Database) -> None:
    sender = Broadcasts(sqlite_db, wake=lambda: None, now=lambda: NOON)
    number, _ = await sender.add_draft_and_count_recipients("", owner=7)
    await sender.begin(number, message_id=3)

    async def has_ended() -> bool:
        return not await sqlite_db.fetch(broadcasts.running)

    async with asyncio.TaskGroup() as group:
        group.create_task(sender.worker.run())
        await wait_for(has_ended)
        sender.worker.stop()


@on_postgresql
async def test_several_processes_add_messages_to_ten_chats_a_second(db: Database) -> None:
    clock = Clock()
    senders = [Broadcasts(db, wake=lambda: None, now=clock) for _ in range(3)]
    async with db.begin() as tx:
        for chat_id in range(1, 101):
            await chats.add_or_update(tx, chat_id, kind="private", title="", now=NOON)
    number, _ = await senders[0].add_draft_and_count_recipients("", owner=1)
    await senders[0].begin(number, message_id=None)
    for _ in range(4):
        for sender in senders:
            await sender.worker.step()
        clock.on(timedelta(seconds=1))
    async with db.read() as tx:
        assert (await broadcasts.count_reach(tx, number)).waiting == 40


async def add_numbered(tx: Tx, table: sa.Table, key: str, **values: object) -> None:
    """Insert a row for each chat from 1 to ``MANY`` with a single statement."""
    number = sa.func.generate_series(1, MANY).column_valued("number")
    literals = [sa.literal(value, table.c[name].type) for name, value in values.items()]
    rows = sa.select(number, *literals)
    await tx.execute(sa.insert(table).from_select([key, *values], rows))


@on_postgresql
async def test_a_broadcast_stops_that_very_many_chats_have_not_received(db: Database) -> None:
    """More chats wait, because of quiet hours, than a statement may have parameters."""
    async with db.begin() as tx:
        number = await broadcasts.add_draft(tx, "", 1, now=NOON)
        since = {"state_since": NOON, "created_at": NOON}
        due = {"due_at": NOON, "created_at": NOON, "fields": {"broadcast": number}}
        await add_numbered(tx, chats.chats, "id", kind="private", **since)
        await add_numbered(tx, chat_queues.queues, "chat_id", due_at=NOON, leased_until=NOON)
        await add_numbered(tx, deliveries, "chat_id", notice="broadcast", **due)
        await broadcasts.drop_unsent(tx, number, now=NOON)
        is_waiting = sa.exists().where(is_open)
        assert not (await tx.execute(sa.select(is_waiting))).scalar_one()
