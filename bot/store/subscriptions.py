"""Subscriptions: which chat, and which topic of it, follows which profile, and how."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate, takewhile
from typing import Any

import sqlalchemy as sa

from bot.domain.alert_rules import AudienceMember
from bot.domain.model import Options, Target
from bot.domain.records import MAIN, Chat, Subscription
from bot.store import chats as chat_store
from bot.store import usage
from bot.store.acquaintances import HAS_GROWN, acquaintances, is_known_as
from bot.store.audiences import audiences, waiting_chats
from bot.store.chats import IS_ACTIVE, chats
from bot.store.database import Tx, insert_for
from bot.store.profiles import IS_CHECKED, profiles
from bot.store.schema import BigId, Timestamp, metadata
from bot.store.topics import topics

_FAST = 4.0  # the weight of a subscription that asked for it; of others 1
FEW = 16  # chats that are counted anew at once, should another version have counted otherwise
_GROWN_AT_ONCE = 100  # chats and profiles; what is left comes a minute later

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

WAITS = sa.and_(subscriptions.c.paused.is_(False), IS_ACTIVE)
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
    is_wanted = sa.or_(profiles.c.profile_id.in_(wanted), profiles.c.username.in_(wanted))
    statement = _SELECT.where(is_wanted).order_by(subscriptions.c.id).limit(limit)
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


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a chat counts in the audience of a profile."""

    weight: float
    known: bool


_Counts = dict[str, dict[int, Waiting]]  # by profile and chat
_Condition = Callable[[sa.Table], sa.ColumnElement[bool]]
_IS_FAST = subscriptions.c.options["fast"].as_boolean().is_(True)
_WAITING = (
    sa.select(
        subscriptions.c.profile_id,
        subscriptions.c.chat_id,
        sa.func.sum(sa.case((_IS_FAST, _FAST), else_=1.0)),
        is_known_as(sa.literal_column("'chat'"), subscriptions.c.chat_id),
    )
    .join(chats, chats.c.id == subscriptions.c.chat_id)
    .where(WAITS)
    .group_by(subscriptions.c.profile_id, subscriptions.c.chat_id)
)
_COUNTED = sa.select(
    *(waiting_chats.c[name] for name in ("profile_id", "chat_id", "weight", "known"))
)


async def reweigh(
    tx: Tx,
    *,
    now: datetime,
    chat_id: int | None = None,
    profile_id: str | None = None,
    chat_ids: Collection[int] = (),
    profile_ids: Collection[str] = (),
) -> None:
    """Count what has changed in who waits for the alerts of profiles.

    Of the chats that are named, else of all, as it is where few wait; of the profiles that are
    named, else of all that these chats follow or followed. A chat that waits no longer is booked
    its share of the checks.
    What nobody waits for is not checked; what somebody waits for again, at once. The profiles
    are locked first: who counts while another counts would not see what that one has changed.
    """
    wanted, whose = set(profile_ids), set(chat_ids)
    if profile_id is not None:
        wanted.add(profile_id)
    if chat_id is not None:
        whose.add(chat_id)
    for one in whose if not wanted else ():
        counted = sa.select(waiting_chats.c.profile_id).where(waiting_chats.c.chat_id == one)
        followed = sa.select(subscriptions.c.profile_id).where(subscriptions.c.chat_id == one)
        for statement in (followed, counted):
            wanted.update((await tx.execute(statement)).scalars())
    if not wanted:
        return
    there = await _lock(tx, sorted(wanted))
    large: set[str] = set()
    if whose:
        many = audiences.c.profile_id.in_(there), audiences.c.chats > FEW
        large.update((await tx.execute(sa.select(audiences.c.profile_id).where(*many))).scalars())
    before, after = await _counts(tx, lambda table: table.c.profile_id.in_(set(there) - large))
    if large:
        of_large = await _counts(
            tx, lambda table: table.c.profile_id.in_(large) & table.c.chat_id.in_(whose)
        )
        before, after = before | of_large[0], after | of_large[1]
    for profile in there:
        mine = before.get(profile, {}), after.get(profile, {})
        await _recount(tx, profile, *mine, is_whole=profile not in large, now=now)


