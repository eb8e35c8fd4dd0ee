"""Profiles: who they are, how they are, and when each is checked next."""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from math import ceil
from typing import Any

import sqlalchemy as sa

from bot.domain.model import Profile
from bot.domain.records import EPOCH, Known
from bot.store.database import Tx, add_new, row_or_none
from bot.store.schema import Timestamp, metadata, only

profiles = sa.Table(
    "profiles",
    metadata,
    sa.Column("profile_id", sa.String(32), primary_key=True),
    sa.Column("username", sa.String(64), nullable=False, index=True),
    sa.Column("full_name", sa.Text, nullable=False, server_default=""),
    sa.Column("is_verified", sa.Boolean, nullable=False, server_default=sa.text("false")),
    sa.Column("named_at", Timestamp, nullable=False),  # when the API last showed this name
    sa.Column("state", sa.String(8), nullable=False, server_default="active"),
    sa.Column("state_since", Timestamp, nullable=False),
    sa.Column("looked_at", Timestamp),
    sa.Column("checked_at", Timestamp),  # when the privacy check, or the page, said "public"
    sa.Column("next_look_at", Timestamp),  # None: nobody follows it
    sa.Column("leased_until", Timestamp, nullable=False, server_default="0"),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("refusal", sa.String(16), nullable=False, server_default=""),  # of the last check
    sa.Column("refusals", sa.Integer, nullable=False, server_default="0"),  # the same in a row
    sa.Column("weight", sa.Float, nullable=False, server_default="0"),  # of who wait for alerts
    sa.Column("forecast", sa.JSON),
    sa.Column("memory", sa.JSON),  # of the forecast, which versions before this don't know
    # followed by newcomers only: checked from a part of the budget of their own
    sa.Column("fresh", sa.Boolean, nullable=False, server_default=sa.text("false")),
    sa.Index(
        "ix_profiles_due",
        "next_look_at",
        **only("next_look_at IS NOT NULL"),
    ),
)

# The last digits of an id, by which nothing is known of a profile: who has some is a fair sample.
_LOT = sa.literal_column("substr(profile_id, length(profile_id) - 3)", sa.String)
_LOTS = 10_000
IS_CHECKED = profiles.c.next_look_at.is_not(None)
sa.Index(
    "ix_profiles_lot",
    profiles.c.fresh,
    sa.text("substr(profile_id, length(profile_id) - 3)"),
    _table=profiles,
    **only("next_look_at IS NOT NULL"),
)

_SAMPLE = 1_000  # profiles, of which sums are said to be those of all
_PART = 40  # of the lots says how many profiles there are,
_COUNTED = 500  # where it has so many of them: within some 4 %
_NAMED_AGAIN = timedelta(hours=1)  # by so much the time of a name may be off

COLUMNS = [profiles.c[name] for name in Known.__dataclass_fields__]


async def get(tx: Tx, profile_id: str) -> Known | None:
    """Return the profile; who changes it next in this transaction has it alone."""
    statement = sa.select(*COLUMNS).where(profiles.c.profile_id == profile_id)
    return await row_or_none(tx, Known, statement)


LOCKED = (
    sa.select(*COLUMNS)
    .where(profiles.c.profile_id == sa.bindparam("profile_id"))
    .with_for_update(key_share=True)
)


async def lock(tx: Tx, profile_id: str) -> Known | None:
    """Return the profile, which no other transaction changes until this one ends.

    New rows may refer to it meanwhile: two that have just done so would else wait for each other.
    """
    return await row_or_none(tx, Known, LOCKED, {"profile_id": profile_id})


async def named(tx: Tx, username: str, *, since: datetime) -> Known | None:
    """Return who has had the name for sure at some time after ``since``."""
    statement = (
        sa.select(*COLUMNS)
        .where(profiles.c.username == username, profiles.c.named_at > since)
        .order_by(profiles.c.named_at.desc())
        .limit(1)
    )
    return await row_or_none(tx, Known, statement)


async def ensure(tx: Tx, profile: Profile, *, now: datetime) -> Known:
    """Keep who the API says it is; return what was known before, itself when it is new."""
    columns: dict[str, object] = {"username": profile.username} if profile.username else {}
    if profile.full_name:
        columns |= {"full_name": profile.full_name, "is_verified": profile.is_verified}
    before = await lock(tx, profile.profile_id)
    if before is None:
        new = {"profile_id": profile.profile_id, "state_since": now, "named_at": now}
        new |= {"username": profile.username, **columns}
        await add_new(tx, profiles, **new)
        before = await lock(tx, profile.profile_id)
        assert before is not None  # noqa: S101 - inserted above or by somebody else, and locked
    is_news = any(getattr(before, name) != value for name, value in columns.items())
    if is_news or now - before.named_at >= _NAMED_AGAIN:
        named_at = now if profile.username else before.named_at
        await change(tx, profile.profile_id, named_at=named_at, **columns)
    return before


