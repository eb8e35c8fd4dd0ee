"""Recording the outcome of a reply. The same transaction frees the chat queue.

The row of a reply is deleted when the reply has arrived or can never arrive, because the text of
the reply is private.
"""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from bot.domain.errors import INCIDENT
from bot.domain.model import Moved, Muted, Outcome, PermanentFailure, Removed, Sent, Target
from bot.domain.records import ANSWERED, Held, PendingMessage, QueueClaim, ReplyClaim
from bot.domain.sentences import N_
from bot.outbox import results
from bot.outbox.results import SendReport, Tally
from bot.presentation.translation import translator_for
from bot.sending import failed_items
from bot.sending.replies import Payload, is_sent_as_file, text_payload
from bot.store import chat_queues, chats, deliveries, enqueue, moves, usage
from bot.store.chat_queues import HasDueTime
from bot.store.claims import WasValid
from bot.store.engine.database import Tx
from bot.telegram.limit_state import ChatFloods

log = structlog.get_logger()

_CANT_SHOW = {
    "photos": N_("I'm not allowed to send photos here. An admin can change that."),
    "videos": N_("I'm not allowed to send videos here. An admin can change that."),
    "documents": N_("I'm not allowed to send files here. An admin can change that."),
    "gifs": N_("I'm not allowed to send GIFs here. An admin can change that."),
    "media": N_("I'm not allowed to send photos or videos here. An admin can change that."),
}


def is_final_for_reply(outcome: Outcome) -> bool:
    """Return whether a reply has arrived or can never arrive, so the reply is not sent again."""
    if isinstance(outcome, PermanentFailure):
        # If Telegram refuses the token, the reply is kept, because an owner may correct the token.
        return outcome.scope != "bot"
    return isinstance(outcome, Sent | Muted | Removed)


async def record_reply_outcome(
    tx: Tx,
    queue: QueueClaim,
    reply: PendingMessage,
    report: SendReport,
    *,
    behind: Sequence[PendingMessage] = (),
    floods: ChatFloods | None = None,
) -> Tally:
    """Record the outcome of a reply. Return the results of the recording.

    ``behind`` are the next replies under the same lease, whose copies are already counted. If the
    reply must be sent again, ``behind`` returns to the queue and the lease ends. The lease also
    ends if ``behind`` is empty. If the chat moved, the rows and the lease of the new chat are
    changed.
    """
    tally = Tally()
    outcome, now = report.outcome, report.now
    if is_final_for_reply(outcome) and not behind and not report.answers_again:
        tally.is_due = await _delete_last_reply_and_end_lease(tx, queue, reply, report, floods)
        return tally
    queue, reply, is_ours = await _lock_and_check_claim(tx, queue, reply, outcome)
    await _delete_or_cut_and_enqueue_follow_ups(tx, reply, outcome, now=now)
    ids_behind = [row.id for row in behind]
    if not is_ours:
        if isinstance(outcome, Moved):
            await deliveries.record_unsent(tx, [reply.id], is_copy_counted=report.is_counted)
            await deliveries.record_unsent(tx, ids_behind, is_copy_counted=True)
            tally.is_due = await results.end_moved_claim_and_reschedule(
                tx, queue, outcome, now=now
            )
        return tally
    if report.answers_again:
        await deliveries.make_deferred_due(tx, queue.chat_id, Held.UNTOLD, now=now)
    if behind and is_final_for_reply(outcome):
        return tally
    free_at = now
    if not is_final_for_reply(outcome):
        free_at = await results.record_unfinished_reply(tx, reply, report, tally)
    await deliveries.record_unsent(tx, ids_behind, is_copy_counted=True)
    tally.is_due = await chat_queues.reschedule(tx, queue.chat_id, unclaimed_until=free_at)
    if isinstance(outcome, Sent):
        await results.make_retries_due_earlier_after_success(
            tx, {queue.chat_id: is_sent_as_file(reply.fields)}, now
        )
    await results.store_flood_limits(tx, [queue], floods)
    if isinstance(outcome, Moved):
        await moves.move_chat(tx, queue.chat_id, outcome.chat_id, now=now)
    return tally


async def _lock_and_check_claim(
    tx: Tx, queue: QueueClaim, reply: PendingMessage, outcome: Outcome
) -> tuple[QueueClaim, PendingMessage, WasValid]:
    """Lock the queue of a reply, and each chat that the outcome changes.

    Return the claim of the queue, the reply, and whether the claim is valid. If the chat was
    already moved in the database, the reply and usually the claim have the new chat id.
    """
    is_ours = await results.lock_and_check_claim(tx, queue, outcome)
    if is_ours:
        return queue, reply, True
    current = await _with_current_chat_id(tx, queue)
    reply = _reply_with_chat_id(reply, current.chat_id)
    if isinstance(outcome, Moved):
        return queue, reply, False
    return current, reply, await results.lock_and_check_claim(tx, current, outcome)


async def _delete_last_reply_and_end_lease(
    tx: Tx,
    queue: QueueClaim,
    reply: PendingMessage,
    report: SendReport,
    floods: ChatFloods | None,
) -> HasDueTime:
    """Delete the last reply of a chat queue, enqueue its follow-ups, and end the queue's lease.

    Return whether the chat is open and has unsent deliveries. If the lease was lost, return False.
    """
    now = report.now

    async def end_lease() -> tuple[bool, bool]:
        flood_state = floods.state_of(queue.chat_id) if floods else None
        return await chat_queues.end_claim_and_reschedule(
            tx, queue, except_delivery=reply.id, flood_state=flood_state, now=now
        )

    is_ours, is_due = await end_lease()
    if not is_ours:
        queue = await _with_current_chat_id(tx, queue)
        reply = _reply_with_chat_id(reply, queue.chat_id)
        is_ours, is_due = await end_lease()
    has_follow_ups = await _delete_or_cut_and_enqueue_follow_ups(
        tx, reply, report.outcome, now=now
    )
    if is_ours and has_follow_ups:
        is_due = await chat_queues.reschedule(tx, queue.chat_id)
    if is_due and isinstance(report.outcome, Sent):
        await results.make_retries_due_earlier_after_success(
            tx, {queue.chat_id: is_sent_as_file(reply.fields)}, now
        )
    return is_due


