"""The inbox, which stores updates and passes the updates to the handlers.

Updates of a chat are handled in order. An update is given up after three failures of the handler,
or after nine attempts. If a process dies, other processes claim its unfinished updates.
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from telegram import Bot, Update

from bot.domain.errors import DatabaseUnavailableError, TakenOverError, TryAgainError
from bot.domain.records import EPOCH
from bot.runtime.batching import BatchingQueue
from bot.runtime.claims import Owner, RetryPolicy
from bot.runtime.clock import utc_now
from bot.runtime.metrics import UNSEEN, Metrics
from bot.runtime.sharing import SEVERAL_PROCESSES, Sharing
from bot.runtime.timed_cache import TimedCache
from bot.runtime.transaction_guard import refusing_slow_operations_while
from bot.runtime.workers import NextStepAt, UntilWoken, Worker
from bot.store import acquaintances, inbox, leases
from bot.store.engine.database import Database, Tx
from bot.store.engine.failures import is_slow_statement
from bot.store.inbox import Arrival, ClaimedUpdate
from bot.updates import queues
from bot.updates.queues import BUSY, QueueAndPerson

log = structlog.get_logger()


Handle = Callable[[Update, ClaimedUpdate], Awaitable[bool]]
# An update that can be stored: its queue and person, its update_id, and its JSON text.
StorableUpdate = tuple[QueueAndPerson, int, str]

RETRIES = RetryPolicy(failures=3, attempts=9, pause=timedelta(seconds=1))
# The pause before an update is retried, for example after a database outage.
_RETURNED_FOR = timedelta(seconds=2)
# The maximum number of running handlers. The number is large, because many handlers only wait for
# a flood limit or a response.
_AT_ONCE = 1_000
# The minimum time between two replies to a person in a chat about too many requests.
SAID_AGAIN = timedelta(minutes=2)
_SEEN = 100_000  # maximum number of people to remember in memory
_SEEN_FOR = timedelta(days=1)
# If this many updates are unfinished, new updates are refused and stay at Telegram.
_BEHIND = 2_000
_CLAIM_AGAIN = timedelta(seconds=1)  # the pause before the next claim if no update was claimed
_STILL_OPEN = frozenset({"returned", "slow", "again", "taken over"})
_WITH_COMMANDS = ("message", "edited_message", "channel_post")
_SHORTEST = timedelta(seconds=0.05)  # the pause before the next claim if updates were claimed


async def _no_answer(_update: Update, _claimed: ClaimedUpdate) -> bool:
    """Do nothing. The result False means that the update was not recorded as done."""
    return False


class Intake:
    """Stores updates, and handles each update until its outcome is recorded."""

    def __init__(
        self,
        db: Database,
        bot: Bot,
        handle: Handle,
        *,
        last_resort: Handle = _no_answer,
        too_much: Handle = _no_answer,
        at_once: int = _AT_ONCE,
        retries: RetryPolicy = RETRIES,
        said_again: timedelta = SAID_AGAIN,
        sharing: Sharing = SEVERAL_PROCESSES,
        owner: Owner,
        metrics: Metrics = UNSEEN,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """Prepare to handle updates, at most ``at_once`` at the same time.

        - ``handle`` handles an update, and returns whether the update is already recorded as done.
        - ``last_resort`` replies to an update for which ``handle`` has failed too often.
        - ``too_much`` replies to too many requests of a person in a chat, at most once in
          ``said_again``.
        """
        self._db = db
        self._bot = bot
        self._handle = handle
        self._last_resort = last_resort
        self._too_much = too_much
        self._at_once = at_once
        self._retries, self._said_again = retries, said_again
        self._owner = owner
        self._now = now
        # For each queue, the latest update that is being handled.
        self._running: dict[str, ClaimedUpdate] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._open = 0  # the number of unfinished updates, which is exact if only one process runs
        # The day on which each person was last recorded.
        self._seen = TimedCache[int, date](size=_SEEN)
        self._group: asyncio.TaskGroup  # the tasks that handle updates
        self._is_running = False
        self._is_only_process, self._lease = sharing.is_only_process, sharing.lease
        self.worker = Worker(
            "updates",
            self._start_handlers,
            now=now,
            longest=sharing.updates_every,
        )
        self.renewer = Worker(
            "leases of updates", self._renew_leases_of_handled, now=now, longest=self._lease / 3
        )
        self._adds = BatchingQueue(self._store_and_start_if_allowed)
        self._counted = metrics.get_or_create_counter(
            "updates_total", "Updates by what came of them.", "result"
        )
        metrics.add_computed_gauge(
            "inbox_open", "Updates that wait for their answer.", lambda: float(self._open)
        )

    @property
    def is_full(self) -> bool:
        """Return whether too many updates are unfinished.

        If the result is True, the bot refuses new updates, and Telegram delivers these updates
        later.
        """
        return self._open >= _BEHIND

    async def store_and_start(self, updates: Iterable[object]) -> None:
        """Store the JSON of updates. Start their handlers, or wake the loop that starts handlers.

        An update that can't be stored is only logged, because Telegram would send the update again
        and again.

        Raises:
            DatabaseUnavailableError: Some of the updates may not be stored.
        """
        new_updates = list(filter(None, map(_storable_update, updates)))
        if not new_updates:
            return
        try:
            await self._adds(new_updates)
        except DatabaseUnavailableError:
            raise
        except Exception:
            log.exception("updates can't be stored together", count=len(new_updates))
            await self._store_and_start_singly(new_updates)

    async def _store_and_start_singly(self, new_updates: list[StorableUpdate]) -> None:
        for update in new_updates:
            try:
                await self._store_and_start_if_allowed([update])
            except DatabaseUnavailableError:
                raise
            except Exception:
                log.exception("an update can't be stored and is left out", id=update[1])
                self._counted.labels("left out").inc()

    async def load_open_count(self) -> None:
        """Read the number of unfinished updates from the database, and keep the number in memory.

        Call this method before the first update is stored, because the number could otherwise be
        wrong.

        Raises:
            DatabaseUnavailableError: The database is unavailable.
        """
        self._open = await self._db.fetch(inbox.count_open)

    async def handle_updates_until_stopped(self) -> None:
        """Handle updates until ``stop_and_wait_for_handlers`` is called."""
        async with asyncio.TaskGroup() as self._group:
            self._is_running = True
            renewing = self._group.create_task(self.renewer.run())
            try:
                await self.worker.run()
            finally:
                self.worker.stop()  # if this loop is cancelled, no new tasks must start
            while self._tasks:
                await asyncio.wait(self._tasks)
            renewing.cancel()

    async def _start_handlers(self) -> NextStepAt | UntilWoken:
        """Claim updates and start their handlers. Return the time of the next claim.

        Return None if no further handler may start now, or if no further update can be claimed.
        """
        room = self._at_once - len(self._running)
        if room <= 0 or self._are_all_running():
            return None
        # The read takes a single round trip to PostgreSQL. A claim takes three round trips.
        count, due = await self._db.fetch(inbox.count_open_and_next_claimable_at)
        if not self._is_only_process:
            self._open = count
        # ``due`` may also be the time at which an update can be claimed again, because the process
        # that claimed the update has died and its lease expires.
        if due is None or due > self._now():
            return due
        updates = await self._claim_due_updates(room)
        for claimed in updates:
            self._start_task(claimed)
        return self._now() + (_SHORTEST if updates else _CLAIM_AGAIN)

    def _are_all_running(self) -> bool:
        """Return whether this is the only process, and is handling all unfinished updates now."""
        return self._is_only_process and self._open <= len(self._running)

    def _wake_if_updates_wait(self) -> None:
        if not self._are_all_running():
            self.worker.wake()

    async def stop_and_wait_for_handlers(self, seconds: float) -> None:
        """Start no further handlers, and wait for the running handlers.

        After ``seconds``, cancel the handlers that still run.
        """
        self.worker.stop()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=seconds)
            for task in late:
                task.cancel()

    async def _store_and_start_if_allowed(self, new_updates: list[StorableUpdate]) -> None:
        """Store updates. If ``_may_start_unclaimed`` allows this, also start their handlers."""
        now = self._now()
        at_once = self._may_start_unclaimed([sender for sender, _, _ in new_updates])
        lease = self._owner.new_lease(now, self._lease) if at_once else None
        begun: list[tuple[ClaimedUpdate, asyncio.Task[None]]] = []
        try:
            # A failed transaction is not retried here, because Telegram sends the updates again
            # until the bot confirms them.
            async with self._db.begin() as tx:
                arrivals = await self._decide_and_build_arrivals(tx, new_updates, now)
                seen = await self._record_seen_and_return_new(
                    tx, {sender for sender, _, _ in new_updates}, now
                )
                stored = await inbox.add_and_return_new(tx, arrivals, now=now, lease=lease)
                # Start the handlers during the commit. Handlers can already read, but writes and
                # paid calls wait for the end of the commit.
                if at_once and not self.worker.is_stopping:
                    begun = [(claimed, self._start_task(claimed)) for claimed in stored]
        except BaseException:
            for claimed, task in begun:
                self._running.pop(claimed.queue, None)
                task.cancel()
            self.worker.wake()
            raise
        for person in seen:
            self._seen.put(person, now.date(), until=now + _SEEN_FOR)
        self._open += len(stored)
        self._wake_if_updates_wait()
        self._counted.labels("stored").inc(len(stored))
        self._counted.labels("too many").inc(sum(not arrival.wanted for arrival in arrivals))

    async def _record_seen_and_return_new(
        self, tx: Tx, senders: set[QueueAndPerson], now: datetime
    ) -> set[int]:
        """Record in the database that the bot has seen the senders today. Return the new people.

        After the commit, the caller must add the new people to the cache.
        """
        day = now.date()
        people = {sender.person or queues.NO_PERSON for sender in senders}
        people.discard(queues.NO_PERSON)
        fresh = {person for person in people if self._seen.get(person, now=now) != day}
        await acquaintances.count_day_seen(tx, fresh, day)
        return fresh

    async def _decide_and_build_arrivals(
        self, tx: Tx, new_updates: list[StorableUpdate], now: datetime
    ) -> list[Arrival]:
        """Decide about each new update, and return the rows to store.

        An update is handled, is answered by the reply about too many requests, or is dropped.
        """
        plain = [
            Arrival(number, sender.queue, body, sender.person)
            for sender, number, body in new_updates
        ]
        if self._is_only_process and self._open + len(new_updates) <= queues.MOST_OF_PERSON:
            return plain  # all updates together do not exceed the limit of a single person
        senders = [sender for sender, _, _ in new_updates]
        # Telegram may send an update again. Such an update must not count twice.
        again = [number for _, number, _ in new_updates]
        waiting = await inbox.count_open_by_queue_and_asker(
            tx, {sender.queue for sender in senders}, except_update_ids=again
        )
        verdicts = queues.decide_admission_of_arrivals(senders, waiting)
        if all(verdict == "handle" for verdict in verdicts):
            return plain
        busy = await inbox.queues_open_or_done_since(
            tx, {sender.busy_reply_queue for sender in senders}, since=now - self._said_again
        )
        kept = []
        for sender, arrival, verdict in zip(senders, plain, verdicts, strict=True):
            if verdict == "handle":
                kept.append(arrival)
            elif verdict == "refuse" and sender.busy_reply_queue not in busy:
                # The update is stored in a separate queue, so that the reply does not wait for
                # other updates, and without a person, so that the update does not count towards
                # the limit.
                kept.append(replace(arrival, queue=sender.busy_reply_queue, person=None))
            else:
                kept.append(replace(arrival, wanted=False))
        return kept

    def _may_start_unclaimed(self, senders: list[QueueAndPerson]) -> bool:
        """Return whether the handlers of new updates may start without a claim in the database.

        The result is True only if no other process exists, no stored update waits, and the queues
        of the new updates are free.
        """
        wanted = {sender.queue for sender in senders}
        return (
            self._is_only_process
            and self._is_running
            and not self.worker.is_stopping
            and self._open == len(self._running)
            and self._at_once - len(self._running) >= len(senders) == len(wanted)
            and wanted.isdisjoint(self._running)
        )

    async def _claim_due_updates(self, room: int) -> list[ClaimedUpdate]:
        """Claim at most ``room`` due updates, and return them.

        Of each queue, only the first unfinished update can be claimed.
        """
        # This process must not claim the updates that it is handling, even if their lease has
        # expired. The next renewal extends such a lease.
        running = [entry.id for entry in self._running.values()]

        async def claim(tx: Tx) -> list[ClaimedUpdate]:
            lease = self._owner.new_lease(self._now(), self._lease)
            return await inbox.claim(tx, lease, limit=room, except_ids=running)

        return await self._db.run(claim)

    def _start_task(self, claimed: ClaimedUpdate) -> asyncio.Task[None]:
        self._running[claimed.queue] = claimed
        # The caller may have an open transaction, whose ban of slow operations must not apply to
        # the new task.
        with refusing_slow_operations_while(None):
            task = self._group.create_task(
                self._handle_and_record(claimed), name=f"update {claimed.id}"
            )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _handle_and_record(self, claimed: ClaimedUpdate) -> None:
        """Handle an update, and record the outcome."""
        result = ""
        try:
            result, is_ended = await self._handle_and_return_if_recorded(claimed)
            if result == "returned":
                await self._release_for_retry(claimed, until=self._now() + _RETURNED_FOR)
            elif not is_ended and result != "taken over":
                await self._record_outcome(claimed, result)
            self._counted.labels(result).inc()
            self._open -= result not in _STILL_OPEN
        except asyncio.CancelledError:
            # Without a result, the update must be released for a retry. If the storage of the
            # update failed, the update is no longer in ``_running`` and has no row to release.
            if not result and self._running.get(claimed.queue) is claimed:
                await self._release_for_retry(claimed, until=EPOCH)
            if not self.worker.is_stopping:
                raise
        except Exception:
            # When the lease of the update has expired, the update is claimed again.
            log.exception("the inbox can't be written", update=claimed.id)
        finally:
            if self._running.get(claimed.queue) is claimed:  # False if a later update already runs
                self._running.pop(claimed.queue)
            self._wake_if_updates_wait()

    async def _release_for_retry(self, claimed: ClaimedUpdate, *, until: datetime) -> None:
        """Release the claim of an update for a retry at ``until``, and do not count the attempt.

        If ``until`` is ``EPOCH``, the release is given up in an outage of the database. Otherwise
        the release is usually retried until the outage ends.
        """
        write = self._db.run_until_recorded if until > EPOCH else self._db.run
        attempts = claimed.attempts - 1

        async def give_back(tx: Tx) -> None:
            await inbox.claims.retry(tx, claimed.claim, due_at=until, attempts=attempts)

        with contextlib.suppress(DatabaseUnavailableError):
            await write(give_back)

    async def _record_outcome(self, claimed: ClaimedUpdate, result: str) -> None:
        """Record the outcome of an update. Retry until the database is available.

        Raises:
            DatabaseUnavailableError: PostgreSQL ended several attempts as too slow.
        """

        async def write(tx: Tx) -> None:
            now = self._now()
            if result not in {"slow", "again"}:
                await inbox.finish(tx, claimed, now=now)
                return
            failures = claimed.failures + (result == "again")
            due_at = self._retries.next_at(claimed.attempts, now=now)
            await inbox.claims.retry(tx, claimed.claim, due_at=due_at, failures=failures)

        # The commit need not wait for the disk. If a power failure undoes the commit, the update
        # is handled again, which is harmless because the update had no effect.
        await self._db.run_until_recorded(write, durable=False)

    async def _handle_and_return_if_recorded(self, claimed: ClaimedUpdate) -> tuple[str, bool]:
        """Handle an update. Return the result, and whether the result is already recorded."""
        is_last = self._is_last_attempt(claimed)
        try:
            update = Update.de_json(with_command_entity_first(json.loads(claimed.body)), self._bot)
            if is_last:
                is_ended = await self._last_resort(update, claimed)
                return "given up", is_ended
            if claimed.queue.startswith(BUSY):
                is_ended = await self._too_much(update, claimed)
                return "too many", is_ended
            is_ended = await self._handle(update, claimed)
        except (TryAgainError, DatabaseUnavailableError) as error:
            log.warning("an update goes back", update=claimed.id, why=str(error))
            # If a statement took too long, the attempt counts, because the update itself may be
            # the cause.
            slow = "given up" if is_last else "slow"
            return slow if is_slow_statement(error) else "returned", False
        except TakenOverError:
            log.warning("an update is another's by now", update=claimed.id)
            return "taken over", False
        except Exception:
            log.exception("an update failed", update=claimed.id, attempt=claimed.attempts)
            return self._result_after_failure(claimed), False
        return "handled", is_ended

    def _result_after_failure(self, claimed: ClaimedUpdate) -> str:
        """Return the result of an update after an exception: "given up", "unreadable" or "again".

        An update that can't be parsed gets no ``last_resort``, because a reply is impossible.
        """
        if self._is_last_attempt(claimed):
            return "given up"
        if not self._retries.is_exhausted(failures=claimed.failures + 1, attempts=0):
            return "again"
        try:
            Update.de_json(json.loads(claimed.body), self._bot)
        except Exception:  # noqa: BLE001 - the caller has logged it
            return "unreadable"
        return "again"

    def _is_last_attempt(self, claimed: ClaimedUpdate) -> bool:
        """Return whether the update gets ``last_resort`` instead of the handler."""
        earlier = claimed.attempts - 1
        return self._retries.is_exhausted(failures=claimed.failures, attempts=earlier)

    async def _renew_leases_of_handled(self) -> NextStepAt | UntilWoken:
        """Renew the leases of the updates that are being handled."""
        own_claims = [entry.claim for entry in self._running.values()]
        if own_claims:
            lease = self._owner.new_lease(self._now(), self._lease)
            async with leases.begin_with_timeout(self._db) as tx:
                await inbox.claims.renew(tx, own_claims, lease)
        return None


def with_command_entity_first(update: dict[str, Any]) -> dict[str, Any]:
    """Return an update in which a command at the start of the message is the first entity.

    PTB recognises a command only if the command is the first entity. The argument is not changed.
    """
    for kind in _WITH_COMMANDS:
        entities = (update.get(kind) or {}).get("entities") or []
        leading = [
            entity
            for entity in entities
            if entity.get("type") == "bot_command" and entity.get("offset") == 0
        ]
        if leading and entities[0] is not leading[0]:
            rest = [entity for entity in entities if entity is not leading[0]]
            update = update | {kind: update[kind] | {"entities": [leading[0], *rest]}}
    return update


def _storable_update(update: object) -> StorableUpdate | None:
    """Return an update in the form for storage. Log an invalid update, and return None.

    An id that is too large for the database would make PostgreSQL's driver close the connection.
    """
    if not isinstance(update, dict) or not inbox.is_update_id(number := update.get("update_id")):
        log.error("an update without a number is left out")
        return None
    sender = queues.queue_and_person_of(update)
    if not inbox.is_update_id(sender.person or 0):
        log.error("an update of a person with an impossible id is left out", id=number)
        return None
    return sender, number, json.dumps(update)
