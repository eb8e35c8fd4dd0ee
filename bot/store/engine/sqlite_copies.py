"""Copies of an SQLite file: made while others write to it, looked through, and put in its place.

The backup API is used (https://sqlite.org/backup.html): a copy of the file alone misses what is in
the log. All pages are of one moment, since the reading transaction is held to the end.
"""

import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from bot.domain.errors import BackupError
from bot.store.engine import private

_PAGES = 2_000  # at a time; after each, a stop is heard
_STEPS = 100_000  # of SQLite's machine; the same
MARK = "copy"
"""Under which a copy says in ``key_values`` that it is one, and of when."""


def copy(
    source: Path,
    target: Path,
    *,
    at: datetime,
    stop: threading.Event | None = None,
    instead: bool = False,
) -> None:
    """Write a whole copy of ``source`` as it is now, marked as one of ``at``.

    Every page and index of the copy is read again. ``target`` appears when all is done; with
    ``instead`` in the place of a file of that name.

    Raises:
        FileExistsError: There is such a file, and it is not to be replaced.
        BackupError: The copy is not whole, or ``stop`` was set.
        OSError, sqlite3.Error: It can't be read or written.
    """
    if target.exists() and not instead:
        raise FileExistsError(str(target))
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    private.create_private(part)
    try:
        _write(source, part, at=at, stop=stop or threading.Event())
        part.replace(target)
        _sync(target.parent)
    finally:
        for end in ("", "-journal", "-wal", "-shm"):
            part.with_name(part.name + end).unlink(missing_ok=True)


def _write(source: Path, part: Path, *, at: datetime, stop: threading.Event) -> None:
    with closing(_open(source, stop)) as there, closing(_open(part, stop)) as here:
        try:
            there.backup(here, pages=_PAGES, progress=lambda *_: _raise_if_stopped(stop))
            here.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it
            if _revision(here):  # it says that it is a copy; one of a copy is as old as that
                here.execute(
                    "INSERT INTO key_values (key, value) VALUES (?, ?) ON CONFLICT DO NOTHING",
                    (MARK, json.dumps(at.isoformat())),
                )
            _check_integrity(here)
        except sqlite3.OperationalError:
            _raise_if_stopped(stop)
            raise
    _sync(part)


def verified_revision(file: Path) -> str | None:
    """Return the revision of the tables in a copy that opens and is whole; None: has none of ours.

    Raises:
        BackupError: It is no database, or damaged.
    """
    try:
        with closing(_open(file, threading.Event())) as here:
            _check_integrity(here)
            return _revision(here)
    except sqlite3.Error as error:
        raise BackupError(f"{file} can't be read as an SQLite database: {error}") from error


def put_in_place(file: Path, database: Path, *, now: datetime) -> Path | None:
    """Put a copy of ``file`` in the place of ``database``, which nobody uses.

    What was there is kept beside it, under the name that is returned; None where nothing was. A
    kill leaves the old database or the new one (where the disk has hard links).

    Raises:
        BackupError: ``file`` is not whole.
        OSError, sqlite3.Error: It can't be read, or nothing can be written.
    """
    made_at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    new = database.with_name(f"{database.name}.restoring")
    new.unlink(missing_ok=True)
    copy(file, new, at=made_at)
    private.copy_owner(new, like=database if database.exists() else database.parent)
    before = None
    if database.exists():
        before = _free_name(database, now)
        # What is in the log comes into the file, where that can be read at all.
        with suppress(sqlite3.Error), closing(sqlite3.connect(database)) as here:
            here.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        try:
            before.hardlink_to(database)  # so that there is a database at every moment
        except OSError:  # a disk that has no such thing, as a memory card
            database.replace(before)
        before.chmod(private.OURS)
        for end in ("-wal", "-shm"):  # a log must never stand beside another database
            old = database.with_name(database.name + end)
            if old.exists():
                old.replace(before.with_name(before.name + end))
    for end in ("-wal", "-shm"):
        database.with_name(database.name + end).unlink(missing_ok=True)
    new.replace(database)
    _sync(database.parent)
    return before


def _free_name(database: Path, now: datetime) -> Path:
    stem = f"{database.name}.replaced-{now:%Y%m%d-%H%M%S}"
    names = (f"{stem}{end}" for end in ("", *(f"-{n}" for n in range(1, 1000))))
    return next(one for one in map(database.with_name, names) if not one.exists())


def _open(file: Path, stop: threading.Event) -> sqlite3.Connection:
    uri = f"{file.absolute().as_uri()}?mode=rw"  # "rw": none is made where there is none
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA busy_timeout=10000")
    connection.set_progress_handler(lambda: int(stop.is_set()), _STEPS)
    return connection


def _raise_if_stopped(stop: threading.Event) -> None:
    """Raise where ``stop`` is set, which ends what is under way.

    Raises:
        BackupError: It is.
    """
    if stop.is_set():
        raise BackupError("it was stopped")


def _check_integrity(connection: sqlite3.Connection) -> None:
    """Read every page and every index."""
    result = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
    if result != ["ok"]:
        raise BackupError(f"the copy is damaged: {result[0]}")


def _revision(connection: sqlite3.Connection) -> str | None:
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:
        return None
    return str(row[0]) if row else None


def _sync(path: Path) -> None:
    with _descriptor(path) as number:
        os.fsync(number)


@contextmanager
def _descriptor(path: Path) -> Iterator[int]:
    number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield number
    finally:
        os.close(number)
