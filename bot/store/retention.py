"""Upkeep: what is forgotten in time, and lanes mended after the unforeseen."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.store import history
from bot.store.chat_queues import lanes
from bot.store.chats import chats
from bot.store.database import Tx, insert_for
from bot.store.deliveries import deliveries, is_open
from bot.store.profiles import profiles
from bot.store.schema import Timestamp
from bot.store.stories import stories
from bot.store.subscriptions import follows, subscriptions

STORIES_KEPT = timedelta(hours=48)  # after they expired: no list of deleted stories is kept
DELIVERIES_KEPT = timedelta(days=30)
CLOSED_CHATS_KEPT = timedelta(days=30)
PROFILES_KEPT = timedelta(days=30)
HISTORY_KEPT = timedelta(days=60)
FOLLOWS_KEPT = timedelta(days=2)
SLICE = 1000


async def mend_lanes(tx: Tx, *, now: datetime) -> None:
    """Give every chat with something owed a lane that is due when it is."""
    due = (
        sa.select(
            deliveries.c.chat_id,
            sa.func.min(deliveries.c.due_at, type_=Timestamp),
            sa.literal(now, Timestamp),
        )
        .join(chats, chats.c.id == deliveries.c.chat_id)
        .where(is_open, chats.c.state == "active")
        .group_by(deliveries.c.chat_id)
        .order_by(deliveries.c.chat_id)
    )
    insert = insert_for(tx)(lanes).from_select(["chat_id", "due_at", "free_at"], due)
    await tx.execute(
        insert.on_conflict_do_update(
            index_elements=["chat_id"], set_={"due_at": insert.excluded.due_at}
        )
    )


async def stop_looking(tx: Tx) -> int:
    """Look no more at profiles that nobody waits for, however that came; return how many."""
    waiting = (
        sa.exists()
        .where(subscriptions.c.profile_id == profiles.c.profile_id)
        .where(subscriptions.c.paused.is_(False))
        .where(chats.c.id == subscriptions.c.chat_id, chats.c.state == "active")
    )
    idle = sa.and_(profiles.c.next_look_at.is_not(None), ~waiting)
    return (
        await tx.execute(sa.update(profiles).where(idle).values(weight=0, next_look_at=None))
    ).rowcount


async def release_lanes(tx: Tx, *, now: datetime) -> None:
    """End all leases: right where one process alone uses the database, at its start."""
    statement = sa.update(lanes).where(lanes.c.leased.is_(True))
    await tx.execute(statement.values(free_at=now, leased=False))


async def forget(tx: Tx, *, now: datetime) -> int:
    """Delete a slice of what has been kept long enough; return how many rows went."""
    gone = 0
    for table, key, old in (
        (
            deliveries,
            deliveries.c.id,
            sa.and_(
                deliveries.c.state != sa.literal_column("'open'"),
                deliveries.c.done_at < now - DELIVERIES_KEPT,
            ),
        ),
        (
            stories,
            stories.c.pk,
            sa.and_(
                stories.c.expires_at < now - STORIES_KEPT,
                ~sa.exists().where(deliveries.c.story_pk == stories.c.pk, is_open),
            ),
        ),
        (history.moments, history.moments.c.at, history.moments.c.at < now - HISTORY_KEPT),
        (follows, follows.c.id, follows.c.at < now - FOLLOWS_KEPT),
        (
            chats,
            chats.c.id,
            sa.and_(chats.c.state == "closed", chats.c.state_since < now - CLOSED_CHATS_KEPT),
        ),
        (
            profiles,
            profiles.c.profile_id,
            sa.and_(
                profiles.c.named_at < now - PROFILES_KEPT,
                ~sa.exists().where(subscriptions.c.profile_id == profiles.c.profile_id),
            ),
        ),
    ):
        slice_ = sa.select(key).where(old).limit(SLICE).scalar_subquery()
        gone += (await tx.execute(sa.delete(table).where(key.in_(slice_)))).rowcount
    return gone
