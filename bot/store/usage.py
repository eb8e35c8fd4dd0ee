"""What each chat asked for and got by day: asks, items, bytes, its fair share of the polls."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from bot.store.database import Insert, Tx, built_once
from bot.store.json_rows import json_rows
from bot.store.profiles import profiles
from bot.store.schema import metadata
from bot.store.subscriptions import subscriptions

usage_days = sa.Table(
    "usage_days",
    metadata,
    sa.Column("chat_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("day", sa.Date, primary_key=True, index=True),
    sa.Column("kind", sa.String(10), primary_key=True),
    sa.Column("requests", sa.Integer, nullable=False),
    sa.Column("items", sa.Integer, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    # About its share of the checks: what a day's cost is split evenly among all who wait then.
    sa.Column("millicredits", sa.BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Use:
    """Sums of one kind (``link``, ``stories``, ``alert``) over some days."""

    requests: int = 0
    items: int = 0
    bytes: int = 0
    millicredits: int = 0

    def __add__(self, other: "Use") -> "Use":
        """Return both together."""
        return Use(
            self.requests + other.requests,
            self.items + other.items,
            self.bytes + other.bytes,
            self.millicredits + other.millicredits,
        )


_SUMS = tuple(Use.__dataclass_fields__)


def _adding(statement: sqlite.Insert) -> sa.Executable:
    """Return an insert that adds to the days that are there."""
    return statement.on_conflict_do_update(
        index_elements=list(usage_days.primary_key.columns),
        set_={name: usage_days.c[name] + statement.excluded[name] for name in _SUMS},
    )


@built_once
def _count(insert: Insert) -> sa.Executable:
    return _adding(insert(usage_days))


@built_once
def _count_alerts(insert: Insert) -> sa.Executable:
    sums = dict.fromkeys(_SUMS, sa.BigInteger)
    got = json_rows(insert, "got", chat_id=sa.BigInteger, **sums)
    day, kind = sa.bindparam("day", type_=sa.Date), sa.literal("alert")
    rows = (
        sa.select(got.c.chat_id, day, kind, *(got.c[name] for name in sums))
        .where(sa.literal_column("1 = 1"))  # else SQLite takes ON CONFLICT for a join's ON
        .order_by(got.c.chat_id)  # the order in which others lock the same rows
    )
    names = ["chat_id", "day", "kind", *sums]
    return _adding(insert(usage_days).from_select(names, rows))


async def count(
    tx: Tx,
    chat_id: int,
    kind: str,
    *,
    now: datetime,
    requests: int = 0,
    items: int = 0,
    size: int = 0,
    millicredits: int = 0,
) -> None:
    """Add to a chat's day; ``size`` in bytes sent."""
    sums = {"requests": requests, "items": items, "bytes": size, "millicredits": millicredits}
    await tx.execute(_count(tx), {"chat_id": chat_id, "day": now.date(), "kind": kind, **sums})


async def count_alerts(tx: Tx, got: Iterable[tuple[int, Use]], *, day: date) -> None:
    """Add what alerts brought and cost, by chat, to the chats' days."""
    by_chat: dict[int, Use] = {}
    for chat_id, use in got:
        by_chat[chat_id] = by_chat.get(chat_id, Use()) + use
    rows = [
        {"chat_id": chat_id, **{name: getattr(use, name) for name in _SUMS}}
        for chat_id, use in by_chat.items()
    ]
    if rows:
        await tx.execute(_count_alerts(tx), {"got": rows, "day": day})


async def of_chat(tx: Tx, chat_id: int, *, since: date) -> dict[str, Use]:
    """Return the sums of a chat by kind, from the day ``since`` on, which is not to come."""
    sums = [sa.func.coalesce(sa.func.sum(usage_days.c[name]), 0) for name in _SUMS]
    statement = (
        sa.select(usage_days.c.kind, *sums)
        .where(usage_days.c.chat_id == chat_id, usage_days.c.day >= since)
        .group_by(usage_days.c.kind)
    )
    uses = {row[0]: Use(*map(int, row[1:])) for row in await tx.execute(statement)}
    if share := await _share_of_today(tx, chat_id):
        uses["alert"] = uses.get("alert", Use()) + Use(millicredits=share)
    return uses


async def _share_of_today(tx: Tx, chat_id: int) -> int:
    """Return about what a chat bears of the checks that are not split yet, in thousandths."""
    followed = sa.select(subscriptions.c.profile_id).where(
        subscriptions.c.chat_id == chat_id, subscriptions.c.paused.is_(False)
    )
    part = 1000 * profiles.c.unsplit // profiles.c.chats
    statement = sa.select(sa.func.sum(part)).where(
        profiles.c.profile_id.in_(followed), profiles.c.chats > 0
    )
    return int((await tx.execute(statement)).scalar() or 0)


async def items_by_day(tx: Tx, chat_id: int, *, since: date) -> dict[date, int]:
    """Return how many stories a chat got by day."""
    return await _by_day(tx, "items", chat_id, since)


async def _by_day(tx: Tx, column: str, chat_id: int, since: date) -> dict[date, int]:
    statement = (
        sa.select(usage_days.c.day, sa.func.sum(usage_days.c[column]))
        .where(usage_days.c.chat_id == chat_id, usage_days.c.day >= since)
        .group_by(usage_days.c.day)
    )
    return {row[0]: int(row[1]) for row in await tx.execute(statement)}
