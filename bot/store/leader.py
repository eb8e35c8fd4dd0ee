"""One of several replicas does what only one may do: Telegram gives updates to one poller."""

import asyncio
import uuid
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.store import leases
from bot.store.database import Database

log = structlog.get_logger()

LEASE = timedelta(seconds=15)
EVERY_S = 5.0


class Leader:
    """Runs ``work`` while this process leads; another takes over within the lease."""

    def __init__(
        self,
        db: Database,
        key: str,
        work: Callable[[], Coroutine[Any, Any, None]],
        *,
        now: Callable[[], datetime],
        lease: timedelta = LEASE,
        every_s: float = EVERY_S,
    ) -> None:
        """Be one of those who may lead in ``key``."""
        self._db = db
        self._key = key
        self._work = work
        self._now = now
        self._lease = lease
        self._every_s = every_s
        self._owner = uuid.uuid4().hex
        self.is_leading = False

    async def run(self) -> None:
        """Lead, or wait to, until cancelled; then let another lead at once."""
        try:
            while True:
                self.is_leading = await self._lead()
                if self.is_leading:
                    log.info("leading", what=self._key)
                    await self._serve()
                await asyncio.sleep(self._every_s)
        finally:
            self.is_leading = False
            async with self._db.begin() as tx:
                await leases.resign(tx, self._key, self._owner)

    async def _serve(self) -> None:
        """Work until another leads: we could not renew our lease in time."""
        async with asyncio.TaskGroup() as group:
            working = group.create_task(self._work())
            while self.is_leading:
                await asyncio.sleep(self._every_s)
                self.is_leading = await self._lead()
            log.warning("another leads", what=self._key)
            working.cancel()

    async def _lead(self) -> bool:
        async with self._db.begin() as tx:
            return await leases.lead(
                tx, self._key, self._owner, now=self._now(), lease=self._lease
            )
