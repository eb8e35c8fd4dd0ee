"""Updates in: stored first, confirmed to Telegram then, and handled from when they are stored.

Updates of one chat are handled in order, those of many chats at once. What a process was handling
when it died is handled again. An update is given up after three failures of its handler, or after
nine deaths; a statement that takes too long counts as a death. Of what a chat or a person asks
too much, one update is answered for all (``queues``).
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import structlog
from telegram import Bot, Update

from bot.domain.errors import DatabaseUnavailableError, TakenOverError, TryAgainError
from bot.domain.records import EPOCH
from bot.runtime.batching import BatchingQueue
from bot.runtime.metrics import UNSEEN, Metrics
from bot.runtime.timed_cache import TimedCache
from bot.runtime.transaction_guard import refusing_while
from bot.runtime.workers import LONGEST, Worker
from bot.store import acquaintances, inbox
from bot.store.acquaintances import Acquaintance
from bot.store.engine.database import Database, Tx
from bot.store.engine.failures import is_slow
from bot.store.inbox import FAILURE, Arrival, ClaimedUpdate
from bot.updates import queues
from bot.updates.queues import BUSY, Standing

log = structlog.get_logger()


Handle = Callable[[Update, ClaimedUpdate], Awaitable[bool]]
News = tuple[Standing, int, str]  # an update that came: where it stands, its number, its JSON

_UPDATE_LEASE = timedelta(seconds=60)
_LEASE_AMONG_REPLICAS = timedelta(seconds=15)  # so long wait updates that a dead replica had begun
_FAILURES = 3
_ATTEMPTS = _FAILURES * FAILURE
_AGAIN_AFTER = timedelta(seconds=1)  # the first pause after a failure; the n-th is n times as long
_RETURNED_FOR = timedelta(seconds=2)  # the pause of an update that a database outage interrupted
_AT_ONCE = 1_000  # updates begun at most: many only wait, for a flood limit or an answer
SAID_AGAIN = timedelta(minutes=2)  # how often "one thing at a time" is said at most
_SEEN = 100_000  # persons and chats in memory
_SEEN_FOR = timedelta(days=1)
_BEHIND = 2_000  # open updates from which on Telegram is asked to wait
_CLAIM_AGAIN = timedelta(seconds=1)  # how soon an update is found that another replica stored
_STILL_OPEN = frozenset({"returned", "slow", "again", "taken over"})
_SHORTEST = timedelta(seconds=0.05)  # the shortest pause between two claims


async def _no_answer(_update: Update, _claimed: ClaimedUpdate) -> bool:
    """Say nothing."""
    return False


class Intake:
    """Stores updates, and hands them to ``handle`` until they are answered."""

    def __init__(
        self,
        db: Database,
        bot: Bot,
        handle: Handle,
        *,
        last_resort: Handle = _no_answer,
        too_much: Handle = _no_answer,
        at_once: int = _AT_ONCE,
        again_after: timedelta = _AGAIN_AFTER,
        said_again: timedelta = SAID_AGAIN,
        metrics: Metrics = UNSEEN,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``handle`` gets an update and the claim by which it is ours.

        It returns whether it has written down itself that the update is done.

        ``last_resort`` answers an update with which ``handle`` failed every time. ``too_much``
        answers, once within ``said_again``, what is more than a chat or a person may ask at a
        time.
        """
        self._db = db
        self._bot = bot
        self._handle = handle
        self._last_resort = last_resort
        self._too_much = too_much
        self._at_once = at_once
        self._again_after, self._said_again = again_after, said_again
        self._now = now
        self._running: dict[str, ClaimedUpdate] = {}  # the newest of each queue
        self._tasks: set[asyncio.Task[None]] = set()
        self._open = 0  # stored and not answered yet, as far as this process knows
        self._seen = TimedCache[Acquaintance, date](size=_SEEN)  # the day of the last record
        self._group: asyncio.TaskGroup  # of all that is begun while ``run`` runs
        self._is_released = False
        longest = LONGEST if db.is_sqlite else _CLAIM_AGAIN
        self.worker = Worker("updates", self._step, now=now, longest=longest)
        self._lease = _UPDATE_LEASE if db.is_sqlite else _LEASE_AMONG_REPLICAS
        self._renewer = Worker("leases of updates", self._renew, now=now, longest=self._lease / 3)
        self._adds = BatchingQueue(self._store_batch)
        self._counted = metrics.counter("updates_total", "Updates by what came of them.", "result")
        metrics.gauge_of(
            "inbox_open", "Updates that wait for their answer.", lambda: float(self._open)
        )

    @property
    def is_behind(self) -> bool:
        """Return whether so much waits that Telegram had better keep the rest."""
        return self._open >= _BEHIND

    async def add(self, updates: Iterable[object]) -> None:
        """Store updates as Telegram sent them; when this returns, they will be answered.

        One that can't be stored is left out, for it would keep all others from coming in.

        Raises:
            DatabaseUnavailableError: Nothing of them, or not all, is stored.
        """
        news = list(filter(None, map(_to_news, updates)))
        if not news:
            return
        try:
            await self._adds(news)
        except DatabaseUnavailableError:
            raise
        except Exception:
            log.exception("updates can't be stored together", count=len(news))
            await self._add_singly(news)

    async def _add_singly(self, news: list[News]) -> None:
        for one in news:
            try:
                await self._store_batch([one])  # apart from what comes at the same time
            except DatabaseUnavailableError:
                raise
            except Exception:
                log.exception("an update can't be stored and is left out", id=one[1])
                self._counted.labels("left out").inc()

    async def run(self) -> None:
        """Handle updates until ``drain`` is called."""
        async with asyncio.TaskGroup() as self._group:
            renewing = self._group.create_task(self._renewer.run())
            try:
                await self.worker.run()
            finally:
                self.worker.stop()  # where we are cancelled, too: the group takes no more
            while self._tasks:
                await asyncio.wait(self._tasks)
            renewing.cancel()

    async def _step(self) -> datetime | None:
        """Begin what can be; return when there is more to begin."""
        if not self._is_released:
            await self._db.run(self._release_and_count)
            self._is_released = True
        room = self._free_places()
        if not room or (self._db.is_sqlite and self._open <= len(self._running)):
            return None  # whoever ends or arrives wakes us
        updates = await self._claim(room)
        for claimed in updates:
            self._begin(claimed)
        return await self._next_due_at(_SHORTEST if updates else _CLAIM_AGAIN)

    async def _release_and_count(self, tx: Tx) -> None:
        """Release what a process that died had begun, and count what is open."""
        if self._db.is_sqlite:
            await inbox.release_all(tx)
        self._open = await inbox.count_open(tx)

    async def _next_due_at(self, rest: timedelta) -> datetime | None:
        """Return when an update may be taken that was handed back, or whose holder died."""
        due = await self._db.fetch(inbox.next_due_at)
        return due and max(due, self._now() + rest)

    async def drain(self, seconds: float) -> None:
        """Begin nothing new, and end what runs within ``seconds``; the rest waits in the store."""
        self.worker.stop()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=seconds)
            for task in late:
                task.cancel()

    async def _store_batch(self, news: list[News]) -> None:
        """Store a batch; what nothing stands before is begun at once, without another claim."""
        now = self._now()
        at_once = self._may_begin([where for where, _, _ in news])
        until = now + self._lease if at_once else None
        begun: list[tuple[ClaimedUpdate, asyncio.Task[None]]] = []
        try:
            # Not Database.run: what was lost in its commit Telegram sends again all the same.
            async with self._db.begin() as tx:
                arrivals = await self._arrivals_to_store(tx, news, now)
                await self._record_seen(tx, {where for where, _, _ in news}, now)
                stored = await inbox.add(tx, arrivals, now=now, ours_until=until)
                # They read while the disk writes; what they write and pay waits for this commit.
                if at_once and not self.worker.is_stopping:
                    begun = [(one, self._begin(one)) for one in stored]
        except BaseException:
            for claimed, task in begun:
                self._running.pop(claimed.queue, None)
                task.cancel()
            raise
        finally:
            self.worker.wake()
        self._open += len(stored)
        self._counted.labels("stored").inc(len(stored))
        self._counted.labels("too many").inc(sum(not arrival.wanted for arrival in arrivals))

    async def _record_seen(self, tx: Tx, places: set[Standing], now: datetime) -> None:
        """Record the persons and chats of the updates, once a day for each."""
        day = now.date()
        subjects = {subject for one in places for subject in queues.subjects_of(one)}
        fresh = {one for one in subjects if self._seen.get(one, now=now) != day}
        await acquaintances.record_seen(tx, fresh, day)
        for one in fresh:
            self._seen.put(one, day, until=now + _SEEN_FOR)

    async def _arrivals_to_store(self, tx: Tx, news: list[News], now: datetime) -> list[Arrival]:
        """Return what is stored: as it came, as the one to be told of, or only remembered."""
        plain = [Arrival(number, one.queue, body, one.person) for one, number, body in news]
        if self._db.is_sqlite and self._open + len(news) <= queues.MOST_OF_PERSON:
            return plain  # one process, which knows that there can't be too much
        places = [one for one, _, _ in news]
        again = [number for _, number, _ in news]  # Telegram may repeat itself
        waiting = await inbox.count_by_asker(tx, {one.queue for one in places}, but=again)
        verdicts = queues.judge_arrivals(places, waiting)
        if all(verdict == "take" for verdict in verdicts):
            return plain
        busy = await inbox.queues_busy_since(
            tx, {one.busy_reply_queue for one in places}, since=now - self._said_again
        )
        kept = []
        for one, arrival, verdict in zip(places, plain, verdicts, strict=True):
            if verdict == "take":
                kept.append(arrival)
            elif verdict == "tell" and one.busy_reply_queue not in busy:
                # Not of the person's count, and in a queue of its own: it is answered at once.
                kept.append(replace(arrival, queue=one.busy_reply_queue, person=None))
            else:
                kept.append(replace(arrival, wanted=False))
        return kept

    def _may_begin(self, news: list[Standing]) -> bool:
        wanted = {one.queue for one in news}
        return (
            self._db.is_sqlite  # other replicas may be busy with the same chat
            and self._is_released
            and not self.worker.is_stopping
            and self._open == len(self._running)
            and self._free_places() >= len(news) == len(wanted)
            and wanted.isdisjoint(self._running)
        )

    def _free_places(self) -> int:
        """Return how many may be begun."""
        return max(0, self._at_once - len(self._running))

    async def _claim(self, room: int) -> list[ClaimedUpdate]:
        """Take the first updates of queues that nobody is busy with."""

        async def claim(tx: Tx) -> tuple[list[ClaimedUpdate], int]:
            rows = await inbox.claim(tx, now=self._now(), lease=self._lease, limit=room)
            # The number by which a handler of ours goes must stay.
            in_hand = [one for one in rows if self._is_running(one)]
            await inbox.change(tx, in_hand, attempts=-1)
            return rows, await inbox.count_open(tx)

        rows, count = await self._db.run(claim)
        if not self._db.is_sqlite:  # others change it as well
            self._open = count
        return [claimed for claimed in rows if not self._is_running(claimed)]

    def _is_running(self, claimed: ClaimedUpdate) -> bool:
        """Return whether we are at this very update: its lease ended before its handler did.

        Another one of its queue may be begun, although the one before still runs: the end of that
        one is written, else the claim would have given that one again.
        """
        running = self._running.get(claimed.queue)
        return running is not None and running.id == claimed.id

    def _begin(self, claimed: ClaimedUpdate) -> asyncio.Task[None]:
        self._running[claimed.queue] = claimed
        with refusing_while(None):  # a transaction of who begins it is none of the task's
            task = self._group.create_task(self._handle_and_record(claimed))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _handle_and_record(self, claimed: ClaimedUpdate) -> None:
        """Handle one update, and write down what came of it."""
        result = ""
        try:
            result, is_ended = await self._try_to_handle(claimed)
            if result == "returned":
                await self._give_back(claimed, until=self._now() + _RETURNED_FOR)
            elif not is_ended and result != "taken over":
                await self._record(claimed, result)
            self._count_result(result)
        except asyncio.CancelledError:
            if not result and self._running.get(claimed.queue) is claimed:  # else it isn't stored
                await self._give_back(claimed, until=EPOCH)
            if not self.worker.is_stopping:
                raise
        except Exception:  # the lease brings it back; the loop and the other chats go on
            log.exception("the inbox can't be written", update=claimed.id)
        finally:
            if self._running.get(claimed.queue) is claimed:  # not another, nor it once more
                self._running.pop(claimed.queue)
            self.worker.wake()

    async def _give_back(self, claimed: ClaimedUpdate, *, until: datetime) -> None:
        """Let an update of which nothing came be begun anew; else its lease brings it back.

        Insisted on only where no other replica can have it by then under our number, and not by
        who is cancelled (``EPOCH``).
        """
        write = self._db.insist if self._db.is_sqlite and until > EPOCH else self._db.run
        with contextlib.suppress(DatabaseUnavailableError):
            await write(lambda tx: inbox.change(tx, [claimed], attempts=-1, leased_until=until))

    async def _record(self, claimed: ClaimedUpdate, result: str) -> None:
        """Write down what came of an update, however long the database can't work.

        What was answered must not be begun again, so its chat waits until that is written.
        """
        now, wait = self._now(), self._again_after * (1 + claimed.attempts // FAILURE)
        values: dict[str, Any] = {"done_at": now}
        if result in {"slow", "again"}:
            failed = FAILURE - 1 if result == "again" else 0
            values = {"attempts": failed, "leased_until": now + wait}
        # A power cut that undoes it lets the update begin anew, as it had no effect.
        await self._db.insist(lambda tx: inbox.change(tx, [claimed], **values), durable=False)

    def _count_result(self, result: str) -> None:
        self._counted.labels(result).inc()
        self._open -= result not in _STILL_OPEN

    async def _try_to_handle(self, claimed: ClaimedUpdate) -> tuple[str, bool]:
        """Return what came of an update, and whether its end is written down."""
        try:
            update = Update.de_json(json.loads(claimed.body), self._bot)
            if claimed.attempts > _ATTEMPTS:
                is_ended = await self._last_resort(update, claimed)
                return "given up", is_ended
            if claimed.queue.startswith(BUSY):
                is_ended = await self._too_much(update, claimed)
                return "too many", is_ended
            is_ended = await self._handle(update, claimed)
        except (TryAgainError, DatabaseUnavailableError) as error:
            log.warning("an update goes back", update=claimed.id, why=str(error))
            # A timeout counts as a death does: the update or the database may be to blame.
            slow = "slow" if claimed.attempts <= _ATTEMPTS else "given up"
            return slow if is_slow(error) else "returned", False
        except TakenOverError:
            log.warning("an update is another's by now", update=claimed.id)
            return "taken over", False
        except Exception:
            log.exception("an update failed", update=claimed.id, attempt=claimed.attempts)
            return self._result_after_failure(claimed), False
        return "handled", is_ended

    def _result_after_failure(self, claimed: ClaimedUpdate) -> str:
        """Return what becomes of an update that failed; its chat goes on after three times."""
        counted = claimed.attempts + FAILURE - 1
        if counted < _ATTEMPTS:
            return "again"
        try:
            Update.de_json(json.loads(claimed.body), self._bot)
        except Exception:  # noqa: BLE001 - said above; nobody can be told of what can't be read
            return "unreadable"
        return "again" if claimed.attempts <= _ATTEMPTS else "given up"

    async def _renew(self) -> datetime | None:
        """Keep the leases while handlers run."""
        ours = list(self._running.values())
        if ours:
            until = self._now() + self._lease
            await self._db.run(lambda tx: inbox.change(tx, ours, leased_until=until))
        return None


def _to_news(update: object) -> News | None:
    """Return what is stored of an update, None where it has no number that we could confirm."""
    if isinstance(update, dict) and inbox.is_update_id(number := update.get("update_id")):
        return queues.standing_of(update), number, json.dumps(update)
    log.error("an update without a number is left out")
    return None
