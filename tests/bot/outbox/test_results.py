"""What each outcome writes down: of the row, of its lane, and of what the outbox counts."""

import asyncio
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from bot.domain import selection
from bot.domain.errors import MEDIA_GONE, MediaTooBigError
from bot.domain.model import (
    Moved,
    Outcome,
    PermanentFailure,
    Removed,
    Sent,
    SentItem,
    Target,
    TryLater,
)
from bot.domain.options import Options
from bot.domain.records import ChatQueue, Held, KnownFile
from bot.domain.selection import Batch
from bot.outbox import reply_results, results
from bot.outbox.results import Arrived, SendReport, Tally
from bot.store import (
    chat_queues,
    chats,
    deliveries,
    enqueue,
    file_ids,
    kept_stories,
    moves,
    mutes,
)
from bot.store.engine.database import Database
from tests.support.control import wait_for
from tests.support.database import on_postgresql
from tests.support.followed import HOUR, MINUTE, NOON, PRADA, claim, follow, look, rows, story
from tests.support.lock_waits import Pause, run_behind_a_lock
from tests.support.postgres import connected
from tests.support.rows import used

NOW = timedelta(0)
SECOND = timedelta(seconds=1)
CHAT = -1


async def leaving(
    db: Database, *, left: bool = True, now: datetime = NOON
) -> tuple[ChatQueue, Batch]:
    """Claim the chat's lane; what goes out of it next has left."""
    [lane] = await claim(db, now=now)
    batch = selection.decide(lane, now=now).batch
    assert batch
    async with db.begin() as tx:
        ids = [row.id for row in batch.rows]
        await deliveries.record_claim_and_count_attempt(tx, ids)
        if left:
            await deliveries.count_copies_and_return_counted_ids(tx, ids)
    return lane, batch


async def owing(db: Database, *pks: str, thread_id: int | None = None) -> None:
    async with db.begin() as tx:
        await follow(tx, CHAT, thread_id=thread_id)
        await look(tx, *(story(pk) for pk in pks))


async def record(
    db: Database,
    lane: ChatQueue,
    batch: Batch,
    outcome: Outcome,
    *,
    left: bool = True,
    tells: bool = False,
    in_outage: bool = False,
) -> Tally:
    report = SendReport(
        outcome=outcome, is_counted=left, in_outage=in_outage, answers_again=tells, now=NOON
    )
    async with db.begin() as tx:
        if reply := batch.reply:
            return await reply_results.record_reply_outcome(tx, lane, reply, report)
        return await results.record_alert_outcome(tx, lane, batch, report)


async def free_at(db: Database, chat_id: int = CHAT) -> timedelta:
    async with db.read() as tx:
        statement = sa.select(chat_queues.queues.c.leased_until).where(
            chat_queues.queues.c.chat_id == chat_id
        )
        found: Any = (await tx.execute(statement)).scalar_one()
    return timedelta(seconds=(found - NOON).total_seconds())


@pytest.mark.parametrize(
    ("outcome", "left", "row", "waits"),
    [
        (Sent((SentItem("1", 5),)), True, ("sent", 1, 0), (NOW, NOW)),
        (Sent(()), True, ("open", 1, 0), (30 * SECOND, 30 * SECOND)),
        (TryLater(7 * SECOND), True, ("open", 0, 0), (NOW, 7 * SECOND)),
        (TryLater(), True, ("open", 0, 1), (5 * SECOND, NOW)),
        (TryLater(upload_age=6 * SECOND), True, ("open", 0, 0), (6 * SECOND, NOW)),
        (TryLater(upload_age=HOUR), False, ("open", 0, 0), (15 * SECOND, NOW)),
        (TryLater(unknown=True), True, ("open", 1, 0), (30 * SECOND, 30 * SECOND)),
        (TryLater(SECOND, partly=True), True, ("open", 1, 0), (30 * SECOND, 30 * SECOND)),
        (TryLater(HOUR, partly=True), True, ("open", 1, 0), (30 * SECOND, HOUR)),
        (TryLater(unknown=True), False, ("open", 0, 1), (5 * SECOND, NOW)),
        (PermanentFailure("weird", scope="item"), True, ("open", 0, 1), (5 * SECOND, NOW)),
        (Removed(), True, ("dropped", 1, 1), (NOW, NOW)),
        (PermanentFailure("kicked"), True, ("open", 0, 0), (NOW, NOW)),
        (PermanentFailure("unauthorized", scope="bot"), True, ("open", 0, 0), (NOW, NOW)),
    ],
)
async def test_each_outcome_has_its_receipt(
    db: Database,
    outcome: Outcome,
    left: bool,
    row: tuple[str, int, int],
    waits: tuple[timedelta, timedelta],
) -> None:
    await owing(db, "1")
    await record(db, *await leaving(db, left=left), outcome, left=left)
    first = (await rows(db))[0]
    assert (first.state, first.copies, first.attempts) == row
    assert not first.sending
    assert (first.due_at - NOON, await free_at(db)) == waits


