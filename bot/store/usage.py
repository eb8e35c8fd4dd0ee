"""What each chat asked for and got by day: asks, items, bytes, its fair share of the polls."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from bot.domain.budget import DAY
from bot.store.audiences import audiences, check_shares, waiting_chats
from bot.store.database import Insert, Tx, built_once, insert_for
from bot.store.json_rows import json_rows
from bot.store.schema import metadata

usage_days = sa.Table(
    "usage_days",
    metadata,
    sa.Column("chat_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("day", sa.Date, primary_key=True, index=True),
    sa.Column("kind", sa.String(10), primary_key=True),
    sa.Column("requests", sa.Integer, nullable=False),
    sa.Column("items", sa.Integer, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    # A check's credits are split among the chats that wait for it, to the thousandth; here is what
    # is settled, ``borne`` what is not.
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


async def count_alerts(tx: Tx, got: Iterable[tuple[int, Use]], *, now: datetime) -> None:
    """Add what alerts brought, by chat, to the chats' days."""
    by_chat: dict[int, Use] = {}
    for chat_id, use in got:
        by_chat[chat_id] = by_chat.get(chat_id, Use()) + use
    rows = [
        {"chat_id": chat_id, **{name: getattr(use, name) for name in _SUMS}}
        for chat_id, use in by_chat.items()
    ]
    if rows:
        await tx.execute(_count_alerts(tx), {"got": rows, "day": now.date()})


async def of_chat(tx: Tx, chat_id: int, *, since: date) -> dict[str, Use]:
    """Return the sums of a chat by kind, from the day ``since`` on."""
    sums = [sa.func.coalesce(sa.func.sum(usage_days.c[name]), 0) for name in _SUMS]
    statement = (
        sa.select(usage_days.c.kind, *sums)
        .where(usage_days.c.chat_id == chat_id, usage_days.c.day >= since)
        .group_by(usage_days.c.kind)
    )
    uses = {row[0]: Use(*map(int, row[1:])) for row in await tx.execute(statement)}
    open_ = sum((await borne(tx, since=since, chat_id=chat_id)).get(chat_id, {}).values())
    if open_:
        uses["alert"] = uses.get("alert", Use()) + Use(millicredits=open_)
    return uses


async def millicredits_by_day(tx: Tx, chat_id: int, *, since: date) -> dict[date, int]:
    """Return a chat's share of the polls by day, in thousandths of a credit."""
    days = (await borne(tx, since=since, chat_id=chat_id)).get(chat_id, {})
    for day, part in (await _by_day(tx, "millicredits", chat_id, since)).items():
        days[day] = days.get(day, 0) + part
    return days


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


async def split(tx: Tx, profile_id: str, amount: int, *, now: datetime) -> None:
    """Share ``amount`` credits among all chats that wait for a profile, however many these are.

    Each bears its part from now on, and what it bears is booked when it no longer waits
    (``settle``). What can't be split evenly is split with the next check: no thousandth is lost.
    """
    mine = audiences.c.profile_id == profile_id
    statement = sa.select(audiences.c.chats, audiences.c.rest).where(mine)
    row = (await tx.execute(statement.with_for_update())).one_or_none()
    if row is None or not row.chats or not amount:
        return
    part, rest = divmod(amount * 1000 + row.rest, row.chats)
    await tx.execute(sa.update(audiences).where(mine).values(rest=rest))
    if part:
        day, _ = await _latest(tx, profile_id, now.date())
        await tx.execute(_share(tx), {"profile_id": profile_id, "day": day, "millicredits": part})


@built_once
def _share(insert: Insert) -> sa.Executable:
    statement = insert(check_shares)
    added = check_shares.c.millicredits + statement.excluded.millicredits
    return statement.on_conflict_do_update(
        index_elements=list(check_shares.primary_key.columns), set_={"millicredits": added}
    )


