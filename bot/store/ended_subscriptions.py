"""Ended subscriptions, kept for a day for *Undo*.

The stories of ended subscriptions stay in ``deliveries`` (``deliveries.drop_and_detach_stories``).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bot.domain.model import AllChats, Target
from bot.domain.options import Preferences
from bot.domain.records import Subscription
from bot.store.engine.columns import BigId, Timestamp, chat_key, primary_key, required
from bot.store.engine.database import Tx, delete_rows, has_row, update_rows
from bot.store.engine.schema import metadata

ended = sa.Table(
    "ended_subscriptions",
    metadata,
    chat_key(),
    primary_key("thread_id", sa.BigInteger),
    primary_key("profile_id", sa.String(32)),
    required("username", sa.String(64)),
    required("preferences", sa.JSON),
    # The id that the subscription had. The column is not a foreign key, because an ended
    # subscription has no row in the table of subscriptions.
    required("subscription_id", BigId),
    required("since", Timestamp),
    sa.Column("created_by", sa.BigInteger),
    required("created_at", Timestamp),
    required("at", Timestamp, index=True),
)


@dataclass(frozen=True, slots=True)
class Ended:
    """The last state of an ended subscription. ``id`` is the id that the subscription had."""

    id: int
    target: Target
    profile_id: str
    username: str
    preferences: Preferences
    since: datetime
    created_by: int | None
    created_at: datetime


async def add(tx: Tx, ended_subscriptions: Collection[Subscription], *, now: datetime) -> None:
    """Store subscriptions of a chat that end together.

    If an earlier subscription of the same target to the same profile is stored, replace it.
    """
    if not ended_subscriptions:
        return
    keys = [
        (subscription.target.chat_id, subscription.target.thread_id or 0, subscription.profile_id)
        for subscription in ended_subscriptions
    ]
    replaced = sa.tuple_(*ended.primary_key).in_(keys)
    await _lock(tx, replaced)
    await delete_rows(tx, ended, replaced)
    await tx.execute(
        sa.insert(ended),
        [
            {
                "chat_id": subscription.target.chat_id,
                "thread_id": subscription.target.thread_id or 0,
                "profile_id": subscription.profile_id,
                "username": subscription.username,
                "preferences": subscription.preferences.to_json(),
                "subscription_id": subscription.id,
                "since": subscription.since,
                "created_by": subscription.created_by,
                "created_at": subscription.created_at,
                "at": now,
            }
            for subscription in ended_subscriptions
        ],
    )


async def subscriptions_ended_at(tx: Tx, chat_id: int, *, at: datetime) -> list[Ended]:
    """Return the subscriptions that a chat ended at ``at``, sorted by name and topic."""
    rows = await tx.execute(
        sa.select(ended)
        .where(ended.c.chat_id == chat_id, ended.c.at == at)
        .order_by(ended.c.username, ended.c.thread_id)
    )
    return [
        Ended(
            id=row.subscription_id,
            target=Target(chat_id, row.thread_id or None),
            profile_id=row.profile_id,
            username=row.username,
            preferences=Preferences.from_json(row.preferences),
            since=row.since,
            created_by=row.created_by,
            created_at=row.created_at,
        )
        for row in rows
    ]


async def alerts_start_of(tx: Tx, subscription: Ended) -> datetime:
    """Return the stored start of the alerts of an ended subscription.

    Another transaction may have changed the start after ``subscription`` was read. If the ended
    subscription is not stored any more, return ``subscription.since``.
    """
    key = (
        subscription.target.chat_id,
        subscription.target.thread_id or 0,
        subscription.profile_id,
    )
    query = sa.select(ended.c.since).where(sa.tuple_(*ended.primary_key) == sa.tuple_(*key))
    return await tx.scalar(query) or subscription.since


async def set_alerts_start(
    tx: Tx, *, since: datetime, chat_id: int | AllChats, profile_ids: Collection[str]
) -> None:
    """Set the start of the alerts of ended subscriptions to ``since``.

    After *Undo*, older stories cause no alerts. If ``chat_id`` is None, the ended subscriptions of
    all chats to ``profile_ids`` are changed.
    """
    whose = ended.c.chat_id == chat_id
    if chat_id is None:
        whose = ended.c.profile_id.in_(sorted(profile_ids))
    await _lock(tx, whose)
    await update_rows(tx, ended, whose, since=since)


async def lock_of_chats(tx: Tx, chat_ids: Collection[int], *, creator: int | None = None) -> None:
    """Lock the ended subscriptions of chats, and all ended subscriptions made by ``creator``."""
    whose: sa.ColumnElement[bool] = ended.c.chat_id.in_(chat_ids)
    if creator is not None:
        whose |= ended.c.created_by == creator
    await _lock(tx, whose)


async def forget_creator(tx: Tx, person: int) -> None:
    """Remove the id of a person from the ended subscriptions that the person had created."""
    whose = ended.c.created_by == person
    await _lock(tx, whose)
    await update_rows(tx, ended, whose, created_by=None)


async def _lock(tx: Tx, which: sa.ColumnElement[bool]) -> None:
    """Lock the ended subscriptions that match a condition, in the order of the primary key."""
    ordered = sa.select(ended.c.chat_id).where(which).order_by(*ended.primary_key)
    locked = ordered.with_for_update().subquery()
    await tx.execute(sa.select(sa.func.count()).select_from(locked))


async def has_ended(tx: Tx, chat_id: int, username: str, *, ended_since: datetime) -> bool:
    """Return whether a chat ended a subscription to a profile after ``ended_since``."""
    return await has_row(
        tx, ended.c.chat_id == chat_id, ended.c.username == username, ended.c.at > ended_since
    )
