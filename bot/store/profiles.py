"""Profiles: names, states, and times of checks."""

import random
from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from bot.domain.model import AnyTime, Profile, Unknown
from bot.domain.records import Known, SubscriberCount
from bot.runtime.claims import Lease
from bot.store.claims import NOW, Claims, claim_columns, claim_values
from bot.store.engine.columns import Timestamp, counter, flag, primary_key, required
from bot.store.engine.database import (
    Tx,
    all_rows,
    column_values,
    dict_of_rows,
    lock_rows,
    row_or_none,
    update_rows,
)
from bot.store.engine.schema import columns_of, insert, metadata, partial_index

profiles = sa.Table(
    "profiles",
    metadata,
    primary_key("profile_id", sa.String(32)),
    required("username", sa.String(64), index=True),
    required("full_name", sa.Text, default=""),
    flag("is_verified"),
    required("named_at", Timestamp),  # when the API last returned this username
    required("state", sa.String(8), default="active"),
    required("state_since", Timestamp),
    sa.Column("snapshot_at", Timestamp),  # the time of the last complete snapshot
    # The time at which the profile was last found to be public, or None after a refusal.
    sa.Column("checked_at", Timestamp),
    # The time of the next check. None means that the profile is not checked, because no
    # subscription waits for alerts of the profile, or because the profile is blocked.
    sa.Column("due_at", Timestamp),
    *claim_columns(),
    counter("failures"),
    # The refusal ("private" or "gone") of the last check.
    required("refusal", sa.String(16), default=""),
    # The number of consecutive equal refusals.
    counter("refusals"),
    # The weight of the subscribers, and the number of their chats.
    required("weight", sa.Float, default="0"),
    counter("chats"),
    # The billed credits of checks that are not yet divided among the subscribed chats.
    counter("unsplit"),
    sa.Column("forecast", sa.JSON),
    # True if only newcomers follow the profile. A separate part of the budget pays for the checks
    # of these profiles.
    flag("fresh"),
    sa.Index("ix_profiles_blocked", "state", **partial_index("state = 'blocked'")),
    # A random number from 0 to 1. The profiles with neighbouring numbers are a random sample.
    sa.Column("sample_key", sa.Float, nullable=False, default=random.random),
    sa.Index("ix_profiles_checked", "fresh", "sample_key", **partial_index("due_at IS NOT NULL")),
    sa.Index(
        "ix_profiles_due",
        "due_at",
        **partial_index("due_at IS NOT NULL"),
    ),
)

IS_CHECKED = profiles.c.due_at.is_not(None)
claims = Claims(profiles, is_open=IS_CHECKED)
IS_NOT_BLOCKED = profiles.c.state != "blocked"
_IS_BLOCKED = profiles.c.state == sa.literal_column("'blocked'")
_SAMPLE = 1_000  # the size of a sample of profiles for estimates
_COUNTED = 10_000  # up to this number, profiles are counted exactly
# The minimum time between two writes of ``named_at`` for an unchanged profile.
_NAMED_AGAIN = timedelta(hours=1)

COLUMNS = columns_of(profiles, Known)


async def get(tx: Tx, profile_id: str) -> Known | None:
    """Return the profile, or None if the profile is not stored."""
    statement = sa.select(*COLUMNS).where(profiles.c.profile_id == profile_id)
    return await row_or_none(tx, Known, statement)


LOCKED = (
    sa.select(*COLUMNS)
    .where(profiles.c.profile_id == sa.bindparam("profile_id"))
    .with_for_update(key_share=True)
)


async def lock(tx: Tx, profile_id: str) -> Known | None:
    """Lock a profile against changes until this transaction ends.

    Return the profile, or None if the profile is not stored. Other transactions may still insert
    rows that refer to the profile.
    """
    return await row_or_none(tx, Known, LOCKED, {"profile_id": profile_id})


async def lock_all(tx: Tx, profile_ids: Collection[str]) -> None:
    """Lock profiles against changes until this transaction ends, in the order of the ids."""
    condition = profiles.c.profile_id.in_(sorted(profile_ids))
    await lock_rows(tx, profiles.c.profile_id, condition)


