"""A copy of either database, and the way back."""

import asyncio
import shutil
import sqlite3
import threading
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from bot.domain.errors import BackupError
from bot.domain.model import MEGABYTE
from bot.store import dumps, leases, private, sqlite_copies
from bot.store.database import Database, is_known
from bot.store.sqlite import outstanding

SPARE = 50 * MEGABYTE  # which a copy leaves for others
KEEPER = "operations"
_LEADERS = ("polling", KEEPER)
"""In what replicas lead: of all that run one has the second, of those that poll one the first."""


def lacking(*, is_sqlite: bool) -> str:
    """Return what keeps every copy from being made, in a sentence; empty where nothing does."""
    return "" if is_sqlite else dumps.lacking()


async def make(db: Database, target: Path, *, at: datetime) -> dict[str, int]:
    """Write a copy of the database as it is now into a new file of ours alone; return its rows.

    It was read again, and is whole. Others may write meanwhile. Cancelled, nothing is left.

    Raises:
        BackupError: It could not be made; why, in a sentence.
    """
    if db.is_sqlite and db.url.database in {None, "", ":memory:"}:
        raise BackupError("a database in memory can't be copied")
    try:
        await asyncio.to_thread(_prepare, target)
        if not db.is_sqlite:
            return await dumps.dump(db, target)
        source = Path(str(db.url.database))
        await asyncio.to_thread(_make_sure_of_room, source, target)
        return await _copy(source, target, at)
    except (OSError, sqlite3.Error) as error:
        raise BackupError(_reason(error)) from error


def _prepare(target: Path) -> None:
    if target.exists():
        raise BackupError(f"there is a file {target} already")
    target.parent.mkdir(parents=True, exist_ok=True, mode=private.OUR_FOLDER)


def _make_sure_of_room(source: Path, target: Path) -> None:
    """Begin nothing that would fill the disk: the bot may be writing to the same."""
    log = source.with_name(f"{source.name}-wal")
    size = sum(one.stat().st_size for one in (source, log) if one.exists())
    free = shutil.disk_usage(target.parent).free
    if free < size + SPARE:
        most, there = round((size + SPARE) / MEGABYTE), round(free / MEGABYTE)
        raise BackupError(f"{target.parent} needs {most} MB of room, and has {there} MB")


async def _copy(source: Path, target: Path, at: datetime) -> dict[str, int]:
    stop = threading.Event()
    try:
        with outstanding:
            return await asyncio.to_thread(sqlite_copies.copy, source, target, at=at, stop=stop)
    finally:
        stop.set()  # where we are cancelled, the thread is to end


async def restore(db: Database, file: Path, *, now: datetime) -> str | None:
    """Put a copy in the place of the database; return where what was there is now, if it was.

    Nobody may use the database. The next start settles what the copy must not do
    (``bot.store.restored``).

    Raises:
        BackupError: It could not be put back; why, in a sentence. The database is as it was.
    """
    try:
        stat = await asyncio.to_thread(file.stat)
        made_at = datetime.fromtimestamp(stat.st_mtime, UTC)
        if db.is_sqlite:
            revision = await asyncio.to_thread(sqlite_copies.revision_in, file)
        else:
            revision = await dumps.revision_in(db, file)
        if revision is None:
            raise BackupError(f"{file} is no copy of a database of this bot")
        if not is_known(revision):
            raise BackupError(f"{file} is from a newer version than this code: update the bot")
        if not db.is_sqlite:
            return await dumps.restore(db, file, made_at=made_at, now=now)
        database = Path(str(db.url.database))
        before = await asyncio.to_thread(sqlite_copies.put, file, database, now=now)
    except (OSError, sqlite3.Error) as error:
        raise BackupError(_reason(error)) from error
    return str(before) if before else None


async def is_in_use(db: Database) -> bool:
    """Return whether a bot runs on a PostgreSQL database, or did until 15 seconds ago.

    An SQLite file has a lock for that (``bot.store.lock``).
    """
    if db.is_sqlite:
        return False
    async with db.read() as tx:
        if not (await tx.execute(sa.text("SELECT to_regclass('gates')"))).scalar():
            return False
        return await leases.is_led(tx, _LEADERS)


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)
