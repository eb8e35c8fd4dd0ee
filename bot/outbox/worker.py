"""The outbox: claims chat queues, sends due deliveries, and records the outcome of each row.

A chat gets messages in sequence; many chats get messages concurrently. A copy is counted right
before its request, so a crash can repeat a message but never lose a message. The lease is renewed
during a long send.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, assert_never

import structlog
from telegram.ext import ExtBot

from bot.domain import alert_rules, selection, summaries
from bot.domain.errors import DatabaseUnavailableError
from bot.domain.model import (
    AskPresence,
    Outcome,
    PermanentFailure,
    Presence,
    Sent,
    Target,
    TryLater,
)
from bot.domain.records import ChatQueue, PendingMessage
from bot.domain.selection import Batch, Decision
from bot.outbox import reply_results, results
from bot.outbox.composer import Alerts
from bot.outbox.fan_out import FanOut
from bot.outbox.jobs import AlertJob, Job, ProbeJob, ReplyJob, SendJob
from bot.outbox.leases import CountedCalls, LeasedCalls, SendLease, SendLeases
from bot.outbox.private_notices import add_failure_notice, notify_of_missing_right
from bot.outbox.results import Arrived, SendReport, Tally
from bot.outbox.summaries import add_summary
from bot.runtime.batching import BatchingQueue
from bot.runtime.claims import Lease, Owner
from bot.runtime.concurrency import FastAndSlowSlots
from bot.runtime.logging import tracing
from bot.runtime.metrics import UNSEEN, Metrics
from bot.runtime.sharing import SEVERAL_PROCESSES, Sharing
from bot.runtime.workers import Worker
from bot.sending.replies import Replies
from bot.sending.sender import Sender
from bot.sending.topics import Topics
from bot.store import chat_queues, deliveries, moves
from bot.store.engine.database import Database, Tx
from bot.telegram.calls import Calls
from bot.telegram.flood_limits import Lane
from bot.telegram.limit_state import ChatFloods
from bot.telegram.outage import Outage, is_answer

log = structlog.get_logger()

AT_ONCE = 64  # the maximum number of chats with a send in progress
# The number of additional chats whose send takes long, for example on a slow server.
SLOW_AT_ONCE = 128
# With fewer free slots, a claim waits for further slots, because every claim costs the same time.
FEW = 32
FILLED_EVERY = timedelta(milliseconds=50)  # the longest wait for more free slots
GATHERED_S = 0.005  # the time in which outcomes are collected for a shared transaction
SHORTEST = timedelta(seconds=0.1)  # the pause if other processes have claimed all due queues
TRY_AGAIN = timedelta(seconds=1)  # the pause between attempts while Telegram is down
# The pause between claims while another process sends the alerts.
PAUSED_AGAIN = timedelta(seconds=5)
# The time in which other processes can record their sent messages.
OTHERS_FIRST = timedelta(seconds=3)
JUDGED_AGAIN = timedelta(minutes=15)
# The number of queues in which a trial send is searched.
QUEUES_OF_A_TRIAL = 20


class Outbox:
    """Sends deliveries to chats. A delivery is repeated until Telegram confirms that it arrived.

    At most three copies are sent. A delivery that ``domain.selection`` drops is not sent.
    """

    def __init__(
        self,
        db: Database,
        bot: ExtBot[Any],
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
        owner: Owner | None = None,
        sharing: Sharing = SEVERAL_PROCESSES,
        metrics: Metrics = UNSEEN,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Search for due chat queues at the intervals of ``sharing``.

        ``lease`` replaces the lease of ``sharing``. ``outage`` knows whether Telegram is down.
        ``is_paused`` returns whether a different process with the same token sends the alerts.
        ``presence`` asks Telegram whether the bot may write in a chat. ``topics`` asks Telegram
        about a lost topic. If no subscriber of a chat can be reached, the ``owners`` get the
        notice about a missing right. ``floods`` are the flood limits that a process stores for the
        next process.
        """
        self._db = db
        self._bot = bot
        self._outage = outage
        self._is_paused = is_paused
        self._presence = presence
        self._owners = owners
        self._floods = floods
        self._is_only_process = sharing.is_only_process
        self._untold: set[int] = set()  # chats with a deferred notice about a loss
        self._topics = topics
        self._replies = replies
        self._alerts = Alerts(sender, replies, now=now)
        self._now = now
        self._group: asyncio.TaskGroup | None = None
        self._slots = FastAndSlowSlots(AT_ONCE, SLOW_AT_ONCE)
        self.worker = Worker("alerts", self._step, now=now, longest=sharing.alerts_every)
        owner = owner or Owner()
        self.leases = SendLeases(
            db,
            lease or sharing.lease,
            owner,
            is_stopping=lambda: self.worker.is_stopping,
            now=now,
        )
        self.fan_out = FanOut(db, self.worker.wake, now=now, sharing=sharing)
        self._rests_until = now()
        self._fill_at = now()
        self._arrivals = BatchingQueue(self._write_arrived, gather_s=GATHERED_S)
        self._unknown = metrics.counter(
            "delivery_unknown_total", "Sends of alerts whose answer was lost."
        )
        self._dead_letters = metrics.counter(
            "delivery_parked_total", "Alerts given up after copies."
        )

    def wake(self) -> None:
        """Search now for due deliveries and for fan-outs."""
        self.fan_out.worker.wake()
        self.worker.wake()

    def stop(self) -> None:
        """Stop claiming deliveries. ``run`` returns when all current sends have ended."""
        self.fan_out.worker.stop()
        self.worker.stop()

    async def run(self) -> None:
        """Send due deliveries until ``stop`` is called."""
        async with asyncio.TaskGroup() as self._group:
            self._group.create_task(self.fan_out.worker.run())
            await self.worker.run()

    async def _step(self) -> datetime | None:
        """Begin as many due jobs as slots are free. Return the time of the next step.

        Return None if only ``wake`` can make a next step useful: no queue is open, or no slot
        becomes free before a send ends.
        """
        if rests_until := await self._paused_until():
            return rests_until
        free = self._slots.count_free(self._now())
        if not free:  # the end of a send also wakes the loop
            return self._slots.next_free_at(self._now())
        if free < FEW and self._fill_at > self._now():
            return self._fill_at
        self._fill_at = self._now() + FILLED_EVERY
        claimed = await self.claim(free)
        for job in claimed:
            self._begin(job)
        if claimed:
            return self._now()
        if self._outage and self._outage.is_on():
            return self._now() + TRY_AGAIN
        due = await self._db.fetch(chat_queues.next_due_at)
        return max(due, self._now() + SHORTEST) if due else None

    async def _paused_until(self) -> datetime | None:
        """Return the time until which claims are forbidden, or None if claims are allowed.

        A row that was sent but is not yet recorded must not be claimed as unsent. After an outage
        of the database, claims therefore wait until other processes have recorded their sends.
        """
        now = self._now()
        if self._rests_until > now:
            return self._rests_until
        if self._db.has_unrecorded_actions:
            return now + TRY_AGAIN
        if self._is_paused():
            return now + PAUSED_AGAIN
        if self._is_only_process or not self.worker.trouble:
            return None
        # Raises an error while the database is unavailable.
        await self._db.fetch(chat_queues.next_due_at)
        self._rests_until = now + OTHERS_FIRST
        return self._rests_until

    def _begin(self, job: Job) -> None:
        """Start the task of a job in a slot."""
        if self._group is not None:
            task = self._group.create_task(self._deliver_safely(job))
            ticket = self._slots.take(self._now())
            task.add_done_callback(lambda _: self._on_job_ended(ticket))

    def _on_job_ended(self, ticket: int) -> None:
        self._slots.release(ticket)
        self.worker.wake()  # a slot is free, and the chat may have more deliveries

    async def run_once(self) -> int:
        """Write all due fan-outs, and do at most 64 due jobs. Return the number of jobs."""
        await self.fan_out.write_all()
        claimed = await self.claim(AT_ONCE)
        async with asyncio.TaskGroup() as group:
            for job in claimed:
                group.create_task(self.deliver(job))
        return len(claimed)

    async def _deliver_safely(self, job: Job) -> None:
        try:
            await self.deliver(job)
        except Exception:  # the queue is claimed again after the lease
            log.exception("an alert was not recorded", chat=_chat_id_of(job))

    # -- claims ---------------------------------------------------------------------------

    async def claim(self, limit: int) -> list[Job]:
        """Claim chat queues, select the deliveries to send now, and return the jobs.

        Return at most ``limit`` jobs. While Telegram is down, return at most one trial send. While
        the bot pauses, return no jobs.
        """
        now = self._now()
        if self._rests_until > now:
            return []
        if self._outage and self._outage.is_on():
            return await self.claim_trial_send(self._outage)
        jobs: list[Job] = []
        lease = self.leases.new_lease()
        async with self._db.begin() as tx:
            for queue in await chat_queues.claim(tx, lease, limit=limit):
                job = await self._select_job(tx, queue, lease)
                if job is not None and await self._may_ask_or_postpone(tx, job, queue, now):
                    jobs.append(job)
            await deliveries.record_claim(tx, [number for job in jobs for number in _ids_of(job)])
        return jobs

    async def _may_ask_or_postpone(
        self, tx: Tx, job: Job, queue: ChatQueue, now: datetime
    ) -> bool:
        """Reserve a turn to ask Telegram whether a chat accepts calls, before a repeat.

        Return False if too many chats wait for a turn. The repeat is then postponed. The bot does
        not ask about channels, because channels always accept calls.
        """
        if isinstance(job, ProbeJob) or self._outage is None:
            return True
        if not _is_repeat(job) or queue.chat.kind == "channel":
            return True
        job.asks_in = self._outage.reserve_turn_to_ask()
        if job.asks_in is None:
            for number in job.lease.ids:
                due_at = alert_rules.postponed_repeat_at(now, number)
                await deliveries.change(tx, [number], due_at=due_at)
            await chat_queues.reschedule(tx, queue.chat_id, free_at=now)
        return job.asks_in is not None

    async def claim_trial_send(self, outage: Outage) -> list[Job]:
        """Claim a single row for a trial send while Telegram is down. Success ends the pause.

        Return an empty list if no row or no trial send is due, or if the first 20 queues have no
        row to send. In the latter case, the pause ends if other processes may send the rows.
        """
        now = self._now()
        due = await self._db.fetch(chat_queues.next_due_at)
        if due is None or due > now or not await outage.claim_trial():
            return []
        lease = self.leases.new_lease()
        async with self._db.begin() as tx:
            for _ in range(QUEUES_OF_A_TRIAL):
                queues = await chat_queues.claim(tx, lease, limit=1)
                if not queues:
                    break
                job = await self._select_job(tx, queues[0], lease, is_trial=True)
                if isinstance(job, ProbeJob):
                    later = lease.at + alert_rules.STANDSTILL
                    await chat_queues.reschedule(tx, queues[0].chat.id, free_at=later)
                elif job is not None:
                    await deliveries.record_claim(tx, job.lease.ids)
                    return [job]
        if not self._is_only_process:
            # The due rows are sent by a different process, so no row of this process can end the
            # pause.
            outage.end_pause()
        return []  # in the only process, only the arrival of a message ends the pause

    async def _select_job(
        self, tx: Tx, queue: ChatQueue, claim: Lease, *, is_trial: bool = False
    ) -> Job | None:
        """Decide on the deliveries of a queue, apply the decision, and return the job.

        With ``is_trial``, the job is a single message, and the bot first asks whether the chat
        accepts calls.
        """
        now = claim.at
        decision = _decide_or_none(queue, now)
        if decision and decision.batch and summaries.is_due(decision.batch, queue.chat):
            queue = await add_summary(tx, queue, decision.batch.target, now=now)
            decision = _decide_or_none(queue, now)
        if decision is None:
            await chat_queues.reschedule(tx, queue.chat_id, free_at=now + JUDGED_AGAIN)
            return None
        free_at = await self._apply_decision(tx, queue, decision, now)
        if decision.batch is None and decision.probe is None:
            await chat_queues.reschedule(tx, queue.chat_id, free_at=free_at)
            return None
        if self._floods is not None:
            self._floods.take_over(queue.chat_id, queue.flood)
        if decision.batch is None:
            return ProbeJob(queue, decision.probe) if decision.probe else None
        batch = decision.batch.cut_to_first_message() if is_trial else decision.batch
        asks_in = timedelta(0) if is_trial else None
        lease = SendLease(queue, [row.id for row in batch.rows], claim.at, claim.until)
        if reply := batch.reply:
            is_silent = batch.is_repeat or batch.is_late
            return ReplyJob(lease, reply, is_silent, is_trial=is_trial, asks_in=asks_in)
        return AlertJob(lease, queue, batch, is_trial, asks_in)

    async def _apply_decision(
        self, tx: Tx, queue: ChatQueue, decision: Decision, now: datetime
    ) -> datetime:
        """Record the rows that wait, end or may have arrived.

        Return the time when the chat is free.
        """
        tally = Tally()
        free_at = await results.mark_unknown(tx, decision.doubtful, tally, now, new_copies=0)
        self._count(queue.chat_id, tally)
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
            log.error("parked, being unreadable", chat=queue.chat_id, deliveries=ids)
        return free_at

    # -- jobs -----------------------------------------------------------------------------

    async def deliver(self, job: Job) -> None:
        """Do a job and record the outcome."""
        match job:
            case ProbeJob():
                await self._probe(job)
            case ReplyJob():
                with tracing(str(job.reply.fields.get("trace") or f"d{job.reply.id}")):
                    await self._deliver_reply(job, self._calls(job))
            case AlertJob():
                with tracing(_trace_of(job.batch)):
                    await self._deliver_alert(job)
            case _:
                assert_never(job)

    async def send_replies(
        self, lease: SendLease, replies: Sequence[PendingMessage]
    ) -> Outcome | None:
        """Send the replies of an update in order. Return the last outcome, if there is any reply.

        The transaction of the update has claimed the queue and counted the copies. A reply that
        can't be sent now waits in the queue together with the replies behind it.
        """
        if self._floods is not None:
            self._floods.take_over(lease.queue.chat_id, lease.queue.flood)
        calls = CountedCalls(self._bot, "reply", self.leases, lease)
        outcome: Outcome | None = None
        for place, reply in enumerate(replies):
            job = ReplyJob(lease, reply, behind=replies[place + 1 :])
            outcome, is_due = await self._deliver_reply(job, calls)
            if is_due:
                self.wake()
            if not reply_results.is_final(outcome):
                break
        return outcome

    def _calls(self, job: SendJob) -> LeasedCalls:
        lane: Lane = "reply" if isinstance(job, ReplyJob) else "alert"
        return LeasedCalls(self._bot, lane, self.leases, job.lease)

    async def _deliver_reply(self, job: ReplyJob, calls: Calls) -> tuple[Outcome, bool]:
        """Send a reply and record the outcome.

        Return the outcome, and whether the chat has more deliveries.
        """
        reply = job.reply

        async def send(target: Target) -> Outcome:
            return await self._replies.send(
                target,
                reply.fields,
                calls=calls,
                silent=job.is_silent,
                one_by_one=reply.must_be_sent_alone,
            )

        outcome, in_outage = await self._send(job, send)
        tally = await self.record(job, outcome, in_outage=in_outage)
        is_final = reply_results.is_final(outcome)
        log.info("answered" if is_final else "an answer waits", chat=reply.target.chat_id)
        return outcome, tally.is_due

    async def _deliver_alert(self, job: AlertJob) -> None:
        """Send an alert and record the outcome."""
        chat, calls = job.queue.chat, self._calls(job)

        async def send(target: Target) -> Outcome:
            return await self._alerts.send(chat, replace(job.batch, target=target), calls)

        outcome, in_outage = await self._send(job, send)
        await self.record(job, outcome, in_outage=in_outage)
        if isinstance(outcome, Sent):
            stories = [row.story_pk for row in job.batch.rows if row.story_pk]
            log.info("delivered", chat=chat.id, stories=stories)

    async def _send(
        self, job: SendJob, send: Callable[[Target], Awaitable[Outcome]]
    ) -> tuple[Outcome, bool]:
        """Send under the lease of a job, which is renewed during the send.

        Return the outcome, and whether Telegram as a whole or the database is the cause of a
        failure.
        """
        chat_id, is_of_database = job.lease.queue.chat_id, False
        async with self.leases.renewing(job.lease):
            try:
                if await self._chat_accepts_calls(job):
                    outcome = await self._send_to_topic_or_chat(job, send)
                else:
                    outcome = TryLater(
                        down=job.is_trial, chat_refuses=True, reason="Telegram takes nothing there"
                    )
            except DatabaseUnavailableError as error:
                log.warning("an alert waits for the database", chat=chat_id, why=str(error))
                outcome, is_of_database = TryLater(reason=str(error)), True
            except Exception:
                log.exception("an alert failed", chat=chat_id)
                outcome = TryLater(unknown=True, reason="error")
        if self._outage is None:
            return outcome, is_of_database
        in_outage = await self._outage.record_outcome(chat_id, outcome)
        return outcome, in_outage or is_of_database

    async def _send_to_topic_or_chat(
        self, job: SendJob, send: Callable[[Target], Awaitable[Outcome]]
    ) -> Outcome:
        """Send into the topic of a job.

        If Telegram can't find the topic, the bot asks for the topic's state. If the topic was
        deleted, the failure is returned. If the topic may exist, the job waits for at most an hour
        after the row was created. After this time, or if the chat no longer has topics, the
        message is sent into the chat itself. If a part has arrived, the rest also waits.
        """
        target = _target_of(job)
        outcome = await send(target)
        is_lost = isinstance(outcome, PermanentFailure) and outcome.scope == "thread"
        if not is_lost or target.thread_id is None or self._topics is None:
            return outcome
        state = await self._topics.fetch_lost_topic_state(target.chat_id, target.thread_id)
        if state == "deleted":
            return outcome
        rows = [job.reply] if isinstance(job, ReplyJob) else job.batch.rows
        since = min(row.created_at for row in rows)
        is_sought = state == "unknown" and self._now() < since + alert_rules.TOPIC_SOUGHT_FOR
        if is_sought or outcome.items:
            return TryLater(reason="its topic may be there", items=outcome.items)
        return await send(Target(target.chat_id))

    async def _chat_accepts_calls(self, job: SendJob) -> bool:
        """Return whether a chat accepts calls.

        If the job requires a question, the bot asks Telegram when the chat's turn has come.
        """
        if self._outage is None or job.asks_in is None:
            return True
        await asyncio.sleep(job.asks_in.total_seconds())
        return await self._outage.chat_accepts_calls(_target_of(job))

    async def _probe(self, job: ProbeJob) -> None:
        """Ask whether the bot may write in a chat again, and record the answer.

        The answer is ignored if the lease of the queue was lost.
        """
        queue, mute = job.queue, job.mute
        presence: Presence = "may"
        if self._presence is not None:
            presence = await self._presence(queue.chat_id, mute.missing)
        now = self._now()
        log.info("asked about a chat", chat=queue.chat_id, presence=str(presence))
        async with self._db.begin() as tx:
            if await moves.lock_for_presence(tx, queue.chat_id, presence) == queue.token:
                # The claim ends before a move, because the queue then has the new id of the chat.
                await chat_queues.reschedule(tx, queue.chat_id, free_at=now)
                await moves.apply_presence(tx, mute, presence, now=now)
                if presence == "may not":
                    await notify_of_missing_right(tx, mute, self._owners(), now=now)

    # -- records --------------------------------------------------------------------------

    async def record(self, job: SendJob, outcome: Outcome, *, in_outage: bool) -> Tally:
        """Record an outcome, and retry until the database is available.

        ``run`` claims no delivery during the retries. Otherwise a message that has arrived would
        be sent again.

        Raises:
            DatabaseUnavailableError: PostgreSQL ended several attempts, because they took too
                long.
        """
        chat_id = job.lease.queue.chat_id
        answers_again = is_answer(outcome) and chat_id in self._untold
        if not answers_again and await self._record_if_whole(job, outcome):
            tally = Tally()
        else:
            tally = await self._record_rows(
                job, outcome, in_outage=in_outage, answers_again=answers_again
            )
        if answers_again:
            self._untold.discard(chat_id)
        self._count(chat_id, tally)
        self._rests_until = max(self._rests_until, tally.rests_until or self._rests_until)
        if not isinstance(outcome, Sent):
            log.info("not sent", chat=chat_id, outcome=repr(outcome))
        if job.is_trial and job.lease.is_counted and self._outage and is_answer(outcome):
            self._outage.end_pause()
        return tally

    async def _record_rows(
        self, job: SendJob, outcome: Outcome, *, in_outage: bool, answers_again: bool
    ) -> Tally:
        """Record the outcome of each row, and retry until the database is available."""

        async def write(tx: Tx) -> Tally:
            report = SendReport(
                outcome=outcome,
                is_counted=job.lease.is_counted,
                in_outage=in_outage,
                answers_again=answers_again,
                now=self._now(),
            )
            if isinstance(job, AlertJob):
                return await results.record(tx, job.queue, job.batch, report, floods=self._floods)
            return await reply_results.record(
                tx, job.lease.queue, job.reply, report, behind=job.behind, floods=self._floods
            )

        return await self._db.run_until_recorded(write)

    def _count(self, chat_id: int, tally: Tally) -> None:
        self._unknown.inc(tally.unknown)
        self._dead_letters.inc(tally.dead_letters)
        if tally.dead_letters:
            self._untold.add(chat_id)

    async def _record_if_whole(self, job: SendJob, outcome: Outcome) -> bool:
        """Record a batch that has arrived completely, in a transaction with other batches.

        Return False if a row is missing, or if the shared transaction failed.
        """
        if not isinstance(job, AlertJob) or not isinstance(outcome, Sent):
            return False
        arrived = Arrived(job.queue, job.batch, outcome.items)
        if not arrived.is_whole:
            return False
        try:
            await self._arrivals([arrived])
        except Exception as error:  # noqa: BLE001 - a failure must not cause other messages to be sent twice
            log.warning("alerts could not be recorded together", why=type(error).__name__)
            return False
        return True

    async def _write_arrived(self, sends: list[Arrived]) -> None:
        async with self._db.begin() as tx:
            await results.record_whole_sends(tx, sends, floods=self._floods, now=self._now())


def _decide_or_none(queue: ChatQueue, now: datetime) -> Decision | None:
    """Return the decision about a queue, or None after an error.

    An error of one chat must not delay other chats.
    """
    try:
        return selection.decide(queue, now=now)
    except Exception:
        log.exception("a chat's alerts can't be judged", chat=queue.chat_id)
        return None


def _chat_id_of(job: Job) -> int:
    return job.queue.chat_id if isinstance(job, ProbeJob) else job.lease.queue.chat_id


def _ids_of(job: Job) -> Sequence[int]:
    return () if isinstance(job, ProbeJob) else job.lease.ids


def _target_of(job: SendJob) -> Target:
    return job.reply.target if isinstance(job, ReplyJob) else job.batch.target


def _is_repeat(job: SendJob) -> bool:
    return job.reply.copies > 0 if isinstance(job, ReplyJob) else job.batch.is_repeat


def _trace_of(batch: Batch) -> str:
    """Return the id of a batch in the log: ``s`` and the id of the first story.

    For a notice, return the trace id that the notice has stored, or else ``d`` and the row id.
    """
    first = batch.rows[0]
    if first.story_pk:
        return f"s{first.story_pk}"
    return str(first.fields.get("trace") or f"d{first.id}")