async def find_by_username(tx: Tx, username: str, *, named_since: datetime) -> Known | None:
    """Return the profile that had a username in an API response after ``named_since``, or None.

    If several profiles had the username, the latest response decides. The stored time of a
    response can be up to an hour too early.
    """
    statement = (
        sa.select(*COLUMNS)
        .where(profiles.c.username == username, profiles.c.named_at > named_since)
        .order_by(profiles.c.named_at.desc())
        .limit(1)
    )
    return await row_or_none(tx, Known, statement)


NAME_IS_SURE = timedelta(days=30)
"""The time after an API response during which a username is assumed to belong to its profile."""


async def ids_by_username(
    tx: Tx, names: Collection[str], *, named_since: datetime
) -> dict[str, str]:
    """Return the ids of profiles that had the usernames in API responses after ``named_since``.

    The result maps usernames to ids. If several profiles had a username, the latest response
    decides.
    """
    statement = (
        sa.select(profiles.c.username, profiles.c.profile_id)
        .where(profiles.c.username.in_(names), profiles.c.named_at > named_since)
        .order_by(profiles.c.named_at)
    )
    return await dict_of_rows(tx, statement)


# The statement adds a profile. An existing profile is locked and returned unchanged.
_ADDED_OR_LOCKED = (
    insert(profiles)
    .on_conflict_do_update(
        index_elements=[profiles.c.profile_id], set_={"state_since": profiles.c.state_since}
    )
    .returning(*COLUMNS)
)


async def add_or_update_returning_previous(tx: Tx, profile: Profile, *, now: datetime) -> Known:
    """Add or update a profile from an API response. Return the profile as stored before.

    If the profile was not stored before, the new profile is returned.
    """
    columns: dict[str, object] = {"username": profile.username} if profile.username else {}
    if profile.full_name:
        columns |= {"full_name": profile.full_name, "is_verified": profile.is_verified}
    new = {"profile_id": profile.profile_id, "state_since": now, "named_at": now}
    new |= {"username": profile.username, "full_name": "", "is_verified": False, **columns}
    before = Known(*(await tx.execute(_ADDED_OR_LOCKED, new)).one())
    has_changed = any(getattr(before, name) != value for name, value in columns.items())
    if has_changed or now - before.named_at >= _NAMED_AGAIN:
        named_at = now if profile.username else before.named_at
        await change(tx, profile.profile_id, named_at=named_at, **columns)
    return before


async def change(tx: Tx, profile_id: str, **values: object) -> None:
    """Set columns of a profile."""
    await update_rows(tx, profiles, profiles.c.profile_id == profile_id, **values)


async def claim_checks(
    tx: Tx,
    lease: Lease,
    *,
    limit: int,
    only_not_due: bool = False,
    unseen_since: datetime | AnyTime = None,
    skip_newcomers: bool = False,
    ids: Sequence[str] | None = None,
) -> list[Known]:
    """Claim at most ``limit`` due checks. Return the claimed profiles in no particular order.

    - ``only_not_due``: Claim checks that are not due yet, except after a failed or unfinished
      check.
    - ``unseen_since``: Claim only profiles without a complete snapshot after this time.
    - ``skip_newcomers``: Claim no profiles that only newcomers follow.
    """
    statement = _claim_checks_sql(
        only_not_due=only_not_due,
        is_bounded=unseen_since is not None,
        skip_newcomers=skip_newcomers,
        has_ids=ids is not None,
    )
    values = claim_values(lease, limit=limit)
    if ids is not None:
        values["ids"] = list(ids)
    if unseen_since is not None:
        values["unseen_since"] = unseen_since
    return await all_rows(tx, Known, statement, values)


@cache  # The build of the statement takes longer than the execution.
def _claim_checks_sql(
    *, only_not_due: bool, is_bounded: bool, skip_newcomers: bool, has_ids: bool
) -> sa.Executable:
    conditions = _claim_conditions(is_bounded=is_bounded, skip_newcomers=skip_newcomers)
    if has_ids:
        conditions.append(profiles.c.profile_id.in_(sa.bindparam("ids", expanding=True)))
    return claims.claim_batch_sql(
        *COLUMNS,
        extra_filter=sa.and_(*conditions),
        due_condition=_IS_EARLY if only_not_due else None,
    )


