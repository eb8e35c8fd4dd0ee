"""A lock that allows a single bot process per SQLite file.

The lock is necessary, because a starting process releases all claims in the file. The operating
system releases the lock when the process ends.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TextIO

import structlog
from sqlalchemy.engine import make_url

from bot.domain.errors import DatabaseUnavailableError
from bot.store.engine import private, sqlite_copies

log = structlog.get_logger()

_TRY_EVERY_S = 0.2
_TAKEN = "another process runs the bot on this database file: stop it first"


@asynccontextmanager
async def locked_sqlite_file(url: str, *, wait: timedelta) -> AsyncIterator[None]:
    """Lock the SQLite file of ``url`` while the block runs.

    If the database of ``url`` has no SQLite file, lock nothing.

    Raises:
        DatabaseUnavailableError: A different process held the lock for the whole of ``wait``, or
            the lock file can't be written.
    """
    parsed = make_url(url)
    path = parsed.database
    if parsed.get_backend_name() != "sqlite" or path in {None, "", ":memory:"}:
        yield
        return
    with _open_lock(_lock_file_of(str(path))) as handle:
        until = asyncio.get_running_loop().time() + wait.total_seconds()
        is_said = False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if asyncio.get_running_loop().time() >= until:
                    raise DatabaseUnavailableError(_TAKEN) from None
            if not is_said:
                log.warning("waiting for another process on this database file", file=handle.name)
                is_said = True
            await asyncio.sleep(_TRY_EVERY_S)
        yield


def _open_lock(file: Path) -> TextIO:
    try:
        private.make_folder(file.parent)
        return open(file, "a", opener=_open_private)
    except OSError as error:
        raise DatabaseUnavailableError(sqlite_copies.reason_of_file_error(error)) from error


def _lock_file_of(database: str) -> Path:
    """Return the path of the lock file. All symbolic links to a file have the same lock file."""
    return Path(f"{os.path.realpath(database)}.lock")


def _open_private(path: str, flags: int) -> int:
    is_new = not Path(path).exists()
    number = os.open(path, flags, 0o600)
    if is_new:
        private.copy_owner(Path(path), like=Path(path).parent)
    return number