async def _lock(tx: Tx, profile_ids: list[str]) -> list[str]:
    """Lock profiles with their audiences, which all have then; return those that are there.

    What chats counted in an audience that has gone with its profile counts no more, also where
    the profile has come back: a version that knows no audiences drops it while they do.
    """
    which = profiles.c.profile_id.in_(profile_ids)
    rows = sa.select(profiles.c.profile_id).where(which).order_by(profiles.c.profile_id)
    there = list((await tx.execute(rows.with_for_update(key_share=True))).scalars())
    without = set(profile_ids) - set(there)
    if there:
        insert = insert_for(tx)(audiences).on_conflict_do_nothing(index_elements=["profile_id"])
        new = [{"profile_id": one} for one in there]
        begun = await tx.execute(insert.returning(audiences.c.profile_id), new)
        without.update(begun.scalars())
    if without:
        await tx.execute(sa.delete(waiting_chats).where(waiting_chats.c.profile_id.in_(without)))
    return there


async def _counts(tx: Tx, is_in: _Condition) -> tuple[_Counts, _Counts]:
    """Return what chats count in audiences, and what they should, by profile."""
    both: list[_Counts] = []
    for table, statement in ((waiting_chats, _COUNTED), (subscriptions, _WAITING)):
        sums: _Counts = {}
        for profile_id, chat_id, weight, known in await tx.execute(statement.where(is_in(table))):
            sums.setdefault(profile_id, {})[chat_id] = Waiting(float(weight), bool(known))
        both.append(sums)
    return both[0], both[1]


def _sums(counts: dict[int, Waiting]) -> dict[str, float]:
    """Return what an audience has where these chats wait."""
    known = sum(one.weight for one in counts.values() if one.known)
    weight = sum(one.weight for one in counts.values())
    return {"chats": len(counts), "weight": weight, "known_weight": known}


async def _recount(
    tx: Tx,
    profile_id: str,
    before: dict[int, Waiting],
    after: dict[int, Waiting],
    *,
    is_whole: bool,
    now: datetime,
) -> None:
    """Count in one audience, locked with its profile, what has changed; ``is_whole``: all of it.

    Then its sums are those of its chats, whatever they were before.
    """
    mine = audiences.c.profile_id == profile_id
    joining, leaving = sorted(after.keys() - before.keys()), sorted(before.keys() - after.keys())
    changed = [one for one in sorted(after.keys() & before.keys()) if after[one] != before[one]]
    audience = (await tx.execute(sa.select(audiences).where(mine).with_for_update())).one()
    if joining:
        day, share = await usage.begin(tx, profile_id, now.date())
        alike = {"profile_id": profile_id, "day": day, "share": share}
        rows = [{"chat_id": one, **asdict(after[one]), **alike} for one in joining]
        await tx.execute(sa.insert(waiting_chats), rows)
    for one in changed:
        its = waiting_chats.c.profile_id == profile_id
        row = sa.update(waiting_chats).where(its, waiting_chats.c.chat_id == one)
        await tx.execute(row.values(asdict(after[one])))
    values: dict[str, Any] = _sums(after) | {"rest": audience.rest}
    if leaving:
        values["rest"] = await usage.settle(tx, profile_id, leaving, rest=audience.rest, now=now)
    if not is_whole:
        for name, sum_ in _sums(before).items():
            values[name] += getattr(audience, name) - sum_
    if values != {name: getattr(audience, name) for name in values}:
        await tx.execute(sa.update(audiences).where(mine).values(values))
    weight, known = values["weight"], values["known_weight"]
    next_poll = (
        sa.func.coalesce(profiles.c.next_look_at, sa.literal(now, Timestamp))
        if weight
        else sa.null()
    )
    # Newcomers count where nobody else waits: else a few accounts made today would draw the checks
    # of all others to the profiles that they choose.
    this = sa.update(profiles).where(profiles.c.profile_id == profile_id)
    await tx.execute(this.values(weight=known or weight, fresh=known == 0, next_look_at=next_poll))


