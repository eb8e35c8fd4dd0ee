"""The database of the benchmark is one that the tables of today take."""

from datetime import UTC, datetime

import sqlalchemy as sa

from benchmarks.scale_world import Size, fill
from bot.store.engine.database import Database
from bot.store.ledger import ledger_entries


async def test_a_database_of_years_can_be_made(db: Database) -> None:
    await fill(db, Size.of(100), now=datetime(2026, 5, 1, tzinfo=UTC))
    async with db.read() as tx:
        counted = sa.select(sa.func.count()).select_from(ledger_entries)
        assert (await tx.execute(counted)).scalar() == 100
