"""The admins are told when the database can't work, and again when it can.

A disk that is full fails what writes and nothing else, so that is what is tried.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from bot.domain.errors import N_, DatabaseUnavailableError
from bot.domain.incidents import Fields, Tell
from bot.runtime.workers import Worker
from bot.store import key_values
from bot.store.database import Database

PATIENCE = timedelta(seconds=15)  # a lock or a restart that is over by then is nobody's business
_TRY_EVERY = timedelta(seconds=2)
_LONGEST = timedelta(days=1)
AWAY = N_(
    "My database can't work at the moment: {why}. Nothing is lost, but until it works again I "
    "answer nobody and send no alerts."
)
BACK = N_("My database works again, after {time} ({why}). What had to wait goes out now.")


class DatabaseWatch:
    """Tries to write while a failure is fresh; sleeps otherwise."""

    def __init__(
        self,
        db: Database,
        *,
        tell: Tell,
        over: Callable[[datetime, Fields, Fields], Awaitable[None]],
        patience: timedelta = PATIENCE,
        now: Callable[[], datetime],
    ) -> None:
        """Hear of the failures of ``db``, and ``tell`` the admins of those that last.

        What is over within ``patience`` is nobody's business.
        ``over`` hears since when one lasted that is over; with the fields of ``AWAY`` and of
        ``BACK``.
        """
        self._db = db
        self._tell = tell
        self._over = over
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
            await self._db.run(lambda tx: key_values.put(tx, "ready", value=True, now=self._now()))
            lasted = self._now() - self._since
            if lasted >= self._patience:
                why = {"why": self._why}
                await self._over(self._since, why, {"time": lasted, **why})
        except DatabaseUnavailableError as error:
            self._why = str(error)
            if not self._is_reported and self._now() - self._since >= self._patience:
                # Where replicas share their limits in it, nobody can be told before it is back.
                self._is_reported = self._db.is_sqlite
                if self._is_reported:
                    await self._tell(AWAY, why=self._why)
            return self._now() + _TRY_EVERY
        self._since, self._is_reported = None, False
        return None
