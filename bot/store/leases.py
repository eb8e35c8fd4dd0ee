"""Leases: named exclusive rights of a process for a limited time, which the process renews.

The lease of a killed process expires soon. The leader is the process that polls Telegram, because
Telegram allows a single poller only.
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
from bot.runtime.workers import NextStepAt, Worker
from bot.store.engine.database import Database, Tx, column_values, delete_rows, put
from bot.store.key_values import key_values

log = structlog.get_logger()

LEASE = timedelta(seconds=5)
# The interval of renewals and of bids. If the leader is killed, another process leads within 6.5
# seconds.
EVERY = timedelta(seconds=1.5)
# The timeout of a database request in seconds. After the timeout, the connection is closed, which
# takes up to 2 seconds more if the server does not answer.
TIMEOUT_S = 3.0
# If a leader could not do the work, the process waits for this time before the next bid.
_REST = timedelta(seconds=5)
_SILENT = "it has not answered in time"


async def acquire_or_renew(
    tx: Tx,
    key: str,
    owner: str,
    *,
    now: datetime,
    lease: timedelta = LEASE,
    value: int | None = None,
) -> bool:
    """Acquire a lease for ``owner``, or renew the lease that ``owner`` already has.

    ``value`` is stored with the lease. Return False, and change nothing, if a different owner has
    the lease and the lease has not ended.
    """
    values = {"owner": owner, "until": now + lease, "value": value}
    is_ours = sa.or_(key_values.c.until <= now, key_values.c.owner == owner)
    return await put(tx, key_values, {"key": key}, values, where=is_ours)


async def release(tx: Tx, key: str, owner: str) -> None:
    """Delete a lease if the lease still belongs to ``owner``."""
    await delete_rows(tx, key_values, key_values.c.key == key, key_values.c.owner == owner)


async def active_values(tx: Tx, prefix: str, *, now: datetime) -> list[Any | None]:
    """Return the unexpired values in ``key_values`` whose keys begin with ``prefix``.

    Values without an expiry are left out. The value of a lease without a value is None.
    """
    begins = key_values.c.key.startswith(prefix)
    return await column_values(tx, key_values.c.value, begins, key_values.c.until > now)


async def ends_by_key(tx: Tx, prefix: str) -> dict[str, datetime]:
    """Return the end times of the leases whose keys begin with ``prefix``, by key.

    Leases that have already ended are included.
    """
    columns = key_values.c.key, key_values.c.until
    rows = await tx.execute(sa.select(*columns).where(key_values.c.key.startswith(prefix)))
    return {row.key: row.until for row in rows}


async def lock_if_ended(tx: Tx, key: str, *, now: datetime) -> bool:
    """Lock a lease if the lease has ended, so that no process can renew the lease.

    Return False if the lease has not ended, was deleted, or is locked by another transaction.
    """
    ended = sa.select(key_values.c.key).where(key_values.c.key == key, key_values.c.until <= now)
    locked = await tx.execute(ended.with_for_update(skip_locked=True))
    return locked.one_or_none() is not None


@asynccontextmanager
async def begin_with_timeout(db: Database, timeout_s: float = TIMEOUT_S) -> AsyncIterator[Tx]:
    """Yield a transaction that fails after a timeout of ``timeout_s`` seconds.

    A power failure may undo the committed transaction.

    Raises:
        DatabaseUnavailableError: The database is unavailable or has not answered in time.
    """
    try:
        async with asyncio.timeout(timeout_s), db.begin_for_lease() as tx:
            yield tx
    except TimeoutError as error:
        raise DatabaseUnavailableError(_SILENT) from error


async def release_lease(db: Database, key: str, owner: str, *, timeout_s: float) -> None:
    """Release a lease.

    If the database is unavailable or does not answer in time, log a warning. The lease then
    expires by itself.
    """
    try:
        async with begin_with_timeout(db, timeout_s) as tx:
            await release(tx, key, owner)
    except DatabaseUnavailableError as error:
        log.warning("a lease is not released", key=key, why=str(error))


class Leader:
    """Runs ``work`` while this process has the lease, which makes this process the leader.

    The work stops at the latest when the lease expires. After ``work`` has returned, this process
    bids again only after 5 seconds.
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
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """Create a candidate for the lease ``key``.

        The argument ``every`` is the time between two bids or renewals. Each bid or renewal has a
        timeout of ``timeout_s`` seconds.
        """
        self._db = db
        self._key = key
        self._work = work
        self._now = now
        self._lease = lease
        self._every = every
        self._timeout_s = timeout_s
        self._rests_until: datetime | None = None
        self._owner = uuid.uuid4().hex
        self._working: asyncio.Task[None] | None = None
        # The timer that stops the work at the end of the lease.
        self._end: asyncio.TimerHandle | None = None
        self._group: asyncio.TaskGroup | None = None
        self.worker = Worker("leader", self._bid_for_lease, now=now, longest=every)

    @property
    def is_leading(self) -> bool:
        """Return whether this process does the work of the leader."""
        return self._working is not None

    @property
    def is_resting(self) -> bool:
        """Return whether this process waits for 5 seconds before its next bid for the lease.

        A process waits if the process had the lease, but could not do the work of the leader.
        """
        return self._rests_until is not None

    async def run(self) -> None:
        """Bid for the lease, and do the work while this process has the lease.

        The method runs until a cancellation or an exception of ``work``. At the end, the lease is
        released.

        Raises:
            ExceptionGroup: ``work`` raised an exception.
        """
        try:
            async with asyncio.TaskGroup() as self._group:
                await self.worker.run()
        finally:
            self._cancel_timer()
            self._working = None
            await release_lease(self._db, self._key, self._owner, timeout_s=self._timeout_s)

    async def _bid_for_lease(self) -> NextStepAt:
        """Acquire or renew the lease, and start the work. Return the time of the next step.

        The work stops if the lease is not acquired.

        Raises:
            DatabaseUnavailableError: The database is unavailable or has not answered in time.
        """
        asked_at, leads = self._now(), False
        if self._working is not None and self._working.done():
            return await self._release_and_rest(asked_at)
        if self._rests_until is not None and asked_at < self._rests_until <= asked_at + _REST:
            return self._rests_until
        self._rests_until = None
        try:
            async with begin_with_timeout(self._db, self._timeout_s) as tx:
                taken = await acquire_or_renew(
                    tx, self._key, self._owner, now=asked_at, lease=self._lease
                )
            leads = taken
        finally:
            if not leads:
                self._stop_work()
        if leads:
            self._set_timer_to_stop_work(asked_at + self._lease)
        if leads and self._working is None and self._group is not None:
            log.info("leading", what=self._key)
            self._working = self._group.create_task(self._work())
            self._working.add_done_callback(lambda _: self.worker.wake())
        return asked_at + self._every

    async def _release_and_rest(self, now: datetime) -> NextStepAt:
        """Release the lease, because this process can't do the work.

        Return the time of the next bid.
        """
        log.warning("another may lead", what=self._key, bids_again_s=_REST.total_seconds())
        self._cancel_timer()
        self._working = None
        self._rests_until = now + _REST
        await release_lease(self._db, self._key, self._owner, timeout_s=self._timeout_s)
        return self._rests_until

    def _set_timer_to_stop_work(self, end: datetime) -> None:
        """Start the timer that stops the work at ``end``. A running timer is replaced."""
        self._cancel_timer()
        left_s = max((end - self._now()).total_seconds(), 0.0)
        self._end = asyncio.get_running_loop().call_later(left_s, self._stop_work)

    def _cancel_timer(self) -> None:
        if self._end is not None:
            self._end.cancel()
            self._end = None

    def _stop_work(self) -> None:
        """Cancel the work, because a different process leads or may lead."""
        if self._working is not None:
            log.warning("no longer leading", what=self._key)
            self._working.cancel()
            self._working = None