def _claim_conditions(*, is_bounded: bool, skip_newcomers: bool) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = [sa.true()]
    if skip_newcomers:
        conditions.append(profiles.c.fresh.is_(False))
    if is_bounded:
        unseen_since = sa.bindparam("unseen_since", type_=Timestamp)
        unseen = sa.or_(profiles.c.snapshot_at.is_(None), profiles.c.snapshot_at <= unseen_since)
        conditions.append(unseen)
    return conditions


# A check that is not due yet may be made early, but not after a failed or unfinished check.
_IS_EARLY = sa.and_(profiles.c.due_at > NOW, profiles.c.failures == 0, profiles.c.attempts == 0)


async def next_for_early_checks(
    tx: Tx,
    *,
    now: datetime,
    limit: int,
    unseen_since: datetime | AnyTime,
    skip_newcomers: bool,
) -> list[Known]:
    """Return at most ``limit`` profiles whose checks are not due yet and can be claimed now.

    The profile with the next due check comes first. No profile is claimed. ``unseen_since`` and
    ``skip_newcomers`` exclude profiles (see ``claim_checks``).
    """
    statement = _next_early_checks_sql(
        is_bounded=unseen_since is not None, skip_newcomers=skip_newcomers
    )
    values: dict[str, object] = {"now": now, "most": limit}
    if unseen_since is not None:
        values["unseen_since"] = unseen_since
    return await all_rows(tx, Known, statement, values)


@cache  # The build of the statement takes longer than the execution.
def _next_early_checks_sql(*, is_bounded: bool, skip_newcomers: bool) -> sa.Select[Any]:
    conditions = _claim_conditions(is_bounded=is_bounded, skip_newcomers=skip_newcomers)
    return (
        sa.select(*COLUMNS)
        .where(_IS_EARLY, profiles.c.leased_until <= NOW, *conditions)
        .order_by(profiles.c.due_at)
        .limit(sa.bindparam("most", type_=sa.Integer))
    )


async def set_subscriber_count(tx: Tx, profile_id: str, count: SubscriberCount) -> None:
    """Store the counted subscribers of a profile, if the profile is still checked."""
    followed = sa.and_(profiles.c.profile_id == profile_id, IS_CHECKED)
    await update_rows(tx, profiles, followed, **asdict(count))


async def end_claim_and_postpone_check(tx: Tx, claimed: Known, *, until: datetime) -> None:
    """End the claim of a check without a result for the profile.

    The check is due again at ``until``. The number of attempts is reset. Do nothing if the claim
    was lost, or if the profile is no longer checked.
    """
    await claims.finish(tx, (claimed.profile_id, claimed.token), due_at=until)


async def end_claim_and_retry_check(tx: Tx, claimed: Known, *, due_at: datetime) -> None:
    """End the claim of a check without an outcome. The check is due again at ``due_at``.

    The number of attempts stays. Do nothing if the claim was lost, or if the profile is no longer
    checked.
    """
    await claims.retry(tx, (claimed.profile_id, claimed.token), due_at=due_at)


async def next_check_due_and_last_snapshot(
    tx: Tx, *, now: datetime
) -> tuple[datetime, datetime | None] | None:
    """Return the due time of the next unclaimed check, and the time of the last snapshot.

    The second time is None if the profile has no complete snapshot. Return None if no unclaimed
    check is planned.
    """
    row = (await tx.execute(_FIRST_DUE, {"now": now})).one_or_none()
    return (row.due_at, row.snapshot_at) if row else None


_FIRST_DUE = (
    sa.select(profiles.c.due_at, profiles.c.snapshot_at)
    .where(IS_CHECKED, profiles.c.leased_until <= NOW)
    .order_by(profiles.c.due_at)
    .limit(1)
)


class ProfileCounts(NamedTuple):
    """The numbers of checked profiles, by the people who follow the profiles."""

    of_known_people: int
    of_newcomers_only: int


