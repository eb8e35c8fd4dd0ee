"""Chats that move, close and open again, and topics that go."""

import asyncio
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from bot.domain.model import Target
from bot.domain.options import Options
from bot.domain.records import Held
from bot.fetching import snapshots
from bot.store import (
    chat_queues,
    chats,
    deliveries,
    fan_outs,
    moves,
    profiles,
    subscriptions,
    usage,
)
from bot.store.engine.database import Database, all_tables
from tests.support.claims import lease_at
from tests.support.control import wait_for
from tests.support.database import on_postgresql
from tests.support.followed import (
    HOUR,
    MINUTE,
    NATGEO,
    NOON,
    PRADA,
    claim,
    follow,
    look,
    rows,
    story,
)
from tests.support.lock_waits import Pause, run_behind_a_lock
from tests.support.postgres import connected
from tests.support.rows import used


async def test_everything_moves_along_in_one_transaction_and_only_once(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, -5, options=Options(silent=True))
        await follow(tx, -5, PRADA)
        await chats.change(tx, -5, zone="Europe/Madrid", quiet_from=60, quiet_to=120)
        await usage.add(tx, [(-5, usage.Use(items=3))], day=NOON.date())
        await look(tx, *(story(str(n)) for n in range(50)))
    async with db.begin() as tx:
        assert await moves.move_chat(tx, -5, -1005, now=NOON)
        assert not await moves.move_chat(tx, -5, -1005, now=NOON)  # the other message of it
        assert await chats.get(tx, -5) is None
        moved = await chats.get(tx, -1005)
        assert moved is not None
        assert (moved.zone, moved.quiet_from, moved.kind) == ("Europe/Madrid", 60, "supergroup")
        found = await subscriptions.of_chat(tx, -1005)
        assert [one.options.silent for one in found] == [True, False]
        assert await used(tx, -1005) == (3, 0)
        for table in all_tables().sorted_tables:
            if "chat_id" in table.c:
                left = sa.select(sa.func.count()).where(table.c.chat_id == -5)
                assert (await tx.execute(left)).scalar() == 0, table.name
    assert {row.chat_id for row in await rows(db)} == {-1005}
    assert len(await rows(db)) == 50
    [lane] = await claim(db)
    assert lane.chat.id == -1005
    assert len(lane.rows) == 50


async def test_what_the_new_chat_has_already_is_joined(db: Database) -> None:
    async with db.begin() as tx:
        kept = await follow(tx, -5)
        await follow(tx, -5, PRADA)
        await follow(tx, -1005)
        for chat_id, items in ((-5, 3), (-1005, 4)):
            await usage.add(tx, [(chat_id, usage.Use(items=items))], day=NOON.date())
        await usage.add(tx, [(-5, usage.Use(items=1))], day=NOON.date())
        await look(tx, story("1"))
        await moves.move_chat(tx, -5, -1005, now=NOON)
        found = await subscriptions.of_chat(tx, -1005)
        assert [one.username for one in found] == ["natgeo", "prada"]
        assert found[0].id == kept
        assert await used(tx, -1005) == (8, 0)
    assert [(row.chat_id, row.story_pk) for row in await rows(db)] == [(-1005, "1")]
    async with db.read() as tx:
        assert (await subscriptions.count_subscribers(tx, NATGEO.profile_id)).weight == 1


@on_postgresql
@pytest.mark.parametrize(("used_by", "added_to"), [((-5, -1005), -5), ((-5,), -1005)])
async def test_usage_that_is_added_during_a_move_is_kept(
    db: Database, database_url: str, used_by: tuple[int, ...], added_to: int
) -> None:
    async with db.begin() as tx:
        await follow(tx, -5)
        await usage.add(tx, [(chat, usage.Use(items=3)) for chat in used_by], day=NOON.date())

    async def move() -> None:
        async with db.begin() as tx:
            await moves.move_chat(tx, -5, -1005, now=NOON)

    async with connected(database_url) as other, asyncio.TaskGroup() as group:

        async def waits() -> bool:
            return bool(await other.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))

        async with other.transaction():
            await other.execute(
                "INSERT INTO usage_days VALUES ($1, $2, 1, 0) ON CONFLICT (chat_id, day) "
                "DO UPDATE SET items = usage_days.items + 1",
                added_to,
                NOON.date(),
            )
            group.create_task(move())
            await wait_for(waits)
    async with db.read() as tx:
        assert await used(tx, -1005) == (3 * len(used_by) + 1, 0)
        assert await used(tx, -5) == (0, 0)


