"""The ledger's entries: one a paid call, in detail for 32 days, summed by day for a year.

An entry's ``credits`` are what counts as spent: the nominal cost until it is closed, then what the
API really billed. So a crash between the call and its end leaves too much in the ledger, never
too little.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from bot.store import acquaintances
from bot.store.database import Tx, insert_for
from bot.store.schema import BigId, Timestamp, metadata, only

OPEN = "reserved"
_CLOSABLE = (OPEN, "presumed")  # a late answer still knows better than a presumption
_HOUR_MS = 3_600_000
NOBODY = 0  # the chat of the schedule, and of chats that asked to be forgotten

ledger_entries = sa.Table(
    "ledger_entries",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("chat_id", sa.BigInteger, nullable=False),
    sa.Column("user_id", sa.BigInteger),
    sa.Column("endpoint", sa.String(64), nullable=False),
    sa.Column("nominal", sa.Integer, nullable=False),
    sa.Column("credits", sa.Integer, nullable=False),
    sa.Column("state", sa.String(8), nullable=False),
    sa.Column("at", Timestamp, nullable=False, index=True),
    sa.Column("closed_at", Timestamp),
    # Whether ``ledger_sums`` has it; versions that don't know this close entries without.
    sa.Column("summed", sa.Boolean, nullable=False, server_default=sa.text("false")),
    sa.Index(
        "ix_ledger_entries_unsummed",
        "at",
        **only("NOT summed"),
    ),
    sa.Index(
        "ix_ledger_entries_of_chats",
        "chat_id",
        "at",
        "credits",
        **only("chat_id <> 0"),
    ),
    sa.Index(
        "ix_ledger_entries_forgotten",
        "at",
        "credits",
        **only("chat_id + 0 = 0 AND kind <> 'schedule'"),
    ),
    sa.Index("ix_ledger_entries_chat_id_at", "chat_id", "at"),
    sa.Index("ix_ledger_entries_user_id_at", "user_id", "at"),
)

# In the words of their indexes, so that both databases see that these will do; with "+ 0" none
# takes the index of all that is nobody's, which the checks are.
IS_OF_FORGOTTEN = sa.text("chat_id + 0 = 0 AND kind <> 'schedule'")
IS_UNSUMMED = sa.text("NOT summed")


SUMS = ("requests", "nominal", "credits", "refunded")

ledger_days = sa.Table(
    "ledger_days",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("kind", sa.String(10), primary_key=True),
    sa.Column("chat_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("endpoint", sa.String(64), primary_key=True),
    *(sa.Column(name, sa.Integer, nullable=False) for name in SUMS),
)

# Of entries that are still there, and ``summed``: for figures of the whole bot.
ledger_sums = sa.Table(
    "ledger_sums",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("kind", sa.String(10), primary_key=True),
    sa.Column("endpoint", sa.String(64), primary_key=True),
    *(sa.Column(name, sa.BigInteger, nullable=False) for name in SUMS),
)

# Of the same entries, by chat: never less than what a chat has spent in them, so that the dearest
# are found without reading all. What they spent in a time the entries say.
ledger_chats = sa.Table(
    "ledger_chats",
    metadata,
    sa.Column("chat_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("credits", sa.BigInteger, nullable=False),
)
sa.Index("ix_ledger_chats_dearest", ledger_chats.c.credits.desc(), ledger_chats.c.chat_id)


_ADD = sa.insert(ledger_entries).returning(ledger_entries.c.id)


async def add(
    tx: Tx,
    *,
    kind: str,
    chat_id: int | None,
    user_id: int | None,
    endpoint: str,
    nominal: int,
    now: datetime,
) -> int:
    """Write a reservation; return its id."""
    row = {
        "kind": kind,
        "chat_id": NOBODY if chat_id is None else chat_id,
        "user_id": user_id,
        "endpoint": endpoint,
        "nominal": nominal,
        "credits": nominal,
        "state": OPEN,
        "at": now,
    }
    return int((await tx.execute(_ADD, row)).scalar_one())


_CLOSE = (
    sa.update(ledger_entries)
    .where(
        ledger_entries.c.id == sa.bindparam("entry_id"),
        ledger_entries.c.state.in_(_CLOSABLE),
        IS_UNSUMMED,
    )
    .returning(ledger_entries.c.id)
)
_PRESUME = _CLOSE.where(ledger_entries.c.state == OPEN)


async def close(tx: Tx, entry_id: int, amount: int | None, *, now: datetime) -> bool:
    """Set what was really billed, None: presumed spent; False when it was closed before."""
    if amount is None:
        values = {"entry_id": entry_id, "state": "presumed", "closed_at": now}
        return (await tx.execute(_PRESUME, values)).first() is not None
    state = "settled" if amount else "refunded"
    values = {"entry_id": entry_id, "credits": amount, "state": state, "closed_at": now}
    return (await tx.execute(_CLOSE, values)).first() is not None


async def presumed_since(tx: Tx, since: datetime) -> Sequence[Any]:
    """Return what is presumed spent since then, the oldest first: id, kind, credits, at."""
    columns = [ledger_entries.c[name] for name in ("id", "kind", "credits", "at")]
    here = sa.and_(ledger_entries.c.state == "presumed", IS_UNSUMMED, ledger_entries.c.at >= since)
    return (await tx.execute(sa.select(*columns).where(here).order_by(columns[0]))).all()


async def presume_spent(tx: Tx, *, before: datetime, now: datetime) -> int:
    """Close reservations older than ``before`` as spent: whoever made them is gone."""
    statement = (
        sa.update(ledger_entries)
        .where(ledger_entries.c.state == OPEN, IS_UNSUMMED, ledger_entries.c.at < before)
        .values(state="presumed", closed_at=now)
    )
    return (await tx.execute(statement)).rowcount


async def open_credits(tx: Tx) -> int:
    """Return the credits of calls that are under way."""
    statement = sa.select(sa.func.sum(ledger_entries.c.credits)).where(
        ledger_entries.c.state == OPEN, IS_UNSUMMED
    )
    return (await tx.execute(statement)).scalar() or 0


_SPENT_OR_TRIED = sa.case(
    (ledger_entries.c.state == "refunded", ledger_entries.c.nominal),
    else_=ledger_entries.c.credits,
)

_TRIED = (
    sa.select(ledger_entries.c.at, _SPENT_OR_TRIED)
    .where(ledger_entries.c.at > sa.bindparam("since"), _SPENT_OR_TRIED > 0)
    .order_by(ledger_entries.c.at)
)
_IS_PERSON = ledger_entries.c.user_id == sa.bindparam("user_id")
_IS_NOBODY = sa.and_(
    ledger_entries.c.chat_id == sa.bindparam("chat_id"), ledger_entries.c.user_id.is_(None)
)
TRIED_BY_PERSON, TRIED_BY_NOBODY = _TRIED.where(_IS_PERSON), _TRIED.where(_IS_NOBODY)


async def tried_since(
    tx: Tx, user_id: int | None, chat_id: int, since: datetime
) -> list[tuple[datetime, int]]:
    """Return when an asker called after ``since``, and what each call tried, the oldest first.

    A call that failed for nothing counts as if it had been billed: asking costs the API, too.
    Without ``user_id`` it is all who have no name in the chat.
    """
    if user_id is None:
        rows = await tx.execute(TRIED_BY_NOBODY, {"chat_id": chat_id, "since": since})
    else:
        rows = await tx.execute(TRIED_BY_PERSON, {"user_id": user_id, "since": since})
    return [(row[0], row[1]) for row in rows]


def _summed(who: sa.ColumnElement[bool]) -> sa.Select[Any]:
    in_window = ledger_entries.c.at > sa.bindparam("window", type_=Timestamp)
    is_here = sa.and_(
        ledger_entries.c.chat_id == sa.bindparam("chat_id"),
        ledger_entries.c.at >= sa.bindparam("midnight", type_=Timestamp),
    )
    sums = [
        sa.func.coalesce(sa.func.sum(sa.case((in_window, _SPENT_OR_TRIED), else_=0)), 0),
        sa.func.coalesce(sa.func.sum(sa.case((is_here, ledger_entries.c.credits), else_=0)), 0),
    ]
    return sa.select(*sums).where(
        who, ledger_entries.c.at > sa.bindparam("since", type_=Timestamp)
    )


SUMS_OF_PERSON, SUMS_OF_NOBODY = _summed(_IS_PERSON), _summed(_IS_NOBODY)


async def spent_lately(
    tx: Tx, user_id: int | None, chat_id: int, *, window: datetime, midnight: datetime | None
) -> tuple[int, int]:
    """Return what an asker tried since ``window``, and spent in this chat since ``midnight``.

    Without ``user_id`` it is all who have no name in the chat; without ``midnight`` only the
    first is counted. What was tried is as in ``tried_since``.
    """
    begin = window if midnight is None else midnight
    since = min(window, begin - timedelta(milliseconds=1))
    values = {"chat_id": chat_id, "window": window, "midnight": begin, "since": since}
    if user_id is None:
        row = (await tx.execute(SUMS_OF_NOBODY, values)).one()
    else:
        row = (await tx.execute(SUMS_OF_PERSON, values | {"user_id": user_id})).one()
    return int(row[0]), int(row[1])


async def count_since(tx: Tx, since: datetime) -> int:
    """Return how many calls were reserved since then."""
    statement = sa.select(sa.func.count()).where(ledger_entries.c.at >= since)
    return (await tx.execute(statement)).scalar_one()


async def replies_by_hour(
    tx: Tx, since: date, *, before: date, of_known: bool = False
) -> dict[date, list[int]]:
    """Return what replies spent in each hour (UTC) of the days in which they spent anything.

    With ``of_known``: only those to whom the bot knows, see ``acquaintances``.
    """
    # Written out, as PostgreSQL takes two parameters for two different expressions.
    hour = sa.type_coerce(ledger_entries.c.at, sa.BigInteger) // sa.literal_column(
        str(_HOUR_MS), sa.Integer
    )
    statement = (
        sa.select(hour, sa.func.sum(ledger_entries.c.credits))
        .where(
            ledger_entries.c.kind != "schedule",
            ledger_entries.c.at >= datetime.combine(since, time(), UTC),
            ledger_entries.c.at < datetime.combine(before, time(), UTC),
        )
        .group_by(hour)
    )
    if of_known:
        who = sa.func.coalesce(ledger_entries.c.user_id, ledger_entries.c.chat_id)
        kind = sa.case((ledger_entries.c.user_id.is_(None), "chat"), else_="person")
        statement = statement.where(acquaintances.is_known_as(kind, who))
    by_day: dict[date, list[int]] = {}
    for number, spent in await tx.execute(statement):
        begin = datetime.fromtimestamp(number * _HOUR_MS / 1000, UTC)
        by_day.setdefault(begin.date(), [0] * 24)[begin.hour] = int(spent)
    return by_day


_SUMMED_UP = [
    ledger_entries.c[name]
    for name in ("at", "kind", "chat_id", "endpoint", "nominal", "credits", "summed")
]


async def sum_up(tx: Tx, *, now: datetime, limit: int) -> int:
    """Add up to ``limit`` closed entries to the sums of their days; return how many.

    Those that are presumed spent wait for a day: a late answer may know better.
    """
    closed = sa.or_(
        ledger_entries.c.state.in_(("settled", "refunded")),
        sa.and_(
            ledger_entries.c.state == "presumed", ledger_entries.c.at < now - timedelta(days=1)
        ),
    )
    these = (
        sa.select(ledger_entries.c.id)
        .where(IS_UNSUMMED, closed)
        .order_by(ledger_entries.c.at)
        .limit(limit)
    )
    rows = await tx.execute(
        sa.update(ledger_entries)
        .where(ledger_entries.c.id.in_(these.with_for_update(skip_locked=True)))
        .values(summed=True)
        .returning(*_SUMMED_UP)
    )
    return await _sum(tx, rows.all())


async def roll_up(tx: Tx, *, before: date, limit: int) -> int:
    """Sum up to ``limit`` entries of days before that one by day and remove them.

    Returns how many; call again until it returns 0.
    """
    doomed = (
        sa.select(ledger_entries.c.id)
        .where(
            ledger_entries.c.at < datetime.combine(before, time(), UTC),
            ledger_entries.c.state != OPEN,
        )
        .limit(limit)
    )
    gone = await tx.execute(
        sa.delete(ledger_entries).where(ledger_entries.c.id.in_(doomed)).returning(*_SUMMED_UP)
    )
    rows = gone.all()
    await _sum(tx, [row for row in rows if row.summed], sign=-1)
    await tx.execute(sa.delete(ledger_chats).where(ledger_chats.c.credits <= 0))
    if not rows:  # all else that is left of those days is of a version that knows no such sums
        await tx.execute(sa.delete(ledger_sums).where(ledger_sums.c.day < before))
    return await _add_up(tx, ledger_days, rows)


async def _sum(tx: Tx, rows: Sequence[Any], *, sign: int = 1) -> int:
    """Add entries to the sums, or take them off; return how many they are."""
    of_chats = [row for row in rows if row.chat_id != NOBODY and row.credits]
    await _add_up(tx, ledger_chats, of_chats, sign=sign)
    return await _add_up(tx, ledger_sums, rows, sign=sign)


async def _add_up(tx: Tx, table: sa.Table, rows: Sequence[Any], *, sign: int = 1) -> int:
    """Add entries to the sums that a table has of them; return how many they are."""
    keys, figures = _columns(table)
    sums: dict[tuple[Any, ...], list[int]] = {}
    for row in rows:
        refunded = max(0, row.nominal - row.credits)
        one = row._asdict() | {"day": row.at.date(), "requests": 1, "refunded": refunded}
        total = sums.setdefault(tuple(one[key] for key in keys), [0] * len(figures))
        total[:] = [a + sign * one[name] for a, name in zip(total, figures, strict=True)]
    # in one order: two replicas must not wait in a ring
    ordered = [(*key, *total) for key, total in sorted(sums.items())]
    names = [*keys, *figures]
    await _add(tx, table, [dict(zip(names, values, strict=True)) for values in ordered])
    return len(rows)


async def _add(tx: Tx, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    insert = insert_for(tx)(table)
    keys, figures = _columns(table)
    added = {name: table.c[name] + insert.excluded[name] for name in figures}
    if rows:
        await tx.execute(insert.on_conflict_do_update(index_elements=keys, set_=added), rows)


def _columns(table: sa.Table) -> tuple[list[str], list[str]]:
    """Return what sums are kept by, and of what."""
    return (
        [column.name for column in table.c if column.primary_key],
        [column.name for column in table.c if not column.primary_key],
    )


async def forget_old(tx: Tx, now: datetime, *, days: int) -> None:
    """Remove the sums of days longer ago than ``days``."""
    limit = now.date() - timedelta(days=days)
    await tx.execute(sa.delete(ledger_days).where(ledger_days.c.day < limit))


async def move_chat(tx: Tx, old: int, new: int) -> None:
    """Give all that a chat spent to another: a new supergroup, or nobody (0)."""
    await tx.execute(
        sa.update(ledger_entries).where(ledger_entries.c.chat_id == old).values(chat_id=new)
    )
    for table in (ledger_chats, ledger_days):
        here = sa.delete(table).where(table.c.chat_id == old).returning(*table.c)
        rows = (await tx.execute(here)).mappings().all()
        if new != NOBODY or table is not ledger_chats:
            await _add(tx, table, [dict(row) | {"chat_id": new} for row in rows])


async def forget_person(tx: Tx, user_id: int) -> None:
    """Keep the sums, but not who spent them."""
    await tx.execute(
        sa.update(ledger_entries).where(ledger_entries.c.user_id == user_id).values(user_id=None)
    )
