"""Subscriptions: which chat, and which topic of it, follows which profile, and how."""

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.domain.alert_rules import AudienceMember
from bot.domain.model import Options, Target
from bot.domain.records import MAIN, Chat, Subscription
from bot.store import chats as chat_store
from bot.store.acquaintances import KNOWN_AFTER, acquaintances
from bot.store.chats import chats
from bot.store.database import Tx, insert_for
from bot.store.profiles import profiles
from bot.store.schema import BigId, Timestamp, metadata
from bot.store.topics import topics

FAST = 4.0  # the weight of a subscription that asked for it; of others 1

subscriptions = sa.Table(
    "subscriptions",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column(
        "chat_id", sa.BigInteger, sa.ForeignKey("chats.id", ondelete="CASCADE"), nullable=False
    ),
    sa.Column("thread_id", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("profile_id", sa.String(32), sa.ForeignKey("profiles.profile_id"), nullable=False),
    sa.Column("options", sa.JSON, nullable=False),
    sa.Column("paused", sa.Boolean, nullable=False, server_default=sa.text("false")),
    sa.Column("since", Timestamp, nullable=False),  # older stories are no news here
    sa.Column("paused_until", Timestamp),  # None: until somebody resumes it
    sa.Column("created_by", sa.BigInteger),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.UniqueConstraint("chat_id", "thread_id", "profile_id"),
    sa.Index("ix_subscriptions_profile", "profile_id", "chat_id"),
    sa.Index("ix_subscriptions_fan_out", "profile_id", "id"),
)

WAITS = sa.and_(subscriptions.c.paused.is_(False), chats.c.state == "active")
"""What makes a subscription, joined with its chat, wait for alerts."""

# What a chat newly followed, also when it has unfollowed it since: the limit of a day counts it.
follows = sa.Table(
    "follows",
    metadata,
    sa.Column("id", BigId, primary_key=True),
    sa.Column(
        "chat_id", sa.BigInteger, sa.ForeignKey("chats.id", ondelete="CASCADE"), nullable=False
    ),
    sa.Column("at", Timestamp, nullable=False),
    sa.Index("ix_follows_chat", "chat_id", "at"),
)


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
)


def _subscription(row: sa.Row[Any]) -> Subscription:
    return Subscription(
        id=row.id,
        target=Target(row.chat_id, row.thread_id or None),
        profile_id=row.profile_id,
        username=row.username,
        state=row.state,
        options=Options.of(row.options),
        paused=row.paused,
        since=row.since,
        created_by=row.created_by,
        created_at=row.created_at,
        paused_until=row.paused_until if row.paused else None,
        in_own_topic=bool(row.in_own_topic),
    )


async def get(tx: Tx, subscription_id: int) -> Subscription | None:
    """Return one subscription."""
    row = (await tx.execute(_SELECT.where(subscriptions.c.id == subscription_id))).one_or_none()
    return _subscription(row) if row else None


async def find(tx: Tx, target: Target, profile_id: str) -> Subscription | None:
    """Return what the chat or topic has of a profile."""
    statement = _SELECT.where(
        subscriptions.c.chat_id == target.chat_id,
        subscriptions.c.thread_id == (target.thread_id or MAIN),
        subscriptions.c.profile_id == profile_id,
    )
    row = (await tx.execute(statement)).one_or_none()
    return _subscription(row) if row else None


async def find_named(tx: Tx, chat_id: int, username: str) -> list[Subscription]:
    """Return all that a chat, with its topics, has of the profile of that name."""
    statement = _SELECT.where(
        subscriptions.c.chat_id == chat_id, profiles.c.username == username
    ).order_by(subscriptions.c.thread_id)
    return [_subscription(row) for row in await tx.execute(statement)]


async def of_chat(
    tx: Tx, chat_id: int, *, offset: int = 0, limit: int | None = None
) -> list[Subscription]:
    """Return a chat's subscriptions, by name and topic."""
    statement = (
        _SELECT.where(subscriptions.c.chat_id == chat_id)
        .order_by(profiles.c.username, subscriptions.c.thread_id, subscriptions.c.id)
        .offset(offset)
        .limit(limit)
    )
    return [_subscription(row) for row in await tx.execute(statement)]


async def of_profiles(
    tx: Tx, ids_or_names: Iterable[str], *, limit: int | None = None
) -> list[Subscription]:
    """Return the subscriptions to profiles with these ids or names, the oldest first."""
    wanted = list(ids_or_names)
    statement = _SELECT.where(
        sa.or_(profiles.c.profile_id.in_(wanted), profiles.c.username.in_(wanted))
    ).order_by(subscriptions.c.id)
    statement = statement.limit(limit)
    return [_subscription(row) for row in await tx.execute(statement)]