async def change(tx: Tx, profile_id: str, **values: object) -> None:
    """Set columns of a profile."""
    await tx.execute(
        sa.update(profiles).where(profiles.c.profile_id == profile_id).values(**values)
    )


async def claim(
    tx: Tx,
    *,
    now: datetime,
    limit: int,
    lease: timedelta,
    early: bool = False,
    unseen_since: datetime | None = None,
    fresh: bool | None = None,
) -> list[Known]:
    """Take the profiles that are due, longest overdue first, for ``lease``.

    With ``early``: those that are due next. With ``unseen_since``: only those not checked since
    then, or never. With ``fresh``: only those that newcomers alone follow, or only the
    others. What a process that dies had taken is due again when its lease ends.
    """
    statement = _claim(early=early, is_bounded=unseen_since is not None, fresh=fresh)
    values: dict[str, object] = {"now": now, "until": now + lease, "most": limit}
    if unseen_since is not None:
        values["unseen_since"] = unseen_since
    return [Known(*row) for row in await tx.execute(statement, values)]


@cache  # built once, for the schedule asks all the time
def _claim(*, early: bool, is_bounded: bool, fresh: bool | None) -> sa.Executable:
    now = sa.bindparam("now", type_=Timestamp)
    free = profiles.c.leased_until <= now
    if fresh is not None:
        free = sa.and_(free, profiles.c.fresh.is_(fresh))
    if early:
        which = sa.and_(free, profiles.c.next_look_at > now, profiles.c.failures == 0)
    else:
        which = sa.and_(free, profiles.c.next_look_at <= now)
    if is_bounded:
        unseen_since = sa.bindparam("unseen_since", type_=Timestamp)
        unseen = sa.or_(profiles.c.looked_at.is_(None), profiles.c.looked_at <= unseen_since)
        which = sa.and_(which, unseen)
    due = (
        sa.select(profiles.c.profile_id)
        .where(which)
        .order_by(profiles.c.next_look_at)
        .limit(sa.bindparam("most", type_=sa.Integer))
        .with_for_update(skip_locked=True)
    )
    return (
        sa.update(profiles)
        .where(profiles.c.profile_id.in_(due.scalar_subquery()))
        .values(leased_until=sa.bindparam("until", type_=Timestamp))
        .returning(*COLUMNS)
    )


async def release(tx: Tx, *, now: datetime) -> None:
    """End all leases: right where one process alone uses the database, at its start."""
    leased = sa.update(profiles).where(profiles.c.leased_until > now)
    await tx.execute(leased.values(leased_until=EPOCH))


async def hand_back(tx: Tx, profile_id: str, *, until: datetime) -> None:
    """End a lease that lasts until then at most; one that lasts longer is another's."""
    ours = sa.and_(profiles.c.profile_id == profile_id, profiles.c.leased_until <= until)
    await tx.execute(sa.update(profiles).where(ours).values(leased_until=EPOCH))


async def put_off(tx: Tx, profile_id: str, *, until: datetime) -> None:
    """Let a check that could not be made wait, if anybody still follows the profile."""
    followed = sa.and_(profiles.c.profile_id == profile_id, profiles.c.next_look_at.is_not(None))
    values = {"next_look_at": until, "leased_until": EPOCH}
    await tx.execute(sa.update(profiles).where(followed).values(values))


async def due_next(tx: Tx, *, now: datetime, fresh: bool | None = None) -> datetime | None:
    """Return when the next check is due of those that nobody is at; ``fresh`` as in ``claim``."""
    first = await first_due(tx, now=now, fresh=fresh)
    return first and first[0]


async def first_due(
    tx: Tx, *, now: datetime, fresh: bool | None = None
) -> tuple[datetime, datetime | None] | None:
    """Return, as ``due_next`` does, when the next check is due and when the last one was."""
    row = (await tx.execute(_first_due(fresh), {"now": now})).one_or_none()
    return (row.next_look_at, row.looked_at) if row else None


@cache
def _first_due(fresh: bool | None) -> sa.Select[Any]:
    statement = (
        sa.select(profiles.c.next_look_at, profiles.c.looked_at)
        .where(
            profiles.c.next_look_at.is_not(None),
            profiles.c.leased_until <= sa.bindparam("now", type_=Timestamp),
        )
        .order_by(profiles.c.next_look_at)
        .limit(1)
    )
    return statement if fresh is None else statement.where(profiles.c.fresh.is_(fresh))