async def grow_up(tx: Tx, today: date) -> None:
    """Count those who have become known, and let what they follow be checked as others'."""
    grown = sa.select(acquaintances.c.subject).where(
        HAS_GROWN, acquaintances.c.last_day >= today - timedelta(days=1)
    )
    chat_ids = list((await tx.execute(grown)).scalars())
    uncounted = (
        sa.select(waiting_chats.c.chat_id, waiting_chats.c.profile_id)
        .where(waiting_chats.c.chat_id.in_(chat_ids), waiting_chats.c.known.is_(False))
        .limit(_GROWN_AT_ONCE)
    )
    rows = (await tx.execute(uncounted)).all() if chat_ids else []
    if rows:
        who, whom = {row.chat_id for row in rows}, {row.profile_id for row in rows}
        await reweigh(tx, chat_ids=who, profile_ids=whom, now=datetime.combine(today, time(), UTC))


async def miscounted(
    tx: Tx, *, after: int | None, limit: int
) -> tuple[dict[int, list[str]], int | None]:
    """Return of whom some chats count what they should not, or wait in vain; of no change of ours.

    A version before this one, at work beside us, counts differently; and a profile that has no
    time for its next check, however that came, would never be checked again. Up to ``limit``
    chats are seen through, from the id ``after`` on; returns as well where to go on, None at the
    end. ``reweigh`` mends both.
    """
    table = subscriptions
    some = sa.select(table.c.chat_id).distinct().order_by(table.c.chat_id).limit(limit)
    if after is not None:
        some = some.where(table.c.chat_id > after)
    seen = list((await tx.execute(some)).scalars())
    last = seen[-1] if len(seen) == limit else None
    start, end = sa.literal(after), sa.literal(last)

    def is_seen(table: sa.Table) -> sa.ColumnElement[bool]:
        return sa.and_(
            sa.true() if after is None else table.c.chat_id > start,
            sa.true() if last is None else table.c.chat_id <= end,
        )

    counted, due = await _counts(tx, is_seen)
    in_vain = _WAITING.join(profiles, profiles.c.profile_id == table.c.profile_id).where(
        is_seen(table), ~IS_CHECKED
    )
    unchecked = {row.profile_id for row in await tx.execute(in_vain)}
    wrong: dict[int, list[str]] = {}
    for profile_id in sorted(counted.keys() | due.keys()):
        here = (counted.get(profile_id, {}), due.get(profile_id, {}))
        for chat_id in here[0].keys() | here[1].keys():
            is_wrong = here[0].get(chat_id) != here[1].get(chat_id)
            if is_wrong or (profile_id in unchecked and chat_id in here[1]):
                wrong.setdefault(chat_id, []).append(profile_id)
    return wrong, last


async def missummed(tx: Tx, *, after: str, limit: int) -> tuple[list[str], str]:
    """Return in whose audiences the sums are not those of the chats; of no change of ours.

    With them a check would be shared among too many or too few, or never be made. Audiences of up
    to ``limit`` chats in all are seen through, or one, from the profile's id ``after`` on; returns
    as well where to go on, empty at the end. ``reweigh`` mends them.
    """
    some = sa.select(audiences.c.profile_id, audiences.c.chats)
    some = some.where(audiences.c.profile_id > after).order_by(audiences.c.profile_id)
    there = (await tx.execute(some.limit(limit))).all()
    chats_up_to = accumulate(max(1, row.chats) for row in there)
    count = sum(1 for _ in takewhile(lambda chats: chats <= limit, chats_up_to))
    is_end = count == len(there) < limit
    last = "" if is_end else there[max(0, count - 1)].profile_id

    def is_seen(table: sa.Table) -> sa.ColumnElement[bool]:
        is_after = table.c.profile_id > after
        return is_after & (table.c.profile_id <= last) if last else is_after

    table = waiting_chats
    sums = (
        sa.select(
            table.c.profile_id,
            sa.func.count().label("chats"),
            sa.func.sum(table.c.weight).label("weight"),
            sa.func.sum(sa.case((table.c.known, table.c.weight), else_=0.0)).label("known_weight"),
        )
        .where(is_seen(table))
        .group_by(table.c.profile_id)
        .subquery()
    )
    differs = [audiences.c[name] != sa.func.coalesce(sums.c[name], 0) for name in _sums({})]
    wrong = (
        sa.select(audiences.c.profile_id)
        .outerjoin(sums, sums.c.profile_id == audiences.c.profile_id)
        .where(is_seen(audiences), sa.or_(*differs))
    )
    alone = sa.select(sums.c.profile_id).where(
        ~sa.exists().where(audiences.c.profile_id == sums.c.profile_id)
    )
    return sorted((await tx.execute(wrong.union(alone))).scalars()), last
