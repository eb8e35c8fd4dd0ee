"""Chat queues: one a chat, with the time when something is due there next.

Who claims a chat queue sends alone into that chat until the lease ends. Whoever changes what is
due in a chat locks its queue first (``lock``) and reschedules it after.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.domain.records import REPLY, Chat, ChatQueue, Delivery
from bot.store import chats, deliveries, mutes
from bot.store.deliveries import is_open, overdue_at_sql, waits_for_earlier_sql
from bot.store.engine.database import Tx, add_new
from bot.store.engine.schema import Insert, Timestamp, chat_key, insert, metadata, partial_index

queues = sa.Table(
    "chat_queues",
    metadata,
    chat_key(),
    sa.Column("due_at", Timestamp),  # None: nothing is owed
    sa.Column("free_at", Timestamp, nullable=False),  # until then leased, or told to wait
    sa.Column("token", sa.BigInteger, nullable=False, server_default="0"),  # who claimed last
    sa.Column("leased", sa.Boolean, nullable=False, server_default=sa.text("false")),
    sa.Column("flood", sa.JSON),  # what Telegram has had of late from all replicas
)


# When a chat queue can be claimed: when it is due and its lease is over.
CLAIMABLE_AT = sa.case(
    (queues.c.free_at > queues.c.due_at, queues.c.free_at), else_=queues.c.due_at
)
IS_DUE = queues.c.due_at.is_not(None)
# There is an index on this whose first rows are the answer: so no statistics can lead to a bad
# plan.
sa.Index(
    "ix_chat_queues_claimable",
    sa.text("(CASE WHEN free_at > due_at THEN free_at ELSE due_at END)"),
    _table=queues,
    **partial_index("due_at IS NOT NULL"),
)


# Built once: to build them takes longer than to run them.
_CHATS: sa.BindParameter[Any] = sa.bindparam("chat_ids", expanding=True)
_CAN_BE_CLAIMED = sa.and_(IS_DUE, sa.bindparam("now", type_=Timestamp) >= CLAIMABLE_AT)
WAITING = (
    sa.select(queues.c.chat_id)
    .where(_CAN_BE_CLAIMED)
    .order_by(CLAIMABLE_AT)
    .limit(sa.bindparam("most"))
    .with_for_update(skip_locked=True)
)
CLAIMED = (
    sa.update(queues)
    .where(queues.c.chat_id.in_(_CHATS))
    .values(free_at=sa.bindparam("until"), token=queues.c.token + 1, leased=True)
    .returning(queues.c.chat_id, queues.c.token, queues.c.flood)
)
DUE_NEXT = sa.select(CLAIMABLE_AT).where(IS_DUE).order_by(CLAIMABLE_AT).limit(1)
LOCKED = (
    sa.select(queues.c.chat_id, queues.c.token, queues.c.leased)
    .where(queues.c.chat_id.in_(_CHATS))
    .order_by(queues.c.chat_id)
    .with_for_update()
)
# What waits for an earlier one goes with it, or when it has waited long enough.
_GOES_AT = sa.case(
    (waits_for_earlier_sql(deliveries.deliveries.c.due_at), overdue_at_sql()),
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
_ENDED = (
    sa.update(queues)
    .where(
        queues.c.chat_id == sa.bindparam("chat"),
        queues.c.token == sa.bindparam("held_by"),
        queues.c.leased.is_(True),
    )
    .values(
        due_at=_NEXT_DUE.where(
            deliveries.deliveries.c.id != sa.bindparam("but")
        ).scalar_subquery(),
        free_at=sa.bindparam("until", type_=Timestamp),
        leased=False,
        flood=sa.bindparam("state", type_=sa.JSON(none_as_null=True)),
    )
    .returning(queues.c.due_at)
)
FREED = RESCHEDULED.values(free_at=sa.bindparam("until"), leased=False)


async def claim(tx: Tx, *, now: datetime, limit: int, lease: timedelta) -> list[ChatQueue]:
    """Take the chat queues where something is due, longest overdue first, for ``lease``."""
    ids = list((await tx.execute(WAITING, {"now": now, "most": limit})).scalars())
    if not ids:
        return []
    leased = await tx.execute(CLAIMED, {"chat_ids": ids, "until": now + lease})
    claimed = {row.chat_id: row for row in leased}
    rows: dict[int, list[Delivery]] = {chat_id: [] for chat_id in claimed}
    for delivery in await deliveries.due(tx, list(claimed), now=now):
        rows[delivery.target.chat_id].append(delivery)
    owners = await chats.get_all(tx, list(claimed))
    muted = await mutes.of_chats(tx, list(claimed))
    return [
        ChatQueue(
            chat,
            token=claimed[chat.id].token,
            rows=rows[chat.id],
            mutes=muted.get(chat.id, ()),
            flood=claimed[chat.id].flood,
        )
        for chat in owners
    ]


def _sooner_due(due_at: Any) -> sa.ColumnElement[datetime]:  # noqa: ANN401 - a column
    """Return the sooner of when a queue is due and that."""
    later = sa.or_(queues.c.due_at.is_(None), queues.c.due_at > due_at)
    return sa.case((later, due_at), else_=queues.c.due_at)


def _claim_to_reply_sql() -> sa.Executable:
    chat_id = sa.bindparam("chat_id", type_=sa.BigInteger)
    chat = (
        sa.select(
            chats.chats.c.id,
            sa.bindparam("now", type_=Timestamp),
            sa.bindparam("until", type_=Timestamp),
            sa.literal(1),
            sa.true(),
        )
        .where(chats.chats.c.id == chat_id)
        .with_for_update(read=True, key_share=True)  # it may be about to be erased
    )
    statement = insert(queues).from_select(
        ["chat_id", "due_at", "free_at", "token", "leased"], chat
    )
    is_free = sa.or_(
        queues.c.leased.is_(False), queues.c.free_at <= sa.bindparam("now", type_=Timestamp)
    )
    # Compared with the parameter: SQLAlchemy does not correlate a subquery with the row of an
    # upsert, so that a comparison with its column would find the waiting replies of every chat.
    owes_reply = sa.exists().where(
        deliveries.deliveries.c.chat_id == chat_id,
        is_open,
        deliveries.deliveries.c.notice == REPLY,
    )
    return statement.on_conflict_do_update(
        index_elements=["chat_id"],
        set_={
            "due_at": _sooner_due(statement.excluded.due_at),
            "free_at": statement.excluded.free_at,
            "token": queues.c.token + 1,
            "leased": sa.true(),
        },
        where=sa.and_(is_free, ~owes_reply),
    ).returning(queues.c.token, queues.c.flood)


_CLAIM_TO_REPLY = _claim_to_reply_sql()


async def claim_to_reply(
    tx: Tx, chat_id: int, *, now: datetime, until: datetime
) -> ChatQueue | None:
    """Take a chat's queue for answers that this transaction adds to it.

    None where another sends into the chat, or has an earlier answer for it, or where nothing is
    known of it. Of the chat only its number is in what is returned.
    """
    values = {"chat_id": chat_id, "now": now, "until": until}
    row = (await tx.execute(_CLAIM_TO_REPLY, values)).one_or_none()
    if row is None:
        return None
    chat = Chat(chat_id, "", "", None, None, "UTC", None, None, 0, {}, "active")
    return ChatQueue(chat, token=row.token, flood=row.flood)


async def ensure(tx: Tx, chat_id: int, *, now: datetime) -> None:
    """Give a chat its chat queue, where it has none: who follows somebody has one to be locked."""
    await add_new(tx, queues, chat_id=chat_id, free_at=now)


async def lock(tx: Tx, chat_id: int) -> int | None:
    """Lock a chat's queue until this transaction ends; return its token while it is leased."""
    return (await lock_all(tx, [chat_id])).get(chat_id)


