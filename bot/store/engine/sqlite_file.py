"""The SQLite file of a running bot: detection of a replaced file, and rescue of the content.

A new connection to a replaced file would use the log of the old file, and damage the data
(https://sqlite.org/howtocorrupt.html). The bot therefore opens no connection.
"""

import asyncio
import errno
import os
import sqlite3
import stat
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from bot.domain.errors import BackupError, DatabaseUnavailableError
from bot.domain.incidents import DATABASE_NOT_SAVED, DATABASE_REPLACED
from bot.runtime.clock import event_loop_time_s
from bot.store.engine import private, sqlite_copies
from bot.store.engine.secure_delete import SECURE_DELETE

Identity = tuple[int, int]
"""Device and inode."""

_LOGS = ("-wal", "-shm")
# The file counts as replaced after two checks that find a difference, with at least this number of
# seconds between both checks. In the meantime, a person may move the file back.
_CONFIRM_S = 0.5
_DIFFERS = "the database file {file} was moved, deleted or replaced"
_ORPHAN = (
    "{log} belongs to a database that is not there: put that database back beside it, or run "
    "storybell restore with a rescued copy or a backup. To begin anew, move the log away"
)
_OTHERS_LOG = (
    "{log} belongs to another database than {file}: run storybell restore with a backup, or put "
    "the database of that log back"
)
_NO_FILE = "{file} is not a file: set DATABASE_URL to the path of a file"
_OTHER_PROGRAM = (
    "{file} is the database of another program: set DATABASE_URL to the file of this bot, or to "
    "a new one"
)


class HeldFile:
    """An open connection to the SQLite file of a running bot.

    If the file is moved, deleted or replaced, the connection still reads the original file, and
    can rescue its content.
    """

    def __init__(self, path: Path) -> None:
        """Prepare without opening the file."""
        self._path = path
        self._real = path
        self._identities: dict[Path, Identity] = {}
        self._connection: sqlite3.Connection | None = None
        self._differs_since: float | None = None
        self.is_replaced = asyncio.Event()
        """Set after two checks, at least 0.5 seconds apart, found a different file or no file.

        A check between these two checks that finds no difference starts the count again. The event
        is never cleared.
        """
        self.copy: Path | None = None
        """The path of the complete rescued copy, or None."""
        self.trouble = _DIFFERS.format(file=path)
        """The reason why the database can't be used, as a sentence.

        The reason applies if ``check_in_place_and_record_replacement`` returns False.
        """

    def open(self) -> None:
        """Open the connection, and record the device and inode of each file. The call blocks.

        Raises:
            OSError, sqlite3.Error: The file can't be opened or read.
        """
        self._real = Path(os.path.realpath(self._path))
        uri = existing_uri(self._real)
        self._connection = sqlite3.connect(
            uri, uri=True, isolation_level=None, check_same_thread=False
        )
        self._connection.execute(SECURE_DELETE)
        # The first read opens the log. SQLite deletes the log only when no connection is open.
        self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        for file in (self._path, *self._log_paths()):
            if identity := _identity_of(file):
                self._identities[file] = identity

    def _log_paths(self) -> list[Path]:
        return [self._real.with_name(self._real.name + end) for end in _LOGS]

    def check_in_place_and_record_replacement(self) -> bool:
        """Return whether the paths of the database and its log still lead to the opened files.

        If different files are found twice in a row, at least 0.5 seconds apart, ``is_replaced`` is
        set. The result is then always False.
        """
        if self.is_replaced.is_set():
            return False
        if self.are_paths_unchanged():
            self._differs_since = None
            return True
        if self._differs_since is None:
            self._differs_since = event_loop_time_s()
        elif event_loop_time_s() - self._differs_since >= _CONFIRM_S:
            self.is_replaced.set()
        return False

    def are_paths_unchanged(self) -> bool:
        """Return whether the paths of the database and its log lead to the opened files now.

        A path that can't be read counts as unchanged.
        """
        for file, identity in self._identities.items():
            with suppress(OSError):
                # A file whose identity can't be read may still be the opened file.
                if _identity_of(file) != identity:
                    return False
        return True

    def rescue(self, *, at: datetime) -> Path:
        """Write the content of the open connection into a new file beside the database.

        Return the path of the new file, which is private. A second call returns the same path. If
        a different database is at the original path, the log is renamed first. The call blocks.

        Raises:
            BackupError: The copy has no tables of the bot, or a different process writes the same
                file.
            OSError, sqlite3.Error: The copy can't be written.
        """
        self._set_log_aside(at)
        if self.copy is None:
            name = f"{self._real.name}.rescued-{at:%Y%m%d-%H%M%S}"
            try:
                copy = sqlite_copies.unused_path_beside(self._real.with_name(name))
                copy.parent.mkdir(parents=True, exist_ok=True, mode=private.OUR_FOLDER)
                self._write_copy(copy)
            except (BackupError, OSError, sqlite3.Error) as error:
                why = sqlite_copies.reason_of_file_error(error)
                self.trouble = DATABASE_NOT_SAVED.format(file=self._path, why=why)
                raise
            self.copy = copy
            self.trouble = DATABASE_REPLACED.format(file=self._path, copy=copy)
        return self.copy

    def _write_copy(self, copy: Path) -> None:
        assert self._connection is not None  # noqa: S101 - ``open`` has opened the connection
        with sqlite_copies.atomic_file(copy) as part:
            self._connection.execute("VACUUM INTO ?", (str(part),))
            sqlite_copies.raise_if_no_tables(part)

    def _set_log_aside(self, at: datetime) -> None:
        """Rename the log, and delete its index, if a different database is at the original path.

        Otherwise SQLite would apply the log of the original database to the different database.
        """
        identity = None
        with suppress(OSError):
            identity = _identity_of(self._real)
        if identity in {None, self._identities.get(self._path)}:
            return
        log, index = self._log_paths()
        with suppress(OSError):
            if _identity_of(log) == self._identities.get(log):
                aside = log.with_name(f"{log.name}.replaced-{at:%Y%m%d-%H%M%S}")
                log.rename(sqlite_copies.unused_path_beside(aside))
            if _identity_of(index) == self._identities.get(index):
                index.unlink()

    def close(self) -> None:
        """Close the connection. The call blocks."""
        if self._connection is not None:
            self._connection.close()