async def test_sends_into_many_chats_are_written_down_together(db: Database) -> None:
    async with db.begin() as tx:
        for chat in (1, 2, 3):
            await follow(tx, chat)
        await look(tx, story("1"), story("2"))
    sends = []
    for lane in await claim(db):
        batch = selection.decide(lane, now=NOON).batch
        assert batch
        items = (SentItem("1", 10 * lane.chat.id), SentItem("2", 10 * lane.chat.id + 1))
        sends.append(Arrived(lane, batch, items))
    async with db.begin() as tx:
        await chat_queues.reschedule(tx, 3, unclaimed_until=NOON)
    await claim(db)  # the third chat is somebody else's by now
    for _ in range(2):  # the response to the first commit is lost
        async with db.begin() as tx:
            await results.record_whole_sends_and_release_queues(tx, sends, now=NOON)
    found = {(row.chat_id, row.story_pk): (row.state, row.message_id) for row in await rows(db)}
    assert found == {
        (chat, pk): ("sent", 10 * chat + int(pk) - 1) for chat in (1, 2, 3) for pk in ("1", "2")
    }
    assert [await free_at(db, chat) for chat in (1, 2, 3)] == [NOW, NOW, MINUTE]
    async with db.read() as tx:
        assert await used(tx, 2) == (2, 0)


async def test_after_three_lost_answers_the_story_is_parked_and_waits_alone_before(
    db: Database,
) -> None:
    await owing(db, "1", "2")
    lost = TryLater(unknown=True, items=(SentItem("2", 9),))
    assert await record(db, *await leaving(db), lost) == Tally(unknown=1)
    assert await free_at(db) == 30 * SECOND
    again = await leaving(db, now=NOON + 30 * SECOND)
    assert await record(db, *again, TryLater(unknown=True)) == Tally(unknown=1)
    [row] = await rows(db, story_pk="1")
    assert (row.state, row.copies) == ("open", 2)
    assert 15 * MINUTE <= row.due_at - NOON <= 18 * MINUTE
    assert await free_at(db) == NOW
    last = await leaving(db, now=NOON + HOUR)
    account = await record(db, *last, TryLater(unknown=True))
    assert account == Tally(unknown=1, dead_letters=1)
    assert [(row.story_pk, row.state) for row in await rows(db)] == [
        ("1", "parked"),
        ("2", "sent"),
        (None, "open"),  # the chat hears of it
    ]


async def test_the_word_of_what_was_given_up_waits_for_a_send_that_is_answered(
    db: Database,
) -> None:
    await owing(db, "1")
    async with db.begin() as tx:
        await enqueue.add_notice(
            tx, Target(CHAT), "failed", {}, now=NOON, due_at=NOON + HOUR, held=Held.UNTOLD
        )
    await record(db, *await leaving(db), Sent((SentItem("1", 5),)), tells=True)
    [word] = await rows(db, notice="failed")
    assert word.due_at == NOON


async def test_a_failure_of_telegram_changes_nothing_but_what_may_be_there(db: Database) -> None:
    await owing(db, "1")
    for outcome, copies in ((TryLater(unknown=True), 1), (TryLater(down=True), 1)):
        lane, batch = await leaving(db)
        account = await record(db, lane, batch, outcome, in_outage=True)
        assert account == Tally()
        [row] = await rows(db)
        assert (row.state, row.copies) == ("open", copies)
        assert (row.attempts, row.sending, row.due_at) == (0, False, NOON)


async def test_the_bot_rests_when_the_refusal_is_its_own(db: Database) -> None:
    await owing(db, "1")
    for outcome, rest in (
        (TryLater(SECOND), None),
        (PermanentFailure("unauthorized", scope="bot"), NOON + MINUTE),
    ):
        account = await record(db, *await leaving(db), outcome)
        assert account == Tally(rests_until=rest)
        async with db.begin() as tx:
            await chat_queues.reschedule(tx, CHAT, unclaimed_until=NOON)


