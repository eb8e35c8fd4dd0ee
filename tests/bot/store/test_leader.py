"""One at a time leads; when it ends or dies, another does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot.domain.errors import DatabaseUnavailableError
from bot.runtime.transaction_guard import refusing_slow_operations_while
from bot.store import leases
from bot.store.engine.database import Database
from bot.store.key_values import key_values
from bot.store.leases import Leader
from tests.support.control import wait_for

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


class Work:
    """Counts who is at it."""

    def __init__(self) -> None:
        self.at_it = 0
        self.most = 0
        self.begun = asyncio.Event()

    async def __call__(self) -> None:
        self.at_it += 1
        self.most = max(self.most, self.at_it)
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.at_it -= 1


def leader(
    db: Database,
    work: Work,
    *,
    lease_s: float = 15,
    ahead_s: float = 0,
    timeout_s: float = leases.TIMEOUT_S,
) -> Leader:
    def now() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=ahead_s)

    lease = timedelta(seconds=lease_s)
    every = timedelta(seconds=0.01)
    return Leader(db, "polling", work, now=now, lease=lease, every=every, timeout_s=timeout_s)


async def test_of_three_one_leads_and_hands_over_when_it_ends(db: Database) -> None:
    work = Work()
    async with asyncio.TaskGroup() as group:
        leaders = [leader(db, work, lease_s=3600) for _ in range(3)]
        tasks = {one: group.create_task(one.run()) for one in leaders}
        for _ in range(3):  # no lease ends meanwhile: who goes lets another lead
            await asyncio.wait_for(work.begun.wait(), 60)
            (leading,) = [one for one in tasks if one.is_leading]
            work.begun.clear()
            task = tasks.pop(leading)
            task.cancel()
            await asyncio.wait([task])
    assert work.most == 1
    assert work.at_it == 0


async def test_who_lets_the_lease_run_out_is_replaced_and_stops(db: Database) -> None:
    slow, quick = Work(), Work()
    async with asyncio.TaskGroup() as group:
        first = group.create_task(leader(db, slow, lease_s=0).run())
        await asyncio.wait_for(slow.begun.wait(), 60)
        second = group.create_task(leader(db, quick, ahead_s=60).run())
        await asyncio.wait_for(quick.begun.wait(), 60)
        await wait_for(lambda: not slow.at_it)
        first.cancel()
        second.cancel()


@asynccontextmanager
async def silence(db: Database) -> AsyncIterator[None]:
    """Keep all others from the lease, as a database does that does not answer."""
    async with db.begin() as tx:
        await tx.execute(sa.select(key_values).with_for_update())
        with refusing_slow_operations_while(None):  # another process holds it
            yield


async def test_a_database_that_is_silent_is_an_outage(db: Database) -> None:
    async with db.begin() as tx:
        await leases.acquire_or_renew(tx, "polling", "b", now=NOON, lease=timedelta())
    async with silence(db):
        with pytest.raises(DatabaseUnavailableError, match="not answered in time"):
            await leader(db, Work(), timeout_s=0.05).worker.step()


async def test_the_lead_ends_while_the_database_is_silent(db: Database) -> None:
    """Another may lead before it can be renewed."""
    work = Work()
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        leading = group.create_task(leader(db, work, timeout_s=0.5).run())
        await work.begun.wait()
        async with silence(db):
            await wait_for(lambda: not work.at_it, 30)
        leading.cancel()


async def test_the_lead_ends_with_the_lease_although_a_request_still_waits(db: Database) -> None:
    work = Work()
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        leading = group.create_task(leader(db, work, lease_s=1, timeout_s=20).run())
        await work.begun.wait()
        async with silence(db):
            await wait_for(lambda: not work.at_it, 10)
        leading.cancel()


async def test_who_is_stopped_while_the_database_is_silent_ends_all_the_same(db: Database) -> None:
    work = Work()
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        leading = group.create_task(leader(db, work, timeout_s=0.5).run())
        await work.begun.wait()
        async with silence(db):
            leading.cancel()
            await asyncio.wait([leading], timeout=30)
            assert leading.done()
