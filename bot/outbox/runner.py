"""Doing a job: send messages or ask Telegram about a right, and record the outcome."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, assert_never

import structlog
from telegram.ext import ExtBot

from bot.domain import alert_rules
from bot.domain.errors import DatabaseUnavailableError
from bot.domain.model import (
    AskPresence,
    Moved,
    Outcome,
    PermanentFailure,
    Presence,
    Sent,
    Target,
    TryLater,
)
from bot.domain.records import PendingMessage
from bot.outbox import reply_results, results
from bot.outbox.composer import Alerts
from bot.outbox.jobs import AlertJob, Job, ReplyJob, RightsQueryJob, SendJob
from bot.outbox.leases import AlreadyCountedCalls, LeasedCalls, SendLease, SendLeases
from bot.outbox.losses import Losses
from bot.outbox.private_notices import enqueue_private_notices_of_missing_right
from bot.outbox.results import Arrived, SendReport, Tally
from bot.runtime.batching import BatchingQueue
from bot.runtime.logging import tracing
from bot.sending.replies import Replies
from bot.sending.topics import Topics
from bot.store import chat_queues, chats, moves
from bot.store.chat_queues import HasDueTime
from bot.store.engine.database import Database, Tx
from bot.telegram.calls import Calls
from bot.telegram.limit_state import ChatFloods
from bot.telegram.outage import Outage, shows_telegram_is_up

log = structlog.get_logger()

GATHERED_S = 0.005  # seconds in which outcomes are collected for a shared transaction


class JobRunner:
    """Does claimed jobs and records their outcomes.

    A row is sent at most ``MAX_COPIES`` times without a recorded outcome, even after crashes.
    During a long send, the lease is renewed.
    """

    def __init__(
        self,
        db: Database,
        bot: ExtBot[Any],
        alerts: Alerts,
        replies: Replies,
        *,
        leases: SendLeases,
        losses: Losses,
        outage: Outage | None,
        presence: AskPresence | None,
        topics: Topics | None,
        owners: Callable[[], Iterable[int]],
        floods: ChatFloods | None,
        pause_claims_until: Callable[[datetime], None],
        wake: Callable[[], None],
        now: Callable[[], datetime],
    ) -> None:
        """Create the runner, which sends with ``bot``.

        ``owners`` returns the people who get the notice about a missing right if nobody else can
        be reached. ``wake`` is called if a chat has further deliveries after the replies of an
        update.
        """
        self._db = db
        self._bot = bot
        self._alerts = alerts
        self._replies = replies
        self._leases = leases
        self._losses = losses
        self._outage = outage
        self._presence = presence
        self._topics = topics
        self._owners = owners
        self._floods = floods
        self._pause_claims_until = pause_claims_until
        self._wake = wake
        self._now = now
        self._arrivals = BatchingQueue(self._record_arrived_alerts, gather_s=GATHERED_S)

    async def run_job_and_record_outcome(self, job: Job) -> None:
        """Do a job and record the outcome. Each file that must be bought costs 1 credit.

        Raises:
            DatabaseUnavailableError: The outcome of a send can't be recorded (see
                ``record_outcome``), or the answer to a query of the bot's rights can't be
                recorded.
        """
        match job:
            case RightsQueryJob():
                await self._fetch_and_record_presence(job)
            case ReplyJob():
                with tracing(job.trace):
                    calls = LeasedCalls(self._bot, "reply", self._leases, job.lease)
                    await self._send_and_record_reply(job, calls)
            case AlertJob():
                with tracing(job.trace):
                    await self._send_and_record_alert(job)
            case _:
                assert_never(job)

    async def send_replies(
        self, lease: SendLease, replies: Sequence[PendingMessage]
    ) -> Outcome | None:
        """Send the replies to an update in order. Return the last outcome, or None.

        The caller must have claimed the queue and counted the copies of each reply. If a reply
        can't be sent now, this reply and all later replies wait in the queue. Each bought file
        costs 1 credit.

        Raises:
            DatabaseUnavailableError: An outcome can't be recorded (see ``record_outcome``).
        """
        if self._floods is not None:
            self._floods.load_stored_state(lease.queue.chat_id, lease.queue.stored_flood_state)
        calls = AlreadyCountedCalls(self._bot, "reply", self._leases, lease)
        outcome: Outcome | None = None
        for place, reply in enumerate(replies):
            job = ReplyJob(lease, reply, behind=replies[place + 1 :])
            outcome, is_due = await self._send_and_record_reply(job, calls)
            if is_due:
                self._wake()
            if not reply_results.is_final_for_reply(outcome):
                break
        return outcome

    async def _send_and_record_reply(
        self, job: ReplyJob, calls: Calls
    ) -> tuple[Outcome, HasDueTime]:
        """Send a reply and record the outcome. Each bought file costs 1 credit.

        Return the outcome, and whether the chat has further deliveries.

        Raises:
            DatabaseUnavailableError: The outcome can't be recorded (see ``record_outcome``).
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

        outcome, in_outage = await self._send_and_detect_outage(job, send)
        tally = await self.record_outcome(job, outcome, in_outage=in_outage)
        is_final = reply_results.is_final_for_reply(outcome)
        log.info("answered" if is_final else "an answer waits", chat=reply.target.chat_id)
        return outcome, tally.is_due

    async def _send_and_record_alert(self, job: AlertJob) -> None:
        """Send an alert and record the outcome. Each bought file costs 1 credit.

        Raises:
            DatabaseUnavailableError: The outcome can't be recorded (see ``record_outcome``).
        """
        chat = job.queue.chat
        calls = LeasedCalls(self._bot, "alert", self._leases, job.lease)

        async def send(target: Target) -> Outcome:
            return await self._alerts.send_batch_and_buy_missing_files(
                chat, replace(job.batch, target=target), calls
            )

        outcome, in_outage = await self._send_and_detect_outage(job, send)
        await self.record_outcome(job, outcome, in_outage=in_outage)
        if isinstance(outcome, Sent):
            stories = [row.story_pk for row in job.batch.rows if row.story_pk]
            log.info("delivered", chat=chat.id, stories=stories)

    async def _send_and_detect_outage(
        self, job: SendJob, send: Callable[[Target], Awaitable[Outcome]]
    ) -> tuple[Outcome, bool]:
        """Send the rows of a job with ``send``, and renew the lease during the send.

        Return the outcome, and whether the cause is an outage of Telegram or of the database.
        Errors of the send become outcomes.
        """
        chat_id, is_of_database = job.chat_id, False
        async with self._leases.renewing(job.lease):
            try:
                if await self._wait_and_ask_if_chat_accepts_calls(job):
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
        in_outage = await self._outage.record_outcome_and_detect_outage(chat_id, outcome)
        return outcome, in_outage or is_of_database

    async def _send_to_topic_or_chat(
        self, job: SendJob, send: Callable[[Target], Awaitable[Outcome]]
    ) -> Outcome:
        """Send the rows of a job to their topic. Return the outcome.

        If Telegram can't find the topic, the state of the topic decides whether the rows fail, are
        retried later, or are sent to the chat itself.
        """
        target = job.target
        outcome = await send(target)
        is_lost = isinstance(outcome, PermanentFailure) and outcome.scope == "thread"
        if not is_lost or target.thread_id is None or self._topics is None:
            return outcome
        state = await self._topics.fetch_lost_topic_state(target.chat_id, target.thread_id)
        if state == "deleted":
            return outcome
        since = min(row.created_at for row in job.rows)
        is_sought = state == "unknown" and self._now() < since + alert_rules.TOPIC_SOUGHT_FOR
        if is_sought or outcome.items:
            return TryLater(reason="its topic may be there", items=outcome.items)
        return await send(Target(target.chat_id))

    async def _wait_and_ask_if_chat_accepts_calls(self, job: SendJob) -> bool:
        """Wait for the time in ``job.asks_in``, and ask Telegram whether the chat accepts calls.

        If ``job.asks_in`` is None, return True without a call.
        """
        if self._outage is None or job.asks_in is None:
            return True
        await asyncio.sleep(job.asks_in.total_seconds())
        return await self._outage.send_typing_and_see_if_accepted(job.target)

    async def _fetch_and_record_presence(self, job: RightsQueryJob) -> None:
        """Ask Telegram whether the bot has regained a missing right in a chat. Record the answer.

        If the lease of the queue was lost, or if the chat moved during the call, the answer is
        ignored.
        """
        queue, mute = job.queue, job.mute
        presence: Presence = "may"
        if self._presence is not None:
            presence = await self._presence(queue.chat_id, mute.missing)
        now = self._now()
        log.info("asked about a chat", chat=queue.chat_id, presence=str(presence))
        async with self._db.begin() as tx:
            if await moves.lock_for_presence(tx, queue.chat_id, presence) != queue.token:
                if new := await chats.new_id_if_moved(tx, queue.chat_id):
                    await results.end_moved_claim_and_reschedule(tx, queue, Moved(new), now=now)
                return
            # If ``presence`` is a move, the next call gives the queue a new chat id. For this
            # reason, the claim must end first.
            await chat_queues.reschedule(tx, queue.chat_id, unclaimed_until=now)
            await moves.apply_presence(tx, mute, presence, now=now)
            if presence == "may not":
                await enqueue_private_notices_of_missing_right(tx, mute, self._owners(), now=now)

    async def record_outcome(self, job: SendJob, outcome: Outcome, *, in_outage: bool) -> Tally:
        """Record an outcome, and retry until the database is available. Return the results.

        During the retries, the outbox claims no delivery. The outcome can also pause the claims,
        or end the pause of all sends.

        Raises:
            DatabaseUnavailableError: PostgreSQL ended several attempts as too slow.
        """
        chat_id = job.chat_id
        answers_again = shows_telegram_is_up(outcome) and self._losses.has_deferred_notice(chat_id)
        if not answers_again and await self._record_alert_if_whole(job, outcome):
            tally = Tally()
        else:
            tally = await self._record_rows(
                job, outcome, in_outage=in_outage, answers_again=answers_again
            )
        if answers_again:
            self._losses.forget_deferred_notice(chat_id)
        self._losses.add_to_counters(chat_id, tally)
        if tally.rests_until:
            self._pause_claims_until(tally.rests_until)
        if not isinstance(outcome, Sent):
            log.info("not sent", chat=chat_id, outcome=repr(outcome))
        if (
            job.is_trial
            and job.lease.is_counted
            and self._outage
            and shows_telegram_is_up(outcome)
        ):
            self._outage.end_pause()
        return tally

    async def _record_rows(
        self, job: SendJob, outcome: Outcome, *, in_outage: bool, answers_again: bool
    ) -> Tally:
        """Record the outcome of each row, and retry until the database is available.

        Raises:
            DatabaseUnavailableError: PostgreSQL ended several attempts as too slow.
        """

        async def write(tx: Tx) -> Tally:
            report = SendReport(
                outcome=outcome,
                is_counted=job.lease.is_counted,
                in_outage=in_outage,
                answers_again=answers_again,
                now=self._now(),
            )
            if isinstance(job, AlertJob):
                return await results.record_alert_outcome(
                    tx, job.queue, job.batch, report, floods=self._floods
                )
            return await reply_results.record_reply_outcome(
                tx, job.lease.queue, job.reply, report, behind=job.behind, floods=self._floods
            )

        return await self._db.run_until_recorded(write)

    async def _record_alert_if_whole(self, job: SendJob, outcome: Outcome) -> bool:
        """Record an alert that has arrived completely, in a transaction with other alerts.

        Return False if the job is not such an alert, or if the transaction failed.
        """
        if not isinstance(job, AlertJob) or not isinstance(outcome, Sent):
            return False
        arrived = Arrived(job.queue, job.batch, outcome.items)
        if len(arrived.message_ids) < len(job.batch.rows):
            return False
        try:
            await self._arrivals([arrived])
        except Exception as error:  # noqa: BLE001 - a failure must not cause other messages to be sent twice
            log.warning("alerts could not be recorded together", why=type(error).__name__)
            return False
        return True

    async def _record_arrived_alerts(self, sends: list[Arrived]) -> None:
        async with self._db.begin() as tx:
            await results.record_whole_sends_and_release_queues(
                tx, sends, floods=self._floods, now=self._now()
            )
