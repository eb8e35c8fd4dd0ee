"""A profile's own topic in the outbox: named as the profile is, made again where it is lost."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest

from bot.domain.alert_rules import TOPIC_SOUGHT_FOR
from bot.domain.model import PermanentFailure, SentItem, Target
from bot.outbox.worker import Outbox
from bot.sending.replies import text_payload
from bot.sending.topics import Topics
from bot.store import chat_queues, chats, enqueue
from bot.store.engine.database import Database
from tests.bot.outbox.test_answers import Answers
from tests.bot.outbox.test_worker import NO_BOT, Post
from tests.support.followed import MINUTE, NATGEO, NOON, Clock, follow, look, rows, story
from tests.support.sandbox import Box, sandbox_box
from tests.support.telegram import bot_at

LOST = PermanentFailure("topic_deleted", scope="thread")


@dataclass
class Forum:
    """A forum that follows a profile in the profile's own topic."""

    box: Box
    db: Database
    chat: int
    thread: int
    outbox: Outbox
    clock: Clock
    post: Post = field(default_factory=Post)
    answers: Answers = field(default_factory=Answers)

    async def topics(self) -> dict[int, str]:
        return await self.box.control.topics(self.chat)

    async def lose(self) -> None:
        await self.box.control.thread(self.chat, self.thread, "natgeo", state="deleted")

    async def posted(self, *pks: str) -> None:
        async with self.db.begin() as tx:
            await look(tx, *(story(pk) for pk in pks))


@pytest.fixture
async def forum(sqlite_db: Database) -> AsyncIterator[Forum]:
    clock, post = Clock(), Post()
    answers = Answers(post)
    async with sandbox_box() as box, bot_at(box.urls.telegram) as bot:
        boss = await box.control.person()
        chat = await box.control.chat(
            "supergroup",
            members={boss: "creator"},
            is_forum=True,
            bot_status="administrator",
            bot_rights={"can_manage_topics": True},
        )
        async with sqlite_db.begin() as tx:
            await chats.add_or_update(tx, chat, kind="supergroup", title="Forum", now=NOON)
        topics = Topics(sqlite_db, bot, now=clock)
        thread = (await topics.ensure_own_topic(chat, NATGEO.profile_id, "natgeo")).thread_id
        assert thread
        async with sqlite_db.begin() as tx:
            await follow(tx, chat, thread_id=thread)
        outbox = Outbox(
            sqlite_db, NO_BOT, post, answers, topics=topics, lease=MINUTE, now=clock  # type: ignore[arg-type] # they stand for all three
        )  # fmt: skip
        yield Forum(box, sqlite_db, chat, thread, outbox, clock, post, answers)


async def test_what_a_deleted_topic_is_owed_comes_to_the_chat_which_is_told(
    forum: Forum,
) -> None:
    await forum.posted("1", "2")
    await forum.lose()
    forum.post.outcomes = [
        PermanentFailure("topic_deleted", scope="thread", items=(SentItem("1", 5),))
    ]
    for _ in range(3):
        await forum.outbox.fan_out_and_do_due_jobs_once()
    assert [(target.thread_id, pks) for target, pks, _ in forum.post.albums] == [
        (forum.thread, ["1", "2"]),
        (None, ["2"]),
    ]
    [(target, text, _)] = forum.post.sentences
    assert (target.thread_id, "was deleted" in text) == (None, True)
    assert await forum.topics() == {}


async def test_a_topic_that_may_be_there_is_sought_for_an_hour(forum: Forum) -> None:
    await forum.posted("1")
    for waited in (MINUTE, TOPIC_SOUGHT_FOR - 2 * MINUTE, MINUTE, MINUTE):
        forum.post.outcomes = [LOST]
        await forum.outbox.fan_out_and_do_due_jobs_once()
        forum.clock.on(waited)
    tried = [target.thread_id for target, _, _ in forum.post.albums]
    assert tried == [forum.thread] * 4 + [None]


@pytest.mark.parametrize("waits", [True, False])
async def test_where_no_topics_are_shown_only_what_arrived_in_one_waits_for_it(
    forum: Forum, waits: bool
) -> None:
    await forum.posted("1", "2")
    await forum.box.control.call("PATCH", f"/chats/{forum.chat}", {"is_forum": False})
    items = (SentItem("1", 5),) if waits else ()
    forum.post.outcomes = [replace(LOST, items=items)]
    await forum.outbox.fan_out_and_do_due_jobs_once()
    places = [(target.thread_id, pks) for target, pks, _ in forum.post.albums]
    whole = (forum.thread, ["1", "2"])
    assert places == ([whole] if waits else [whole, (None, ["1", "2"])])


@pytest.mark.parametrize("is_in_topic", [True, False])
async def test_an_answer_makes_no_topic(forum: Forum, is_in_topic: bool) -> None:
    await forum.lose()
    place = Target(forum.chat, forum.thread if is_in_topic else None)
    async with forum.db.begin() as tx:
        await enqueue.add_reply(tx, place, text_payload("hello"), now=NOON, due_at=NOON)
        await chat_queues.make_due(tx, forum.chat, due_at=NOON, now=NOON)
    forum.answers.outcomes = [LOST]
    await forum.outbox.fan_out_and_do_due_jobs_once()
    assert [text for text, _ in forum.answers.said] == ["hello"]
    assert await forum.topics() == {}
    assert await rows(forum.db) == []
