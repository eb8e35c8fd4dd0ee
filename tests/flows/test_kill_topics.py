"""Killed when Telegram has made a topic and its row is not committed: one topic, no alert lost."""

import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.store.engine.database import Database
from bot.store.topics import topics
from tests.flows.test_topics import brought, forum_of, made, star
from tests.support.control import Control, wait_for
from tests.support.killing import Victim
from tests.support.postgres import connected
from tests.support.sandbox import sandbox_box
from tests.support.storybell import Bell, buttons, settings_for

SLOW = {"delay_s": 1.0}  # so long Telegram takes, that the claim is seen first


@asynccontextmanager
async def no_commit(db: Database) -> AsyncIterator[None]:
    """Let nobody commit a change of a topic while the block lasts."""
    if db.is_sqlite:
        with closing(sqlite3.connect(str(db.url.database), isolation_level=None)) as file:
            file.execute("BEGIN IMMEDIATE")
            yield
        return
    url = db.url.set(drivername="postgresql")
    address = url.render_as_string(hide_password=False)
    async with connected(address) as connection, connection.transaction():
        await connection.execute("LOCK TABLE topics IN EXCLUSIVE MODE")
        yield


async def killed_with_a_topic_made(
    victim: Victim, db: Database, control: Control, forum: int, *, count: int
) -> None:
    """Kill when a topic is claimed, Telegram has so many, and the last is not written down."""

    async def is_claimed() -> bool:
        async with db.read() as tx:
            threads = (await tx.execute(sa.select(topics.c.thread_id))).scalars().all()
        return len(threads) == count and 0 in threads

    async def is_made() -> bool:
        return len(await control.topics(forum)) == count

    await wait_for(is_claimed, what="the claim")
    async with no_commit(db):
        await wait_for(is_made, what="the topic")
        await victim.end(signal.SIGKILL)
    assert await is_claimed()
    await control.clear_faults()


@pytest.mark.slow
async def test_killed_over_a_subscription_it_has_one_topic_and_its_alerts(
    tmp_path: Path, db: Database, database_url: str
) -> None:
    """The second of two profiles: the first has its topic already, and keeps it."""
    names = ["kill.a", "kill.b"]
    async with sandbox_box() as box:
        control, bell = box.control, Bell(box, settings_for(box, tmp_path))
        forum, boss = await forum_of(control)
        for name in names:
            await star(control, name)
        victim = Victim(box, tmp_path, webhook=False, database_url=database_url)
        try:
            await control.fault("telegram", SLOW, match="createForumTopic", after=1)
            await victim.start(POLL_FLOOR_S="1")
            command = f"/subscribe {' '.join(names)} topic"
            first = await control.say(forum, command, user=boss)
            await killed_with_a_topic_made(victim, db, control, forum, count=2)
            await victim.start(POLL_FLOOR_S="1")
            await bell.replies(forum, 1, after=first)
            await bell.ask(forum, command, user=boss)
            (listed,) = await bell.ask(forum, "/subscriptions", user=boss)
            assert {f"🔔 {name} (own topic)" for name in names} <= set(buttons(listed))
            threads = {name: thread for thread, name in (await control.topics(forum)).items()}
            assert sorted(threads) == names
            for name in names:
                pk = (await control.publish(name))["pk"]
                assert await brought(control, forum, pk) == [threads[name]]
            assert await made(control, forum) == len(names)
            asked = await control.requests("stories", path="/v1/user/by/username")
            assert len(asked) == len(names)  # nobody pays again for what a kill undid
        finally:
            await victim.end(signal.SIGKILL)
