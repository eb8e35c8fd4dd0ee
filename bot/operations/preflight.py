"""Checks of the machine before the start of the bot: database, folders, open files.

The command ``check`` prints every result. The command ``run`` ends at the first error, after
repeated checks if the error may end soon.
"""

import os
import shutil
import tempfile
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeAlias

from bot.domain.errors import BackupError, DatabaseUnavailableError
from bot.domain.model import MEGABYTE, Unknown
from bot.runtime import open_files
from bot.store import access, profiles
from bot.store.copies import backups
from bot.store.engine.database import NEWER, Database
from bot.store.engine.failures import may_end_soon
from bot.store.engine.readiness import Readiness, readiness
from bot.store.engine.sqlite_file import raise_if_wrong_file
from bot.store.profiles import NAME_IS_SURE

NotApplicable: TypeAlias = None
"""In the type of a result, the check does not apply, or no problem is known."""

SPOOL_MB = 2000
"""The maximum total size of all downloads on the disk, in megabytes."""
_SPARE_MB = 500  # megabytes that must stay free for the database and its write-ahead log

_SENTENCES = {
    Readiness.CURRENT: "The database can be written and is up to date.",
    Readiness.OLD: "The database is from an older version; a start migrates it.",
    Readiness.EMPTY: "The database is new; a start makes its tables.",
}
_LOST = (
    "DATABASE_URL: {file} is missing or empty, and was not when the bot ran last. Put it back "
    "with its -wal file, or run storybell restore {copy}. To begin anew, remove {stamp}."
)
_NO_FILE = (
    "there is no file {file}. Start the bot on it first, or name the settings of the bot: "
    "storybell --env-file FILE COMMAND"
)
_STAMP = ".database"
_MOUNTS = Path("/proc/self/mountinfo")  # described in the manual page proc_pid_mountinfo(5)
_NETWORK = frozenset(
    {
        "9p", "afs", "beegfs", "ceph", "cifs", "davfs", "fuse.ceph-fuse", "fuse.gcsfuse",
        "fuse.glusterfs", "fuse.mount-s3", "fuse.rclone", "fuse.s3fs", "fuse.sshfs", "glusterfs",
        "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs",
    }
)  # fmt: skip
_ON_NETWORK = (
    "DATABASE_URL: {file} is on a network file system ({kind}), which is not supported: locks may "
    "fail there, and damage the database. Use a local disk, or PostgreSQL."
)
_MOUNTED_ALONE = (
    "DATABASE_URL: {file} is mounted alone. Its log ({file}-wal) has the newest data, and is lost "
    "with the container. Mount the folder of the file instead."
)
_NOT_OURS = (
    "The bot makes no backups of PostgreSQL: let pg_dump run by a schedule (docs/backup.md)."
)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of a check.

    The level "wrong" prevents the start of the bot. The levels "note" and "ok" do not
    prevent the start.

    ``is_temporary`` means that the error may end soon, for example because the database
    restarts.
    """

    level: Literal["ok", "note", "wrong"]
    text: str
    is_temporary: bool = False


async def check_database(url: str, spool: Path | None = None) -> CheckResult:
    """Open the database and compare its tables with the tables that the code expects.

    An SQLite file is switched to a write-ahead log. An empty file is an error if a record in the
    folder ``spool`` shows that the database had tables before.
    """
    try:
        async with Database(url) as db:
            if db.is_sqlite and db.file is None:
                return CheckResult("wrong", f"{backups.IN_MEMORY}.")
            state = await readiness(db)
            if state is Readiness.EMPTY and spool and _was_stamped_with_tables(db, spool):
                copy = _copy_rescued_since_last_start(db, spool) or "with the newest backup"
                text = _LOST.format(file=db.file, copy=copy, stamp=spool / _STAMP)
                return CheckResult("wrong", text)
    except ModuleNotFoundError:
        text = "DATABASE_URL: PostgreSQL needs an extra: pip install 'storybell[postgres]'."
        return CheckResult("wrong", text)
    except (OSError, DatabaseUnavailableError) as error:
        return unusable_database_result(error)
    if state is Readiness.NEWER:
        return CheckResult("wrong", f"DATABASE_URL: the database can't be used: {NEWER}.")
    return CheckResult("ok", _SENTENCES[state])


def raise_if_no_database_file(db: Database) -> None:
    """Check that an SQLite database is an existing file of the bot. Do nothing for PostgreSQL.

    Raises:
        DatabaseUnavailableError: The file is missing or is not a database of the bot, or the
            database is in memory.
    """
    if not db.is_sqlite:
        return
    if db.file is None:
        raise DatabaseUnavailableError(backups.IN_MEMORY)
    raise_if_wrong_file(db.file)
    if not db.file.exists():
        raise DatabaseUnavailableError(_NO_FILE.format(file=db.file.absolute()))


def unusable_database_result(error: Exception) -> CheckResult:
    """Return the result that the database can't be used because of ``error``."""
    text = f"DATABASE_URL: the database can't be used: {error}."
    return CheckResult("wrong", text, is_temporary=may_end_soon(error))


