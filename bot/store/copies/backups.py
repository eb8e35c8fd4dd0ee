"""Backup and restore of the SQLite file. PostgreSQL has its own backup programs."""

import asyncio
import glob
import os
import shutil
import sqlite3
import threading
from datetime import datetime
from pathlib import Path

from bot.domain.errors import BackupError
from bot.domain.model import MEGABYTE
from bot.store.engine import private, sqlite_copies
from bot.store.engine.database import Database
from bot.store.engine.revisions import is_known_revision

IN_MEMORY = (
    "DATABASE_URL names no file, so all data would be lost when the bot stops: write "
    "sqlite:///storybell.db"
)
SPARE = 50 * MEGABYTE  # the bytes of free space that a copy must leave on the disk


async def make(db: Database, target: Path, *, at: datetime) -> None:
    """Write a verified copy of the current database into a new private file.

    Writers may be active during the copy. The copy is marked with the time ``at``, unless the
    database is itself a copy. After a cancellation, no incomplete file remains.

    Raises:
        BackupError: The copy could not be made. The text states the reason as a sentence.
        DatabaseUnavailableError: The file was moved, deleted or replaced.
    """
    if db.file is None:
        raise BackupError(IN_MEMORY)
    db.raise_if_replaced()
    source, stop = db.file, threading.Event()
    try:
        await asyncio.to_thread(_make_folder_and_raise_if_no_room, source, target)
        await asyncio.to_thread(
            sqlite_copies.copy, source, target, at=at, stop=stop, owner_of=source
        )
    except OSError as error:
        raise BackupError(sqlite_copies.reason_of_file_error(error)) from error
    except sqlite3.Error as error:
        raise BackupError(f"{source} can't be copied to {target}: {error}") from error
    finally:
        stop.set()  # After a cancellation, this event ends the thread.


def _make_folder_and_raise_if_no_room(source: Path, target: Path) -> None:
    """Create the target's folder, and check that the copy leaves enough space for the bot.

    Raises:
        BackupError: The target exists, the source is missing, or the disk has too little space.
        OSError: The folder can't be created or read.
    """
    if os.path.lexists(target):  # also True for a symbolic link to a missing file
        raise BackupError(f"there is a file {target} already")
    if not source.exists():
        raise BackupError(f"there is no file {source}")
    private.make_folder(target.parent, like=source)
    log = source.with_name(f"{source.name}-wal")
    size = sum(file.stat().st_size for file in (source, log) if file.exists())
    free = shutil.disk_usage(target.parent).free
    if free < size + SPARE:
        most, free_megabytes = round((size + SPARE) / MEGABYTE), round(free / MEGABYTE)
        raise BackupError(f"{target.parent} needs {most} MB of room, and has {free_megabytes} MB")


async def restore(db: Database, file: Path, *, now: datetime) -> Path | None:
    """Replace the database, which must not be in use, by a copy of ``file``.

    Return the path to which the old database was renamed, or None if no database existed. The
    next start drops work that must not be repeated (``bot.store.copies.restored``).

    Raises:
        BackupError: The copy could not be restored. The text states the reason as a sentence. If a
            file could not be renamed, the old files are beside the database, with ``.replaced-``
            in the names. Otherwise, the database is unchanged.
    """
    stop = threading.Event()
    try:
        if db.file is None:
            raise BackupError(IN_MEMORY)
        await asyncio.to_thread(_raise_if_live_file, file, db.file)
        revision = await asyncio.to_thread(sqlite_copies.verified_revision, file)
        if revision is None:
            raise BackupError(f"{file} is no copy of a database of this bot")
        if not is_known_revision(revision):
            raise BackupError(f"{file} is from a newer version than this code: update the bot")
        return await asyncio.to_thread(
            sqlite_copies.replace_database_and_keep_old, file, db.file, now=now, stop=stop
        )
    except (OSError, sqlite3.Error) as error:
        raise BackupError(sqlite_copies.reason_of_file_error(error)) from error
    finally:
        stop.set()  # After a cancellation, this event ends the thread.


def _raise_if_live_file(file: Path, database: Path) -> None:
    """Check that a backup is not the database itself.

    Raises:
        BackupError: Both paths lead to the same file.
    """
    if file.exists() and database.exists() and file.samefile(database):
        raise BackupError(f"{file} is the database itself: name a backup of it")


async def raise_if_damaged(db: Database) -> None:
    """Verify every page and every index of an SQLite database, which may be in use.

    Do nothing without an SQLite file.

    Raises:
        BackupError: The database is damaged or can't be read. The text states the reason as a
            sentence.
    """
    if db.file is None:
        return
    stop = threading.Event()
    try:
        await asyncio.to_thread(sqlite_copies.raise_if_damaged, db.file, stop)
    except sqlite3.Error as error:
        raise BackupError(f"{db.file} can't be read: {error}") from error
    finally:
        stop.set()  # After a cancellation, this event ends the thread.


def copies_rescued_from_replaced_file(db: Database) -> list[Path]:
    """Return the copies that were rescued after the file of a running bot was replaced.

    A copy has the content that the bot still read from the replaced file. The oldest copy is
    first.
    """
    if db.file is None:
        return []
    real = db.file.resolve()
    return sorted(
        file
        for file in real.parent.glob(f"{glob.escape(real.name)}.rescued-*")
        if not file.suffix.startswith(".part")
    )
