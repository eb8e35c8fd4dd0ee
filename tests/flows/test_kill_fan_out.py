"""A process that is killed while it writes the deliveries of a fan-out."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.store import chat_queues, chats, fan_outs, profiles, subscriptions
from bot.store.deliveries import deliveries
from bot.store.engine.database import Database, Tx
from tests.support.control import wait_for
from tests.support.database import on_postgresql
from tests.support.followed import DAY, LONG_AGO, NATGEO, NOON
from tests.support.killing import Victim
from tests.support.sandbox import Box

CHATS = 10_000  # 50 slices
OF_SECOND_SLICE = 300
LATER = NOON + 3650 * DAY  # the deliveries are due so late that no message is sent
WITHIN_S = 20.0  # the promised 10 seconds, and a delay of a busy machine

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


async def add_chats(db: Database) -> None:
    """Add many chats that follow a profile without checks."""
    at = {"created_at": LONG_AGO}
    numbers = range(1, CHATS + 1)
    people = [
        {"id": one, "kind": "private", "payer": one, "state_since": LONG_AGO} for one in numbers
    ]
    followed = {"options": {}, "since": LONG_AGO, "profile_id": NATGEO.profile_id}
    async with db.begin() as tx:
        await profiles.add_or_update_returning_previous(tx, NATGEO, now=LONG_AGO)
        await tx.execute(sa.insert(chats.chats), [one | at for one in people])
        rows = [{"id": one, "chat_id": one} | followed | at for one in numbers]
        await tx.execute(sa.insert(subscriptions.subscriptions), rows)
        await tx.execute(sa.insert(chat_queues.queues), [{"chat_id": one} for one in numbers])


async def add_fan_out(db: Database) -> None:
    async with db.begin() as tx:
        await fan_outs.add(tx, NATGEO.profile_id, notice="private", due_at=LATER, now=LONG_AGO)


async def progress(tx: Tx) -> int | None:
    """Return the last subscription of the written slices, or None after the last slice."""
    return (await tx.execute(sa.select(fan_outs.fan_outs.c.after_id))).scalar()


async def is_written(db: Database) -> bool:
    async with db.read() as tx:
        return await progress(tx) is None


async def waiting_process(db: Database) -> int:
    """Return the number of the process that waits for a lock of PostgreSQL, or 0."""
    waits = "SELECT application_name FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    async with db.read() as tx:
        name = (await tx.exec_driver_sql(waits)).scalar()
    return int(name.rpartition(":")[2]) if name else 0


async def notified_chats(db: Database) -> list[int]:
    async with db.read() as tx:
        rows = await tx.execute(sa.select(deliveries.c.chat_id).order_by(deliveries.c.chat_id))
        return list(rows.scalars())


@asynccontextmanager
async def ended(*processes: Victim) -> AsyncIterator[None]:
    """Kill the processes at the end of the block."""
    try:
        yield
    finally:
        for one in processes:
            await one.end(signal.SIGKILL)


def victim(box: Box, folder: Path, database_url: str) -> Victim:
    folder.mkdir()
    return Victim(box, folder, webhook=False, database_url=database_url)


@on_postgresql
async def test_another_process_continues_a_fan_out_within_10_seconds_of_a_kill(
    box: Box, db: Database, database_url: str, tmp_path: Path
) -> None:
    processes = [victim(box, tmp_path / name, database_url) for name in ("first", "second")]
    is_locked, may_end = asyncio.Event(), asyncio.Event()

    async def hold_queue() -> None:
        """Stop the process that writes the fan-out in the transaction of the second slice."""
        async with db.begin() as tx:
            await tx.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
            await chat_queues.lock(tx, OF_SECOND_SLICE)
            is_locked.set()
            await may_end.wait()

    async with ended(*processes):
        for one in processes:
            await one.start()
        for one in processes:
            await wait_for(one.is_ready, 60, "the process")
        await add_chats(db)
        async with asyncio.TaskGroup() as group:
            group.create_task(hold_queue())
            await is_locked.wait()
            await add_fan_out(db)
            number = await wait_for(lambda: waiting_process(db), 60, "the second slice")
            (writer,) = (one for one in processes if one.process and one.process.pid == number)
            await writer.end(signal.SIGKILL)
            may_end.set()
        await wait_for(lambda: is_written(db), WITHIN_S, "the other process")
    assert await notified_chats(db) == list(range(1, CHATS + 1))


async def test_the_next_start_continues_a_fan_out(
    box: Box, sqlite_db: Database, tmp_path: Path
) -> None:
    process = victim(box, tmp_path / "only", f"sqlite:///{tmp_path}/bot.db")
    await add_chats(sqlite_db)
    await add_fan_out(sqlite_db)

    async def killed_between_slices() -> bool:
        """Kill the process if the first slice is written. The transaction stops the writer."""
        async with sqlite_db.begin() as tx:
            has_begun = bool(await progress(tx))
            if has_begun:
                await process.end(signal.SIGKILL)
        return has_begun

    async with ended(process):
        await process.start()
        await wait_for(killed_between_slices, 60, "the first slice")
        assert not await is_written(sqlite_db)
        await process.start()
        await wait_for(process.is_ready, 60, "the next start")
        await wait_for(lambda: is_written(sqlite_db), WITHIN_S, "the last slice")
    assert await notified_chats(sqlite_db) == list(range(1, CHATS + 1))
