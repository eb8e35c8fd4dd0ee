"""The clean-up: deletes overdue rows in short transactions, so that no writer waits long."""

from datetime import datetime

import structlog

from bot.store import erasure, retention
from bot.store.engine.database import Database

log = structlog.get_logger()

# Rows per transaction. SQLite has a single writer, so a reply waits for the transaction.
_SLICE = 200


async def clean(db: Database, *, now: datetime) -> int:
    """Delete all rows that are overdue at ``now``; return the number of deleted rows.

    Each transaction deletes at most 200 rows. Several replicas may clean up concurrently,
    because a deleted row is not found again.
    """
    gone = 0
    for what in retention.all_overdue(now):
        count = _SLICE
        while count == _SLICE:
            # If a power cut undoes the transaction, the next clean-up deletes the rows.
            async with db.begin(durable=False) as tx:
                count = await retention.delete_overdue(tx, what, limit=_SLICE)
            gone += count
    if gone:
        log.info("forgotten", rows=gone)
    return gone


async def empty_log(db: Database) -> bool:
    """Remove erased content from the log of SQLite; return False to be called again later.

    A reader of the file can prevent the removal. The database keeps the mark of an erasure until a
    checkpoint succeeds, so a restart loses no checkpoint.
    """
    mark = await db.fetch(erasure.owed_checkpoint)
    if mark is None:
        return True
    if not await db.truncate_log():
        log.info("erased content is still in the log of the database; trying again")
        return False
    await db.run(lambda tx: erasure.settle_checkpoint(tx, mark))
    return True