async def _with_current_chat_id(tx: Tx, queue: QueueClaim) -> QueueClaim:
    """Return the claim ``queue`` with the new id of a chat that has become a supergroup.

    If the id of the chat has not changed, return ``queue``.
    """
    new = await chats.new_id_if_moved(tx, queue.chat_id)
    return queue if new is None else ReplyClaim(new, queue.token, queue.stored_flood_state)


def _reply_with_chat_id(reply: PendingMessage, chat_id: int) -> PendingMessage:
    """Return a reply with the chat id ``chat_id``.

    If the id is new, the result does not refer to the answered message, whose id is not valid in
    the new chat.
    """
    if chat_id == reply.target.chat_id:
        return reply
    fields = {name: None if name in ANSWERED else value for name, value in reply.fields.items()}
    return replace(reply, target=replace(reply.target, chat_id=chat_id), fields=fields)


async def _delete_or_cut_and_enqueue_follow_ups(
    tx: Tx, reply: PendingMessage, outcome: Outcome, *, now: datetime
) -> bool:
    """Delete a reply after a final outcome, and enqueue the messages that follow the reply.

    After any other outcome, keep only the part that has not arrived. Return True if messages
    follow. The caller has locked the chat queue.
    """
    target, payload = reply.target, reply.fields
    if not is_final_for_reply(outcome):
        # If the chat was erased during the send, the row of the reply is missing.
        if outcome.items and await deliveries.ids_still_open_among(tx, [reply.id]):
            await _add_usage(tx, target, payload, outcome, now=now)
            await deliveries.change_columns_of_open(
                tx, [reply.id], fields=_unsent_part(payload, outcome)
            )
        return False
    if not await deliveries.remove_reply_or_notice(tx, reply.id):
        # For example, an earlier call was committed, but the database's answer to the commit was
        # lost.
        return False
    await _add_usage(tx, target, payload, outcome, now=now)
    messages = _follow_ups(payload, outcome)
    if messages:
        waiting = await deliveries.payloads_of_waiting_replies(tx, target.chat_id)
        for more in messages:
            await _merge_or_enqueue_follow_up(tx, target, more, waiting, now=now)
    return bool(messages)


async def _merge_or_enqueue_follow_up(
    tx: Tx, target: Target, payload: Payload, waiting: dict[int, Payload], *, now: datetime
) -> None:
    """Enqueue a follow-up message, merge the message into a pending reply, or drop a duplicate.

    ``waiting`` has the payloads of the chat's pending replies by row id, and is updated by a
    merge. The caller has locked the chat queue.
    """
    for row_id, other in waiting.items():
        if merged := failed_items.merge_failure_notices(other, payload):
            await deliveries.change_columns_of_open(tx, [row_id], fields=merged)
            waiting[row_id] = merged
            return
        is_same = all(other.get(key) == payload[key] for key in ("text", "reply_to"))
        if is_same and not payload["buttons"]:
            return
    await enqueue.add_reply(tx, target, payload, now=now, due_at=now)


async def _add_usage(
    tx: Tx, target: Target, payload: Payload, outcome: Outcome, *, now: datetime
) -> None:
    """Count the arrived stories of an album in the usage of the chat."""
    if payload["kind"] == "album" and outcome.items:
        got = usage.Use(items=len(outcome.items))
        await usage.add(tx, [(target.chat_id, got)], day=now.date())


def _unsent_part(payload: Payload, outcome: Outcome) -> Payload:
    """Return the part of a payload that has not arrived, without the caption of an album."""
    if payload["kind"] != "album":
        return payload
    sent_pks = {item.pk for item in outcome.items}
    left = [story for story in payload["stories"] if story["pk"] not in sent_pks]
    return {**payload, "stories": left, "caption": None}


def _follow_ups(payload: Payload, outcome: Outcome) -> list[Payload]:
    """Return the messages that follow a reply with the content ``payload``.

    Refused content may be followed by an incident code, which is also logged. An album may be
    followed by a text about a missing right, notices about failed stories, and the message under
    the album.
    """
    if payload["kind"] != "album" and not isinstance(outcome, PermanentFailure):
        return []
    # The id of the message that the reply answers, or None.
    asked = payload.get("asked") or payload.get("reply_to")
    t = translator_for(payload.get("language"))
    if isinstance(outcome, PermanentFailure) and outcome.scope == "item" and "language" in payload:
        incident = secrets.token_hex(4)
        log.error("incident", incident=incident, reason=outcome.reason, kind=payload["kind"])
        return [text_payload(t(INCIDENT, incident=incident), reply_to=asked)]
    if payload["kind"] != "album" or not isinstance(outcome, Sent | Muted):
        return []
    messages: list[Payload] = []
    if isinstance(outcome, Muted) and outcome.missing in _CANT_SHOW:
        messages.append(text_payload(t(_CANT_SHOW[outcome.missing]), reply_to=asked))
    under = [payload["under"]] if outcome.items and "under" in payload else []
    return (
        messages
        + failed_items.failure_notices_by_cause(payload, outcome.failed, reply_to=asked)
        + under
    )
