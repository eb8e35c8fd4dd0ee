"""Recording the outcome of a send for each row. The same transaction frees the chat queue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import assert_never

from bot.domain import alert_rules, selection
from bot.domain.budget import DAY
from bot.domain.errors import MEDIA_GONE
from bot.domain.model import (
    Moved,
    Muted,
    Outcome,
    PermanentFailure,
    Removed,
    Sent,
    SentItem,
    Target,
    TryLater,
)
from bot.domain.records import (
    MAIN,
    REPLY,
    SUMMARY,
    WHOLE,
    ChatQueue,
    Delivery,
    Held,
    PendingMessage,
    QueueClaim,
)
from bot.domain.selection import Batch
from bot.domain.sentences import N_
from bot.outbox.private_notices import (
    enqueue_public_or_private_failure_notice,
    notify_adders_that_bot_posts_are_removed,
)
from bot.presentation import notices
from bot.presentation.translation import translator_for
from bot.sending.replies import Payload, is_sent_as_file, text_payload
from bot.store import (
    chat_queues,
    chats,
    deliveries,
    enqueue,
    kept_stories,
    moves,
    mutes,
    usage,
)
from bot.store.chat_queues import HasDueTime
from bot.store.claims import WasValid
from bot.store.engine.database import Tx
from bot.telegram.limit_state import ChatFloods

ChatFreeAt = datetime
"""The time at which the queue of a chat is released for the next send."""

NOT_CONFIRMED = N_("Telegram never answered, so what I tried to send may be here after all.")
_REPLY_NOT_CONFIRMED = N_(
    "I tried to answer three times, but Telegram never confirmed it. If my answer isn't here, "
    "please ask again."
)


@dataclass(slots=True)
class Tally:
    """The results of recording the outcome of a send."""

    unknown: int = 0
    """The number of rows that may have arrived without a confirmation."""
    dead_letters: int = 0
    """The number of rows that became dead letters."""
    rests_until: datetime | None = None
    """The time before which this process must claim no queue, or None."""
    is_due: bool = field(default=False, compare=False)
    """True only if the queue was released, and the open chat has unsent deliveries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendReport:
    """The outcome of a send, and the facts that decide how the outcome is recorded."""

    outcome: Outcome
    is_counted: bool
    """Whether the number of copies of each row includes the send."""
    in_outage: bool
    """Whether the send failed because of an outage of Telegram or the database."""
    answers_again: bool
    """Whether Telegram answers in the chat again."""
    now: datetime
    """The time at which the outcome is recorded."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A batch of deliveries, and the items that have arrived."""

    queue: ChatQueue
    batch: Batch
    items: tuple[SentItem, ...]

    @property
    def message_ids(self) -> dict[int, int]:
        """Return the message id of each row that has arrived, by row id.

        If the batch consists of notices, all rows have the same message id.
        """
        if self.batch.album is None:
            return {row.id: self.items[0].message_id for row in self.batch.rows if self.items}
        by_pk = {item.pk: item.message_id for item in self.items}
        return {row.id: by_pk[row.story_pk] for row in self.batch.rows if row.story_pk in by_pk}

    def moved_to(self, chat_id: int) -> "Arrived":
        """Return a copy for the chat ``chat_id``, which is the new id of the chat after a move."""
        rows = tuple(
            replace(row, target=replace(row.target, chat_id=chat_id)) for row in self.batch.rows
        )
        target = replace(self.batch.target, chat_id=chat_id)
        return replace(
            self,
            queue=replace(self.queue, chat=replace(self.queue.chat, id=chat_id)),
            batch=replace(self.batch, target=target, rows=rows),
        )


