"""The SQLite file of a running bot: detection of a replaced file, and rescue of the content.

A new connection opens the file that is at the path now, but uses the write-ahead log of the
previous file. SQLite then truncates the log of the previous file, or writes pages of this log into
the wrong file (https://sqlite.org/howtocorrupt.html). Therefore no connection is opened if the
file at the path was moved, deleted or replaced. Files are compared by ``os.stat`` only. To open
and close a file for the comparison would release SQLite's locks.
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
from bot.runtime.clock import steady
from bot.store.engine import private, sqlite_copies
from bot.store.engine.secure_delete import SECURE_DELETE

Identity = tuple[int, int]
"""Device and inode."""

_LOGS = ("-wal", "-shm")
# Seconds between two checks that must both find a difference. A single check may find a difference
# only because somebody is about to move the file back.
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
    """An open connection to the SQLite file.

    If the file is replaced, the connection can rescue the content of the original file.
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

        The reason applies if ``check_and_record_in_place`` returns False.
        """

    def open(self) -> None:
        """Open the connection and record the identities of the files. The call blocks.

        Raises:
            OSError, sqlite3.Error: The file can't be opened or read.
        """
        self._real = Path(os.path.realpath(self._path))
        uri = existing_uri(self._real)
        self._connection = sqlite3.connect(
            uri, uri=True, isolation_level=None, check_same_thread=False
        )
        self._connection.execute(SECURE_DELETE)
        # The first read opens the log. SQLite keeps the log while a connection has the log open.
        self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        for file in (self._path, *self._log_paths()):
            if identity := _identity_of(file):
                self._identities[file] = identity

    def _log_paths(self) -> list[Path]:
        return [self._real.with_name(self._real.name + end) for end in _LOGS]

    def check_and_record_in_place(self) -> bool:
        """Return whether each path still leads to the opened file.

        The first check that finds a difference returns False. The difference may end, for example
        because somebody moves the file back. If a later check confirms the difference after at
        least 0.5 seconds, ``is_replaced`` is set. From then on, the result is always False.
        """
        if self.is_replaced.is_set():
            return False
        if self.matches():
            self._differs_since = None
            return True
        if self._differs_since is None:
            self._differs_since = steady()
        elif steady() - self._differs_since >= _CONFIRM_S:
            self.is_replaced.set()
        return False

    def matches(self) -> bool:
        """Return whether each path leads to the opened file now. ``is_replaced`` is not set.

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

        The call blocks. Return the path of the copy, which only the bot's user may read. A second
        call returns the same copy. If a different database has replaced the original file, the
        log of the original database is renamed first.

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
                why = sqlite_copies.reason_of(error)
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
        """Rename the log and delete its index if a different database has the original path now.

        Otherwise SQLite would apply the log of the original database to the different database. If
        only a symbolic link has changed and now points to a different file, the log is still
        beside the original database, and is not renamed.
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
    """Return a URI with which SQLite opens an existing file and does not create a missing file."""
    return f"{file.absolute().as_uri()}?mode=rw"


def raise_if_log_orphaned(file: Path) -> None:
    """Refuse an empty or missing database file beside a log that is not empty.

    The log contains the newest commits of a database that was moved. SQLite would delete the log.

    Raises:
        DatabaseUnavailableError: The log has no database.
    """
    real = Path(os.path.realpath(file))
    log = real.with_name(f"{real.name}-wal")
    if _size_of(real) == 0 and _size_of(log) > 0:
        raise DatabaseUnavailableError(_ORPHAN.format(log=log))


def raise_if_wrong_file(file: Path) -> None:
    """Refuse a path that can't be a database of the bot, before the file is opened and changed.

    This function reads the header and the names of the tables. Use this function only for a path
    without connections of this process, because the close of the file after the read releases
    SQLite's locks. A damaged file, and a file that is no SQLite database, are not detected. A
    missing or empty file is refused only beside a log that is not empty.

    Raises:
        DatabaseUnavailableError: The path can't be accessed or is not a file, the write-ahead log
            belongs to a different or missing database, or the database belongs to a different
            program. A file without read permission is not refused.
    """
    raise_if_log_orphaned(file)
    try:
        mode = file.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise DatabaseUnavailableError(sqlite_copies.reason_of(error)) from error
    if not stat.S_ISREG(mode):
        raise DatabaseUnavailableError(_NO_FILE.format(file=file))
    real = Path(os.path.realpath(file))
    if sqlite_copies.has_foreign_log(real):
        log = real.with_name(f"{real.name}-wal")
        raise DatabaseUnavailableError(_OTHERS_LOG.format(log=log, file=file))
    if _has_only_other_tables(real):
        raise DatabaseUnavailableError(_OTHER_PROGRAM.format(file=file))


def _has_only_other_tables(file: Path) -> bool:
    """Return whether a database has tables, but the tables of no version of the bot.

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
    """Return the identity of the file at a path, or None if the path leads to no file.

    Raises:
        OSError: The identity is unknown now.
    """
    try:
        found = file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:  # the path is a loop of symbolic links
            return None
        raise
    return found.st_dev, found.st_ino