async def estimate_mean_detection_delay(
    tx: Tx, counts: ProfileCounts, *, most: int = _SAMPLE
) -> timedelta | Unknown:
    """Estimate the mean delay before a new story is detected. Return None if unknown.

    The delay is half the time from the last complete snapshot to the next check, weighted by
    subscribers. ``counts`` has the number of profiles in each group of followers. At most
    ``most`` profiles of each group are read.
    """
    pause = sa.type_coerce(profiles.c.due_at, sa.BigInteger) - sa.type_coerce(
        profiles.c.snapshot_at, sa.BigInteger
    )
    is_usual = profiles.c.snapshot_at.is_not(None) & (profiles.c.failures == 0)
    columns = (profiles.c.weight, sa.case((is_usual, pause)).label("pause"))
    weights = weighted_pauses = 0.0
    for only_newcomers, count in zip((False, True), counts, strict=True):
        rows = await _sample_checked_profiles(
            tx, *columns, most=most, only_newcomers=only_newcomers
        )
        for row in rows:
            if row.pause is not None:
                weight = row.weight * count / len(rows)
                weights += weight
                weighted_pauses += weight * row.pause
    return timedelta(milliseconds=weighted_pauses / weights / 2) if weights else None


async def sample_forecasts_and_weights(
    tx: Tx, *, most: int, only_newcomers: bool
) -> list[tuple[Any, float]]:
    """Return the forecasts and weights of a random sample of at most ``most`` checked profiles.

    The sample has profiles that only newcomers follow, or profiles that known people follow.
    """
    rows = await _sample_checked_profiles(
        tx, profiles.c.forecast, profiles.c.weight, most=most, only_newcomers=only_newcomers
    )
    return [(row.forecast, float(row.weight)) for row in rows]


async def _sample_checked_profiles(
    tx: Tx, *columns: sa.ColumnElement[Any], most: int, only_newcomers: bool
) -> list[sa.Row[Any]]:
    """Return columns of at most ``most`` random checked profiles.

    The sample begins at a random value of ``sample_key``. After the highest value, the sample
    continues with the lowest value.
    """
    key, start = profiles.c.sample_key, random.random()  # noqa: S311 - a sample, no secret
    rows: list[sa.Row[Any]] = []
    for part in (key >= start, key < start):
        query = sa.select(*columns).where(IS_CHECKED, profiles.c.fresh.is_(only_newcomers), part)
        rows += await tx.execute(query.order_by(key).limit(most - len(rows)))
    return rows


async def upcoming_checks_with_last_and_due_time(
    tx: Tx, *, limit: int
) -> list[tuple[str, datetime | None, datetime]]:
    """Return the next checks, at most ``limit``, in the order of the due times.

    For each check, return the username, the time of the profile's last complete snapshot (or
    None), and the due time.
    """
    statement = (
        sa.select(profiles.c.username, profiles.c.snapshot_at, profiles.c.due_at)
        .where(IS_CHECKED)
        .order_by(profiles.c.due_at)
        .limit(limit)
    )
    return [(row[0], row[1], row[2]) for row in await tx.execute(statement)]


async def estimate_profile_counts_by_followers(
    tx: Tx, *, most_read: int = _COUNTED
) -> ProfileCounts:
    """Return the numbers of checked profiles of known people, and of newcomers only.

    If ``most_read`` profiles were read for a number, the number is an estimate, with an error of
    some 1 % for 10,000 profiles.
    """
    both = sa.union_all(
        _count_and_highest_sample_key_sql(only_newcomers=False, most=most_read),
        _count_and_highest_sample_key_sql(only_newcomers=True, most=most_read),
    )
    counts = {False: 0, True: 0}
    for fresh, number, highest in await tx.execute(both):
        # The sample keys are random numbers from 0 to 1, and the lowest keys were read. If the
        # highest read key is 0.2, about a fifth of the profiles was read.
        is_part = number == most_read and highest > 0
        counts[bool(fresh)] = round(number / highest) if is_part else number
    return ProfileCounts(counts[False], counts[True])


def _count_and_highest_sample_key_sql(
    *, only_newcomers: bool, most: int
) -> sa.Select[bool, int, float]:
    """Return the query that counts at most ``most`` checked profiles of a group of followers.

    The columns are ``only_newcomers``, the number of read profiles, and their highest sample key.
    Profiles with low sample keys are read first.
    """
    of_group = sa.and_(IS_CHECKED, profiles.c.fresh.is_(only_newcomers))
    key = profiles.c.sample_key
    lowest = sa.select(key).where(of_group).order_by(key).limit(most).subquery()
    columns = sa.literal(only_newcomers), sa.func.count(), sa.func.max(lowest.c.sample_key)
    return sa.select(*columns).select_from(lowest)