async def record_whole_sends_and_release_queues(
    tx: Tx, sends: Sequence[Arrived], *, floods: ChatFloods | None = None, now: datetime
) -> None:
    """Record sends of which all rows have arrived, and release the queues with a valid claim.

    If a chat moved, the rows and the claim of the new chat are changed. Planned retries in the
    released queues may become due earlier.
    """
    tokens = await chat_queues.lock_all(tx, [send.queue.chat_id for send in sends])
    if not all(tokens.get(send.queue.chat_id) == send.queue.token for send in sends):
        sends = [await _with_current_chat_id(tx, send) for send in sends]
        tokens = await chat_queues.lock_all(tx, [send.queue.chat_id for send in sends])
    await _record_arrived(tx, sends, now)
    own_queues = [
        send.queue for send in sends if tokens.get(send.queue.chat_id) == send.queue.token
    ]
    due = await chat_queues.reschedule_all(
        tx, [queue.chat_id for queue in own_queues], unclaimed_until=now
    )
    kinds = {send.queue.chat_id: send.batch.album is not None for send in sends}
    await make_retries_due_earlier_after_success(
        tx, {chat_id: kinds[chat_id] for chat_id in due}, now
    )
    await store_flood_limits(tx, own_queues, floods)


async def store_flood_limits(
    tx: Tx, queues: Sequence[QueueClaim], floods: ChatFloods | None
) -> None:
    """Store the flood limits of chats for the next process that claims the queues.

    Without ``floods``, store nothing.
    """
    if floods and queues:
        states = {queue.chat_id: floods.state_of(queue.chat_id) for queue in queues}
        await chat_queues.store_flood_limit_states(tx, states)


async def record_alert_outcome(
    tx: Tx,
    queue: ChatQueue,
    batch: Batch,
    report: SendReport,
    *,
    floods: ChatFloods | None = None,
) -> Tally:
    """Record the outcome of a batch of alerts. Return the results of the recording.

    If the chat moved, the rows and the claim of the new chat are changed. If the claim of the
    queue is lost otherwise, only the rows that have arrived are recorded.
    """
    tally = Tally()
    outcome, now = report.outcome, report.now
    is_ours = await lock_and_check_claim(tx, queue, outcome)
    arrived = Arrived(queue, batch, outcome.items)
    if not (is_ours or isinstance(outcome, Moved)):
        arrived = await _with_current_chat_id(tx, arrived)
        queue, batch = arrived.queue, arrived.batch
        is_ours = await lock_and_check_claim(tx, queue, outcome)
    chat_id = queue.chat_id
    await _record_arrived(tx, [arrived], now)
    rest = [row for row in batch.rows if row.id not in arrived.message_ids]
    if not is_ours:
        if isinstance(outcome, Moved):
            await deliveries.record_unsent(tx, _ids(rest), is_copy_counted=report.is_counted)
            tally.is_due = await end_moved_claim_and_reschedule(tx, queue, outcome, now=now)
        return tally
    if report.answers_again:
        await deliveries.make_deferred_due(tx, chat_id, Held.UNTOLD, now=now)
    free_at = await _record_unsent_rows(tx, batch, rest, report, tally)
    tally.is_due = await chat_queues.reschedule(tx, chat_id, unclaimed_until=free_at)
    if isinstance(outcome, Sent):
        await make_retries_due_earlier_after_success(tx, {chat_id: batch.album is not None}, now)
    await store_flood_limits(tx, [queue], floods)
    if isinstance(outcome, Moved):
        await moves.move_chat(tx, chat_id, outcome.chat_id, now=now)
    return tally


async def _with_current_chat_id(tx: Tx, send: Arrived) -> Arrived:
    """Return the batch and its items. If the chat has moved, the result has the new chat id."""
    new = await chats.new_id_if_moved(tx, send.queue.chat_id)
    return send if new is None else send.moved_to(new)


async def lock_and_check_claim(tx: Tx, queue: QueueClaim, outcome: Outcome) -> WasValid:
    """Lock the queue, and each chat that the outcome changes. Return whether the claim is valid.

    The claim is valid until the queue is released or claimed again, even after the end of the
    lease.
    """
    match outcome:  # A chat that the outcome changes must be locked before its queue.
        case Moved():
            both = [queue.chat_id, outcome.chat_id]
            await chats.lock(tx, both)
            # If the chat was already moved in the database, its rows are in the queue of the new
            # chat. For this reason, both queues are locked.
            return (await chat_queues.lock_all(tx, both)).get(queue.chat_id) == queue.token
        case PermanentFailure(scope="chat" | "thread"):
            await chats.lock(tx, [queue.chat_id])
        case _:
            pass
    return await chat_queues.lock(tx, queue.chat_id) == queue.token


