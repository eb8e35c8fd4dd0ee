"""Deliveries: the rows of the outbox. Each row is a message for a chat.

A delivery is a story, a notice or a reply. A transaction that changes a due time locks the chat's
queue (``bot.store.chat_queues``).
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa

from bot.domain import selection
from bot.domain.alert_rules import LONGEST_WAIT, MAX_ATTEMPTS
from bot.domain.model import Story, Target
from bot.domain.options import Options
from bot.domain.records import (
    ANSWERED,
    FLOODED,
    FLOODED_AND_DEFERRED,
    MAIN,
    PLACE,
    REPLY,
    ROWS_A_QUEUE,
    SUMMARY,
    Delivery,
    Held,
    Subscription,
)
from bot.domain.serialization import load_each_or_none
from bot.store.engine.columns import BigId, Timestamp, automatic_id, counter, flag, required
from bot.store.engine.database import Tx, delete_rows, has_row, update_rows
from bot.store.engine.prepared import Prepared
from bot.store.engine.schema import metadata, partial_index
from bot.store.profiles import profiles
from bot.store.stories import stories
from bot.store.subscriptions import subscriptions

deliveries = sa.Table(
    "deliveries",
    metadata,
    automatic_id(),
    required("chat_id", sa.BigInteger, sa.ForeignKey("chats.id", ondelete="CASCADE")),
    required("thread_id", sa.BigInteger, default="0"),
    sa.Column("subscription_id", BigId, sa.ForeignKey("subscriptions.id", ondelete="CASCADE")),
    sa.Column("story_pk", sa.String(32)),
    sa.Column("notice", sa.String(16)),  # The name of a notice, ``REPLY``, or None for a story.
    sa.Column("fields", sa.JSON),
    required("state", sa.String(8), default="open"),
    required("due_at", Timestamp),
    # A value of the enum ``Held``.
    required("held", sa.String(8), default=""),
    # The number of sends that may have arrived, at most three.
    counter("copies"),
    # The number of consecutive claims that have failed, or whose outcome is not recorded.
    counter("attempts"),
    # True if the delivery was claimed and the outcome is not recorded yet.
    flag("sending"),
    sa.Column("message_id", sa.BigInteger),
    required("reason", sa.Text, default=""),
    required("created_at", Timestamp),
    sa.Column("done_at", Timestamp),
    sa.UniqueConstraint("subscription_id", "story_pk"),
    sa.Index(
        "ix_deliveries_open",
        "chat_id",
        "id",
        **partial_index("state = 'open'"),
    ),
    sa.Index("ix_deliveries_chat", "chat_id"),  # used by the cascade when a chat is deleted
    sa.Index(
        "ix_deliveries_story",
        "story_pk",
        **partial_index("state = 'open'"),
    ),
    sa.Index(
        "ix_deliveries_due",
        "due_at",
        **partial_index("state = 'open'"),
    ),
    sa.Index(
        "ix_deliveries_parked",
        "done_at",
        **partial_index("state = 'parked'"),
    ),
    sa.Index(
        "ix_deliveries_done",
        "done_at",
        **partial_index("state <> 'open'"),
    ),
    sqlite_autoincrement=True,
)

# The states are literals, because PostgreSQL's generic query plans use a partial index only for
# literals.
is_open = deliveries.c.state == sa.literal_column("'open'")
is_dead = deliveries.c.state == sa.literal_column("'parked'")
is_story = deliveries.c.story_pk.is_not(None)  # A row without a story is a notice or a reply.


_LONGEST_WAIT_MS = LONGEST_WAIT // timedelta(milliseconds=1)


def longest_wait_ends_at_sql() -> sa.ColumnElement[datetime]:
    """Return the SQL of the time until which a row waits for earlier rows.

    The time is ``LONGEST_WAIT`` after the due time of the row.
    """
    later = sa.type_coerce(deliveries.c.due_at, sa.BigInteger) + _LONGEST_WAIT_MS
    return sa.type_coerce(later, Timestamp)


def waits_for_earlier_sql(due_after: Any) -> sa.ColumnElement[bool]:  # noqa: ANN401 - time or column
    """Return the SQL condition that a delivery must wait for an earlier delivery.

    A story or notice can wait for earlier deliveries of its subscription. A reply can wait for
    earlier replies of its chat. Deliveries due at ``due_after`` or before delay no delivery.
    """
    earlier = deliveries.alias()
    is_alike = sa.or_(
        earlier.c.subscription_id == deliveries.c.subscription_id,
        sa.and_(earlier.c.notice == REPLY, deliveries.c.notice == REPLY),
    )
    return sa.exists().where(
        # This condition is redundant, but allows the use of the index. The last three conditions
        # exclude deliveries with a missing right, deliveries that may have arrived, and deliveries
        # that may crash the bot.
        earlier.c.chat_id == deliveries.c.chat_id,
        is_alike,
        earlier.c.id < deliveries.c.id,
        earlier.c.state == sa.literal_column("'open'"),
        earlier.c.due_at > due_after,
        earlier.c.held != sa.literal_column(f"'{Held.MUTED}'"),
        earlier.c.copies == 0,
        sa.or_(earlier.c.attempts < MAX_ATTEMPTS, ~earlier.c.sending),
    )


_WHOLE = (
    sa.select(
        deliveries,
        stories.c.value.label("story"),
        subscriptions.c.options,
        profiles.c.username,
    )
    .outerjoin(stories, stories.c.pk == deliveries.c.story_pk)
    .outerjoin(subscriptions, subscriptions.c.id == deliveries.c.subscription_id)
    .outerjoin(profiles, profiles.c.profile_id == subscriptions.c.profile_id)
)
"""The query for deliveries, joined with their stories, options and usernames."""

# The place of a story's profile in the list of a daily summary. The column ``fields`` is read only
# for stories, because the column of a reply can contain a large album.
_LISTED_AT = sa.case((deliveries.c.notice.is_(None), deliveries.c.fields[PLACE].as_integer()))
IN_TURN = [
    sa.case(
        (deliveries.c.notice == REPLY, 0),
        (deliveries.c.notice == SUMMARY, 1),
        (_LISTED_AT.is_not(None), 2),
        else_=3,
    ),
    _LISTED_AT,
    deliveries.c.id,
]
"""The order in which the due rows of a chat are sent.

