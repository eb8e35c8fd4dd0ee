"""Lanes: one sender a chat, order within a subscription, leases that end by themselves."""

import asyncio
from datetime import datetime

from bot.domain.model import Target
from bot.domain.records import Held
from bot.store import chat_queues, chats, deliveries, enqueue, erasure
from bot.store.engine.database import Database
from tests.support.claims import lease_at
from tests.support.followed import HOUR, MINUTE, NOON, PRADA, claim, follow, look, rows, story
from tests.support.lock_waits import Pause, run_behind_a_lock


async def test_a_lane_brings_its_chat_and_what_is_due_in_order(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, 1)
        await follow(tx, 1, PRADA, thread_id=4)
        await look(tx, story("2"), story("1", NOON - HOUR))
        await look(tx, story("3", of=PRADA), of=PRADA)
    [lane] = await claim(db)
    assert (lane.chat.id, lane.token) == (1, NOON.timestamp() * 1000 + 1)
    assert [(row.story_pk, row.username, row.target.thread_id) for row in lane.rows] == [
        ("1", "natgeo", None),
        ("2", "natgeo", None),
        ("3", "prada", 4),
    ]
    assert lane.rows[0].story == story("1", NOON - HOUR)
    assert (lane.rows[0].copies, lane.rows[0].attempts) == (0, 0)


async def test_a_claimed_lane_is_nobody_elses_until_the_lease_ends(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, 1)
        await look(tx, story("1"))
    [first] = await claim(db)
    assert await claim(db) == []
    assert await claim(db, now=NOON + MINUTE / 2) == []
    [second] = await claim(db, now=NOON + MINUTE)
    assert second.token == first.token + 1
    async with db.begin() as tx:
        assert not await chat_queues.renew(tx, first, lease_at(NOON, HOUR))
        assert await chat_queues.renew(tx, second, lease_at(NOON, HOUR))
        assert await chat_queues.lock(tx, 1) == second.token
    assert await claim(db, now=NOON + HOUR / 2) == []


async def test_a_settled_lane_is_due_when_its_chat_is(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, 1)
        await look(tx, story("1"), story("2"))

    async def settled(*, unclaimed_until: datetime | None = None) -> datetime | None:
        async with db.begin() as tx:
            await chat_queues.reschedule(tx, 1, unclaimed_until=unclaimed_until)
            return await chat_queues.next_due_at(tx)

    first, second = await rows(db)
    await claim(db)
    assert await settled(unclaimed_until=NOON + MINUTE) == NOON + MINUTE
    assert await claim(db) == []
    assert len(await claim(db, now=NOON + MINUTE)) == 1
    async with db.begin() as tx:
        await deliveries.change_columns_of_open(
            tx, [first.id, second.id], due_at=NOON + HOUR, held=Held.QUIET
        )
    assert await settled() == NOON + HOUR
    async with db.begin() as tx:
        await chats.set_state(tx, 1, "closed", now=NOON)
    assert await settled() is None
    async with db.begin() as tx:
        await chats.set_state(tx, 1, "active", now=NOON)
        await deliveries.end_open(tx, [first.id, second.id], reason="x", now=NOON)
    assert await settled() is None


async def test_what_is_counted_on_a_row(db: Database) -> None:
    async with db.begin() as tx:
        mine = await follow(tx, 1)
        await look(tx, *(story(str(n)) for n in range(1, 6)))
    ids = [row.id for row in await rows(db)]
    async with db.begin() as tx:
        await deliveries.record_claim_and_count_attempt(tx, ids)
        await deliveries.count_copies_and_return_counted_ids(tx, ids)
        await deliveries.count_copies_and_return_counted_ids(tx, ids[:1])
        await deliveries.record_unknown_outcome(tx, ids[1], due_at=NOON)
        await deliveries.record_unsent(tx, ids[2:3], is_copy_counted=True, due_at=NOON + HOUR)
        await deliveries.record_sent(tx, {ids[3]: 55}, now=NOON + MINUTE)
        await deliveries.end_open(tx, [ids[3]], reason="too late: it is done", now=NOON)
        await deliveries.end_open(tx, ids[4:], state="parked", reason="r", now=NOON)
        await deliveries.make_due_or_mark_for_reselection(tx, 1, now=NOON)
    found = await rows(db)
    counts = [(row.state, row.copies, row.attempts, row.sending) for row in found]
    assert counts == [
        ("open", 2, 1, True),
        ("open", 1, 0, False),
        ("open", 0, 0, False),
        ("sent", 1, 0, False),
        ("parked", 1, 1, False),
    ]
    assert found[2].due_at == NOON + HOUR
    assert (found[3].message_id, found[3].done_at, found[3].reason) == (55, NOON + MINUTE, "")
    async with db.begin() as tx:
        await deliveries.drop_open_where(tx, subscription_id=mine, reason="paused", now=NOON)
    assert [row.state for row in await rows(db)] == [*["dropped"] * 3, "sent", "parked"]