async def lock_all(tx: Tx, chat_ids: Collection[int]) -> dict[int, int]:
    """Lock the queues of many chats, in the order of their ids.

    Returns the tokens of those that are leased: who has the token has the lease still.
    """
    locked = await tx.execute(LOCKED, {"chat_ids": list(chat_ids)})
    return {row.chat_id: row.token for row in locked if row.leased}


async def reschedule(tx: Tx, chat_id: int, *, free_at: datetime | None = None) -> bool:
    """Write down when something is due next in a chat whose queue is locked, if anything is.

    ``free_at`` ends the lease, then or later; a chat where the bot may not write is due never.
    """
    return bool(await reschedule_all(tx, [chat_id], free_at=free_at))


async def reschedule_all(
    tx: Tx, chat_ids: Collection[int], *, free_at: datetime | None = None
) -> set[int]:
    """Reschedule many chat queues alike; return the chats with unsent deliveries."""
    if not chat_ids:
        return set()
    ids = list(chat_ids)
    if free_at is None:
        result = await tx.execute(RESCHEDULED, {"chat_ids": ids})
    else:
        result = await tx.execute(FREED, {"chat_ids": ids, "until": free_at})
    return {row.chat_id for row in result if row.due_at is not None}


async def end_lease(
    tx: Tx, queue: ChatQueue, *, but: int, flood: object, now: datetime
) -> tuple[bool, bool]:
    """Free and lock a chat's queue, of which one delivery is done with.

    ``flood`` as ``set_limit_states`` has it. Returns whether it was ours still, and whether more
    is due in it.
    """
    values = {"chat": queue.chat.id, "held_by": queue.token, "but": but, "until": now}
    row = (await tx.execute(_ENDED, {**values, "state": flood})).one_or_none()
    return row is not None, row is not None and row.due_at is not None