async def mean_delay(tx: Tx, counts: Sequence[int]) -> timedelta | None:
    """Return how long a new story waits for its check: half the pause, by who wait for it.

    Of very many profiles a sample says it. ``counts``: of those that known people follow, and of
    those that newcomers alone do.
    """
    pause = sa.type_coerce(profiles.c.next_look_at, sa.BigInteger) - sa.type_coerce(
        profiles.c.looked_at, sa.BigInteger
    )
    is_usual = profiles.c.looked_at.is_not(None) & (profiles.c.failures == 0)
    columns = (profiles.c.weight, sa.case((is_usual, pause)).label("pause"))
    rows = await _some(tx, columns, dict(zip((False, True), counts, strict=True)), most=_SAMPLE)
    paused = [(row.weight, row.pause) for row in rows if row.pause is not None]
    weight = sum(one[0] for one in paused)
    mean = sum(one[0] * one[1] for one in paused) / weight if weight else None
    return None if mean is None else timedelta(milliseconds=mean / 2)


async def sample(
    tx: Tx, *, most: int, fresh: bool | None = None
) -> tuple[list[tuple[Any, Any, float]], int]:
    """Return forecast, memory and weight of those that are checked, and about how many there are.

    Of more than ``most`` it is a fair sample; ``fresh`` as in ``claim``.
    """
    columns = (profiles.c.forecast, profiles.c.memory, profiles.c.weight)
    sides = (False, True) if fresh is None else (fresh,)
    counts = {side: await about(tx, fresh=side) for side in sides}
    rows = await _some(tx, columns, counts, most=most)
    return [(row.forecast, row.memory, float(row.weight)) for row in rows], sum(counts.values())


async def _some(
    tx: Tx, columns: Sequence[sa.ColumnElement[Any]], counts: Mapping[bool, int], *, most: int
) -> list[sa.Row[Any]]:
    """Return columns of those that are checked, of which there are ``counts`` by ``fresh``.

    Of more than ``most``: of those whose ids end in some digits, and in the next.
    """
    rows: list[sa.Row[Any]] = []
    for fresh, count in counts.items():
        left = ceil(count * min(1.0, most / max(sum(counts.values()), 1)))
        start = f"{random.randrange(_LOTS):04}" if left < count else ""  # noqa: S311 - a sample
        these = sa.select(*columns).where(IS_CHECKED, profiles.c.fresh.is_(fresh)).order_by(_LOT)
        for half in (start <= _LOT, start > _LOT):
            if left > 0:
                part = (await tx.execute(these.where(half).limit(left))).all()
                rows += part
                left -= len(part)
    return rows


async def schedule(tx: Tx, *, limit: int) -> list[tuple[str, datetime | None, datetime]]:
    """Return what is checked next: the name, when it was checked, when it will be."""
    statement = (
        sa.select(profiles.c.username, profiles.c.looked_at, profiles.c.next_look_at)
        .where(IS_CHECKED)
        .order_by(profiles.c.next_look_at)
        .limit(limit)
    )
    return [(row[0], row[1], row[2]) for row in await tx.execute(statement)]


async def followed(tx: Tx, *, fresh: bool | None = None, most: int | None = None) -> int:
    """Return how many profiles are checked: all, or those that newcomers alone follow or not.

    With ``most`` it is counted no further than that.
    """
    those = sa.select(profiles.c.profile_id).where(IS_CHECKED)
    if fresh is not None:
        those = those.where(profiles.c.fresh.is_(fresh))
    statement = sa.select(sa.func.count()).select_from(those.limit(most).subquery())
    return (await tx.execute(statement)).scalar() or 0


async def about(tx: Tx, *, fresh: bool, most: int = _COUNTED) -> int:
    """Return how many profiles are checked that newcomers alone follow, or of the others.

    Where a part of the lots has ``most`` it is an estimate: to count all would keep everybody
    waiting.
    """
    start = random.randrange(_LOTS - _LOTS // _PART)  # noqa: S311 - a sample
    part = sa.select(sa.func.count()).where(
        IS_CHECKED,
        profiles.c.fresh.is_(fresh),
        f"{start:04}" <= _LOT,
        f"{start + _LOTS // _PART:04}" > _LOT,
    )
    count: int = (await tx.execute(part)).scalar_one()
    return _PART * count if count >= most else await followed(tx, fresh=fresh)
