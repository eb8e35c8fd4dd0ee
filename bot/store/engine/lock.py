"""A lock that allows a single bot process per SQLite file.

At its start, the process releases all leases as its own. Commands that read, or write single rows,
do not take the lock. The operating system owns the lock, and releases the lock at any end of the
process.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy.engine import make_url

from bot.domain.errors import DatabaseUnavailableError
from bot.store.engine import private

_TRY_EVERY_S = 0.2
_TAKEN = "another process runs the bot on this database file"


@asynccontextmanager
async def only_process(url: str, *, wait: timedelta) -> AsyncIterator[None]:
    """Lock the SQLite file of ``url`` for the block. Lock nothing on PostgreSQL.

    Raises:
        DatabaseUnavailableError: A different process held the lock for the whole of ``wait``.
    """
    parsed = make_url(url)
    path = parsed.database
    if parsed.get_backend_name() != "sqlite" or path in {None, "", ":memory:"}:
        yield
        return
    file = _lock_of(str(path))
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(file, "a", opener=_open_private) as handle:  # noqa: ASYNC230 - at the start, no other task runs yet
        until = asyncio.get_running_loop().time() + wait.total_seconds()
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if asyncio.get_running_loop().time() >= until:
                    raise DatabaseUnavailableError(_TAKEN) from None
            await asyncio.sleep(_TRY_EVERY_S)
        yield


def _lock_of(database: str) -> Path:
    """Return the path of the lock file, the same for all links to a database."""
    return Path(f"{os.path.realpath(database)}.lock")


def _open_private(path: str, flags: int) -> int:
    is_new = not Path(path).exists()
    number = os.open(path, flags, 0o600)
    if is_new:
        private.copy_owner(Path(path), like=Path(path).parent)
    return number
