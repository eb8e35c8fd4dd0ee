"""Chat queues: at most one row for each chat, with the time of the chat's next due delivery.

Only the process that has claimed the queue sends the deliveries. A transaction that changes due
times locks the queue first, and reschedules the queue afterwards.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, TypeAlias

import sqlalchemy as sa

from bot.domain.records import REPLY, ChatQueue, Delivery, FloodLimitState, QueueClaim, ReplyClaim
from bot.runtime.claims import Lease
from bot.store import chats, deliveries, mutes
from bot.store.claims import (
    NOW,
    OWNER,
    RELEASED,
    UNTIL,
    Claims,
    NoClaim,
    WasValid,
    claim_columns,
    claim_values,
)
from bot.store.deliveries import is_open, longest_wait_ends_at_sql, waits_for_earlier_sql
from bot.store.engine.columns import Timestamp, chat_key
from bot.store.engine.database import Tx, add_new, delete_rows
from bot.store.engine.prepared import Prepared
from bot.store.engine.schema import Insert, insert, metadata, partial_index

KeepClaim: TypeAlias = None
"""In the type of the end of a claim, the claim stays."""

ClaimToken = int
"""The token of the claim of a queue."""
HasDueTime = bool
"""True if a queue has a due time: the chat has an open delivery, and is not closed."""
ChatIdsWithDueTime = set[int]
"""The ids of the chats whose queues have a due time."""

queues = sa.Table(
    "chat_queues",
    metadata,
    chat_key(),
    sa.Column("due_at", Timestamp),  # None means that the chat has no open delivery, or is closed.
    # A queue without an owner can't be claimed before ``leased_until``, except by
    # ``claim_if_no_pending_reply``. The column ``attempts`` is not read, because each delivery
    # counts its own attempts.
    *claim_columns(),
    sa.Column("flood", sa.JSON),  # the messages that count against the flood limits of the chat
)
claims = Claims(queues)
IS_DUE = queues.c.due_at.is_not(None)
IS_LEASED = queues.c.owner.is_not(None)
# With this index, a claim reads only the first claimable queues. Without this index, wrong
# statistics of the table could lead PostgreSQL to a slower query plan.
sa.Index(
    "ix_chat_queues_claimable",
    sa.text("(CASE WHEN leased_until > due_at THEN leased_until ELSE due_at END)"),
    _table=queues,
    **partial_index("due_at IS NOT NULL"),
)


# The following statements are built once, because building a statement takes longer than
# executing the statement.
_CHATS: sa.BindParameter[Any] = sa.bindparam("chat_ids", expanding=True)
_CLAIM = claims.claim_batch_sql(
    *(queues.c.chat_id, queues.c.token, queues.c.flood),
    order=[claims.claimable_at],
    due_condition=sa.and_(IS_DUE, claims.claimable_at <= NOW),
)
LOCKED = (
    sa.select(queues.c.chat_id, queues.c.token, queues.c.owner)
    .where(queues.c.chat_id.in_(_CHATS))
    .order_by(queues.c.chat_id)
    .with_for_update()
)
_LOCK = Prepared(
    sa.select(queues.c.token, queues.c.owner)
    .where(queues.c.chat_id == sa.bindparam("chat"))
    .with_for_update()
)
# The time at which a delivery must be sent. A delivery that waits for an earlier delivery is
# usually sent together with the earlier delivery. The wait ends ``LONGEST_WAIT`` after the due
# time of the waiting delivery.
_GOES_AT = sa.case(
    (waits_for_earlier_sql(deliveries.deliveries.c.due_at), longest_wait_ends_at_sql()),
    else_=deliveries.deliveries.c.due_at,
)
_NEXT_DUE = (
    sa.select(sa.func.min(_GOES_AT))
    .join(chats.chats, chats.chats.c.id == deliveries.deliveries.c.chat_id)
    .where(
        deliveries.deliveries.c.chat_id == queues.c.chat_id,
        is_open,
        chats.IS_ACTIVE,
    )
)
RESCHEDULED = (
    sa.update(queues)
    .where(queues.c.chat_id.in_(_CHATS))
    .values(due_at=_NEXT_DUE.scalar_subquery())
    .returning(queues.c.chat_id, queues.c.due_at)
)
_ENDED = Prepared(
    sa.update(queues)
    .where(
        queues.c.chat_id == sa.bindparam("chat"),
        queues.c.token == sa.bindparam("claim"),
        IS_LEASED,
    )
    .values(
        due_at=_NEXT_DUE.where(
            deliveries.deliveries.c.id != sa.bindparam("but")
        ).scalar_subquery(),
        **RELEASED | {"leased_until": UNTIL},
        flood=sa.bindparam("state", type_=sa.JSON(none_as_null=True)),
    )
    .returning(queues.c.due_at)
)
FREED = RESCHEDULED.values(**RELEASED | {"leased_until": UNTIL})


async def claim_and_lock_due_deliveries(tx: Tx, lease: Lease, *, limit: int) -> list[ChatQueue]:
    """Claim at most ``limit`` due chat queues. Lock and return their first due deliveries.

    The queues that have been free for the longest time are claimed first. The returned list is in
    no particular order.
    """
    rows_claimed = await tx.execute(_CLAIM, claim_values(lease, limit=limit))
    claimed = {row.chat_id: row for row in rows_claimed}
    if not claimed:
        return []
    rows: dict[int, list[Delivery]] = {chat_id: [] for chat_id in claimed}
    for delivery in await deliveries.lock_and_return_due(tx, list(claimed), now=lease.at):
        rows[delivery.target.chat_id].append(delivery)
    owners = await chats.get_all(tx, list(claimed))
    muted = await mutes.of_chats(tx, list(claimed))
    return [
        ChatQueue(
            chat,
            token=claimed[chat.id].token,
            rows=rows[chat.id],
            mutes=muted.get(chat.id, ()),
            stored_flood_state=claimed[chat.id].flood,
        )
        for chat in owners
    ]


def _sooner_due_sql(due_at: Any) -> sa.ColumnElement[datetime]:  # noqa: ANN401 - a column
    """Return the SQL of the earlier time: the due time of the queue, or the given ``due_at``."""
    later = sa.or_(queues.c.due_at.is_(None), queues.c.due_at > due_at)
    return sa.case((later, due_at), else_=queues.c.due_at)


def _claim_chat_without_pending_reply_sql() -> sa.Executable:
    chat_id = sa.bindparam("chat_id", type_=sa.BigInteger)
    chat = (
        sa.select(
            chats.chats.c.id,
            NOW,
            UNTIL,
            OWNER,
            NOW,
            sa.literal(1),
        )
        .where(chats.chats.c.id == chat_id)
        .with_for_update(read=True, key_share=True)  # waits for a concurrent deletion of the chat
    )
    names = ["chat_id", "due_at", "leased_until", "owner", "token", "attempts"]
    statement = insert(queues).from_select(names, chat)
    is_free = sa.or_(~IS_LEASED, queues.c.leased_until <= NOW)
    # SQLAlchemy does not correlate a subquery with the row of an upsert, so the subquery uses the
    # parameter ``chat_id``. On PostgreSQL, the subquery can miss a reply that is being committed.
    # ``end_claim_and_reschedule`` makes the queue due for such a reply.
    owes_reply = sa.exists().where(
        deliveries.deliveries.c.chat_id == chat_id,
        is_open,
        deliveries.deliveries.c.notice == REPLY,
    )
    return statement.on_conflict_do_update(
        index_elements=["chat_id"],
        set_={
            "due_at": _sooner_due_sql(statement.excluded.due_at),
            "leased_until": statement.excluded.leased_until,
            "owner": statement.excluded.owner,
            "token": queues.c.token + 1,
            "attempts": queues.c.attempts + 1,
        },
        where=sa.and_(is_free, ~owes_reply),
    ).returning(queues.c.token, queues.c.flood)


_CLAIM_CHAT_WITHOUT_PENDING_REPLY = Prepared(_claim_chat_without_pending_reply_sql())


async def claim_if_no_pending_reply(tx: Tx, chat_id: int, lease: Lease) -> ReplyClaim | None:
    """Claim the queue of a chat for replies that this transaction adds afterwards.

    Return None, and change nothing, if the queue has an unexpired claim, or if the chat has a
    pending reply or is not stored.
    """
    if tx.dialect.name == "postgresql":
        # A transaction that moves or erases the chat locks the queue before the deletion of the
        # chat. The claim statement alone would lock the chat before the queue, so that both
        # transactions could deadlock.
        await lock(tx, chat_id)
    values = claim_values(lease, limit=1) | {"chat_id": chat_id}
    rows = await _CLAIM_CHAT_WITHOUT_PENDING_REPLY.rows(tx, values)
    return ReplyClaim(chat_id, rows[0].token, rows[0].flood) if rows else None


async def add_if_missing(tx: Tx, chat_id: int, *, now: datetime) -> None:
    """Add the queue of a chat if the chat has no queue.

    A later statement of the transaction can then lock the queue.
    """
    await add_new(tx, queues, chat_id=chat_id, **_unleased_columns(now))


async def lock(tx: Tx, chat_id: int) -> ClaimToken | NoClaim:
    """Lock a chat's queue until this transaction ends. Return the token of the claim.

    Return None if the queue is not claimed or not stored.
    """
    rows = await _LOCK.rows(tx, {"chat": chat_id})
    return rows[0].token if rows and rows[0].owner is not None else None


async def lock_all(tx: Tx, chat_ids: Collection[int]) -> dict[int, ClaimToken]:
    """Lock the queues of chats, in the order of the ids.

    Return the tokens of the claimed queues, by chat id. A process whose token differs has lost its
    claim.
    """
    if not chat_ids:
        return {}
    locked = await tx.execute(LOCKED, {"chat_ids": list(chat_ids)})
    return {row.chat_id: row.token for row in locked if row.owner is not None}


async def lock_or_block_insert(tx: Tx, chat_id: int, *, now: datetime) -> None:
    """Lock the queue of a chat. If the queue is missing, block the insert of the queue.

    The lock or the block lasts until this transaction ends. The call waits for other transactions
    that have inserted the queue.
    """
    if await add_new(tx, queues, chat_id=chat_id, **_unleased_columns(now)):
        # Other transactions can't insert the key of the deleted row before this transaction ends.
        await delete_rows(tx, queues, queues.c.chat_id == chat_id)
    else:
        await lock(tx, chat_id)


async def reschedule(
    tx: Tx, chat_id: int, *, unclaimed_until: datetime | KeepClaim = None
) -> HasDueTime:
    """Set the due time of a locked queue to the time of the chat's next open delivery.

    Return whether the queue has a due time. If ``unclaimed_until`` is given, the claim ends. Until
    this time, only ``claim_if_no_pending_reply`` may claim the queue.
    """
    return bool(await reschedule_all(tx, [chat_id], unclaimed_until=unclaimed_until))


async def reschedule_all(
    tx: Tx, chat_ids: Collection[int], *, unclaimed_until: datetime | KeepClaim = None
) -> ChatIdsWithDueTime:
    """Set the due times of locked queues (see ``reschedule``).

    Return the ids of the chats whose queues have a due time.
    """
    if not chat_ids:
        return set()
    ids = list(chat_ids)
    if unclaimed_until is None:
        result = await tx.execute(RESCHEDULED, {"chat_ids": ids})
    else:
        result = await tx.execute(FREED, {"chat_ids": ids, "until": unclaimed_until})
    return {row.chat_id for row in result if row.due_at is not None}


async def end_claim_and_reschedule(
    tx: Tx,
    queue: QueueClaim,
    *,
    except_delivery: int,
    flood_state: FloodLimitState | None,
    now: datetime,
) -> tuple[WasValid, HasDueTime]:
    """End the claim of a queue, and set the due time and the flood limits of the queue.

    Return whether the claim was still valid, and whether the queue has a due time. The due time
    ignores ``except_delivery``. A lost claim changes nothing.
    """
    if tx.dialect.name == "postgresql":
        # The lock is a separate statement. If the update itself waited for the lock, the update
        # would not find a reply that is added during the wait. The queue would then not become
        # due for this reply.
        await lock(tx, queue.chat_id)
    values = {
        "chat": queue.chat_id,
        "claim": queue.token,
        "but": except_delivery,
        "until": now,
    }
    ended = await _ENDED.rows(tx, values | {"state": flood_state})
    return bool(ended), bool(ended) and ended[0].due_at is not None


async def renew(tx: Tx, queue: QueueClaim, lease: Lease) -> WasValid:
    """Extend the lease of a queue. Return False if the claim was lost."""
    return await claims.renew(tx, [(queue.chat_id, queue.token)], lease) > 0


next_due_at = claims.next_claimable_at
"""Return the time at which the first chat queue can be claimed.

