"""Sums over the ledger: its entries, and the days that were summed up before."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

import sqlalchemy as sa

from bot.store.database import Tx
from bot.store.ledger import (
    IS_OF_FORGOTTEN,
    IS_UNSUMMED,
    NOBODY,
    OPEN,
    SUMS,
    ledger_chats,
    ledger_days,
    ledger_entries,
    ledger_sums,
)
from bot.store.usage import usage_days

By = Literal["all", "endpoint", "chat", "day", "kind"]
_EPOCH_DAY = date(1970, 1, 1)
_DAY_MS = 86_400_000
_MOST_AT_ONCE = 1_000  # chats
_ENTRY_DAY = sa.type_coerce(ledger_entries.c.at, sa.BigInteger) // _DAY_MS


@dataclass(frozen=True, slots=True)
class Sums:
    """Credits of some calls: reserved before them, settled and refunded after.

    ``open`` are those of calls under way; a call that cost more than its nominal price makes
    ``settled`` larger than ``reserved``.
    """

    requests: int = 0
    reserved: int = 0
    settled: int = 0
    refunded: int = 0
    open: int = 0

    @property
    def spent(self) -> int:
        """Return what counts as spent."""
        return self.settled + self.open

    def __add__(self, other: "Sums") -> "Sums":
        """Return both together."""
        return Sums(*(getattr(self, n) + getattr(other, n) for n in self.__dataclass_fields__))


_IS_OPEN = ledger_entries.c.state == OPEN
_GAP = ledger_entries.c.nominal - ledger_entries.c.credits
_FIGURES = (  # of entries, in the order of ``Sums``
    sa.func.count(),
    sa.func.sum(ledger_entries.c.nominal),
    sa.func.sum(sa.case((_IS_OPEN, 0), else_=ledger_entries.c.credits)),
    sa.func.sum(sa.case((_GAP > 0, _GAP), else_=0)),
    sa.func.sum(sa.case((_IS_OPEN, ledger_entries.c.credits), else_=0)),
)


def _figures_of(days: sa.Table) -> list[sa.ColumnElement[int]]:
    """Return the same of days: nothing of them is open."""
    return [sa.func.sum(days.c[name]) for name in SUMS]


async def sums(tx: Tx, *, since: date, by: By, chat_id: int | None = None) -> dict[str, Sums]:
    """Return the sums from the day ``since`` on, by endpoint, chat id, ISO day, kind or at all."""
    totals = await _of_entries(tx, since, by, chat_id)
    tables = (ledger_days, ledger_sums) if _are_summed(by, chat_id) else (ledger_days,)
    for table in tables:
        for key, more in (await _of_days(tx, table, since, by, chat_id)).items():
            totals[key] = totals.get(key, Sums()) + more
    return totals


async def dearest_chats(tx: Tx, *, since: date, limit: int) -> dict[int, int]:
    """Return who spent most from the day ``since`` on; ``NOBODY``: chats that were forgotten.

    The day is one of those that are kept in detail. Looked at are chats of which not all is
    summed up, and others in the order of their sums, until none that is left can be among the
    largest.
    """
    # By no index of chats.
    chat_id = (ledger_entries.c.chat_id + sa.literal_column("0")).label("chat_id")
    late = sa.select(chat_id).where(IS_UNSUMMED, _is_since(since)).distinct().subquery()
    lately = sa.select(late.c.chat_id, _spent_by(late.c.chat_id, since))
    totals = {row[0]: int(row[1]) for row in await tx.execute(lately) if row[0] != NOBODY}
    seen, page = 0, limit
    while True:
        kept = ledger_chats.c
        some = (
            sa.select(kept.chat_id, kept.credits, _spent_by(kept.chat_id, since))
            .order_by(kept.credits.desc(), kept.chat_id)
            .offset(seen)
            .limit(page)
        )
        rows = (await tx.execute(some)).all()
        totals |= {row[0]: int(row[2]) for row in rows}
        largest = sorted(totals.items(), key=_by_size)[:limit]
        last = _by_size(tuple(rows[-1][:2])) if len(rows) == page else None
        if last is None or (len(largest) == limit and _by_size(largest[-1]) <= last):
            break
        seen, page = seen + page, min(2 * page, _MOST_AT_ONCE)
    forgotten = sa.select(sa.func.sum(ledger_entries.c.credits)).where(
        IS_OF_FORGOTTEN, _is_since(since)
    )
    by_chat = [*largest, (NOBODY, int((await tx.execute(forgotten)).scalar() or 0))]
    return {chat_id: credits_ for chat_id, credits_ in by_chat if credits_}


def _by_size(one: tuple[int, int]) -> tuple[int, int]:
    """Return the place of a chat among those who spent most."""
    chat_id, spent = one
    return -spent, chat_id


def _spent_by(chat_id: sa.ColumnElement[int], since: date) -> sa.ScalarSelect[int]:
    """Return what a chat of another table spent from the day ``since`` on.

    By a subquery of each: a join tempts PostgreSQL, where it knows nothing yet, to read all.
    """
    own = ledger_entries.alias()
    spent = sa.func.coalesce(sa.func.sum(own.c.credits), 0)
    return (
        sa.select(spent)
        .where(own.c.chat_id == chat_id, own.c.chat_id != sa.literal_column("0"))
        .where(_is_since(since, own))
        .scalar_subquery()
    )


@dataclass(frozen=True, slots=True)
class Part:
    """What was spent on a day for one kind of call, at one endpoint."""

    day: date
    kind: str
    endpoint: str
    sums: Sums


async def parts(tx: Tx, *, since: date) -> list[Part]:
    """Return what was spent from the day ``since`` on, as fine as it is kept of all chats."""
    result = []
    of_entries = (
        sa.select(
            _ENTRY_DAY.label("day"), ledger_entries.c.kind, ledger_entries.c.endpoint, *_FIGURES
        )
        .where(IS_UNSUMMED, _is_since(since))
        .group_by(sa.text("day"), ledger_entries.c.kind, ledger_entries.c.endpoint)
    )
    for number, kind, endpoint, *figures in await tx.execute(of_entries):
        day = _EPOCH_DAY + timedelta(days=number)
        result.append(Part(day, kind, endpoint, Sums(*map(int, figures))))
    for days in (ledger_days, ledger_sums):
        of_days = (
            sa.select(days.c.day, days.c.kind, days.c.endpoint, *_figures_of(days))
            .where(days.c.day >= since)
            .group_by(days.c.day, days.c.kind, days.c.endpoint)
        )
        for day, kind, endpoint, *figures in await tx.execute(of_days):
            result.append(Part(day, kind, endpoint, Sums(*map(int, figures))))
    return result


async def spent_between(tx: Tx, start: datetime, end: datetime) -> int:
    """Return the credits that were spent in that time, reservations included."""
    statement = sa.select(sa.func.sum(ledger_entries.c.credits)).where(
        ledger_entries.c.at > start, ledger_entries.c.at <= end
    )
    return int((await tx.execute(statement)).scalar() or 0)


@dataclass(frozen=True, slots=True)
class Cost:
    """What was spent for one person's asks of one kind in a chat; ``user_id`` None: not known."""

    chat_id: int
    user_id: int | None
    kind: str
    millicredits: int


