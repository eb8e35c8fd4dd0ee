"""Copies of an SQLite file: creation during writes, verification, and restore.

SQLite's backup API makes the copies (https://sqlite.org/backup.html), because a copy of the file
alone lacks the content of the log.
"""

import errno
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
from bot.store.engine.secure_delete import SECURE_DELETE

_PAGES = 2_000  # The number of pages per step. ``stop`` is checked after each step.
_STEPS = 100_000  # instructions of SQLite's virtual machine between two checks of ``stop``
MARK = "copy"
"""The key in ``key_values`` that marks a copy, with the time of the copy as its value."""
DAMAGED = "the database {file} is damaged: stop the bot and run storybell restore with a backup"
NO_TABLES = "{file} has no tables of this bot"
DATABASE_ID = "database_id"
"""The key in ``key_values`` of the id that a database shares with its copies."""
_NOT_DECODED = "Could not decode"  # the driver's message for a text that is not UTF-8
_ROLLBACK_MODE = b"\x01\x01"  # the bytes in the header of a database without write-ahead log


def copy(
    source: Path,
    target: Path,
    *,
    at: datetime,
    stop: threading.Event | None = None,
    overwrite: bool = False,
    owner_of: Path | None = None,
) -> None:
    """Copy the database ``source`` to ``target``, and verify every page and index of the copy.

    ``target`` appears when the copy is complete. The copy is marked with the time ``at``, unless
    ``source`` is itself a copy. If root runs the process, the copy gets the owner of ``owner_of``.

    Raises:
        FileExistsError: ``target`` exists, and ``overwrite`` is False.
        BackupError: The source is damaged or has no tables of the bot, a different process writes
            ``target``, or ``stop`` was set.
        OSError, sqlite3.Error: A file can't be read or written.
    """
    if target.exists() and not overwrite:
        raise FileExistsError(str(target))
    with atomic_file(target) as part:
        _write_marked_copy(source, part, at=at, stop=stop or threading.Event())
        if owner_of is not None:
            private.copy_owner(part, like=owner_of)


@contextmanager
def atomic_file(target: Path) -> Iterator[Path]:
    """Yield the path of an empty private file, which replaces ``target`` after the block.

    If the block fails, the private file is deleted.

    Raises:
        BackupError: A different process started to write the same file.
        OSError: The file can't be written.
    """
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    private.create_private(part)
    # While the file is open, no other file can get its inode. The inode therefore identifies the
    # file.
    number = os.open(part, os.O_RDONLY | os.O_CLOEXEC)
    copy_stat = os.fstat(number)
    try:
        yield part
        if not _is_same_inode(part, copy_stat):
            raise BackupError(f"another process writes {target}")
        _sync(part)
        part.replace(target)
        _sync_folder(target.parent)
    finally:
        os.close(number)
        if _is_same_inode(part, copy_stat) or not part.exists():
            for end in ("", "-journal", "-wal", "-shm"):
                part.with_name(part.name + end).unlink(missing_ok=True)


def _is_same_inode(file: Path, copy_stat: os.stat_result) -> bool:
    return file.exists() and os.path.samestat(file.stat(), copy_stat)


def _write_marked_copy(source: Path, part: Path, *, at: datetime, stop: threading.Event) -> None:
    with (
        closing(_open(source, stop)) as source_connection,
        closing(_open(part, stop)) as connection,
    ):
        try:
            # The read transaction keeps all pages of the copy from the same moment. Without the
            # read transaction, SQLite would begin the copy again after each commit of another
            # connection.
            source_connection.execute("BEGIN")
            source_connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            source_connection.backup(
                connection, pages=_PAGES, progress=lambda *_: _raise_if_stopped(stop)
            )
            # The copy is a single file without a write-ahead log.
            connection.execute("PRAGMA journal_mode=DELETE")
            if _read_revision(connection) is None:
                raise BackupError(NO_TABLES.format(file=source))
            # If the source is itself a copy, the mark keeps the time of the first copy.
            connection.execute(
                "INSERT INTO key_values (key, value) VALUES (?, ?) ON CONFLICT DO NOTHING",
                (MARK, json.dumps(at.isoformat())),
            )
            _raise_if_pages_damaged(connection, DAMAGED.format(file=source))
        except sqlite3.DatabaseError as error:
            _raise_if_stopped(stop)
            if is_damage(error):
                raise BackupError(DAMAGED.format(file=source)) from error
            raise


