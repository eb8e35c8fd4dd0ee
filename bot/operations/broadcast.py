"""Broadcasts: messages of an owner to private chats and groups, but not to channels.

The messages are sent slowly, because alerts and replies are sent at the same time.
"""

import uuid
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from bot.domain.model import Target, Unchanged
from bot.domain.records import REPLY
from bot.domain.sentences import N_, NN_
from bot.presentation.actions import BROADCAST, Buttons, button
from bot.presentation.html import Safe
from bot.presentation.translation import Translator, translator_for
from bot.runtime.workers import NextStepAt, UntilWoken, Worker
from bot.sending.replies import edit_payload
from bot.store import broadcasts, chats, enqueue, leases
from bot.store.broadcasts import Broadcast, BroadcastNumber, Reach
from bot.store.engine.database import Database, Tx
from bot.updates.unit_of_work import call_after_replies, join_or_begin_transaction

log = structlog.get_logger()

# The maximum number of chats that get a broadcast per second. Telegram allows the bot 30 messages
# per second in total. Broadcasts, alerts and replies share this limit.
A_SECOND = 10
_EVERY = timedelta(seconds=1)
# The time for which a process keeps the right to add messages (``_claim_turn_of_second``). The
# time is shorter than ``_EVERY``, so that the right has expired at the next call, even if a timer
# fires slightly too early.
_TURN = timedelta(seconds=0.9)
_TURN_KEY = "broadcast"
_LONGEST = timedelta(minutes=1)
_SENDING = NN_("📣 Sending to {n} chat.", "📣 Sending to {n} chats.")
_STOPPED = NN_(
    "📣 Stopped: sent to {done} of {n} chat.", "📣 Stopped: sent to {done} of {n} chats."
)
_DONE = NN_("📣 Done: sent to {n} chat.", "📣 Done: sent to {n} chats.")
_WAITING = N_("Waiting for the end of quiet hours, or for permission to write: {n}")
_UNREACHABLE = N_("Could not be reached: {n}")


