"""Broadcasts: an owner's message to all open chats except channels, enqueued in small batches."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import sqlalchemy as sa

from bot.domain.model import Target, Unchanged
from bot.domain.records import BROADCAST, Held
from bot.store import enqueue
from bot.store.chat_queues import IS_LEASED, queues
from bot.store.chats import IS_ACTIVE, chats
from bot.store.deliveries import ENDED_ATTEMPTS, deliveries, is_open
from bot.store.engine.columns import Timestamp, automatic_id, counter, required
from bot.store.engine.database import (
    Tx,
    all_rows,
    count_rows,
    delete_rows,
    has_row,
    lock_rows,
    row_or_none,
    update_rows,
)
from bot.store.engine.schema import columns_of, metadata

BroadcastNumber = int
"""The number of a broadcast."""

# A delivery that is due within this time counts as being sent. The time is longer than the pause
# after a lost response of Telegram, and longer than most flood limits.
_SENT_SOON = timedelta(minutes=1)
# A delivery with this number of failed attempts counts as undeliverable. The pauses between the
# attempts take 35 seconds in total.
_TRIES = 4
# Channels get no broadcasts, because the owners of a channel decide about its content.
_KINDS = ("private", "group", "supergroup")

Stage = Literal["draft", "running", "stopped", "done"]

broadcasts = sa.Table(
    "broadcasts",
    metadata,
    automatic_id(),
    required("text", sa.Text),  # the message as HTML
    # The author of the broadcast. The author's private chat shows the progress of the broadcast.
    required("owner", sa.BigInteger),
    sa.Column("message_id", sa.BigInteger),  # the message that shows the progress
    required("state", sa.String(8), default="draft"),
    # The number of chats that the broadcast should reach, counted at the start of the broadcast.
    counter("count"),
    # The number of chats that had received the message when the state became "done".
    counter("sent"),
    # The last chat whose delivery is enqueued. Chats are enqueued in the order of their ids.
    sa.Column("last_chat", sa.BigInteger),
    required("made_at", Timestamp),
    sqlite_autoincrement=True,
)


@dataclass(frozen=True, slots=True)
class Broadcast:
    """A broadcast to ``count`` chats. ``count`` is 0 before the start of the broadcast.

    The stored ``sent`` is the number of chats that had received the message when the state became
    "done". If the state has never been "done", the stored ``sent`` is 0.
    """

    id: int
    text: str
    owner: int
    message_id: int | None
    state: Stage
    count: int
    sent: int
    last_chat: int | None


COLUMNS = columns_of(broadcasts, Broadcast)
_AUDIENCE = sa.and_(IS_ACTIVE, chats.c.kind.in_(_KINDS))


async def count_audience(tx: Tx) -> int:
    """Return the number of chats that a broadcast would reach."""
    return await count_rows(tx, _AUDIENCE)


async def add_draft(tx: Tx, text: str, owner: int, *, now: datetime) -> BroadcastNumber:
    """Store a broadcast with the HTML ``text`` as a draft. Return the number of the broadcast."""
    values = {"text": text, "owner": owner, "made_at": now}
    statement = sa.insert(broadcasts).values(**values).returning(broadcasts.c.id)
    return int((await tx.execute(statement)).scalar_one())


async def running(tx: Tx) -> list[Broadcast]:
    """Return the running broadcasts, oldest first."""
    statement = (
        sa.select(*COLUMNS).where(broadcasts.c.state == "running").order_by(broadcasts.c.id)
    )
    return await all_rows(tx, Broadcast, statement)


async def change_state(
    tx: Tx, number: int, *, from_states: Collection[str], to_state: Stage, **values: object
) -> Broadcast | Unchanged:
    """Change the state of a broadcast, and set the columns ``values``. Return the broadcast.

    Return None, and change nothing, if the current state is not in ``from_states``.
    """
    statement = (
        sa.update(broadcasts)
        .where(broadcasts.c.id == number, broadcasts.c.state.in_(from_states))
        .values(state=to_state, **values)
        .returning(*COLUMNS)
    )
    return await row_or_none(tx, Broadcast, statement)


async def enqueue_next_if_chats_left(
    tx: Tx, broadcast: Broadcast, *, limit: int, now: datetime
) -> bool:
    """Enqueue the message for at most ``limit`` further chats. Return False if no chat is left.

    If chats are left, but the broadcast is not running or another process was faster, change
    nothing and return True.
    """
    following = sa.select(chats.c.id).where(_AUDIENCE).order_by(chats.c.id).limit(limit)
    if broadcast.last_chat is not None:
        following = following.where(chats.c.id > broadcast.last_chat)
    rows = list(await tx.scalars(following))
    if not rows:
        return False
    unchanged = (
        broadcasts.c.last_chat.is_(None)
        if broadcast.last_chat is None
        else broadcasts.c.last_chat == broadcast.last_chat
    )
    taken = await tx.execute(
        sa.update(broadcasts)
        .where(broadcasts.c.id == broadcast.id, broadcasts.c.state == "running", unchanged)
        .values(last_chat=rows[-1])
    )
    if taken.rowcount:
        for chat_id in rows:
            await enqueue.add_notice(tx, Target(chat_id), BROADCAST, _fields(broadcast), now=now)
    return True


async def enqueue_left_out_by_move(tx: Tx, old: int, new: int, *, now: datetime) -> None:
    """Enqueue the running broadcasts that would leave out a group because of its new id.

    A broadcast reaches the chats in the order of the ids, and the new id is lower. The caller has
    locked the queue of the new id.
    """
    for broadcast in await running(tx):
        is_left_out = broadcast.last_chat is not None and new <= broadcast.last_chat < old
        if is_left_out and not await has_row(
            tx, deliveries.c.chat_id == new, _belongs_to_broadcast_sql(broadcast.id)
        ):
            await enqueue.add_notice(tx, Target(new), BROADCAST, _fields(broadcast), now=now)


async def remove_duplicates_of_moved(tx: Tx, old: int, new: int) -> None:
    """Delete the open broadcast messages of a chat's old id if the new id has the same messages.

    Messages that may have arrived are not deleted. The caller has locked the queues of both ids.
    """
    other = deliveries.alias()
    number = deliveries.c.fields["broadcast"].as_integer()
    is_doubled = sa.exists().where(
        other.c.chat_id == new,
        other.c.notice == BROADCAST,
        other.c.fields["broadcast"].as_integer() == number,
    )
    doubled = sa.and_(deliveries.c.chat_id == old, deliveries.c.notice == BROADCAST, is_open)
    await delete_rows(tx, deliveries, doubled, deliveries.c.copies == 0, is_doubled)


def _fields(broadcast: Broadcast) -> dict[str, object]:
    """Return the fields of the deliveries of a broadcast."""
    return {"text": broadcast.text, "broadcast": broadcast.id}


def _belongs_to_broadcast_sql(number: int) -> sa.ColumnElement[bool]:
    """Return the SQL condition that a delivery belongs to a broadcast."""
    is_its_own = deliveries.c.fields["broadcast"].as_integer() == number
    return sa.and_(deliveries.c.notice == BROADCAST, is_its_own)


async def is_being_sent_or_due_soon(tx: Tx, number: int, *, now: datetime) -> bool:
    """Return whether a delivery of a broadcast is being sent, or is due within a minute.

    A delivery does not count if the chat is closed, if a right is missing, if a flood limit lasts
    longer, or after 4 failed attempts.
    """
    soon = now + _SENT_SOON
    statement = (
        sa.select(deliveries.c.id)
        .join(queues, queues.c.chat_id == deliveries.c.chat_id)
        .join(chats, chats.c.id == deliveries.c.chat_id)
        .where(_belongs_to_broadcast_sql(number), is_open, IS_ACTIVE)
        .where(deliveries.c.due_at <= soon, deliveries.c.held != Held.MUTED)
        .where(ENDED_ATTEMPTS < _TRIES)
        .where(sa.or_(IS_LEASED, queues.c.leased_until <= soon))
    )
    return bool(await tx.scalar(sa.select(statement.exists())))


@dataclass(frozen=True, slots=True)
class Reach:
    """The numbers of chats in which a broadcast was received, is pending, or is undeliverable."""

    sent: int
    waiting: int
    unreachable: int


async def count_reach(tx: Tx, number: int) -> Reach:
    """Count the deliveries of a broadcast by outcome.

    The numbers are complete for three days only, because sent deliveries are later deleted.
    """
    is_sent = deliveries.c.state == "sent"
    is_waiting = sa.and_(is_open, IS_ACTIVE)
    statement = (
        sa.select(
            sa.func.count().filter(is_sent),
            sa.func.count().filter(is_waiting),
            sa.func.count().filter(~sa.or_(is_sent, is_waiting)),
        )
        .join(chats, chats.c.id == deliveries.c.chat_id)
        .where(_belongs_to_broadcast_sql(number))
    )
    return Reach(*(await tx.execute(statement)).one())


async def drop_unsent(tx: Tx, number: int, *, now: datetime) -> None:
    """Drop the open deliveries of a broadcast, except deliveries that may have arrived."""
    unsent = sa.and_(_belongs_to_broadcast_sql(number), is_open, deliveries.c.copies == 0)
    waiting = sa.select(deliveries.c.chat_id).where(unsent)
    # The queues are locked by a subquery, because ``chat_queues.lock_all`` would need a parameter
    # for each chat.
    condition = queues.c.chat_id.in_(waiting)
    await lock_rows(tx, queues.c.chat_id, condition, against_references=True)
    await update_rows(tx, deliveries, unsent, state="dropped", reason="stopped", done_at=now)