@pytest.mark.parametrize("again", [False, True])
async def test_what_either_chat_is_owed_goes_to_the_new_one_once(
    db: Database, *, again: bool
) -> None:
    """It moves for the first time, or the old one has begun anew since."""
    async with db.begin() as tx:
        if again:
            await follow(tx, -5, PRADA)
            await moves.move_chat(tx, -5, -1005, now=NOON)
        await follow(tx, -5)
        await look(tx, story("1"))
        await follow(tx, -1005, since=NOON - MINUTE)
        await look(tx, story("2"))
    both = await rows(db)
    async with db.begin() as tx:
        here = [row.id for row in both if (row.chat_id, row.story_pk) == (-1005, "2")]
        await deliveries.record_sent(tx, dict.fromkeys(here, 7), now=NOON)
        await moves.close_left_chat(tx, -1005 if again else -5, now=NOON)
        await look(tx, story("3"))
    await rows(db)
    async with db.begin() as tx:
        await moves.move_chat(tx, -5, -1005, now=NOON)
    [queue] = await claim(db)
    assert queue.chat.id == -1005
    assert sorted(row.story_pk or "" for row in queue.rows) == ["1", "3"]


async def test_a_claim_under_way_keeps_its_lane_when_the_chat_moves(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, -5)
        await look(tx, story("1"))
    await claim(db)
    async with db.begin() as tx:
        await moves.move_chat(tx, -5, -1005, now=NOON)
    assert await claim(db) == []  # the old send may still arrive


async def test_a_closed_chat_is_owed_nothing_but_what_comes_after_its_return(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, 1)
        await look(tx, story("1"))
        assert await moves.close_left_chat(tx, 1, now=NOON)
        assert not await moves.close_left_chat(tx, 1, now=NOON)
        known = await profiles.get(tx, NATGEO.profile_id)
        assert known is not None
        assert (known.weight, known.due_at) == (0, None)
        await look(tx, story("2"), now=NOON + HOUR)
    assert await claim(db, now=NOON + HOUR) == []
    back = NOON + 2 * HOUR
    async with db.begin() as tx:
        assert await moves.open_chat(tx, 1, now=back)
        assert not await moves.open_chat(tx, 1, now=back)
        known = await profiles.get(tx, NATGEO.profile_id)
        assert known is not None
        assert (known.weight, known.due_at) == (1, back)
        await look(tx, story("2"), story("3", NOON + HOUR), story("4", back), now=back + HOUR)
    [lane] = await claim(db, now=back + HOUR)
    assert [row.story_pk for row in lane.rows] == ["4"]


async def test_a_story_found_before_the_return_of_the_bot_is_recorded_is_sent(
    db: Database,
) -> None:
    back = NOON + HOUR  # the bot receives the update two minutes later
    async with db.begin() as tx:
        await follow(tx, 1)
        await follow(tx, 2)
        await moves.close_left_chat(tx, 1, now=NOON)
        found = [story("1", back - MINUTE), story("2", back + MINUTE)]
        await look(tx, *found, now=back + MINUTE)
        assert await moves.open_chat(tx, 1, alerts_since=back, now=back + 2 * MINUTE)
    assert [row.story_pk for row in await rows(db, chat_id=1)] == ["2"]
    queues = await claim(db, now=back + 2 * MINUTE)
    assert {queue.chat_id for queue in queues} == {1, 2}


async def test_a_topic_that_is_gone_is_told_of_once(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, -5, thread_id=9)
        await look(tx, story("1"))
        assert await moves.move_topic_to_main_chat_and_notify(tx, -5, 9, now=NOON)
        assert not await moves.move_topic_to_main_chat_and_notify(tx, -5, 9, now=NOON)
        [found] = await subscriptions.of_chat(tx, -5)
    assert found.target == Target(-5)
    assert [(row.thread_id, row.story_pk, row.notice) for row in await rows(db)] == [
        (0, "1", None),
        (0, None, "topic"),
    ]


