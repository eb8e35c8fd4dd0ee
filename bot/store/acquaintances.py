"""The number of days on which the bot has seen a person or chat.

A person or chat is known after ``KNOWN_AFTER`` days, and a newcomer before. A newcomer may
spend less, because accounts that are made to spend credits are new.
"""

from collections.abc import Collection, Iterable
from datetime import date
from typing import Literal

import sqlalchemy as sa

from bot.store.engine.database import Tx
from bot.store.engine.schema import insert, metadata

_Kind = Literal["person", "chat"]
Acquaintance = tuple[_Kind, int]
KNOWN_AFTER = 3  # days with activity

acquaintances = sa.Table(
    "acquaintances",
    metadata,
    sa.Column("kind", sa.String(8), primary_key=True),
    sa.Column("subject", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("days", sa.Integer, nullable=False),
    sa.Column("last_day", sa.Date, nullable=False, index=True),
    # For persons: a person who acts in groups only has no chat with a stored name.
    sa.Column("name", sa.Text, nullable=False, server_default=""),
)


_NEW = insert(acquaintances)
_SEE = _NEW.on_conflict_do_update(
    index_elements=[acquaintances.c.kind, acquaintances.c.subject],
    set_={"days": acquaintances.c.days + 1, "last_day": _NEW.excluded.last_day},
    where=acquaintances.c.last_day < _NEW.excluded.last_day,
)


async def record_seen(tx: Tx, subjects: Collection[Acquaintance], day: date) -> None:
    """Record that persons and chats were active on a day; each day counts once."""
    rows = [
        {"kind": kind, "subject": subject, "days": 1, "last_day": day}
        for kind, subject in sorted(subjects)  # in one order: two batches must not deadlock
    ]
    if rows:
        await tx.execute(_SEE, rows)


async def set_name(tx: Tx, person: int, name: str) -> None:
    """Record the name of a person who was seen."""
    mine = sa.and_(
        acquaintances.c.kind == "person",
        acquaintances.c.subject == person,
        acquaintances.c.name != name,
    )
    await tx.execute(sa.update(acquaintances).where(mine).values(name=name))


async def names(tx: Tx, people: Collection[int]) -> dict[int, str]:
    """Return the known names of these persons."""
    mine = sa.and_(acquaintances.c.kind == "person", acquaintances.c.subject.in_(sorted(people)))
    statement = sa.select(acquaintances.c.subject, acquaintances.c.name).where(
        mine, acquaintances.c.name != ""
    )
    return {row[0]: row[1] for row in await tx.execute(statement)}


async def is_known(tx: Tx, kind: _Kind, subject: int) -> bool:
    """Return whether a person or chat was seen on enough days."""
    condition = known_condition(sa.literal(kind), sa.literal(subject, sa.BigInteger))
    return bool((await tx.execute(sa.select(condition))).scalar())


def known_condition(
    kind: sa.ColumnElement[str], subject: sa.ColumnElement[int]
) -> sa.ColumnElement[bool]:
    """Return the SQL condition that the subject in another table was seen on enough days."""
    mine = sa.and_(acquaintances.c.kind == kind, acquaintances.c.subject == subject)
    return sa.exists().where(mine, acquaintances.c.days >= KNOWN_AFTER)


async def is_anybody_known(tx: Tx) -> bool:
    """Return whether any person or chat is known."""
    known = await tx.execute(
        sa.select(acquaintances.c.kind).where(acquaintances.c.days >= KNOWN_AFTER).limit(1)
    )
    return known.first() is not None


async def move_chat(tx: Tx, old: int, new: int) -> None:
    """Transfer the days of a group to its new supergroup."""
    result = await tx.execute(
        sa.delete(acquaintances)
        .where(acquaintances.c.kind == "chat", acquaintances.c.subject.in_([old, new]))
        .returning(acquaintances.c.days, acquaintances.c.last_day)
    )
    rows = result.all()
    if rows:
        days, last = max(row.days for row in rows), max(row.last_day for row in rows)
        seen = {"kind": "chat", "subject": new, "days": days, "last_day": last}
        await tx.execute(sa.insert(acquaintances), seen)


async def remove(tx: Tx, subjects: Iterable[int]) -> None:
    """Remove persons and chats that requested erasure."""
    await tx.execute(sa.delete(acquaintances).where(acquaintances.c.subject.in_(list(subjects))))