async def test_who_lost_the_lease_writes_down_what_arrived_and_no_more(db: Database) -> None:
    await owing(db, "1", "2", "3")
    lane, batch = await leaving(db)
    await claim(db, now=NOON + 2 * MINUTE)
    late = Sent((SentItem("1", 5),), {"3": MEDIA_GONE})
    assert await record(db, lane, batch, late) == Tally()
    found = [(row.story_pk, row.state) for row in await rows(db)]
    assert found == [("1", "sent"), ("2", "open"), ("3", "open")]
    assert await free_at(db) == 3 * MINUTE


async def test_what_can_not_be_brought_is_told_once_a_reason(db: Database) -> None:
    await owing(db, "1", "2", "3", "4")
    lane, batch = await leaving(db)
    failed = {"1": MEDIA_GONE, "2": MediaTooBigError.text, "3": MEDIA_GONE}
    await record(db, lane, batch, Sent((SentItem("4", 5),), failed))
    told = [row.fields for row in await rows(db, notice="failed")]
    assert [(one["n"], one["why"], one["username"]) for one in told] == [
        (2, MEDIA_GONE, "natgeo"),
        (1, MediaTooBigError.text, "natgeo"),
    ]
    assert told[0]["url"] == story("1").page_url
    dropped = await rows(db, state="dropped")
    assert {row.story_pk: row.reason for row in dropped} == failed


async def test_what_can_not_be_brought_ends_while_the_rest_waits(db: Database) -> None:
    await owing(db, "1", "2")
    lane, batch = await leaving(db)
    await record(db, lane, batch, TryLater(failed={"1": MEDIA_GONE}))
    found = [(row.story_pk, row.state) for row in await rows(db, notice=None)]
    assert found == [("1", "dropped"), ("2", "open")]
    assert [row.fields["why"] for row in await rows(db, notice="failed")] == [MEDIA_GONE]


async def test_what_arrived_before_the_chat_moved_is_not_sent_again(db: Database) -> None:
    await owing(db, "1", "2")
    await record(db, *await leaving(db), Moved(-1001, (SentItem("1", 5),)))
    found = [(row.chat_id, row.story_pk, row.state) for row in await rows(db)]
    assert found == [(-1001, "1", "sent"), (-1001, "2", "open")]


@pytest.mark.parametrize(("age", "state"), [(HOUR, "open"), (25 * HOUR, "dropped")])
async def test_a_notice_that_is_refused_waits_for_a_day(
    db: Database, age: timedelta, state: str
) -> None:
    await owing(db)
    async with db.begin() as tx:
        await enqueue.add_notice(tx, Target(CHAT), "topic", {}, now=NOON)
        await tx.execute(sa.update(deliveries.deliveries).values(created_at=NOON - age))
    await record(db, *await leaving(db), PermanentFailure("weird", scope="item"))
    assert [(row.notice, row.state) for row in await rows(db)] == [("topic", state)]


async def test_alerts_are_counted_by_items_and_notices_are_not(db: Database) -> None:
    await owing(db, "1", "2")
    async with db.begin() as tx:
        await enqueue.add_notice(tx, Target(CHAT), "topic", {}, now=NOON)
    both = Sent((SentItem("1", 5), SentItem("2", 6)))
    await record(db, *await leaving(db), both)
    await record(db, *await leaving(db), Sent((SentItem("", 7),)))
    assert [row.message_id for row in await rows(db)] == [5, 6, 7]
    async with db.read() as tx:
        assert await used(tx, CHAT) == (2, 0)


async def test_what_arrived_is_kept_for_later_where_that_is_wanted(db: Database) -> None:
    async with db.begin() as tx:
        files = {pk: KnownFile("photo", f"file {pk}", pk, NOON + HOUR) for pk in ("1", "2", "9")}
        await file_ids.store_files(tx, 7, files)
        await follow(tx, CHAT, options=Options(keep=True))
        await follow(tx, CHAT, PRADA)
        await look(tx, story("1"), story("2"))
        await look(tx, story("9", of=PRADA), of=PRADA)
    await record(db, *await leaving(db), Sent((SentItem("1", 5),)))
    [other] = await rows(db, story_pk="2")
    async with db.begin() as tx:
        await deliveries.end_open(tx, [other.id], reason="", now=NOON)
    await record(db, *await leaving(db, now=NOON + MINUTE), Sent((SentItem("9", 6),)))
    async with db.read() as tx:
        assert list((await tx.execute(sa.select(kept_stories.kept.c.story_pk))).scalars()) == ["1"]


