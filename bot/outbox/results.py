"""What came of a send, written down item by item, in the transaction that frees the chat queue.

Nearly always all has arrived: those sends are written down together, for many chats at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import assert_never

from bot.domain import alert_rules, selection
from bot.domain.budget import DAY
from bot.domain.errors import MEDIA_GONE
from bot.domain.model import (
    GiveUp,
    Moved,
    Muted,
    Outcome,
    Removed,
    Sent,
    SentItem,
    Target,
    TryLater,
)
from bot.domain.records import FLOODED, MAIN, REPLY, WHOLE, ChatQueue, Delivery, Held
from bot.domain.selection import Batch
from bot.domain.sentences import N_
from bot.outbox.private_notices import add_failure_notice, tell_of_removals
from bot.presentation import notices
from bot.sending import replies
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
from bot.store.engine.database import Tx
from bot.telegram.limit_state import ChatFloods

NOT_CONFIRMED = N_("Telegram never answered, so what I tried to send may be here after all.")


@dataclass(slots=True)
class Account:
    """What the outbox counts: answers lost, dead letters, and until when the bot rests.

    ``left``: a copy was counted. ``is_due``: the chat is owed more.
    """

    left: bool = True
    unknown: int = 0
    dead_letters: int = 0
    rests_until: datetime | None = None
    is_due: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Arrived:
    """A batch and what of it is in the chat."""

    queue: ChatQueue
    batch: Batch
    items: tuple[SentItem, ...]

    @property
    def message_ids(self) -> dict[int, int]:
        """Return the message that brought each row that arrived, by the row's id."""
        if self.batch.album is None:
            return {row.id: self.items[0].message_id for row in self.batch.rows if self.items}
        by_pk = {item.pk: item.message_id for item in self.items}
        return {row.id: by_pk[row.story_pk] for row in self.batch.rows if row.story_pk in by_pk}

    @property
    def is_whole(self) -> bool:
        """Return whether nothing of it is missing."""
        return len(self.message_ids) == len(self.batch.rows)


async def record_whole_sends(
    tx: Tx, sends: Sequence[Arrived], *, floods: ChatFloods | None = None, now: datetime
) -> None:
    """Write down sends of which nothing is missing, and free their queues."""
    tokens = await chat_queues.lock_all(tx, [send.queue.chat.id for send in sends])
    await _record_arrived(tx, sends, now)
    ours = [send.queue for send in sends if tokens.get(send.queue.chat.id) == send.queue.token]
    due = await chat_queues.reschedule_all(tx, [queue.chat.id for queue in ours], free_at=now)
    kinds = {send.queue.chat.id: _is_media(send.batch) for send in sends}
    await _advance_retries(tx, {chat_id: kinds[chat_id] for chat_id in due}, now)
    await _store_floods(tx, ours, floods)


async def _store_floods(tx: Tx, ours: Sequence[ChatQueue], floods: ChatFloods | None) -> None:
    """Let the next replica that claims these queues know what their chats have had."""
    if floods and ours:
        states = {queue.chat.id: floods.state_of(queue.chat.id) for queue in ours}
        await chat_queues.set_limit_states(tx, states)


