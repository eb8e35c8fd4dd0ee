"""One at a time leads; when it ends or dies, another does."""

import asyncio
from datetime import UTC, datetime, timedelta

from bot.store.database import Database
from bot.store.leases import Leader


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


def leader(db: Database, work: Work, *, lease_s: float = 15, ahead_s: float = 0) -> Leader:
    def now() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=ahead_s)

    lease = timedelta(seconds=lease_s)
    return Leader(db, "polling", work, now=now, lease=lease, every=timedelta(seconds=0.01))


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
        for _ in range(500):
            if not slow.at_it:
                break
            await asyncio.sleep(0.01)
        assert slow.at_it == 0
        first.cancel()
        second.cancel()
