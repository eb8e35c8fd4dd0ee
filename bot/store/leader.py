"""One of several replicas does what only one may do: Telegram gives updates to one poller."""

import asyncio
import uuid
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.domain.errors import DatabaseUnavailableError
from bot.runtime.workers import Worker
from bot.store import leases
from bot.store.database import Database

log = structlog.get_logger()

LEADER_LEASE = timedelta(seconds=15)
EVERY = timedelta(seconds=5)
PATIENCE_S = 5.0  # with the database: a lead that can't be renewed must end in time


class Leader:
    """Runs ``work`` while this process leads; another takes over within the lease.

    ``work`` ends only when it is cancelled, or by raising, which ends the leader as well.
    """

    def __init__(
        self,
        db: Database,
        key: str,
        work: Callable[[], Coroutine[Any, Any, None]],
        *,
        now: Callable[[], datetime],
        lease: timedelta = LEADER_LEASE,
        every: timedelta = EVERY,
    ) -> None:
        """Be one of those who may lead in ``key``."""
        self._db = db
        self._key = key
        self._work = work
        self._now = now
        self._lease = lease
        self._every = every
        self._owner = uuid.uuid4().hex
        self._leads_until = now()
        self._working: asyncio.Task[None] | None = None
        self._group: asyncio.TaskGroup | None = None
        self.worker = Worker("leader", self._step, now=now, longest=every)

    @property
    def is_leading(self) -> bool:
        """Return whether this process does the work."""
        return self._working is not None

    async def run(self) -> None:
        """Lead, or wait to, until cancelled; then let another lead at once."""
        try:
            async with asyncio.TaskGroup() as self._group:
                await self.worker.run()
        finally:
            self._working = None
            try:
                async with self._db.statements() as tx:
                    await leases.resign(tx, self._key, self._owner)
            except DatabaseUnavailableError as error:  # then the lease ends by itself
                log.warning("the lead is not handed over", what=self._key, why=str(error))

    async def _step(self) -> datetime:
        """Take or renew the lead; without the database it lasts as long as the lease."""
        asked_at = self._now()
        try:
            async with asyncio.timeout(PATIENCE_S):
                async with self._db.statements() as tx:
                    leads = await leases.lead(
                        tx, self._key, self._owner, now=asked_at, lease=self._lease
                    )
        except Exception:
            if self._now() >= self._leads_until:
                self._rest()
            raise
        if not leads:
            self._rest()
            return asked_at + self._every
        self._leads_until = asked_at + self._lease
        if self._working is None and self._group is not None:
            log.info("leading", what=self._key)
            self._working = self._group.create_task(self._work())
        return asked_at + self._every

    def _rest(self) -> None:
        """Do the work no more: another leads, or may."""
        if self._working is not None:
            log.warning("another leads", what=self._key)
            self._working.cancel()
            self._working = None