async def record(
    tx: Tx,
    queue: ChatQueue,
    batch: Batch,
    outcome: Outcome,
    *,
    left: bool = True,
    in_outage: bool = False,
    tells: bool = False,
    behind: Sequence[Delivery] = (),
    floods: ChatFloods | None = None,
    now: datetime,
) -> Account:
    """Write down what came of a batch; ``left`` is false when no request ever left for it.

    A failure ``in_outage`` is Telegram's, not the rows': they stay as they are, but for the copies
    that may have arrived; of these the last is kept for later. What arrived did so whoever leases
    the queue by now; all else is for its holder to decide. ``tells``: the word of what was given
    up in the chat goes out next. ``behind`` are the answers that go out next under the same lease,
    their copies counted.
    """
    account = Account(left=left)
    chat_id = queue.chat.id
    if batch.reply and replies.is_final(outcome) and not tells:
        await _record_final_reply(
            tx, queue, batch, batch.reply, outcome, account, behind, floods, now
        )
        return account
    match outcome:  # what changes the chat itself holds it before its queue
        case Moved():
            await chats.lock(tx, [chat_id, outcome.chat_id])
        case GiveUp("chat" | "thread"):
            await chats.lock(tx, [chat_id])
        case _:
            pass
    # It is not ours either where this was committed before, and the answer to that was lost.
    is_ours = await chat_queues.lock(tx, chat_id) == queue.token
    rest = list(batch.rows)
    if reply := batch.reply:
        await replies.record_reply(tx, reply.id, reply.target, reply.fields, outcome, now=now)
        rest = [] if replies.is_final(outcome) else rest
    else:
        arrived = Arrived(queue, batch, outcome.items)
        await _record_arrived(tx, [arrived], now)
        rest = [row for row in rest if row.id not in arrived.message_ids]
    if not is_ours:
        if isinstance(outcome, Moved):
            account.is_due = await _free_moved_queue(
                tx, queue, outcome, rest, behind, left=left, now=now
            )
        return account
    if tells:
        await deliveries.make_held_due(tx, chat_id, Held.UNTOLD, now=now)
    if behind and replies.is_final(outcome):
        return account
    free_at = await _record_rest(tx, batch, rest, outcome, account, in_outage=in_outage, now=now)
    await deliveries.record_unsent(tx, _ids(behind), is_counted=True)
    account.is_due = await chat_queues.reschedule(tx, chat_id, free_at=free_at)
    await _advance_retries_after(tx, chat_id, batch, outcome, now)
    await _store_floods(tx, [queue], floods)
    if isinstance(outcome, Moved):
        await moves.move_chat(tx, chat_id, outcome.chat_id, now=now)
    return account


async def _record_final_reply(  # noqa: PLR0917 - as record has them
    tx: Tx,
    queue: ChatQueue,
    batch: Batch,
    reply: Delivery,
    outcome: Outcome,
    account: Account,
    behind: Sequence[Delivery],
    floods: ChatFloods | None,
    now: datetime,
) -> None:
    """Write down an answer that is done with; the lease goes on for those behind it."""
    is_ours = False
    if not behind:
        flood = floods.state_of(queue.chat.id) if floods else None
        is_ours, account.is_due = await chat_queues.end_lease(
            tx, queue, but=reply.id, flood=flood, now=now
        )
    says_more = await replies.record_reply(
        tx, reply.id, reply.target, reply.fields, outcome, now=now
    )
    if is_ours and says_more:
        account.is_due = await chat_queues.reschedule(tx, queue.chat.id)
    if is_ours and account.is_due:
        await _advance_retries_after(tx, queue.chat.id, batch, outcome, now)


async def _advance_retries_after(
    tx: Tx, chat_id: int, batch: Batch, outcome: Outcome, now: datetime
) -> None:
    """Advance the retries of a chat if all of a batch has arrived; the queue is locked."""
    if isinstance(outcome, Sent):
        await _advance_retries(tx, {chat_id: _is_media(batch)}, now)


async def _advance_retries(tx: Tx, chats_sent_to: Mapping[int, bool], now: datetime) -> None:
    """Advance the retries of chats that have just received a message; their queues are locked.

    ``chats_sent_to`` tells by chat whether that message was media: Telegram may take texts while
    it fails for albums.
    """
    if not chats_sent_to:
        return
    advanced = set()
    for row in await deliveries.retries_after(tx, chats_sent_to, now):
        is_reply = row.notice == REPLY
        is_media = replies.is_media(row.fields) if is_reply else row.notice is None
        due_at = alert_rules.retry_after_success_at(
            now,
            row.due_at,
            copies=row.copies,
            attempts=row.attempts,
            is_reply=is_reply,
            is_same_kind=is_media == chats_sent_to[row.chat_id],
            number=row.id,
        )
        if due_at < row.due_at:
            await deliveries.change(tx, [row.id], due_at=due_at)
            advanced.add(row.chat_id)
    await chat_queues.reschedule_all(tx, advanced)


