"""Where a right is missing what needs it waits; that is said once, and asked about hourly."""

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.model import Moved, Muted, Presence, Removed, Right, SentItem, Target
from bot.domain.options import Options
from bot.domain.records import MAIN, WHOLE, Mute
from bot.outbox.worker import Outbox
from bot.presentation.notices import CANNOT_POST, REMOVED
from bot.store import chat_queues, chats, enqueue, moves, mutes
from bot.store.engine.database import Database
from tests.bot.outbox.test_results import CHAT, leaving, owing, record
from tests.bot.outbox.test_worker import NO_BOT, Post
from tests.support.followed import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    PRADA,
    Clock,
    claim,
    follow,
    look,
    rows,
    story,
)

PERSON = 7  # who subscribes in ``follow``


async def muted(db: Database, chat_id: int = CHAT) -> tuple[Mute, ...]:
    async with db.read() as tx:
        return await mutes.of_chat(tx, chat_id)


async def free(db: Database) -> None:
    async with db.begin() as tx:
        await chat_queues.reschedule(tx, CHAT, unclaimed_until=NOON)


async def test_what_is_missing_is_said_once_and_nothing_counts_as_sent(
    sqlite_db: Database,
) -> None:
    await owing(sqlite_db, "1", "2")
    outcome = Muted("photos", items=(SentItem("1", 5),))
    await record(sqlite_db, *await leaving(sqlite_db), outcome)
    first, second, notice = await rows(sqlite_db)
    assert (first.state, first.message_id) == ("sent", 5)
    assert (second.state, second.copies, second.due_at) == ("open", 0, NOON)
    assert (notice.notice, notice.fields) == ("muted", {"missing": "photos"})
    assert await muted(sqlite_db) == (Mute(CHAT, WHOLE, "photos", NOON + 10 * MINUTE, 0),)
    [queue] = await claim(sqlite_db)
    assert [row.notice for row in queue.rows] == [None, "muted"]
    async with sqlite_db.begin() as tx:
        assert not await mutes.record_missing_right(tx, CHAT, WHOLE, "photos", now=NOON)
    await free(sqlite_db)
    await record(sqlite_db, *await leaving(sqlite_db), Muted("photos"))
    assert len(await rows(sqlite_db, notice="muted")) == 1


@pytest.mark.parametrize(
    ("outcome", "thread_id", "place", "is_said"),
    [
        (Muted("videos"), 9, WHOLE, True),
        (Muted("videos", scope="thread"), 9, 9, True),
        (Muted("topic", scope="thread"), None, MAIN, False),
        (Muted("text"), None, WHOLE, False),
        (Muted("posts"), None, WHOLE, False),
    ],
)
async def test_the_chat_is_told_where_a_text_may_go(
    sqlite_db: Database, outcome: Muted, thread_id: int | None, place: int, is_said: bool
) -> None:
    await owing(sqlite_db, "1", thread_id=thread_id)
    await record(sqlite_db, *await leaving(sqlite_db), outcome)
    [mute] = await muted(sqlite_db)
    assert (mute.thread_id, mute.missing) == (place, outcome.missing)
    said = await rows(sqlite_db, notice="muted")
    assert [row.thread_id for row in said] == [thread_id or MAIN] * is_said


async def test_where_nothing_is_left_nothing_is_missing(sqlite_db: Database) -> None:
    await owing(sqlite_db, "1")
    outcome = Muted("photos", items=(SentItem("1", 5),))
    await record(sqlite_db, *await leaving(sqlite_db), outcome)
    assert await muted(sqlite_db) == ()
    assert [row.state for row in await rows(sqlite_db)] == ["sent"]


async def test_what_can_not_be_brought_at_all_does_not_wait_for_a_right(
    sqlite_db: Database,
) -> None:
    await owing(sqlite_db, "1", "2")
    outcome = Muted("photos", failed={"1": "It is gone."})
    await record(sqlite_db, *await leaving(sqlite_db), outcome)
    found = [(row.story_pk, row.state) for row in await rows(sqlite_db, notice=None)]
    assert found == [("1", "dropped"), ("2", "open")]


