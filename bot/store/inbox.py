"""The inbox: updates of Telegram, stored before they are confirmed and kept until answered.

Within one queue (a chat) they are handled in the order of their ids. What is done stays a day,
without its contents, so that an update that Telegram repeats is known. Who claims an update counts
its attempts up, and writes on it only while that number stands: who was stopped for longer than
the lease finds another's.
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
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("stored_at", Timestamp, nullable=False),
    sa.Column("leased_until", Timestamp, nullable=False),
    sa.Column("done_at", Timestamp),
    sa.Column("person", sa.BigInteger),  # who asks (0: nobody in particular); None: nobody waits
)
_TOO_LARGE = 2**63  # for its number
OPEN = inbox.c.done_at.is_(None)
sa.Index("ix_inbox_open", inbox.c.queue, inbox.c.id, **partial_index(OPEN))
sa.Index("ix_inbox_done_at", inbox.c.done_at)


FAILURE = 3
"""As how many attempts one counts that failed; a kill that cuts one off is rarely its fault."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """An update as it came: its number, the queue it stands in, its JSON, and who asks with it.

    One that is not ``wanted`` is only remembered: nobody handles it.
    """

    update_id: int
    queue: str
    body: str
    person: int | None = None
    wanted: bool = True


@dataclass(frozen=True, slots=True)
class ClaimedUpdate:
    """An update that is ours to handle; ``attempts`` counts this one."""

    id: int
    queue: str
    body: str
    attempts: int
    update_id: int = 0


CLAIMED = [inbox.c[name] for name in ClaimedUpdate.__dataclass_fields__]


_ADD = insert(inbox).on_conflict_do_nothing(index_elements=[inbox.c.update_id]).returning(*CLAIMED)


async def add(
    tx: Tx, arrivals: Sequence[Arrival], *, now: datetime, ours_until: datetime | None = None
) -> list[ClaimedUpdate]:
    """Store updates that are new; return them. With ``ours_until`` they are claimed as well."""
    rows = [
        {
            "update_id": arrival.update_id,
            "queue": arrival.queue,
            "body": arrival.body if arrival.wanted else "",
            "attempts": 1 if ours_until else 0,
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
    """Return how many updates, ``but`` those, wait in each of these queues, by who asks."""
    statement = (
        sa.select(inbox.c.queue, inbox.c.person, sa.func.count())
        .where(OPEN, inbox.c.queue.in_(sorted(queues)), inbox.c.update_id.not_in(but))
        .group_by(inbox.c.queue, inbox.c.person)
    )
    return {(row[0], row[1]): row[2] for row in await tx.execute(statement)}


def is_update_id(value: object) -> TypeGuard[int]:
    """Return whether that can be the number of an update."""
    return type(value) is int and 0 <= value < _TOO_LARGE


async def queues_busy_since(tx: Tx, queues: Collection[str], *, since: datetime) -> set[str]:
    """Return in which of these queues something waits, or was answered after ``since``."""
    mine = inbox.c.queue.in_(sorted(queues))
    waits = sa.select(inbox.c.queue).where(OPEN, mine)
    answered = sa.select(inbox.c.queue).where(inbox.c.done_at > since, mine)
    return set((await tx.execute(waits.union(answered))).scalars())


async def claim(tx: Tx, *, now: datetime, lease: timedelta, limit: int) -> list[ClaimedUpdate]:
    """Take the first update of each queue that nobody is busy with."""
    free = (
        sa.select(sa.func.min(inbox.c.id))
        .where(OPEN)
        .group_by(inbox.c.queue)
        .having(sa.func.max(inbox.c.leased_until) <= now)
    )
    heads = free.order_by(sa.literal_column("1")).limit(limit)
    # The last two conditions are seen again by who had to wait for another's claim.
    statement = (
        sa.update(inbox)
        .where(inbox.c.id.in_(heads), OPEN, inbox.c.leased_until <= now)
        .values(leased_until=now + lease, attempts=inbox.c.attempts + 1)
        .returning(*CLAIMED)
    )
    claims = [ClaimedUpdate(*row) for row in await tx.execute(statement)]
    return sorted(claims, key=lambda claimed: claimed.id)


async def next_due_at(tx: Tx) -> datetime | None:
    """Return when the first queue with something in it is free."""
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
    *,
    attempts: int = 0,
    **values: Any,  # noqa: ANN401 - columns
) -> int:
    """Write on updates that are still ours, ``attempts`` added to theirs; return on how many.

    ``leased_until`` ends their lease or makes it longer. ``done_at`` ends them: what they said is
    forgotten, and who.
    """
    if not ours:
        return 0
    if "done_at" in values:
        values |= {"body": "", "person": None}
    given = {f"new_{name}": value for name, value in values.items()}
    given |= {"ours": [(one.id, one.attempts) for one in ours], "more": attempts}
    return (await tx.execute(_change_sql(*sorted(values)), given)).rowcount


@cache
def _change_sql(*columns: str) -> sa.Update:
    """Return what writes on updates of ours that nobody has claimed since; each is built once."""
    is_ours = sa.tuple_(inbox.c.id, inbox.c.attempts).in_(sa.bindparam("ours", expanding=True))
    new = {name: sa.bindparam(f"new_{name}", type_=inbox.c[name].type) for name in columns}
    counted = inbox.c.attempts + sa.bindparam("more", type_=sa.Integer)
    return sa.update(inbox).where(is_ours, OPEN).values(attempts=counted, **new)


async def release_all(tx: Tx) -> None:
    """End every lease; only right at the start of the only process."""
    await tx.execute(sa.update(inbox).where(OPEN).values(leased_until=EPOCH))


async def forget_chat(tx: Tx, chat_id: int) -> None:
    """Forget which updates were answered in a chat; that they came stays known for a day."""
    theirs = inbox.c.queue.in_([f"chat:{chat_id}", f"user:{chat_id}"])
    await tx.execute(sa.update(inbox).where(theirs, ~OPEN).values(queue=""))


async def count_open(tx: Tx) -> int:
    """Return how many updates wait for their answer."""
    return (await tx.execute(sa.select(sa.func.count()).where(OPEN))).scalar_one()