async def _free_moved_queue(
    tx: Tx,
    queue: ChatQueue,
    outcome: Moved,
    rest: Sequence[Delivery],
    behind: Sequence[Delivery],
    *,
    left: bool,
    now: datetime,
) -> bool:
    """Free the queue of a chat that another has moved by now, where its lease came along.

    No copy arrived. Returns whether the queue is free, so that the rest may go.
    """
    await deliveries.record_unsent(tx, _ids(rest), is_counted=left)
    await deliveries.record_unsent(tx, _ids(behind), is_counted=True)
    if await chat_queues.lock(tx, outcome.chat_id) != queue.token:
        return False
    return await chat_queues.reschedule(tx, outcome.chat_id, free_at=now)


async def _record_rest(
    tx: Tx,
    batch: Batch,
    rest: list[Delivery],
    outcome: Outcome,
    account: Account,
    *,
    in_outage: bool,
    now: datetime,
) -> datetime:
    """Decide what becomes of the rest of a batch; return when its chat is free again."""
    free_at = now
    failed = outcome.failed if isinstance(outcome, Sent | TryLater | Muted) else {}
    await _fail_rows(tx, [row for row in rest if row.story_pk in failed], failed, now)
    rest = [row for row in rest if row.story_pk not in failed]
    match outcome:
        case Sent():
            free_at = await mark_unknown(tx, rest, account, now)
        case TryLater() if in_outage and not (outcome.unknown and batch.is_repeat):
            surely_not = account.left and not (outcome.unknown or outcome.partly)
            await deliveries.record_unsent(tx, _ids(rest), is_counted=surely_not)
            await _send_alone_next(tx, rest, outcome)
        case TryLater():
            free_at = await _record_try_later(tx, rest, outcome, account, now)
        case Moved():
            await _requeue(tx, rest, left=account.left, now=now)
        case Removed():
            await _record_removed(tx, batch, rest, now)
        case Muted():
            await _record_muted(tx, batch, rest, outcome, left=account.left, now=now)
        case GiveUp():
            free_at = await _record_give_up(tx, rest, outcome, account, now)
        case _:
            assert_never(outcome)
    return free_at


async def _record_arrived(tx: Tx, sends: Sequence[Arrived], now: datetime) -> None:
    """Record what is in the chats, and count the stories among it.

    A chat that was erased meanwhile has nothing any more.
    """
    there = {one.id for one in await chats.get_all(tx, [send.queue.chat.id for send in sends])}
    sends = [send for send in sends if send.queue.chat.id in there]
    messages: dict[int, int] = {}
    uses = []
    for send in sends:
        messages |= send.message_ids
        for mute in send.queue.mutes if send.message_ids else ():  # something stays there
            if mute.missing == "peace" and mute.thread_id == (send.batch.target.thread_id or MAIN):
                await mutes.unmute(tx, mute.chat_id, mute.thread_id)
        if send.message_ids and send.batch.album is not None:
            uses.append((send.queue.chat.id, usage.Use(items=len(send.message_ids))))
    await deliveries.record_sent(tx, messages, now=now)
    arrived = [row for send in sends for row in send.batch.rows if row.id in messages]
    await kept_stories.add(tx, [row for row in arrived if row.options.keep])
    await usage.add(tx, uses, day=now.date())


