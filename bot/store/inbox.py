"""The inbox, which stores the updates of Telegram before the bot confirms the receipt.

The updates of a chat or person are handled in the order of the ids. Finished updates are kept
without contents for 25 hours, to recognise repeated updates.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeGuard

import sqlalchemy as sa

from bot.runtime.claims import Lease
from bot.store.claims import (
    Claim,
    Claims,
    WasValid,
    claim_columns,
    claim_values,
    claim_values_of_new_row,
)
from bot.store.engine.columns import Timestamp, automatic_id, counter, required
from bot.store.engine.database import Tx, all_rows, count_rows, update_rows
from bot.store.engine.prepared import Prepared
from bot.store.engine.schema import columns_of, insert, metadata, partial_index

inbox = sa.Table(
    "inbox",
    metadata,
    automatic_id(),
    required("update_id", sa.BigInteger, unique=True),
    required("queue", sa.String(40)),
    required("body", sa.Text),
    # The time of the first attempt, or of the next attempt after a failure.
    required("due_at", Timestamp, default="0"),
    *claim_columns(),
    # The number of failed attempts of the handler.
    counter("failures"),
    required("stored_at", Timestamp),
    sa.Column("done_at", Timestamp),
    # The person who sent the update and expects a reply, or 0 if the sender is not identified.
    # None means that no reply is due.
    sa.Column("person", sa.BigInteger),
    sqlite_autoincrement=True,
)
_TOO_LARGE = 2**63  # the smallest update_id that does not fit into the column
OPEN = inbox.c.done_at.is_(None)
sa.Index("ix_inbox_open", inbox.c.queue, inbox.c.id, **partial_index(OPEN))
sa.Index("ix_inbox_done_at", inbox.c.done_at)
claims = Claims(inbox, is_open=OPEN, serial_by="queue")


@dataclass(frozen=True, slots=True)
class Arrival:
    """An update that has just arrived from Telegram. ``body`` is the update as JSON.

    ``person`` is the person who expects a reply (0 for an unidentified sender), or None if no
    reply is due. An update that is not ``wanted`` is stored as finished.
    """

    update_id: int
    queue: str
    body: str
    person: int | None = None
    wanted: bool = True


@dataclass(frozen=True, slots=True)
class ClaimedUpdate:
    """A claimed update. ``attempts`` includes the current attempt."""

    id: int
    queue: str
    body: str
    token: int
    attempts: int
    failures: int
    update_id: int = 0

    @property
    def claim(self) -> Claim:
        """Return the row id and the token, in the form that ``Claims`` expects."""
        return self.id, self.token


CLAIMED = columns_of(inbox, ClaimedUpdate)


_ADD = Prepared(
    insert(inbox).on_conflict_do_nothing(index_elements=[inbox.c.update_id]).returning(*CLAIMED),
)


async def add_and_return_new(
    tx: Tx, arrivals: Sequence[Arrival], *, now: datetime, lease: Lease | None = None
) -> list[ClaimedUpdate]:
    """Store updates. Return the wanted updates that were not stored before, ordered by id.

    If ``lease`` is given, the returned updates are already claimed.
    """
    rows = [
        {
            "update_id": arrival.update_id,
            "queue": arrival.queue,
            "body": arrival.body if arrival.wanted else "",
            "stored_at": now,
            "done_at": None if arrival.wanted else now,
            "person": arrival.person if arrival.wanted else None,
            **claim_values_of_new_row(lease if arrival.wanted else None),
        }
        for arrival in arrivals
    ]
    unwanted = {arrival.update_id for arrival in arrivals if not arrival.wanted}
    new = await _ADD.rows(tx, rows)
    added = [ClaimedUpdate(*row) for row in new if row[-1] not in unwanted]
    return sorted(added, key=lambda claimed: claimed.id)


# The statement is built once, because the build takes longer than the execution.
_COUNT_BY_QUEUE_AND_ASKER = (
    sa.select(inbox.c.queue, inbox.c.person, sa.func.count())
    .where(
        OPEN,
        inbox.c.queue.in_(sa.bindparam("queues", expanding=True)),
        inbox.c.update_id.not_in(sa.bindparam("but", expanding=True)),
    )
    .group_by(inbox.c.queue, inbox.c.person)
)


async def count_open_by_queue_and_asker(
    tx: Tx, queues: Collection[str], *, except_update_ids: Collection[int]
) -> dict[tuple[str, int | None], int]:
    """Return the number of open updates for each queue and each asker in the queue.

    The asker is the person who expects a reply (0 for an unidentified sender), or None if no reply
    is due.
    """
    values = {"queues": sorted(queues), "but": list(except_update_ids)}
    rows = await tx.execute(_COUNT_BY_QUEUE_AND_ASKER, values)
    return {(row[0], row[1]): row[2] for row in rows}


def is_update_id(value: object) -> TypeGuard[int]:
    """Return whether a value can be an update_id."""
    return type(value) is int and 0 <= value < _TOO_LARGE


async def queues_open_or_done_since(
    tx: Tx, queues: Collection[str], *, since: datetime
) -> set[str]:
    """Return those ``queues`` that have an open update, or an update finished after ``since``."""
    condition = inbox.c.queue.in_(sorted(queues))
    waits = sa.select(inbox.c.queue).where(OPEN, condition)
    answered = sa.select(inbox.c.queue).where(inbox.c.done_at > since, condition)
    return set(await tx.scalars(waits.union(answered)))


_CLAIM = claims.claim_batch_sql(
    *CLAIMED,
    order=[inbox.c.id],
    extra_filter=inbox.c.id.not_in(sa.bindparam("but", expanding=True)),
)


async def claim(
    tx: Tx, lease: Lease, *, limit: int, except_ids: Collection[int] = ()
) -> list[ClaimedUpdate]:
    """Claim the first open update of each queue if the update is due. Return the claimed updates.

    At most ``limit`` updates are claimed, ordered by id. Queues with a leased update are left out.
    Updates in ``except_ids`` are not claimed.
    """
    values = claim_values(lease, limit=limit) | {"but": list(except_ids)}
    claimed = await all_rows(tx, ClaimedUpdate, _CLAIM, values)
    return sorted(claimed, key=lambda update: update.id)


async def finish(tx: Tx, claimed: ClaimedUpdate, *, now: datetime) -> WasValid:
    """Mark an update as finished, and delete its contents and the id of the person.

    Return False, and change nothing, if the claim was lost or the update has already ended.
    """
    return await claims.finish(tx, claimed.claim, done_at=now, body="", person=None)


async def clear_chat_of_finished(tx: Tx, chat_id: int) -> None:
    """Remove the id of a chat or person from finished updates.

    The update_ids stay for 25 hours, so that the bot recognises repeated updates.
    """
    # The name of a queue for replies about too many requests contains the id of the chat and the
    # id of the person.
    condition = sa.or_(
        inbox.c.queue.in_([f"chat:{chat_id}", f"user:{chat_id}"]),
        inbox.c.queue.startswith(f"busy:{chat_id}:"),
        inbox.c.queue.like(f"busy:%:{chat_id}"),
    )
    await update_rows(tx, inbox, condition, ~OPEN, queue="")


async def count_open(tx: Tx) -> int:
    """Return the number of updates that are not finished."""
    return await count_rows(tx, OPEN)


_OPEN_AND_NEXT = Prepared(
    sa.select(
        sa.select(sa.func.count()).where(OPEN).scalar_subquery(),
        claims.next_sql.scalar_subquery(),
    )
)


async def count_open_and_next_claimable_at(tx: Tx) -> tuple[int, datetime | None]:
    """Return the number of updates that are not finished, and the time of the next claim.

    The time is None if no update is open.
    """
    rows = await _OPEN_AND_NEXT.rows(tx, {})
    return rows[0][0], rows[0][1]