async def test_rivals_never_send_into_one_chat_together(db: Database) -> None:
    async with db.begin() as tx:
        for chat in range(1, 13):
            await follow(tx, chat)
        await look(tx, *(story(str(n), NOON + n * MINUTE / 100) for n in range(10)))
    busy: set[int] = set()
    sent: list[tuple[int, str | None]] = []

    async def work() -> None:
        for _ in range(100):
            claimed = await claim(db, limit=3)
            for lane in claimed:
                assert lane.chat.id not in busy
                busy.add(lane.chat.id)
            await asyncio.sleep(0)
            for lane in claimed:
                busy.discard(lane.chat.id)
                row = lane.rows[0]
                sent.append((row.target.chat_id, row.story_pk))
                async with db.begin() as tx:
                    assert await chat_queues.lock(tx, lane.chat.id) == lane.token
                    await deliveries.record_sent(tx, {row.id: 1}, now=NOON)
                    await chat_queues.reschedule(tx, lane.chat.id, unclaimed_until=NOON)
            if not claimed and not busy:
                return

    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(work())
    assert sorted(sent) == sorted((chat, str(n)) for chat in range(1, 13) for n in range(10))
    for chat in range(1, 13):
        assert [pk for where, pk in sent if where == chat] == [str(n) for n in range(10)]


async def test_only_a_chats_own_waiting_reply_keeps_its_queue_from_being_claimed(
    db: Database,
) -> None:
    async with db.begin() as tx:
        for chat_id in (1, 2):
            await chats.add_or_update(tx, chat_id, kind="private", title="", now=NOON)
            await chat_queues.add_if_missing(tx, chat_id, now=NOON)
        await enqueue.add_reply(tx, Target(1), {}, now=NOON, due_at=NOON)
        assert await chat_queues.claim_if_no_pending_reply(tx, 1, lease_at(NOON)) is None
        assert await chat_queues.claim_if_no_pending_reply(tx, 2, lease_at(NOON)) is not None


async def test_a_reply_that_is_added_while_a_lease_ends_is_due(empty_postgres_url: str) -> None:
    """Both transactions wait for the lock of the queue, and the reply is committed first."""
    reply = {"text": "x"}
    async with Database(empty_postgres_url) as db:
        async with db.begin() as tx:
            await follow(tx, 1)
            queue = await chat_queues.claim_if_no_pending_reply(tx, 1, lease_at(NOON, MINUTE))
            first = await enqueue.add_reply(tx, Target(1), reply, now=NOON, due_at=NOON, copies=1)
        assert queue is not None
        assert first is not None

        async def hold(pause: Pause) -> None:
            async with db.begin() as tx:
                await chat_queues.lock(tx, 1)
                await pause()

        async def add() -> None:
            async with db.begin() as tx:
                await enqueue.add_reply(tx, Target(1), reply, now=NOON, due_at=NOON)
                await chat_queues.make_due(tx, 1, due_at=NOON, now=NOON)

        async def end() -> None:
            async with db.begin() as tx:
                await chat_queues.end_claim_and_reschedule(
                    tx, queue, except_delivery=first, flood_state=None, now=NOON
                )
                await deliveries.remove_reply_or_notice(tx, first)

        await run_behind_a_lock(db, hold, add, end)
        assert [len(lane.rows) for lane in await claim(db, now=NOON + MINUTE)] == [1]


async def test_a_reply_during_the_deletion_of_its_chat_causes_no_deadlock(
    empty_postgres_url: str,
) -> None:
    """A move or an erasure locks the chat and the queue, and deletes the chat later."""
    async with Database(empty_postgres_url) as db:
        async with db.begin() as tx:
            await follow(tx, 1)

        async def reply() -> None:
            async with db.begin() as tx:
                assert await chat_queues.claim_if_no_pending_reply(tx, 1, lease_at(NOON)) is None

        async def erase(pause: Pause) -> None:
            async with db.begin() as tx:
                await chats.lock(tx, [1])
                await chat_queues.lock(tx, 1)
                await pause()
                await erasure.erase_chat(tx, 1, now=NOON)

        await run_behind_a_lock(db, erase, reply)
