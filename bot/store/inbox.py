"""The inbox: the updates of Telegram, stored before they are confirmed.

The updates of one queue (a chat) are handled in the order of their ids. An update whose end is
recorded stays for a day, without its contents, so that a repetition by Telegram is recognised.

Each claim raises the ``token``. A process writes on an update only while the token of its claim is
in the row: a process that stalled for longer than its lease can't change another process's claim.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypeGuard

import sqlalchemy as sa

from bot.domain.records import EPOCH
from bot.store.engine.database import Tx
from bot.store.engine.schema import BigId, Timestamp, insert, metadata, partial_index

inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("update_id", sa.BigInteger, nullable=False, unique=True),
    sa.Column("queue", sa.String(40), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("token", sa.Integer, nullable=False, server_default="0"),  # of the newest claim
    # Claims without an outcome, the current one included; those that were given back don't count.
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),  # of the handler
    sa.Column("stored_at", Timestamp, nullable=False),
    sa.Column("leased_until", Timestamp, nullable=False),
    sa.Column("done_at", Timestamp),
    sa.Column("person", sa.BigInteger),  # the asker (0: no name); None: no answer is due
)
_TOO_LARGE = 2**63  # the first update_id that the column can't hold
OPEN = inbox.c.done_at.is_(None)
sa.Index("ix_inbox_open", inbox.c.queue, inbox.c.id, **partial_index(OPEN))
sa.Index("ix_inbox_done_at", inbox.c.done_at)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A new update: its update_id, its queue, its JSON, and the person who asks.

    An update that is not ``wanted`` is stored as done, so that a repetition is recognised.
    """

    update_id: int
    queue: str
    body: str
    person: int | None = None
    wanted: bool = True


@dataclass(frozen=True, slots=True)
class ClaimedUpdate:
    """A claimed update; ``attempts`` includes the current one."""

    id: int
    queue: str
    body: str
    token: int
    attempts: int
    failures: int
    update_id: int = 0


CLAIMED = [inbox.c[name] for name in ClaimedUpdate.__dataclass_fields__]


_ADD = insert(inbox).on_conflict_do_nothing(index_elements=[inbox.c.update_id]).returning(*CLAIMED)


async def add(
    tx: Tx, arrivals: Sequence[Arrival], *, now: datetime, ours_until: datetime | None = None
) -> list[ClaimedUpdate]:
    """Store new updates and return them; with ``ours_until`` they are claimed until then."""
    rows = [
        {
            "update_id": arrival.update_id,
            "queue": arrival.queue,
            "body": arrival.body if arrival.wanted else "",
            "token": int(ours_until is not None),
            "attempts": int(ours_until is not None),
            "stored_at": now,
            "leased_until": ours_until or EPOCH,
            "done_at": None if arrival.wanted else now,
            "person": arrival.person if arrival.wanted else None,
        }
        for arrival in arrivals
    ]
    unwanted = {arrival.update_id for arrival in arrivals if not arrival.wanted}
    new = (await tx.execute(_ADD, rows)).all()
    added = [ClaimedUpdate(*row) for row in new if row[-1] not in unwanted]
    return sorted(added, key=lambda claimed: claimed.id)


async def count_by_asker(
    tx: Tx, queues: Collection[str], *, but: Collection[int]
) -> dict[tuple[str, int | None], int]:
    """Return the number of open updates by queue and asker, without the update_ids in ``but``."""
    statement = (
        sa.select(inbox.c.queue, inbox.c.person, sa.func.count())
        .where(OPEN, inbox.c.queue.in_(sorted(queues)), inbox.c.update_id.not_in(but))
        .group_by(inbox.c.queue, inbox.c.person)
    )
    return {(row[0], row[1]): row[2] for row in await tx.execute(statement)}


def is_update_id(value: object) -> TypeGuard[int]:
    """Return whether a value can be an update_id."""
    return type(value) is int and 0 <= value < _TOO_LARGE


async def queues_busy_since(tx: Tx, queues: Collection[str], *, since: datetime) -> set[str]:
    """Return the queues with an open update, or with one that ended after ``since``."""
    mine = inbox.c.queue.in_(sorted(queues))
    waits = sa.select(inbox.c.queue).where(OPEN, mine)
    answered = sa.select(inbox.c.queue).where(inbox.c.done_at > since, mine)
    return set((await tx.execute(waits.union(answered))).scalars())


async def claim(
    tx: Tx, *, now: datetime, lease: timedelta, limit: int, but: Collection[int] = ()
) -> list[ClaimedUpdate]:
    """Claim the first update of each queue without a valid lease, except the ids in ``but``."""
    head = sa.func.min(inbox.c.id)
    is_free = sa.func.max(inbox.c.leased_until) <= now
    free = sa.select(head).where(OPEN).group_by(inbox.c.queue).having(is_free)
    if but:
        free = free.having(head.not_in(but))
    heads = free.order_by(sa.literal_column("1")).limit(limit)
    # PostgreSQL checks the last two conditions again after it waited for another claim.
    statement = (
        sa.update(inbox)
        .where(inbox.c.id.in_(heads), OPEN, inbox.c.leased_until <= now)
        .values(
            leased_until=now + lease,
            token=inbox.c.token + 1,
            attempts=inbox.c.attempts + 1,
        )
        .returning(*CLAIMED)
    )
    claims = [ClaimedUpdate(*row) for row in await tx.execute(statement)]
    return sorted(claims, key=lambda claimed: claimed.id)


async def next_due_at(tx: Tx) -> datetime | None:
    """Return when the first queue with an open update is free to claim."""
    queues = (
        sa.select(sa.func.max(inbox.c.leased_until, type_=Timestamp).label("free_at"))
        .where(OPEN)
        .group_by(inbox.c.queue)
        .subquery()
    )
    statement = sa.select(sa.func.min(queues.c.free_at, type_=Timestamp))
    due: datetime | None = (await tx.execute(statement)).scalar()
    return due


async def change(
    tx: Tx,
    ours: Collection[ClaimedUpdate],
    **values: Any,  # noqa: ANN401 - columns
) -> int:
    """Set columns of open updates whose newest claim is ours; return the number of updates.

    ``done_at`` also removes the contents and the asker.
    """
    if not ours:
        return 0
    if "done_at" in values:
        values |= {"body": "", "person": None}
    given = {f"new_{name}": value for name, value in values.items()}
    given["ours"] = [(one.id, one.token) for one in ours]
    return (await tx.execute(_change_sql(*sorted(values)), given)).rowcount


@cache
def _change_sql(*columns: str) -> sa.Update:
    """Return the statement that sets these columns; each is built once."""
    is_ours = sa.tuple_(inbox.c.id, inbox.c.token).in_(sa.bindparam("ours", expanding=True))
    new = {name: sa.bindparam(f"new_{name}", type_=inbox.c[name].type) for name in columns}
    return sa.update(inbox).where(is_ours, OPEN).values(**new)


async def release_all(tx: Tx) -> None:
    """End every lease; for the start of the only process."""
    await tx.execute(sa.update(inbox).where(OPEN).values(leased_until=EPOCH))


async def forget_chat(tx: Tx, chat_id: int) -> None:
    """Remove a chat from its updates that have ended; the update_ids stay for a day."""
    theirs = inbox.c.queue.in_([f"chat:{chat_id}", f"user:{chat_id}"])
    await tx.execute(sa.update(inbox).where(theirs, ~OPEN).values(queue=""))


async def count_open(tx: Tx) -> int:
    """Return the number of updates without an end."""
    return (await tx.execute(sa.select(sa.func.count()).where(OPEN))).scalar_one()
