"""The leases of the processes that work on a shared PostgreSQL database.

After the end of a lease, a different process releases the claims of the dead process. Before an
upgrade of the tables, a stamp in the database makes the processes of other versions end.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog

from bot.domain.errors import DatabaseUnavailableError
from bot.domain.model import Unknown
from bot.runtime.background import running_beside
from bot.runtime.claims import PROCESS, Owner
from bot.runtime.clock import event_loop_time_s
from bot.runtime.workers import NextStepAt, Worker
from bot.store import claimed_tables, key_values, leases
from bot.store.engine import server_clock
from bot.store.engine.database import NOT_DIRECT, Database, Tx
from bot.store.engine.revisions import is_known_revision, newest_revision, revision_of

log = structlog.get_logger()

_STAMP = "upgrade"
# A process may stall for 8 seconds without losing its claims. The claims of a killed process are
# released within 10 seconds.
LEASE = timedelta(seconds=9)
EVERY = timedelta(seconds=0.5)  # the time between two renewals
# The duration of the stamp before an upgrade. The duration is short, because the old version can't
# start until the stamp of a failed upgrade expires.
_STAMPED_FOR = timedelta(seconds=10)
# The duration of the stamp at the end of an upgrade. The duration is long, because a process of
# the old version may reconnect to the database only after the upgrade, and must find the stamp.
_STAMPED_AFTER = timedelta(days=1)
_ASK_EVERY_S = 0.5
_COUNTED_FOR_S = 5.0
# The maximum wait for other processes in seconds. A shutdown takes 8 seconds, and the lease of a
# killed process ends within 10 seconds.
TIMEOUT_S = 30.0
_STAY = (
    "processes of the version before are still at work on it: stop them, and start this one again"
)
ENDS = "another version of the bot upgrades the database"
# A process whose lease has ended may still run, for example after an outage of the database. If
# the lease was not released, a process of another bot does not start for this time.
_MAY_RUN_FOR = timedelta(minutes=10)
_OTHER_BOT = (
    "processes of another bot (another TELEGRAM_TOKEN) are at work on the database, or were "
    "killed less than 10 minutes ago: give this bot a database of its own, or stop them"
)


async def end_other_versions_and_migrate(
    db: Database, *, bot_id: int | Unknown = None, timeout_s: float = TIMEOUT_S
) -> None:
    """Migrate a PostgreSQL database. Wait for the other processes before old tables are changed.

    The wait takes at most ``timeout_s`` seconds. The processes of other versions end during the
    wait.

    Raises:
        DatabaseUnavailableError: ``Database.migrate`` failed, the database is unavailable, other
            processes did not end in time, or processes of another bot than ``bot_id`` run or were
            killed in the last 10 minutes.
    """
    if not await _has_old_tables(db):
        await db.migrate(first=_raise_if_old)
        return
    await _raise_if_other_bot_runs(db, bot_id)
    until = event_loop_time_s() + timeout_s
    while await _has_old_tables(db) and await _stamp_and_detect_others(db):
        if event_loop_time_s() >= until:
            raise DatabaseUnavailableError(_STAY)
        await asyncio.sleep(_ASK_EVERY_S)
    # The stamp is renewed in the transaction of the migration, because this process may be killed
    # right after the migration. The renewal is last, because other starting processes wait for the
    # row of the stamp.
    await db.migrate(first=_raise_if_not_stamped, last=_stamp_for_late_processes)


async def count_running_processes(db: Database) -> int:
    """Return the number of processes that use a PostgreSQL database.

    A killed process is counted until the lease of the process ends.

    Raises:
        DatabaseUnavailableError: The database is unavailable.
    """
    async with db.read() as tx:
        return len(await leases.active_values(tx, PROCESS, now=await server_clock.server_now(tx)))


class Replicas:
    """The number of processes that share the database and the rate limits of both APIs."""

    def __init__(self, db: Database, *, clock: Callable[[], float] = event_loop_time_s) -> None:
        """Prepare to count the processes. ``clock`` returns a time in seconds.

        The database is queried at most once in 5 seconds.
        """
        self._db = db
        self._clock = clock
        self._count, self._counted_until = 1, 0.0

    async def count(self) -> int:
        """Return the number of processes, at least 1.

        The number was read from the database up to 5 seconds ago. While the database is
        unavailable, the number can be older.
        """
        if self._counted_until <= self._clock():
            self._counted_until = self._clock() + _COUNTED_FOR_S
            try:
                self._count = max(1, await count_running_processes(self._db))
            except DatabaseUnavailableError as error:
                log.warning("replicas can't be counted", why=str(error))
        return self._count


async def _has_old_tables(db: Database) -> bool:
    return await db.fetch(_are_tables_old)


async def _are_tables_old(tx: Tx) -> bool:
    revision = await tx.run_sync(revision_of)
    # If this code does not know the revision, a newer version has changed the tables. The result
    # is then False, because a stamp by this process would end the processes of the newer version.
    is_known = revision is not None and is_known_revision(revision)
    return is_known and revision != newest_revision()


async def _stamp_and_detect_others(db: Database) -> bool:
    """Stamp the database. Return whether other processes still use the database."""
    async with db.begin() as tx:
        await _stamp_version(tx, for_=_STAMPED_FOR)
    return await count_running_processes(db) > 0


async def _raise_if_other_bot_runs(db: Database, bot_id: int | Unknown) -> None:
    """Raise an error if a process of a different Telegram bot uses the database.

    Telegram refuses the messages of a bot to the chats of another bot. After such a refusal, the
    bot would close the chat in the database.

    Raises:
        DatabaseUnavailableError: A process of another bot runs, or has ended in the last 10
            minutes without a release of its lease, or the database is unavailable.
    """
    async with db.read() as tx:
        since = await server_clock.server_now(tx) - _MAY_RUN_FOR
        bot_ids = await leases.active_values(tx, PROCESS, now=since)
    if any(other not in {None, bot_id} for other in bot_ids):
        raise DatabaseUnavailableError(_OTHER_BOT)


async def _raise_if_old(tx: Tx) -> None:
    """Check that the database of the migration has no old tables.

    Raises:
        DatabaseUnavailableError: The tables are old, so the database of the migration is not the
            database at ``DATABASE_URL``.
    """
    if await _are_tables_old(tx):
        raise DatabaseUnavailableError(NOT_DIRECT)


async def _raise_if_not_stamped(tx: Tx) -> None:
    """Check that the database has the stamp of this version.

    Raises:
        DatabaseUnavailableError: The database is not the database that this process has stamped.
    """
    has_values = await tx.run_sync(lambda it: sa.inspect(it).has_table("key_values"))
    if not has_values or await key_values.get(tx, _STAMP) != newest_revision():
        raise DatabaseUnavailableError(NOT_DIRECT)


async def _stamp_for_late_processes(tx: Tx) -> None:
    """Renew the stamp of this version for a day.

    A process of the old version that reconnects on this day finds the stamp, and ends.
    """
    await _stamp_version(tx, for_=_STAMPED_AFTER)


async def _stamp_version(tx: Tx, *, for_: timedelta) -> None:
    until = await server_clock.server_now(tx) + for_
    await key_values.put(tx, _STAMP, newest_revision(), until=until)


class ProcessLease:
    """Renews the lease of this process, and releases the claims of processes that have died."""

    def __init__(
        self,
        db: Database,
        owner: Owner,
        *,
        bot_id: int | Unknown = None,
        now: Callable[[], datetime],
    ) -> None:
        """Prepare to acquire the lease of ``owner``. The lease contains ``bot_id``."""
        self._db = db
        self._owner = owner
        self._bot_id = bot_id
        self._now = now
        self._ends: dict[str, datetime] = {}  # the ends of the leases of all processes
        self.on_upgrade: Callable[[], None] = lambda: None
        """Called when another version upgrades the database. This process must then end."""
        self.on_release: Callable[[], None] = lambda: None
        """Called when claims of another process were released. The rows are then free to claim."""
        self.worker = Worker(
            "at work",
            self._renew_lease_and_release_claims_of_dead,
            now=now,
            longest=EVERY,
            last_pause_s=EVERY.total_seconds(),
        )

    async def _renew_lease_and_release_claims_of_dead(self) -> NextStepAt:
        """Renew the lease, and release the claims of dead processes.

        If another version upgrades the database, call ``on_upgrade``. Return the time of the next
        renewal.

        Raises:
            DatabaseUnavailableError: The database is unavailable or has not answered in time.
        """
        if await self.renew_and_detect_upgrade():
            log.warning("this process ends", reason=ENDS)
            self.on_upgrade()
        now = self._now()
        ended = [key for key, end in self._ends.items() if end <= now]
        # After an outage of the database, claims are not released at once, so that each running
        # process has time to renew its lease.
        if ended and self._owner.uninterrupted_for(now) >= LEASE:
            await self._release_claims(ended, now)
        return min([now + EVERY, *(end for end in self._ends.values() if end > now)])

    async def renew_and_detect_upgrade(self) -> bool:
        """Renew the lease. Return whether another version has stamped the database.

        The stamp of a finished upgrade lasts for a day.

        Raises:
            DatabaseUnavailableError: The database is unavailable or has not answered in time.
        """
        now, key = self._now(), self._owner.key
        async with leases.begin_with_timeout(self._db) as tx:
            await leases.acquire_or_renew(tx, key, key, now=now, lease=LEASE, value=self._bot_id)
        self._owner.record_renewal(now + LEASE, done_at=self._now())
        # The stamp is read in a second transaction. If a process starts while another process
        # stamps the database, at least one process therefore finds the row of the other process.
        async with leases.begin_with_timeout(self._db) as tx:
            stamps = await leases.active_values(tx, _STAMP, now=now)
            self._ends = await leases.ends_by_key(tx, PROCESS)
        return any(stamp != newest_revision() for stamp in stamps)

    async def _release_claims(self, ended: Iterable[str], now: datetime) -> None:
        """Release the claims of the processes whose leases have ended, and delete the leases.

        The lease of a process with remaining claims stays.

        Raises:
            DatabaseUnavailableError: The database is unavailable or has not answered in time.
        """
        released = 0
        async with leases.begin_with_timeout(self._db) as tx:
            for key in ended:
                if await leases.lock_if_ended(tx, key, now=now):
                    released += await claimed_tables.release_claims_of_owner(tx, key)
                    if not await claimed_tables.has_claim_of_owner(tx, key):
                        await leases.release(tx, key, key)
        if released:
            log.warning("the claims of a dead process are released", count=released)
            self.on_release()

    async def release_claims_and_lease(self) -> None:
        """Release the claims and the lease of this process.

        If the database is unavailable, log a warning. The lease then expires by itself.
        """
        try:
            async with leases.begin_with_timeout(self._db) as tx:
                await claimed_tables.release_claims_of_owner(tx, self._owner.key)
                await leases.release(tx, self._owner.key, self._owner.key)
        except DatabaseUnavailableError as error:
            log.warning("the lease of this process is not released", why=str(error))


@asynccontextmanager
async def process_lease(
    db: Database,
    owner: Owner,
    *,
    bot_id: int | Unknown = None,
    now: Callable[[], datetime],
) -> AsyncIterator[ProcessLease]:
    """Acquire the lease of this process, and renew the lease while the block runs.

    The end of the block releases the claims and the lease. No work on claimed rows may continue
    after the block.

    Raises:
        DatabaseUnavailableError: A process of a different version has stamped the database, a
            process of another bot runs or was killed in the last 10 minutes, or the database is
            unavailable or has not answered in time.
    """
    ours = ProcessLease(db, owner, bot_id=bot_id, now=now)
    # If another bot runs, the first check ends this process before its lease is stored. A process
    # that is killed between the renewal and the second check would leave its lease in the
    # database, and the lease would prevent the next start of the other bot.
    await _raise_if_other_bot_runs(db, bot_id)
    try:
        if await ours.renew_and_detect_upgrade():
            raise DatabaseUnavailableError(ENDS)
        # If two processes start at once, at least one process finds the lease of the other
        # process.
        await _raise_if_other_bot_runs(db, bot_id)
        async with running_beside(ours.worker.run(), end=ours.worker.stop):
            yield ours
    finally:
        await ours.release_claims_and_lease()
