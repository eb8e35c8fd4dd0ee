"""Functions that enqueue and count deliveries, and that reopen or drop dead letters."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.domain.model import Now, Target
from bot.domain.records import MAIN, REPLY, Held
from bot.store import chat_queues, fan_outs
from bot.store.chats import active_among, chats
from bot.store.deliveries import deliveries, is_dead, is_open, is_story
from bot.store.engine.columns import Timestamp
from bot.store.engine.database import Tx, all_rows, column_values, count_rows
from bot.store.engine.prepared import Prepared
from bot.store.engine.schema import columns_of
from bot.store.stories import stories


async def add_fan_out_of_live_stories(
    tx: Tx, profile_id: str, pks: Sequence[str], *, now: datetime
) -> None:
    """Add a fan-out of new stories of a profile for the current subscriptions (``fan_outs.add``).

    The deliveries are due now. A subscription gets each story only once. Expired stories are
    skipped.
    """
    is_alive = stories.c.expires_at > now
    new_pks = sorted(await column_values(tx, stories.c.pk, stories.c.pk.in_(pks), is_alive))
    if new_pks:
        await fan_outs.add(tx, profile_id, story_pks=new_pks, due_at=now, now=now)


_WHERE_CHAT_IS = sa.select(
    chats.c.id.label("chat_id"),
    sa.bindparam("thread_id", type_=sa.BigInteger),
    sa.bindparam("notice", type_=sa.String),
    sa.bindparam("fields", type_=sa.JSON),
    sa.bindparam("copies", type_=sa.Integer),
    sa.bindparam("copies", type_=sa.Integer).label("attempts"),
    sa.bindparam("sending", type_=sa.Boolean),
    sa.bindparam("held", type_=sa.String),
    sa.bindparam("due_at", type_=Timestamp),
    sa.bindparam("now", type_=Timestamp).label("created_at"),
).where(chats.c.id == sa.bindparam("chat_id"))
_ADD = Prepared(
    sa.insert(deliveries)
    .from_select(
        _WHERE_CHAT_IS.selected_columns.keys(),
        _WHERE_CHAT_IS.with_for_update(read=True, key_share=True),  # waits for a deletion
    )
    .returning(deliveries.c.id)
)


async def add_reply(
    tx: Tx,
    target: Target,
    payload: Mapping[str, Any],
    *,
    now: datetime,
    due_at: datetime,
    copies: int = 0,
    held: Held = Held.NOTHING,
    notice: str = REPLY,
) -> int | None:
    """Enqueue a reply, or the notice ``notice``. Return the id, or None if the chat is unknown.

    If the caller sends the reply now, ``copies`` is 1. The caller has claimed the chat's queue or
    makes the queue due.
    """
    values = {
        "chat_id": target.chat_id,
        "thread_id": target.thread_id or MAIN,
        "notice": notice,
        "fields": dict(payload),
        "copies": copies,
        "sending": copies > 0,
        "held": held,
        "due_at": due_at,
        "now": now,
    }
    rows = await _ADD.rows(tx, values)
    return rows[0].id if rows else None


async def add_notice(
    tx: Tx,
    target: Target,
    notice: str,
    fields: Mapping[str, Any],
    *,
    now: datetime,
    due_at: datetime | Now = None,
    held: Held = Held.NOTHING,
) -> None:
    """Enqueue a notice or reply for a chat or topic. Do nothing if the chat is unknown.

    The message is due at ``due_at``, or now if ``due_at`` is None.
    """
    due_at = due_at or now
    # The insert of a delivery also locks the row of the chat against deletion. The queue is locked
    # first, because a transaction that moves or erases the chat locks the queue before the
    # deletion of the row. A different order could cause a deadlock.
    await chat_queues.lock(tx, target.chat_id)
    if await add_reply(tx, target, fields, notice=notice, held=held, due_at=due_at, now=now):
        await chat_queues.make_due(tx, target.chat_id, due_at=due_at, now=now)


@dataclass(frozen=True, slots=True)
class OutcomeCount:
    """The number of a subscription's deliveries that have the same final state and reason."""

    state: str
    reason: str
    count: int


