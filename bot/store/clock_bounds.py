"""Times that a wrong clock has written, cut to what they may be by the clock of now.

A machine that was ahead leaves times in the future: checks and leases that end too late, alerts
that begin too late, stories that were taken for expired. What may be in the future (a summary's
hour, quiet hours, a mute) is judged anew; what can't be is cut to its longest wait. Paid calls
keep their times, and count for the day it is.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.domain.alert_rules import STANDSTILL
from bot.domain.budget import DAY, midnight_after
from bot.domain.model import STORY_LIFE
from bot.domain.records import MISSED
from bot.domain.selection import TOO_OLD
from bot.store import budgets, chat_queues, fan_outs
from bot.store.answers import cached_answers
from bot.store.chat_queues import queues
from bot.store.deliveries import deliveries, is_open
from bot.store.engine.database import Tx
from bot.store.engine.schema import Timestamp
from bot.store.inbox import inbox
from bot.store.key_values import key_values
from bot.store.leases import LEASE
from bot.store.ledger import IS_OPEN, ledger_entries
from bot.store.mutes import mutes
from bot.store.profiles import profiles
from bot.store.stories import stories
from bot.store.subscriptions import subscriptions
from bot.store.topics import topics

_PAST = timedelta(0)
_CLOSE = timedelta(seconds=5)  # clocks of replicas differ by less, and locks keep us for less
_LEASE = timedelta(minutes=2)  # the longest of all; each is renewed while its work goes on
_FAILED_CHECK = timedelta(minutes=30)
_GATHERED = timedelta(minutes=5)
_SHOWN_AGAIN = timedelta(minutes=1)
_REPEATED = timedelta(minutes=18)  # the longest wait of a third copy
_AT_ONCE = 500  # chats of a statement
_MOST: tuple[tuple[sa.Column[datetime], timedelta], ...] = (
    (cached_answers.c.until, _SHOWN_AGAIN),
    (deliveries.c.created_at, _PAST),
    (fan_outs.fan_outs.c.due_at, _GATHERED),
    (fan_outs.fan_outs.c.turn_at, _PAST),
    (inbox.c.leased_until, _LEASE),
    (inbox.c.stored_at, _PAST),
    (mutes.c.probe_at, DAY),
    (profiles.c.leased_until, _LEASE),
    (profiles.c.snapshot_at, _PAST),
    (profiles.c.named_at, _PAST),
    (profiles.c.next_check_at, DAY),
    (stories.c.seen_at, _PAST),
    (stories.c.shown_at, _PAST),
    (subscriptions.c.created_at, _PAST),
    (topics.c.claimed_until, _LEASE),
)
"""How far ahead of now each time may be."""


async def cut_future_times(tx: Tx, *, now: datetime) -> None:
    """Cut all times to their bounds, and owe what lives and was taken for seen or expired."""
    await _begin_subscriptions_earlier(tx, now)
    await _check_sooner(tx, now)
    await _owe_live_stories(tx, now)
    await _make_due_again(tx, now)
    lead, lead_until = key_values.c, now + LEASE
    await tx.execute(
        sa.update(key_values)
        .where(lead.owner.is_not(None), lead.until > lead_until)
        .values(until=lead_until)
    )
    await _count_for_today(tx, now)
    for column, most in _MOST:
        late = column > now + most + _CLOSE
        await tx.execute(sa.update(column.table).where(late).values({column.name: now + most}))


async def _count_for_today(tx: Tx, now: datetime) -> None:
    """Let what was paid of a day to come count for today, and leave that day whole.

    The entries keep their times: where this clock is the wrong one, they count when it is right.
    """
    ahead = now + _CLOSE  # seconds before midnight a replica may have begun the next day
    reserved = sa.update(ledger_entries).where(IS_OPEN, ledger_entries.c.at > ahead)
    # Its refund is of today, and of no allowance of a day to come, which goes. The account holds
    # it already, so its time is after those of which the sum is added.
    is_to_come = ledger_entries.c.at >= midnight_after(ahead)
    scopes = sa.case((is_to_come, ""), else_=ledger_entries.c.scopes)
    await tx.execute(reserved.values(at=ahead + timedelta(milliseconds=1), scopes=scopes))
    to_come = budgets.allowances.c.day > ahead.date()
    await tx.execute(sa.delete(budgets.allowances).where(to_come))
    await budgets.return_to_day(tx, ahead)


async def _begin_subscriptions_earlier(tx: Tx, now: datetime) -> None:
    """Let alerts that would begin in the future begin after the newest story seen by then."""
    newest = sa.select(sa.func.max(stories.c.taken_at, type_=Timestamp)).where(
        stories.c.profile_id == subscriptions.c.profile_id,
        sa.or_(
            stories.c.seen_at <= subscriptions.c.created_at,
            stories.c.seen_at <= subscriptions.c.since,
        ),
    )
    after = sa.type_coerce(newest.scalar_subquery(), sa.BigInteger) + 1
    since = sa.func.coalesce(after, sa.literal(now - STORY_LIFE, Timestamp))
    await tx.execute(
        sa.update(subscriptions)
        .where(subscriptions.c.since > now + _CLOSE)
        .values(since=sa.type_coerce(since, Timestamp))
    )
    await tx.execute(sa.update(subscriptions).where(subscriptions.c.since > now).values(since=now))


async def _check_sooner(tx: Tx, now: datetime) -> None:
    """Check at once what was checked in the future; doubt what was "public" then."""
    ahead = now + _CLOSE
    await tx.execute(
        sa.update(profiles)
        .where(profiles.c.snapshot_at > ahead, profiles.c.next_check_at.is_not(None))
        .values(next_check_at=now)
    )
    await tx.execute(
        sa.update(profiles).where(profiles.c.checked_at > ahead).values(checked_at=None)
    )
    is_late = profiles.c.next_check_at > now + _FAILED_CHECK
    has_failed = sa.and_(profiles.c.failures > 0, profiles.c.state == "active")
    await tx.execute(
        sa.update(profiles).where(has_failed, is_late).values(next_check_at=now + _FAILED_CHECK)
    )


async def _owe_live_stories(tx: Tx, now: datetime) -> None:
    """Owe what was seen in the future and lives; nobody gets a story twice."""
    seen = (
        sa.select(stories.c.profile_id, stories.c.pk)
        .where(stories.c.seen_at > now + _CLOSE, stories.c.expires_at > now)
        .order_by(stories.c.profile_id, stories.c.taken_at, stories.c.pk)
    )
    by_profile: dict[str, list[str]] = {}
    for profile_id, pk in await tx.execute(seen):
        by_profile.setdefault(profile_id, []).append(pk)
    for profile_id, pks in by_profile.items():
        await fan_outs.add(tx, profile_id, story_pks=pks, due_at=now, now=now)
    alive = sa.select(stories.c.pk).where(stories.c.expires_at > now)
    await tx.execute(
        sa.update(deliveries)
        .where(
            deliveries.c.state == "dropped",
            deliveries.c.reason == TOO_OLD,
            deliveries.c.subscription_id.is_not(None),  # else it has ended
            deliveries.c.story_pk.in_(alive),
        )
        .values(state="open", reason="", held="", done_at=None, due_at=now + DAY)
    )


async def _make_due_again(tx: Tx, now: datetime) -> None:
    """Let what waits be looked at now: it is put off again where that is right."""
    missed = sa.and_(deliveries.c.notice == MISSED, deliveries.c.created_at > now + _CLOSE)
    await tx.execute(sa.delete(deliveries).where(is_open, missed))
    free_at = sa.case(  # a chat that Telegram told to wait is told so again
        (queues.c.leased, sa.literal(now + _LEASE, Timestamp)),
        else_=sa.literal(now + STANDSTILL, Timestamp),
    )
    late = queues.c.free_at > free_at
    await tx.execute(sa.update(queues).where(late).values(free_at=free_at))
    due_at = sa.case(  # what may be in its chat, or crash the bot, waits for its time
        (deliveries.c.copies + deliveries.c.claims > 0, sa.literal(now + _REPEATED, Timestamp)),
        else_=sa.literal(now, Timestamp),
    )
    waits = sa.and_(is_open, deliveries.c.due_at > due_at)
    rows = await tx.execute(sa.select(deliveries.c.chat_id).where(waits).distinct())
    chats = sorted(rows.scalars())
    await tx.execute(sa.update(deliveries).where(waits).values(due_at=due_at))
    for first in range(0, len(chats), _AT_ONCE):
        await chat_queues.reschedule_all(tx, chats[first : first + _AT_ONCE])
