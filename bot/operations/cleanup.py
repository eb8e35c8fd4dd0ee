"""The clean-up: what is overdue goes in short slices, so that nobody waits for it."""

from datetime import datetime

import structlog

from bot.store import retention
from bot.store.engine.database import Database

log = structlog.get_logger()

_SLICE = 200  # rows; SQLite has one writer, and a reply waits for a slice


async def clean(db: Database, *, now: datetime) -> int:
    """Delete until nothing is overdue at ``now``; return how many rows went.

    Each slice is a transaction of its own. Several replicas may do so at once: what one has
    deleted, another does not find.
    """
    gone = 0
    for what in retention.all_overdue(now):
        count = _SLICE
        while count == _SLICE:
            async with db.begin(durable=False) as tx:  # what a power cut undoes goes next time
                count = await retention.delete_overdue(tx, what, limit=_SLICE)
            gone += count
    if gone:
        log.info("forgotten", rows=gone)
    return gone
