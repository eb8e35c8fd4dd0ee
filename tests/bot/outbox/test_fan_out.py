"""What was learned of a profile reaches all who wait, once and in order, whatever happens."""

import asyncio
import random
from datetime import timedelta

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from bot.fetching import snapshots
from bot.outbox.fan_out import FanOut
from bot.store import chats, fan_outs, key_values, subscriptions
from bot.store.deliveries import deliveries
from bot.store.engine.database import Database
from tests.support.database import on_postgresql
from tests.support.followed import LONG_AGO, MINUTE, NATGEO, NOON, PRADA, follow, story
from tests.support.postgres import connected

CHATS = 400


async def crowd(db: Database) -> None:
    """Let many chats follow two profiles."""
    async with db.begin() as tx:
        await follow(tx, 1)
        await follow(tx, 1, PRADA)
        people = range(2, CHATS + 1)
        await tx.execute(
            sa.insert(chats.chats),
            [
                {
                    "id": n,
                    "kind": "private",
                    "payer": n,
                    "state_since": NOON,
                    "created_at": NOON,
                }
                for n in people
            ],
        )
        alike = {"options": {}, "since": LONG_AGO, "created_at": NOON}
        await tx.execute(
            sa.insert(subscriptions.subscriptions),
            [
                {"chat_id": n, "profile_id": star.profile_id, **alike}
                for n in people
                for star in (NATGEO, PRADA)
            ],
        )


async def post(db: Database, *pks: str) -> None:
    """Let each profile show new stories, one after the other."""
    for number, pk in enumerate(pks):
        for star in (NATGEO, PRADA):
            found = story(f"{star.username}{pk}", NOON + number * MINUTE / 60, star)
            async with db.begin() as tx:
                await snapshots.record_snapshot_and_enqueue_alerts(
                    tx, snapshots.Snapshot(star, (found,)), now=NOON
                )


async def owed(db: Database) -> dict[int, list[str]]:
    """Return what each chat is owed, in order."""
    table = deliveries
    query = sa.select(table.c.chat_id, table.c.story_pk).order_by(table.c.id)
    found: dict[int, list[str]] = {}
    async with db.read() as tx:
        for chat_id, pk in await tx.execute(query):
            found.setdefault(chat_id, []).append(pk)
    return found


def of_star(pks: list[str], star: str) -> list[str]:
    return [pk for pk in pks if pk.startswith(star)]


async def test_kills_in_the_middle_lose_and_double_nothing(db: Database) -> None:
    await crowd(db)
    await post(db, "1", "2")
    chance = random.Random(5)  # noqa: S311 - repeatable, not secret
    left = True
    while left:
        async with db.begin() as tx:
            left = await fan_outs.write_next_slice_if_due(
                tx, now=NOON, limit=chance.randrange(1, 120)
            )
            if chance.random() < 0.4:
                await tx.rollback()
                left = True
    found = await owed(db)
    assert len(found) == CHATS
    for pks in found.values():
        assert of_star(pks, "natgeo") == ["natgeo1", "natgeo2"]
        assert of_star(pks, "prada") == ["prada1", "prada2"]


async def test_a_fan_out_that_fails_does_not_delay_those_of_other_profiles(
    sqlite_db: Database,
) -> None:
    async with sqlite_db.begin() as tx:
        await follow(tx, 1)
        await follow(tx, 1, PRADA)
    await post(sqlite_db, "1", "2")
    clock = [NOON]
    fan_out = FanOut(sqlite_db, lambda: None, now=lambda: clock[0])
    refuse = "CREATE TRIGGER refuse BEFORE INSERT ON deliveries WHEN NEW.story_pk = 'natgeo1' "
    async with sqlite_db.begin() as tx:
        await tx.exec_driver_sql(refuse + "BEGIN SELECT RAISE(ABORT, 'no such story'); END")
    with capture_logs() as logs:
        await fan_out.write_due_fan_outs()
    assert (await owed(sqlite_db))[1] == ["prada1", "prada2"]
    assert [one["event"] for one in logs] == ["a slice of a fan-out can't be written"]
    async with sqlite_db.begin() as tx:
        await tx.exec_driver_sql("DROP TRIGGER refuse")
    await fan_out.write_due_fan_outs()
    assert len((await owed(sqlite_db))[1]) == 2  # its pause is not over
    clock[0] += timedelta(seconds=1)
    await fan_out.write_due_fan_outs()
    assert of_star((await owed(sqlite_db))[1], "natgeo") == ["natgeo1", "natgeo2"]