async def test_who_refuses_when_all_is_there_changes_nothing(db: Database) -> None:
    await owing(db, "1")
    await record(db, *await leaving(db), PermanentFailure("kicked", items=(SentItem("1", 5),)))
    async with db.read() as tx:
        chat = await chats.get(tx, CHAT)
    assert chat
    assert chat.state == "active"
    assert [row.state for row in await rows(db)] == ["sent"]


async def test_who_lost_the_lease_to_a_chat_that_moved_left_no_copy(db: Database) -> None:
    await owing(db, "1")
    lane, batch = await leaving(db)
    await claim(db, now=NOON + 2 * MINUTE)
    await record(db, lane, batch, Moved(-1001))
    [row] = await rows(db)
    assert (row.chat_id, row.state, row.copies, row.sending) == (CHAT, "open", 0, False)


@on_postgresql
async def test_the_queue_of_a_moved_chat_is_locked_before_its_rows(
    db: Database, database_url: str
) -> None:
    await owing(db, "1")
    lane, batch = await leaving(db)
    async with db.begin() as tx:
        await moves.move_chat(tx, CHAT, -1001, now=NOON)
    async with connected(database_url) as other, asyncio.TaskGroup() as group:

        async def waits() -> bool:
            return bool(await other.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))

        async with other.transaction():
            await other.execute("SELECT FROM chat_queues WHERE chat_id = -1001 FOR UPDATE")
            recording = group.create_task(record(db, lane, batch, Moved(-1001)))
            await wait_for(waits)
            await other.execute("SELECT FROM deliveries FOR UPDATE NOWAIT")
        await recording
    assert [(row.chat_id, row.copies) for row in await rows(db)] == [(-1001, 0)]


async def test_a_lost_topic_falls_back_and_the_main_chat_is_no_topic(db: Database) -> None:
    await owing(db, "1", thread_id=9)
    lost = PermanentFailure("topic_closed", scope="thread")
    for tries in (0, 1):
        await record(db, *await leaving(db), lost)
        [row] = await rows(db, story_pk="1")
        assert (row.thread_id, row.attempts) == (0, tries)
        async with db.read() as tx:
            chat = await chats.get(tx, CHAT)
        assert chat
        assert chat.state == "active"


async def test_a_chat_that_moved_takes_its_open_rows_along(db: Database) -> None:
    await owing(db, "1", "2")
    await record(db, *await leaving(db), Moved(-1001))
    found = [(row.chat_id, row.state, row.copies) for row in await rows(db)]
    assert found == [(-1001, "open", 0)] * 2
    assert await free_at(db, -1001) == NOW


@on_postgresql
async def test_a_refused_alert_during_the_removal_of_the_bot_causes_no_deadlock(
    db: Database,
) -> None:
    """The update locks the chat and then the queue, and closes the chat."""
    await owing(db, "1")
    lane, batch = await leaving(db)

    async def close(pause: Pause) -> None:
        async with db.begin() as tx:
            await chats.lock(tx, [CHAT])
            await pause()
            await moves.close_left_chat(tx, CHAT, now=NOON)

    refused = partial(record, db, lane, batch, PermanentFailure("kicked"))
    await run_behind_a_lock(db, close, refused)
    chat = await db.fetch(lambda tx: chats.get(tx, CHAT))
    assert chat is not None
    assert chat.state == "closed"


async def test_an_alert_that_arrives_before_a_move_ends_the_mute_of_the_new_group(
    db: Database,
) -> None:
    await owing(db, "1")
    async with db.begin() as tx:
        await mutes.record_missing_right(tx, CHAT, 0, "peace", now=NOON - HOUR)
    lane, batch = await leaving(db)
    async with db.begin() as tx:
        await moves.move_chat(tx, CHAT, -1001, now=NOON)
    async with db.begin() as tx:
        arrived = Arrived(lane, batch, (SentItem("1", 5),))
        await results.record_whole_sends_and_release_queues(tx, [arrived], now=NOON)
        assert await mutes.of_chat(tx, -1001) == ()
