"""Retention: what is forgotten in time."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from bot.domain import alert_rules
from bot.domain.records import REPLY
from bot.store.acquaintances import acquaintances
from bot.store.broadcasts import broadcasts
from bot.store.budgets import allowances, budget_days
from bot.store.chat_queues import queues
from bot.store.chats import chats
from bot.store.database import Tx
from bot.store.deliveries import deliveries, is_open
from bot.store.ended import ended
from bot.store.incidents import incidents
from bot.store.kept import kept
from bot.store.ledger import ledger_days, ledger_entries
from bot.store.profiles import profiles
from bot.store.samples import samples
from bot.store.stories import moments, stories
from bot.store.subscriptions import follows, subscriptions
from bot.store.usage import usage_days

_STORIES_KEPT = timedelta(hours=48)  # after they expired: no list of deleted stories is kept
# Longer than any story lives, so that the row still guards against a second alert; what is sent is
# counted by day as well (``bot.store.usage``).
_DELIVERIES_KEPT = timedelta(days=3)
_DEAD_LETTERS_KEPT = timedelta(days=30)
_CLOSED_CHATS_KEPT = timedelta(days=30)
_PROFILES_KEPT = timedelta(days=30)
_HISTORY_KEPT = timedelta(days=60)
_INCIDENTS_KEPT = timedelta(days=30)
_USAGE_KEPT = timedelta(days=366)
_ENTRIES_KEPT = timedelta(days=32)  # of the ledger: for a whole month, by person
_FOLLOWS_KEPT = timedelta(days=2)
_ENDED_KEPT = timedelta(days=1)  # as long as an unsubscribing can be undone


async def release_queues(tx: Tx, *, now: datetime) -> None:
    """End all leases: right where one process alone uses the database, at its start."""
    statement = sa.update(queues).where(queues.c.leased.is_(True))
    await tx.execute(statement.values(free_at=now, leased=False))
    # Answers that were on their way when the process ended.
    mine = sa.and_(is_open, deliveries.c.notice == REPLY, deliveries.c.due_at > now)
    owing = sa.select(deliveries.c.chat_id).where(mine).scalar_subquery()
    await tx.execute(sa.update(queues).where(queues.c.chat_id.in_(owing)).values(due_at=now))
    await tx.execute(sa.update(deliveries).where(mine).values(due_at=now))


@dataclass(frozen=True, slots=True)
class Overdue:
    """Rows of one table that have been kept long enough; those go first that are first ``by``."""

    table: sa.Table
    key: sa.Column[Any] | sa.Tuple
    condition: sa.ColumnElement[bool]
    by: sa.Column[Any] | None = None


def overdue(now: datetime) -> list[Overdue]:
    """Return what may be forgotten, in the order in which it must go.

    What hangs on a chat goes before the chat, so that no single delete is long.
    """
    closed = sa.and_(chats.c.state == "closed", chats.c.state_since < now - _CLOSED_CHATS_KEPT)
    of_closed = deliveries.c.chat_id.in_(sa.select(chats.c.id).where(closed))
    return [
        Overdue(
            deliveries,
            deliveries.c.id,
            sa.and_(
                deliveries.c.state != sa.literal_column("'open'"),
                deliveries.c.done_at < now - _DELIVERIES_KEPT,
                sa.or_(
                    deliveries.c.state != "parked", deliveries.c.done_at < now - _DEAD_LETTERS_KEPT
                ),
            ),
            # By its index: PostgreSQL read the whole table else, more of it for each slice.
            by=deliveries.c.done_at,
        ),
        Overdue(
            stories,
            stories.c.pk,
            sa.and_(
                stories.c.expires_at < now - _STORIES_KEPT,
                ~sa.exists().where(deliveries.c.story_pk == stories.c.pk, is_open),
            ),
        ),
        Overdue(moments, moments.c.at, moments.c.at < now - _HISTORY_KEPT),
        Overdue(kept, kept.c.taken_at, kept.c.taken_at < now - alert_rules.KEPT_FOR),
        Overdue(incidents, incidents.c.id, incidents.c.closed_at < now - _INCIDENTS_KEPT),
        Overdue(
            broadcasts,
            broadcasts.c.id,
            sa.and_(broadcasts.c.state != "running", broadcasts.c.made_at < now - _INCIDENTS_KEPT),
        ),
        Overdue(
            usage_days,
            sa.tuple_(*usage_days.primary_key.columns),
            usage_days.c.day < now.date() - _USAGE_KEPT,
        ),
        Overdue(
            ledger_entries,
            ledger_entries.c.id,
            ledger_entries.c.at < datetime.combine(now.date() - _ENTRIES_KEPT, time(), UTC),
            by=ledger_entries.c.at,
        ),
        Overdue(
            ledger_days,
            sa.tuple_(*ledger_days.primary_key.columns),
            ledger_days.c.day < now.date() - _USAGE_KEPT,
        ),
        Overdue(
            allowances,
            sa.tuple_(*allowances.primary_key.columns),
            allowances.c.day < now.date() - timedelta(days=1),
        ),
        Overdue(budget_days, budget_days.c.day, budget_days.c.day < now.date() - _USAGE_KEPT),
        Overdue(
            acquaintances,
            sa.tuple_(*acquaintances.primary_key.columns),
            acquaintances.c.last_day < now.date() - _USAGE_KEPT,
        ),
        Overdue(samples, samples.c.hour, samples.c.hour < now - _INCIDENTS_KEPT),
        Overdue(ended, ended.c.at, ended.c.at < now - _ENDED_KEPT),
        Overdue(follows, follows.c.id, follows.c.at < now - _FOLLOWS_KEPT),
        Overdue(deliveries, deliveries.c.id, of_closed),
        Overdue(chats, chats.c.id, closed),
        Overdue(
            profiles,
            profiles.c.profile_id,
            sa.and_(
                profiles.c.named_at < now - _PROFILES_KEPT,
                ~sa.exists().where(subscriptions.c.profile_id == profiles.c.profile_id),
            ),
        ),
    ]


async def forget(tx: Tx, what: Overdue, *, limit: int) -> int:
    """Delete up to ``limit`` rows of what is overdue; return how many went."""
    columns = what.key.clauses if isinstance(what.key, sa.Tuple) else (what.key,)
    first = sa.select(*columns).where(what.condition).order_by(what.by).limit(limit)
    # What is locked goes the next time.
    these = what.key.in_(first.with_for_update(skip_locked=True))
    return (await tx.execute(sa.delete(what.table).where(these))).rowcount