async def _record_try_later(
    tx: Tx, rest: Sequence[Delivery], outcome: TryLater, account: Account, now: datetime
) -> datetime:
    """Keep what did not arrive; return when the chat is free again.

    Where Telegram named a time, or some of it may be there, the whole chat waits; else only these
    rows.
    """
    if account.left and (outcome.unknown or outcome.partly):
        free_at = await mark_unknown(tx, rest, account, now)
        await _send_alone_next(tx, rest, outcome)
        return max(free_at, now + (outcome.after or timedelta(0)))
    if outcome.after is not None:
        await _requeue(tx, rest, left=account.left, now=now)
        return now + outcome.after
    held = Held.RETRY if outcome.down or outcome.chat_refuses else Held.NOTHING
    return await _retry_later(tx, rest, left=account.left, held=held, now=now)


async def _send_alone_next(tx: Tx, rows: Sequence[Delivery], outcome: TryLater) -> None:
    """Let rows go in no album any more where Telegram may send one that it answered with 429."""
    if outcome.after is not None and outcome.unknown:
        await deliveries.change(tx, _ids(rows), reason=FLOODED)


async def _retry_later(
    tx: Tx, rows: Sequence[Delivery], *, left: bool, held: Held = Held.NOTHING, now: datetime
) -> datetime:
    """Let each row wait by itself, the longer the more often it was tried.

    Returns when the chat is free: what is behind an answer waits for a short time with it.
    """
    free_at = now
    for row in rows:
        due_at = alert_rules.retry_at(now, row.attempts + 1, is_repeat=bool(row.copies))
        await deliveries.record_unsent(
            tx, [row.id], is_counted=left, is_attempt=True, due_at=due_at, held=held
        )
        if row.notice == REPLY and due_at <= now + alert_rules.REPLY_STANDSTILL:
            free_at = due_at
    return free_at


async def _record_removed(tx: Tx, batch: Batch, rest: Sequence[Delivery], now: datetime) -> None:
    """End what was deleted at once; where that goes on, the place waits for a day.

    Nothing can be said there, so who follows something in it is told in private.
    """
    if not rest:
        return
    await deliveries.end(tx, _ids(rest), reason=selection.REMOVED, now=now)
    chat_id, thread_id = batch.target.chat_id, batch.target.thread_id or MAIN
    if not await mutes.mute(tx, chat_id, thread_id, "peace", now=now):
        return
    await tell_of_removals(tx, chat_id, now=now)


async def _requeue(tx: Tx, rows: Sequence[Delivery], *, left: bool, now: datetime) -> None:
    """Let be due again what surely was not sent; ``left``: a copy was counted."""
    await deliveries.record_unsent(tx, _ids(rows), is_counted=left, due_at=now)


async def mark_unknown(
    tx: Tx, rows: Sequence[Delivery], account: Account, now: datetime, *, left: int = 1
) -> datetime:
    """Repeat what may have arrived, while copies last; return when the chat is free again.

    It waits for the first repetition, and no longer: then these rows wait alone. ``left`` is how
    many copies have left since the rows were read.
    """
    free_at = now
    account.unknown += len(rows)
    for row in rows:
        copies, is_reply = row.copies + left, row.notice == REPLY
        if copies >= alert_rules.MAX_COPIES:
            account.dead_letters += 1
            continue
        due_at = alert_rules.repeat_at(now, copies, is_reply=is_reply, number=row.id)
        await deliveries.record_unknown(tx, row.id, due_at=due_at)
        if copies == 1:
            free_at = max(free_at, now + alert_rules.lost_answer_wait(is_reply=is_reply))
    over = [row for row in rows if row.copies + left >= alert_rules.MAX_COPIES]
    await _make_dead_letters(tx, over, now)
    return free_at


