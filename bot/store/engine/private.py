"""Files that only we may read: they hold what people follow, and what they wrote."""

import os
from contextlib import suppress
from pathlib import Path

OURS, OUR_FOLDER = 0o600, 0o700
_BESIDE = ("", "-wal", "-shm", ".lock")  # SQLite gives its log the rights of the database


def create_private(file: Path) -> None:
    """Make an empty file that only we may read.

    Raises:
        FileExistsError: There is such a file.
    """
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OURS))


def copy_owner(file: Path, *, like: Path) -> None:
    """Give ``file`` the owner of ``like``, where root works for the bot's user."""
    if os.geteuid() == 0:
        owner = like.stat()
        with suppress(OSError):  # a container's root may be without that right
            os.chown(file, owner.st_uid, owner.st_gid)


def make_database_private(file: Path) -> None:
    """Let nobody else read a database, what is beside it and its copies; make what is missing.

    A folder that was there before stays as it is. Files of another owner stay as well: whoever
    gave them to us knows why.
    """
    file.parent.mkdir(parents=True, exist_ok=True, mode=OUR_FOLDER)
    with suppress(FileExistsError):
        create_private(file)
    for one in (*(file.with_name(file.name + end) for end in _BESIDE), *migration_copies(file)):
        if one.exists() and one.stat().st_uid == os.geteuid():
            one.chmod(OURS)


def migration_copies(file: Path) -> list[Path]:
    """Return the copies that were made before migrations, oldest first."""
    return sorted(file.parent.glob(f"{file.name}.before-*"))
