"""Helpers that create profiles, stories, chats and subscriptions for tests of alerts."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.domain.model import Profile, Story, Target
from bot.domain.options import Options, Preferences
from bot.domain.records import ChatQueue
from bot.fetching import snapshots
from bot.store import chat_queues, chats, fan_outs, profiles, subscriptions
from bot.store.claims import RELEASED
from bot.store.deliveries import deliveries
from bot.store.engine.database import Database, Tx
from tests.support.claims import lease_at

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
LONG_AGO = NOON - timedelta(days=10)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NATGEO = Profile("787132", "natgeo", "National Geographic")
PRADA = Profile("25460", "prada", "Prada")


@dataclass(slots=True)
class Clock:
    """A clock that changes only on request."""

    time: datetime = NOON

    def __call__(self) -> datetime:
        return self.time

    def on(self, span: timedelta) -> datetime:
        self.time += span
        return self.time


def story(pk: str, taken_at: datetime = NOON, of: Profile = NATGEO, **more: Any) -> Story:
    plain = Story(
        pk, taken_at, "photo", of, media_url=f"https://scontent.cdninstagram.com/{pk}.jpg"
    )
    return replace(plain, **more)


DATED = story("3870828041672894129")
"""A story whose id contains its date, so that the story can be requested by id."""


PAYER = 700
"""The payer of the groups and channels that ``follow`` creates."""


async def follow(
    tx: Tx,
    chat_id: int,
    of: Profile = NATGEO,
    *,
    thread_id: int | None = None,
    options: Options | None = None,
    since: datetime = LONG_AGO,
    now: datetime = NOON,
) -> int:
    """Subscribe a chat to a profile, and create both if missing. Return the subscription's id."""
    kind = "private" if chat_id > 0 else "supergroup"
    chat = await chats.add_or_update(tx, chat_id, kind=kind, title="", now=now)
    if chat.payer is None:
        await chats.set_payer(tx, chat_id, PAYER)
    await chat_queues.add_if_missing(tx, chat_id, now=now)
    await snapshots.record_name_notify_and_return_previous(tx, of, now=now)
    added = await subscriptions.add(
        tx,
        Target(chat_id, thread_id),
        of.profile_id,
        preferences=Preferences(options or Options()),
        alerts_since=since,
        created_by=7,
        now=now,
    )
    await subscriptions.start_or_stop_checks(tx, profile_ids=[of.profile_id], now=now)
    await profiles.set_subscriber_count(
        tx, of.profile_id, await subscriptions.count_subscribers(tx, of.profile_id)
    )
    assert added is not None
    return added


async def look(
    tx: Tx, *found: Story, of: Profile = NATGEO, partial: bool = False, now: datetime = NOON
) -> list[str]:
    """Record a check, and create the deliveries for all subscribers. Return the new pks."""
    new = await snapshots.record_snapshot_and_enqueue_alerts(
        tx, snapshots.Snapshot(of, found, partial=partial), now=now
    )
    await spread(tx, now=now)
    return new


async def spread(tx: Tx, *, now: datetime = NOON, limit: int = 1_000) -> None:
    """Create the deliveries of all recorded checks."""
    latest = now + timedelta(days=3650)  # later than the time of every recorded check
    while await fan_outs.write_next_slice_if_due(tx, now=latest, limit=limit):
        pass


async def make_due(tx: Tx, profile_id: str, at: datetime) -> None:
    """Let the next check of a profile, if it has a subscription, be due at a time."""
    table = profiles.profiles
    mine = sa.and_(table.c.profile_id == profile_id, profiles.IS_CHECKED)
    await tx.execute(sa.update(table).where(mine).values(**RELEASED, due_at=at))


async def rows(db: Database, **where: Any) -> list[Any]:
    """Return all deliveries with these values, in order, after a complete fan-out."""
    table = deliveries
    matching = [table.c[name] == value for name, value in where.items()]
    async with db.begin() as tx:
        await spread(tx)
    async with db.read() as tx:
        statement = sa.select(table).where(*matching).order_by(table.c.id)
        return list(await tx.execute(statement))


async def claim(
    db: Database, *, now: datetime = NOON, limit: int = 10, lease: timedelta = MINUTE
) -> list[ChatQueue]:
    async with db.begin() as tx:
        return await chat_queues.claim_and_lock_due_deliveries(
            tx, lease_at(now, lease), limit=limit
        )
