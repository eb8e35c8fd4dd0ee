"""A copy of the SQLite file, and the way back. PostgreSQL is copied by its own programs."""

import asyncio
import shutil
import sqlite3
import threading
from datetime import datetime
from pathlib import Path

from bot.domain.errors import BackupError
from bot.domain.model import MEGABYTE
from bot.store.engine import private, sqlite_copies
from bot.store.engine.database import Database, is_known_revision

SPARE = 50 * MEGABYTE  # which a copy leaves for others


async def make(db: Database, target: Path, *, at: datetime) -> None:
    """Write a copy of the database as it is now into a new file of ours alone.

    It was read again, and is whole. Others may write meanwhile. Cancelled, nothing is left.

    Raises:
        BackupError: It could not be made; why, in a sentence.
        DatabaseUnavailableError: The file was moved, deleted or replaced.
    """
    if db.file is None:
        raise BackupError("a database in memory can't be copied")
    db.refuse_replaced()
    source, stop = db.file, threading.Event()
    try:
        await asyncio.to_thread(_make_folder_with_room, source, target)
        await asyncio.to_thread(sqlite_copies.copy, source, target, at=at, stop=stop)
    except OSError as error:
        raise BackupError(sqlite_copies.reason_of(error)) from error
    except sqlite3.Error as error:
        raise BackupError(f"{source} can't be copied to {target}: {error}") from error
    finally:
        stop.set()  # where we are cancelled, the thread is to end


def _make_folder_with_room(source: Path, target: Path) -> None:
    """Make the folder; refuse what would fill the disk, to which the bot may be writing."""
    if target.exists():
        raise BackupError(f"there is a file {target} already")
    if not source.exists():
        raise BackupError(f"there is no file {source}")
    target.parent.mkdir(parents=True, exist_ok=True, mode=private.OUR_FOLDER)
    log = source.with_name(f"{source.name}-wal")
    size = sum(one.stat().st_size for one in (source, log) if one.exists())
    free = shutil.disk_usage(target.parent).free
    if free < size + SPARE:
        most, there = round((size + SPARE) / MEGABYTE), round(free / MEGABYTE)
        raise BackupError(f"{target.parent} needs {most} MB of room, and has {there} MB")


async def restore(db: Database, file: Path, *, now: datetime) -> Path | None:
    """Put a copy in the place of the database; return where what was there is now, if it was.

    Nobody may use the database. The next start settles what the copy must not do
    (``bot.store.copies.restored``).

    Raises:
        BackupError: It could not be put back; why, in a sentence. The database is as it was.
    """
    try:
        revision = await asyncio.to_thread(sqlite_copies.verified_revision, file)
        if revision is None:
            raise BackupError(f"{file} is no copy of a database of this bot")
        if not is_known_revision(revision):
            raise BackupError(f"{file} is from a newer version than this code: update the bot")
        database = Path(str(db.url.database))
        return await asyncio.to_thread(sqlite_copies.put_in_place, file, database, now=now)
    except (OSError, sqlite3.Error) as error:
        raise BackupError(sqlite_copies.reason_of(error)) from error


async def check_whole(db: Database) -> None:
    """Read every page and every index of an SQLite database, which others may use meanwhile.

    Raises:
        BackupError: The database is damaged, or can't be read; why, in a sentence.
    """
    if db.file is None:
        return
    stop = threading.Event()
    try:
        await asyncio.to_thread(sqlite_copies.check_whole, db.file, stop)
    except sqlite3.Error as error:
        raise BackupError(f"{db.file} can't be read: {error}") from error
    finally:
        stop.set()  # where we are cancelled, the thread is to end


def rescued_copies(db: Database) -> list[Path]:
    """Return the copies that were rescued when the file was replaced under a bot, oldest first."""
    if db.file is None:
        return []
    real = db.file.resolve()
    return sorted(
        one for one in real.parent.glob(f"{real.name}.rescued-*") if one.suffix != ".part"
    )
