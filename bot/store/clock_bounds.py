"""Times that a wrong clock has written, cut to what they may be by the clock of now.

A machine that was ahead leaves times in the future: checks and leases that end too late, alerts
that begin too late. What may be in the future (a summary's hour, quiet hours, a mute) is judged
anew; what can't be is cut to its longest wait.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa

from bot.domain.records import MISSED, REPLY
from bot.store import chat_queues, fan_outs
from bot.store.answers import cached_answers
from bot.store.chat_queues import queues
from bot.store.deliveries import deliveries, is_open
from bot.store.engine.database import Tx
from bot.store.engine.schema import Timestamp
from bot.store.inbox import inbox
from bot.store.key_values import key_values
from bot.store.leases import LEASE
from bot.store.mutes import mutes
from bot.store.profiles import profiles
from bot.store.stories import stories
from bot.store.subscriptions import subscriptions
from bot.store.topics import topics

_PAST = timedelta(0)
_LEASE = timedelta(minutes=2)  # the longest of all; each is renewed while its work goes on
_DAY = timedelta(days=1)
_GATHERED = timedelta(minutes=5)
_SHOWN_AGAIN = timedelta(minutes=1)
_AT_ONCE = 500  # chats of a statement
_MOST: tuple[tuple[sa.Column[datetime], timedelta], ...] = (
    (cached_answers.c.until, _SHOWN_AGAIN),
    (deliveries.c.created_at, _PAST),
    (fan_outs.fan_outs.c.due_at, _GATHERED),
    (fan_outs.fan_outs.c.turn_at, _PAST),
    (inbox.c.leased_until, _LEASE),
    (inbox.c.stored_at, _PAST),
    (mutes.c.probe_at, _DAY),
    (profiles.c.leased_until, _LEASE),
    (profiles.c.snapshot_at, _PAST),
    (profiles.c.checked_at, _PAST),
    (profiles.c.named_at, _PAST),
    (profiles.c.next_check_at, _DAY),
    (stories.c.seen_at, _PAST),
    (stories.c.shown_at, _PAST),
    (subscriptions.c.created_at, _PAST),
    (subscriptions.c.since, _PAST),
    (topics.c.claimed_until, _LEASE),
)
"""How far ahead of now each time may be."""


async def cut(tx: Tx, *, now: datetime) -> None:
    """Cut all times to their bounds."""
    await _check_sooner(tx, now)
    await _judge_anew(tx, now)
    lead, lead_until = key_values.c, now + LEASE
    await tx.execute(
        sa.update(key_values)
        .where(lead.owner.is_not(None), lead.until > lead_until)
        .values(until=lead_until)
    )
    for column, most in _MOST:
        await tx.execute(
            sa.update(column.table).where(column > now + most).values({column.name: now + most})
        )


async def _check_sooner(tx: Tx, now: datetime) -> None:
    """Check at once what was checked in the future."""
    await tx.execute(
        sa.update(profiles)
        .where(profiles.c.snapshot_at > now, profiles.c.next_check_at.is_not(None))
        .values(next_check_at=now)
    )


async def _judge_anew(tx: Tx, now: datetime) -> None:
    """Let what waits be looked at now: it is put off again where that is right."""
    missed = sa.and_(deliveries.c.notice == MISSED, deliveries.c.created_at > now)
    await tx.execute(sa.delete(deliveries).where(is_open, missed))
    leased_until = sa.case(  # a chat that Telegram told to wait is told so again
        (queues.c.leased, sa.literal(now + _LEASE, Timestamp)), else_=sa.literal(now, Timestamp)
    )
    late = queues.c.free_at > leased_until
    await tx.execute(sa.update(queues).where(late).values(free_at=leased_until))
    is_answer = sa.func.coalesce(deliveries.c.notice, "") == REPLY  # leased, not put off
    due_at = sa.case(
        (is_answer, sa.literal(now + _LEASE, Timestamp)), else_=sa.literal(now, Timestamp)
    )
    waits = sa.and_(is_open, deliveries.c.due_at > due_at)
    rows = await tx.execute(sa.select(deliveries.c.chat_id).where(waits).distinct())
    chats = sorted(rows.scalars())
    await tx.execute(sa.update(deliveries).where(waits).values(due_at=due_at))
    for first in range(0, len(chats), _AT_ONCE):
        await chat_queues.reschedule_all(tx, chats[first : first + _AT_ONCE])
