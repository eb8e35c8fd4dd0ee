"""Subscriptions: the profiles that chats and topics follow, each with its own options."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.domain.alert_rules import AudienceMember, recheck_failed_at
from bot.domain.model import AllChats, Endless, Target
from bot.domain.options import Options, Preferences
from bot.domain.records import EPOCH, MAIN, Chat, NoUndo, SubscriberCount, Subscription, UndoKey
from bot.store import access, ended_subscriptions
from bot.store import chats as chat_store
from bot.store.chats import COLUMNS, HAS_PAYER, IS_ACTIVE, chats
from bot.store.engine.columns import Timestamp, automatic_id, flag, required
from bot.store.engine.database import (
    Tx,
    all_rows,
    column_values,
    count_rows,
    delete_rows,
    lock_rows,
    row_or_none,
    update_rows,
)
from bot.store.engine.schema import insert, metadata
from bot.store.profiles import IS_CHECKED, lock_all, profiles
from bot.store.topics import topics

# Two keys in the column ``options``. Their values are the options and the pause from before the
# last change. *Undo* restores these values.
_BEFORE = "before"
_PAUSE_BEFORE = "pause_before"
_FAST = 4.0  # The weight of a fast subscription. The weight of other subscriptions is 1.

subscriptions = sa.Table(
    "subscriptions",
    metadata,
    automatic_id(),
    required("chat_id", sa.BigInteger, sa.ForeignKey("chats.id", ondelete="CASCADE")),
    required("thread_id", sa.BigInteger, default="0"),
    required("profile_id", sa.String(32), sa.ForeignKey("profiles.profile_id")),
    required("options", sa.JSON),
    flag("paused"),
    required("since", Timestamp),  # stories posted before this time are not sent
    # The end of the pause. None means that a pause lasts until a person resumes the subscription.
    sa.Column("paused_until", Timestamp),
    sa.Column("created_by", sa.BigInteger),
    required("created_at", Timestamp),
    sa.UniqueConstraint("chat_id", "thread_id", "profile_id"),
    sa.Index("ix_subscriptions_profile", "profile_id", "chat_id"),
    sa.Index("ix_subscriptions_fan_out", "profile_id", "id"),
    sa.Index("ix_subscriptions_created_by", "created_by", "chat_id"),
    sqlite_autoincrement=True,
)

WAITS = sa.and_(subscriptions.c.paused.is_(False), HAS_PAYER, IS_ACTIVE)
"""The condition that a subscription, joined with its chat, waits for alerts."""

_FIELDS = [
    subscriptions.c.id,
    subscriptions.c.chat_id,
    subscriptions.c.thread_id,
    subscriptions.c.profile_id,
    profiles.c.username,
    profiles.c.state,
    subscriptions.c.options,
    subscriptions.c.paused,
    subscriptions.c.since,
    subscriptions.c.created_by,
    subscriptions.c.created_at,
    subscriptions.c.paused_until,
    topics.c.thread_id.is_not(None).label("in_own_topic"),
]
_OWN_TOPIC = sa.and_(
    topics.c.chat_id == subscriptions.c.chat_id,
    topics.c.profile_id == subscriptions.c.profile_id,
    topics.c.thread_id == subscriptions.c.thread_id,
    topics.c.thread_id != MAIN,
)
_SELECT = (
    sa.select(*_FIELDS)
    .join(profiles, profiles.c.profile_id == subscriptions.c.profile_id)
    .outerjoin(topics, _OWN_TOPIC)
    .order_by(profiles.c.username, subscriptions.c.thread_id, subscriptions.c.id)
)
_OF_CHAT = _SELECT.where(subscriptions.c.chat_id == sa.bindparam("chat_id"))
_NAMED = _OF_CHAT.where(profiles.c.username == sa.bindparam("username"))


def _preference_columns(preferences: Preferences) -> dict[str, Any]:
    """Return preferences as values of columns."""
    columns: dict[str, Any] = asdict(preferences)
    return columns | {"options": preferences.options.to_json()}


def _preferences(row: sa.Row[Any]) -> Preferences:
    until = row.paused_until if row.paused else None
    return Preferences(Options.from_json(row.options), paused=row.paused, paused_until=until)


def _subscription(row: sa.Row[Any]) -> Subscription:
    return Subscription(
        id=row.id,
        target=Target(row.chat_id, row.thread_id or None),
        profile_id=row.profile_id,
        username=row.username,
        state=row.state,
        preferences=_preferences(row),
        since=row.since,
        created_by=row.created_by,
        created_at=row.created_at,
        in_own_topic=bool(row.in_own_topic),
    )


async def get(tx: Tx, subscription_id: int) -> Subscription | None:
    """Return the subscription with the given id, or None if no subscription has the id."""
    return next(iter(await _read_matching(tx, subscriptions.c.id == subscription_id)), None)


async def find(tx: Tx, target: Target, profile_id: str) -> Subscription | None:
    """Return the subscription of a chat or topic to a profile, or None."""
    result = await _read_matching(
        tx,
        subscriptions.c.chat_id == target.chat_id,
        subscriptions.c.thread_id == (target.thread_id or MAIN),
        subscriptions.c.profile_id == profile_id,
    )
    return next(iter(result), None)


async def of_chat(tx: Tx, chat_id: int, *, username: str = "") -> list[Subscription]:
    """Return a chat's subscriptions, sorted by name and topic.

    If ``username`` is given, only the subscriptions to this profile are returned.
    """
    statement, values = (_NAMED, {"username": username}) if username else (_OF_CHAT, {})
    rows = await tx.execute(statement, {"chat_id": chat_id, **values})
    return [_subscription(row) for row in rows]


async def followed_profile_ids(tx: Tx, chat_ids: Collection[int]) -> set[str]:
    """Return the ids of the profiles that chats follow."""
    of_chats = subscriptions.c.chat_id.in_(chat_ids)
    return set(await column_values(tx, subscriptions.c.profile_id, of_chats))


async def _read_matching(tx: Tx, *where: sa.ColumnElement[bool]) -> list[Subscription]:
    rows = await tx.execute(_SELECT.where(*where))
    return [_subscription(row) for row in rows]


async def reachable_creators(tx: Tx, chat_id: int) -> list[int]:
    """Return the ids of the people who added a subscription in a chat.

    People without an open private chat are left out, because the bot can't write to them.
    """
    private = sa.select(chats.c.id).where(IS_ACTIVE)
    by = subscriptions.c.created_by
    statement = sa.select(by).where(subscriptions.c.chat_id == chat_id, by.in_(private))
    return list(await tx.scalars(statement.distinct()))


async def chats_of_person(tx: Tx, person: int, *, most: int) -> list[Chat]:
    """Return at most ``most`` groups and channels of a person, sorted by title.

    These are the open chats for which the person is responsible, or in which the person has added
    a subscription.
    """
    added = await chat_store.chat_ids_person_is_responsible_for(tx, person)
    subscribed = sa.select(subscriptions.c.chat_id).where(subscriptions.c.created_by == person)
    is_theirs = sa.or_(chats.c.id.in_(added), chats.c.id.in_(subscribed))
    statement = sa.select(*COLUMNS).where(IS_ACTIVE, chats.c.kind != "private", is_theirs)
    return await all_rows(tx, Chat, statement.order_by(chats.c.title, chats.c.id).limit(most))


async def subscriptions_with_timed_pause(tx: Tx) -> list[Subscription]:
    """Return the subscriptions with a timed pause, the earliest end first."""
    result = await _read_matching(
        tx, subscriptions.c.paused.is_(True), subscriptions.c.paused_until.is_not(None)
    )
    return sorted(result, key=lambda subscription: subscription.paused_until or EPOCH)


async def count_of_chat(tx: Tx, chat_id: int) -> int:
    """Return the number of subscriptions of a chat, in all topics."""
    return await count_rows(tx, subscriptions.c.chat_id == chat_id)


_IS_FAST = subscriptions.c.options["fast"].as_boolean().is_(True)
_OF_PAYER = (
    sa.select(
        sa.func.count(),
        sa.func.coalesce(sa.func.sum(sa.case((_IS_FAST, 1), else_=0)), 0),
    )
    .join(chats, chats.c.id == subscriptions.c.chat_id)
    .where(chats.c.payer == sa.bindparam("payer", type_=sa.BigInteger))
)


async def count_all_and_fast_of_payer(tx: Tx, payer: int) -> tuple[int, int]:
    """Return two numbers for all chats of a payer: all subscriptions, and fast subscriptions."""
    row = (await tx.execute(_OF_PAYER, {"payer": payer})).one()
    return int(row[0]), int(row[1])


async def add(
    tx: Tx,
    target: Target,
    profile_id: str,
    *,
    preferences: Preferences,
    alerts_since: datetime,
    created_by: int | None,
    now: datetime,
    wanted_id: int | None = None,
) -> int | None:
    """Add a subscription. Return the id, or None if the chat or topic already follows the profile.

    The chat and the profile must be stored. The new subscription gets the id ``wanted_id`` if no
    subscription has this id.
    """
    is_free = wanted_id is not None and await get(tx, wanted_id) is None
    own_id = {"id": wanted_id} if is_free else {}
    new = insert(subscriptions).values(
        **own_id,
        chat_id=target.chat_id,
        thread_id=target.thread_id or MAIN,
        profile_id=profile_id,
        **_preference_columns(preferences),
        since=alerts_since,
        created_by=created_by,
        created_at=now,
    )
    statement = new.on_conflict_do_nothing(
        index_elements=["chat_id", "thread_id", "profile_id"]
    ).returning(subscriptions.c.id)
    return await row_or_none(tx, int, statement)


async def change(tx: Tx, subscription_id: int, **values: object) -> None:
    """Set columns of a subscription, such as ``options``, ``thread_id`` or ``paused``."""
    await update_rows(tx, subscriptions, subscriptions.c.id == subscription_id, **values)


async def set_options(
    tx: Tx, subscription: Subscription, options: Options, *, undo_at: UndoKey | NoUndo = None
) -> None:
    """Set the options of a subscription.

    With ``undo_at``, *Undo* can restore the old options (``options_before``). Without ``undo_at``,
    options that are stored for *Undo* are removed.
    """
    stored = await _stored_options(tx, subscription.id)
    values = options.to_json()
    if _PAUSE_BEFORE in stored:
        values[_PAUSE_BEFORE] = stored[_PAUSE_BEFORE]
    if undo_at is not None:
        before = {"at": undo_at.isoformat(), "options": subscription.options.to_json()}
        values[_BEFORE] = before
    await change(tx, subscription.id, options=values)


async def options_before(
    tx: Tx, chat_id: int, *, undo_at: UndoKey
) -> list[tuple[Subscription, Options]]:
    """Return the subscriptions that ``set_options`` changed at ``undo_at``, with the old options.

    Subscriptions whose options have changed again are left out.
    """
    changed = await _subscriptions_last_changed_at(tx, chat_id, _BEFORE, undo_at)
    return [(row, Options.from_json(before["options"])) for row, before in changed]


async def set_pause(
    tx: Tx,
    subscription: Subscription,
    *,
    paused: bool,
    until: datetime | Endless = None,
    alerts_since: datetime | None = None,
    undo_at: UndoKey | NoUndo = None,
) -> None:
    """Pause or resume a subscription. A pause ends at ``until``, or never if ``until`` is None.

    Stories that were posted before ``alerts_since`` cause no alerts. With ``undo_at``, *Undo* can
    restore the old pause (``pauses_before``).
    """
    values = await _stored_options(tx, subscription.id)
    values.pop(_PAUSE_BEFORE, None)
    if undo_at is not None:
        before = replace(subscription.preferences, options=Options()).to_json()
        values[_PAUSE_BEFORE] = {"at": undo_at.isoformat(), "preferences": before}
    columns: dict[str, object] = {"paused": paused, "paused_until": until, "options": values}
    if alerts_since is not None:
        columns["since"] = alerts_since
    await change(tx, subscription.id, **columns)


async def pauses_before(
    tx: Tx, chat_id: int, *, undo_at: UndoKey
) -> list[tuple[Subscription, Preferences]]:
    """Return the subscriptions that ``set_pause`` changed at ``undo_at``.

    With each subscription, return the preferences that *Undo* restores. Subscriptions whose pause
    has changed again are left out.
    """
    found = []
    for subscription, before in await _subscriptions_last_changed_at(
        tx, chat_id, _PAUSE_BEFORE, undo_at
    ):
        pause = Preferences.from_json(before["preferences"])
        found.append((subscription, replace(pause, options=subscription.options)))
    return found


async def _subscriptions_last_changed_at(
    tx: Tx, chat_id: int, key: str, undo_at: UndoKey
) -> list[tuple[Subscription, dict[str, Any]]]:
    """Return the subscriptions of a chat that were last changed at ``undo_at``.

    With each subscription, return the value that is stored for *Undo* under ``key``.
    """
    found = []
    for row in await tx.execute(_OF_CHAT, {"chat_id": chat_id}):
        before = row.options.get(key)
        if before and before["at"] == undo_at.isoformat():
            found.append((_subscription(row), before))
    return found


async def _stored_options(tx: Tx, subscription_id: int) -> dict[str, Any]:
    """Return the stored JSON of the options, with the values for *Undo*."""
    of_subscription = subscriptions.c.id == subscription_id
    return dict(await tx.scalar(sa.select(subscriptions.c.options).where(of_subscription)) or {})


async def remove(tx: Tx, ids: Iterable[int]) -> None:
    """Delete subscriptions with all deliveries, also with sent deliveries and dead letters."""
    await delete_rows(tx, subscriptions, subscriptions.c.id.in_(ids))


async def lock_of_chats(tx: Tx, chat_ids: Collection[int], *, creator: int | None = None) -> None:
    """Lock the current and ended subscriptions of chats until the transaction ends.

    If ``creator`` is given, all subscriptions that this person has created are locked too.
    """
    whose: sa.ColumnElement[bool] = subscriptions.c.chat_id.in_(chat_ids)
    if creator is not None:
        whose |= subscriptions.c.created_by == creator
    await lock_rows(tx, subscriptions.c.id, whose)
    await ended_subscriptions.lock_of_chats(tx, chat_ids, creator=creator)


async def remove_of_chat_and_return_profile_ids(tx: Tx, chat_id: int) -> list[str]:
    """Delete all subscriptions of a chat with all their deliveries.

    Return the profile id of each subscription. An id is repeated if several topics of the chat
    followed the profile.
    """
    ended = sa.delete(subscriptions).where(subscriptions.c.chat_id == chat_id)
    return list(await tx.scalars(ended.returning(subscriptions.c.profile_id)))


async def forget_creator(tx: Tx, person: int) -> None:
    """Remove the id of a person from the subscriptions that the person has created."""
    whose = subscriptions.c.created_by == person
    await lock_rows(tx, subscriptions.c.id, whose)
    await update_rows(tx, subscriptions, whose, created_by=None)


async def set_alerts_start(
    tx: Tx, *, since: datetime, chat_id: int | AllChats = None, profile_ids: Collection[str] = ()
) -> None:
    """Set the start of the alerts of subscriptions to ``since``.

    The subscriptions of the chat ``chat_id``, or the subscriptions of all chats to
    ``profile_ids``, are changed. Ended subscriptions are changed too. Older stories cause no
    alerts.
    """
    whose = subscriptions.c.chat_id == chat_id
    if chat_id is None:
        whose = subscriptions.c.profile_id.in_(sorted(profile_ids))
    await lock_rows(tx, subscriptions.c.id, whose)
    await update_rows(tx, subscriptions, whose, since=since)
    await ended_subscriptions.set_alerts_start(
        tx, since=since, chat_id=chat_id, profile_ids=profile_ids
    )


async def lock_or_add_chat(tx: Tx, chat_id: int, *, now: datetime) -> Chat:
    """Lock and return a chat, so that no other transaction can add subscriptions to the chat.

    A missing chat is added. ``chat_id`` may be the id that a supergroup had as a group.
    """
    chat_id = await chat_store.lock_and_return_current_id(tx, chat_id)
    chat = await chat_store.get(tx, chat_id)
    if chat is None:  # for example, a channel from which the bot has received no update
        kind = "private" if chat_id > 0 else "channel"
        chat = await chat_store.add_or_update(tx, chat_id, kind=kind, title="", now=now)
    return chat


_IS_DIGEST = subscriptions.c.options["digest"].as_boolean().is_(True)
_IS_KNOWN = access.is_not_newcomer_sql(chats.c.payer)
# If a known person follows a profile, the settings of newcomers have no effect on the times of the
# profile's checks.
_AFFECTS_CHECKS = sa.or_(profiles.c.fresh, _IS_KNOWN)
_MEMBERS = (
    sa.select(
        chats.c.zone,
        chats.c.quiet_from,
        chats.c.quiet_to,
        sa.case((_IS_DIGEST, chats.c.digest_at)).label("digest"),
    )
    .distinct()
    .join(chats, chats.c.id == subscriptions.c.chat_id)
    .join(profiles, profiles.c.profile_id == subscriptions.c.profile_id)
    .where(subscriptions.c.profile_id == sa.bindparam("profile_id", type_=sa.String))
    .where(WAITS, _AFFECTS_CHECKS)
    .limit(sa.bindparam("most", type_=sa.Integer))
)


async def audience_members(tx: Tx, profile_id: str, *, empty_above: int) -> list[AudienceMember]:
    """Return the distinct notification times of the subscribers of a profile.

    If more than ``empty_above`` notification times exist, the result is empty. Only waiting
    subscriptions count. If a known person follows the profile, newcomers do not count.
    """
    values = {"profile_id": profile_id, "most": empty_above + 1}
    rows = (await tx.execute(_MEMBERS, values)).all()
    if len(rows) > empty_above:
        return []
    members = []
    for row in rows:
        quiet = None if row.quiet_from is None else (row.quiet_from, row.quiet_to)
        members.append(AudienceMember(row.zone, quiet, row.digest))
    return members


_SINCE, _NOW = (sa.bindparam(name, type_=Timestamp) for name in ("since", "now"))
_DUE_WITH_SUMMARIES = (
    sa.select(profiles.c.profile_id)
    .where(
        profiles.c.due_at > _SINCE,
        profiles.c.due_at <= _NOW,
        profiles.c.leased_until <= _NOW,
        sa.exists()
        .where(
            subscriptions.c.profile_id == profiles.c.profile_id,
            chats.c.id == subscriptions.c.chat_id,
            WAITS,
            _IS_DIGEST,
            _AFFECTS_CHECKS,
        )
        .correlate(profiles),
    )
    .order_by(profiles.c.due_at)
    .limit(sa.bindparam("most", type_=sa.Integer))
)


async def ids_of_due_profiles_with_summaries(
    tx: Tx, *, due_since: datetime, now: datetime, limit: int
) -> list[str]:
    """Return the ids of profiles with a due check and a waiting subscription with a daily summary.

    The longest overdue checks come first. Only unclaimed checks that became due after
    ``due_since`` count. If a known person follows the profile, subscriptions of newcomers do not
    count.
    """
    values = {"since": due_since, "now": now, "most": limit}
    return list(await tx.scalars(_DUE_WITH_SUMMARIES, values))


_COUNTS = sa.case((_IS_FAST, _FAST), else_=1.0)
_COUNTED_AT_ONCE = 5_000  # the number of subscriptions that a statement counts
_LAST_ID = 2**63 - 1  # greater than each id
_OF_PROFILE = subscriptions.c.profile_id == sa.bindparam("profile_id", type_=sa.String)
_IS_AFTER = subscriptions.c.chat_id > sa.bindparam("after", type_=sa.BigInteger)
# The subscriptions of a profile are counted in slices, in the order of the chat ids. This is the
# id of the last chat of a slice. The last slice ends with ``_LAST_ID``.
_SLICE_END = sa.select(
    sa.func.coalesce(
        sa.select(subscriptions.c.chat_id)
        .where(_OF_PROFILE, _IS_AFTER)
        .order_by(subscriptions.c.chat_id)
        .offset(sa.bindparam("skipped", type_=sa.Integer))
        .limit(1)
        .scalar_subquery(),
        sa.literal_column(str(_LAST_ID), sa.BigInteger),
    ).label("chat_id")
).cte("slice_end")
_LAST_OF_SLICE = sa.select(_SLICE_END.c.chat_id).scalar_subquery()
_SUBSCRIBER_COUNT = (
    sa.select(
        sa.func.count(subscriptions.c.chat_id.distinct()).label("chats"),
        sa.func.coalesce(sa.func.sum(_COUNTS), 0.0).label("weight"),
        sa.func.coalesce(sa.func.sum(sa.case((_IS_KNOWN, _COUNTS), else_=0.0)), 0.0).label(
            "weight_of_known"
        ),
        _LAST_OF_SLICE.label("last"),
    )
    .join(chats, chats.c.id == subscriptions.c.chat_id)
    .where(_OF_PROFILE, _IS_AFTER, subscriptions.c.chat_id <= _LAST_OF_SLICE, WAITS)
)


async def count_subscribers(
    tx: Tx, profile_id: str, *, at_once: int = _COUNTED_AT_ONCE
) -> SubscriberCount:
    """Count the chats that wait for alerts of a profile, and sum the weights of the subscriptions.

    Newcomers have a weight only if no known payer follows the profile. Use a read transaction,
    because a count of 100,000 chats takes some 150 ms.
    """
    values = {"profile_id": profile_id, "skipped": at_once - 1}
    chats_, weight, weight_of_known, after = 0, 0.0, 0.0, -_LAST_ID
    while after != _LAST_ID:
        row = (await tx.execute(_SUBSCRIBER_COUNT, values | {"after": after})).one()
        chats_ += row.chats
        weight += row.weight
        weight_of_known += row.weight_of_known
        after = row.last
    return SubscriberCount(chats_, weight_of_known or weight, fresh=not weight_of_known)


async def waiting_chat_ids(tx: Tx, profile_id: str, *, after: int | None, limit: int) -> list[int]:
    """Return at most ``limit`` ids of chats that wait for alerts of a profile, lowest id first.

    If ``after`` is given, only ids greater than ``after`` are returned.
    """
    some = (
        sa.select(subscriptions.c.chat_id)
        .distinct()
        .join(chats, chats.c.id == subscriptions.c.chat_id)
        .where(subscriptions.c.profile_id == profile_id, WAITS)
        .order_by(subscriptions.c.chat_id)
        .limit(limit)
    )
    if after is not None:
        some = some.where(subscriptions.c.chat_id > after)
    return list(await tx.scalars(some))


# The condition is a subquery with LIMIT 1 instead of EXISTS. PostgreSQL turns an EXISTS into a
# join, which reads all subscriptions before the first ANALYZE.
_IS_AWAITED = (
    sa.select(subscriptions.c.id)
    .join(chats, chats.c.id == subscriptions.c.chat_id)
    .where(subscriptions.c.profile_id == profiles.c.profile_id, WAITS)
    .limit(1)
    .scalar_subquery()
    .is_not(None)
)


_CHECK_STATES = sa.select(
    profiles.c.profile_id,
    profiles.c.failures,
    profiles.c.refusals,
    profiles.c.state,
    IS_CHECKED.label("is_checked"),
    _IS_AWAITED.label("is_awaited"),
)


async def _start_checks(
    tx: Tx, begun: Sequence[sa.Row[Any]], *, only_newcomers_follow: bool, now: datetime
) -> None:
    """Start the checks of profiles. A check is due now, or later if the last check failed.

    Without the delay, a person could cause any number of checks by pausing and resuming.
    """
    if not begun:
        return
    are_begun = profiles.c.profile_id.in_([row.profile_id for row in begun])
    await update_rows(
        tx, profiles, are_begun, weight=1.0, chats=1, fresh=only_newcomers_follow, due_at=now
    )
    for row in begun:
        if row.failures:
            due_at = recheck_failed_at(
                now,
                failures=row.failures,
                refusals=row.refusals,
                is_active=row.state == "active",
                is_billed=True,  # unknown, so the longer pause applies
            )
            is_profile = profiles.c.profile_id == row.profile_id
            await update_rows(tx, profiles, is_profile, due_at=due_at)


async def start_or_stop_checks(
    tx: Tx, *, now: datetime, chat_id: int | None = None, profile_ids: Collection[str] = ()
) -> None:
    """Start the checks of unblocked profiles with a waiting subscription. Stop unneeded checks.

    The profiles are ``profile_ids``, or by default all profiles that the chat ``chat_id`` follows.
    A started check is due now, or later if the last check failed.
    """
    wanted = set(profile_ids)
    if not wanted and chat_id is not None:
        wanted = await followed_profile_ids(tx, [chat_id])
    if not wanted:
        return
    condition = profiles.c.profile_id.in_(sorted(wanted))
    # The profiles are locked before the waiting subscriptions are read. A concurrent transaction
    # that changes subscriptions also locks the profiles. The second transaction to get the locks
    # therefore reads the changes of the first transaction.
    await lock_all(tx, wanted)
    payer = None if chat_id is None else await chat_store.payer_of(tx, chat_id)
    is_known = await access.is_not_newcomer(tx, payer)
    found = (await tx.execute(_CHECK_STATES.where(condition))).all()
    begun = [
        row for row in found if row.is_awaited and not row.is_checked and row.state != "blocked"
    ]
    # Without ``chat_id``, known people may follow the profiles, and must not wait for the interval
    # of newcomers.
    await _start_checks(
        tx, begun, only_newcomers_follow=chat_id is not None and not is_known, now=now
    )
    ended = [row.profile_id for row in found if row.is_checked and not row.is_awaited]
    if ended:
        are_ended = profiles.c.profile_id.in_(ended)
        await update_rows(tx, profiles, are_ended, weight=0.0, chats=0, due_at=None)
    if is_known:
        await update_rows(tx, profiles, condition, profiles.c.fresh, fresh=False)