async def _make_dead_letters(tx: Tx, rows: Sequence[Delivery], now: datetime) -> None:
    """Stop trying rows that fail by themselves, and let their chats know of them.

    That word would fail as they did: it goes out after the next send that is answered.
    """
    await deliveries.end(tx, _ids(rows), state="parked", reason=selection.NO_ANSWERS, now=now)
    lost: dict[tuple[Target, str], list[Delivery]] = {}
    due_at = now + alert_rules.UNTOLD_FOR
    for row in rows:
        if row.story:
            lost.setdefault((row.target, row.username), []).append(row)
    for row in rows:
        if row.notice == REPLY and (word := replies.given_up_payload(row.fields)):
            await enqueue.add_reply(tx, row.target, word, now=now, due_at=due_at, held=Held.UNTOLD)
    for (target, username), lost_here in lost.items():
        fields = {"username": username, "n": len(lost_here), "why": NOT_CONFIRMED}
        await add_failure_notice(tx, target, fields, now=now, due_at=due_at, held=Held.UNTOLD)


async def _record_muted(
    tx: Tx,
    batch: Batch,
    rest: Sequence[Delivery],
    outcome: Muted,
    *,
    left: bool,
    now: datetime,
) -> None:
    """Let a place wait where a right is missing; say which, once, where a text may go.

    What was to be answered there is over, and says so itself.
    """
    if not rest:
        return
    await _requeue(tx, rest, left=left, now=now)
    if outcome.missing == "documents":  # others go on; what is only too large is tried hourly
        for row in rest:
            due_at = now if row.options.files else alert_rules.recheck_right_at(now, 1)
            await deliveries.change(tx, [row.id], due_at=due_at, held=Held.MUTED)
    target = batch.target
    thread_id = WHOLE if outcome.scope == "chat" else target.thread_id or MAIN
    is_news = await mutes.mute(tx, target.chat_id, thread_id, outcome.missing, now=now)
    if outcome.missing in notices.MISSING_MEDIA:
        if is_news:
            fields = {"missing": outcome.missing}
            await enqueue.add_notice(tx, target, notices.MUTED, fields, now=now)
    elif batch.rows[0].notice == notices.MUTED:  # by now not even that may be said
        await deliveries.end(tx, _ids(rest), reason=outcome.missing, now=now)


async def _record_give_up(
    tx: Tx, rest: Sequence[Delivery], outcome: GiveUp, account: Account, now: datetime
) -> datetime:
    if not rest:
        return now
    thread_id = rest[0].target.thread_id
    if outcome.scope == "item" or (outcome.scope == "thread" and thread_id is None):
        # It may be refused because of its chat, so it waits; a sentence does not wait for ever.
        old = [row for row in rest if row.notice and row.created_at <= now - DAY]
        await deliveries.end(tx, _ids(old), reason=outcome.reason, now=now)
        young = [row for row in rest if row not in old]
        await _retry_later(tx, young, left=account.left, now=now)
        return now
    await _requeue(tx, rest, left=account.left, now=now)
    chat_id = rest[0].target.chat_id
    match outcome.scope:
        case "thread" if thread_id is not None:
            await moves.close_topic(tx, chat_id, thread_id, now=now)
        case "chat":
            await moves.close_chat(tx, chat_id, now=now)
        case "bot":
            account.rests_until = now + alert_rules.BOT_RESTS
        case _:
            pass
    return now


async def _fail_rows(tx: Tx, rows: Sequence[Delivery], why: dict[str, str], now: datetime) -> None:
    """End what can't be brought, and tell so, once for each reason."""
    by_reason: dict[str, list[Delivery]] = {}
    for row in rows:
        reason = why.get(row.story_pk or "", MEDIA_GONE)
        await deliveries.end(tx, [row.id], reason=reason, now=now)
        if row.story:
            by_reason.setdefault(reason, []).append(row)
    for reason, failed in by_reason.items():
        first = failed[0]
        fields = {
            "username": first.username,
            "n": len(failed),
            "why": reason,
            "url": first.story.page_url if first.story else "",
        }
        await add_failure_notice(tx, first.target, fields, now=now)


def _is_media(batch: Batch) -> bool:
    """Return whether a batch is sent as files, not as a text."""
    return batch.album is not None or bool(batch.reply and replies.is_media(batch.reply.fields))


def _ids(rows: Sequence[Delivery]) -> list[int]:
    return [row.id for row in rows]
