"""Broadcasts: drafted, then sent to some chats a second, so that alerts and answers go on."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from bot.domain.model import Target
from bot.domain.sentences import N_, NN_
from bot.presentation.actions import BROADCAST, Buttons, button
from bot.presentation.translation import Translator, translator_for
from bot.runtime.workers import Worker
from bot.sending.replies import edit_payload
from bot.store import broadcasts, chat_queues, chats, enqueue
from bot.store.broadcasts import Broadcast
from bot.store.engine.database import Database, Tx
from bot.updates.unit_of_work import call_after_replies, writing

log = structlog.get_logger()

A_SECOND = 10  # chats; Telegram lets 30 messages a second leave, alerts and answers among them
_EVERY = timedelta(seconds=1)
_LONGEST = timedelta(minutes=1)
_SENDING = NN_("📣 Sending to {n} chat.", "📣 Sending to {n} chats.")
_STOPPED = NN_(
    "📣 Stopped: sent to {done} of {n} chat.", "📣 Stopped: sent to {done} of {n} chats."
)
_DONE = NN_("📣 Done: sent to {n} chat.", "📣 Done: sent to {n} chats.")


class Broadcasts:
    """The use cases around broadcasts; ``worker`` goes on with the one that runs."""

    def __init__(
        self, db: Database, *, wake: Callable[[], None], now: Callable[[], datetime]
    ) -> None:
        """``wake`` lets the outbox look at what became due."""
        self._db = db
        self._wake = wake
        self._now = now
        self.worker = Worker("broadcast", self._hand_out, now=now, longest=_LONGEST)

    async def draft(self, text: str, owner: int) -> tuple[int, int]:
        """Keep a message (HTML) that is not sent yet; return its number, and how many get it."""
        async with writing(self._db) as tx:
            number = await broadcasts.add_draft(tx, text, owner, now=self._now())
            return number, await broadcasts.count_audience(tx)

    async def begin(self, number: int, message_id: int | None) -> Broadcast | None:
        """Send a draft, whose end that message tells; None where it was decided already."""
        async with writing(self._db) as tx:
            count = await broadcasts.count_audience(tx)
            one = await broadcasts.change_state(
                tx, number, before="draft", after="running", count=count, message_id=message_id
            )
        await call_after_replies(self._wake_worker)  # after the commit
        return one

    async def discard(self, number: int) -> Broadcast | None:
        """Throw a draft away; return it, None where that was decided already."""
        async with writing(self._db) as tx:
            return await broadcasts.change_state(tx, number, before="draft", after="stopped")

    async def stop(self, number: int) -> tuple[Broadcast | None, int]:
        """End a broadcast; return it, and how many chats it did not get to.

        It is None where it was over already.
        """
        async with writing(self._db) as tx:
            one = await broadcasts.change_state(tx, number, before="running", after="stopped")
            left = await broadcasts.drop_unsent(tx, now=self._now()) if one else 0
        await call_after_replies(self._wake_worker)
        return one, left

    async def _wake_worker(self) -> None:
        self.worker.wake()

    async def _hand_out(self) -> datetime | None:
        now = self._now()
        async with self._db.read() as tx:
            one = await broadcasts.oldest_running(tx)
            waiting = await broadcasts.count_waiting(tx)
        if one is None:
            return None
        more = await self._db.run(lambda tx: broadcasts.hand_out(tx, one, limit=A_SECOND, now=now))
        if not more and not waiting:
            await self._db.run(lambda tx: self._end(tx, one, now))
        self._wake()
        return now + _EVERY

    async def _end(self, tx: Tx, one: Broadcast, now: datetime) -> None:
        ended = await broadcasts.change_state(tx, one.id, before="running", after="done")
        if ended:
            log.info("a broadcast is done", chats=ended.handed)
            await _show_end(tx, ended, now=now)


async def _show_end(tx: Tx, one: Broadcast, *, now: datetime) -> None:
    """Put that a broadcast is done into the message that said that it is being sent."""
    if one.message_id is None:
        return
    chat = await chats.get(tx, one.owner)
    t = translator_for(chat.effective_language if chat else None)
    payload = edit_payload(one.owner, one.message_id, progress_text(one, 0, t), None)
    await enqueue.add_reply(tx, Target(one.owner), payload, now=now, due_at=now)
    await chat_queues.make_due(tx, one.owner, due_at=now, now=now)


def progress_text(one: Broadcast, waiting: int, t: Translator) -> str:
    """Return how far a broadcast is, as a sentence."""
    done = max(0, one.handed - waiting)
    if one.state == "done":
        return t(_DONE, n=done)
    return t(_STOPPED if one.state == "stopped" else _SENDING, done=done, n=one.count)


def stop_button(number: int, t: Translator) -> Buttons:
    """Return the button that stops a broadcast."""
    return [[button(t.plain(N_("Stop")), BROADCAST("stop", number))]]
