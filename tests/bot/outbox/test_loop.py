"""The outbox as a loop: when it looks again, and when it must not claim."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.model import Outcome, PermanentFailure, Target, TryLater
from bot.fetching import snapshots
from bot.outbox.fan_out import FanOut
from bot.outbox.worker import Outbox
from bot.runtime.claims import Owner
from bot.runtime.logging import current_trace
from bot.runtime.metrics import Metrics
from bot.runtime.sharing import ONE_PROCESS, SEVERAL_PROCESSES
from bot.store import chat_queues, claimed_tables, enqueue
from bot.store.engine.database import Database, Tx
from bot.telegram.api import TooSoonError
from bot.telegram.limit_state import ChatFloods
from tests.bot.outbox.test_worker import NO_BOT, Office, Post, claim_alert, found, office, sent
from tests.support.claims import lease_at
from tests.support.control import wait_for
from tests.support.database import migrated_copy, on_postgresql
from tests.support.followed import (
    DAY,
    HOUR,
    MINUTE,
    NATGEO,
    NOON,
    Clock,
    claim,
    follow,
    look,
    rows,
    story,
)
from tests.support.rows import used

__all__ = ["office"]  # the fixture
SECOND = timedelta(seconds=1)


async def step(outbox: Outbox) -> datetime | None:
    """Let the loop turn once; when it would turn again."""
    return await outbox.worker.step()


async def test_the_queue_of_a_dead_process_is_claimed_once_it_is_released(office: Office) -> None:
    await found(office, "1")
    assert await claim(office.db, lease=HOUR)
    assert await step(office.outbox) == NOON + HOUR  # the process may be alive
    await office.db.run(claimed_tables.release_claims_of_owner)
    assert await step(office.outbox) == NOON  # the queue was claimed


async def test_it_looks_again_when_the_next_is_due(office: Office) -> None:
    assert await step(office.outbox) is None
    await found(office, "1")
    office.post.outcomes = [TryLater(7 * SECOND)]
    assert await office.outbox.fan_out_and_do_due_jobs_once() == 1
    assert await step(office.outbox) == NOON + 7 * SECOND
    office.clock.on(7 * SECOND)
    assert await step(office.outbox) == office.clock()  # some were claimed: there may be more


async def test_it_does_not_spin_while_nothing_can_be_claimed(office: Office) -> None:
    await found(office, "1")
    now = office.clock.on(3 * DAY)  # it is dropped, and its chat is due at once
    again = await step(office.outbox)
    assert again
    assert now < again < now + SECOND


async def test_it_rests_as_long_as_the_bot_is_refused(office: Office) -> None:
    await found(office, "1")
    office.post.outcomes = [PermanentFailure("unauthorized", scope="bot")]
    await office.outbox.fan_out_and_do_due_jobs_once()
    assert await step(office.outbox) == NOON + MINUTE
    office.clock.on(MINUTE - timedelta(microseconds=1))
    assert await step(office.outbox) == NOON + MINUTE
    assert await office.outbox.claims.claim_queues_and_build_jobs(5) == []
    office.clock.on(timedelta(microseconds=1))
    assert len(await office.outbox.claims.claim_queues_and_build_jobs(5)) == 1


async def test_nothing_is_claimed_while_something_can_not_be_written_down(tmp_path: Path) -> None:
    await migrated_copy(tmp_path / "bot.db")
    url, at_once = f"sqlite:///{tmp_path}/bot.db", timedelta(milliseconds=20)
    async with Database(url, busy_timeout=at_once) as db:
        outbox = Outbox(db, NO_BOT, Post(), Post(), now=lambda: NOON)  # type: ignore[arg-type] # Post stands for both
        await step(outbox)  # the first turn ends the leases
        async with db.begin() as tx:
            await follow(tx, -1)
            await look(tx, story("1"))

        async def write(tx: Tx) -> None:
            await chat_queues.lock(tx, -1)

        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            with closing(sqlite3.connect(tmp_path / "bot.db")) as other:
                other.execute("BEGIN IMMEDIATE")  # another program, which keeps it locked
                group.create_task(db.run_until_recorded(write))
                await wait_for(lambda: db.has_unrecorded_actions)
                assert await step(outbox) == NOON + SECOND
        assert not db.has_unrecorded_actions
        assert len(await claim(db)) == 1  # it is there


async def test_after_trouble_the_only_process_goes_on_at_once(sqlite_db: Database) -> None:
    outbox = Outbox(sqlite_db, NO_BOT, Post(), Post(), sharing=ONE_PROCESS, now=lambda: NOON)  # type: ignore[arg-type] # Post stands for both
    async with sqlite_db.begin() as tx:
        await follow(tx, -1)
        await look(tx, story("1"))
    outbox.worker.trouble = "the database was away"
    assert await step(outbox) == NOON
    assert await claim(sqlite_db) == []  # it has it


@on_postgresql
async def test_after_trouble_replicas_write_down_first_what_they_sent(db: Database) -> None:
    clock = Clock()
    outbox = Outbox(db, NO_BOT, Post(), Post(), now=clock)  # type: ignore[arg-type] # Post stands for both
    async with db.begin() as tx:
        await follow(tx, -1)
        await look(tx, story("1"))
    outbox.worker.trouble = "the database was away"
    assert await step(outbox) == NOON + 3 * SECOND
    outbox.worker.trouble = ""
    assert await step(outbox) == NOON + 3 * SECOND
    clock.on(3 * SECOND)
    assert await step(outbox) == clock()
    assert await claim(db, now=clock()) == []  # it has it


async def test_a_chat_is_leased_for_a_minute_and_among_replicas_for_a_quarter(
    db: Database,
) -> None:
    sharing = ONE_PROCESS if db.is_sqlite else SEVERAL_PROCESSES
    outbox = Outbox(db, NO_BOT, Post(), Post(), sharing=sharing, now=lambda: NOON)  # type: ignore[arg-type] # Post stands for both
    async with db.begin() as tx:
        await follow(tx, -1)
        await look(tx, story("1"))
    claimed = await claim_alert(outbox)
    lease = (60 if db.is_sqlite else 15) * SECOND
    assert claimed.lease.until == NOON + lease
    assert not claimed.lease.is_counted
    assert await claim(db, now=NOON + lease - timedelta(milliseconds=1)) == []
    assert len(await claim(db, now=NOON + lease)) == 1


async def test_who_comes_back_when_the_lease_is_over_sends_nothing(office: Office) -> None:
    await found(office, "1")

    def after(wait: timedelta) -> Callable[[], Any]:
        async def pause() -> None:
            office.clock.on(wait)

        return pause

    office.post.before = after(MINUTE)
    await office.outbox.fan_out_and_do_due_jobs_once()
    assert office.post.albums == []
    office.post.before = after(MINUTE - timedelta(milliseconds=1))
    office.clock.on(MINUTE)
    await office.outbox.fan_out_and_do_due_jobs_once()
    assert len(office.post.albums) == 1


async def test_who_comes_back_after_the_lease_of_the_process_sends_nothing(
    office: Office,
) -> None:
    await found(office, "1")
    owner = Owner()
    owner.record_renewal(NOON + MINUTE, done_at=NOON)
    outbox = Outbox(office.db, NO_BOT, office.post, office.post, owner=owner, now=office.clock)  # type: ignore[arg-type] # Post stands for both

    async def lose_and_renew() -> None:
        renewed_at = office.clock.on(MINUTE)
        owner.record_renewal(renewed_at + HOUR, done_at=renewed_at)

    office.post.before = lose_and_renew
    job = await claim_alert(outbox)
    job.lease.until += HOUR  # the claim itself was renewed
    await outbox.runner.run_job_and_record_outcome(job)
    assert office.post.albums == []


async def test_a_lost_claim_is_noticed_at_its_renewal(office: Office) -> None:
    await found(office, "1")
    brief = timedelta(milliseconds=30)  # the renewals follow the machine's clock
    outbox = Outbox(office.db, NO_BOT, office.post, office.post, lease=brief, now=office.clock)  # type: ignore[arg-type] # Post stands for both
    job = await claim_alert(outbox)
    await outbox.leases.check_and_count_copies(job.lease)
    assert await claim(office.db, now=NOON + MINUTE)
    async with outbox.leases.renewing(job.lease):
        await wait_for(lambda: not job.lease.is_valid, 10)
    with pytest.raises(TooSoonError):
        outbox.leases.raise_if_lease_lost(job.lease)


async def test_what_a_look_showed_is_spread_and_sent_when_woken(office: Office) -> None:
    floods = ChatFloods(lambda: office.clock().timestamp())
    floods.forbid_messages(-1, 30)
    outbox = Outbox(office.db, NO_BOT, office.post, office.post, floods=floods, now=office.clock)  # type: ignore[arg-type] # Post stands for both
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(outbox.fan_out_and_send_until_stopped())
        for number in range(1, 4):
            async with office.db.begin() as tx:
                shown = snapshots.Snapshot(NATGEO, (story(str(number)),))
                await snapshots.record_snapshot_and_enqueue_alerts(tx, shown, now=office.clock())
            outbox.wake()
            await wait_for(lambda: len(office.post.albums) == number)  # noqa: B023 - awaited here
        outbox.stop()
    async with office.db.begin() as tx:
        await chat_queues.make_due(tx, -1, due_at=office.clock(), now=office.clock())
        (queue,) = await chat_queues.claim_and_lock_due_deliveries(
            tx, lease_at(office.clock()), limit=1
        )
    assert queue.stored_flood_state == floods.state_of(-1)


async def test_each_slice_wakes_the_outbox_and_more_follows_at_once(db: Database) -> None:
    woken: list[bool] = []
    fan_out = FanOut(db, lambda: woken.append(True), now=lambda: NOON)
    turn = fan_out.worker.step
    assert await turn() is None
    async with db.begin() as tx:
        for chat in range(1, 11):
            await follow(tx, chat)
        await snapshots.record_snapshot_and_enqueue_alerts(
            tx, snapshots.Snapshot(NATGEO, (story("1"),)), now=NOON
        )
    turns = 0
    while await turn() == NOON:
        turns += 1
    assert len(woken) == turns > 0
    assert len(await rows(db)) == 10


async def test_with_nothing_to_do_it_sleeps(office: Office) -> None:
    looks = 0

    def now() -> datetime:
        nonlocal looks
        looks += 1
        return NOON

    outbox = Outbox(office.db, NO_BOT, office.post, office.post, now=now)  # type: ignore[arg-type] # Post stands for both

    async def is_asleep() -> bool:
        before = looks
        for _ in range(10):
            async with office.db.read() as tx:
                await chat_queues.next_due_at(tx)
        return looks == before

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(outbox.fan_out_and_send_until_stopped())
        await wait_for(is_asleep)
        outbox.stop()


def test_what_another_program_made_due_waits_a_minute_at_most() -> None:
    """As ``storybell parked --again`` does, which wakes nobody."""
    assert ONE_PROCESS.alerts_every == MINUTE


class Failing(Post):
    """Fails when the request has left."""

    async def send_album_and_buy_missing_files(self, *args: Any, **more: Any) -> Outcome:
        await super().send_album_and_buy_missing_files(*args, **more)
        raise ZeroDivisionError


async def test_a_bug_after_the_request_left_counts_as_a_lost_answer(office: Office) -> None:
    await found(office, "1")
    post, metrics = Failing(), Metrics()
    outbox = Outbox(office.db, NO_BOT, post, post, lease=MINUTE, metrics=metrics, now=office.clock)  # type: ignore[arg-type] # Post stands for both
    await outbox.fan_out_and_do_due_jobs_once()
    [row] = await rows(office.db)
    assert (row.state, row.copies) == ("open", 1)
    for _ in range(2):
        office.clock.on(20 * MINUTE)
        await outbox.fan_out_and_do_due_jobs_once()
    parked, told = await rows(office.db)
    assert (parked.state, parked.copies, told.notice) == ("parked", 3, "failed")
    counted = metrics.prometheus_text()
    assert "delivery_unknown_total 3" in counted
    assert "delivery_parked_total 1" in counted


async def test_what_arrived_is_counted_once(office: Office) -> None:
    await found(office, "1", "2")
    assert await office.outbox.fan_out_and_do_due_jobs_once() == 1
    async with office.db.read() as tx:
        assert await used(tx, -1) == (2, 0)


async def test_what_an_answer_does_not_name_may_be_there(office: Office) -> None:
    await found(office, "1", "2")
    office.post.outcomes = [sent("1")]
    await office.outbox.fan_out_and_do_due_jobs_once()
    assert [(row.story_pk, row.state, row.copies) for row in await rows(office.db)] == [
        ("1", "sent", 1),
        ("2", "open", 1),
    ]


@pytest.mark.parametrize(("fields", "wanted"), [({"trace": "u77"}, "u77"), ({}, "d{id}")])
async def test_a_line_of_the_log_names_what_a_message_came_from(
    office: Office, fields: dict[str, str], wanted: str
) -> None:
    traces: list[str] = []

    async def look_at() -> None:
        traces.append(current_trace())

    office.post.before = look_at
    await found(office, "1", "2")
    await office.outbox.fan_out_and_do_due_jobs_once()
    async with office.db.begin() as tx:
        told = {"username": "natgeo", **fields}
        for one in (told, {"username": "prada", "trace": "u78"}):
            await enqueue.add_notice(tx, Target(-1), "back", one, now=NOON)
    await office.outbox.fan_out_and_do_due_jobs_once()
    first = (await rows(office.db, notice="back"))[0].id
    assert traces == ["s1", wanted.format(id=first)]
