"""Copies of the SQLite file, by a schedule and by hand: each is made whole, or not at all.

The newest few stay; a failure is an incident. What a copy must not do when it is put back is
decided in ``bot.store.copies.restored``.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from bot.billing.drift import KEY as DRIFT
from bot.domain.errors import BackupError
from bot.domain.incidents import BACKUP_FAILED, RESTORED
from bot.operations.incidents import Incidents
from bot.runtime.metrics import UNSEEN, Metrics
from bot.store import key_values
from bot.store.copies import backups as store
from bot.store.copies import restored
from bot.store.engine import sqlite_copies
from bot.store.engine.database import Database, Tx
from bot.store.engine.sqlite_copies import DATABASE_ID

log = structlog.get_logger()

_KEY = "backup"  # when the last one was made
TRY_EVERY = timedelta(hours=1)
_AGAIN_AFTER = timedelta(hours=1)
_LEFT_AFTER = timedelta(hours=1)  # after so long without a write a half-made copy is removed
_NAME = "storybell-{at:%Y%m%d-%H%M%S}.db"
_NAMES = "storybell-????????-??????.db"


class Backups:
    """Makes a copy every so many hours, and removes the oldest."""

    def __init__(
        self,
        db: Database,
        folder: Path,
        incidents: Incidents,
        *,
        every: timedelta,
        most: int = 3,
        metrics: Metrics = UNSEEN,
        now: Callable[[], datetime],
    ) -> None:
        """Keep the ``most`` newest copies in ``folder``."""
        self._db = db
        self._folder = folder
        self._incidents = incidents
        self._every = every
        self._most = most
        self._made_at = metrics.gauge(
            "backup_last_success_timestamp_seconds", "When the database was last backed up."
        )
        self._now = now

    async def make_if_due(self) -> datetime:
        """Make a copy if it is time; return when the next one is due."""
        now = self._now()
        due_at = await self._ensure_due_at(now)
        if due_at > now:
            return due_at
        try:
            await asyncio.to_thread(_clear_partial, self._folder)
            database_id = await self._ensure_database_id()
            await store.make(self._db, self._folder / file_name(now), at=now)
        except (BackupError, OSError) as error:
            why = str(error)
            log.error("no backup", why=why)  # noqa: TRY400 - no trace needed
            await self._incidents.set("backup", BACKUP_FAILED, why=why)
            await self._record_made(now + _AGAIN_AFTER - self._every)
            return now + _AGAIN_AFTER
        log.info("backed up")
        self._made_at.set(now.timestamp())
        await self._record_made(now)
        await self._incidents.set("backup", None)
        await asyncio.to_thread(self._rotate, database_id)
        return now + self._every

    async def _ensure_due_at(self, now: datetime) -> datetime:
        """Return when the next copy is due; a bot that has just begun writes that down."""
        kept = await self._db.fetch(lambda tx: key_values.get(tx, _KEY))
        if kept is None:  # a bot that has just begun has nothing to lose
            await self._record_made(now)
            return now + self._every
        return min(datetime.fromisoformat(str(kept)), now) + self._every

    async def _ensure_database_id(self) -> str:
        """Return the number of this database, which all its copies have; make it at first."""

        async def read_or_add(tx: Tx) -> str:
            await key_values.add(tx, DATABASE_ID, secrets.token_hex(8))
            return str(await key_values.get(tx, DATABASE_ID))

        return await self._db.run(read_or_add)

    def _rotate(self, database_id: str) -> None:
        """Remove all but the newest copies of this database; blocks.

        Copies of other databases stay: a second bot may use the same folder, and a database that
        was begun anew must not replace the copies of the lost one.
        """
        ours = [
            one for one in sorted(self._folder.glob(_NAMES)) if self._is_ours(one, database_id)
        ]
        for one in ours[: -self._most]:
            one.unlink(missing_ok=True)

    def _is_ours(self, file: Path, database_id: str) -> bool:
        """Return whether a file is a copy of this database, and not the database itself."""
        live = self._db.file
        if live is not None and live.exists() and file.samefile(live):
            return False
        return sqlite_copies.database_id(file) == database_id

    async def _record_made(self, at: datetime) -> None:
        await self._db.run(lambda tx: key_values.put(tx, _KEY, at.isoformat()))


def file_name(at: datetime) -> str:
    """Return the name of a copy that is made now; in the order of time."""
    return _NAME.format(at=at.astimezone(UTC))


def _clear_partial(folder: Path) -> None:
    """Remove what a killed process left of its copies; one that is being written stays."""
    before = time.time() - _LEFT_AFTER.total_seconds()
    for one in folder.glob(f"{_NAMES}.part*"):
        with suppress(FileNotFoundError):
            if one.stat().st_mtime < before:
                one.unlink()


async def adopt_restored_copy(db: Database, incidents: Incidents, *, now: datetime) -> None:
    """Let a copy that was restored go on as the database; nothing where it is no copy."""
    async with db.begin() as tx:
        made_at = await restored.resume_as_database(tx, now=now)
        if made_at is not None:
            await key_values.remove(tx, DRIFT)  # nobody has counted what was billed since
            await key_values.put(tx, _KEY, now.isoformat())
    if made_at is not None:
        await incidents.set("restore", RESTORED, date=f"{made_at:%Y-%m-%d %H:%M}")