class Broadcasts:
    """The use cases of broadcasts. ``worker`` puts the messages into the outbox step by step."""

    def __init__(
        self, db: Database, *, wake: Callable[[], None], now: Callable[[], datetime]
    ) -> None:
        """Set the dependencies. ``wake`` makes the outbox check for due messages."""
        self._db = db
        self._wake = wake
        self._now = now
        self.worker = Worker(
            "broadcast", self._enqueue_next_or_end_broadcast, now=now, longest=_LONGEST
        )

    async def add_draft_and_count_recipients(
        self, text: str, owner: int
    ) -> tuple[BroadcastNumber, int]:
        """Store an HTML message as a draft.

        Return the draft's number and the number of recipients.
        """
        async with join_or_begin_transaction(self._db) as tx:
            number = await broadcasts.add_draft(tx, text, owner, now=self._now())
            return number, await broadcasts.count_audience(tx)

    async def begin(self, number: int, message_id: int | None) -> Broadcast | Unchanged:
        """Start the broadcast of a draft, at most once. Return None if nothing is changed.

        At the end of the broadcast, the message ``message_id`` (if any) is edited to show the
        result.
        """
        async with join_or_begin_transaction(self._db) as tx:
            count = await broadcasts.count_audience(tx)
            broadcast = await broadcasts.change_state(
                tx,
                number,
                from_states=("draft",),
                to_state="running",
                count=count,
                message_id=message_id,
            )
        await call_after_replies(self._wake_worker)  # wake the worker after the commit
        return broadcast

    async def discard(self, number: int) -> Broadcast | Unchanged:
        """Discard a draft.

        Return None, and change nothing, if the broadcast of the draft was already started, or if
        the draft was already discarded.
        """
        async with join_or_begin_transaction(self._db) as tx:
            return await broadcasts.change_state(
                tx, number, from_states=("draft",), to_state="stopped"
            )

    async def stop(self, number: int) -> Broadcast | Unchanged:
        """Stop a broadcast. Drop the messages of the broadcast that have certainly not been sent.

        ``sent`` of the result is the number of chats that have got or may still get the message.
        Return None if nothing is changed.
        """
        async with join_or_begin_transaction(self._db) as tx:
            broadcast = await broadcasts.change_state(
                tx, number, from_states=("running", "done"), to_state="stopped"
            )
            if broadcast is not None:
                broadcast = replace(
                    broadcast, sent=await self._drop_unsent_and_count_reached(tx, broadcast)
                )
        await call_after_replies(self._wake_worker)
        return broadcast

    async def _drop_unsent_and_count_reached(self, tx: Tx, broadcast: Broadcast) -> int:
        """Drop the pending messages that have certainly not been sent.

        Return the number of chats that have got or may still get the message.
        """
        await broadcasts.drop_unsent(tx, broadcast.id, now=self._now())
        reach = await broadcasts.count_reach(tx, broadcast.id)
        return max(broadcast.sent, reach.sent + reach.waiting)

    async def _wake_worker(self) -> None:
        self.worker.wake()

    async def _enqueue_next_or_end_broadcast(self) -> NextStepAt | UntilWoken:
        """Put the next messages of one broadcast into the outbox, and end finished broadcasts.

        Return the time of the next call, or None if no broadcast is running. Deferred messages may
        be sent after the end of their broadcast.
        """
        now = self._now()
        async with self._db.read() as tx:
            under_way = await broadcasts.running(tx)
        if not under_way:
            return None
        if not await self._claim_turn_of_second(now):
            return now + _EVERY
        for broadcast in under_way:
            if await self._db.run(
                partial(
                    broadcasts.enqueue_next_if_chats_left,
                    broadcast=broadcast,
                    limit=A_SECOND,
                    now=now,
                )
            ):
                break  # messages of only one broadcast are added at a time
            await self._end_and_enqueue_result_edit_if_sent(broadcast, now)
        self._wake()
        return now + _EVERY

    async def _claim_turn_of_second(self, now: datetime) -> bool:
        """Claim the right to add the messages of this second. Return whether the claim succeeded.

        The limit of messages in a second applies to all processes together.
        """
        turn = uuid.uuid4().hex
        return await self._db.run(
            lambda tx: leases.acquire_or_renew(tx, _TURN_KEY, turn, now=now, lease=_TURN),
            durable=False,
        )

    async def _end_and_enqueue_result_edit_if_sent(
        self, broadcast: Broadcast, now: datetime
    ) -> None:
        """End a broadcast, and enqueue an edit of the progress message that shows the result.

        Do nothing if ``broadcasts.is_being_sent_or_due_soon`` is True. All messages of the
        broadcast must be in the outbox.
        """
        async with self._db.read() as tx:
            if await broadcasts.is_being_sent_or_due_soon(tx, broadcast.id, now=now):
                return
            reach = await broadcasts.count_reach(tx, broadcast.id)
        await self._db.run(lambda tx: self._end_and_enqueue_result_edit(tx, broadcast, reach, now))

    @staticmethod
    async def _end_and_enqueue_result_edit(
        tx: Tx, broadcast: Broadcast, reach: Reach, now: datetime
    ) -> None:
        ended = await broadcasts.change_state(
            tx, broadcast.id, from_states=("running",), to_state="done", sent=reach.sent
        )
        if ended:
            log.info("a broadcast is done", **asdict(reach))
            await _enqueue_result_edit(tx, ended, reach, now=now)


async def _enqueue_result_edit(
    tx: Tx, broadcast: Broadcast, reach: Reach, *, now: datetime
) -> None:
    """Enqueue an edit of the owner's progress message that shows the result of the broadcast.

    If the broadcast has no progress message, do nothing.
    """
    if broadcast.message_id is None:
        return
    chat = await chats.get(tx, broadcast.owner)
    t = translator_for(chat.effective_language if chat else None)
    stop = stop_button(broadcast.id, t) if reach.waiting else None
    payload = edit_payload(broadcast.owner, broadcast.message_id, _end_text(reach, t), stop)
    await enqueue.add_notice(tx, Target(broadcast.owner), REPLY, payload, now=now)


def _end_text(reach: Reach, t: Translator) -> Safe:
    """Return the text about the result of a broadcast.

    The text has the numbers of chats that got the message, wait for the message, or can't get the
    message.
    """
    lines = [t(_DONE, n=reach.sent)]
    if reach.waiting:
        lines.append(t(_WAITING, n=reach.waiting))
    if reach.unreachable:
        lines.append(t(_UNREACHABLE, n=reach.unreachable))
    return Safe("\n".join(lines))


def progress_text(broadcast: Broadcast, t: Translator) -> Safe:
    """Return the text that says that a broadcast is running or was stopped."""
    if broadcast.state == "stopped":
        return t(_STOPPED, done=broadcast.sent, n=broadcast.count)
    return t(_SENDING, n=broadcast.count)


def stop_button(number: int, t: Translator) -> Buttons:
    """Return the button that stops a broadcast."""
    return [[button(t.plain("Stop"), BROADCAST("stop", number))]]