async def costs(tx: Tx, *, since: date, of: Collection[int] | None = None) -> list[Cost]:
    """Return what was spent from the day ``since`` on, for whom and what for.

    Checks are there as ``alert``, split among the chats that wait for them; the schedule's own
    entries are not. With ``of``, of these chats and people only.
    """
    parts = _costs(since).subquery()
    columns = (parts.c.chat_id, parts.c.user_id, parts.c.kind)
    statement = sa.select(*columns, sa.func.sum(parts.c.millicredits)).group_by(*columns)
    if of is not None:
        statement = statement.where(sa.or_(parts.c.chat_id.in_(of), parts.c.user_id.in_(of)))
    return [Cost(*row[:3], int(row[3])) for row in await tx.execute(statement) if row[3]]


async def dearest(
    tx: Tx, *, since: date, listed: sa.Select[Any], offset: int, limit: int
) -> list[int]:
    """Return a page of all who spent anything from the day ``since`` on, the dearest first.

    A person's asks in groups count for both. ``listed`` are others (id, since when), who come
    after them, the newest first.
    """
    parts = _costs(since).subquery()
    in_groups = sa.and_(parts.c.user_id.is_not(None), parts.c.user_id != parts.c.chat_id)
    nothing, no_time = sa.literal(0), sa.literal(0, sa.BigInteger)
    others = listed.subquery()
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
    return list((await tx.execute(statement)).scalars())


