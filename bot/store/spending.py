"""Sums over the ledger: its entries, and the days that were summed up before."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

import sqlalchemy as sa

from bot.store.database import Tx
from bot.store.ledger import OPEN, ledger_days, ledger_entries

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
    found = await _of_entries(tx, since, by, chat_id)
    for key, more in (await _of_days(tx, since, by, chat_id)).items():
        found[key] = found.get(key, Sums()) + more
    return found


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
        .where(table.c.at >= datetime.combine(since, time(), UTC))
        .group_by(sa.text("key"))
    )
    if chat_id is not None:
        statement = statement.where(table.c.chat_id == chat_id)
    name = _named_day if by == "day" else str
    return await _read(tx, statement, name)


async def _of_days(tx: Tx, since: date, by: By, chat_id: int | None) -> dict[str, Sums]:
    table = ledger_days
    keys: dict[By, Any] = {
        "all": sa.literal("all"),
        "endpoint": table.c.endpoint,
        "chat": table.c.chat_id,
        "day": table.c.day,
        "kind": table.c.kind,
    }
    statement = (
        sa.select(
            keys[by].label("key"),
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