async def check_integrity(url: str) -> CheckResult | NotApplicable:
    """Read the whole SQLite database. Return an error if the database is damaged or unreadable.

    Return None without a database file of the bot. Other processes may use the database at the
    same time.
    """
    db = Database(url)
    if db.file is None:
        return None
    try:
        raise_if_wrong_file(db.file)
        if not db.file.exists() or not db.file.stat().st_size:
            return None
    except DatabaseUnavailableError:
        return None  # ``check_database`` reports the error
    try:
        await backups.raise_if_damaged(db)
    except BackupError as error:
        return unusable_database_result(error)
    return CheckResult("ok", f"All of {db.file} can be read, and is whole.")


def check_file_system_of_sqlite(url: str, mounts: Path = _MOUNTS) -> CheckResult | NotApplicable:
    """Return a note if the place of the SQLite file is not safe, or else None.

    A network file system is not safe, and neither is a file that is mounted into a container
    without its folder. ``mounts`` is the kernel's list of mounts.
    """
    if not url.startswith("sqlite"):
        return None
    db = Database(url)
    if db.file is None:
        return None
    path = Path(os.path.realpath(db.file))
    with suppress(OSError):  # only Linux has a list of mounts, and the path may be unreadable
        existing = next(folder for folder in (path, *path.parents) if folder.exists())
        device = existing.stat().st_dev
        number = f"{os.major(device)}:{os.minor(device)}"
        for line in mounts.read_text(errors="replace").splitlines():
            left, _, right = line.partition(" - ")
            kind = right.partition(" ")[0]
            columns = left.split()
            if columns[2:3] == [number] and kind in _NETWORK:
                return CheckResult("note", _ON_NETWORK.format(file=path, kind=kind))
            if columns[4:5] == [str(path)]:
                return CheckResult("note", _MOUNTED_ALONE.format(file=path))
    return None


def record_that_tables_exist(db: Database, spool: Path) -> None:
    """Record in the folder ``spool`` that the SQLite file has tables. Ignore PostgreSQL.

    ``check_database`` uses the record to detect a later loss of the tables.

    Raises:
        OSError: The record can't be written.
    """
    if db.is_sqlite:
        (spool / _STAMP).write_bytes(_encoded_database_path(db))


def _was_stamped_with_tables(db: Database, spool: Path) -> bool:
    mark = spool / _STAMP
    return db.is_sqlite and mark.is_file() and mark.read_bytes() == _encoded_database_path(db)


def _copy_rescued_since_last_start(db: Database, spool: Path) -> Path | None:
    """Return the newest rescued copy that was written after the last start of the bot, or None.

    An older copy can lack data that the newest backup contains.
    """
    started_at = (spool / _STAMP).stat().st_mtime
    copies = backups.copies_rescued_from_replaced_file(db)
    since = [copy for copy in copies if copy.stat().st_mtime >= started_at]
    return since[-1] if since else None


def _encoded_database_path(db: Database) -> bytes:
    return os.fsencode(Path(db.url.database or "").absolute())


