"""Concurrent PostgreSQL transactions, of which one holds a lock for which the others wait."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

from bot.store.engine.database import Database, Tx
from tests.support.control import wait_for

Pause = Callable[[], Awaitable[None]]


async def run_behind_a_lock(
    db: Database,
    holder: Callable[[Pause], Coroutine[Any, Any, None]],
    *waiters: Callable[[], Coroutine[Any, Any, object]],
) -> None:
    """Start each of ``waiters`` when all before it wait for a lock. Then end all transactions.

    ``holder`` takes its locks, and then awaits its argument until all of ``waiters`` wait.
    """
    has_locks, may_go_on = asyncio.Event(), asyncio.Event()

    async def pause() -> None:
        has_locks.set()
        await may_go_on.wait()

    async with asyncio.TaskGroup() as group:
        group.create_task(holder(pause))
        await has_locks.wait()
        for number, waiter in enumerate(waiters, 1):
            group.create_task(waiter())
            await wait_for(partial(_are_waiting, db, number))
        may_go_on.set()


async def _are_waiting(db: Database, number: int) -> bool:
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    async with db.read() as tx:
        return int((await tx.exec_driver_sql(waits)).scalar_one()) >= number


async def lock_soon(tx: Tx, table: str, condition: str) -> None:
    """Lock rows. Fail if another transaction holds the lock of a row for half a second.

    The time is below PostgreSQL's ``deadlock_timeout`` of one second, so that not the other
    transaction fails.
    """
    await tx.exec_driver_sql("SET LOCAL lock_timeout = '500ms'")
    await lock(tx, table, condition)


async def lock(tx: Tx, table: str, condition: str) -> None:
    """Lock rows. Wait for locks of other transactions."""
    rows = f"SELECT 1 FROM {table} WHERE {condition} FOR NO KEY UPDATE"  # noqa: S608 - constants of tests
    await tx.exec_driver_sql(rows)