The order is: replies, daily summaries, stories that a summary lists, all other rows. Stories that
a summary lists are in the order of the list. All other rows of the same kind are in the order of
the ids.
"""


def _due_sql() -> sa.Select[Any]:
    now = sa.bindparam("now", type_=Timestamp)
    place = (
        sa.func.row_number()
        .over(partition_by=deliveries.c.chat_id, order_by=IN_TURN)
        .label("place")
    )
    ranked = (
        sa.select(deliveries.c.id, place)
        .where(deliveries.c.chat_id.in_(sa.bindparam("chat_ids", expanding=True)))
        .where(is_open, deliveries.c.due_at <= now)
        .where(sa.or_(longest_wait_ends_at_sql() <= now, ~waits_for_earlier_sql(now)))
        .subquery()
    )
    return (
        _WHOLE.join(ranked, ranked.c.id == deliveries.c.id)
        .where(ranked.c.place <= ROWS_A_QUEUE)
        .order_by(*IN_TURN)
        # The bot locks the queue of a chat before its deliveries. If a delivery is locked now,
        # another program has the lock, for example psql, and must not delay other chats.
        .with_for_update(of=deliveries, key_share=True, skip_locked=True)
    )


DUE = _due_sql()


async def lock_and_return_due(tx: Tx, chat_ids: list[int], *, now: datetime) -> list[Delivery]:
    """Lock and return the first due deliveries of each chat, in the order of sending.

    A chat has at most ``ROWS_A_QUEUE`` deliveries in the result. Deliveries that another session
    has locked are left out. ``waits_for_earlier_sql`` delays a delivery by at most
    ``LONGEST_WAIT``.
    """
    return _to_deliveries((await tx.execute(DUE, {"chat_ids": chat_ids, "now": now})).all())


async def due_stories_of_topic(tx: Tx, target: Target, *, now: datetime) -> list[Delivery]:
    """Return the deliveries of all due stories of a topic, in the order of the ids.

    If ``target`` has no topic, the stories outside of topics are returned. Waiting deliveries are
    included.
    """
    query = _WHOLE.where(
        deliveries.c.chat_id == target.chat_id,
        deliveries.c.thread_id == (target.thread_id or MAIN),
        is_story,
        deliveries.c.due_at <= now,
        is_open,
    )
    return _to_deliveries((await tx.execute(query.order_by(deliveries.c.id))).all())


def _to_deliveries(rows: Sequence[sa.Row[Any]]) -> list[Delivery]:
    payloads = {row.story_pk: row.story for row in rows if row.story}
    known = dict(zip(payloads, load_each_or_none(list(payloads.values())), strict=True))
    return [_delivery(row, known.get(row.story_pk)) for row in rows]


def _delivery(row: sa.Row[Any], story: Story | None) -> Delivery:
    return Delivery(
        id=row.id,
        target=Target(row.chat_id, row.thread_id or None),
        subscription_id=row.subscription_id,
        story_pk=row.story_pk,
        story=story,
        username=row.username or "",
        options=Options.from_json(row.options or {}),
        notice=row.notice,
        fields=row.fields or {},
        copies=row.copies,
        attempts=row.attempts,
        sending=row.sending,
        created_at=row.created_at,
        due_at=row.due_at,
        is_unreadable=story is None and row.story is not None,
        held=Held(row.held),
        reason=row.reason,
    )


# These statements are built once, because every alert needs the statements.
_THESE = sa.update(deliveries).where(
    deliveries.c.id.in_(sa.bindparam("ids", expanding=True)), is_open
)
_REMOVE = Prepared(sa.delete(deliveries).where(deliveries.c.id == sa.bindparam("delivery")))
STILL_OPEN = sa.select(deliveries.c.id).where(
    deliveries.c.id.in_(sa.bindparam("ids", expanding=True)), is_open
)
DEFERRED = "deferred"
"""The ``reason`` of a delivery that was deferred and has now been claimed or sent.

