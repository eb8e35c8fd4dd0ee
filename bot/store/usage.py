"""What each chat asked for and got by day: asks, items, bytes, its fair share of the polls."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from bot.store.chats import chats
from bot.store.database import Insert, Tx, built_once, insert_for
from bot.store.schema import metadata
from bot.store.subscriptions import WAITS, subscriptions

usage_days = sa.Table(
    "usage_days",
    metadata,
    sa.Column("chat_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("kind", sa.String(10), primary_key=True),
    sa.Column("requests", sa.Integer, nullable=False),
    sa.Column("items", sa.Integer, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    # A poll's credits are split among the chats that follow the profile, to the thousandth.
    sa.Column("millicredits", sa.BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Use:
    """Sums of one kind (``link``, ``stories``, ``alert``) over some days."""

    requests: int = 0
    items: int = 0
    bytes: int = 0
    millicredits: int = 0


@built_once
def _count(insert: Insert) -> sa.Executable:
    table = usage_days
    statement = insert(table)
    return statement.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_={name: table.c[name] + statement.excluded[name] for name in Use.__dataclass_fields__},
    )


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
    row = {"chat_id": chat_id, "day": now.date(), "kind": kind, **sums}
    await tx.execute(_count(tx), row)


async def count_alerts(tx: Tx, got: Iterable[tuple[int, Use]], *, now: datetime) -> None:
    """Add what alerts brought, by chat, to the chats' days."""
    alike = {"day": now.date(), "kind": "alert"}
    rows = [{"chat_id": chat_id, **alike, **asdict(use)} for chat_id, use in got]
    if rows:
        await tx.execute(_count(tx), sorted(rows, key=lambda row: row["chat_id"]))


async def of_chat(tx: Tx, chat_id: int, *, since: date) -> dict[str, Use]:
    """Return the sums of a chat by kind, from the day ``since`` on."""
    table = usage_days
    sums = [sa.func.coalesce(sa.func.sum(table.c[name]), 0) for name in Use.__dataclass_fields__]
    statement = (
        sa.select(table.c.kind, *sums)
        .where(table.c.chat_id == chat_id, table.c.day >= since)
        .group_by(table.c.kind)
    )
    return {row[0]: Use(*map(int, row[1:])) for row in await tx.execute(statement)}


async def millicredits_by_day(tx: Tx, chat_id: int, *, since: date) -> dict[date, int]:
    """Return a chat's share of the polls by day, in thousandths of a credit."""
    table = usage_days
    statement = (
        sa.select(table.c.day, sa.func.sum(table.c.millicredits))
        .where(table.c.chat_id == chat_id, table.c.day >= since)
        .group_by(table.c.day)
    )
    return {row[0]: int(row[1]) for row in await tx.execute(statement)}


async def items_by_day(tx: Tx, chat_id: int, *, since: date) -> dict[date, int]:
    """Return how many stories a chat got by day."""
    table = usage_days
    statement = (
        sa.select(table.c.day, sa.func.sum(table.c["items"]))
        .where(table.c.chat_id == chat_id, table.c.day >= since)
        .group_by(table.c.day)
    )
    return {row[0]: int(row[1]) for row in await tx.execute(statement)}


async def forget_old(tx: Tx, now: datetime, *, days: int) -> None:
    """Remove days longer ago than ``days``."""
    await tx.execute(
        sa.delete(usage_days).where(usage_days.c.day < now.date() - timedelta(days=days))
    )


async def split(tx: Tx, profile_id: str, amount: int, *, now: datetime) -> None:
    """Book ``amount`` credits on all chats that wait for a profile; no thousandth is lost."""
    waiting = (
        sa.select(subscriptions.c.chat_id)
        .join(chats, chats.c.id == subscriptions.c.chat_id)
        .where(subscriptions.c.profile_id == profile_id, WAITS)
        .distinct()
        .subquery()
    )
    number = (await tx.execute(sa.select(sa.func.count()).select_from(waiting))).scalar() or 0
    if not number or not amount:
        return
    part, rest = divmod(amount * 1000, number)
    place = sa.func.row_number().over(order_by=waiting.c.chat_id)
    zero = sa.literal(0)
    source = sa.select(
        waiting.c.chat_id,
        sa.literal(now.date(), sa.Date),
        sa.literal("alert"),
        zero,
        zero,
        zero,
        part + sa.case((place <= rest, 1), else_=0),
    ).where(sa.true())
    names = ["chat_id", "day", "kind", "requests", "items", "bytes", "millicredits"]
    insert = insert_for(tx)(usage_days).from_select(names, source.order_by(waiting.c.chat_id))
    added = usage_days.c.millicredits + insert.excluded.millicredits
    await tx.execute(
        insert.on_conflict_do_update(
            index_elements=["chat_id", "day", "kind"], set_={"millicredits": added}
        )
    )
