"""Claiming chat queues, and selecting the deliveries that are sent now, in one transaction."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from bot.domain import alert_rules, selection, summaries
from bot.domain.records import ChatQueue
from bot.domain.selection import Decision
from bot.outbox import results
from bot.outbox.jobs import AlertJob, Job, ReplyJob, RightsQueryJob
from bot.outbox.leases import SendLease, SendLeases
from bot.outbox.losses import Losses
from bot.outbox.private_notices import enqueue_public_or_private_failure_notice
from bot.outbox.results import Tally
from bot.outbox.summaries import add_or_recount_summary
from bot.runtime.claims import Lease
from bot.store import chat_queues, deliveries
from bot.store.engine.database import Database, Tx
from bot.telegram.limit_state import ChatFloods
from bot.telegram.outage import Outage

log = structlog.get_logger()

# The pause of a queue if an error prevents the decision about the deliveries of the queue.
JUDGED_AGAIN = timedelta(minutes=15)
# The maximum number of queues that are searched for a row for a trial send.
QUEUES_OF_A_TRIAL = 20


class JobClaims:
    """Claims due chat queues and selects their jobs."""

    def __init__(
        self,
        db: Database,
        leases: SendLeases,
        losses: Losses,
        *,
        outage: Outage | None,
        floods: ChatFloods | None,
        is_only_process: bool,
        now: Callable[[], datetime],
    ) -> None:
        """Create the claims, whose leases come from ``leases``.

        The stored flood limits of each chat with a job are loaded into ``floods``.
        """
        self._db = db
        self._leases = leases
        self._losses = losses
        self._outage = outage
        self._floods = floods
        self._is_only_process = is_only_process
        self._now = now
        self.rests_until = now()
        """The time before which no job is claimed."""

    def pause_claims_until(self, until: datetime) -> None:
        """Claim no job before ``until``, or before a later time that an earlier call has set."""
        self.rests_until = max(self.rests_until, until)

    async def claim_queues_and_build_jobs(self, limit: int) -> list[Job]:
        """Claim chat queues, select the deliveries to send now, and return at most ``limit`` jobs.

        The claims are committed before the return. While Telegram is down, return at most one job,
        which is a trial send.
        """
        now = self._now()
        if self.rests_until > now:
            return []
        if self._outage and self._outage.is_on():
            return await self.ask_telegram_and_claim_trial_send(self._outage)
        jobs: list[Job] = []
        lease = self._leases.new_lease()
        async with self._db.begin() as tx:
            for queue in await chat_queues.claim_and_lock_due_deliveries(tx, lease, limit=limit):
                job = await self._update_rows_and_build_job(tx, queue, lease)
                if job is not None and await self._reserve_turn_or_postpone(tx, job, queue, now):
                    jobs.append(job)
            claimed = [row.id for job in jobs for row in job.rows]
            await deliveries.record_claim_and_count_attempt(tx, claimed)
        return jobs

    async def _reserve_turn_or_postpone(
        self, tx: Tx, job: Job, queue: ChatQueue, now: datetime
    ) -> bool:
        """Reserve a time to ask Telegram whether the chat accepts calls, if the job is a repeat.

        If too many chats wait, postpone the job and return False. Otherwise return True. Telegram
        is not asked about channels (docs/decisions/0002-at-least-once.md). The caller has claimed
        the queue in this transaction.
        """
        if isinstance(job, RightsQueryJob) or self._outage is None:
            return True
        if not job.is_repeat or queue.chat.kind == "channel":
            return True
        job.asks_in = self._outage.reserve_turn_and_return_wait()
        if job.asks_in is None:
            for number in job.lease.ids:
                due_at = alert_rules.postponed_repeat_at(now, number)
                await deliveries.change_columns_of_open(tx, [number], due_at=due_at)
            await chat_queues.reschedule(tx, queue.chat_id, unclaimed_until=now)
        return job.asks_in is not None

    async def ask_telegram_and_claim_trial_send(self, outage: Outage) -> list[Job]:
        """Claim a single row for a trial send while Telegram is down. Return at most one job.

        If no trial send is due, or Telegram does not answer ``getMe``, return no job. If several
        processes exist and no row can be sent, end the pause of all sends.
        """
        now = self._now()
        due = await self._db.fetch(chat_queues.next_due_at)
        if due is None or due > now or not await outage.reserve_next_trial_and_ask_telegram():
            return []
        lease = self._leases.new_lease()
        async with self._db.begin() as tx:
            for _ in range(QUEUES_OF_A_TRIAL):
                queues = await chat_queues.claim_and_lock_due_deliveries(tx, lease, limit=1)
                if not queues:
                    break
                job = await self._update_rows_and_build_job(tx, queues[0], lease, is_trial=True)
                if isinstance(job, RightsQueryJob):
                    later = lease.at + alert_rules.STANDSTILL
                    await chat_queues.reschedule(tx, queues[0].chat.id, unclaimed_until=later)
                elif job is not None:
                    await deliveries.record_claim_and_count_attempt(tx, job.lease.ids)
                    return [job]
        if not self._is_only_process:
            # Other processes may have claimed all due rows. The pause must end without a trial
            # send, because this process might never find a row for a trial send.
            outage.end_pause()
        return []

    async def _update_rows_and_build_job(
        self, tx: Tx, queue: ChatQueue, claim: Lease, *, is_trial: bool = False
    ) -> Job | None:
        """Decide which deliveries of a queue are sent now, record the decision, and build the job.

        If the queue needs no job now, or the decision fails, end the claim and return None. A
        trial send has a single row. The caller has claimed the queue in this transaction.
        """
        now = claim.at
        decision = _decide_or_none(queue, now)
        if (
            decision
            and decision.batch
            and summaries.must_count_summary_stories(decision.batch, queue.chat)
        ):
            queue = await add_or_recount_summary(tx, queue, decision.batch, now=now)
            decision = _decide_or_none(queue, now)
        if decision is None:
            await chat_queues.reschedule(tx, queue.chat_id, unclaimed_until=now + JUDGED_AGAIN)
            return None
        free_at = await self._store_decision_and_enqueue_notices(tx, queue, decision, now)
        if decision.batch is None and decision.probe is None:
            await chat_queues.reschedule(tx, queue.chat_id, unclaimed_until=free_at)
            return None
        if self._floods is not None:
            self._floods.load_stored_state(queue.chat_id, queue.stored_flood_state)
        if decision.batch is None:
            return RightsQueryJob(queue, decision.probe) if decision.probe else None
        batch = decision.batch.with_first_delivery_only() if is_trial else decision.batch
        asks_in = timedelta(0) if is_trial else None
        lease = SendLease(queue, [row.id for row in batch.rows], claim.at, claim.until)
        if reply := batch.reply:
            is_silent = batch.is_repeat or batch.is_late
            return ReplyJob(lease, reply, is_silent, is_trial=is_trial, asks_in=asks_in)
        return AlertJob(lease, queue, batch, is_trial, asks_in)

    async def _store_decision_and_enqueue_notices(
        self, tx: Tx, queue: ChatQueue, decision: Decision, now: datetime
    ) -> results.ChatFreeAt:
        """Record the decision about those rows of a chat's queue that are not sent now.

        Also enqueue notices about stories that expired unsent. Return when the queue is released
        for the next job. The caller has claimed the queue in this transaction.
        """
        tally = Tally()
        free_at = await results.schedule_repeats_or_make_dead_letters(
            tx, decision.doubtful, tally, now, new_copies=0
        )
        self._losses.add_to_counters(queue.chat_id, tally)
        for row, until, why in decision.held:
            await deliveries.change_columns_of_open(tx, [row.id], due_at=until, held=why)
        for row in decision.doubled:
            await deliveries.remove_reply_or_notice(tx, row.id)
        for row, reason in decision.dropped:
            await deliveries.end_open(tx, [row.id], reason=reason, now=now)
        for (target, username, silent), count in selection.count_expired_stories(decision).items():
            fields = {"username": username, "n": count, "why": selection.GONE, "silent": silent}
            await enqueue_public_or_private_failure_notice(tx, target, fields, now=now)
        if decision.unreadable:
            ids = [row.id for row in decision.unreadable]
            await deliveries.end_open(
                tx, ids, state="parked", reason=selection.UNREADABLE, now=now
            )
            self._losses.add_unreadable_to_counter(len(ids))
            log.error("parked, being unreadable", chat=queue.chat_id, deliveries=ids)
        return free_at


def _decide_or_none(queue: ChatQueue, now: datetime) -> Decision | None:
    """Decide which deliveries of a queue are sent now. After an error, return None.

    The error is only logged. An error in one chat must not delay other chats.
    """
    try:
        return selection.decide(queue, now=now)
    except Exception:
        log.exception("a chat's alerts can't be judged", chat=queue.chat_id)
        return None
