"""Fan-outs: stories or a notice for the subscriptions of a profile, enqueued in slices.

Each slice has its own transaction. After a crash, a different process continues with the next
slice. The fan-outs of a profile are written in sequence.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog

from bot.domain.records import Subscription
from bot.runtime.claims import RetryPolicy
from bot.store import chat_queues
from bot.store.chats import HAS_PAYER, IS_ACTIVE, chats
from bot.store.claims import NOW
from bot.store.deliveries import deliveries
from bot.store.engine.columns import Timestamp, automatic_id, counter, required
from bot.store.engine.database import Tx, delete_rows, lock_rows, update_rows
from bot.store.engine.failures import is_outage, is_timeout
from bot.store.engine.schema import insert, metadata
from bot.store.profiles import IS_NOT_BLOCKED, profiles
from bot.store.stories import stories
from bot.store.subscriptions import WAITS, subscriptions

log = structlog.get_logger()

fan_outs = sa.Table(
    "fan_outs",
    metadata,
    automatic_id(),
    required("profile_id", sa.String(32)),
    sa.Column("story_pks", sa.JSON),  # None for a notice
    sa.Column("notice", sa.String(16)),
    sa.Column("fields", sa.JSON),
    # Subscriptions whose alerts began after this time get no delivery. None means no such limit.
    sa.Column("since", Timestamp),
    required("deliver_at", Timestamp),  # when the deliveries are due
    required("created_at", Timestamp),
    # The id of the last subscription for which the deliveries have been written.
    required("after_id", sa.BigInteger, default="0"),
    # The id of the newest subscription at the time when the fan-out was added.
    required("last_id", sa.BigInteger),
    # The time from which the next slice can be written. After a failure, this is the time of the
    # next attempt.
    required("due_at", Timestamp),
    # The number of failed attempts to write the next slice.
    counter("failures"),
    sa.Index("ix_fan_outs_profile", "profile_id", "id"),
    sqlite_autoincrement=True,
)

RETRIES = RetryPolicy(pause=timedelta(seconds=1))
# A fan-out is reported after this number of consecutive failures. The fifth attempt is made 10
# seconds after the first attempt.
_REPORTED_AFTER = 5
_FIRST_OF_PROFILE = fan_outs.c.id.in_(
    sa.select(sa.func.min(fan_outs.c.id)).group_by(fan_outs.c.profile_id)
)
_NEXT_DUE = sa.select(sa.func.min(fan_outs.c.due_at)).where(_FIRST_OF_PROFILE)
_LOCK_DUE = (
    sa.select(fan_outs)
    .where(_FIRST_OF_PROFILE, fan_outs.c.due_at <= NOW)
    .order_by(fan_outs.c.due_at, fan_outs.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_FAILING = (
    sa.select(profiles.c.username)
    .join(fan_outs, fan_outs.c.profile_id == profiles.c.profile_id)
    .where(fan_outs.c.failures >= _REPORTED_AFTER)
    .order_by(profiles.c.username)
)
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
# A transaction that deletes or moves a chat also locks the chat's queue. The locks of this
# statement therefore prevent that a chat is deleted or moved while a slice is written.
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
    alerts_began_by: datetime | None = None,
) -> None:
    """Add a fan-out of stories or of a notice for the current subscriptions of a profile.

    Only waiting subscriptions get deliveries. Stories from before the start of the alerts are left
    out. Subscriptions whose alerts began after ``alerts_began_by`` get nothing.
    """
    newest = await tx.scalar(_NEWEST, {"profile_id": profile_id})
    if newest is None:
        return
    await tx.execute(
        sa.insert(fan_outs).values(
            profile_id=profile_id,
            story_pks=None if story_pks is None else list(story_pks),
            notice=notice,
            fields=None if fields is None else dict(fields),
            since=alerts_began_by,
            deliver_at=due_at,
            created_at=now,
            last_id=newest,
            due_at=now,
        )
    )


async def remove_story_fan_outs(tx: Tx, profile_ids: Collection[str]) -> None:
    """Delete the unfinished fan-outs of stories of profiles. Fan-outs of notices stay."""
    condition = sa.and_(
        fan_outs.c.profile_id.in_(sorted(profile_ids)), fan_outs.c.notice.is_(None)
    )
    await lock_rows(tx, fan_outs.c.id, condition, against_references=True)
    await delete_rows(tx, fan_outs, condition)


async def next_due_at(tx: Tx) -> datetime | None:
    """Return the time at which the next slice of a fan-out is due, or None."""
    due_at: datetime | None = await tx.scalar(_NEXT_DUE)
    return due_at


async def failing_usernames(tx: Tx) -> list[str]:
    """Return the usernames of profiles with a fan-out that has failed 5 times in a row or more."""
    return list(await tx.scalars(_FAILING))


async def lock_due(tx: Tx, *, now: datetime) -> sa.Row[Any] | None:
    """Lock and return the fan-out that has been due longest, or None if no fan-out is due.

    Only the oldest fan-out of each profile is considered. Fan-outs that another transaction has
    locked are skipped.
    """
    return (await tx.execute(_LOCK_DUE, {"now": now})).one_or_none()


async def write_next_slice_if_due(tx: Tx, *, now: datetime, limit: int) -> bool:
    """Write the next slice of the fan-out that has been due longest.

    A slice has the deliveries of at most ``limit`` subscriptions. Return False if no unlocked
    fan-out is due. If the write fails, a retry of the fan-out is scheduled, and the result is
    True.

    Raises:
        sqlalchemy.exc.DBAPIError: The database has an outage. A timeout of the write is not
            raised.
    """
    row = await lock_due(tx, now=now)
    if row is None:
        return False
    try:
        async with tx.begin_nested():
            end = await _write_slice_and_return_last_id(tx, row, limit)
    except sa.exc.DBAPIError as error:
        # A timeout counts as a failure of this slice only. An outage is raised, because an outage
        # stops the fan-outs of all profiles.
        if is_outage(error) and not is_timeout(error):
            raise
        log.exception("a slice of a fan-out can't be written", fan_out=row.id)
        failures = row.failures + 1
        await _change(tx, row, due_at=RETRIES.next_at(failures, now=now), failures=failures)
        return True
    if end is None:
        await delete_rows(tx, fan_outs, fan_outs.c.id == row.id)
    else:
        await _change(tx, row, due_at=now, failures=0, after_id=end)
    return True


async def _change(tx: Tx, row: sa.Row[Any], **values: object) -> None:
    """Set columns of a locked fan-out."""
    await update_rows(tx, fan_outs, fan_outs.c.id == row.id, **values)


async def _write_slice_and_return_last_id(tx: Tx, row: sa.Row[Any], limit: int) -> int | None:
    """Write the next slice of a fan-out.

    Return the id of the last subscription in the slice, or None if the fan-out is finished.
    """
    bounds = {"profile_id": row.profile_id, "after_id": row.after_id, "last_id": row.last_id}
    end: int | None = await tx.scalar(_END_OF_SLICE, bounds | {"before": limit - 1})
    if end is not None:
        bounds["last_id"] = end
    await _make_queues_due_and_add_deliveries(tx, row, bounds)
    return None if end is None or end >= row.last_id else end


async def write_deliveries_for_heir(tx: Tx, ending: Subscription, *, heir: Subscription) -> None:
    """Write the deliveries that unfinished fan-outs would later write for a subscription.

    The subscription ``ending`` is about to end. A notice that ``heir`` also gets is left out. The
    caller has locked the queues of both chats.
    """
    coming = sa.select(fan_outs).where(
        fan_outs.c.profile_id == ending.profile_id,
        fan_outs.c.after_id < ending.id,
        fan_outs.c.last_id >= ending.id,
        sa.or_(fan_outs.c.notice.is_(None), fan_outs.c.last_id < heir.id),
    )
    this = {"profile_id": ending.profile_id, "after_id": ending.id - 1, "last_id": ending.id}
    for row in (await tx.execute(coming.order_by(fan_outs.c.id))).all():
        await _make_queues_due_and_add_deliveries(tx, row, this)


async def enqueue_missed_stories(
    tx: Tx, *, chat_id: int | None = None, subscription_id: int | None = None, now: datetime
) -> None:
    """Enqueue the live stories that were found while subscriptions did not receive alerts.

    The subscriptions are ``subscription_id``, or all subscriptions of ``chat_id``. The caller has
    locked the queue of the chat, and reschedules the queue afterwards.
    """
    whose = subscriptions.c.chat_id == chat_id
    if subscription_id is not None:
        whose = subscriptions.c.id == subscription_id
    found = (
        sa.select(
            subscriptions.c.chat_id,
            subscriptions.c.thread_id,
            subscriptions.c.id,
            stories.c.seen_at,
            stories.c.seen_at,
            stories.c.pk,
        )
        .join(stories, stories.c.profile_id == subscriptions.c.profile_id)
        .join(profiles, profiles.c.profile_id == subscriptions.c.profile_id)
        .join(chats, chats.c.id == subscriptions.c.chat_id)
        .where(
            whose,
            WAITS,
            IS_NOT_BLOCKED,
            stories.c.taken_at >= subscriptions.c.since,
            # Stories that were found before the subscription began are not new for the chat.
            stories.c.seen_at > subscriptions.c.created_at,
            stories.c.expires_at > sa.bindparam("now", type_=Timestamp),
        )
        .order_by(stories.c.taken_at, stories.c.pk, subscriptions.c.id)
    )
    names = ["chat_id", "thread_id", "subscription_id", "due_at", "created_at", "story_pk"]
    rows = insert(deliveries).from_select(names, found)
    await tx.execute(
        rows.on_conflict_do_nothing(index_elements=["subscription_id", "story_pk"]), {"now": now}
    )


async def _make_queues_due_and_add_deliveries(
    tx: Tx, fan_out: sa.Row[Any], slice_bounds: Mapping[str, Any]
) -> None:
    """Insert the deliveries of a slice, and make the chat queues due.

    The queues are locked before the chats and subscriptions (see ``bot.store``).
    """
    if tx.dialect.name == "postgresql":
        await tx.execute(_QUEUES, slice_bounds)
    await _make_queues_due(tx, fan_out, slice_bounds)
    names, source = _columns_and_query_of_deliveries(fan_out)
    # If another transaction is ending a subscription, the lock waits for that transaction. The
    # query then leaves the ended subscription out.
    source = source.with_for_update(read=True, key_share=True, of=subscriptions)
    rows = insert(deliveries).from_select(names, source)
    await tx.execute(
        rows.on_conflict_do_nothing(index_elements=["subscription_id", "story_pk"]), slice_bounds
    )


async def _make_queues_due(tx: Tx, fan_out: sa.Row[Any], slice_bounds: Mapping[str, Any]) -> None:
    """Make the chat queues of a slice due. Missing queues are added."""
    due_at = sa.literal(fan_out.deliver_at, Timestamp)
    at = sa.literal(fan_out.created_at, Timestamp)
    waiting = sa.select(subscriptions.c.chat_id).where(
        _IN_RANGE, subscriptions.c.paused.is_(False)
    )
    queues = (
        sa.select(chats.c.id, due_at, at, at)
        .where(chats.c.id.in_(waiting), HAS_PAYER, IS_ACTIVE)
        .order_by(chats.c.id)
        .with_for_update(read=True, key_share=True)  # waits for a concurrent deletion of the row
    )
    names = ["chat_id", "due_at", "leased_until", "token"]
    woken = insert(chat_queues.queues).from_select(names, queues)
    await chat_queues.insert_or_make_due(tx, woken, slice_bounds)


def _columns_and_query_of_deliveries(row: sa.Row[Any]) -> tuple[list[str], sa.Select[Any]]:
    """Return the column names of the deliveries of a slice, and the query for their values."""
    due_at = sa.literal(row.deliver_at, Timestamp)
    at = sa.literal(row.created_at, Timestamp)
    columns = [subscriptions.c.chat_id, subscriptions.c.thread_id, subscriptions.c.id]
    names = ["chat_id", "thread_id", "subscription_id", "due_at", "created_at"]
    if row.story_pks is None:
        notice = sa.literal(row.notice, sa.String), sa.literal(row.fields, sa.JSON)
        source = sa.select(*columns, due_at, at, *notice).order_by(subscriptions.c.id)
        names += ["notice", "fields"]
    else:
        source = (
            sa.select(*columns, due_at, at, stories.c.pk)
            .join(stories, stories.c.profile_id == subscriptions.c.profile_id)
            .where(stories.c.pk.in_(row.story_pks), stories.c.taken_at >= subscriptions.c.since)
            .order_by(stories.c.taken_at, stories.c.pk, subscriptions.c.id)
        )
        names += ["story_pk"]
    source = source.join(chats, chats.c.id == subscriptions.c.chat_id).where(_WAITS_IN_RANGE)
    if row.since is not None:
        source = source.where(subscriptions.c.since <= row.since)
    return names, source