@pytest.mark.parametrize(("files", "due"), [(False, NOON + HOUR), (True, NOON)])
async def test_files_that_are_not_allowed_keep_nothing_else_waiting(
    sqlite_db: Database, files: bool, due: Any
) -> None:
    """What goes as a file waits for the right; what is only too large is tried in an hour."""
    async with sqlite_db.begin() as tx:
        await follow(tx, CHAT, options=Options(files=files))
        await look(tx, story("1"), story("2"))
    await record(sqlite_db, *await leaving(sqlite_db), Muted("documents"))
    found = await rows(sqlite_db, notice=None)
    assert [(row.held, row.due_at) for row in found] == [("muted", due)] * 2


@pytest.mark.parametrize("notice", ["muted", "back"])
async def test_a_text_about_what_is_missing_ends_where_no_text_may_go(
    sqlite_db: Database, notice: str
) -> None:
    await owing(sqlite_db)
    fields = {"missing": "photos", "username": "natgeo"}
    async with sqlite_db.begin() as tx:
        await enqueue.add_notice(tx, Target(CHAT), notice, fields, now=NOON)
    await record(sqlite_db, *await leaving(sqlite_db), Muted("text"))
    [row] = await rows(sqlite_db)
    ends = notice != "back"
    assert (row.state, row.reason) == (("dropped", "text") if ends else ("open", ""))
    assert await muted(sqlite_db)


# --- asking again --------------------------------------------------------------------------------


class Town:
    """An outbox with a chat where the bot may not write, and what Telegram says of that."""

    def __init__(self, db: Database, presence: Presence | None) -> None:
        self.db, self.post, self.clock = db, Post(), Clock()
        self.asked: list[tuple[int, Right]] = []
        self.presence = presence
        ask = self.ask if presence else None
        self.outbox = Outbox(
            db, NO_BOT, self.post, self.post, presence=ask, lease=MINUTE, now=self.clock  # type: ignore[arg-type] # Post stands for both
        )  # fmt: skip

    async def ask(self, chat_id: int, missing: Right) -> Presence:
        self.asked.append((chat_id, missing))
        assert self.presence
        return self.presence

    async def begin(self) -> None:
        async with self.db.begin() as tx:
            await follow(tx, CHAT)
            await follow(tx, CHAT, PRADA)
            await look(tx, story("1"))
            await mutes.record_missing_right(tx, CHAT, WHOLE, "text", now=NOON)

    async def due_in(self) -> timedelta | None:
        async with self.db.read() as tx:
            due = await chat_queues.next_due_at(tx)
        return None if due is None else due - self.clock()


@pytest.mark.parametrize("presence", ["may", None])
async def test_when_the_bot_may_write_again_what_waited_goes_out(
    sqlite_db: Database, presence: Presence | None
) -> None:
    town = Town(sqlite_db, presence)
    await town.begin()
    assert await town.outbox.fan_out_and_do_due_jobs_once() == 0
    assert await town.due_in() == 10 * MINUTE
    town.clock.on(10 * MINUTE)
    assert await town.outbox.fan_out_and_do_due_jobs_once() == 1
    assert town.asked == ([(CHAT, "text")] if presence else [])
    assert town.post.albums == []
    assert await muted(sqlite_db) == ()
    assert await town.due_in() == timedelta(0)  # the queue is given back at once
    assert await town.outbox.fan_out_and_do_due_jobs_once() == 1
    assert [pks for _, pks, _ in town.post.albums] == [["1"]]


async def test_where_it_may_not_it_is_asked_hourly(sqlite_db: Database) -> None:
    town = Town(sqlite_db, "may not")
    await town.begin()
    await town.outbox.fan_out_and_do_due_jobs_once()
    for wait in (10 * MINUTE, HOUR, HOUR):
        assert await town.due_in() == wait
        town.clock.on(wait)
        assert await town.outbox.fan_out_and_do_due_jobs_once() == 1  # it asks
        assert await town.outbox.fan_out_and_do_due_jobs_once() == 0  # and puts off what waits
    assert town.asked == [(CHAT, "text")] * 3
    assert [row.state for row in await rows(sqlite_db)] == ["open"]


