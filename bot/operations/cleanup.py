"""The deletion of rows whose retention has ended.

The transactions are short, so that other writers do not wait long.
"""

from datetime import datetime

import structlog

from bot.store import erasure, retention
from bot.store.engine.database import Database

log = structlog.get_logger()

# The maximum number of rows that a transaction deletes. The number is small, because SQLite has a
# single writer, so a reply must wait for the transaction.
_SLICE = 200


async def delete_overdue_rows(db: Database, *, now: datetime) -> int:
    """Delete the rows whose retention has ended at ``now``. Return the number of deleted rows.

    Each transaction deletes at most 200 rows. Rows that the database deletes together with a
    deleted row do not count. Several processes are allowed to clean up at the same time.
    """
    gone = 0
    for overdue in retention.conditions_of_overdue_rows(now):
        count = _SLICE
        while count == _SLICE:
            # If a power cut loses the commit, the next clean-up deletes the rows.
            async with db.begin(durable=False) as tx:
                count = await retention.delete_overdue(tx, overdue, limit=_SLICE)
            gone += count
    if gone:
        log.info("forgotten", rows=gone)
    return gone


async def complete_pending_checkpoint(db: Database) -> bool:
    """Remove erased content from SQLite's write-ahead log, if an erasure requires the removal.

    Return False if the removal must be repeated, because a reader or writer prevents the removal.
    The database stores the requirement until the removal succeeds, also over restarts.

    Raises:
        DatabaseUnavailableError: The database is unavailable, or its file was replaced.
    """
    mark = await db.fetch(erasure.pending_checkpoint_mark)
    if mark is None:
        return True
    if not await db.truncate_log():
        log.info("erased content is still in the log of the database; trying again")
        return False
    await db.run(lambda tx: erasure.remove_checkpoint_mark(tx, mark))
    return True
