"""The outbox: claims chat queues, sends due deliveries, and records the outcome of each row.

A chat gets its messages in sequence. Different chats get messages concurrently.
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import structlog
from telegram.ext import ExtBot

from bot.domain.model import AskPresence
from bot.outbox.claiming import JobClaims
from bot.outbox.composer import Alerts
from bot.outbox.fan_out import FanOut
from bot.outbox.jobs import Job
from bot.outbox.leases import SendLeases
from bot.outbox.losses import Losses
from bot.outbox.runner import JobRunner
from bot.runtime.claims import Owner
from bot.runtime.concurrency import FastAndSlowSlots
from bot.runtime.metrics import UNSEEN, Metrics
from bot.runtime.sharing import SEVERAL_PROCESSES, Sharing
from bot.runtime.workers import NextStepAt, UntilWoken, Worker
from bot.sending.replies import Replies
from bot.sending.sender import Sender
from bot.sending.topics import Topics
from bot.store import chat_queues
from bot.store.engine.database import Database
from bot.telegram.limit_state import ChatFloods
from bot.telegram.outage import NotPaused, Outage

log = structlog.get_logger()

AT_ONCE = 64  # the maximum number of chats with a send in progress
# The maximum number of chats with a slow send, in addition to ``AT_ONCE``. For example, a slow
# server can make a send slow.
SLOW_AT_ONCE = 128
# If fewer than 32 slots are free, the next claim waits for more free slots, because a claim takes
# the same time for any number of slots.
FEW = 32
FILLED_EVERY = timedelta(milliseconds=50)  # the longest wait for more free slots
SHORTEST = timedelta(seconds=0.1)  # the pause if other processes have claimed all due queues
# The pause between two steps while Telegram is down, or while a sent message can't be recorded.
TRY_AGAIN = timedelta(seconds=1)
# The pause before the next step while another process sends the alerts.
PAUSED_AGAIN = timedelta(seconds=5)
# The pause after an outage of the database. During the pause, other processes record the messages
# that were sent before or during the outage.
OTHERS_FIRST = timedelta(seconds=3)


class Outbox:
    """Sends deliveries to chats.

    A delivery is sent again until Telegram confirms its arrival, until Telegram's answers to three
    sends were lost, or until the delivery ends, for example because its story has expired.
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
        now: Callable[[], datetime],
    ) -> None:
        """Create the outbox.

        ``sharing`` has the longest pauses between two searches for due work. ``is_paused`` returns
        whether a different process with the same token sends the alerts.
        """
        self._db = db
        self._outage = outage
        self._is_paused = is_paused
        self._is_only_process = sharing.is_only_process
        self._now = now
        self._group: asyncio.TaskGroup | None = None
        self._slots = FastAndSlowSlots(AT_ONCE, SLOW_AT_ONCE)
        self._fill_at = now()
        self.worker = Worker(
            "alerts",
            self._start_jobs,
            now=now,
            longest=sharing.alerts_every,
        )
        self.fan_out = FanOut(db, self.worker.wake, now=now, sharing=sharing)
        self.leases = SendLeases(
            db,
            lease or sharing.lease,
            owner or Owner(),
            is_stopping=lambda: self.worker.is_stopping,
            now=now,
        )
        losses = Losses(metrics)
        self.claims = JobClaims(
            db,
            self.leases,
            losses,
            outage=outage,
            floods=floods,
            is_only_process=sharing.is_only_process,
            now=now,
        )
        self.runner = JobRunner(
            db,
            bot,
            Alerts(sender, replies, now=now),
            replies,
            leases=self.leases,
            losses=losses,
            outage=outage,
            presence=presence,
            topics=topics,
            owners=owners,
            floods=floods,
            pause_claims_until=self.claims.pause_claims_until,
            wake=self.wake,
            now=now,
        )

    def wake(self) -> None:
        """Make the loops search now for due deliveries and fan-outs."""
        self.fan_out.worker.wake()
        self.worker.wake()

    def stop(self) -> None:
        """Stop both loops. The sends in progress are not interrupted."""
        self.fan_out.worker.stop()
        self.worker.stop()

    async def fan_out_and_send_until_stopped(self) -> None:
        """Write due fan-outs and send due deliveries until ``stop`` is called.

        Each bought file costs 1 credit.
        """
        async with asyncio.TaskGroup() as self._group:
            self._group.create_task(self.fan_out.worker.run())
            await self.worker.run()

    async def fan_out_and_do_due_jobs_once(self) -> int:
        """Write all due fan-outs, and do at most 64 due jobs. Return the number of jobs.

        Each bought file costs 1 credit.

        Raises:
            DatabaseUnavailableError: The fan-outs can't be written, or no job can be claimed.
            ExceptionGroup: The outcome of a job can't be recorded.
        """
        await self.fan_out.write_due_fan_outs()
        claimed = await self.claims.claim_queues_and_build_jobs(AT_ONCE)
        async with asyncio.TaskGroup() as group:
            for job in claimed:
                group.create_task(self.runner.run_job_and_record_outcome(job))
        return len(claimed)

    async def _start_jobs(self) -> NextStepAt | UntilWoken:
        """Start due jobs in the free slots. Return the time of the next step.

        Return None if no delivery waits, or if no slot becomes free before a send ends.
        """
        paused_until = await self._pause_claims_if_needed()
        if paused_until:
            return paused_until
        free = self._slots.count_free(self._now())
        if not free:
            return self._slots.next_free_at(self._now())
        if free < FEW and self._fill_at > self._now():
            return self._fill_at
        self._fill_at = self._now() + FILLED_EVERY
        claimed = await self.claims.claim_queues_and_build_jobs(free)
        for job in claimed:
            self._start_task(job)
        if claimed:
            return self._now()
        if self._outage and self._outage.is_on():
            return self._now() + TRY_AGAIN
        due = await self._db.fetch(chat_queues.next_due_at)
        return max(due, self._now() + SHORTEST) if due else None

    async def _pause_claims_if_needed(self) -> datetime | NotPaused:
        """Return the time until which claims are paused, or None if claims are allowed.

        If several processes exist, claims pause for 3 seconds after an outage of the database. In
        this pause, the other processes record their sends.

        Raises:
            DatabaseUnavailableError: The outage of the database continues.
        """
        now = self._now()
        if self.claims.rests_until > now:
            return self.claims.rests_until
        if self._db.has_unrecorded_actions:
            return now + TRY_AGAIN
        if self._is_paused():
            return now + PAUSED_AGAIN
        if self._is_only_process or not self.worker.trouble:
            return None
        # This query raises an error while the database is unavailable.
        await self._db.fetch(chat_queues.next_due_at)
        self.claims.pause_claims_until(now + OTHERS_FIRST)
        return self.claims.rests_until

    def _start_task(self, job: Job) -> None:
        """Start the task of a job in a slot."""
        if self._group is not None:
            task = self._group.create_task(self._run_job_and_log_errors(job))
            ticket = self._slots.record_start_and_return_ticket(self._now())
            task.add_done_callback(lambda _: self._slots.record_end(ticket))
            # A slot is free now, and the chat may have more deliveries.
            task.add_done_callback(lambda _: self.worker.wake())

    async def _run_job_and_log_errors(self, job: Job) -> None:
        try:
            await self.runner.run_job_and_record_outcome(job)
        except Exception:  # When the lease of the queue has expired, the queue is claimed again.
            log.exception("an alert was not recorded", chat=job.chat_id)
