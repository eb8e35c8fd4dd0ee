"""What time it is by the database server, which all replicas have in common."""

from collections.abc import Callable
from datetime import UTC, datetime

import sqlalchemy as sa

from bot.store.database import Database

_TRIES = 3  # of which the quickest counts: its answer is the least old


async def ahead_of(db: Database, now: Callable[[], datetime]) -> float:
    """Return by how many seconds PostgreSQL's clock is ahead of ``now``."""
    measured: list[tuple[float, float]] = []
    async with db.statements() as tx:
        for _ in range(_TRIES):
            asked = now()
            there: datetime = (await tx.execute(sa.select(sa.func.clock_timestamp()))).scalar_one()
            took = now() - asked
            ahead = there.astimezone(UTC) - (asked + took / 2)
            measured.append((took.total_seconds(), ahead.total_seconds()))
    return min(measured)[1]