async def test_a_story_that_waits_for_a_summary_is_sent_if_the_heir_has_no_summary(
    db: Database,
) -> None:
    async with db.begin() as tx:
        await follow(tx, -5, thread_id=9, options=Options(digest=True))
        await look(tx, story("1"))
        [number] = await tx.scalars(sa.select(deliveries.deliveries.c.id))
        await deliveries.change_columns_of_open(
            tx, [number], due_at=NOON + 20 * HOUR, held=Held.DIGEST
        )
        await follow(tx, -5, since=NOON + MINUTE)
        assert await moves.move_topic_to_main_chat_and_notify(tx, -5, 9, now=NOON + HOUR)
        await chat_queues.reschedule(tx, -5)
    [queue] = await claim(db, now=NOON + HOUR)
    assert [row.story_pk for row in queue.rows] == ["1", None]


async def test_what_a_doubled_subscription_is_owed_is_owed_to_the_other(db: Database) -> None:
    """One that began later is owed only what came since."""
    async with db.begin() as tx:
        older = await follow(tx, -5, thread_id=9)
        await look(tx, story("1"))
    await rows(db)
    async with db.begin() as tx:
        younger = await follow(tx, -5, since=NOON - MINUTE)
        await look(tx, story("1"), story("2"))
    assert {(row.subscription_id, row.story_pk) for row in await rows(db)} == {
        (older, "1"), (older, "2"), (younger, "2"),
    }  # fmt: skip
    async with db.begin() as tx:
        await chat_queues.lock(tx, -5)
        one = await subscriptions.get(tx, older)
        assert one is not None
        await moves.move_to_thread(tx, one, to=0, now=NOON)
    assert {(row.subscription_id, row.story_pk, row.thread_id) for row in await rows(db)} == {
        (younger, "1", 0), (younger, "2", 0),
    }  # fmt: skip


async def test_what_is_on_its_way_to_a_doubled_subscription_comes_to_the_other(
    db: Database,
) -> None:
    """That one began after the story was found, so that the fan-out passes it over."""
    async with db.begin() as tx:
        older = await follow(tx, -5, thread_id=9)
        await snapshots.record_snapshot_and_enqueue_alerts(
            tx, snapshots.Snapshot(NATGEO, (story("1"),)), now=NOON
        )
        younger = await follow(tx, -5)
        await snapshots.record_snapshot_and_enqueue_alerts(
            tx, snapshots.Snapshot(NATGEO, (story("2"),)), now=NOON
        )
        await chat_queues.lock(tx, -5)
        one = await subscriptions.get(tx, older)
        assert one is not None
        await moves.move_to_thread(tx, one, to=0, now=NOON)
    assert [(row.subscription_id, row.story_pk) for row in await rows(db)] == [
        (younger, "1"), (younger, "2"),
    ]  # fmt: skip


async def test_what_is_on_its_way_to_a_chat_that_moves_comes_to_the_new_one(db: Database) -> None:
    """Which began to follow the same after the story was found."""
    async with db.begin() as tx:
        await follow(tx, -5, PRADA)
        await moves.move_chat(tx, -5, -1005, now=NOON)
        await follow(tx, -5)  # it has begun anew
        await snapshots.record_snapshot_and_enqueue_alerts(
            tx, snapshots.Snapshot(NATGEO, (story("1"),)), now=NOON
        )
        await follow(tx, -1005)
        await moves.move_chat(tx, -5, -1005, now=NOON)
    assert [(row.chat_id, row.story_pk) for row in await rows(db)] == [(-1005, "1")]


@pytest.mark.parametrize("change", [{"since": NOON + MINUTE}, {"paused": True}])
async def test_what_is_on_its_way_comes_to_an_heir_that_does_not_wait_for_it(
    db: Database, change: dict[str, Any]
) -> None:
    """It joined, or was resumed, after the story was posted, or is paused now."""
    async with db.begin() as tx:
        ends, heir = await follow(tx, -5, thread_id=9), await follow(tx, -5)
        await snapshots.record_snapshot_and_enqueue_alerts(
            tx, snapshots.Snapshot(NATGEO, (story("1"),)), now=NOON + HOUR
        )
        await subscriptions.change(tx, heir, **change)
        await chat_queues.lock(tx, -5)
        await moves.move_topic_to_main_chat_and_notify(tx, -5, 9, now=NOON + HOUR)
        assert await subscriptions.get(tx, ends) is None
    shown = [(row.subscription_id, row.story_pk or row.notice) for row in await rows(db)]
    assert shown == [(heir, "1"), (None, "topic")]