async def read_owners_by_link(url: str) -> set[int] | Unknown:
    """Return the ids of the owners who used an owner link. A new database has no owners.

    Return None if the database can't be used, or is from another version.
    """
    try:
        async with Database(url) as db:
            state = await readiness(db)
            if state is Readiness.CURRENT:
                return await db.fetch(access.ids_of_owners_by_link)
    except (OSError, ModuleNotFoundError, DatabaseUnavailableError):
        return None  # ``check_database`` reports the error
    return set() if state is Readiness.EMPTY else None


async def check_ids_of_blocked_names(
    url: str, names: Collection[str]
) -> CheckResult | NotApplicable:
    """Return a note about names in ``BLOCKED_PROFILES`` whose id is not known, or else None.

    An id is known from the access list, or from an answer of the Stories API in the last 30 days
    (``NAME_IS_SURE``).
    """
    names = [name for name in names if not name.isdecimal()]
    try:
        async with Database(url) as db:
            if not names or await readiness(db) is not Readiness.CURRENT:
                return None
            known = await db.fetch(lambda tx: access.listed_profile_ids_by_username(tx, names))
            since = datetime.now(UTC) - NAME_IS_SURE
            found = await db.fetch(
                lambda tx: profiles.ids_by_username(tx, names, named_since=since)
            )
    except (OSError, ModuleNotFoundError, DatabaseUnavailableError):
        return None  # ``check_database`` reports the error
    unknown = sorted(set(names) - known.keys() - found.keys())
    if not unknown:
        return None
    text = (
        f"BLOCKED_PROFILES: the ID is not known yet of {', '.join(unknown)}: a new name would "
        f"pass. Send the bot /block {unknown[0]}: it offers to look the ID up for 1 credit."
    )
    return CheckResult("note", text)


def increase_open_files_limit() -> CheckResult:
    """Raise the limit of open files of this process to ``open_files.WANTED``, if possible.

    A higher limit stays. Return an error if the resulting limit is too low for the bot, or else a
    result "ok".
    """
    limit = open_files.raise_open_files_limit()
    if limit < open_files.LEAST:
        text = (
            f"The bot may open {limit} files at once and needs {open_files.LEAST}: raise the "
            f"limit (ulimit -n {open_files.WANTED}; systemd: LimitNOFILE; Docker: --ulimit)."
        )
        return CheckResult("wrong", text)
    return CheckResult("ok", f"The bot may open {limit} files at once.")


def check_spool_folder(path: Path) -> CheckResult:
    """Write a test file into the download folder.

    Return an error if the folder can't be written, and a note if less than 2,500 MB are free.
    """
    try:
        free_mb = shutil.disk_usage(_test_write_and_return_folder(path)).free // MEGABYTE
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return CheckResult("wrong", f"SPOOL_DIR: {path} can't be written: {reason}.")
    if free_mb < SPOOL_MB + _SPARE_MB:
        text = (
            f"Downloads wait in {path.absolute()}, where {free_mb} MB are free; they may take "
            f"{SPOOL_MB} MB."
        )
        return CheckResult("note", text)
    return CheckResult("ok", f"Downloads wait in {path.absolute()}.")


def _test_write_and_return_folder(path: Path) -> Path:
    """Write a test file into a folder. Return the folder into which the file was written.

    If ``path`` does not exist, the nearest existing parent folder is used instead. The test file
    is removed afterwards.
    """
    existing = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    with tempfile.TemporaryFile(dir=existing):
        return existing


def check_backup_folder(path: Path, *, hours: int, is_sqlite: bool) -> CheckResult:
    """Return a note if no backups are made, or else write a test file into the backup folder.

    If the folder can't be written, also return a note. ``hours`` is the interval of the backups. 0
    means no backups.
    """
    if not is_sqlite:
        return CheckResult("note", _NOT_OURS)
    if not hours:
        return CheckResult("note", "BACKUP_HOURS: no backups are made by themselves.")
    try:
        _test_write_and_return_folder(path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return CheckResult("note", f"BACKUP_DIR: no backup can be made: {path}: {reason}.")
    return CheckResult("ok", f"A backup is made every {hours} hours, in {path.absolute()}.")