async def release_all(tx: Tx, *, now: datetime) -> None:
    """End all leases; only right at the start of the only process."""
    leased = sa.update(queues).where(queues.c.leased.is_(True))
    await tx.execute(leased.values(free_at=now, leased=False))


async def renew(tx: Tx, chat_id: int, token: int, *, until: datetime) -> bool:
    """Make a lease longer; false when it is lost."""
    statement = (
        sa.update(queues)
        .where(queues.c.chat_id == chat_id, queues.c.token == token)
        .values(free_at=until)
    )
    return (await tx.execute(statement)).rowcount > 0


async def next_due_at(tx: Tx) -> datetime | None:
    """Return when the next chat queue can be claimed: when it is due and its lease is over."""
    due: datetime | None = (await tx.execute(DUE_NEXT)).scalar()
    return due


async def make_due(tx: Tx, chat_id: int, *, due_at: datetime, now: datetime) -> None:
    """Make a chat's queue due at ``due_at``, unless it is so sooner."""
    await insert_due(tx, insert(queues).values(chat_id=chat_id, due_at=due_at, free_at=now))


async def insert_due(tx: Tx, new: Insert, values: Mapping[str, Any] | None = None) -> None:
    """Insert queues that are due; one that is there becomes so as well, unless it is sooner."""
    due_at = _sooner_due(new.excluded.due_at)
    await tx.execute(
        new.on_conflict_do_update(index_elements=["chat_id"], set_={"due_at": due_at}), values
    )


_SET_FLOOD = (
    sa.update(queues)
    .where(queues.c.chat_id == sa.bindparam("chat"))
    .values(flood=sa.bindparam("state", type_=sa.JSON))
)


async def set_limit_states(tx: Tx, floods: Mapping[int, Any]) -> None:
    """Set the limit states of chats, for the next replica that claims their queues."""
    rows = [{"chat": chat_id, "state": state} for chat_id, state in floods.items()]
    await tx.execute(_SET_FLOOD, rows)