async def test_checks_of_one_right_do_not_count_for_another_right(sqlite_db: Database) -> None:
    """The subscriber is notified at the first check of the right to write."""
    town = Town(sqlite_db, "may not")
    async with sqlite_db.begin() as tx:
        await follow(tx, CHAT)
        await follow(tx, PERSON, PRADA)
        await look(tx, story("1"))
        await mutes.record_missing_right(tx, CHAT, WHOLE, "photos", now=NOON)
    await town.outbox.fan_out_and_do_due_jobs_once()
    for wait in (10 * MINUTE, HOUR):
        town.clock.on(wait)
        assert await town.outbox.fan_out_and_do_due_jobs_once() == 1  # it asks
        assert await town.outbox.fan_out_and_do_due_jobs_once() == 0  # and puts off what waits
    async with sqlite_db.begin() as tx:
        await look(tx, story("2", kind="video"), now=town.clock())
    town.post.outcomes = [Muted("text")]
    assert await town.outbox.fan_out_and_do_due_jobs_once() == 1
    [mute] = await muted(sqlite_db)
    assert (mute.missing, mute.probe_at) == ("text", town.clock() + 10 * MINUTE)
    await town.outbox.fan_out_and_do_due_jobs_once()
    town.clock.on(10 * MINUTE)
    assert await town.outbox.fan_out_and_do_due_jobs_once() == 1
    assert town.asked == [(CHAT, "photos")] * 2 + [(CHAT, "text")]
    [notice] = await rows(sqlite_db, notice=CANNOT_POST)
    assert notice.chat_id == PERSON


async def test_checks_of_a_closed_topic_do_not_count_as_removed_posts(sqlite_db: Database) -> None:
    async with sqlite_db.begin() as tx:
        await follow(tx, CHAT, thread_id=9)
        await follow(tx, PERSON, PRADA)
        for _ in range(3):
            await mutes.record_missing_right(tx, CHAT, 9, "topic", now=NOON - DAY)
    for number, pause in enumerate((timedelta(0), timedelta(0), DAY)):
        async with sqlite_db.begin() as tx:
            await look(tx, story(str(number)))
        await record(sqlite_db, *await leaving(sqlite_db), Removed())
        [mute] = await muted(sqlite_db)
        assert (mute.missing, mute.probe_at) == ("peace", NOON + pause)
        assert len(await rows(sqlite_db, notice=REMOVED)) == (pause == DAY)


async def test_where_it_is_not_any_more_the_chat_is_closed_or_followed(
    sqlite_db: Database,
) -> None:
    cases: tuple[tuple[Presence, int, str], ...] = (
        ("away", CHAT, "closed"),
        (Moved(-1001), -1001, "active"),
    )
    for presence, chat_id, state in cases:
        town = Town(sqlite_db, presence)
        if state == "closed":
            await town.begin()
            await town.outbox.fan_out_and_do_due_jobs_once()
        else:
            async with sqlite_db.begin() as tx:
                await moves.open_chat(tx, CHAT, now=NOON)
                await mutes.record_missing_right(tx, CHAT, WHOLE, "text", now=NOON)
                await look(tx, story("2"))
            await town.outbox.fan_out_and_do_due_jobs_once()
        town.clock.on(10 * MINUTE)
        assert await town.outbox.fan_out_and_do_due_jobs_once() == 1
        async with sqlite_db.read() as tx:
            chat = await chats.get(tx, chat_id)
        assert chat
        assert chat.state == state
        assert await town.due_in() == (None if state == "closed" else timedelta(0))


async def test_who_lost_the_chat_meanwhile_says_nothing_about_it(sqlite_db: Database) -> None:
    town = Town(sqlite_db, "away")
    await town.begin()
    await town.outbox.fan_out_and_do_due_jobs_once()
    town.clock.on(10 * MINUTE)
    [probe] = await town.outbox.claims.claim_queues_and_build_jobs(5)
    assert await claim(sqlite_db, now=town.clock.on(MINUTE))  # it took too long
    await town.outbox.runner.run_job_and_record_outcome(probe)
    async with sqlite_db.read() as tx:
        chat = await chats.get(tx, CHAT)
    assert chat
    assert chat.state == "active"
    assert await town.due_in() == MINUTE


@pytest.mark.parametrize("presence", ["may", Moved(-1001)])
async def test_a_group_that_moves_during_the_question_is_asked_again_at_once(
    sqlite_db: Database, presence: Presence
) -> None:
    town = Town(sqlite_db, presence)
    await town.begin()
    await town.outbox.fan_out_and_do_due_jobs_once()
    town.clock.on(10 * MINUTE)
    [probe] = await town.outbox.claims.claim_queues_and_build_jobs(5)
    async with sqlite_db.begin() as tx:
        await moves.move_chat(tx, CHAT, -1001, now=town.clock())
    await town.outbox.runner.run_job_and_record_outcome(probe)
    assert await town.due_in() == timedelta(0)
