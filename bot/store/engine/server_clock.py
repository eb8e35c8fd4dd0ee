"""The time of the database server, which all replicas share."""

from collections.abc import Callable
from datetime import UTC, datetime

import sqlalchemy as sa

from bot.store.engine.database import Database, Tx

_TRIES = 3  # The number of queries for the time. The query with the fastest answer is used.


async def server_now(tx: Tx) -> datetime:
    """Return the time of PostgreSQL's clock."""
    server_time: datetime = (await tx.execute(sa.select(sa.func.clock_timestamp()))).scalar_one()
    return server_time.astimezone(UTC)


async def server_clock_lead_s(db: Database, our_clock: Callable[[], datetime]) -> float:
    """Return the seconds by which PostgreSQL's clock is ahead of ``our_clock``.

    The number is negative if PostgreSQL's clock is behind.

    Raises:
        DatabaseUnavailableError: The database is unavailable.
    """
    measured: list[tuple[float, float]] = []
    async with db.read() as tx:
        for _ in range(_TRIES):
            asked = our_clock()
            server_time = await server_now(tx)
            took = our_clock() - asked
            ahead = server_time - (asked + took / 2)
            measured.append((took.total_seconds(), ahead.total_seconds()))
    return min(measured)[1]