Return None if no queue has a due time.
"""


async def make_due(tx: Tx, chat_id: int, *, due_at: datetime, now: datetime) -> None:
    """Make the queue of a chat due at ``due_at``, unless the queue is due earlier.

    A missing queue is added.
    """
    new = insert(queues).values(chat_id=chat_id, due_at=due_at, **_unleased_columns(now))
    await insert_or_make_due(tx, new)


def _unleased_columns(now: datetime) -> dict[str, Any]:
    """Return the claim columns of a queue that is inserted at ``now`` without a lease.

    The first token is a time, so that a queue that is deleted and inserted again gets no old
    token.
    """
    return {"leased_until": now, "token": sa.literal(now, Timestamp)}


async def insert_or_make_due(tx: Tx, new: Insert, values: Mapping[str, Any] | None = None) -> None:
    """Execute an insert of due queues.

    If a queue already exists, set its due time to the new time, unless the queue is due earlier.
    """
    due_at = _sooner_due_sql(new.excluded.due_at)
    await tx.execute(
        new.on_conflict_do_update(index_elements=["chat_id"], set_={"due_at": due_at}), values
    )


_SET_FLOOD = (
    sa.update(queues)
    .where(queues.c.chat_id == sa.bindparam("chat"))
    .values(flood=sa.bindparam("state", type_=sa.JSON))
)


async def store_flood_limit_states(tx: Tx, states: Mapping[int, FloodLimitState | None]) -> None:
    """Store the states of the chats' flood limits, for the next process that claims the queues."""
    rows = [{"chat": chat_id, "state": state} for chat_id, state in states.items()]
    await tx.execute(_SET_FLOOD, rows)
