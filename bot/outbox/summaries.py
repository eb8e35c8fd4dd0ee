"""The daily summary of a chat or topic.

This module adds the notice of the summary, and marks the deliveries that the notice lists.
"""

from dataclasses import replace
from datetime import datetime

import structlog

from bot.domain import selection, summaries
from bot.domain.model import Target
from bot.domain.records import PLACE, SUMMARY, ChatQueue
from bot.store import deliveries, enqueue
from bot.store.engine.database import Tx

log = structlog.get_logger()


async def add_summary(tx: Tx, queue: ChatQueue, target: Target, *, now: datetime) -> ChatQueue:
    """Add the notice of a daily summary to a claimed queue. Return the queue with its due rows.

    The notice counts the due stories of ``target`` that can join the summary (``summaries.plan``),
    and lists at most 20 profiles with the number of stories. Each counted story is marked. Because
    of the mark, no second notice counts the story, and the story is sent silently. Stories that
    are too old to be sent are ended, except in a channel. If the stories need no list, or the
    summary can't be planned because of an error, nothing is changed and the queue is returned
    unchanged.
    """
    stories = await deliveries.due_stories(tx, target, now=now)
    try:
        summary = summaries.plan(stories, queue, now=now)
    except Exception:  # An error of one chat must not delay other chats.
        log.exception("a chat's summary can't be planned", chat=queue.chat_id)
        summary = None
    if summary is None:
        return queue
    await deliveries.end_open(
        tx, [row.id for row in summary.ended], reason=selection.TOO_OLD, now=now
    )
    for place, rows in enumerate(summary.by_profile):
        ids, fields = [row.id for row in rows], {PLACE: place}
        # ``held`` stays unchanged, because ``held`` shows whether quiet hours deferred the story.
        # If a story expired in quiet hours, the story is sent only if the quiet hours deferred the
        # story.
        await deliveries.change(tx, ids, fields=fields, due_at=now)
    await enqueue.add_reply(tx, target, summary.fields, notice=SUMMARY, due_at=now, now=now)
    return replace(queue, rows=await deliveries.lock_and_return_due(tx, [queue.chat_id], now=now))