async def blocked_ids(tx: Tx) -> list[str]:
    """Return the ids of profiles in the state "blocked"."""
    return await column_values(tx, profiles.c.profile_id, _IS_BLOCKED)


async def profiles_to_block_and_unblock(
    tx: Tx, blocked: Collection[str]
) -> tuple[list[Known], list[Known]]:
    """Return the profiles to block, and the profiles to unblock. Change nothing.

    ``blocked`` contains the ids and usernames of all profiles that the access list blocks.
    """
    to_block, to_unblock = _to_block_and_unblock_sql(blocked)
    every = sa.select(*COLUMNS)
    return (
        await all_rows(tx, Known, every.where(to_block)),
        await all_rows(tx, Known, every.where(to_unblock)),
    )


def _to_block_and_unblock_sql(
    blocked: Collection[str],
) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    """Return the SQL conditions of the profiles to block, and of the profiles to unblock."""
    words = sorted(blocked)
    is_listed = sa.or_(profiles.c.profile_id.in_(words), profiles.c.username.in_(words))
    return sa.and_(is_listed, IS_NOT_BLOCKED), sa.and_(~is_listed, _IS_BLOCKED)


async def block_and_unblock_profiles(
    tx: Tx, block_list: Collection[str], profile_ids: Collection[str], *, now: datetime
) -> tuple[list[Known], list[Known]]:
    """Block and unblock the profiles ``profile_ids`` according to the block list.

    ``block_list`` has ids and usernames. Return the newly blocked and the newly unblocked
    profiles. The caller starts the checks of the unblocked profiles.
    """
    await lock_all(tx, profile_ids)
    is_given = profiles.c.profile_id.in_(sorted(profile_ids))
    block: dict[str, object] = {"state": "blocked", "due_at": None, "weight": 0.0, "chats": 0}
    unblock: dict[str, object] = {"state": "active"}
    to_block, to_unblock = _to_block_and_unblock_sql(block_list)
    update = sa.update(profiles).where(is_given).values(state_since=now).returning(*COLUMNS)
    return (
        await all_rows(tx, Known, update.where(to_block).values(**block)),
        await all_rows(tx, Known, update.where(to_unblock).values(**unblock)),
    )


async def add_unsplit_credits(tx: Tx, profile_id: str, amount: int) -> None:
    """Add the credits of a check to the credits to be divided among the subscribed chats.

    Do nothing if the profile is no longer checked.
    """
    condition = sa.and_(profiles.c.profile_id == profile_id, IS_CHECKED)
    await update_rows(tx, profiles, condition, unsplit=profiles.c.unsplit + amount)


async def ids_with_unsplit_credits(tx: Tx, *, after: str, limit: int) -> list[str]:
    """Return at most ``limit`` ids of profiles with undivided credits, in the order of the ids.

    The credits of checks are later divided among the subscribed chats. Only ids greater than
    ``after`` are returned.
    """
    condition = sa.and_(profiles.c.profile_id > after, profiles.c.unsplit != 0)
    some = sa.select(profiles.c.profile_id).where(condition).order_by(profiles.c.profile_id)
    return list(await tx.scalars(some.limit(limit)))


async def pop_unsplit_millicredits_per_chat(tx: Tx, profile_id: str) -> int:
    """Divide the undivided credits of a profile's checks among the subscribed chats.

    Return the share of each chat in 1/1000 credits, rounded down. Return 0 without undivided
    credits or chats. Afterwards, the profile has no undivided credits.
    """
    known = sa.select(profiles.c.unsplit, profiles.c.chats)
    query = known.where(profiles.c.profile_id == profile_id).with_for_update(key_share=True)
    row = (await tx.execute(query)).one_or_none()
    if row is None or not row.unsplit:
        return 0
    await change(tx, profile_id, unsplit=0)
    return int(1000 * row.unsplit // row.chats) if row.chats else 0