async def count_outcomes(
    tx: Tx, subscription_id: int, *, enqueued_since: datetime
) -> list[OutcomeCount]:
    """Count a subscription's ended deliveries of stories by state and reason.

    Only deliveries that were enqueued after ``enqueued_since`` are counted.
    """
    statement = (
        sa.select(deliveries.c.state, deliveries.c.reason, sa.func.count().label("count"))
        .where(
            deliveries.c.subscription_id == subscription_id,
            is_story,
            deliveries.c.created_at > enqueued_since,
            ~is_open,
        )
        .group_by(deliveries.c.state, deliveries.c.reason)
    )
    return await all_rows(tx, OutcomeCount, statement)


@dataclass(frozen=True, slots=True)
class Backlog:
    """The size of the outbox: deliveries that are due and unsent, and dead letters."""

    open: int
    dead_letters: int


async def count_backlog(tx: Tx, *, now: datetime) -> Backlog:
    """Count the deliveries that are due and unsent, and the dead letters."""
    return Backlog(
        open=await count_rows(tx, is_open, deliveries.c.due_at <= now),
        dead_letters=await count_rows(tx, is_dead),
    )


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A delivery that is no longer sent.

    Either the outcomes of three sends are unknown, or the bot could not read the stored story.
    """

    id: int
    chat_id: int
    story_pk: str | None
    copies: int
    reason: str
    done_at: datetime


async def reopen_dead_letters(tx: Tx, ids: Collection[int], *, now: datetime) -> list[int]:
    """Reopen dead letters and make them due now. Return the ids of the reopened deliveries.

    Dead letters of closed chats and of expired stories stay, because these deliveries would be
    dropped later.
    """
    condition, chat_ids = await _lock_queues_of_dead_letters(tx, ids)
    is_active = deliveries.c.chat_id.in_(await active_among(tx, chat_ids))
    is_alive = sa.exists().where(stories.c.pk == deliveries.c.story_pk, stories.c.expires_at > now)
    reopened = sa.update(deliveries).where(condition, is_active, is_alive | ~is_story)
    values = {
        "state": "open",
        "reason": "",
        "done_at": None,
        "due_at": now,
        "held": Held.NOTHING,
        "copies": 0,
        "attempts": 0,
        "sending": False,
    }
    found = sorted(await tx.scalars(reopened.values(**values).returning(deliveries.c.id)))
    await chat_queues.reschedule_all(tx, chat_ids)
    return found


async def drop_dead_letters(tx: Tx, ids: Collection[int], *, now: datetime) -> list[int]:
    """Drop dead letters for good. Return the dropped ids."""
    condition, _ = await _lock_queues_of_dead_letters(tx, ids)
    dropped = sa.update(deliveries).where(condition)
    values = {"state": "dropped", "reason": "dropped by an owner", "done_at": now}
    return sorted(await tx.scalars(dropped.values(**values).returning(deliveries.c.id)))


async def _lock_queues_of_dead_letters(
    tx: Tx, ids: Collection[int]
) -> tuple[sa.ColumnElement[bool], set[int]]:
    """Lock the chat queues of those deliveries in ``ids`` that are dead letters.

    Return the SQL condition that selects the dead letters, and the ids of the locked chats.
    """
    condition = sa.and_(deliveries.c.id.in_(sorted(ids)), is_dead)
    chat_ids = set(await column_values(tx, deliveries.c.chat_id, condition))
    await chat_queues.lock_all(tx, chat_ids)
    return sa.and_(condition, deliveries.c.chat_id.in_(sorted(chat_ids))), chat_ids


async def dead_letters(tx: Tx, *, limit: int = 50) -> list[DeadLetter]:
    """Return at most ``limit`` dead letters, newest first."""
    statement = (
        sa.select(*columns_of(deliveries, DeadLetter))
        .where(is_dead)
        .order_by(deliveries.c.done_at.desc(), deliveries.c.id)
        .limit(limit)
    )
    return await all_rows(tx, DeadLetter, statement)
