"""What becomes owed, and to whom."""

import sqlalchemy as sa

from bot.domain.model import Target
from bot.domain.records import Held
from bot.store import chat_queues, chats, deliveries, enqueue, fan_outs, moves, subscriptions
from bot.store.engine.database import Database, Tx
from tests.bot.store.test_lock_order import no_deadlocks
from tests.support.database import on_postgresql
from tests.support.followed import (
    DAY,
    HOUR,
    MINUTE,
    NATGEO,
    NOON,
    PRADA,
    claim,
    follow,
    look,
    rows,
    spread,
    story,
)
from tests.support.lock_waits import Pause, run_behind_a_lock


async def test_each_story_is_owed_once_to_all_who_wait(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, 1)
        await follow(tx, -1, thread_id=5)
        await follow(tx, 2, PRADA)
        paused = await follow(tx, 3)
        await subscriptions.change(tx, paused, paused=True)
        await follow(tx, 4)
        await chats.set_state(tx, 4, "closed", now=NOON)
        await follow(tx, 5, since=NOON + MINUTE)
        await look(tx, story("2"), story("1", NOON - HOUR))
        await enqueue.add_fan_out_of_live_stories(tx, NATGEO.profile_id, ["1", "2"], now=NOON)
        await spread(tx)
    found = await rows(db)
    assert [(row.chat_id, row.thread_id, row.story_pk) for row in found] == [
        (1, 0, "1"),
        (-1, 5, "1"),
        (1, 0, "2"),
        (-1, 5, "2"),
    ]
    assert {lane.chat.id for lane in await claim(db) if lane.rows} == {1, -1}


async def test_notices_go_to_those_who_followed_then(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, 1)
        await follow(tx, 2, since=NOON)
        await fan_outs.add(
            tx,
            NATGEO.profile_id,
            notice="missed",
            fields={"username": "natgeo"},
            due_at=NOON + MINUTE,
            now=NOON,
            alerts_began_by=NOON - HOUR,
        )
        await spread(tx)
        await enqueue.add_notice(tx, Target(2, 7), "topic", {}, now=NOON)
    first, second = await rows(db)
    assert (first.chat_id, first.fields, first.due_at) == (
        1,
        {"username": "natgeo"},
        NOON + MINUTE,
    )
    assert (second.chat_id, second.thread_id, second.notice) == (2, 7, "topic")
    assert [lane.chat.id for lane in await claim(db)] == [2]


async def test_a_lane_is_due_at_the_soonest(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, 1)
        for due in (HOUR, MINUTE, 2 * HOUR):
            await chat_queues.make_due(tx, 1, due_at=NOON + due, now=NOON)
        assert await chat_queues.next_due_at(tx) == NOON + MINUTE


async def test_the_tally_and_the_backlog_count(db: Database) -> None:
    async with db.begin() as tx:
        mine = await follow(tx, 1)
        await look(tx, *(story(str(n)) for n in range(1, 7)))
        ids = list((await tx.execute(sa.select(deliveries.deliveries.c.id))).scalars())
        await deliveries.record_sent(tx, {ids[0]: 100}, now=NOON)
        await deliveries.end_open(tx, [ids[1]], reason="filtered", now=NOON)
        await deliveries.change_columns_of_open(tx, [ids[2]], due_at=NOON + HOUR, held=Held.QUIET)
        await deliveries.end_open(tx, [ids[3]], state="parked", reason="no answers", now=NOON)
        counts = await enqueue.count_outcomes(tx, mine, enqueued_since=NOON - HOUR)
        assert {(t.state, t.reason): t.count for t in counts} == {
            ("sent", ""): 1,
            ("dropped", "filtered"): 1,
            ("parked", "no answers"): 1,
        }
        waiting = await deliveries.pending_stories_of_subscription(
            tx, mine, enqueued_since=NOON - HOUR
        )
        assert [(row.story_pk, row.held) for row in waiting] == [
            ("3", "quiet"),
            ("5", ""),
            ("6", ""),
        ]
        assert await enqueue.count_outcomes(tx, mine, enqueued_since=NOON) == []
        backlog = await enqueue.count_backlog(tx, now=NOON)
        assert (backlog.open, backlog.dead_letters) == (2, 1)
        [parked] = await enqueue.dead_letters(tx)
        assert (parked.chat_id, parked.story_pk, parked.reason) == (1, "4", "no answers")


async def test_one_that_is_sent_again_is_due_at_once_and_forgets_its_copies(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, 1)
        await look(tx, story("1"), story("2"), story("3"))
        first, second, third = (await tx.execute(sa.select(deliveries.deliveries.c.id))).scalars()
        await deliveries.count_copies_and_return_counted_ids(tx, [first, second])
        await deliveries.end_open(
            tx, [first, second], state="parked", reason="no answers", now=NOON
        )
        await deliveries.record_sent(tx, {third: 9}, now=NOON)
        assert await enqueue.reopen_dead_letters(tx, [first, third], now=NOON + HOUR) == [first]
    states = [(row.state, row.copies) for row in await rows(db)]
    assert states == [("open", 0), ("parked", 1), ("sent", 0)]
    [lane] = await claim(db, now=NOON + HOUR)
    assert [row.story_pk for row in lane.rows] == ["1"]
    assert (await rows(db, id=second))[0].reason == "no answers"


async def dead_letter(tx: Tx) -> int:
    """Make the delivery of a story to chat 1 a dead letter; return the id of the delivery."""
    await follow(tx, 1)
    await look(tx, story("1"))
    number: int = (await tx.scalars(sa.select(deliveries.deliveries.c.id))).one()
    await deliveries.end_open(tx, [number], state="parked", reason="no answers", now=NOON)
    return number


@on_postgresql
async def test_dead_letters_are_sent_again_while_their_topic_changes(db: Database) -> None:
    async with db.begin() as tx:
        number = await dead_letter(tx)

    async def change_chat(pause: Pause) -> None:
        async with db.begin() as tx:
            await chat_queues.lock(tx, 1)
            await pause()
            table = deliveries.deliveries
            await tx.execute(sa.update(table).where(table.c.chat_id == 1).values(thread_id=5))

    async def resend() -> list[int]:
        return await db.run(lambda tx: enqueue.reopen_dead_letters(tx, [number], now=NOON))

    with no_deadlocks():
        await run_behind_a_lock(db, change_chat, resend)
    assert [(row.state, row.thread_id) for row in await rows(db)] == [("open", 5)]


async def test_a_dead_letter_of_a_closed_chat_stays_until_the_chat_is_open(db: Database) -> None:
    async with db.begin() as tx:
        number = await dead_letter(tx)
        await moves.close_left_chat(tx, 1, now=NOON)
        assert await enqueue.reopen_dead_letters(tx, [number], now=NOON) == []
        await moves.open_chat(tx, 1, now=NOON)
        assert await enqueue.reopen_dead_letters(tx, [number], now=NOON) == [number]
    [lane] = await claim(db)
    assert [row.story_pk for row in lane.rows] == ["1"]


async def test_a_dead_letter_of_an_expired_story_is_not_sent_again(db: Database) -> None:
    async with db.begin() as tx:
        number = await dead_letter(tx)
        assert await enqueue.reopen_dead_letters(tx, [number], now=NOON + DAY) == []
        assert await enqueue.drop_dead_letters(tx, [number], now=NOON + DAY) == [number]
