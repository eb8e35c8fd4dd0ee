"""The clean-up: what is overdue goes in short slices, so that nobody waits for it."""

import time
from collections.abc import Callable
from datetime import datetime

import structlog

from bot.runtime.slice_size import next_limit
from bot.store import retention
from bot.store.engine.database import Database

log = structlog.get_logger()

_FIRST_SLICE = 200  # rows


async def clean(
    db: Database, *, now: datetime, stopwatch: Callable[[], float] = time.perf_counter
) -> int:
    """Delete until nothing is overdue at ``now``; return how many rows went.

    Each slice is a transaction of its own, of as many rows as took less than 30 ms before, with
    the commit, in which SQLite writes to its file what has gathered in the log. Several
    replicas may do so at once: what one has deleted, another does not find.
    """
    gone = 0
    for what in retention.rules(now):
        limit = _FIRST_SLICE
        while True:
            async with db.begin(durable=False) as tx:  # what a power cut undoes goes next time
                began = stopwatch()
                count = await retention.forget(tx, what, limit=limit)
            gone += count
            if count < limit:
                break
            limit = next_limit(limit, stopwatch() - began)
    if gone:
        log.info("forgotten", rows=gone)
    return gone