def raise_if_no_tables(file: Path) -> None:
    """Check that a copy has tables of the bot.

    Raises:
        BackupError: The copy has no tables of the bot.
        sqlite3.Error: The copy can't be read.
    """
    with closing(_open(file, threading.Event())) as connection:
        if _read_revision(connection) is None:
            raise BackupError(NO_TABLES.format(file=file))


def raise_if_damaged(file: Path, stop: threading.Event) -> None:
    """Verify every page and every index of a database, which may be in use.

    Raises:
        BackupError: The database is damaged, or ``stop`` was set.
        sqlite3.Error: The database can't be read now.
    """
    damaged = DAMAGED.format(file=file)
    try:
        with closing(_open(file, stop)) as connection:
            _raise_if_pages_damaged(connection, damaged)
    except sqlite3.DatabaseError as error:
        _raise_if_stopped(stop)
        if is_damage(error):
            raise BackupError(damaged) from error
        raise


def is_damage(error: sqlite3.Error) -> bool:
    """Return whether an error means that the file is damaged or is not a database.

    A short read also means damage. For example, another program may have truncated the log.
    """
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return str(error).startswith(_NOT_DECODED)
    if code == sqlite3.SQLITE_IOERR_SHORT_READ:
        return True
    return code & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def has_foreign_log(file: Path) -> bool:
    """Return whether the write-ahead log beside a database belongs to a different database.

    The log is foreign if the header of the database excludes a write-ahead log
    (https://sqlite.org/fileformat2.html, section 1.3.3). This process must have no connection to
    the file.
    """
    log = file.with_name(f"{file.name}-wal")
    try:
        if not log.stat().st_size:
            return False
        with file.open("rb") as database:
            return database.read(20)[18:] == _ROLLBACK_MODE
    except OSError:
        return False


def database_id(file: Path) -> str | None:
    """Return the id that a database and its copies have in common.

    If the file has no such id or can't be read, return None.
    """
    with suppress(sqlite3.Error), closing(_open(file, threading.Event())) as connection:
        query = "SELECT value FROM key_values WHERE key = ?"
        row = connection.execute(query, (DATABASE_ID,)).fetchone()
        return str(json.loads(row[0])) if row else None
    return None


def reason_of_file_error(error: BaseException) -> str:
    """Return the reason of a failed file operation as a short text.

    If a permission is missing because another user owns the file, the text names this user.
    """
    if not isinstance(error, OSError) or not error.strerror:
        return str(error)
    if not error.filename:
        return error.strerror
    reason = f"{error.filename}: {error.strerror}"
    if not isinstance(error, PermissionError):
        return reason
    return reason + private.other_owner_note(Path(error.filename))


def verified_revision(file: Path) -> str | None:
    """Verify a copy of a database, and return the revision of its tables.

    If the copy has no tables of the bot, return None.

    Raises:
        BackupError: The file is missing, unreadable, damaged or not a database, or the write-ahead
            log beside the file belongs to another database.
    """
    try:
        is_there, is_file = file.exists(), file.is_file()
        if is_file and not os.access(file, os.R_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file))
    except OSError as error:
        raise BackupError(reason_of_file_error(error)) from error
    if not is_there:
        raise BackupError(f"there is no file {file.absolute()}")
    if not is_file:
        raise BackupError(f"{file.absolute()} is not a file: name a backup")
    real = Path(os.path.realpath(file))
    if has_foreign_log(real):
        raise BackupError(f"{real}-wal belongs to another database: move it to another folder")
    try:
        with closing(_open(file, threading.Event())) as connection:
            _raise_if_pages_damaged(connection, f"{file} is damaged")
            return _read_revision(connection)
    except sqlite3.Error as error:
        raise BackupError(f"{file} can't be read as an SQLite database: {error}") from error


