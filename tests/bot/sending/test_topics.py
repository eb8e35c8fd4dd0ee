"""A topic of a profile's own is made once, whoever wants it at the same time and dies over it."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from telegram.error import RetryAfter

from bot.domain.errors import TOPIC_RIGHT_MISSING, AskAgainError, SubscriptionError
from bot.sending.topics import CLAIMED_FOR, Topics
from bot.store import chats, topics
from bot.store.engine.database import Database
from tests.support.control import Control, flood
from tests.support.errors import raises
from tests.support.sandbox import Box
from tests.support.telegram import bot_at

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


async def forum_of(control: Control, db: Database, *, may_make: bool = True) -> int:
    boss = await control.person()
    rights = {"can_manage_topics": may_make}
    forum = await control.chat(
        "supergroup",
        members={boss: "creator"},
        is_forum=True,
        bot_status="administrator",
        bot_rights=rights,
    )
    async with db.begin() as tx:
        await chats.add_or_update(tx, forum, kind="supergroup", title="Forum", now=NOW)
    return forum


async def claimed(db: Database, forum: int) -> bool:
    async with db.read() as tx:
        return await topics.get(tx, forum, "7") is not None


async def test_topic_lock_of_a_dead_process_is_not_awaited(db: Database, box: Box) -> None:
    async with bot_at(box.urls.telegram) as bot:
        forum = await forum_of(box.control, db)
        async with db.begin() as tx:  # as a process that was killed with the answer on its way
            until = datetime.now(UTC) + CLAIMED_FOR
            await topics.set_creation_claim(tx, forum, "7", "nike", until=until)
        made = await bot.create_forum_topic(forum, "nike")
        with pytest.raises(AskAgainError):
            await Topics(db, bot).ensure_own_topic(forum, "7", "nike")
        await Topics(db, bot).store_topic_if_being_made(forum, "nike", made.message_thread_id)
        place = await Topics(db, bot).ensure_own_topic(forum, "7", "nike")
        assert await box.control.topics(forum) == {place.thread_id: "nike"}


async def test_a_flood_limit_makes_nothing_and_holds_nothing(db: Database, box: Box) -> None:
    async with bot_at(box.urls.telegram) as bot:
        forum = await forum_of(box.control, db)
        await box.control.fault("telegram", flood(300), match="createForumTopic")
        ours = Topics(db, bot, now=lambda: NOW)
        with pytest.raises(AskAgainError):
            await ours.ensure_own_topic(forum, "7", "nike")
        async with db.read() as tx:
            kept = await topics.get(tx, forum, "7")
        assert kept is not None
        assert kept.claimed_until is None


async def test_a_chat_that_is_full_for_long_does_not_outlive_the_claim(
    db: Database, box: Box
) -> None:
    async with bot_at(box.urls.telegram) as bot:
        forum = await forum_of(box.control, db)
        await box.control.fault("telegram", flood(90), match="sendChatAction")
        with pytest.raises(RetryAfter):
            await bot.send_chat_action(forum, "typing")
        async with asyncio.timeout(60):
            with pytest.raises(AskAgainError):
                await Topics(db, bot).ensure_own_topic(forum, "7", "nike")
        async with db.read() as tx:
            kept = await topics.get(tx, forum, "7")
        assert kept is not None
        assert kept.claimed_until is None
        assert not await box.control.requests("telegram", path="createForumTopic")


async def test_a_refusal_leaves_no_claim(db: Database, box: Box) -> None:
    async with bot_at(box.urls.telegram) as bot:
        forum = await forum_of(box.control, db, may_make=False)
        ours = Topics(db, bot, now=lambda: NOW - timedelta(days=1))
        with raises(SubscriptionError, TOPIC_RIGHT_MISSING):
            await ours.ensure_own_topic(forum, "7", "nike")
        assert not await claimed(db, forum)
