"""The outbox: claim what is due, send it, record what came of it, item by item.

One send at a time into a chat, many chats at once. A copy is counted right before it leaves, so
that a crash can repeat a message but never lose one; the lease is kept up while a send takes long.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog

from bot.domain import alert_rules, selection
from bot.domain.errors import DatabaseUnavailableError
from bot.domain.model import AskPresence, GiveUp, Outcome, Presence, Sent, Target, TryLater
from bot.domain.records import ChatQueue, Delivery, Mute
from bot.domain.selection import Batch, Decision
from bot.outbox.composer import Alerts
from bot.outbox.fan_out import FanOut
from bot.outbox.private_notices import add_failure_notice, tell_of_missing_right
from bot.outbox.results import Account, Arrived, mark_unknown, record, record_whole_sends
from bot.runtime.background import renewing
from bot.runtime.batching import BatchingQueue
from bot.runtime.concurrency import FastAndSlowSlots
from bot.runtime.logging import tracing
from bot.runtime.metrics import UNSEEN, Metrics
from bot.runtime.sharing import SEVERAL_PROCESSES, Sharing
from bot.runtime.workers import Worker
from bot.sending.replies import Replies, is_final
from bot.sending.sender import Sender
from bot.sending.topics import Topics
from bot.store import chat_queues, deliveries, moves
from bot.store.engine.database import Database, Tx
from bot.telegram.api import NotWantedError
from bot.telegram.limit_state import ChatFloods
from bot.telegram.outage import Outage, is_answer

log = structlog.get_logger()

AT_ONCE = 64  # chats that are sent into at a time
SLOW_AT_ONCE = 128  # more, where a send takes long: it may wait for a slow server
FEW = 32  # free slots; with fewer a claim waits for more, since each costs the same
FILLED_EVERY = timedelta(milliseconds=50)  # how long it waits for more at most
GATHERED_S = 0.005  # how long arrivals are gathered, to be written in one transaction
SHORTEST = timedelta(seconds=0.1)  # the pause where others have claimed all that is due
TRY_AGAIN = timedelta(seconds=1)  # while Telegram is down
PAUSED_AGAIN = timedelta(seconds=5)  # while another process sends the alerts
OTHERS_FIRST = timedelta(seconds=3)  # in which other replicas write down what they sent
JUDGED_AGAIN = timedelta(minutes=15)
QUEUES_FOR_A_TRY = 20  # how many queues are asked for one that may try if Telegram is back


@dataclass(slots=True, eq=False)
class ClaimedBatch:
    """A batch that is ours to send ``until`` its lease ends, or is renewed.

    ``left``: its copies are counted. ``may_go``: it may leave now. ``is_try``: Telegram was down,
    and this send tells whether it is back. ``probe``: nothing is sent; Telegram is asked whether
    the bot may write there again. ``is_inline``: the transaction of an update has claimed and
    counted it, and the answers ``behind`` it. ``asks_in``: how long to wait before its chat is
    asked whether it takes anything.
    """

    queue: ChatQueue
    batch: Batch
    until: datetime
    left: bool = False
    may_go: bool = False
    is_try: bool = False
    probe: Mute | None = None
    is_inline: bool = False
    behind: tuple[Delivery, ...] = ()
    asks_in: timedelta = timedelta(0)


def _trace_of(batch: Batch) -> str:
    """Return the id of what a batch came from: an update, a story, else its first row."""
    first = batch.rows[0]
    if first.story_pk:
        return f"s{first.story_pk}"
    return str(first.fields.get("trace") or f"d{first.id}")


def _needs_asking(queue: ChatQueue, batch: Batch) -> bool:
    """Return whether ``sendChatAction`` asks, before a repeat, whether its chat takes anything.

    Channels take that call whatever happens, so there only time tells.
    """
    return batch.is_repeat and queue.chat.kind != "channel"


def _row_ids(batches: Iterable[ClaimedBatch], *, left: bool) -> list[int]:
    """Return the ids of the rows of those batches whose copies are counted already, or not yet."""
    return [row.id for one in batches if one.left == left for row in one.batch.rows]


class Outbox:
    """Sends what is owed to chats, at least once and at most three times."""

    def __init__(
        self,
        db: Database,
        sender: Sender,
        replies: Replies,
        *,
        outage: Outage | None = None,
        is_paused: Callable[[], bool] = lambda: False,
        presence: AskPresence | None = None,
        topics: Topics | None = None,
        owners: Callable[[], Iterable[int]] = tuple,
        floods: ChatFloods | None = None,
        lease: timedelta | None = None,
        sharing: Sharing = SEVERAL_PROCESSES,
        metrics: Metrics = UNSEEN,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Search for due chat queues as often as ``sharing`` says; ``lease`` replaces its lease.

        ``outage`` knows when Telegram is down; ``is_paused`` tells whether another process with
        the same token must send the alerts. ``presence`` asks whether the bot may write in a
        chat again, ``topics`` knows what became of a topic; without them a send tells.
        ``owners`` are told of a chat without rights if nobody else can be. ``floods`` are handed
        from replica to replica with the chats' queues.
        """
        self._db = db
        self._outage = outage
        self._is_paused = is_paused
        self._presence = presence
        self._topics = topics
        self._owners = owners
        self._floods = floods
        self._is_only_process = sharing.is_only_process
        self._untold: set[int] = set()  # chats that wait for the word of what was given up
        self._alerts = Alerts(sender, replies, now=now)
        self.lease = lease or sharing.lease
        self._now = now
        self._group: asyncio.TaskGroup | None = None
        self._slots = FastAndSlowSlots(AT_ONCE, SLOW_AT_ONCE)
        self._is_released = False
        self.worker = Worker("alerts", self._step, now=now, longest=sharing.alerts_every)
        self.fan_out = FanOut(db, self.worker.wake, now=now, sharing=sharing)
        self._rests_until = now()
        self._fill_at = now()
        self._departures = BatchingQueue(self._count_leaving)
        self._arrivals = BatchingQueue(self._write_arrived, gather_s=GATHERED_S)
        self._unknown = metrics.counter(
            "delivery_unknown_total", "Sends of alerts whose answer was lost."
        )
        self._dead_letters = metrics.counter(
            "delivery_parked_total", "Alerts given up after copies."
        )

    def wake(self) -> None:
        """Check now for what is due, and for what is to be owed to many."""
        self.fan_out.worker.wake()
        self.worker.wake()

    def stop(self) -> None:
        """Claim nothing more; ``run`` ends when what is on its way has arrived."""
        self.fan_out.worker.stop()
        self.worker.stop()

    async def run(self) -> None:
        """Send what is due until ``stop``."""
        async with asyncio.TaskGroup() as self._group:
            self._group.create_task(self.fan_out.worker.run())
            await self.worker.run()

    async def _step(self) -> datetime | None:
        """Begin what is due, as far as slots are free; return when more is."""
        if not self._is_released and self._is_only_process:  # the leases are of a dead process
            await self._db.run(lambda tx: chat_queues.release_all(tx, now=self._now()))
        self._is_released = True
        if rests_until := await self._paused_until():
            return rests_until
        free = self._slots.count_free(self._now())
        if not free:  # the next send that ends wakes us, too
            return self._slots.next_free_at(self._now())
        if free < FEW and self._fill_at > self._now():
            return self._fill_at
        self._fill_at = self._now() + FILLED_EVERY
        claimed = await self.claim(free)
        for one in claimed:
            self._begin_delivery(one)
        if claimed:
            return self._now()
        if self._outage and self._outage.is_on():
            return self._now() + TRY_AGAIN
        due = await self._db.fetch(chat_queues.next_due_at)
        return max(due, self._now() + SHORTEST) if due else None

    async def _paused_until(self) -> datetime | None:
        """Return until when nothing may be claimed, None where it may.

        What was sent and could not be recorded must not be claimed as if it had not been sent,
        here or, after an outage of the database, by another replica.
        """
        now = self._now()
        if self._rests_until > now:
            return self._rests_until
        if self._db.owes_records:
            return now + TRY_AGAIN
        if self._is_paused():
            return now + PAUSED_AGAIN
        if self._is_only_process or not self.worker.trouble:
            return None
        await self._db.fetch(chat_queues.next_due_at)  # raises while it can't work
        self._rests_until = now + OTHERS_FIRST
        return self._rests_until

    def _begin_delivery(self, claimed: ClaimedBatch) -> None:
        self._take_over_floods(claimed.queue)
        if self._group is not None:
            task = self._group.create_task(self._deliver_safely(claimed))
            ticket = self._slots.take(self._now())
            task.add_done_callback(lambda _: self._on_send_ended(ticket))

    def _take_over_floods(self, queue: ChatQueue) -> None:
        if self._floods is not None:
            self._floods.take_over(queue.chat.id, queue.flood)

    def _on_send_ended(self, ticket: int) -> None:
        self._slots.release(ticket)
        self.worker.wake()  # a slot is free, and the chat may have more

    async def run_once(self) -> int:
        """Send one round of what is due; return how many batches it was."""
        await self.fan_out.write_all()
        claimed = await self.claim(AT_ONCE)
        async with asyncio.TaskGroup() as group:
            for one in claimed:
                group.create_task(self.deliver(one))
        return len(claimed)

    async def _deliver_safely(self, claimed: ClaimedBatch) -> None:
        try:
            await self.deliver(claimed)
        except Exception:  # it is claimed again when its lease is over
            log.exception("an alert was not recorded", chat=claimed.queue.chat.id)

    async def claim(self, limit: int) -> list[ClaimedBatch]:
        """Take chat queues, and judge what is due in them."""
        now = self._now()
        if self._rests_until > now:
            return []
        if self._outage and self._outage.is_on():
            return await self.claim_one_to_try(self._outage)
        ours: list[ClaimedBatch] = []
        async with self._db.begin() as tx:
            for queue in await chat_queues.claim(tx, now=now, limit=limit, lease=self.lease):
                due = await self._judge_queue(tx, queue, now)
                if isinstance(due, Mute):
                    nothing = Batch(Target(queue.chat.id), ())
                    ours.append(ClaimedBatch(queue, nothing, now + self.lease, probe=due))
                elif due:
                    wait = await self._reserve_turn_or_postpone(tx, queue, due, now)
                    if wait is not None:
                        ours.append(ClaimedBatch(queue, due, now + self.lease, asks_in=wait))
            await deliveries.record_claim(tx, [row.id for one in ours for row in one.batch.rows])
        return ours

    async def _reserve_turn_or_postpone(
        self, tx: Tx, queue: ChatQueue, batch: Batch, now: datetime
    ) -> timedelta | None:
        """Reserve a turn to ask whether a chat takes a repeat; return how long to wait for it.

        None where too many wait for that: then the repeat is put off.
        """
        if not self._outage or not _needs_asking(queue, batch):
            return timedelta(0)
        wait = self._outage.reserve_turn_to_ask()
        if wait is None:
            for row in batch.rows:
                due_at = alert_rules.repeat_asks_again_at(now, row.id)
                await deliveries.change(tx, [row.id], due_at=due_at)
            await chat_queues.reschedule(tx, queue.chat.id, free_at=now)
        return wait

    async def claim_one_to_try(self, outage: Outage) -> list[ClaimedBatch]:
        """While Telegram is down: take one row now and then; its arrival ends the pause."""
        now = self._now()
        due = await self._db.fetch(chat_queues.next_due_at)
        if due is None or due > now or not await outage.claim_try():
            return []
        now = self._now()
        async with self._db.begin() as tx:
            for _ in range(QUEUES_FOR_A_TRY):
                queues = await chat_queues.claim(tx, now=now, limit=1, lease=self.lease)
                if not queues:
                    break
                batch = await self._judge_queue(tx, queues[0], now)
                if isinstance(batch, Mute):
                    later = now + alert_rules.STANDSTILL
                    await chat_queues.reschedule(tx, queues[0].chat.id, free_at=later)
                elif batch:
                    batch = batch.cut_to_first_message()
                    await deliveries.record_claim(tx, [row.id for row in batch.rows])
                    return [ClaimedBatch(queues[0], batch, now + self.lease, is_try=True)]
        if not self._is_only_process:
            outage.end_pause()  # another replica sends what is due, so no row here could tell
        return []  # else only a message that arrives ends the pause

    async def _judge_queue(self, tx: Tx, queue: ChatQueue, now: datetime) -> Batch | Mute | None:
        """Judge a queue, and apply that; return what is to be sent, or asked about, there."""
        try:
            decision = selection.decide(queue, now=now)
        except Exception:  # of one chat; the others must not wait for it
            log.exception("a chat's alerts can't be judged", chat=queue.chat.id)
            await chat_queues.reschedule(tx, queue.chat.id, free_at=now + JUDGED_AGAIN)
            return None
        free_at = await self._apply_decision(tx, queue, decision, now)
        due = decision.batch or decision.probe
        if not due:
            await chat_queues.reschedule(tx, queue.chat.id, free_at=free_at)
        return due

    async def _apply_decision(
        self, tx: Tx, queue: ChatQueue, decision: Decision, now: datetime
    ) -> datetime:
        """Return when the chat is free again."""
        account = Account()
        free_at = await mark_unknown(tx, decision.doubtful, account, now, left=0)
        self._count_outcome(queue.chat.id, account)
        for row, until, why in decision.held:
            await deliveries.change(tx, [row.id], due_at=until, held=why)
        await deliveries.remove(tx, [row.id for row in decision.doubled])
        for row, reason in decision.dropped:
            await deliveries.end(tx, [row.id], reason=reason, now=now)
        for (target, username), count in selection.count_too_late(decision).items():
            fields = {"username": username, "n": count, "why": selection.GONE}
            await add_failure_notice(tx, target, fields, now=now)
        if decision.unreadable:
            ids = [row.id for row in decision.unreadable]
            await deliveries.end(tx, ids, state="parked", reason=selection.UNREADABLE, now=now)
            self._dead_letters.inc(len(ids))
            log.error("parked, being unreadable", chat=queue.chat.id, deliveries=ids)
        return free_at

    async def send_replies(
        self, queue: ChatQueue, rows: Sequence[Delivery], *, until: datetime
    ) -> Outcome | None:
        """Send answers whose transaction has claimed their queue, in order; the last outcome.

        What can't leave now goes when it can, with what is behind it.
        """
        outcome: Outcome | None = None
        for place, row in enumerate(rows):
            claimed = ClaimedBatch(
                queue,
                Batch(row.target, (row,)),
                until,
                left=True,
                may_go=True,
                is_inline=True,
                behind=tuple(rows[place + 1 :]),
            )
            self._take_over_floods(queue)
            outcome = await self._send_and_record(claimed)
            until = claimed.until
            if not is_final(outcome):
                break
        return outcome

    async def deliver(self, claimed: ClaimedBatch) -> None:
        """Send what was claimed and record what came of it, or ask what a mute has us ask."""
        if claimed.probe:
            await self._ask_and_record_presence(claimed.queue, claimed.probe)
        else:
            with tracing(_trace_of(claimed.batch)):
                await self._send_and_record(claimed)

    async def _ask_and_record_presence(self, queue: ChatQueue, mute: Mute) -> None:
        """Ask whether the bot may write again where it might not, and record it."""
        presence: Presence = "may"
        if self._presence is not None:
            presence = await self._presence(queue.chat.id, mute.missing)
        now = self._now()
        log.info("asked about a chat", chat=queue.chat.id, presence=str(presence))
        async with self._db.begin() as tx:
            if await chat_queues.lock(tx, queue.chat.id) == queue.token:
                await moves.apply_presence(tx, mute, presence, now=now)
                if presence == "may not":
                    await tell_of_missing_right(tx, mute, self._owners(), now=now)
                await chat_queues.reschedule(tx, queue.chat.id, free_at=now)

    async def _send_and_record(self, claimed: ClaimedBatch) -> Outcome:
        chat = claimed.queue.chat
        is_ours = False  # a failure of the database, which is not the rows' either
        third = self.lease.total_seconds() / 3
        async with renewing(partial(self._renew_lease, claimed), every_s=third, chat=chat.id):
            try:
                outcome = await self._send(claimed)
            except DatabaseUnavailableError as error:
                log.warning("an alert waits for the database", chat=chat.id, why=str(error))
                outcome, is_ours = TryLater(reason=str(error)), True
            except Exception:
                log.exception("an alert failed", chat=chat.id)
                outcome = TryLater(unknown=True, reason="error")
        in_outage = await self._outage.record_outcome(chat.id, outcome) if self._outage else False
        await self.record(claimed, outcome, in_outage=in_outage or is_ours)
        if claimed.batch.reply:
            log.info("answered" if is_final(outcome) else "an answer waits", chat=chat.id)
        elif isinstance(outcome, Sent):
            stories = [row.story_pk for row in claimed.batch.rows if row.story_pk]
            log.info("delivered", chat=chat.id, stories=stories)
        if claimed.is_try and claimed.left and self._outage and is_answer(outcome):
            self._outage.end_pause()
        return outcome

    async def _send(self, claimed: ClaimedBatch) -> Outcome:
        chat = claimed.queue.chat
        if self._outage and not await self._ask_if_reachable(claimed, self._outage):
            return TryLater(
                down=claimed.is_try, chat_refuses=True, reason="Telegram takes nothing there"
            )
        leaving = partial(self.count_before_send, claimed)
        outcome = await self._alerts.send(chat, claimed.batch, leaving=leaving)
        thread_id = claimed.batch.target.thread_id
        is_lost = isinstance(outcome, GiveUp) and outcome.scope == "thread"
        if not (is_lost and thread_id is not None and self._topics):
            return outcome
        state = await self._topics.fetch_lost_topic_state(chat.id, thread_id)
        if state == "deleted":
            return outcome
        since = min(row.created_at for row in claimed.batch.rows)
        is_sought = state == "unknown" and self._now() < since + alert_rules.TOPIC_SOUGHT_FOR
        if is_sought or outcome.items:
            return TryLater(reason="its topic may be there", items=outcome.items)
        batch = replace(claimed.batch, target=Target(chat.id))
        return await self._alerts.send(chat, batch, leaving=leaving)

    @staticmethod
    async def _ask_if_reachable(claimed: ClaimedBatch, outage: Outage) -> bool:
        """Ask whether Telegram takes anything there, where that is in doubt, at its turn."""
        if not claimed.is_try and not _needs_asking(claimed.queue, claimed.batch):
            return True
        await asyncio.sleep(claimed.asks_in.total_seconds())
        return await outage.chat_accepts_calls(claimed.batch.target)

    async def record(self, claimed: ClaimedBatch, outcome: Outcome, *, in_outage: bool) -> None:
        """Write down what came of a send, however long the database can't work.

        Nothing is claimed meanwhile, so that nothing goes out again that is in its chat.
        """
        chat_id = claimed.queue.chat.id
        tells = is_answer(outcome) and chat_id in self._untold
        if isinstance(outcome, Sent) and not (claimed.batch.reply or tells):
            arrived = Arrived(claimed.queue, claimed.batch, outcome.items)
            if arrived.is_whole and await self._record_arrived(arrived):
                return
        now = self._now()
        account = await self._db.insist(
            lambda tx: record(
                tx,
                claimed.queue,
                claimed.batch,
                outcome,
                left=claimed.left,
                in_outage=in_outage,
                tells=tells,
                behind=claimed.behind,
                floods=self._floods,
                now=self._now(),
            )
        )
        if tells:
            self._untold.discard(chat_id)
        self._count_outcome(chat_id, account)
        if claimed.is_inline and account.is_due:
            self.wake()
        self._rests_until = max(self._rests_until, account.rests_until or now)
        if not isinstance(outcome, Sent):
            log.info("not sent", chat=chat_id, outcome=repr(outcome))

    def _count_outcome(self, chat_id: int, account: Account) -> None:
        self._unknown.inc(account.unknown)
        self._dead_letters.inc(account.dead_letters)
        if account.dead_letters:
            self._untold.add(chat_id)

    async def _record_arrived(self, arrived: Arrived) -> bool:
        """Write it down with what else arrives now; false when that failed for any of them."""
        try:
            await self._arrivals([arrived])
        except Exception as error:  # noqa: BLE001 - it must not let the others be sent twice
            log.warning("alerts could not be recorded together", why=type(error).__name__)
            return False
        return True

    async def _write_arrived(self, sends: list[Arrived]) -> None:
        async with self._db.begin() as tx:
            await record_whole_sends(tx, sends, floods=self._floods, now=self._now())

    async def count_before_send(self, claimed: ClaimedBatch) -> None:
        """Count the copies that are about to leave, once; check each time whether they may.

        Raises:
            NotWantedError: The chat is another's to send into, some of it was ended, or we stop.
        """
        if not claimed.is_inline:
            claimed.may_go = False
            if self.worker.is_stopping:  # what waited for a flood limit would be cut off half-way
                raise NotWantedError
            await self._departures([claimed])
        # A process that was stopped for a while has lost its lease without a sign but the clock.
        if not claimed.may_go or self._now() >= claimed.until:
            raise NotWantedError

    async def _count_leaving(self, leaving: list[ClaimedBatch]) -> None:
        ours = await self._db.insist(partial(self._count_copies, leaving))
        for one in ours:
            one.left = one.may_go = True

    @staticmethod
    async def _count_copies(leaving: list[ClaimedBatch], tx: Tx) -> list[ClaimedBatch]:
        """Return those of a round of sends that may leave, their copies counted."""
        tokens = await chat_queues.lock_all(tx, [one.queue.chat.id for one in leaving])
        held = [one for one in leaving if tokens.get(one.queue.chat.id) == one.queue.token]
        counted = await deliveries.record_copy(tx, _row_ids(held, left=False))
        wanted = counted | await deliveries.still_open(tx, _row_ids(held, left=True))
        ours = [one for one in held if wanted.issuperset(row.id for row in one.batch.rows)]
        gone = counted.difference(_row_ids(ours, left=False))
        await deliveries.change(tx, gone, copies=-1)
        return ours

    async def _renew_lease(self, claimed: ClaimedBatch) -> bool:
        """Make the lease longer while the send takes long; false where it is lost."""
        queue, until = claimed.queue, self._now() + self.lease
        async with self._db.begin() as tx:
            held = await chat_queues.renew(tx, queue.chat.id, queue.token, until=until)
        claimed.until = until if held else claimed.until
        return held
