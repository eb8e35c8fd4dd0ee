"""Sums of spent credits, from the entries of the ledger and the chats' shares of checks.

The sums by day and operation are stored, because a month can have a million entries.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.domain.budget import midnight_of
from bot.domain.records import EPOCH
from bot.store import key_values
from bot.store.engine.database import Tx
from bot.store.ledger import ENTRIES_KEPT, IS_PRESUMED, NOBODY, ledger_entries
from bot.store.usage import usage_days

_DAY_MS = 86_400_000
_HOUR = timedelta(hours=1)
_EPOCH_DAY = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Part:
    """Credits spent by an operation on a day.

    A list can have several parts with the same day and operation, whose credits must be added.
    """

    day: date
    operation: str
    credits: int


@dataclass(slots=True)
class _Sums:
    """The credits of the entries before the time ``until``, as sums by day and operation."""

    until: datetime
    days: dict[date, dict[str, int]]

    def add(self, part: Part) -> None:
        """Add the credits of ``part`` to the sum of its day and operation.

        The credits of the part may be negative.
        """
        of_day = self.days.setdefault(part.day, {})
        of_day[part.operation] = of_day.get(part.operation, 0) + part.credits

    def to_json(self) -> dict[str, Any]:
        """Return the sums as a JSON object."""
        days = {day.isoformat(): of_day for day, of_day in self.days.items()}
        return {"until": self.until.isoformat(), "days": days}

    @classmethod
    def from_json(cls, value: Any, *, now: datetime) -> "_Sums":  # noqa: ANN401 - any JSON value
        """Return the sums from the result of ``to_json``, or empty sums if ``value`` is None.

        If ``until`` is after ``now``, the sums were stored while the clock was wrong. The result
        is then empty.
        """
        until = datetime.fromisoformat(value["until"]) if value else EPOCH
        if not value or until > now:
            return cls(EPOCH, {})
        return cls(until, {date.fromisoformat(day): of for day, of in value["days"].items()})


_SUMS = "spending"  # the key of the sums in the table of key-value pairs
# The minimum age of a ledger entry that is added to the stored sums. Most bills are known at this
# age.
_ADDED_AFTER = timedelta(hours=1)
# The minimum age of a ledger entry for which ``correct_sums`` reads the stored sums. A younger
# entry is not yet in the sums. The age is less than ``_ADDED_AFTER``, because the clocks of two
# processes may differ.
_CORRECTED_AFTER = timedelta(minutes=30)
_NO_END = datetime.max.replace(tzinfo=UTC)
_ENTRIES = ledger_entries.c
# The number is a literal. PostgreSQL would treat the parameters in SELECT and in GROUP BY as
# different expressions.
_DAY = sa.type_coerce(_ENTRIES.at, sa.BigInteger) // sa.literal_column(str(_DAY_MS), sa.Integer)


async def spent_by_operation(tx: Tx, *, since: date, now: datetime) -> list[Part]:
    """Return the credits that each operation has spent on each day since the day ``since``.

    Several parts in the result may have the same day and operation.
    """
    sums = _Sums.from_json(await key_values.get(tx, _SUMS), now=now)
    parts = [
        Part(day, operation, spent)
        for day, of_day in sums.days.items()
        if day >= since
        for operation, spent in of_day.items()
    ]
    # The upper limit ``_NO_END`` excludes no entry. Without an upper limit, and before the first
    # ANALYZE, PostgreSQL would not use the index, and would read all entries.
    return parts + await _spending_parts_between(tx, max(midnight_of(since), sums.until), _NO_END)


async def _spending_parts_between(tx: Tx, start: datetime, end: datetime) -> list[Part]:
    key = (_DAY, _ENTRIES.operation)
    condition = sa.and_(_ENTRIES.at >= start, _ENTRIES.at < end)
    spent = sa.select(*key, sa.func.sum(_ENTRIES.credits)).where(condition).group_by(*key)
    return [
        Part(_EPOCH_DAY + timedelta(days=day), operation, int(credits_))
        for day, operation, credits_ in await tx.execute(spent.order_by(*key))
    ]


async def add_next_hour_to_sums(tx: Tx, *, now: datetime) -> bool:
    """Add the ledger entries of an hour to the stored sums. Return whether an hour was added.

    The hour must have ended at least an hour ago. Call this function until the result is False.
    """
    end = _start_of_hour(now - _ADDED_AFTER)
    if _Sums.from_json(await key_values.get(tx, _SUMS), now=now).until >= end:
        return False
    sums = _Sums.from_json(await key_values.lock_or_add(tx, _SUMS), now=now)
    is_next = sa.and_(_ENTRIES.at >= sums.until, _ENTRIES.at < end)
    first = await tx.scalar(sa.select(_ENTRIES.at).where(is_next).order_by(_ENTRIES.at).limit(1))
    until = end if first is None else _start_of_hour(first) + _HOUR
    if first is not None:
        for part in await _spending_parts_between(tx, first, until):
            sums.add(part)
    oldest = now.date() - ENTRIES_KEPT
    days = {day: of_day for day, of_day in sums.days.items() if day >= oldest}
    await key_values.put(tx, _SUMS, _Sums(until, days).to_json())
    return first is not None


async def correct_sums(
    tx: Tx, at: datetime, operation: str, amount: int, *, now: datetime
) -> None:
    """Add the change of an entry's credits to the stored sums, if the sums contain the entry.

    ``at`` is the time of the entry. ``amount`` is the change in credits, which the ledger already
    contains.
    """
    if at > now - _CORRECTED_AFTER:
        return
    sums = _Sums.from_json(await key_values.lock_or_add(tx, _SUMS), now=now)
    if at < sums.until:
        sums.add(Part(at.date(), operation, amount))
        await key_values.put(tx, _SUMS, sums.to_json())


def _start_of_hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


async def spent_between(tx: Tx, start: datetime, end: datetime) -> int:
    """Return the credits spent after ``start`` and until ``end``, including reservations."""
    statement = sa.select(sa.func.sum(ledger_entries.c.credits)).where(
        ledger_entries.c.at > start, ledger_entries.c.at <= end
    )
    return int(await tx.scalar(statement) or 0)


async def presumed_credits_since(tx: Tx, start: datetime) -> int:
    """Return the credits of calls since ``start`` that count as spent without a known bill."""
    statement = sa.select(sa.func.sum(_ENTRIES.credits)).where(IS_PRESUMED, _ENTRIES.at >= start)
    return int(await tx.scalar(statement) or 0)


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a person's requests of a kind in a chat, in 1/1000 credits.

    ``user_id`` is None for an unknown person and for a chat's share of checks. If ``is_on_behalf``
    is True, ``user_id`` is the payer.
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

    A chat's share of checks has the kind ``alert``. With ``only_ids``, only the costs of these
    chats and people are returned.
    """
    parts = _costs_sql(since).subquery()
    columns = (parts.c.chat_id, parts.c.user_id, parts.c.kind, parts.c.is_on_behalf)
    statement = sa.select(*columns, sa.func.sum(parts.c.millicredits)).group_by(*columns)
    if only_ids is not None:
        is_given = sa.or_(parts.c.chat_id.in_(only_ids), parts.c.user_id.in_(only_ids))
        statement = statement.where(is_given)
    costs = [Cost(*row[:4], int(row[4] or 0)) for row in await tx.execute(statement)]
    return [cost for cost in costs if cost.millicredits]


async def ids_of_people_and_chats_by_cost(
    tx: Tx, *, since: date, appended_ids: sa.Select[Any], offset: int, limit: int
) -> list[int]:
    """Return a page of the ids of people and chats with spending, most expensive first.

    A person's requests in a group count for the person and for the group. The remaining ids of the
    query ``appended_ids`` follow, newest first.
    """
    parts = _costs_sql(since).subquery()
    in_groups = sa.and_(parts.c.user_id.is_not(None), parts.c.user_id != parts.c.chat_id)
    nothing, no_time = sa.literal(0), sa.literal(0, sa.BigInteger)
    others = appended_ids.subquery()
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
    """Return the query for the spending of chats since the day ``since``.

    The columns are the fields of ``Cost``. Entries without a chat are left out.
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
        ).where(entries.c.at >= midnight_of(since), entries.c.chat_id != NOBODY),
        sa.select(shares.c.chat_id, nobody, alert, sa.false(), shares.c.millicredits).where(
            shares.c.day >= since, shares.c.millicredits > 0
        ),
    )