async def end_moved_claim_and_reschedule(
    tx: Tx, queue: QueueClaim, outcome: Moved, *, now: datetime
) -> HasDueTime:
    """End the claim of a queue whose chat was moved to ``outcome.chat_id`` during the send.

    Return True if the claim was still valid, and the chat is open and has unsent deliveries.
    """
    if await chat_queues.lock(tx, outcome.chat_id) != queue.token:
        return False
    return await chat_queues.reschedule(tx, outcome.chat_id, unclaimed_until=now)


async def make_retries_due_earlier_after_success(
    tx: Tx, was_media_by_chat: Mapping[int, bool], now: datetime
) -> None:
    """Make planned retries due earlier in chats that have just received a message.

    ``was_media_by_chat`` maps chat ids to True for a message with media, and to False for a text.
    The caller must have locked the queues of the chats.
    """
    if not was_media_by_chat:
        return
    advanced = set()
    for row in await deliveries.open_retries_due_after(tx, was_media_by_chat, now):
        is_reply = row.notice == REPLY
        is_row_media = is_sent_as_file(row.fields) if is_reply else row.notice is None
        due_at = alert_rules.retry_after_success_at(
            now,
            row.due_at,
            copies=row.copies,
            attempts=row.attempts,
            is_reply=is_reply,
            is_same_kind=is_row_media == was_media_by_chat[row.chat_id],
            delivery_id=row.id,
        )
        if due_at < row.due_at:
            await deliveries.change_columns_of_open(tx, [row.id], due_at=due_at)
            advanced.add(row.chat_id)
    await chat_queues.reschedule_all(tx, advanced)


async def record_unfinished_reply(
    tx: Tx, reply: PendingMessage, report: SendReport, tally: Tally
) -> ChatFreeAt:
    """Record a reply that must be sent again. Return when the chat's queue is released.

    After ``MAX_COPIES`` sends that may have arrived, the reply becomes a dead letter instead. The
    results are added to ``tally``. The caller has locked the queue, and reschedules the queue.
    """
    outcome, now = report.outcome, report.now
    if isinstance(outcome, TryLater):
        is_repeat = reply.copies > 0
        return await _record_try_later(tx, [reply], outcome, report, tally, is_repeat=is_repeat)
    await _make_unsent_rows_due_now(tx, [reply], report)
    if isinstance(outcome, PermanentFailure):
        tally.rests_until = now + alert_rules.BOT_RESTS
    return now


async def _record_unsent_rows(
    tx: Tx, batch: Batch, rest: list[Delivery], report: SendReport, tally: Tally
) -> ChatFreeAt:
    """Record the outcome of those rows of a batch whose arrival is not confirmed (``rest``).

    Add the results to ``tally``. Return the time at which the chat's queue is released. The caller
    has locked the queue, and reschedules the queue.
    """
    outcome, now = report.outcome, report.now
    failed = outcome.failed if isinstance(outcome, Sent | TryLater | Muted) else {}
    await _end_rows_and_enqueue_notices(
        tx, [row for row in rest if row.story_pk in failed], failed, now
    )
    rest = [row for row in rest if row.story_pk not in failed]
    match outcome:
        case Sent():
            return await schedule_repeats_or_make_dead_letters(tx, rest, tally, now)
        case TryLater():
            is_repeat = batch.is_repeat
            return await _record_try_later(tx, rest, outcome, report, tally, is_repeat=is_repeat)
        case Moved():
            await _make_unsent_rows_due_now(tx, rest, report)
        case Removed():
            await _end_removed_and_mute_if_repeated(tx, batch, rest, now)
        case Muted():
            await _requeue_and_record_missing_right(tx, batch, rest, outcome, report)
        case PermanentFailure():
            await _retry_or_requeue_refused_rows(tx, rest, outcome, report, tally)
        case _:
            assert_never(outcome)
    return now


