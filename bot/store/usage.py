"""Daily usage of each chat: stories, and the share of the cost of checks."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from operator import itemgetter

import sqlalchemy as sa

from bot.store.engine.columns import primary_key, required
from bot.store.engine.database import Tx, dict_of_rows
from bot.store.engine.prepared import Prepared
from bot.store.engine.schema import insert, metadata

usage_days = sa.Table(
    "usage_days",
    metadata,
    primary_key("chat_id", sa.BigInteger),
    sa.Column("day", sa.Date, primary_key=True, index=True),
    required("items", sa.Integer),
    # The chat's share of the cost of checks. The share is approximate, because the cost of a day
    # is divided evenly among the chats that are subscribed at the end of the day.
    required("millicredits", sa.BigInteger),
)


@dataclass(frozen=True, slots=True)
class Use:
    """The usage that is added to a chat's sums of a day.

    ``items`` is the number of stories that the chat received. ``millicredits`` is the chat's share
    of the cost of checks in 1/1000 credits.
    """

    items: int = 0
    millicredits: int = 0


_NEW = insert(usage_days)
_ADD = Prepared(
    _NEW.on_conflict_do_update(
        index_elements=list(usage_days.primary_key.columns),
        set_={name: usage_days.c[name] + _NEW.excluded[name] for name in Use.__dataclass_fields__},
    )
)


async def add(tx: Tx, used: Iterable[tuple[int, Use]], *, day: date) -> None:
    """Add the usage of chats to the sums of a day."""
    rows = [
        {"chat_id": chat_id, "day": day, **asdict(use)}
        # The order is fixed, so that concurrent transactions cause no deadlock.
        for chat_id, use in sorted(used, key=lambda entry: entry[0])
    ]
    if rows:
        await _ADD.execute(tx, rows)


async def move_chat(tx: Tx, old: int, new: int) -> None:
    """Add the usage of a group that became a supergroup to the usage of the supergroup.

    The rows of the group are deleted.
    """
    columns = usage_days.c
    both = sa.select(columns.day).where(columns.chat_id.in_([old, new]))
    # The rows of both chats are locked in the order of ``add``, so that a concurrent call of
    # ``add`` causes no deadlock.
    await tx.execute(both.order_by(columns.chat_id, columns.day).with_for_update())
    names = ["day", *Use.__dataclass_fields__]
    moved = sa.delete(usage_days).where(columns.chat_id == old)
    result = await tx.execute(moved.returning(*(columns[name] for name in names)))
    rows = [{"chat_id": new, **row} for row in result.mappings()]
    if rows:
        await _ADD.execute(tx, sorted(rows, key=itemgetter("day")))


async def received_stories_by_day(tx: Tx, chat_id: int, *, since: date) -> dict[date, int]:
    """Return the number of stories that a chat received on each day since the day ``since``.

    Days without stored usage are left out.
    """
    statement = sa.select(usage_days.c.day, usage_days.c["items"]).where(
        usage_days.c.chat_id == chat_id, usage_days.c.day >= since
    )
    return await dict_of_rows(tx, statement)
