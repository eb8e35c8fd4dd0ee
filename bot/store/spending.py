"""Sums over the ledger: its entries, and the days that were summed up before."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

import sqlalchemy as sa

from bot.store import usage
from bot.store.database import Tx
from bot.store.ledger import (
    IS_OF_A_CHAT,
    IS_UNSUMMED,
    NOBODY,
    OPEN,
    ledger_days,
    ledger_entries,
    ledger_sums,
)
from bot.store.usage import usage_days

By = Literal["all", "endpoint", "chat", "day", "kind"]
EPOCH_DAY = date(1970, 1, 1)
DAY_MS = 86_400_000
ENTRY_DAY = sa.type_coerce(ledger_entries.c.at, sa.BigInteger) // DAY_MS


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


async def sums(tx: Tx, *, since: date, by: By, chat_id: int | None = None) -> dict[str, Sums]:
    """Return the sums from the day ``since`` on, by endpoint, chat id, ISO day, kind or at all."""
    totals = await _of_entries(tx, since, by, chat_id)
    tables = (ledger_days, ledger_sums) if _are_summed(by, chat_id) else (ledger_days,)
    for table in tables:
        for key, more in (await _of_days(tx, table, since, by, chat_id)).items():
            totals[key] = totals.get(key, Sums()) + more
    return totals


async def dearest_chats(tx: Tx, *, since: date, limit: int) -> dict[int, int]:
    """Return who spent most from the day ``since`` on, the largest first; ``NOBODY``: all others.

    The day is one of those that are kept in detail.
    """
    table = ledger_entries
    spent = sa.func.sum(table.c.credits)
    largest = (
        sa.select(table.c.chat_id, spent, sa.func.sum(spent).over())
        .where(IS_OF_A_CHAT, _is_since(since))
        .group_by(table.c.chat_id)
        .order_by(spent.desc(), table.c.chat_id)
        .limit(limit)
    )
    rows = (await tx.execute(largest)).all()
    every = (await sums(tx, since=since, by="all")).get("all", Sums())
    by_chat = {row[0]: int(row[1]) for row in rows}
    by_chat[NOBODY] = every.spent - (int(rows[0][2]) if rows else 0)
    ordered = sorted(by_chat.items(), key=lambda one: -one[1])
    return {chat_id: credits_ for chat_id, credits_ in ordered if credits_}


async def by_day_and_kind(tx: Tx, *, since: date) -> dict[str, dict[date, int]]:
    """Return the credits that were spent each day from ``since`` on, by what they were for."""
    entries = ledger_entries
    of_entries = (
        sa.select(entries.c.kind, ENTRY_DAY.label("day"), sa.func.sum(entries.c.credits))
        .where(IS_UNSUMMED, _is_since(since))
        .group_by(entries.c.kind, sa.text("day"))
    )
    totals: dict[str, dict[date, int]] = {}
    for kind, number, spent in await tx.execute(of_entries):
        of_kind = totals.setdefault(kind, {})
        day = EPOCH_DAY + timedelta(days=number)
        of_kind[day] = of_kind.get(day, 0) + int(spent)
    for days in (ledger_days, ledger_sums):
        of_days = (
            sa.select(days.c.kind, days.c.day, sa.func.sum(days.c.credits))
            .where(days.c.day >= since)
            .group_by(days.c.kind, days.c.day)
        )
        for kind, day, spent in await tx.execute(of_days):
            of_kind = totals.setdefault(kind, {})
            of_kind[day] = of_kind.get(day, 0) + int(spent)
    return totals


async def spent_between(tx: Tx, start: datetime, end: datetime) -> int:
    """Return the credits that were spent in that time, reservations included."""
    table = ledger_entries
    statement = sa.select(sa.func.sum(table.c.credits)).where(
        table.c.at > start, table.c.at <= end
    )
    return int((await tx.execute(statement)).scalar() or 0)


@dataclass(frozen=True, slots=True)
class Cost:
    """What was spent for one person's asks of one kind in a chat; ``user_id`` None: not known."""

    chat_id: int
    user_id: int | None
    kind: str
    millicredits: int


