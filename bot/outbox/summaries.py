"""The daily summary of a chat or topic: a notice that counts the due stories by profile."""

from collections import Counter
from dataclasses import replace
from datetime import datetime

import structlog

from bot.domain import selection, summaries
from bot.domain.model import Target
from bot.domain.records import PLACE, SUMMARY, ChatQueue, Delivery
from bot.domain.selection import Batch
from bot.domain.summaries import Summary
from bot.outbox.private_notices import enqueue_public_or_private_failure_notice
from bot.store import deliveries, enqueue
from bot.store.engine.database import Tx

log = structlog.get_logger()


async def add_or_recount_summary(
    tx: Tx, queue: ChatQueue, batch: Batch, *, now: datetime
) -> ChatQueue:
    """Add the notice of a daily summary to a claimed queue. Return the queue with its due rows.

    Each counted story is marked, and is then sent silently. Expired stories may be ended. The
    stories of an unsent notice are counted again, and failure notices can replace the notice.
    After an error, the queue is returned unchanged.
    """
    stories = await deliveries.due_stories_of_topic(tx, batch.target, now=now)
    notice = batch.rows[0] if batch.rows[0].notice == SUMMARY else None
    listed: list[int] = []
    if notice is not None:
        listed = [row.id for row in stories if row.is_listed_in_summary and not row.copies]
        stories = [replace(row, fields={}) if row.id in listed else row for row in stories]
        await deliveries.clear_summary_places_of_dropped(tx, batch.target)
    try:
        summary = summaries.summary_of_due_stories(stories, queue, now=now)
    except Exception:  # An error of one chat must not delay other chats.
        log.exception("a chat's summary can't be planned", chat=queue.chat_id)
        return queue
    await deliveries.change_columns_of_open(tx, listed, fields={})
    if summary is not None:
        await _end_expired_and_mark_listed_stories(tx, summary, now)
        await _add_or_update_notice(tx, batch.target, notice, summary, now)
    elif notice is not None:
        await _replace_by_failure_notices(tx, notice, now)
    else:
        return queue
    return replace(queue, rows=await deliveries.lock_and_return_due(tx, [queue.chat_id], now=now))


async def _replace_by_failure_notices(tx: Tx, notice: Delivery, now: datetime) -> None:
    """Remove an unsent notice of a summary. Enqueue failure notices about the expired stories.

    The caller has claimed the chat queue in this transaction.
    """
    await deliveries.remove_reply_or_notice(tx, notice.id)
    for username, count in notice.fields["ended"].items():
        fields = {"username": username, "n": count, "why": selection.GONE}
        await enqueue_public_or_private_failure_notice(tx, notice.target, fields, now=now)


async def _add_or_update_notice(
    tx: Tx, target: Target, notice: Delivery | None, summary: Summary, now: datetime
) -> None:
    """Add the notice of a summary, or update ``notice``, an unsent notice of the summary.

    The field "ended" of the notice has the number of expired stories of each profile, also from
    earlier counts. The caller has claimed the chat queue in this transaction.
    """
    fields = summary.fields
    if notice is None:
        await enqueue.add_reply(tx, target, fields, notice=SUMMARY, due_at=now, now=now)
    else:
        fields["ended"] = Counter(fields["ended"]) + Counter(notice.fields["ended"])
        await deliveries.change_columns_of_open(tx, [notice.id], fields=fields)


async def _end_expired_and_mark_listed_stories(tx: Tx, summary: Summary, now: datetime) -> None:
    """End the expired stories of a summary. Mark the listed stories as listed and due now.

    The caller has claimed the chat queue in this transaction.
    """
    await deliveries.end_open(
        tx, [row.id for row in summary.ended], reason=selection.TOO_OLD, now=now
    )
    for place, rows in enumerate(summary.by_profile):
        ids, fields = [row.id for row in rows], {PLACE: place}
        # ``held`` is not changed, because a story that expires in quiet hours is still sent if
        # ``held`` shows that the quiet hours deferred the story.
        await deliveries.change_columns_of_open(tx, ids, fields=fields, due_at=now)
