"""Reports of new people by several processes at the same moment."""

import asyncio
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from telegram.ext import ExtBot

from bot.domain.access import Subject
from bot.operations.owners import Owners
from bot.operations.visitors import Visitors
from bot.store import access
from bot.store.deliveries import deliveries
from bot.store.engine.database import Database
from tests.support.database import on_postgresql
from tests.support.followed import Clock

BOSS = 7


@on_postgresql
async def test_a_new_person_is_reported_by_one_process_only(db: Database) -> None:
    clock = Clock()
    bot: Any = ExtBot("1:a-token-that-is-never-used-0123456789")
    owners = Owners(db, bot, lambda: [BOSS], wake=lambda: None, now=clock)
    processes = [Visitors(db, owners, every=timedelta(seconds=5), now=clock) for _ in range(4)]
    # The first call of each process opens its connection, so that the later calls are concurrent.
    await asyncio.gather(*(process.report_new_visitors() for process in processes))
    clock.on(timedelta(hours=1))
    async with db.begin() as tx:
        await access.record_first_refusal(tx, Subject("person", "5"), name="Eve", now=clock())
    clock.on(timedelta(seconds=5))
    await asyncio.gather(*(process.report_new_visitors() for process in processes))
    async with db.read() as tx:
        reports = await tx.scalar(sa.select(sa.func.count()).select_from(deliveries))
    assert reports == 1