async def muted(tx: Tx) -> list[Subscription]:
    """Return the subscriptions that are paused until a time, the first to end first."""
    statement = _SELECT.where(
        subscriptions.c.paused.is_(True), subscriptions.c.paused_until.is_not(None)
    ).order_by(subscriptions.c.paused_until)
    return [_subscription(row) for row in await tx.execute(statement)]


async def count(tx: Tx, chat_id: int) -> int:
    """Return how many subscriptions a chat has, in all its topics."""
    statement = sa.select(sa.func.count()).where(subscriptions.c.chat_id == chat_id)
    return (await tx.execute(statement)).scalar() or 0


async def count_new(tx: Tx, chat_id: int, *, since: datetime) -> int:
    """Return how often a chat began to follow someone after ``since``."""
    statement = sa.select(sa.func.count()).where(
        follows.c.chat_id == chat_id, follows.c.at > since
    )
    return (await tx.execute(statement)).scalar() or 0


async def add(
    tx: Tx,
    target: Target,
    profile_id: str,
    *,
    options: Options,
    since: datetime,
    created_by: int | None,
    now: datetime,
) -> int | None:
    """Follow a profile; return the id, None when the chat or topic does so already."""
    insert = insert_for(tx)(subscriptions).values(
        chat_id=target.chat_id,
        thread_id=target.thread_id or MAIN,
        profile_id=profile_id,
        options=options.values(),
        since=since,
        created_by=created_by,
        created_at=now,
    )
    statement = insert.on_conflict_do_nothing(
        index_elements=["chat_id", "thread_id", "profile_id"]
    ).returning(subscriptions.c.id)
    added: int | None = (await tx.execute(statement)).scalar_one_or_none()
    if added is not None:
        await tx.execute(sa.insert(follows).values(chat_id=target.chat_id, at=now))
    return added


async def change(tx: Tx, subscription_id: int, **values: object) -> None:
    """Set columns of a subscription (paused, paused_until, since)."""
    await tx.execute(
        sa.update(subscriptions).where(subscriptions.c.id == subscription_id).values(**values)
    )


async def set_options(tx: Tx, subscription_id: int, options: Options) -> None:
    """Set how a subscription wants its alerts."""
    await change(tx, subscription_id, options=options.values())


async def remove(tx: Tx, ids: Iterable[int]) -> None:
    """End subscriptions; what they were still owed goes with them."""
    await tx.execute(sa.delete(subscriptions).where(subscriptions.c.id.in_(list(ids))))


async def remove_of_chat(tx: Tx, chat_id: int) -> None:
    """End all that a chat follows."""
    await tx.execute(sa.delete(subscriptions).where(subscriptions.c.chat_id == chat_id))


async def restart(tx: Tx, chat_id: int, *, since: datetime) -> None:
    """Let a chat's alerts begin again with what is posted from ``since`` on."""
    await tx.execute(
        sa.update(subscriptions).where(subscriptions.c.chat_id == chat_id).values(since=since)
    )


async def end_doubled(tx: Tx, chat_id: int, *, older: int) -> None:
    """End what a chat follows that ``older`` follows as well, in the same thread."""
    other = subscriptions.alias()
    doubled = sa.exists().where(
        other.c.chat_id == older,
        other.c.thread_id == subscriptions.c.thread_id,
        other.c.profile_id == subscriptions.c.profile_id,
    )
    await tx.execute(sa.delete(subscriptions).where(subscriptions.c.chat_id == chat_id, doubled))


async def move(tx: Tx, chat_id: int, thread_id: int, *, to: int) -> bool:
    """Let a topic's subscriptions go to another thread; where it has the same, they end.

    False when the topic had none.
    """
    other = subscriptions.alias()
    doubled = sa.exists().where(
        other.c.chat_id == subscriptions.c.chat_id,
        other.c.thread_id == to,
        other.c.profile_id == subscriptions.c.profile_id,
    )
    here = sa.and_(subscriptions.c.chat_id == chat_id, subscriptions.c.thread_id == thread_id)
    ended = await tx.execute(sa.delete(subscriptions).where(here, doubled))
    moved = await tx.execute(sa.update(subscriptions).where(here).values(thread_id=to))
    return ended.rowcount + moved.rowcount > 0


async def lock_chat(tx: Tx, chat_id: int, *, now: datetime) -> Chat:
    """Return a chat, whose subscriptions no other transaction counts until this one ends."""
    await chat_store.lock(tx, [chat_id])
    chat = await chat_store.get(tx, chat_id)
    if chat is None:  # a channel that never wrote to us
        kind = "private" if chat_id > 0 else "channel"
        chat = await chat_store.ensure(tx, chat_id, kind=kind, title="", now=now)
    return chat