async def _record_arrived(tx: Tx, sends: Sequence[Arrived], now: datetime) -> None:
    """Record the rows that have arrived, and count their stories once in the usage of the chats.

    Rows of a chat that was erased during the send are ignored.
    """
    recorded = await deliveries.sent_among(
        tx, [number for send in sends for number in send.message_ids]
    )
    stored = await chats.get_all(tx, [send.queue.chat_id for send in sends])
    stored_ids = {chat.id for chat in stored}
    messages: dict[int, int] = {}
    uses = []
    for send in sends:
        if send.queue.chat_id not in stored_ids or not send.message_ids:
            continue
        messages |= send.message_ids
        await _end_mute_after_removals(tx, send)
        if send.batch.album is not None:
            new = send.message_ids.keys() - recorded
            uses.append((send.queue.chat_id, usage.Use(items=len(new))))
    await deliveries.record_sent(tx, messages, now=now)
    arrived = [row for send in sends for row in send.batch.rows if row.id in messages]
    await kept_stories.add(tx, [row for row in arrived if row.options.keep])
    await usage.add(tx, uses, day=now.date())


async def _end_mute_after_removals(tx: Tx, send: Arrived) -> None:
    """End the mute of a topic if the mute began because another bot deleted messages.

    The other bot has not deleted the message that was just sent, so alerts can be sent again.
    """
    thread_id = send.batch.target.thread_id or MAIN
    for mute in send.queue.mutes:
        if mute.missing == "peace" and mute.thread_id == thread_id:
            await mutes.unmute(tx, send.queue.chat_id, mute.thread_id)


async def _record_try_later(
    tx: Tx,
    rest: Sequence[PendingMessage],
    outcome: TryLater,
    report: SendReport,
    tally: Tally,
    *,
    is_repeat: bool,
) -> ChatFreeAt:
    """Record the rows that must be sent again. Return when the chat's queue is released.

    The outcome and the report decide when the rows are due again. After too many copies, a row
    becomes a dead letter. The results are added to ``tally``. The caller has locked the queue.
    """
    now = report.now
    may_be_there = report.is_counted and (outcome.unknown or outcome.partly)
    if report.in_outage and not (outcome.unknown and is_repeat):
        is_taken_back = report.is_counted and not may_be_there
        await deliveries.record_unsent(tx, _ids(rest), is_copy_counted=is_taken_back)
        await _mark_to_be_sent_alone_if_flooded(tx, rest, outcome)
        return now
    if may_be_there:
        free_at = await schedule_repeats_or_make_dead_letters(tx, rest, tally, now)
        await _mark_to_be_sent_alone_if_flooded(tx, rest, outcome)
        return max(free_at, now + (outcome.after or timedelta(0)))
    if outcome.after is not None:
        await _make_unsent_rows_due_now(tx, rest, report)
        return now + outcome.after
    if outcome.upload_age is not None:
        due_at = alert_rules.after_upload_at(now, outcome.upload_age)
        await deliveries.record_unsent(
            tx, _ids(rest), is_copy_counted=report.is_counted, due_at=due_at
        )
        return now
    held = Held.RETRY if outcome.down or outcome.chat_refuses else Held.NOTHING
    return await _schedule_retries(tx, rest, report, held=held)


async def _mark_to_be_sent_alone_if_flooded(
    tx: Tx, rows: Sequence[PendingMessage], outcome: TryLater
) -> None:
    """Record that rows must be sent alone, if the rows may have arrived despite a 429 response.

    After any other outcome, record nothing.
    """
    if outcome.after is not None and outcome.unknown:
        await deliveries.mark_to_be_sent_alone(tx, _ids(rows))


async def _schedule_retries(
    tx: Tx,
    rows: Sequence[PendingMessage],
    report: SendReport,
    *,
    held: Held = Held.NOTHING,
) -> ChatFreeAt:
    """Schedule a separate retry of each row. Return when the chat's queue is released.

    The rows have certainly not arrived. If a row must not be overtaken, the queue waits up to 15
    seconds for the retry of the row. The caller has locked the queue.
    """
    free_at = now = report.now
    for row in rows:
        due_at = alert_rules.retry_at(now, row.attempts + 1, is_repeat=row.copies > 0)
        await deliveries.record_unsent(
            tx,
            [row.id],
            is_copy_counted=report.is_counted,
            is_failed_attempt=True,
            due_at=due_at,
            held=held,
        )
        if _must_not_be_overtaken(row) and due_at <= now + alert_rules.REPLY_STANDSTILL:
            free_at = due_at
    return free_at


