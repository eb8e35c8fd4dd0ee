"""Sums over the entries of the ledger, plus the chats' shares of checks."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from bot.store.engine.database import Tx
from bot.store.ledger import NOBODY, PRESUMED, ledger_entries
from bot.store.usage import usage_days

_DAY_MS = 86_400_000
_EPOCH_DAY = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Part:
    """The credits spent on a day for a kind of request and an operation."""

    day: date
    kind: str
    operation: str
    credits: int


_ENTRIES = ledger_entries.c
# The number is a literal, because PostgreSQL treats two parameters as different expressions.
_DAY = sa.type_coerce(_ENTRIES.at, sa.BigInteger) // sa.literal_column(str(_DAY_MS), sa.Integer)


async def spent_by_kind(tx: Tx, *, since: date) -> list[Part]:
    """Return the spending since the day ``since``, by day, kind and operation."""
    key = (_DAY, _ENTRIES.kind, _ENTRIES.operation)
    spent = (
        sa.select(*key, sa.func.sum(_ENTRIES.credits))
        .where(_ENTRIES.at >= _midnight(since))
        .group_by(*key)
        .order_by(*key)
    )
    return [
        Part(_EPOCH_DAY + timedelta(days=day), kind, operation, int(credits_))
        for day, kind, operation, credits_ in await tx.execute(spent)
    ]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


async def spent_between(tx: Tx, start: datetime, end: datetime) -> int:
    """Return the credits spent after ``start`` and until ``end``, including reservations."""
    statement = sa.select(sa.func.sum(ledger_entries.c.credits)).where(
        ledger_entries.c.at > start, ledger_entries.c.at <= end
    )
    return int(await tx.scalar(statement) or 0)


async def presumed_credits_since(tx: Tx, start: datetime) -> int:
    """Return the credits of calls since ``start`` with an unknown bill."""
    statement = sa.select(sa.func.sum(_ENTRIES.credits)).where(
        _ENTRIES.state == PRESUMED, _ENTRIES.at >= start
    )
    return int(await tx.scalar(statement) or 0)


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a person's requests of a kind in a chat, in 1/1000 credits.

    ``user_id`` is None if the person is unknown, and for a chat's share of the cost of checks. If
    ``is_on_behalf`` is True, the requests have no person, and ``user_id`` is the payer.
    """

    chat_id: int
    user_id: int | None
    kind: str
    is_on_behalf: bool
    millicredits: int


async def costs_by_asker(
    tx: Tx, *, since: date, only_ids: Collection[int] | None = None
) -> list[Cost]:
    """Return the spending since the day ``since``, by chat, person and kind.

    The cost of checks has the kind ``alert``, and is split among the subscribed chats. The entries
    of the schedule and of erased chats are omitted. With ``only_ids``, only the costs of these
    chats and persons are included.
    """
    parts = _costs_sql(since).subquery()
    columns = (parts.c.chat_id, parts.c.user_id, parts.c.kind, parts.c.is_on_behalf)
    statement = sa.select(*columns, sa.func.sum(parts.c.millicredits)).group_by(*columns)
    if only_ids is not None:
        is_given = sa.or_(parts.c.chat_id.in_(only_ids), parts.c.user_id.in_(only_ids))
        statement = statement.where(is_given)
    costs = [Cost(*row[:4], int(row[4] or 0)) for row in await tx.execute(statement)]
    return [cost for cost in costs if cost.millicredits]


async def ids_by_cost(
    tx: Tx, *, since: date, further_ids: sa.Select[Any], offset: int, limit: int
) -> list[int]:
    """Return a page of the ids with any spending since the day ``since``, most expensive first.

    An id is the id of a person or a chat. A person's requests in groups count for both the person
    and the group. ``further_ids`` is a query with the columns ``id`` and ``since``, which is a
    time. Of these ids, the ids without spending follow the spenders, newest first.
    """
    parts = _costs_sql(since).subquery()
    in_groups = sa.and_(parts.c.user_id.is_not(None), parts.c.user_id != parts.c.chat_id)
    nothing, no_time = sa.literal(0), sa.literal(0, sa.BigInteger)
    others = further_ids.subquery()
    everybody = sa.union_all(
        sa.select(parts.c.chat_id.label("id"), parts.c.millicredits, no_time.label("since")),
        sa.select(parts.c.user_id, parts.c.millicredits, no_time).where(in_groups),
        sa.select(others.c.id, nothing, sa.type_coerce(others.c.since, sa.BigInteger)),
    ).subquery()
    cost, newest = sa.func.sum(everybody.c.millicredits), sa.func.max(everybody.c.since)
    statement = (
        sa.select(everybody.c.id)
        .group_by(everybody.c.id)
        .having(sa.or_(cost != 0, newest != 0))
        .order_by(cost.desc(), newest.desc(), everybody.c.id)
        .offset(offset)
        .limit(limit)
    )
    return list(await tx.scalars(statement))


def _costs_sql(since: date) -> sa.CompoundSelect[Any]:
    """Return the query for the spending since the day ``since``.

    The columns are: chat, person or null, kind, on behalf, thousandths of a credit. The entries of
    the day ``since`` must still exist.
    """
    entries, shares = ledger_entries, usage_days
    nobody, alert = sa.cast(sa.null(), sa.BigInteger), sa.literal("alert")
    return sa.union_all(
        sa.select(
            entries.c.chat_id,
            entries.c.user_id,
            entries.c.kind,
            entries.c.is_on_behalf,
            (1000 * entries.c.credits).label("millicredits"),
        ).where(entries.c.at >= _midnight(since), entries.c.chat_id != NOBODY),
        sa.select(shares.c.chat_id, nobody, alert, sa.false(), shares.c.millicredits).where(
            shares.c.day >= since, shares.c.millicredits > 0
        ),
    )
