"""Fan-outs: what is to be owed to all who wait for a profile, brought to them in slices.

The transaction that learns something of a profile writes one row here, however many wait for it.
Slice by slice that row becomes deliveries, in the order of the subscriptions' ids, and remembers
how far it has come: a process that dies in the middle leaves the rest to another. Those of one
profile go one after the other, so that each chat gets them in order; profiles take turns.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.domain.records import MAIN, Subscription
from bot.store import chat_queues
from bot.store.chats import IS_ACTIVE, chats
from bot.store.deliveries import deliveries
from bot.store.engine.database import Tx
from bot.store.engine.schema import BigId, Timestamp, insert, metadata
from bot.store.stories import stories
from bot.store.subscriptions import WAITS, subscriptions

fan_outs = sa.Table(
    "fan_outs",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column("profile_id", sa.String(32), nullable=False),
    sa.Column("story_pks", sa.JSON),  # None for a notice
    sa.Column("notice", sa.String(16)),
    sa.Column("fields", sa.JSON),
    sa.Column("since", Timestamp),  # only who waits since then; None: all
    sa.Column("due_at", Timestamp, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("after_id", sa.BigInteger, nullable=False, server_default="0"),  # done up to here
    sa.Column("last_id", sa.BigInteger, nullable=False),  # the newest subscription of then
    sa.Column("turn_at", Timestamp, nullable=False),  # when it had its last slice
    sa.Index("ix_fan_outs_profile", "profile_id", "id"),
)

_earlier = fan_outs.alias()
_HEAD = (
    sa.select(fan_outs)
    .where(
        ~sa.exists().where(
            _earlier.c.profile_id == fan_outs.c.profile_id, _earlier.c.id < fan_outs.c.id
        )
    )
    .order_by(fan_outs.c.turn_at, fan_outs.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_ANY = sa.select(sa.exists().where(fan_outs.c.id > 0))
_NEWEST = sa.select(sa.func.max(subscriptions.c.id)).where(
    subscriptions.c.profile_id == sa.bindparam("profile_id")
)
_IN_RANGE = sa.and_(
    subscriptions.c.profile_id == sa.bindparam("profile_id", type_=sa.String),
    subscriptions.c.id > sa.bindparam("after_id", type_=sa.BigInteger),
    subscriptions.c.id <= sa.bindparam("last_id", type_=sa.BigInteger),
)
_END_OF_SLICE = (
    sa.select(subscriptions.c.id)
    .where(_IN_RANGE)
    .order_by(subscriptions.c.id)
    .offset(sa.bindparam("before", type_=sa.Integer))
    .limit(1)
)
_WAITS_IN_RANGE = sa.and_(_IN_RANGE, WAITS)
# Who ends or moves a chat locks its queue: once that is ours, the chat is there to stay, or gone.
_QUEUES = (
    sa.select(chat_queues.queues.c.chat_id)
    .where(chat_queues.queues.c.chat_id.in_(sa.select(subscriptions.c.chat_id).where(_IN_RANGE)))
    .order_by(chat_queues.queues.c.chat_id)
    .with_for_update()
)


async def add(
    tx: Tx,
    profile_id: str,
    *,
    due_at: datetime,
    now: datetime,
    story_pks: Sequence[str] | None = None,
    notice: str | None = None,
    fields: Mapping[str, Any] | None = None,
    since: datetime | None = None,
) -> None:
    """Owe stories, or a notice, to all who wait for a profile now."""
    newest = (await tx.execute(_NEWEST, {"profile_id": profile_id})).scalar()
    if newest is None:
        return
    await tx.execute(
        sa.insert(fan_outs).values(
            profile_id=profile_id,
            story_pks=None if story_pks is None else list(story_pks),
            notice=notice,
            fields=None if fields is None else dict(fields),
            since=since,
            due_at=due_at,
            created_at=now,
            last_id=newest,
            turn_at=now,
        )
    )


async def has_any(tx: Tx) -> bool:
    """Return whether something is left to be brought to those who wait."""
    return bool((await tx.execute(_ANY)).scalar())


async def write_slice(tx: Tx, *, now: datetime, limit: int) -> bool:
    """Owe one slice, of up to ``limit`` subscriptions; false when nothing was left for us."""
    row = (await tx.execute(_HEAD)).one_or_none()
    if row is None:
        return False
    where = {"profile_id": row.profile_id, "after_id": row.after_id, "last_id": row.last_id}
    end: int | None = (await tx.execute(_END_OF_SLICE, where | {"before": limit - 1})).scalar()
    is_last = end is None or end >= row.last_id
    where["last_id"] = row.last_id if end is None else end
    await _add_deliveries(tx, row, where)
    this = fan_outs.c.id == row.id
    if is_last:
        await tx.execute(sa.delete(fan_outs).where(this))
    else:
        await tx.execute(sa.update(fan_outs).where(this).values(after_id=end, turn_at=now))
    return True


async def enqueue_for_heir(tx: Tx, ends: Subscription, *, heir: Subscription) -> None:
    """Enqueue now, for its heir, what is on its way to a subscription that is about to end.

    A story that the heir has, or is yet to get itself, comes once (``UNIQUE`` of ``deliveries``);
    a notice is left to come to an heir that this fan-out reaches. Their chats' queues are locked.
    """
    coming = sa.select(fan_outs).where(
        fan_outs.c.profile_id == ends.profile_id,
        fan_outs.c.after_id < ends.id,
        fan_outs.c.last_id >= ends.id,
        sa.or_(fan_outs.c.notice.is_(None), fan_outs.c.last_id < heir.id),
    )
    this = {"profile_id": ends.profile_id, "after_id": ends.id - 1, "last_id": ends.id}
    for row in (await tx.execute(coming.order_by(fan_outs.c.id))).all():
        await _add_deliveries(tx, row, this)


async def enqueue_missed(tx: Tx, one: Subscription, *, now: datetime) -> None:
    """Enqueue for a subscription the live stories that were found while it did not wait for them.

    Each is as if it had been enqueued when it was found. The chat's queue is locked, and is to be
    rescheduled.
    """
    found = (
        sa.select(
            sa.literal(one.target.chat_id, sa.BigInteger),
            sa.literal(one.target.thread_id or MAIN, sa.BigInteger),
            sa.literal(one.id, BigId),
            stories.c.seen_at,
            stories.c.seen_at,
            stories.c.pk,
        )
        .where(
            stories.c.profile_id == one.profile_id,
            stories.c.taken_at >= one.since,
            stories.c.seen_at > one.created_at,  # what was seen before is no news
            stories.c.expires_at > sa.bindparam("now", type_=Timestamp),
        )
        .order_by(stories.c.taken_at, stories.c.pk)
    )
    names = ["chat_id", "thread_id", "subscription_id", "due_at", "created_at", "story_pk"]
    rows = insert(deliveries).from_select(names, found)
    await tx.execute(
        rows.on_conflict_do_nothing(index_elements=["subscription_id", "story_pk"]), {"now": now}
    )


async def _add_deliveries(tx: Tx, row: sa.Row[Any], where: Mapping[str, Any]) -> None:
    """Lock what a slice touches in the order of ``bot.store``, and insert its deliveries."""
    if tx.dialect.name == "postgresql":
        await tx.execute(_QUEUES, where)
    due_at = sa.literal(row.due_at, Timestamp)
    at = sa.literal(row.created_at, Timestamp)
    waiting = sa.select(subscriptions.c.chat_id).where(
        _IN_RANGE, subscriptions.c.paused.is_(False)
    )
    queues = (
        sa.select(chats.c.id, due_at, at)
        .where(chats.c.id.in_(waiting), IS_ACTIVE)
        .order_by(chats.c.id)
        .with_for_update(read=True, key_share=True)  # one that goes is waited for, and not there
    )
    names = ["chat_id", "due_at", "free_at"]
    woken = insert(chat_queues.queues).from_select(names, queues)
    await chat_queues.insert_due(tx, woken, where)
    who = [subscriptions.c.chat_id, subscriptions.c.thread_id, subscriptions.c.id]
    names = ["chat_id", "thread_id", "subscription_id", "due_at", "created_at"]
    if row.story_pks is None:
        notice = sa.literal(row.notice, sa.String), sa.literal(row.fields, sa.JSON)
        source = sa.select(*who, due_at, at, *notice).order_by(subscriptions.c.id)
        names += ["notice", "fields"]
    else:
        source = (
            sa.select(*who, due_at, at, stories.c.pk)
            .join(stories, stories.c.profile_id == subscriptions.c.profile_id)
            .where(stories.c.pk.in_(row.story_pks), stories.c.taken_at >= subscriptions.c.since)
            .order_by(stories.c.taken_at, stories.c.pk, subscriptions.c.id)
        )
        names += ["story_pk"]
    source = source.join(chats, chats.c.id == subscriptions.c.chat_id).where(_WAITS_IN_RANGE)
    if row.since is not None:
        source = source.where(subscriptions.c.since <= row.since)
    # A subscription that is ended meanwhile is waited for, and then not there.
    source = source.with_for_update(read=True, key_share=True, of=subscriptions)
    rows = insert(deliveries).from_select(names, source)
    await tx.execute(
        rows.on_conflict_do_nothing(index_elements=["subscription_id", "story_pk"]), where
    )