Settings or rights of the chat had deferred the delivery, or settings changed while the delivery
was pending.
"""
_WAITED_BY_SETTINGS = deliveries.c.held.in_([held for held in Held if held.depends_on_settings])
_WAS_DEFERRED = sa.or_(
    deliveries.c.reason == DEFERRED, deliveries.c.reason == FLOODED_AND_DEFERRED
)
STARTED = _THESE.values(
    attempts=deliveries.c.attempts + 1,
    sending=True,
    held=Held.NOTHING,
    reason=sa.case(
        (sa.and_(_WAITED_BY_SETTINGS, deliveries.c.reason == ""), DEFERRED),
        (sa.and_(_WAITED_BY_SETTINGS, deliveries.c.reason == FLOODED), FLOODED_AND_DEFERRED),
        else_=deliveries.c.reason,
    ),
)
ATTEMPTED = (
    _THESE.where(deliveries.c.held == Held.NOTHING)
    .values(copies=deliveries.c.copies + 1)
    .returning(deliveries.c.id)
)


ENDED_ATTEMPTS = deliveries.c.attempts - sa.case((deliveries.c.sending, 1), else_=0)
"""The number of attempts without the current attempt."""

AWAY = "away"  # the reason of a delivery that was dropped because the chat had been closed
ENDED, PAUSED = "ended", selection.PAUSED
"""Two reasons of dropped deliveries, which *Undo* or the end of a pause can restore.

