"""While Telegram is down the outbox tries one row now and then, and holds nothing against it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.errors import DatabaseUnavailableError
from bot.domain.model import Target, TryLater
from bot.outbox.worker import Outbox
from bot.store import chat_queues, mutes
from bot.store.engine.database import Database
from bot.telegram.outage import Outage
from tests.bot.outbox.test_worker import NO_BOT, Post, claim_alert
from tests.support.followed import MINUTE, Clock, follow, look, rows, story
from tests.support.sandbox import Box, sandbox_box
from tests.support.telegram import bot_at

SECOND = timedelta(seconds=1)
LOST = TryLater(unknown=True, down=True)
DOWN = {"status": 502}
WHOLE = -1


@dataclass
class Town:
    """Chats that follow a profile, an outbox, and Telegram's side of a sandbox."""

    box: Box
    db: Database
    post: Post
    clock: Clock
    outage: Outage
    outbox: Outbox

    async def go_down(self, *methods: str) -> None:
        for method in methods:
            await self.box.control.fault("telegram", DOWN, match=method, times=None)

    async def state(self) -> list[tuple[int, str, int]]:
        """Return chat, state and copies of all that is owed, by chat."""
        found = await rows(self.db)
        return sorted((row.chat_id, row.state, row.copies) for row in found)

    async def posted(self, chats: tuple[int, ...], *pks: str) -> None:
        async with self.db.begin() as tx:
            for chat in chats:
                await follow(tx, chat)
            await look(tx, *(story(pk) for pk in pks))


@pytest.fixture
async def town(sqlite_db: Database) -> AsyncIterator[Town]:
    post, clock = Post(), Clock()
    async with sandbox_box() as box, bot_at(box.urls.telegram) as bot:
        outage = Outage(bot, now=clock)
        outbox = Outbox(sqlite_db, NO_BOT, post, post, lease=MINUTE, outage=outage, now=clock)  # type: ignore[arg-type] # Post stands for both
        yield Town(box, sqlite_db, post, clock, outage, outbox)


async def test_one_row_that_arrives_ends_the_pause_and_the_rest_follows(town: Town) -> None:
    await town.posted((1, 2), "1", "2")
    await town.go_down("getMe", "sendChatAction")
    town.post.outcomes = [LOST, LOST]
    assert await town.outbox.fan_out_and_do_due_jobs_once() == 2
    one_copy_each = [(chat, "open", 1) for chat in (1, 1, 2, 2)]
    assert await town.state() == one_copy_each
    assert await town.outbox.fan_out_and_do_due_jobs_once() == 0  # it is too early for a try
    town.clock.on(5 * SECOND)
    assert await town.outbox.fan_out_and_do_due_jobs_once() == 0  # getMe fails still
    await town.box.control.clear_faults()
    await town.go_down("sendChatAction")
    town.clock.on(10 * SECOND)
    assert await town.outbox.fan_out_and_do_due_jobs_once() == 1
    assert len(town.post.albums) == 2  # what Telegram does not take now is not sent
    assert {row.attempts for row in await rows(town.db)} == {0}  # which is not held against it
    assert await town.state() == one_copy_each
    assert town.outage.is_on()
    await town.box.control.clear_faults()
    town.clock.on(20 * SECOND)
    town.post.outcomes = [LOST]
    assert await town.outbox.fan_out_and_do_due_jobs_once() == 1
    assert town.outage.is_on()  # a try that is lost tells nothing
    assert sorted(copies for _, _, copies in await town.state()) == [1, 1, 1, 2]
    town.clock.on(40 * SECOND)
    assert await town.outbox.fan_out_and_do_due_jobs_once() == 1
    assert [pks for _, pks, _ in town.post.albums[-2:]] == [["1"], ["1"]]
    assert len({target for target, _, _ in town.post.albums[-2:]}) == 2  # the fewest copies first
    assert not town.outage.is_on()
    for _ in range(20):  # the last copy of the one that was lost comes later
        while await town.outbox.fan_out_and_do_due_jobs_once():
            pass
        town.clock.on(MINUTE)
    assert {state for _, state, _ in await town.state()} == {"sent"}


async def test_what_left_before_the_pause_does_not_end_it(town: Town) -> None:
    await town.posted((1, 2), "1")
    first, second = await town.outbox.claims.claim_queues_and_build_jobs(5)
    await town.go_down("getMe")
    town.post.outcomes = [LOST]
    await town.outbox.runner.run_job_and_record_outcome(first)
    await town.outbox.runner.run_job_and_record_outcome(second)
    assert [row[1:] for row in await town.state()] == [("open", 1), ("sent", 1)]
    assert town.outage.is_on()