def existing_uri(file: Path) -> str:
    """Return the URI of a database file. SQLite does not create a missing file for this URI."""
    return f"{file.absolute().as_uri()}?mode=rw"


def raise_if_log_orphaned(file: Path) -> None:
    """Raise an error if a log with content exists without its database.

    A new database at this path would make SQLite delete the log, which contains the newest
    commits.

    Raises:
        DatabaseUnavailableError: The database file is missing or empty, and its log has content.
    """
    real = Path(os.path.realpath(file))
    log = real.with_name(f"{real.name}-wal")
    if _size_of(real) == 0 and _size_of(log) > 0:
        raise DatabaseUnavailableError(_ORPHAN.format(log=log))


def raise_if_wrong_file(file: Path) -> None:
    """Raise an error if a path can't be a database of the bot. The file is not changed.

    This process must have no connection to the file, because the check would release SQLite's
    locks. Damaged or unreadable files are not detected.

    Raises:
        DatabaseUnavailableError: The path can't be accessed or is not a file, the database belongs
            to a different program, or the log at the path belongs to a different or missing
            database.
    """
    raise_if_log_orphaned(file)
    try:
        mode = file.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise DatabaseUnavailableError(sqlite_copies.reason_of_file_error(error)) from error
    if not stat.S_ISREG(mode):
        raise DatabaseUnavailableError(_NO_FILE.format(file=file))
    real = Path(os.path.realpath(file))
    if sqlite_copies.has_foreign_log(real):
        log = real.with_name(f"{real.name}-wal")
        raise DatabaseUnavailableError(_OTHERS_LOG.format(log=log, file=file))
    if _has_only_other_tables(real):
        raise DatabaseUnavailableError(_OTHER_PROGRAM.format(file=file))


def _has_only_other_tables(file: Path) -> bool:
    """Return whether a database has tables, but not the bot's table ``key_values``.

    Return False if the database can't be read.
    """
    with (
        suppress(sqlite3.Error),  # the next connection reports the error
        closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as database,
    ):
        names = {row[0] for row in database.execute("SELECT tbl_name FROM sqlite_master")}
        # Other programs may also have a table ``alembic_version``.
        return bool(names) and "key_values" not in names
    return False


def _size_of(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _identity_of(file: Path) -> Identity | None:
    """Return the device and inode of the file at a path, or None if the path leads to no file.

    Raises:
        OSError: The file can't be accessed now.
    """
    try:
        # The file is not opened, because closing the file would release SQLite's locks.
        found = file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:  # the path is a loop of symbolic links
            return None
        raise
    return found.st_dev, found.st_ino
