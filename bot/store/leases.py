"""Leases: what one process has alone for a time, which it renews.

What a process that was killed held is free when the time is over. A process shows by a lease that
it is at work (``bot.store.upgrades``); one is the lead: Telegram gives updates to one poller only,
so one of several replicas polls.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog

from bot.domain.errors import DatabaseUnavailableError
from bot.runtime.workers import Worker
from bot.store.engine.database import Database, Tx, put
from bot.store.key_values import key_values

log = structlog.get_logger()

LEASE = timedelta(seconds=5)
EVERY = timedelta(seconds=1.5)  # it is renewed, or asked for: after a kill another has it in 6.5 s
PATIENCE_S = 3.0  # with the database: a lead that can't be renewed ends before its lease
REST = timedelta(seconds=5)  # before a bid of whoever led and could not do the work
_SILENT = "it has not answered in time"


async def claim(tx: Tx, key: str, owner: str, *, now: datetime, lease: timedelta = LEASE) -> bool:
    """Take a lease that is free, or renew one's own; false while another holds it."""
    values = {"owner": owner, "until": now + lease}
    is_ours = sa.or_(key_values.c.until <= now, key_values.c.owner == owner)
    return await put(tx, key_values, {"key": key}, values, where=is_ours)


async def release(tx: Tx, key: str, owner: str) -> None:
    """Let a lease go, if it is the owner's still."""
    await tx.execute(
        sa.delete(key_values).where(key_values.c.key == key, key_values.c.owner == owner)
    )


async def held_values(tx: Tx, prefix: str, *, now: datetime) -> list[Any | None]:
    """Return the values of the leases whose keys begin so and that have not ended."""
    ours = sa.and_(key_values.c.key.startswith(prefix), key_values.c.until > now)
    return list((await tx.execute(sa.select(key_values.c.value).where(ours))).scalars())


async def ends(tx: Tx, prefix: str) -> dict[str, datetime]:
    """Return when each lease ends, or has ended, whose key begins with ``prefix``."""
    columns = key_values.c.key, key_values.c.until
    rows = await tx.execute(sa.select(*columns).where(key_values.c.key.startswith(prefix)))
    return {row.key: row.until for row in rows}


async def lock_ended(tx: Tx, key: str, *, now: datetime) -> bool:
    """Lock a lease that has ended; return False if it was renewed or is locked already."""
    ended = sa.select(key_values.c.key).where(key_values.c.key == key, key_values.c.until <= now)
    locked = await tx.execute(ended.with_for_update(skip_locked=True))
    return locked.one_or_none() is not None


@asynccontextmanager
async def begin_with_timeout(db: Database, patience_s: float = PATIENCE_S) -> AsyncIterator[Tx]:
    """Yield a transaction that fails in time where the database is silent."""
    try:
        async with asyncio.timeout(patience_s), db.begin(durable=False) as tx:
            yield tx
    except TimeoutError as error:
        raise DatabaseUnavailableError(_SILENT) from error


async def let_go(db: Database, key: str, owner: str, *, patience_s: float = PATIENCE_S) -> None:
    """Release a lease; where the database is silent, let it end by itself."""
    try:
        async with begin_with_timeout(db, patience_s) as tx:
            await release(tx, key, owner)
    except DatabaseUnavailableError as error:
        log.warning("a lease is not released", key=key, why=str(error))


class Leader:
    """Runs ``work`` while this process leads; another takes over within the lease.

    ``work`` returns where this process can't do it: then the lease is released, so that another
    leads, and this process bids again after ``rest``. What it raises ends the leader as well.
    """

    def __init__(
        self,
        db: Database,
        key: str,
        work: Callable[[], Coroutine[Any, Any, None]],
        *,
        now: Callable[[], datetime],
        lease: timedelta = LEASE,
        every: timedelta = EVERY,
        patience_s: float = PATIENCE_S,
        rest: timedelta = REST,
    ) -> None:
        """Be one of those who may lead in ``key``."""
        self._db = db
        self._key = key
        self._work = work
        self._now = now
        self._lease = lease
        self._every = every
        self._patience_s = patience_s
        self._rest = rest
        self._rests_until: datetime | None = None
        self._owner = uuid.uuid4().hex
        self._working: asyncio.Task[None] | None = None
        self._group: asyncio.TaskGroup | None = None
        self.worker = Worker("leader", self._step, now=now, longest=every)

    @property
    def is_leading(self) -> bool:
        """Return whether this process does the work."""
        return self._working is not None

    @property
    def is_resting(self) -> bool:
        """Return whether this process led last, could not do the work, and does not bid yet."""
        return self._rests_until is not None

    async def run(self) -> None:
        """Lead, or wait to, until cancelled; then let another lead at once."""
        try:
            async with asyncio.TaskGroup() as self._group:
                await self.worker.run()
        finally:
            self._working = None
            await let_go(self._db, self._key, self._owner, patience_s=self._patience_s)

    async def _step(self) -> datetime:
        """Take or renew the lead, which ends where that fails: another may have it by then."""
        asked_at, leads = self._now(), False
        if self._working is not None and self._working.done():
            return await self._stand_down(asked_at)
        if self._rests_until is not None and asked_at < self._rests_until <= asked_at + self._rest:
            return self._rests_until
        self._rests_until = None
        try:
            async with begin_with_timeout(self._db, self._patience_s) as tx:
                taken = await claim(tx, self._key, self._owner, now=asked_at, lease=self._lease)
            leads = taken
        finally:
            if not leads:
                self._stop_work()
        if leads and self._working is None and self._group is not None:
            log.info("leading", what=self._key)
            self._working = self._group.create_task(self._work())
            self._working.add_done_callback(lambda _: self.worker.wake())
        return asked_at + self._every

    async def _stand_down(self, now: datetime) -> datetime:
        """Let another lead: the work can't be done here; return when to bid again."""
        log.warning("another may lead", what=self._key, bids_again_s=self._rest.total_seconds())
        self._working = None
        self._rests_until = now + self._rest
        await let_go(self._db, self._key, self._owner, patience_s=self._patience_s)
        return self._rests_until

    def _stop_work(self) -> None:
        """Do the work no more: another leads, or may."""
        if self._working is not None:
            log.warning("no longer leading", what=self._key)
            self._working.cancel()
            self._working = None
