"""Upkeep: what is forgotten when, and that lanes heal."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.store import chats, claimed_tables, deliveries, moves, profiles, retention, subscriptions
from bot.store.access import access_list
from bot.store.broadcasts import broadcasts
from bot.store.chat_queues import queues
from bot.store.ended_subscriptions import ended
from bot.store.engine.database import Database
from bot.store.inbox import inbox
from bot.store.incidents import incidents
from bot.store.kept_stories import kept
from bot.store.key_values import key_values
from bot.store.samples import samples
from bot.store.stories import moments
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
    story,
)
from tests.support.rows import kept_stories


async def test_a_start_ends_leases_but_not_what_telegram_asked_for(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, 1)
        await follow(tx, 2)
        await look(tx, story("1"))
        await tx.execute(
            sa.update(queues).where(queues.c.chat_id == 2).values(leased_until=NOON + HOUR)
        )
    assert len(await claim(db, lease=HOUR)) == 1
    async with db.begin() as tx:
        await claimed_tables.release_claims_of_owner(tx)
    assert [lane.chat.id for lane in await claim(db)] == [1]


async def test_each_thing_is_forgotten_in_its_time(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, 1)
        gone = await follow(tx, 2, PRADA)
        await look(tx, story("1"), story("2"))
        await look(tx, story("3", of=PRADA), of=PRADA)
        await moves.close_left_chat(tx, 2, now=NOON)
        [first, second] = await deliveries.lock_and_return_due(tx, [1], now=NOON)
        await deliveries.record_sent(tx, {first.id: 1}, now=NOON)
        assert second.story_pk == "2"

    async def left(now: datetime) -> tuple[int, set[str], bool, bool]:
        async with db.begin() as tx:
            for what in retention.conditions_of_overdue_rows(now):
                await retention.delete_overdue(tx, what, limit=1000)
            kept = set(await kept_stories(tx, ["1", "2", "3"]))
            chat, profile = await chats.get(tx, 2), await profiles.get(tx, PRADA.profile_id)
        return len(await rows(db)), kept, chat is not None, profile is not None

    assert await left(NOON + DAY) == (3, {"1", "2", "3"}, True, True)
    assert await left(NOON + 3 * DAY) == (3, {"1", "2", "3"}, True, True)
    assert await left(NOON + 3 * DAY + MINUTE) == (2, {"2", "3"}, True, True)  # both still owed
    assert await left(NOON + 30 * DAY) == (2, {"2", "3"}, True, True)
    assert await left(NOON + 30 * DAY + MINUTE) == (1, {"2"}, False, False)
    async with db.read() as tx:
        assert await subscriptions.get(tx, gone) is None
        assert await profiles.get(tx, NATGEO.profile_id) is not None


async def test_nothing_is_kept_for_longer_than_is_said(db: Database) -> None:
    """Each table that only grows loses what is a minute too old, and keeps what is not."""
    one = {"chat_id": 1, "profile_id": NATGEO.profile_id}
    file = {"bot_id": 1, "username": "natgeo", "story": {}, "kind": "photo", "file_id": "x"}
    told = {"kind": "disk", "text": "x", "fields": {}, "opened_at": NOON}
    unfollowed = {"thread_id": 0, "username": "natgeo", "preferences": {}}
    said = {"text": "x", "owner": 1, "state": "done"}
    was = {"subscription_id": 1, "since": NOON, "created_at": NOON}
    kept_for: dict[tuple[sa.Table, str], tuple[timedelta, dict[str, Any]]] = {
        (moments, "at"): (60 * DAY, {"profile_id": NATGEO.profile_id}),
        (kept, "taken_at"): (90 * DAY, one | file),
        (incidents, "closed_at"): (30 * DAY, told),
        (broadcasts, "made_at"): (30 * DAY, said),
        (samples, "hour"): (30 * DAY, {"figures": {}}),
        (ended, "at"): (DAY, one | unfollowed | was),
        (inbox, "done_at"): (25 * HOUR, {"queue": "", "body": "", "stored_at": NOON}),
        (access_list, "refused_at"): (30 * DAY, {"kind": "person", "since": NOON}),
        (key_values, "until"): (timedelta(), {}),
    }
    async with db.begin() as tx:
        await follow(tx, 1)
        for (table, column), (span, values) in kept_for.items():
            for number, at in enumerate((NOON - span, NOON - span - MINUTE)):
                keys: dict[sa.Table, dict[str, Any]] = {
                    kept: {"story_pk": str(number)},
                    ended: {"profile_id": f"{number}"},
                    inbox: {"update_id": number, "leased_until": NOON},
                    access_list: {"subject": f"{number}"},
                    key_values: {"key": f"{number}"},
                }
                key = keys.get(table, {})
                await tx.execute(sa.insert(table).values(values | key | {column: at}))
        running = said | {"state": "running", "made_at": NOON - 99 * DAY}
        await tx.execute(sa.insert(broadcasts).values(running))
    async with db.begin() as tx:
        for what in retention.conditions_of_overdue_rows(NOON):
            await retention.delete_overdue(tx, what, limit=1000)
        for (table, column), (span, _) in kept_for.items():
            left = list((await tx.execute(sa.select(table.c[column]))).scalars())
            assert [at for at in left if at != running["made_at"]] == [NOON - span], table.name
            assert len(left) == (2 if table is broadcasts else 1)


async def test_a_story_shown_again_when_its_delivery_is_forgotten_rings_no_second_time(
    db: Database,
) -> None:
    late = NOON + 4 * DAY
    async with db.begin() as tx:
        await follow(tx, 1)
        await look(tx, story("1"))
        [one] = await deliveries.lock_and_return_due(tx, [1], now=NOON)
        await deliveries.record_sent(tx, {one.id: 1}, now=NOON)
        for what in retention.conditions_of_overdue_rows(late):
            await retention.delete_overdue(tx, what, limit=1000)
        assert not await kept_stories(tx, ["1"])
        await look(tx, story("1"), now=late)
    assert not await rows(db, story_pk="1")


async def test_what_was_given_up_is_kept_for_the_operator(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, 1)
        await look(tx, story("1"))
        [one] = await deliveries.lock_and_return_due(tx, [1], now=NOON)
        await deliveries.end_open(tx, [one.id], state="parked", reason="no answers", now=NOON)
        for what in retention.conditions_of_overdue_rows(NOON + 29 * DAY):
            await retention.delete_overdue(tx, what, limit=1000)
    assert len(await rows(db, state="parked")) == 1