@on_postgresql
@pytest.mark.parametrize("code", ["57014", "55P03"])  # of a statement, of the wait for a lock
async def test_a_slice_that_takes_too_long_does_not_delay_those_of_other_profiles(
    db: Database, code: str
) -> None:
    async with db.begin() as tx:
        await follow(tx, 1)
        await follow(tx, 1, PRADA)
        await tx.exec_driver_sql(
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"RAISE EXCEPTION 'timeout' USING ERRCODE = '{code}'; END $$"
        )
        await tx.exec_driver_sql(
            "CREATE TRIGGER slow BEFORE INSERT ON deliveries FOR EACH ROW "
            "WHEN (NEW.story_pk = 'natgeo1') EXECUTE FUNCTION slow()"
        )
    try:
        await post(db, "1", "2")
        with capture_logs() as logs:
            await FanOut(db, lambda: None, now=lambda: NOON).write_due_fan_outs()
    finally:
        async with db.begin() as tx:
            await tx.exec_driver_sql("DROP FUNCTION slow CASCADE")
    assert (await owed(db))[1] == ["prada1", "prada2"]
    assert [one["event"] for one in logs] == ["a slice of a fan-out can't be written"]


async def test_a_fan_out_that_becomes_due_during_a_step_is_written_at_that_time(
    sqlite_db: Database,
) -> None:
    async with sqlite_db.begin() as tx:
        await follow(tx, 1)
        due_at = NOON + timedelta(seconds=1)
        await fan_outs.add(tx, NATGEO.profile_id, notice="private", due_at=NOON, now=due_at)
    times = iter([NOON, *[due_at] * 9])
    fan_out = FanOut(sqlite_db, lambda: None, now=lambda: next(times))
    assert await fan_out.worker.step() == due_at
    assert await fan_out.worker.step() == due_at  # written; a further fan-out may be due
    assert len(await owed(sqlite_db)) == 1


@on_postgresql
async def test_fan_outs_that_another_process_writes_are_searched_again_soon(
    db: Database, database_url: str
) -> None:
    async with db.begin() as tx:
        await follow(tx, 1)
        await fan_outs.add(tx, NATGEO.profile_id, notice="private", due_at=NOON, now=NOON)
    fan_out = FanOut(db, lambda: None, now=lambda: NOON)
    async with connected(database_url) as other, other.transaction():
        await other.execute("SELECT FROM fan_outs FOR UPDATE")
        again_at = await fan_out.worker.step()
    assert again_at
    assert NOON < again_at < NOON + timedelta(seconds=1)


async def test_several_replicas_share_the_work_and_keep_the_order(db: Database) -> None:
    await crowd(db)
    await post(db, "1", "2", "3")
    replicas = [FanOut(db, lambda: None, now=lambda: NOON) for _ in range(3)]

    async def until_nothing_is_left(replica: FanOut) -> None:
        while True:  # one that finds all taken by others is not at the end
            await replica.write_due_fan_outs()
            async with db.read() as tx:
                if await fan_outs.next_due_at(tx) is None:
                    return

    async with asyncio.TaskGroup() as group:
        for replica in replicas:
            group.create_task(until_nothing_is_left(replica))
    found = await owed(db)
    assert len(found) == CHATS
    for pks in found.values():
        for star in ("natgeo", "prada"):
            assert of_star(pks, star) == [f"{star}{number}" for number in (1, 2, 3)]


async def test_others_write_between_the_slices(db: Database) -> None:
    await crowd(db)
    await post(db, "1")
    written_meanwhile = 0
    fan_out = FanOut(db, lambda: None, now=lambda: NOON)

    async def write() -> None:
        nonlocal written_meanwhile
        while True:
            async with db.begin() as tx:
                await key_values.put(tx, "reply", 1)
                if await fan_outs.next_due_at(tx) is None:
                    return
                written_meanwhile += 1

    async with asyncio.TaskGroup() as group:
        group.create_task(write())
        group.create_task(fan_out.write_due_fan_outs())
    assert written_meanwhile > 0
    assert len(await owed(db)) == CHATS
