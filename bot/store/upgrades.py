"""Upgrade of PostgreSQL's tables: no process uses tables of another version.

Each process holds a lease while it works. An upgrade stamps the database. Processes of another
version read the stamp, drain and end; new processes of that version do not start. The tables are
migrated when no lease is left. An SQLite file has a single process (``engine.lock``).

Code of any version reads the leases before an upgrade, so no migration may rename a column of
``key_values``.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import structlog

from bot.domain.errors import DatabaseUnavailableError
from bot.runtime.background import running_beside
from bot.runtime.clock import steady
from bot.runtime.workers import Worker
from bot.store import key_values, leases
from bot.store.engine import server_clock
from bot.store.engine.database import Database, newest_revision, revision_of

log = structlog.get_logger()

_STAMP = "upgrade"
_AT_WORK = "process:"  # followed by a random number of the process
_STAMPED_FOR = timedelta(seconds=10)  # a failed upgrade does not prevent restarts for longer
# for a process that was cut off from the database during the upgrade
_STAMPED_AFTER = timedelta(days=1)
_ASK_EVERY_S = 0.5
_COUNTED_FOR_S = 5.0
PATIENCE_S = 30.0  # a drain takes 8 seconds, and the lease of a killed process ends in 5
_STAY = (
    "processes of the version before are still at work on it: stop them, and start this one again"
)
ENDS = "another version of the bot upgrades the database"


async def upgrade(db: Database, *, patience_s: float = PATIENCE_S) -> None:
    """Migrate a PostgreSQL database, once no process of another version uses the database.

    Raises:
        DatabaseUnavailableError: The database is unavailable, a newer version has changed it, or
        other processes did not end in time.
    """
    if not await _has_old_tables(db):
        await db.migrate()
        return
    until = steady() + patience_s
    while await _has_old_tables(db) and await _stamp_and_see_others(db):
        if steady() >= until:
            raise DatabaseUnavailableError(_STAY)
        await asyncio.sleep(_ASK_EVERY_S)
    await db.migrate()
    await _stamp_version(db, _STAMPED_AFTER)


async def count_at_work(db: Database) -> int:
    """Return the number of processes that use a PostgreSQL database, or were just killed."""
    async with db.read() as tx:
        return len(await leases.held_values(tx, _AT_WORK, now=await server_clock.now(tx)))


class Replicas:
    """Counter of the processes that share a PostgreSQL database and both APIs' rate limits."""

    def __init__(self, db: Database, *, clock: Callable[[], float] = steady) -> None:
        """Count at most once in 5 seconds of ``clock``."""
        self._db = db
        self._clock = clock
        self._count, self._counted_until = 1, 0.0

    async def count(self) -> int:
        """Return the number of processes; the last known number if the database is unavailable."""
        if self._counted_until <= self._clock():
            self._counted_until = self._clock() + _COUNTED_FOR_S
            try:
                self._count = max(1, await count_at_work(self._db))
            except DatabaseUnavailableError as error:
                log.warning("replicas can't be counted", why=str(error))
        return self._count


async def _has_old_tables(db: Database) -> bool:
    async with db.read() as tx:
        revision = await tx.run_sync(revision_of)
    return revision is not None and revision != newest_revision()


async def _stamp_and_see_others(db: Database) -> bool:
    """Stamp the database; return whether other processes still use the database."""
    await _stamp_version(db, _STAMPED_FOR)
    return await count_at_work(db) > 0


async def _stamp_version(db: Database, for_: timedelta) -> None:
    async with db.begin() as tx:
        until = await server_clock.now(tx) + for_
        await key_values.put(tx, _STAMP, newest_revision(), until=until)


class AtWork:
    """The lease of this process, with a check for upgrades by other versions."""

    def __init__(self, db: Database, *, now: Callable[[], datetime]) -> None:
        """Prepare the lease, unclaimed."""
        self._db = db
        self.key = _AT_WORK + uuid.uuid4().hex
        self._now = now
        self.on_upgrade: Callable[[], None] = lambda: None
        """Called when another version upgrades the database: this process must end."""
        self.worker = Worker("at work", self._step, now=now, longest=leases.EVERY)

    async def _step(self) -> datetime:
        if await self.renew_and_see_upgrade():
            log.warning("this process ends", reason=ENDS)
            self.on_upgrade()
        return self._now() + leases.EVERY

    async def renew_and_see_upgrade(self) -> bool:
        """Renew the lease; return whether another version upgrades the database.

        The lease is committed before the stamp is read, in separate transactions. If two processes
        meet, at least one process sees the other.
        """
        now = self._now()
        async with leases.begin_with_timeout(self._db) as tx:
            await leases.claim(tx, self.key, self.key, now=now)
        async with leases.begin_with_timeout(self._db) as tx:
            stamps = await leases.held_values(tx, _STAMP, now=now)
        return any(stamp != newest_revision() for stamp in stamps)


@asynccontextmanager
async def shown_at_work(db: Database, *, now: Callable[[], datetime]) -> AsyncIterator[AtWork]:
    """Hold the lease for the block; all work must have ended at the end of the block.

    Raises:
        DatabaseUnavailableError: Another version upgrades the database.
    """
    ours = AtWork(db, now=now)
    try:
        if await ours.renew_and_see_upgrade():
            raise DatabaseUnavailableError(ENDS)
        async with running_beside(ours.worker.run(), end=ours.worker.stop):
            yield ours
    finally:
        await leases.let_go(db, ours.key, ours.key)