async def waiting_for(tx: Tx, profile_id: str, *, limit: int) -> list[AudienceMember]:
    """Return when each of those who wait for a profile can be told; none when too many wait."""
    statement = (
        sa.select(
            chats.c.zone,
            chats.c.quiet_from,
            chats.c.quiet_to,
            chats.c.digest_at,
            subscriptions.c.options,
        )
        .join(chats, chats.c.id == subscriptions.c.chat_id)
        .where(subscriptions.c.profile_id == profile_id, WAITS)
        .limit(limit + 1)
    )
    rows = (await tx.execute(statement)).all()
    if len(rows) > limit:
        return []
    return [
        AudienceMember(
            row.zone,
            None if row.quiet_from is None else (row.quiet_from, row.quiet_to),
            row.digest_at if Options.of(row.options).digest else None,
        )
        for row in rows
    ]


_KNOWN = sa.exists().where(
    acquaintances.c.kind == sa.literal_column("'chat'"),
    acquaintances.c.subject == subscriptions.c.chat_id,
    acquaintances.c.days >= KNOWN_AFTER,
)


def _waiting(*known: sa.ColumnElement[bool]) -> sa.ScalarSelect[float]:
    """Return the weight of those who wait for a profile's alerts, or of the known among them."""
    is_fast = subscriptions.c.options["fast"].as_boolean().is_(True)
    return (
        sa.select(sa.func.coalesce(sa.func.sum(sa.case((is_fast, FAST), else_=1.0)), 0.0))
        .select_from(subscriptions.join(chats, chats.c.id == subscriptions.c.chat_id))
        .where(
            subscriptions.c.profile_id == profiles.c.profile_id,
            WAITS,
            *known,
        )
        .correlate(profiles)
        .scalar_subquery()
    )


_OF_ALL, _OF_KNOWN = _waiting(), _waiting(_KNOWN)
_IS_FRESH = _OF_KNOWN == 0
_WEIGHT = sa.func.coalesce(sa.func.nullif(_OF_KNOWN, 0.0), _OF_ALL)
"""Newcomers count where nobody else waits: else a few accounts made today would draw the checks
of all others to the profiles that they choose."""


async def profiles_of(tx: Tx, chat_id: int) -> list[str]:
    """Return the ids of the profiles that a chat follows, in order."""
    statement = sa.select(subscriptions.c.profile_id).where(subscriptions.c.chat_id == chat_id)
    return sorted(set((await tx.execute(statement)).scalars()))


async def reweigh(
    tx: Tx,
    *,
    now: datetime,
    chat_id: int | None = None,
    profile_id: str | None = None,
    profile_ids: Collection[str] = (),
) -> None:
    """Count anew who waits for the alerts of profiles, or of all that a chat follows.

    What nobody waits for is not checked; what somebody waits for again, at once. The profiles
    are locked first: who counts while another counts would not see what that one has changed.
    """
    wanted = set(profile_ids)
    if profile_id is not None:
        wanted.add(profile_id)
    if chat_id is not None:
        wanted.update(await profiles_of(tx, chat_id))
    if not wanted:
        return
    which = profiles.c.profile_id.in_(sorted(wanted))
    rows = sa.select(profiles.c.profile_id).where(which).order_by(profiles.c.profile_id)
    await tx.execute(rows.with_for_update(key_share=True))
    await tx.execute(sa.update(profiles).where(which).values(weight=_WEIGHT, fresh=_IS_FRESH))
    next_poll = sa.case(
        (profiles.c.weight == 0, sa.null()),
        else_=sa.func.coalesce(profiles.c.next_look_at, sa.literal(now, Timestamp)),
    )
    await tx.execute(sa.update(profiles).where(which).values(next_look_at=next_poll))


async def grow_up(tx: Tx, today: date) -> None:
    """Count those who have become known, and let what they follow be checked as others'."""
    grown = (
        sa.select(subscriptions.c.profile_id)
        .join(acquaintances, acquaintances.c.subject == subscriptions.c.chat_id)
        .where(
            acquaintances.c.kind == "chat",
            acquaintances.c.days.between(KNOWN_AFTER, KNOWN_AFTER + 1),
            acquaintances.c.last_day >= today - timedelta(days=1),
        )
    )
    which = sa.or_(profiles.c.fresh.is_(True), profiles.c.profile_id.in_(grown))
    changed = sa.or_(profiles.c.weight != _WEIGHT, profiles.c.fresh != _IS_FRESH)
    statement = (
        sa.select(profiles.c.profile_id)
        .where(which, profiles.c.next_look_at.is_not(None), changed)
        .order_by(profiles.c.profile_id)
        .with_for_update(skip_locked=True)  # it grows up the next time
    )
    ids = list((await tx.execute(statement)).scalars())
    if ids:
        these = profiles.c.profile_id.in_(ids)
        await tx.execute(sa.update(profiles).where(these).values(weight=_WEIGHT, fresh=_IS_FRESH))