async def test_what_was_lost_before_it_was_known_waits_half_a_minute(town: Town) -> None:
    await town.posted((1, 2, 3), "1")
    claimed = await town.outbox.claims.claim_queues_and_build_jobs(5)
    town.post.outcomes = [LOST] * 3
    for one in claimed:
        await town.outbox.runner.run_job_and_record_outcome(one)
    assert town.outage.is_on()  # the third chat: it is Telegram
    assert [row[1:] for row in await town.state()] == [("open", 1)] * 3
    town.outage.end_pause()
    assert await town.outbox.fan_out_and_do_due_jobs_once() == 1
    town.clock.on(30 * SECOND)
    assert await town.outbox.fan_out_and_do_due_jobs_once() == 2
    assert [options.silent for _, _, options in town.post.albums] == [False] * 3 + [True] * 3


async def test_where_a_chat_takes_nothing_no_copy_leaves_and_none_is_spent(town: Town) -> None:
    await town.posted((1,), "1")
    town.post.outcomes = [LOST]
    await town.outbox.fan_out_and_do_due_jobs_once()
    await town.go_down("sendChatAction")
    now = town.clock.on(30 * SECOND)
    for wait in (15, 30, 60, 120, 240, 480, 900, 900):
        assert await town.outbox.fan_out_and_do_due_jobs_once() == 1
        [row] = await rows(town.db)
        assert (row.copies, row.due_at) == (1, now + wait * SECOND)
        now = town.clock.on(wait * SECOND)
        town.outage.end_pause()
    await town.box.control.clear_faults()
    assert await town.outbox.fan_out_and_do_due_jobs_once() == 1
    assert [row[1:] for row in await town.state()] == [("sent", 2)]
    assert len(town.post.albums) == 2


async def test_a_chat_that_may_hear_nothing_is_passed_over_by_a_try(town: Town) -> None:
    await town.posted((1, 2), "1")
    async with town.db.begin() as tx:
        await mutes.record_missing_right(tx, 1, WHOLE, "text", now=town.clock())
    other = await claim_alert(town.outbox)
    late = town.clock.on(10 * MINUTE) + SECOND  # time to ask about the chat
    async with town.db.begin() as tx:  # so that the muted one comes first
        await chat_queues.renew(
            tx, other.lease.queue, replace(town.outbox.leases.new_lease(), until=late)
        )
    await town.go_down("getMe")
    await town.outage.record_outcome_and_detect_outage(2, LOST)
    await town.box.control.clear_faults()
    now = town.clock.on(5 * SECOND)
    assert await town.outbox.fan_out_and_do_due_jobs_once() == 1
    assert [target for target, _, _ in town.post.albums] == [Target(2)]
    async with town.db.read() as tx:
        assert await chat_queues.next_due_at(tx) == now + 30 * SECOND
    assert not town.outage.is_on()


async def test_with_nothing_to_try_an_answer_to_getme_ends_no_pause(town: Town) -> None:
    await town.posted((1,))
    await town.go_down("getMe")
    await town.outage.record_outcome_and_detect_outage(1, LOST)
    town.clock.on(5 * SECOND)
    assert await town.outbox.claims.claim_queues_and_build_jobs(5) == []
    assert town.outage.is_on()
    await town.box.control.clear_faults()
    town.clock.on(10 * SECOND)
    assert await town.outbox.claims.claim_queues_and_build_jobs(5) == []
    assert town.outage.is_on()
    async with town.db.begin() as tx:
        await look(tx, story("1", town.clock()))
    assert await town.outbox.fan_out_and_do_due_jobs_once() == 1
    assert [row[1:] for row in await town.state()] == [("sent", 1)]
    assert not town.outage.is_on()


async def test_a_database_that_fails_in_a_send_is_not_held_against_the_row(town: Town) -> None:
    await town.posted((1,), "1")

    async def fail() -> Any:
        raise DatabaseUnavailableError

    town.post.before = fail
    assert await town.outbox.fan_out_and_do_due_jobs_once() == 1
    [row] = await rows(town.db)
    assert (row.state, row.copies, row.attempts, row.due_at) == (
        "open", 0, 0, town.clock(),
    )  # fmt: skip
    town.post.before = None
    assert await town.outbox.fan_out_and_do_due_jobs_once() == 1
    assert [row.state for row in await rows(town.db)] == ["sent"]
