"""Handling an update in a single transaction.

The transaction contains the writes of the handler, the replies, and the record that the update is
done. After a durable commit, the handler never runs again for this update.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from telegram import Update

from bot.domain.errors import TakenOverError
from bot.domain.model import Moved, Target
from bot.domain.records import REPLY, PendingMessage
from bot.outbox.leases import SendLease
from bot.outbox.worker import Outbox
from bot.runtime.logging import set_trace
from bot.runtime.timed_cache import TimedCache
from bot.sending.replies import SHOWN_ALREADY, Replies
from bot.store import chat_queues, deliveries, enqueue, inbox
from bot.store.engine.database import Database, Tx
from bot.store.engine.failures import converting_outage_errors
from bot.store.inbox import ClaimedUpdate
from bot.telegram.outage import Outage
from bot.updates import unit_of_work
from bot.updates.unit_of_work import Call, Reply, Unit

log = structlog.get_logger()

Handle = Callable[[Update], Awaitable[None]]
_EARLIER_REPLIES_EVERY = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Enqueued:
    """The stored replies to an update."""

    lease: SendLease | None
    """The lease under which the replies are sent now. None means that the outbox sends later."""
    rows: Sequence[PendingMessage]
    """The replies in the outbox."""
    strangers: Sequence[Reply]
    """The replies that are not stored, because their chats are not in the database."""


class Handling:
    """Handles each update in one transaction."""

    def __init__(
        self,
        db: Database,
        outbox: Outbox,
        replies: Replies,
        outage: Outage,
        *,
        wake: Callable[[], None],
        replies_are_durable: bool,
        now: Callable[[], datetime],
    ) -> None:
        """Set the dependencies. ``wake`` wakes the outbox.

        If ``replies_are_durable`` is False, a power failure may undo a commit of replies, and the
        update is then handled again. False is safe only if the database can't crash while this
        process runs on.
        """
        self._db = db
        self._outbox = outbox
        self._replies = replies
        self._outage = outage
        self._wake = wake
        self._replies_are_durable = replies_are_durable
        self._now = now
        self._made_due = TimedCache[int, bool]()

    def make_unit_handler(
        self, handle: Handle
    ) -> Callable[[Update, ClaimedUpdate], Awaitable[bool]]:
        """Return a function that runs ``handle`` for a claimed update in one transaction.

        After the commit, the function sends the replies and makes the planned network calls. The
        function returns whether the update was recorded as done.

        Raises:
            TakenOverError: The returned function found that a different process has claimed the
                update, and rolled back.
            Exception: The returned function failed before the commit, or the commit failed. The
                update may be handled again.
        """
        return partial(self._run_in_unit_and_return_if_recorded, handle)

    async def _run_in_unit_and_return_if_recorded(
        self, handle: Handle, update: Update, claimed: ClaimedUpdate
    ) -> bool:
        set_trace(f"u{update.update_id}")
        unit = Unit(self._db)
        with unit_of_work.with_current_unit(unit), converting_outage_errors():
            try:
                await handle(update)
                had_effect = unit.is_open
                enqueued = await self._enqueue_and_commit(unit, claimed)
            except BaseException:
                await unit.roll_back_and_discard_replies()
                raise
        if had_effect or (enqueued and not enqueued.lease):
            self._wake()
        await _call_all_and_log_errors(unit.calls_after_commit)
        if enqueued:
            await self._send_replies(enqueued, unit)
        await _call_all_and_log_errors(unit.calls_after_replies)
        return enqueued is not None

    async def _enqueue_and_commit(self, unit: Unit, claimed: ClaimedUpdate) -> Enqueued | None:
        """Store the replies, record the update as done, and commit. Return the stored replies.

        If the update has neither replies nor database writes, do nothing and return None.

        Raises:
            TakenOverError: A different process has claimed the update in the meantime.
        """
        if not (unit.replies or unit.work or unit.is_open):
            return None
        now = self._now()
        durable = bool(unit.work) or self._replies_are_durable
        tx = await unit.ensure_transaction(durable=durable)
        for work in unit.work:
            await work(tx)
        enqueued = await self._enqueue_replies_and_claim_queue(tx, unit.replies, now)
        if not await inbox.finish(tx, claimed, now=now):
            raise TakenOverError
        await unit.commit()
        return enqueued

    async def _enqueue_replies_and_claim_queue(
        self, tx: Tx, replies: Sequence[Reply], now: datetime
    ) -> Enqueued:
        """Store the replies. Claim the queue of the chat if the replies can be sent at once.

        All replies must go to a single known chat without a claim or an earlier reply, and
        Telegram must not be down.
        """
        queue, claim = None, self._outbox.leases.new_lease()
        chats = {reply.target.chat_id for reply in replies}
        if len(chats) == 1 and not self._outage.is_on():
            queue = await chat_queues.claim_if_no_pending_reply(tx, min(chats), claim)
        else:
            await chat_queues.lock_all(tx, chats)
        rows, strangers = [], []
        for reply in replies:
            row_id = await enqueue.add_reply(
                tx, reply.target, reply.payload, now=now, due_at=now, copies=int(queue is not None)
            )
            if row_id is None:
                strangers.append(reply)
            else:
                rows.append(
                    PendingMessage(
                        id=row_id,
                        target=reply.target,
                        notice=REPLY,
                        fields=reply.payload,
                        created_at=now,
                    )
                )
        if queue is not None:
            ids = [row.id for row in rows]
            lease = SendLease(queue, ids, claim.at, claim.until, is_counted=True, is_valid=True)
            return Enqueued(lease, rows, strangers)
        for chat_id in sorted({row.target.chat_id for row in rows}):
            await chat_queues.make_due(tx, chat_id, due_at=now, now=now)
            await self._make_earlier_replies_due_unless_recent(tx, chat_id, now)
        return Enqueued(None, rows, strangers)

    async def _make_earlier_replies_due_unless_recent(
        self, tx: Tx, chat_id: int, now: datetime
    ) -> None:
        """Make the earlier pending replies to a chat due now, but at most once in 30 seconds.

        A reply that is suspected to crash the bot is not changed. The caller has locked the queue
        of the chat.
        """
        if self._made_due.get(chat_id, now=now) is None:
            self._made_due.put(chat_id, value=True, until=now + _EARLIER_REPLIES_EVERY)
            await deliveries.make_replies_due(tx, chat_id, now=now)

    async def _send_replies(self, enqueued: Enqueued, unit: Unit) -> None:
        """Send the replies to unknown chats. Then send the stored replies under their lease.

        Each bought file costs 1 credit. Set ``unit.is_edit_unchanged`` to whether the last reply
        was an edit that changed nothing.
        """
        for reply in enqueued.strangers:
            try:
                await self._send_to_stranger(reply)
            except Exception:
                # The update is recorded as done and will not be handled again. A failure of a
                # reply must therefore not prevent the other replies.
                log.exception("an answer was lost", chat=reply.target.chat_id)
        if enqueued.lease is None:
            return
        try:
            outcome = await self._outbox.runner.send_replies(enqueued.lease, enqueued.rows)
        except Exception:  # the queue can be claimed again after the lease has expired
            log.exception("an answer was not recorded", chat=enqueued.lease.queue.chat_id)
        else:
            unit.is_edit_unchanged = outcome is SHOWN_ALREADY

    async def _send_to_stranger(self, reply: Reply) -> None:
        """Send a reply to a chat that is not in the database, without retries.

        If Telegram reports that the chat was migrated, send the reply to the new chat. Each bought
        file costs 1 credit.
        """
        outcome = await self._replies.send(reply.target, reply.payload)
        if isinstance(outcome, Moved):
            # Message ids of the old chat are not valid in the new chat.
            payload = {**reply.payload, "reply_to": None}
            await self._replies.send(Target(outcome.chat_id), payload)


async def _call_all_and_log_errors(calls: Sequence[Call]) -> None:
    """Make all calls. If a call raises an exception, log the exception and continue."""
    for call in calls:
        try:
            await call()
        except Exception:
            log.exception("a call after the commit failed")