def _costs(since: date) -> sa.CompoundSelect[Any]:
    """Return what was spent: chat, person or null, kind and thousandths of a credit."""
    entries, days, shares = ledger_entries, ledger_days, usage_days
    nobody, alert = sa.cast(sa.null(), sa.BigInteger), sa.literal("alert")
    return sa.union_all(
        sa.select(
            entries.c.chat_id,
            entries.c.user_id,
            entries.c.kind,
            (1000 * entries.c.credits).label("millicredits"),
        ).where(entries.c.at >= datetime.combine(since, time(), UTC), entries.c.chat_id != NOBODY),
        sa.select(days.c.chat_id, nobody, days.c.kind, 1000 * days.c.credits).where(
            days.c.day >= since, days.c.chat_id != NOBODY
        ),
        sa.select(shares.c.chat_id, nobody, alert, shares.c.millicredits).where(
            shares.c.day >= since, shares.c.millicredits > 0
        ),
    )


def _is_since(day: date, entries: sa.FromClause = ledger_entries) -> sa.ColumnElement[bool]:
    """Return the condition on entries, in a form that tempts no planner to the index of times."""
    begin = datetime.combine(day, time(), UTC)
    at = sa.type_coerce(entries.c.at, sa.BigInteger)
    return at + 0 >= sa.literal(int(begin.timestamp() * 1000), sa.BigInteger)


def _are_summed(by: By, chat_id: int | None) -> bool:
    """Return whether the sums by day tell it; of chats only the entries do."""
    return by != "chat" and chat_id is None


async def _of_entries(tx: Tx, since: date, by: By, chat_id: int | None) -> dict[str, Sums]:
    keys: dict[By, Any] = {
        "all": sa.literal("all"),
        "endpoint": ledger_entries.c.endpoint,
        "chat": ledger_entries.c.chat_id,
        "day": _ENTRY_DAY,
        "kind": ledger_entries.c.kind,
    }
    statement = (
        sa.select(keys[by].label("key"), *_FIGURES)
        .where(_is_since(since))
        .group_by(sa.text("key"))
    )
    if _are_summed(by, chat_id):
        statement = statement.where(IS_UNSUMMED)
    if chat_id is not None:
        statement = statement.where(ledger_entries.c.chat_id == chat_id)
    return await _read(tx, statement, _named_day if by == "day" else str)


async def _of_days(
    tx: Tx, table: sa.Table, since: date, by: By, chat_id: int | None
) -> dict[str, Sums]:
    key = sa.literal("all") if by == "all" else table.c["chat_id" if by == "chat" else by]
    statement = (
        sa.select(key.label("key"), *_figures_of(table))
        .where(table.c.day >= since)
        .group_by(sa.text("key"))
    )
    if chat_id is not None:
        statement = statement.where(table.c.chat_id == chat_id)
    return await _read(tx, statement, str)


async def _read(tx: Tx, statement: sa.Select[Any], name: Callable[[Any], str]) -> dict[str, Sums]:
    return {name(row[0]): Sums(*map(int, row[1:])) for row in await tx.execute(statement)}


def _named_day(number: int) -> str:
    return (_EPOCH_DAY + timedelta(days=number)).isoformat()
