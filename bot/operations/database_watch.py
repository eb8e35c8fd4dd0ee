"""The owners are told when the database can't work, and again when it can.

It is tried by a write: on a full disk reads go on.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.domain.errors import DatabaseUnavailableError
from bot.domain.incidents import DATABASE_AWAY
from bot.operations.incidents import Incidents
from bot.operations.owners import Owners
from bot.runtime.workers import Worker
from bot.store import key_values
from bot.store.engine.database import Database

PATIENCE = timedelta(seconds=15)  # a shorter lock or restart is not told
_TRY_EVERY = timedelta(seconds=2)
_LONGEST = timedelta(days=1)


class DatabaseWatch:
    """Tries to write while a failure is fresh; sleeps otherwise."""

    def __init__(
        self,
        db: Database,
        owners: Owners,
        incidents: Incidents,
        *,
        patience: timedelta = PATIENCE,
        now: Callable[[], datetime],
    ) -> None:
        """Hear of the failures of ``db``, and tell ``owners`` of those that last.

        An outage that is over within ``patience`` is not told.
        """
        self._db = db
        self._owners = owners
        self._incidents = incidents
        self._patience = patience
        self._now = now
        self._since: datetime | None = None
        self._why = ""
        self._is_reported = False
        self.worker = Worker("database", self._step, now=now, longest=_LONGEST)
        db.on_outage = self._doubt

    def _doubt(self) -> None:
        if self._since is None:
            self._since = self._now()
            self.worker.wake()

    async def _step(self) -> datetime | None:
        if self._since is None:
            return None
        try:
            await self._db.run(lambda tx: key_values.put(tx, "ready", value=True))
            lasted = self._now() - self._since
            if lasted >= self._patience:
                await self._incidents.past(
                    "database", DATABASE_AWAY, since=self._since, why=self._why, time=lasted
                )
        except DatabaseUnavailableError as error:
            self._why = str(error)
            if not self._is_reported and self._now() - self._since >= self._patience:
                # Replicas share the limits of Telegram in it: without it they can't send anything.
                self._is_reported = self._db.is_sqlite
                if self._is_reported:
                    await self._owners.tell(DATABASE_AWAY, why=self._why)
            return self._now() + _TRY_EVERY
        self._since, self._is_reported = None, False
        return None