@pytest.mark.parametrize("heir_is_older", [False, True])
async def test_what_comes_to_both_comes_once(db: Database, *, heir_is_older: bool) -> None:
    async with db.begin() as tx:
        places = (None, 9) if heir_is_older else (9, None)
        for place in places:
            await follow(tx, -5, thread_id=place)
        await snapshots.record_snapshot_and_enqueue_alerts(
            tx, snapshots.Snapshot(NATGEO, (story("1"),)), now=NOON
        )
        await fan_outs.add(tx, NATGEO.profile_id, notice="private", due_at=NOON, now=NOON)
        await chat_queues.lock(tx, -5)
        await moves.move_topic_to_main_chat_and_notify(tx, -5, 9, now=NOON)
    assert {row.story_pk or row.notice for row in await rows(db)} == {"1", "private", "topic"}
    assert len(await rows(db)) == 3


async def test_what_the_new_chat_has_had_does_not_come_again_while_it_is_on_its_way(
    db: Database,
) -> None:
    async with db.begin() as tx:
        await follow(tx, -1005)
        await follow(tx, -5)
        await snapshots.record_snapshot_and_enqueue_alerts(
            tx, snapshots.Snapshot(NATGEO, (story("1"),)), now=NOON
        )
        await fan_outs.write_next_slice_if_due(tx, now=NOON, limit=1)
        [number] = (await tx.execute(sa.select(deliveries.deliveries.c.id))).scalars()
        await deliveries.record_sent(tx, {number: 7}, now=NOON)
        await moves.move_chat(tx, -5, -1005, now=NOON)
    assert [(row.chat_id, row.state) for row in await rows(db)] == [(-1005, "sent")]


@on_postgresql
async def test_a_group_moves_while_the_first_reply_in_the_new_group_is_committed(
    db: Database,
) -> None:
    async with db.begin() as tx:
        await follow(tx, -5)
        await chats.add_or_update(tx, -1005, kind="supergroup", title="", now=NOON)

    async def reply(pause: Pause) -> None:
        async with db.begin() as tx:
            assert await chat_queues.claim_if_no_pending_reply(tx, -1005, lease_at(NOON))
            await pause()

    async def move() -> None:
        async with db.begin() as tx:
            assert await moves.move_chat(tx, -5, -1005, now=NOON)

    await run_behind_a_lock(db, reply, move)
    async with db.read() as tx:
        assert len(await subscriptions.of_chat(tx, -1005)) == 1


@pytest.mark.parametrize("until", [None, NOON + HOUR])
async def test_a_paused_heir_continues_with_the_pending_stories_and_sends_no_story_again(
    db: Database, until: datetime | None
) -> None:
    async with db.begin() as tx:
        ends, heir = await follow(tx, -5, thread_id=9), await follow(tx, -5)
        await look(tx, story("1"), now=NOON + MINUTE)
        await subscriptions.change(tx, heir, paused=True, paused_until=until)
        await deliveries.drop_open_where(
            tx, subscription_id=heir, reason=deliveries.PAUSED, now=NOON
        )
        await look(tx, story("2"), story("3"), now=NOON + MINUTE)
    [number] = [row.id for row in await rows(db) if row.story_pk == "2"]
    async with db.begin() as tx:
        await deliveries.record_sent(tx, {number: 7}, now=NOON)
        await chat_queues.lock(tx, -5)
        await moves.move_topic_to_main_chat_and_notify(tx, -5, 9, now=NOON)
        await fan_outs.enqueue_missed_stories(tx, subscription_id=heir, now=NOON)
        found = await subscriptions.get(tx, heir)
        assert found is not None
        assert (found.paused, found.paused_until) == (False, None)
        assert await subscriptions.get(tx, ends) is None
    found_rows = await rows(db, subscription_id=heir)
    shown = sorted((row.story_pk, row.state) for row in found_rows)
    assert shown == [("1", "open"), ("2", "sent"), ("3", "open")]


async def test_of_two_pauses_the_shorter_applies_to_the_heir(db: Database) -> None:
    async with db.begin() as tx:
        ends, heir = await follow(tx, -5, thread_id=9), await follow(tx, -5)
        await subscriptions.change(tx, ends, paused=True, paused_until=NOON + HOUR)
        await subscriptions.change(tx, heir, paused=True, paused_until=None)
        await moves.move_topic_to_main_chat_and_notify(tx, -5, 9, now=NOON)
        found = await subscriptions.get(tx, heir)
    assert found is not None
    assert (found.paused, found.paused_until) == (True, NOON + HOUR)