def replace_database_and_keep_old(
    file: Path, database: Path, *, now: datetime, stop: threading.Event | None = None
) -> Path | None:
    """Replace ``database``, which must not be in use, by a copy of ``file``.

    Return the path to which the old database was renamed, or None if no database existed.

    Raises:
        BackupError: ``file`` is damaged or has no tables of the bot, ``database`` is a folder or
            device, a different process restores too, or ``stop`` was set before the end of the
            copy.
        OSError, sqlite3.Error: A file can't be read or written.
    """
    # If the path is a symbolic link, the link stays, and the target of the link is replaced.
    database = Path(os.path.realpath(database))
    if database.exists() and not database.is_file():
        raise BackupError(f"{database} is not a file: set DATABASE_URL to the path of a file")
    made_at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    new = database.with_name(f"{database.name}.restoring")
    owner_of = database if database.exists() else database.parent
    # If an earlier restore was killed, the file ``new`` already exists, and may be the copy that
    # the operator has named as ``file``.
    copy(file, new, at=made_at, stop=stop, overwrite=True, owner_of=owner_of)
    before = unused_path_beside(
        database.with_name(f"{database.name}.replaced-{now:%Y%m%d-%H%M%S}")
    )
    if was_there := database.exists():
        # SQLite would delete the log of an empty file, so an empty file is not opened.
        if database.stat().st_size and not has_foreign_log(database):
            # If the log can be read, its content moves into the database file.
            with (
                suppress(sqlite3.Error),
                closing(_open(database, threading.Event())) as connection,
            ):
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        try:
            before.hardlink_to(database)  # a rename would leave no database for a moment
        except OSError:  # the file system, for example of a memory card, has no hard links
            database.replace(before)
        with suppress(PermissionError):  # a database of another owner keeps its mode
            before.chmod(private.OURS)
    # SQLite would apply an old log or rollback journal to the new database, so these files are
    # renamed. They are not deleted, because a log may be the only remaining part of a moved
    # database.
    for end in ("-wal", "-shm", "-journal"):
        old = database.with_name(database.name + end)
        if old.exists():
            old.replace(before.with_name(before.name + end))
    new.replace(database)
    _sync_folder(database.parent)
    return before if was_there else None


def unused_path_beside(file: Path) -> Path:
    """Return ``file`` if nothing exists at this path. Otherwise, return a similar unused path.

    The similar path has a number at the end, such as ``bot.db-1``.
    """
    names = (f"{file.name}{end}" for end in ("", *(f"-{n}" for n in range(1, 1000))))
    return next(path for path in map(file.with_name, names) if not path.exists())


def _open(file: Path, stop: threading.Event) -> sqlite3.Connection:
    # With ``mode=rw``, SQLite does not create a missing file.
    uri = f"{file.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA busy_timeout=10000")
    connection.execute(SECURE_DELETE)
    connection.set_progress_handler(lambda: int(stop.is_set()), _STEPS)
    return connection


def _raise_if_stopped(stop: threading.Event) -> None:
    """Raise an error if ``stop`` is set.

    Raises:
        BackupError: ``stop`` is set.
    """
    if stop.is_set():
        raise BackupError("it was stopped")


def _raise_if_pages_damaged(connection: sqlite3.Connection, damaged: str) -> None:
    """Verify every page and every index.

    Raises:
        BackupError: The database is damaged. The text begins with ``damaged``.
    """
    result = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
    if result != ["ok"]:
        raise BackupError(f"{damaged} ({result[0]})")


def _read_revision(connection: sqlite3.Connection) -> str | None:
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError as error:
        if (
            getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_ERROR
        ):  # the error means "no such table"
            raise
        return None
    return str(row[0]) if row else None


def _sync(path: Path) -> None:
    with _open_descriptor(path) as number:
        os.fsync(number)


def _sync_folder(path: Path) -> None:
    """Make a rename in a folder durable, if the file system can sync folders."""
    with suppress(OSError):
        _sync(path)


@contextmanager
def _open_descriptor(path: Path) -> Iterator[int]:
    number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield number
    finally:
        os.close(number)
