"""Files that only one operating system user may read: the user who runs the bot.

The files are private, because they contain subscriptions and messages.
"""

import glob
import os
import pwd
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

OURS, OUR_FOLDER = 0o600, 0o700
# The endings of the names of an SQLite file and of the files that belong to it. SQLite creates the
# log (``-wal``) with the file mode of the database.
_BESIDE = ("", "-wal", "-shm", ".lock")


def create_private(file: Path) -> None:
    """Create an empty file that only the current operating system user may read.

    Raises:
        FileExistsError: The file exists.
        OSError: The file can't be created.
    """
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OURS))


def make_folder(folder: Path, *, like: Path | None = None) -> None:
    """Create a folder and its missing parents. Do nothing if the folder exists.

    If root runs the process, the new folders get the owner of ``like``, by default the owner of
    the nearest existing parent.

    Raises:
        OSError: The folder can't be created.
    """
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    folder.mkdir(parents=True, exist_ok=True, mode=OUR_FOLDER)
    for parent in reversed(missing):
        copy_owner(parent, like=like or parent.parent)


def copy_owner(file: Path, *, like: Path) -> None:
    """Set the owner of ``file`` to the owner of ``like``, if root runs the process.

    If the owner can't be changed, no error is raised.
    """
    if os.geteuid() == 0:
        owner = like.stat()
        with suppress(OSError):  # In a container, even root may lack the right to change owners.
            os.chown(file, owner.st_uid, owner.st_gid)


def other_owner_note(path: Path) -> str:
    """Return a note in brackets if the owner of a file is not the user of this process.

    The note says that the owner must run the command. If the owner is the same user or has no
    name, the result is empty.
    """
    for parent in (path, *path.absolute().parents):
        with suppress(OSError):
            owner = parent.stat().st_uid
            break
    else:
        return ""
    if owner == os.geteuid():
        return ""
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        return ""
    return f" ({parent} belongs to the user {name}, so run the command as {name})"


def create_or_restrict_database(file: Path) -> None:
    """Create a missing SQLite file, and let only the current user read the file.

    The log, the lock file and the copies from before migrations become private too. Files of
    another owner are not changed.

    Raises:
        OSError: A file or folder can't be created or changed.
    """
    real = Path(os.path.realpath(file))  # SQLite creates the side files beside the real file
    real.parent.mkdir(parents=True, exist_ok=True, mode=OUR_FOLDER)
    with suppress(FileExistsError):
        create_private(real)
    beside = [real.with_name(real.name + end) for end in _BESIDE]
    for path in [*beside, *_copies_and_parts(file)]:
        if path.exists() and path.stat().st_uid == os.geteuid():
            path.chmod(OURS)


def migration_copies(file: Path) -> list[Path]:
    """Return the complete copies of a database that were made before migrations.

    The order is the order of the revisions in the names of the copies.
    """
    return sorted(copy for copy in _copies_and_parts(file) if not copy.suffix.startswith(".part"))


def _copies_and_parts(file: Path) -> Iterator[Path]:
    """Yield the copies of a database from before migrations, including unfinished copies."""
    return file.parent.glob(f"{glob.escape(file.name)}.before-*")