def _must_not_be_overtaken(row: PendingMessage) -> bool:
    """Return whether a row, a reply or a daily summary, must arrive before later messages."""
    return row.notice in {REPLY, SUMMARY}


async def _end_removed_and_mute_if_repeated(
    tx: Tx, batch: Batch, rest: Sequence[Delivery], now: datetime
) -> None:
    """End the unsent rows ``rest`` after another bot immediately deleted a message of their send.

    After three consecutive sends with such a deletion, the alerts of the topic pause for a day.
    The caller has locked the chat queue.
    """
    if not rest:
        return
    await deliveries.end_open(tx, _ids(rest), reason=selection.REMOVED, now=now)
    chat_id, thread_id = batch.target.chat_id, batch.target.thread_id or MAIN
    if await mutes.record_missing_right(tx, chat_id, thread_id, "peace", now=now):
        await notify_adders_that_bot_posts_are_removed(tx, chat_id, now=now)


async def _make_unsent_rows_due_now(
    tx: Tx, rows: Sequence[PendingMessage], report: SendReport
) -> None:
    """Make rows due now. The rows were part of a send, but have certainly not arrived.

    If the send was counted, subtract 1 from the number of copies of each row. The caller has
    locked the chat queue.
    """
    await deliveries.record_unsent(
        tx, _ids(rows), is_copy_counted=report.is_counted, due_at=report.now
    )


async def schedule_repeats_or_make_dead_letters(
    tx: Tx, rows: Sequence[PendingMessage], tally: Tally, now: datetime, *, new_copies: int = 1
) -> ChatFreeAt:
    """Schedule the repeats of rows that may have arrived. Return when the queue is released.

    A row with ``MAX_COPIES`` copies becomes a dead letter instead. ``new_copies`` is the number of
    copies that were counted after the rows were read. The results are added to ``tally``. The
    caller has locked the queue.
    """
    free_at = now
    tally.unknown += len(rows)
    over = []
    for row in rows:
        copies = row.copies + new_copies
        if copies >= alert_rules.MAX_COPIES:
            over.append(row)
            continue
        due_at = alert_rules.repeat_at(now, copies, is_reply=row.is_reply, delivery_id=row.id)
        await deliveries.record_unknown_outcome(tx, row.id, due_at=due_at)
        if copies == 1:
            free_at = max(
                free_at, now + alert_rules.pause_after_lost_response(is_reply=row.is_reply)
            )
    tally.dead_letters += len(over)
    await _make_dead_letters_and_enqueue_notices(tx, over, now)
    return free_at


async def _make_dead_letters_and_enqueue_notices(
    tx: Tx, rows: Sequence[PendingMessage], now: datetime
) -> None:
    """Turn rows into dead letters, and enqueue notices about the unconfirmed messages.

    A notice is usually due as soon as Telegram answers in the chat again, and after ``UNTOLD_FOR``
    at the latest. The caller has locked the chat queue.
    """
    await deliveries.end_open(tx, _ids(rows), state="parked", reason=selection.NO_ANSWERS, now=now)
    lost: dict[tuple[Target, str, bool], int] = {}
    due_at = now + alert_rules.UNTOLD_FOR
    for row in rows:
        if isinstance(row, Delivery) and row.story:
            key = (row.target, row.username, row.is_silent)
            lost[key] = lost.get(key, 0) + 1
        elif row.is_reply and (word := _unconfirmed_reply_notice(row.fields)):
            await enqueue.add_reply(tx, row.target, word, now=now, due_at=due_at, held=Held.UNTOLD)
    for (target, username, silent), count in lost.items():
        fields = {"username": username, "n": count, "why": NOT_CONFIRMED, "silent": silent}
        await enqueue_public_or_private_failure_notice(
            tx, target, fields, now=now, due_at=due_at, held=Held.UNTOLD
        )


def _unconfirmed_reply_notice(payload: Payload) -> Payload | None:
    """Return the notice about a reply that Telegram has not confirmed.

    If the reply is itself such a notice, return None.
    """
    if payload.get("is_last_word"):
        return None
    language = payload.get("language")
    text = translator_for(language)(_REPLY_NOT_CONFIRMED)
    return {**text_payload(text), "language": language, "is_last_word": True}


