"""Backups of the SQLite file by schedule or by command. A backup is complete or does not exist.

The bot deletes old backups of its database. A failed scheduled backup opens an incident. The rules
for a restored backup are in ``bot.store.copies.restored``.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from bot.billing.drift import KEY as DRIFT
from bot.domain.errors import BackupError
from bot.domain.incidents import BACKUP_FAILED, RESTORED
from bot.operations.incidents import Incidents
from bot.runtime.metrics import UNSEEN, Metrics
from bot.runtime.workers import NextStepAt
from bot.store import key_values
from bot.store.copies import backups as store
from bot.store.copies import restored
from bot.store.engine import sqlite_copies
from bot.store.engine.database import Database, Tx
from bot.store.engine.sqlite_copies import DATABASE_ID

log = structlog.get_logger()

_KEY = "backup"  # the key in the database under which the time of the last backup is stored
TRY_EVERY = timedelta(hours=1)
_AGAIN_AFTER = timedelta(hours=1)
_LEFT_AFTER = timedelta(hours=1)  # a partial backup that was not changed for this time is removed
_NAME = "storybell-{at:%Y%m%d-%H%M%S}.db"
_NAMES = "storybell-????????-??????.db"


class Backups:
    """Makes scheduled backups, and removes old backups."""

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
        """Prepare to make backups in ``folder``.

        ``every`` is the interval between two backups. ``most`` is the number of backups to keep.
        """
        self._db = db
        self._folder = folder
        self._incidents = incidents
        self._every = every
        self._most = most
        self._made_at = metrics.get_or_create_gauge(
            "backup_last_success_timestamp_seconds", "When the database was last backed up."
        )
        self._now = now

    async def make_backup_if_due(self) -> NextStepAt:
        """Make a backup if a backup is due. Return the time of the next backup.

        A success removes old backups and closes the incident "backup". A failure opens the
        incident, and the next backup is due an hour later.

        Raises:
            DatabaseUnavailableError: The database is unavailable, or its file was replaced.
        """
        now = self._now()
        due_at = await self._ensure_due_at(now)
        if due_at > now:
            return due_at
        # The attempt is recorded first, and the record fails if the database can't be written.
        # Without the record, each step during such an outage would write a backup or send a
        # message.
        await self._record_backup_time(now + _AGAIN_AFTER - self._every)
        try:
            await asyncio.to_thread(_delete_partial_backups, self._folder)
            database_id = await self._ensure_database_id()
            file = self._folder / backup_file_name(now)
            await store.make(self._db, file, at=now)
        except (BackupError, OSError) as error:
            why = str(error)
            log.error("no backup", why=why)  # noqa: TRY400 - a traceback is not needed
            await self._incidents.open_or_close("backup", BACKUP_FAILED, why=why)
            return now + _AGAIN_AFTER
        log.info("backed up")
        self._made_at.set(now.timestamp())
        await self._record_backup_time(now)
        await self._incidents.open_or_close("backup", None)
        await asyncio.to_thread(self._delete_old_backups, database_id, file.name)
        return now + self._every

    async def _ensure_due_at(self, now: datetime) -> datetime:
        """Return the time of the next backup.

        For a new bot, store ``now`` as the time of the last backup, so that the next backup is due
        one interval after ``now``.
        """
        kept = await self._db.fetch(lambda tx: key_values.get(tx, _KEY))
        if kept is None:  # a new bot has no data to lose yet
            await self._record_backup_time(now)
            return now + self._every
        return min(datetime.fromisoformat(str(kept)), now) + self._every

    async def _ensure_database_id(self) -> str:
        """Return the id of this database, which all its backups contain.

        If the database does not have an id, store a new id.
        """

        async def read_or_add(tx: Tx) -> str:
            await key_values.add(tx, DATABASE_ID, secrets.token_hex(8))
            return str(await key_values.get(tx, DATABASE_ID))

        return await self._db.run(read_or_add)

    def _delete_old_backups(self, database_id: str, newest: str) -> None:
        """Delete old backups of this database, and keep the newest ``_most`` backups.

        The call blocks the thread. ``newest`` is the file name of the new backup. Backups with
        later names usually come from a wrong clock, and are kept. Backups of other databases are
        kept too.
        """
        own_backups = [
            file
            for file in sorted(self._folder.glob(_NAMES))
            if file.name <= newest and self._is_backup_of_this_database(file, database_id)
        ]
        for file in own_backups[: -self._most]:
            try:
                file.unlink(missing_ok=True)
            except OSError as error:
                log.warning("an old backup stays", why=sqlite_copies.reason_of_file_error(error))

    def _is_backup_of_this_database(self, file: Path, database_id: str) -> bool:
        """Return whether a file is a backup of this database.

        For the file of the live database, and for a broken symbolic link, return False.
        """
        live = self._db.file
        if not file.exists() or (live is not None and live.exists() and file.samefile(live)):
            return False
        return sqlite_copies.database_id(file) == database_id

    async def _record_backup_time(self, at: datetime) -> None:
        await self._db.run(lambda tx: key_values.put(tx, _KEY, at.isoformat()))


def backup_file_name(at: datetime) -> str:
    """Return the file name of a backup made at ``at``. The names sort in the order of time."""
    return _NAME.format(at=at.astimezone(UTC))


def _delete_partial_backups(folder: Path) -> None:
    """Remove the partial backups of a killed process, which have not changed for an hour."""
    before = time.time() - _LEFT_AFTER.total_seconds()
    for file in folder.glob(f"{_NAMES}.part*"):
        try:
            if file.stat().st_mtime < before:
                file.unlink()
        except FileNotFoundError:
            continue  # The backup was completed, or another process removed the file.
        except OSError as error:
            log.warning("a partial backup stays", why=sqlite_copies.reason_of_file_error(error))


async def make_live_and_report_if_restored(
    db: Database, incidents: Incidents, *, now: datetime
) -> None:
    """Make a restored backup the live database, and notify the owners.

    Do nothing if the database is not a backup.
    """
    async with db.begin() as tx:
        made_at = await restored.make_restored_backup_live(tx, now=now)
        if made_at is not None:
            # Delete the stored drift (the lasting difference between the balance and the ledger),
            # because the restored ledger lacks the bills since the backup.
            await key_values.remove(tx, DRIFT)
            await key_values.put(tx, _KEY, now.isoformat())
    if made_at is not None:
        await incidents.open_or_close("restore", RESTORED, date=made_at)
