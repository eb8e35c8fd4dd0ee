"""Retention: the times for which the rows of tables are kept."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.domain import alert_rules
from bot.domain.budget import midnight_of
from bot.runtime.claims import PROCESS
from bot.store import chat_queues
from bot.store import chats as chat_store
from bot.store.access import access_list
from bot.store.acquaintances import acquaintances
from bot.store.answers import cached_answers
from bot.store.broadcasts import broadcasts
from bot.store.budgets import allowances
from bot.store.chats import chats, is_blocked_sql
from bot.store.deliveries import deliveries, is_open
from bot.store.ended_subscriptions import ended
from bot.store.engine.database import Tx, delete_rows
from bot.store.file_ids import files
from bot.store.inbox import inbox
from bot.store.incidents import incidents
from bot.store.kept_stories import kept
from bot.store.key_values import key_values
from bot.store.ledger import ENTRIES_KEPT, ledger_entries
from bot.store.profiles import profiles
from bot.store.samples import samples
from bot.store.stories import moments, stories
from bot.store.subscriptions import subscriptions
from bot.store.usage import usage_days

# Stories are kept for this time after their expiry. The time is short, so that no long-term list
# of deleted stories exists.
_STORIES_KEPT = timedelta(hours=48)
# A delivery is kept longer than any story lives, because the row of the delivery prevents a
# second alert about the story. Sent stories are also counted by day (``bot.store.usage``).
_DELIVERIES_KEPT = timedelta(days=3)
_DEAD_LETTERS_KEPT = timedelta(days=30)
_CLOSED_CHATS_KEPT = timedelta(days=30)
# If a chat is unblocked with /unblock within this time, its subscriptions continue.
_BLOCKED_CHATS_KEPT = timedelta(days=365)
_PROFILES_KEPT = timedelta(days=30)
_HISTORY_KEPT = timedelta(days=60)
_INCIDENTS_KEPT = timedelta(days=30)
_USAGE_KEPT = timedelta(days=366)
# The entry of a person or chat that was refused is kept for this time. Afterwards, the person or
# chat gets the refusal message again.
_ASKED_KEPT = timedelta(days=30)
_UPDATES_KNOWN = timedelta(hours=25)  # Telegram repeats an update for 24 hours at most
# The lease of a dead process is kept for this time, so that another process can release the claims
# of the dead process.
_PROCESSES_KEPT = timedelta(hours=1)
_ENDED_KEPT = timedelta(days=1)  # *Undo* is possible for this time.


@dataclass(frozen=True, slots=True)
class Overdue:
    """The condition of the rows of a table that are past the retention period.

    The rows with the lowest value in the column ``by`` are deleted first. If ``by`` is None, the
    rows are deleted in any order.
    """

    table: sa.Table
    condition: sa.ColumnElement[bool]
    by: sa.Column[Any] | None = None


def conditions_of_overdue_rows(now: datetime) -> list[Overdue]:
    """Return the conditions of the overdue rows of tables, in the order of deletion.

    The deliveries of a closed chat are deleted before the chat, because the deletion of a chat
    with many deliveries would take too long.
    """
    last_year = now.date() - _USAGE_KEPT
    closed = sa.and_(
        chats.c.state == "closed",
        chats.c.state_since < now - _CLOSED_CHATS_KEPT,
        sa.or_(chats.c.state_since < now - _BLOCKED_CHATS_KEPT, ~is_blocked_sql(now)),
    )
    of_closed = deliveries.c.chat_id.in_(sa.select(chats.c.id).where(closed))
    is_old = sa.or_(
        deliveries.c.state != "parked", deliveries.c.done_at < now - _DEAD_LETTERS_KEPT
    )
    is_done = deliveries.c.state != sa.literal_column("'open'")
    is_unsent = sa.exists().where(deliveries.c.story_pk == stories.c.pk, is_open)
    is_followed = sa.exists().where(subscriptions.c.profile_id == profiles.c.profile_id)
    may_be_followed = sa.exists().where(ended.c.profile_id == profiles.c.profile_id)
    has_only_asked = sa.and_(
        access_list.c.is_allowed.is_(False),
        access_list.c.blocked_since.is_(None),
        access_list.c.allowance.is_(None),
        access_list.c.refused_at < now - _ASKED_KEPT,
    )
    is_needed_for_release = sa.and_(
        key_values.c.key.startswith(PROCESS), key_values.c.until >= now - _PROCESSES_KEPT
    )
    first_entry = midnight_of(now.date() - ENTRIES_KEPT)
    return [
        # The rows are deleted in the order of an index. Otherwise PostgreSQL would read the whole
        # table in each transaction.
        Overdue(
            deliveries,
            sa.and_(is_done, deliveries.c.done_at < now - _DELIVERIES_KEPT, is_old),
            by=deliveries.c.done_at,
        ),
        Overdue(stories, sa.and_(stories.c.expires_at < now - _STORIES_KEPT, ~is_unsent)),
        Overdue(moments, moments.c.at < now - _HISTORY_KEPT),
        Overdue(kept, kept.c.taken_at < now - alert_rules.KEPT_FOR),
        Overdue(incidents, incidents.c.closed_at < now - _INCIDENTS_KEPT),
        Overdue(
            broadcasts,
            sa.and_(broadcasts.c.state != "running", broadcasts.c.made_at < now - _INCIDENTS_KEPT),
        ),
        Overdue(usage_days, usage_days.c.day < last_year),
        Overdue(ledger_entries, ledger_entries.c.at < first_entry, by=ledger_entries.c.at),
        Overdue(allowances, allowances.c.day < now.date() - timedelta(days=1)),
        Overdue(acquaintances, acquaintances.c.last_day < last_year),
        Overdue(access_list, has_only_asked),
        Overdue(inbox, inbox.c.done_at < now - _UPDATES_KNOWN),
        Overdue(cached_answers, cached_answers.c.until <= now),
        Overdue(files, files.c.until <= now),
        Overdue(key_values, sa.and_(key_values.c.until < now, ~is_needed_for_release)),
        Overdue(samples, samples.c.hour < now - _INCIDENTS_KEPT),
        Overdue(ended, ended.c.at < now - _ENDED_KEPT),
        Overdue(deliveries, of_closed),
        Overdue(chats, closed, by=chats.c.id),
        Overdue(
            profiles,
            sa.and_(profiles.c.named_at < now - _PROFILES_KEPT, ~is_followed, ~may_be_followed),
        ),
    ]


async def delete_overdue(tx: Tx, overdue: Overdue, *, limit: int) -> int:
    """Delete up to ``limit`` overdue rows. Return the number of deleted rows.

    Dependent rows, which the database also deletes, are not counted.
    """
    keys = list(overdue.table.primary_key.columns)
    first = sa.select(*keys).where(overdue.condition).order_by(overdue.by).limit(limit)
    if overdue.table is chats:
        # The deletion of a chat also deletes its queue, so chats and queues are locked first, in
        # the order of locks.
        ids = list(await tx.scalars(first))
        await chat_store.lock(tx, ids)
        await chat_queues.lock_all(tx, ids)
        # The condition is checked again, because a chat may have been reopened before the lock.
        first = sa.select(*keys).where(chats.c.id.in_(ids), overdue.condition)
    # A row that another transaction has locked is skipped, and is deleted by the next clean-up.
    condition = sa.tuple_(*keys).in_(first.with_for_update(skip_locked=True))
    return await delete_rows(tx, overdue.table, condition)