async def costs(tx: Tx, *, since: date) -> list[Cost]:
    """Return what was spent from the day ``since`` on, for whom and what for.

    Checks are there as ``alert``, split among the chats that wait for them; the schedule's own
    entries are not.
    """
    entries, days, shares = ledger_entries, ledger_days, usage_days
    of_entries = (
        sa.select(
            entries.c.chat_id, entries.c.user_id, entries.c.kind, sa.func.sum(entries.c.credits)
        )
        .where(entries.c.at >= datetime.combine(since, time(), UTC), entries.c.chat_id != NOBODY)
        .group_by(entries.c.chat_id, entries.c.user_id, entries.c.kind)
    )
    of_days = (
        sa.select(days.c.chat_id, sa.null(), days.c.kind, sa.func.sum(days.c.credits))
        .where(days.c.day >= since, days.c.chat_id != NOBODY)
        .group_by(days.c.chat_id, days.c.kind)
    )
    of_checks = (
        sa.select(shares.c.chat_id, sa.func.sum(shares.c.millicredits))
        .where(shares.c.day >= since, shares.c.millicredits > 0)
        .group_by(shares.c.chat_id)
    )
    totals = [
        Cost(row[0], row[1], row[2], 1000 * int(row[3]))
        for statement in (of_entries, of_days)
        for row in await tx.execute(statement)
    ]
    of_chats = Counter({row[0]: int(row[1]) for row in await tx.execute(of_checks)})
    for chat_id, borne in (await usage.borne(tx, since=since)).items():
        of_chats[chat_id] += sum(borne.values())
    totals += [Cost(chat_id, None, "alert", borne) for chat_id, borne in of_chats.items()]
    return [one for one in totals if one.millicredits]


def _is_since(day: date) -> sa.ColumnElement[bool]:
    """Return the condition on entries, in a form that tempts no planner to the index of times."""
    begin = datetime.combine(day, time(), UTC)
    at = sa.type_coerce(ledger_entries.c.at, sa.BigInteger)
    return at + 0 >= sa.literal(int(begin.timestamp() * 1000), sa.BigInteger)


def _are_summed(by: By, chat_id: int | None) -> bool:
    """Return whether the sums by day tell it; of chats only the entries do."""
    return by != "chat" and chat_id is None


async def _of_entries(tx: Tx, since: date, by: By, chat_id: int | None) -> dict[str, Sums]:
    table = ledger_entries
    is_open = table.c.state == OPEN
    gap = table.c.nominal - table.c.credits
    keys: dict[By, Any] = {
        "all": sa.literal("all"),
        "endpoint": table.c.endpoint,
        "chat": table.c.chat_id,
        "day": ENTRY_DAY,
        "kind": table.c.kind,
    }
    statement = (
        sa.select(
            keys[by].label("key"),
            sa.func.count(),
            sa.func.sum(table.c.nominal),
            sa.func.sum(sa.case((is_open, 0), else_=table.c.credits)),
            sa.func.sum(sa.case((gap > 0, gap), else_=0)),
            sa.func.sum(sa.case((is_open, table.c.credits), else_=0)),
        )
        .where(_is_since(since))
        .group_by(sa.text("key"))
    )
    if _are_summed(by, chat_id):
        statement = statement.where(IS_UNSUMMED)
    if chat_id is not None:
        statement = statement.where(table.c.chat_id == chat_id)
    name = _named_day if by == "day" else str
    return await _read(tx, statement, name)


async def _of_days(
    tx: Tx, table: sa.Table, since: date, by: By, chat_id: int | None
) -> dict[str, Sums]:
    key = sa.literal("all") if by == "all" else table.c["chat_id" if by == "chat" else by]
    statement = (
        sa.select(
            key.label("key"),
            sa.func.sum(table.c.requests),
            sa.func.sum(table.c.nominal),
            sa.func.sum(table.c.credits),
            sa.func.sum(table.c.refunded),
        )
        .where(table.c.day >= since)
        .group_by(sa.text("key"))
    )
    if chat_id is not None:
        statement = statement.where(table.c.chat_id == chat_id)
    return await _read(tx, statement, str)


async def _read(tx: Tx, statement: sa.Select[Any], name: Callable[[Any], str]) -> dict[str, Sums]:
    return {name(row[0]): Sums(*map(int, row[1:])) for row in await tx.execute(statement)}


def _named_day(number: int) -> str:
    return (EPOCH_DAY + timedelta(days=number)).isoformat()