async def _requeue_and_record_missing_right(
    tx: Tx,
    batch: Batch,
    rest: Sequence[Delivery],
    outcome: Muted,
    report: SendReport,
) -> None:
    """Return rows to the queue, and record the right that the bot lacks in the chat or topic.

    If the record changes, and the bot may still send texts, enqueue a notice about the missing
    right. If the chat also refuses this notice, end the notice. The caller has locked the queue.
    """
    if not rest:
        return
    now = report.now
    await _make_unsent_rows_due_now(tx, rest, report)
    # Photos and videos can still be sent without the right to send documents. A story that must be
    # a document only because of its size is retried hourly.
    if outcome.missing == "documents":
        for row in rest:
            due_at = now if row.options.files else alert_rules.recheck_right_at(now, 1)
            await deliveries.change_columns_of_open(tx, [row.id], due_at=due_at, held=Held.MUTED)
    target = batch.target
    thread_id = WHOLE if outcome.scope == "chat" else target.thread_id or MAIN
    must_notify = await mutes.record_missing_right(
        tx, target.chat_id, thread_id, outcome.missing, now=now
    )
    if outcome.missing in notices.MISSING_MEDIA:
        if must_notify:
            fields = {"missing": outcome.missing}
            await enqueue.add_notice(tx, target, notices.MUTED, fields, now=now)
    # The chat refuses even the notice about the missing right, so the notice ends.
    elif batch.rows[0].notice == notices.MUTED:
        await deliveries.end_open(tx, _ids(rest), reason=outcome.missing, now=now)


async def _retry_or_requeue_refused_rows(
    tx: Tx,
    rest: Sequence[Delivery],
    outcome: PermanentFailure,
    report: SendReport,
    tally: Tally,
) -> None:
    """Schedule a retry of rows that Telegram refused, or return the rows to the queue.

    Alerts of a refused topic move to the chat itself. A refused chat is closed. If the whole bot
    is refused, the claims pause. The caller has called ``lock_and_check_claim``, and reschedules
    the queue.
    """
    if not rest:
        return
    now, target = report.now, rest[0].target
    if outcome.scope == "item" or (outcome.scope == "thread" and target.thread_id is None):
        # The rows are retried, because the chat and not the content may be the cause of the
        # refusal. Notices are retried for at most a day.
        old = [row for row in rest if row.notice and row.created_at <= now - DAY]
        await deliveries.end_open(tx, _ids(old), reason=outcome.reason, now=now)
        await _schedule_retries(tx, [row for row in rest if row not in old], report)
        return
    await _make_unsent_rows_due_now(tx, rest, report)
    match outcome.scope:
        case "thread" if target.thread_id is not None:
            await moves.move_topic_to_main_chat_and_notify(
                tx, target.chat_id, target.thread_id, now=now
            )
        case "chat":
            await moves.close_left_chat(tx, target.chat_id, now=now)
        case "bot":
            tally.rests_until = now + alert_rules.BOT_RESTS
        case _:
            pass


async def _end_rows_and_enqueue_notices(
    tx: Tx, rows: Sequence[Delivery], why: dict[str, str], now: datetime
) -> None:
    """End the rows of stories that can't be sent. Enqueue a failure notice for each reason.

    ``why`` maps story ids to reasons. The caller has locked the chat queue.
    """
    by_reason: dict[str, list[Delivery]] = {}
    for row in rows:
        reason = why.get(row.story_pk or "", MEDIA_GONE)
        await deliveries.end_open(tx, [row.id], reason=reason, now=now)
        if row.story:
            by_reason.setdefault(reason, []).append(row)
    for reason, failed in by_reason.items():
        first = failed[0]
        fields = {
            "username": first.username,
            "n": len(failed),
            "why": reason,
            "url": first.story.page_url if first.story else "",
            "silent": all(row.is_silent for row in failed),
        }
        await enqueue_public_or_private_failure_notice(tx, first.target, fields, now=now)


def _ids(rows: Sequence[PendingMessage]) -> list[int]:
    return [row.id for row in rows]