``ENDED`` means that the subscription ended. ``PAUSED`` means that the subscription was paused, or
that an owner blocked the profile.
"""

# If the subscription ended or was paused during the send, the delivery is already dropped. The
# message has arrived nevertheless, so the delivery is recorded as sent, and Undo does not send the
# story again.
SENT = (
    sa.update(deliveries)
    .where(
        deliveries.c.id == sa.bindparam("delivery"),
        sa.or_(is_open, deliveries.c.reason == ENDED, deliveries.c.reason == PAUSED),
    )
    .values(
        state="sent",
        reason=sa.case((_WAS_DEFERRED, DEFERRED), else_=""),
        attempts=0,
        sending=False,
        message_id=sa.bindparam("message"),
        done_at=sa.bindparam("now"),
    )
)


async def record_claim_and_count_attempt(tx: Tx, ids: Sequence[int]) -> None:
    """Record that a process has claimed open deliveries in order to send the messages.

    The number of attempts increases by 1. If settings or rights of the chat had deferred a
    delivery, the column ``reason`` records the deferral.
    """
    if ids:
        await tx.execute(STARTED, {"ids": ids})


async def count_copies_and_return_counted_ids(tx: Tx, ids: Sequence[int]) -> set[int]:
    """Add 1 to ``copies`` of each delivery that may be sent now, and return the ids.

    Call this function right before the request to Telegram, because the request can send a copy.
    Deliveries that have ended, are deferred or must be selected again may not be sent.
    """
    if not ids:
        return set()
    return set(await tx.scalars(ATTEMPTED, {"ids": ids}))


async def change_columns_of_open(
    tx: Tx,
    ids: Iterable[int],
    *,
    added_copies: int = 0,
    **values: Any,  # noqa: ANN401 - columns
) -> None:
    """Set columns of open deliveries. ``added_copies`` is added to the number of copies."""
    wanted = list(ids)
    if wanted:
        if added_copies:
            values["copies"] = deliveries.c.copies + added_copies
        await tx.execute(_THESE.values(**values), {"ids": wanted})


async def record_unsent(
    tx: Tx,
    ids: Iterable[int],
    *,
    is_copy_counted: bool,
    is_failed_attempt: bool = False,
    **values: Any,  # noqa: ANN401 - columns
) -> None:
    """Record that the messages of open deliveries have certainly not arrived this time.

    If ``is_copy_counted`` is True, 1 is subtracted from the number of copies. The attempt stays
    counted only if ``is_failed_attempt`` is True.
    """
    attempts = deliveries.c.attempts if is_failed_attempt else ENDED_ATTEMPTS
    await change_columns_of_open(
        tx, ids, added_copies=-int(is_copy_counted), attempts=attempts, sending=False, **values
    )


async def record_unknown_outcome(tx: Tx, delivery_id: int, *, due_at: datetime) -> None:
    """Record that a message may have arrived, and schedule its next copy at ``due_at``.

    The number of attempts is set to 0, and the number of copies stays.
    """
    await change_columns_of_open(
        tx, [delivery_id], attempts=0, sending=False, due_at=due_at, held=Held.RETRY
    )


async def mark_to_be_sent_alone(tx: Tx, ids: Iterable[int]) -> None:
    """Record that open deliveries must not be sent in an album again.

    The reason is that an album may have arrived although Telegram answered with status 429.
    """
    await change_columns_of_open(
        tx, ids, reason=sa.case((_WAS_DEFERRED, FLOODED_AND_DEFERRED), else_=FLOODED)
    )


async def remove_reply_or_notice(tx: Tx, delivery_id: int) -> bool:
    """Delete a reply or a notice that is not needed any more. Return False if the row is missing.

    Sent replies are deleted, because the texts are private.
    """
    return await _REMOVE.execute(tx, {"delivery": delivery_id}) > 0


async def payloads_of_waiting_replies(tx: Tx, chat_id: int) -> dict[int, dict[str, Any]]:
    """Return the payloads of the pending replies of a chat, by delivery id."""
    statement = sa.select(deliveries.c.id, deliveries.c.fields).where(
        deliveries.c.chat_id == chat_id, is_open, deliveries.c.notice == REPLY
    )
    rows = (await tx.execute(statement.order_by(deliveries.c.id))).all()
    return {row.id: row.fields for row in rows}


async def clear_answered_message_ids(tx: Tx, chat_id: int) -> None:
    """Remove the ids of the answered messages from the pending replies of a chat.

    When a group becomes a supergroup, the messages get new ids, and the replies would quote wrong
    messages.
    """
    for number, fields in (await payloads_of_waiting_replies(tx, chat_id)).items():
        if any(fields.get(name) for name in ANSWERED):
            await change_columns_of_open(tx, [number], fields=fields | dict.fromkeys(ANSWERED))


async def pending_stories_of_subscription(
    tx: Tx, subscription_id: int, *, enqueued_since: datetime
) -> list[Delivery]:
    """Return the pending stories of a subscription that were enqueued after ``enqueued_since``."""
    query = _WHOLE.where(
        deliveries.c.subscription_id == subscription_id,
        is_story,
        deliveries.c.created_at > enqueued_since,
        is_open,
    )
    return _to_deliveries((await tx.execute(query.order_by(deliveries.c.id))).all())


async def ids_still_open_among(tx: Tx, ids: Collection[int]) -> set[int]:
    """Return the ids of the deliveries that are still open."""
    if not ids:
        return set()
    return set(await tx.scalars(STILL_OPEN, {"ids": list(ids)}))


async def record_sent(tx: Tx, message_ids: dict[int, int], *, now: datetime) -> None:
    """Record deliveries as sent. ``message_ids`` maps delivery ids to Telegram message ids.

    A delivery that was dropped in the meantime is recorded as sent only if the reason of the drop
    is ``ENDED`` or ``PAUSED``.
    """
    if message_ids:
        arrived = [
            {"delivery": delivery_id, "message": message_id, "now": now}
            for delivery_id, message_id in message_ids.items()
        ]
        await tx.execute(SENT, arrived)


_SENT_AMONG = sa.select(deliveries.c.id).where(
    deliveries.c.id.in_(sa.bindparam("ids", expanding=True)), deliveries.c.state == "sent"
)


async def sent_among(tx: Tx, ids: Collection[int]) -> set[int]:
    """Return the ids of the deliveries in ``ids`` that are recorded as sent."""
    return set(await tx.scalars(_SENT_AMONG, {"ids": list(ids)})) if ids else set()


async def is_recent_alert(tx: Tx, chat_id: int, message_id: int) -> bool:
    """Return whether a message in a chat is an alert or a notice of about the last 3 days.

    Return False for a reply, because sent replies are not stored.
    """
    return await has_row(
        tx, deliveries.c.chat_id == chat_id, deliveries.c.message_id == message_id
    )


async def end_open(
    tx: Tx,
    ids: Collection[int],
    *,
    state: Literal["dropped", "parked"] = "dropped",
    reason: str,
    now: datetime,
) -> None:
    """End open deliveries that will not be sent.

    With the state ``dropped``, the deliveries are dropped. With the state ``parked``, the
    deliveries become dead letters. The caller has claimed or locked the chat queues.
    """
    if ids:
        values = {"state": state, "reason": reason, "sending": False, "done_at": now}
        await update_rows(tx, deliveries, is_open, deliveries.c.id.in_(ids), **values)


async def drop_open_where(tx: Tx, *, reason: str, now: datetime, **column_values: object) -> None:
    """Drop all open deliveries with the given column values.

    If a worker is sending a delivery at this moment, the column ``sending`` stays True.
    """
    which = [is_open, *(deliveries.c[name] == value for name, value in column_values.items())]
    await update_rows(tx, deliveries, *which, state="dropped", reason=reason, done_at=now)


async def drop_open_except_newer_stories(
    tx: Tx, chat_id: int, *, posted_since: datetime, reason: str, now: datetime
) -> None:
    """Drop the open deliveries of a chat, except stories posted at ``posted_since`` or later.

    If a worker is sending a delivery at this moment, the column ``sending`` stays True.
    """
    is_newer = sa.exists().where(
        stories.c.pk == deliveries.c.story_pk, stories.c.taken_at >= posted_since
    )
    which = [deliveries.c.chat_id == chat_id, is_open, ~is_newer]
    await update_rows(tx, deliveries, *which, state="dropped", reason=reason, done_at=now)


async def waiting_delivery_and_chat_ids(
    tx: Tx, profile_ids: Collection[str], *, limit: int
) -> list[tuple[int, int]]:
    """Return at most ``limit`` pairs of a delivery id and its chat id.

    The deliveries are open deliveries of stories of the given profiles.
    """
    rows = (
        sa.select(deliveries.c.id, deliveries.c.chat_id)
        .join(stories, stories.c.pk == deliveries.c.story_pk)
        .where(is_open, stories.c.profile_id.in_(sorted(profile_ids)))
        .order_by(deliveries.c.chat_id, deliveries.c.id)
        .limit(limit)
    )
    return [(row.id, row.chat_id) for row in await tx.execute(rows)]


async def drop_and_detach_stories(
    tx: Tx, subscription_ids: Collection[int], *, now: datetime
) -> None:
    """Drop the pending deliveries of stories of subscriptions that are about to end.

    All deliveries of stories except dead letters get the topic of the subscription instead of its
    id. The deliveries therefore outlive the subscription, and *Undo* finds the deliveries by the
    topic (``attach_and_reopen_stories``).
    """
    is_of_subscriptions = sa.and_(
        deliveries.c.subscription_id.in_(subscription_ids),
        is_story,
    )
    dropped = {"state": "dropped", "reason": ENDED, "done_at": now}
    await update_rows(tx, deliveries, is_of_subscriptions, is_open, **dropped)
    topic = sa.select(subscriptions.c.thread_id).where(
        subscriptions.c.id == deliveries.c.subscription_id
    )
    detached = {"subscription_id": None, "thread_id": topic.scalar_subquery()}
    await update_rows(tx, deliveries, is_of_subscriptions, ~is_dead, **detached)


async def attach_and_reopen_stories(tx: Tx, subscription: Subscription, *, now: datetime) -> None:
    """Assign an ended subscription's newest delivery of each story to the restored subscription.

    ``reopen_dropped`` then reopens deliveries that were dropped at the end of the subscription.
    The caller has locked the chat's queue, and reschedules the queue afterwards.
    """
    of_profile = sa.select(stories.c.pk).where(stories.c.profile_id == subscription.profile_id)
    newest = (
        sa.select(sa.func.max(deliveries.c.id))
        .where(
            deliveries.c.chat_id == subscription.target.chat_id,
            deliveries.c.thread_id == (subscription.target.thread_id or MAIN),
            deliveries.c.subscription_id.is_(None),
            deliveries.c.story_pk.in_(of_profile),
            deliveries.c.created_at >= subscription.created_at,
        )
        .group_by(deliveries.c.story_pk)
    )
    is_newest = deliveries.c.id.in_(list(await tx.scalars(newest)))
    await update_rows(tx, deliveries, is_newest, subscription_id=subscription.id)
    await reopen_dropped(tx, subscription, reason=ENDED, now=now)


async def clear_summary_places_of_dropped(tx: Tx, target: Target) -> None:
    """Prepare the dropped stories of a chat or topic for a new daily summary.

    The place in an earlier summary is removed from each story. If ``target`` has no topic, the
    stories outside of topics are changed.
    """
    await update_rows(
        tx,
        deliveries,
        deliveries.c.chat_id == target.chat_id,
        deliveries.c.thread_id == (target.thread_id or MAIN),
        is_story,
        deliveries.c.state == "dropped",
        fields={},
    )


async def reopen_dropped(
    tx: Tx, subscription: Subscription, *, reason: str, now: datetime
) -> None:
    """Reopen the deliveries of a subscription that were dropped for ``reason``.

    Deliveries from before the start of the alerts, and of stories that can't be sent any more,
    stay dropped. The caller has locked the chat's queue, and reschedules the queue afterwards.
    """
    is_expired = sa.exists().where(
        stories.c.pk == deliveries.c.story_pk, stories.c.expires_at <= now
    )
    is_deferred = sa.and_(
        deliveries.c.held == Held.QUIET, deliveries.c.due_at > now - selection.AFTER_QUIET
    )
    await _reopen(
        tx,
        deliveries.c.subscription_id == subscription.id,
        deliveries.c.reason == reason,
        deliveries.c.created_at >= subscription.since,
        sa.or_(~is_expired, is_deferred),
    )


async def reopen_dropped_of_chat(
    tx: Tx, chat_id: int, *, reason: str, dropped_since: datetime, now: datetime
) -> None:
    """Reopen a chat's deliveries of stories that were dropped at ``dropped_since`` or later.

    The reason of the drop begins with ``reason``. Stories that have expired or are not wanted any
    more stay dropped. The caller has locked the chat's queue, and reschedules the queue
    afterwards.
    """
    wants_it = sa.exists().where(
        stories.c.pk == deliveries.c.story_pk,
        stories.c.expires_at > now,
        subscriptions.c.id == deliveries.c.subscription_id,
        subscriptions.c.paused.is_(False),
        subscriptions.c.since <= deliveries.c.created_at,
        profiles.c.profile_id == subscriptions.c.profile_id,
        profiles.c.state != "blocked",
    )
    await _reopen(
        tx,
        deliveries.c.chat_id == chat_id,
        deliveries.c.reason.startswith(reason, autoescape=True),
        deliveries.c.done_at >= dropped_since,
        wants_it,
    )


async def _reopen(tx: Tx, *which: sa.ColumnElement[bool]) -> None:
    """Reopen the dropped deliveries that fulfil all conditions in ``which``."""
    is_dropped = deliveries.c.state == "dropped"
    await update_rows(tx, deliveries, is_dropped, *which, state="open", reason="", done_at=None)


def _has_same_story_sql(
    subscription_id: int, *, state: str | None = None
) -> sa.ColumnElement[bool]:
    """Return the SQL condition that a subscription also has the story of a delivery.

    If ``state`` is given, the subscription's delivery of the story must be in this state.
    """
    other = deliveries.alias()
    same = sa.exists().where(
        other.c.subscription_id == subscription_id, other.c.story_pk == deliveries.c.story_pk
    )
    return same if state is None else same.where(other.c.state == state)


async def reassign_open(tx: Tx, subscription_id: int, *, to: Subscription) -> None:
    """Move open deliveries from a subscription that is about to end to the subscription ``to``.

    Both subscriptions follow the same profile. Stories that ``to`` already has are not moved.
    """
    whose = deliveries.c.subscription_id == subscription_id
    values = {"subscription_id": to.id, "thread_id": to.target.thread_id or MAIN}
    await update_rows(tx, deliveries, whose, is_open, ~_has_same_story_sql(to.id), **values)


async def drop_duplicates_and_reassign_sent(
    tx: Tx, subscription_id: int, *, sent_by: int, now: datetime
) -> None:
    """Drop open deliveries of stories that the subscription ``sent_by`` has already sent.

    The dropped deliveries belong to ``subscription_id``. The sent deliveries of other stories move
    from ``sent_by`` to ``subscription_id``, so that a later fan-out adds no duplicate.
    """
    is_sent = _has_same_story_sql(sent_by, state="sent")
    whose = deliveries.c.subscription_id == subscription_id
    values = {"state": "dropped", "reason": "had", "done_at": now}
    await update_rows(tx, deliveries, whose, is_open, is_sent, **values)
    await reassign_sent(tx, sent_by, to=subscription_id)


async def reassign_sent(tx: Tx, subscription_id: int, *, to: int) -> None:
    """Move the sent deliveries of a subscription to the subscription ``to``.

    Stories that ``to`` already has are not moved.
    """
    whose = deliveries.c.subscription_id == subscription_id
    which = sa.and_(whose, deliveries.c.state == "sent", ~_has_same_story_sql(to))
    await update_rows(tx, deliveries, which, subscription_id=to)


async def remove_paused_duplicates(tx: Tx, subscription_id: int, *, pending_in: int) -> None:
    """Delete deliveries that a pause has dropped, if another subscription will send the story.

    The deleted deliveries belong to ``subscription_id``. The other subscription is ``pending_in``.
    A delivery that is being sent is not deleted.
    """
    await delete_rows(
        tx,
        deliveries,
        deliveries.c.subscription_id == subscription_id,
        deliveries.c.state == "dropped",
        deliveries.c.reason == PAUSED,
        deliveries.c.sending.is_(False),
        _has_same_story_sql(pending_in, state="open"),
    )


async def make_deferred_due(tx: Tx, chat_id: int, held: Held, *, now: datetime) -> None:
    """Make open deliveries of a chat due now, if ``held`` is the reason why they wait."""
    which = sa.and_(deliveries.c.chat_id == chat_id, is_open, deliveries.c.held == held)
    await update_rows(tx, deliveries, which, due_at=now)


async def make_due_or_mark_for_reselection(tx: Tx, chat_id: int, *, now: datetime) -> None:
    """Let the outbox decide again when to send open deliveries of a chat.

    Call this function after a change of the settings or rights of the chat. Deliveries with
    ``Held.RETRY`` are not changed.
    """
    statement = sa.update(deliveries).where(deliveries.c.chat_id == chat_id, is_open)
    is_held = deliveries.c.held.in_([held for held in Held if held.depends_on_settings])
    await tx.execute(statement.where(is_held).values(due_at=now))
    is_free = deliveries.c.held == Held.NOTHING
    await tx.execute(statement.where(is_free).values(held=Held.CHANGED))


_RETRIES = sa.select(
    deliveries.c.id,
    deliveries.c.chat_id,
    deliveries.c.notice,
    deliveries.c.fields,
    deliveries.c.copies,
    deliveries.c.attempts,
    deliveries.c.due_at,
).where(
    deliveries.c.chat_id.in_(sa.bindparam("chat_ids", expanding=True)),
    is_open,
    deliveries.c.held == Held.RETRY,
    deliveries.c.due_at > sa.bindparam("now", type_=Timestamp),
)


async def open_retries_due_after(
    tx: Tx, chat_ids: Collection[int], now: datetime
) -> list[sa.Row[Any]]:
    """Return the open deliveries whose retry (``Held.RETRY``) is planned for after ``now``.

    Only deliveries for the chats ``chat_ids`` are returned.
    """
    return list(await tx.execute(_RETRIES, {"chat_ids": list(chat_ids), "now": now}))


async def make_replies_due(tx: Tx, chat_id: int, *, now: datetime) -> None:
    """Make the pending replies of a chat due now, except replies that may crash the bot."""
    replies = sa.and_(deliveries.c.chat_id == chat_id, is_open, deliveries.c.notice == REPLY)
    is_suspect = sa.and_(deliveries.c.attempts >= MAX_ATTEMPTS, deliveries.c.sending)
    await update_rows(tx, deliveries, replies, deliveries.c.due_at > now, ~is_suspect, due_at=now)