async def begin(tx: Tx, profile_id: str, today: date) -> tuple[date, int]:
    """Return on which day a new chat begins to bear, and what that has cost each chat before.

    The audience is locked. No later check counts for a day before that one.
    """
    day, share = await _latest(tx, profile_id, today)
    if share is None:
        await tx.execute(_share(tx), {"profile_id": profile_id, "day": day, "millicredits": 0})
    return day, share or 0


async def _latest(tx: Tx, profile_id: str, today: date) -> tuple[date, int | None]:
    """Return the day for which checks of a profile count, and its share if it has one.

    It is tomorrow's where another replica was there first: its time was taken a little later, or
    its clock is ahead. One that is ahead by more than that is not believed.
    """
    mine = sa.and_(
        check_shares.c.profile_id == profile_id, check_shares.c.day.between(today, today + DAY)
    )
    latest = (
        sa.select(check_shares.c.day, check_shares.c.millicredits)
        .where(mine)
        .order_by(check_shares.c.day.desc())
    )
    row = (await tx.execute(latest.limit(1))).one_or_none()
    return (today, None) if row is None else (row.day, row.millicredits)


async def settle(
    tx: Tx, profile_id: str, chat_ids: Sequence[int], *, rest: int, now: datetime
) -> int:
    """Book what chats that wait no longer have borne; the audience is locked.

    Of the thousandths that are left, each takes one while there are any. Returns what is left of
    ``rest``: who leaves last leaves nothing.
    """
    leaving = sa.and_(
        waiting_chats.c.profile_id == profile_id, waiting_chats.c.chat_id.in_(chat_ids)
    )
    zero = sa.literal(0)
    names = ["chat_id", "day", "kind", *Use.__dataclass_fields__]
    borne = sa.select(
        BORNE.c.chat_id,
        BORNE.c.day,
        sa.literal("alert"),
        zero,
        zero,
        zero,
        BORNE.c.millicredits,
    ).where(
        BORNE.c.profile_id == profile_id,
        BORNE.c.chat_id.in_(chat_ids),
        BORNE.c.millicredits != 0,
    )
    insert = insert_for(tx)(usage_days).from_select(names, borne.order_by(BORNE.c.chat_id))
    added = usage_days.c.millicredits + insert.excluded.millicredits
    await tx.execute(
        insert.on_conflict_do_update(
            index_elements=list(usage_days.primary_key.columns), set_={"millicredits": added}
        )
    )
    await tx.execute(sa.delete(waiting_chats).where(leaving))
    paying = sorted(chat_ids)[:rest]
    await count_alerts(tx, [(chat_id, Use(millicredits=1)) for chat_id in paying], now=now)
    return rest - len(paying)


BORNE = (
    sa.select(
        waiting_chats.c.profile_id,
        waiting_chats.c.chat_id,
        check_shares.c.day,
        (
            check_shares.c.millicredits
            - sa.case((check_shares.c.day == waiting_chats.c.day, waiting_chats.c.share), else_=0)
        ).label("millicredits"),
    )
    .join(
        check_shares,
        sa.and_(
            check_shares.c.profile_id == waiting_chats.c.profile_id,
            check_shares.c.day >= waiting_chats.c.day,
        ),
    )
    .subquery()
)
"""What chats that still wait have borne, by profile and day."""


async def borne(tx: Tx, *, since: date, chat_id: int | None = None) -> dict[int, dict[date, int]]:
    """Return what chats that wait have borne and is not booked yet, in thousandths, by day."""
    statement = (
        sa.select(BORNE.c.chat_id, BORNE.c.day, sa.func.sum(BORNE.c.millicredits))
        .where(BORNE.c.day >= since)
        .group_by(BORNE.c.chat_id, BORNE.c.day)
    )
    if chat_id is not None:
        statement = statement.where(BORNE.c.chat_id == chat_id)
    by_chat: dict[int, dict[date, int]] = {}
    for chat, day, part in await tx.execute(statement):
        if part:
            by_chat.setdefault(chat, {})[day] = int(part)
    return by_chat
