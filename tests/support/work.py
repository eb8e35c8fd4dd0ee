"""The work of statements in a database, as a number that does not depend on the machine."""

from collections.abc import Awaitable, Callable
from typing import Any

import sqlalchemy as sa

from bot.store.engine.database import Database, Tx

STEPS_A_ROW = 20  # SQLite's virtual machine takes at least so many steps for a row of a join
_READ = sa.text(
    "SELECT sum(pg_stat_get_xact_tuples_returned(oid) + pg_stat_get_xact_tuples_fetched(oid))"
    " FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i')"
)


async def rows_read(db: Database, work: Callable[[Tx], Awaitable[object]]) -> int:
    """Return the number of rows and index entries that the statements of ``work`` read.

    On SQLite the number is an estimate from the steps of the virtual machine. The changes of
    ``work`` are rolled back.
    """
    async with db.begin() as tx:
        counted = _rows_of_sqlite if db.is_sqlite else _rows_of_postgres
        result = await counted(tx, work)
        await tx.rollback()
    return result


async def _rows_of_postgres(tx: Tx, work: Callable[[Tx], Awaitable[object]]) -> int:
    await tx.exec_driver_sql("SET LOCAL max_parallel_workers_per_gather = 0")
    before = int(await tx.scalar(_READ) or 0)
    await work(tx)
    return int(await tx.scalar(_READ) or 0) - before


async def _rows_of_sqlite(tx: Tx, work: Callable[[Tx], Awaitable[object]]) -> int:
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += STEPS_A_ROW
        return 0

    connection: Any = (await tx.get_raw_connection()).driver_connection
    await connection.set_progress_handler(count, STEPS_A_ROW)
    try:
        await work(tx)
    finally:
        await connection.set_progress_handler(None, 0)
    return steps // STEPS_A_ROW
