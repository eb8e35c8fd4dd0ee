"""One update, whole: its effects, its answers and its end are one transaction, then it is said.

What can't leave at once (a flood limit, an outage, a lost connection) waits in the chat's queue
before all alerts, and the outbox sends it. So no handler runs twice after its effect.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from telegram import Update

from bot.domain.alert_rules import ANSWER_PAUSE
from bot.domain.errors import DatabaseUnavailableError, TakenOverError
from bot.domain.model import Muted, Outcome, Right, Target, TryLater
from bot.runtime.beside import renewed
from bot.runtime.logging import mark
from bot.sending.progress import Progress
from bot.sending.replies import SHOWN_ALREADY, Payload, Replies, close, is_final
from bot.store import chat_queues, deliveries, enqueue, inbox
from bot.store.database import Database, Tx
from bot.store.failures import outages
from bot.telegram.api import Leaving, NotWantedError
from bot.telegram.outage import Outage
from bot.updates import unit_of_work
from bot.updates.unit_of_work import Reply, Unit

log = structlog.get_logger()

# Within which an answer is sent here, or taken for lost; kept up while the sending takes long. One
# process alone takes up at its start what it was at.
_ANSWER_LEASE = timedelta(seconds=60)
_LEASE_AMONG_REPLICAS = timedelta(seconds=9)


@dataclass(frozen=True, slots=True)
class EnqueuedReply:
    """An answer on its way; ``id`` is its row, None where its chat is forgotten."""

    id: int | None
    target: Target
    payload: Payload


@dataclass(slots=True)
class AnswerLease:
    """Until when answers are ours to send; then the outbox of any replica may take them."""

    until: datetime
    is_lost: bool = False
    renewing: asyncio.Lock = field(default_factory=asyncio.Lock)


class Answering:
    """Handles updates; each as one unit of work."""

    def __init__(
        self,
        db: Database,
        handle: Callable[[Update], Awaitable[None]],
        replies: Replies,
        outage: Outage,
        *,
        wake: Callable[[], None],
        now: Callable[[], datetime],
    ) -> None:
        """``handle`` has effects and answers; ``wake`` tells the outbox of what is left to it."""
        self._db = db
        self._handle = handle
        self._replies = replies
        self._outage = outage
        self._wake = wake
        self._now = now
        self._lease = _ANSWER_LEASE if db.is_sqlite else _LEASE_AMONG_REPLICAS

    async def __call__(self, update: Update, attempt: int) -> None:
        """Handle an update, which is ours by the number of this ``attempt``, and answer it.

        Raises:
            TakenOverError: Another replica has it by now; nothing has happened here.
            Exception: It could not be written down: nothing has happened, and it may come again.
        """
        await self._answer(update, attempt, self._handle, in_turn=True)

    def out_of_turn(
        self, handle: Callable[[Update], Awaitable[None]]
    ) -> Callable[[Update, int], Awaitable[None]]:
        """Return what lets ``handle`` answer without waiting for other answers of the chat.

        What can't leave at once is owed all the same, but the same words only once.
        """
        return lambda update, attempt: self._answer(update, attempt, handle, in_turn=False)

    async def _answer(
        self,
        update: Update,
        attempt: int,
        handle: Callable[[Update], Awaitable[None]],
        *,
        in_turn: bool,
    ) -> None:
        mark(f"u{update.update_id}")
        unit = Unit(self._db)
        with unit_of_work.active(unit), outages():
            try:
                await handle(update)
                had_effect = unit.is_open
                enqueued, lease = await self._close(unit, update, attempt, in_turn=in_turn)
            except BaseException:
                await unit.undo()
                raise
        if had_effect or not lease:
            self._wake()
        for call in unit.first_calls:
            await call()
        if lease:
            try:
                await self._send(enqueued, lease, unit)
            except DatabaseUnavailableError as error:  # the outbox takes the rest over
                log.warning("what came of an answer can't be written", why=str(error))
        for call in unit.calls:
            await call()

    async def _close(
        self, unit: Unit, update: Update, attempt: int, *, in_turn: bool
    ) -> tuple[list[EnqueuedReply], AnswerLease | None]:
        """Commit; return the answers, and until when they are ours; None where they are not."""
        now = self._now()
        if not (unit.replies or unit.work or unit.is_open):
            return [], AnswerLease(now)
        is_ours = not await self._outage.is_on()
        tx = await unit.transaction()
        for work in unit.work:
            await work(tx)
        replies = unit.replies
        if in_turn:
            for chat_id in sorted({reply.target.chat_id for reply in replies}):
                is_ours = is_ours and not await deliveries.owes_reply(tx, chat_id)
        else:
            replies = [reply for reply in replies if not await _is_repetition(tx, reply)]
        due_at = now + self._lease if is_ours else now
        enqueued = []
        for reply in replies:
            row_id = await enqueue.add_reply(
                tx, reply.target, reply.payload, now=now, due_at=due_at, copies=int(is_ours)
            )
            enqueued.append(EnqueuedReply(row_id, reply.target, reply.payload))
        for chat_id in sorted({one.target.chat_id for one in enqueued if one.id is not None}):
            await chat_queues.wake(tx, chat_id, due_at=due_at, now=now)
        if not await inbox.answered(tx, update.update_id, attempt, now=now):
            raise TakenOverError
        await unit.commit()
        return enqueued, AnswerLease(due_at) if is_ours else None

    async def _send(
        self, enqueued: Sequence[EnqueuedReply], lease: AnswerLease, unit: Unit
    ) -> None:
        """Send the answers in their order, as far as they leave; the rest is the outbox's."""
        if not enqueued:
            return
        payloads = [one.payload for one in enqueued]
        async with self._replies.progress(enqueued[0].target, payloads) as progress:
            await self._send_all(enqueued, lease, unit, progress)

    async def _send_all(
        self,
        enqueued: Sequence[EnqueuedReply],
        lease: AnswerLease,
        unit: Unit,
        progress: Progress,
    ) -> None:
        known: set[Right] = set()
        for number, one in enumerate(enqueued):
            outcome = await self._send_kept(one, enqueued[number:], lease)
            progress.add(outcome)
            unit.is_in_vain = outcome is SHOWN_ALREADY
            in_outage = await self._outage.heard(one.target.chat_id, outcome)
            if is_final(outcome):
                log.info("answered", chat=one.target.chat_id, what=one.payload["kind"])
                await self._record(one, outcome, known)
                known |= {outcome.missing} if isinstance(outcome, Muted) else set()
                continue
            log.info("an answer waits", chat=one.target.chat_id, outcome=repr(outcome))
            await self._pass_on(enqueued[number:], outcome, lease, in_outage=in_outage)
            return

    async def _send_kept(
        self, one: EnqueuedReply, left: Sequence[EnqueuedReply], lease: AnswerLease
    ) -> Outcome:
        """Send one; however long it takes, neither it nor the rest is taken for lost.

        Nothing leaves that was, because we stood still.
        """
        kept = [each for each in left if each.id is not None]

        async def leaving() -> None:
            if kept and self._now() >= lease.until:
                await self._renew(kept, lease)
            if lease.is_lost:
                raise NotWantedError

        third = self._lease.total_seconds() / 3
        async with renewed(lambda: self._renew(kept, lease), every_s=third):
            return await self._send_one(one, leaving)

    async def _renew(self, left: Sequence[EnqueuedReply], lease: AnswerLease) -> bool:
        """Lease answers for longer, if they are still ours; false where they are not."""
        if not left or lease.is_lost:
            return False
        async with lease.renewing:
            ids, until = [one.id for one in left if one.id is not None], self._now() + self._lease
            async with self._db.begin(durable=False) as tx:
                await chat_queues.lock_all(tx, {one.target.chat_id for one in left})
                is_ours = await deliveries.put_off(tx, ids, until=lease.until, due_at=until)
            lease.until, lease.is_lost = until, not is_ours
            return is_ours

    async def _send_one(self, one: EnqueuedReply, leaving: Leaving) -> Outcome:
        try:
            return await self._replies.send(one.target, one.payload, leaving=leaving)
        except DatabaseUnavailableError as error:  # asked before the request, so it never left
            return TryLater(reason=str(error))
        except Exception:  # whatever it is, the answer is owed
            log.exception("an answer failed", chat=one.target.chat_id)
            return TryLater(unknown=True, reason="error")

    async def _record(self, one: EnqueuedReply, outcome: Outcome, known: set[Right]) -> None:
        """Write down what is in the chat; a crash may undo it, and repeats the answer at most.

        However long the database can't work: the outbox would say it once more.
        """

        async def write(tx: Tx) -> bool:
            chat_id = one.target.chat_id
            await chat_queues.lock(tx, chat_id)
            await close(tx, one.id, one.target, one.payload, outcome, known=known, now=self._now())
            await chat_queues.reschedule(tx, chat_id)
            return await deliveries.owes_reply(tx, chat_id)

        # More is owed where something is said besides, or where a later answer waited for this.
        if await self._db.insist(write, durable=False):
            self._wake()

    async def _pass_on(
        self,
        enqueued: Sequence[EnqueuedReply],
        outcome: Outcome,
        lease: AnswerLease,
        *,
        in_outage: bool,
    ) -> None:
        """Let the outbox send what did not leave; the first of it may be there already.

        What was taken for lost meanwhile is for who took it to decide.
        """
        wait = _wait(outcome, in_outage=in_outage)
        ids = [one.id for one in enqueued if one.id is not None]

        async def write(tx: Tx) -> None:
            now = self._now()
            await chat_queues.lock_all(tx, {one.target.chat_id for one in enqueued})
            if lease.is_lost or not await deliveries.are_held(tx, ids, until=lease.until):
                log.warning("an answer is another's by now", deliveries=ids)
                return
            for number, one in enumerate(enqueued):
                if one.id is not None:
                    met = outcome if number == 0 else TryLater()
                    await self._hand_over(tx, one, met, now)
            for chat_id in sorted({one.target.chat_id for one in enqueued if one.id is not None}):
                await chat_queues.wake(tx, chat_id, due_at=now, now=now)
                await chat_queues.rest(tx, chat_id, until=now + wait)

        await self._db.insist(write)
        self._wake()

    async def _hand_over(self, tx: Tx, one: EnqueuedReply, met: Outcome, now: datetime) -> None:
        if one.id is None:
            return
        await close(tx, one.id, one.target, one.payload, met, now=now)
        may_be_there = isinstance(met, TryLater) and (met.unknown or met.partly)
        await deliveries.change(tx, one.id, due_at=now, copies=int(may_be_there))


async def _is_repetition(tx: Tx, reply: Reply) -> bool:
    """Return whether a chat is owed these very words already."""
    enqueued = await deliveries.replies_enqueued(tx, reply.target.chat_id)
    return reply.payload.get("text") in [payload.get("text") for payload in enqueued]


def _wait(outcome: Outcome, *, in_outage: bool) -> timedelta:
    """Return how long the chat is left in peace."""
    if isinstance(outcome, TryLater) and outcome.after is not None:
        return outcome.after
    return timedelta(0) if in_outage else ANSWER_PAUSE
