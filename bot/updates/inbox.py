"""Updates in: stored first, confirmed to Telegram then, handled after.

In order within a chat, many chats at once. A process that dies leaves nothing unanswered: what it
was handling is taken up again, at most three times in all. What one chat or one person asks too
much is answered once in all (``queues``), and a handler that only waits holds no place.
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

from bot.runtime.batching import Combined
from bot.runtime.metrics import Metrics
from bot.runtime.places import Place
from bot.store import acquaintances, inbox
from bot.store.acquaintances import Subject
from bot.store.database import Database, Tx
from bot.store.inbox import Arrival, Claimed
from bot.updates import queues
from bot.updates.queues import BUSY, Standing

log = structlog.get_logger()

Handle = Callable[[Update], Awaitable[None]]
News = tuple[Standing, int, str]  # an update that came: where it stands, its number, its JSON

LEASE = timedelta(seconds=60)
RENEW_S = 20.0
ATTEMPTS = 3
AT_ONCE = 64
EACH_AT_ONCE = 8  # updates of one person, in whatever chats
WAITING_AT_ONCE = 1_000  # in hand at all, those included that only wait
TOLD_AGAIN = timedelta(minutes=2)  # after "one thing at a time", before it is said again
BEHIND = 2_000  # open updates from which on Telegram is asked to wait
KEPT = timedelta(hours=25)  # Telegram repeats an update for 24 hours at most
LOOK_AGAIN_S = 1.0
# Bot API server, Client.cpp: how long an answer is taken.
STALE = {"callback_query": timedelta(seconds=150), "inline_query": timedelta(seconds=30)}


async def _no_answer(_: Update) -> None:
    """Say nothing."""


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
        at_once: int = AT_ONCE,
        metrics: Metrics | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``last_resort`` answers an update that ``handle`` failed with every time.

        ``too_much`` answers, once in all, what is more than a chat or a person may ask at a time.
        """
        self._db = db
        self._bot = bot
        self._handle = handle
        self._last_resort = last_resort
        self._too_much = too_much
        self._at_once = at_once
        self._now = now
        self._running: dict[str, tuple[Claimed, asyncio.Task[None] | None]] = {}
        self._places: dict[str, Place] = {}
        self._open = 0  # stored and not answered yet, as far as this process knows
        self._seen: set[Subject] = set()
        self._seen_day: date | None = None
        self._group: asyncio.TaskGroup | None = None
        self._wake = asyncio.Event()
        self._stopping = False
        self._adds = Combined(self._store)
        self._ends = Combined(self._finish)
        metrics = metrics or Metrics()
        self._counted = metrics.counter("updates_total", "Updates by what came of them.", "result")
        metrics.gauge("inbox_open", "Updates that wait for their answer.").follow(
            lambda: float(self._open)
        )

    @property
    def is_behind(self) -> bool:
        """Tell whether so much waits that Telegram had better keep the rest."""
        return self._open >= BEHIND

    async def add(self, updates: Iterable[dict[str, Any]]) -> None:
        """Store updates as Telegram sent them; when this returns, they will be answered."""
        arrivals = [
            (queues.standing_of(update), update["update_id"], json.dumps(update))
            for update in updates
        ]
        if arrivals:
            await self._adds(arrivals)

    async def run(self) -> None:
        """Handle updates until ``drain`` is called."""
        async with self._db.begin() as tx:
            if self._db.is_sqlite:
                await inbox.release_all(tx)
            self._open = await inbox.count_open(tx)
        async with asyncio.TaskGroup() as group:
            self._group = group
            renewing = group.create_task(self._renew())
            while not self._stopping:
                self._wake.clear()
                if not await self._take():
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._wake.wait(), LOOK_AGAIN_S)
            while self._running:
                self._wake.clear()
                await self._wake.wait()
            renewing.cancel()
            self._group = None

    async def drain(self, seconds: float) -> None:
        """Begin nothing new, and end what runs within ``seconds``; the rest waits in the store."""
        self._stopping = True
        self._wake.set()
        tasks = [task for _, task in self._running.values() if task]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()

    async def clean(self) -> int:
        """Forget what was answered over a day ago; return how many."""
        async with self._db.begin() as tx:
            return await inbox.clean(tx, before=self._now() - KEPT)

    async def oldest_s(self) -> float:
        """Return for how many seconds the oldest unanswered update waits."""
        async with self._db.read() as tx:
            since = await inbox.oldest_open(tx)
        return (self._now() - since).total_seconds() if since else 0.0

    async def _store(self, news: list[News]) -> None:
        """Store a batch; what nothing stands before is begun at once, without another claim.

        It is begun while the disk still writes: Telegram repeats what is not confirmed, so a crash
        between the two is one like any other in the middle of an answer.
        """
        now = self._now()
        at_once = self._may_begin([where for where, _, _ in news])
        async with self._db.begin() as tx:
            until = now + LEASE if at_once else None
            arrivals = await self._admit(tx, news, now)
            await self._see(tx, {where for where, _, _ in news}, now)
            found = await inbox.add(tx, arrivals, now=now, ours_until=until)
            if at_once:
                self._open += len(found)
                for claimed in found:
                    self._begin(claimed)
        if not at_once:
            self._open += len(found)
        self._counted.inc(len(found), result="stored")
        self._counted.inc(sum(not arrival.wanted for arrival in arrivals), result="too many")
        self._wake.set()

    async def _see(self, tx: Tx, places: set[Standing], now: datetime) -> None:
        """Note who asks and where, once a day for each as far as this process knows."""
        day = now.date()
        if self._seen_day != day:
            self._seen_day, self._seen = day, set()
        fresh = {subject for one in places for subject in queues.subjects_of(one)} - self._seen
        await acquaintances.see(tx, fresh, day)
        self._seen |= fresh

    async def _admit(self, tx: Tx, news: list[News], now: datetime) -> list[Arrival]:
        """Return what is stored: as it came, as the one to be told of, or only remembered."""
        plain = [Arrival(number, one.queue, body, one.person) for one, number, body in news]
        if self._db.is_sqlite and self._open + len(news) <= queues.MOST_OF_PERSON:
            return plain  # one process, which knows that there can't be too much
        waiting = await inbox.waiting(tx, {one.queue for one, _, _ in news})
        if all(
            verdict == "take" for verdict in queues.admit([one for one, _, _ in news], waiting)
        ):
            return plain
        known = await inbox.known(tx, [number for _, number, _ in news])  # Telegram repeats itself
        fresh = [(one, arrival) for (one, _, _), arrival in zip(news, plain, strict=True)]
        fresh = [(one, arrival) for one, arrival in fresh if arrival.update_id not in known]
        verdicts = queues.admit([one for one, _ in fresh], waiting)
        told = await inbox.busy_since(
            tx, {one.busy_queue for one, _ in fresh}, since=now - TOLD_AGAIN
        )
        kept = []
        for (one, arrival), verdict in zip(fresh, verdicts, strict=True):
            if verdict == "take":
                kept.append(arrival)
            elif verdict == "tell" and one.busy_queue not in told:
                # Not of the person's count, and in a queue of its own: it is answered at once.
                kept.append(replace(arrival, queue=one.busy_queue, person=None))
            else:
                kept.append(replace(arrival, wanted=False))
        return kept

    def _may_begin(self, news: list[Standing]) -> bool:
        wanted = {one.queue for one in news}
        return (
            self._db.is_sqlite  # other replicas may be busy with the same chat
            and self._group is not None
            and not self._stopping
            and self._open == len(self._running)
            and self._room() >= len(news) == len(wanted)
            and wanted.isdisjoint(self._running)
            and {one.person for one in news}.isdisjoint(self._busy())
        )

    def _room(self) -> int:
        """Return how many may be begun: those that only wait hold no place."""
        held = sum(place.is_held for place in self._places.values())
        return max(0, min(self._at_once - held, WAITING_AT_ONCE - len(self._running)))

    def _busy(self) -> list[int]:
        """Return the people who have as much in hand as one may."""
        working = (
            claimed.person
            for queue, (claimed, _) in self._running.items()
            if self._places[queue].is_held
        )
        return queues.busy(working, each=EACH_AT_ONCE)

    async def _take(self) -> bool:
        """Begin what can be; tell whether anything was."""
        room = self._room()
        if not room or (self._db.is_sqlite and self._open <= len(self._running)):
            return False
        try:
            async with self._db.begin() as tx:
                found = await inbox.claim(
                    tx, now=self._now(), lease=LEASE, limit=room, without=self._busy()
                )
                if not self._db.is_sqlite:
                    self._open = await inbox.count_open(tx)
        except Exception:  # the store is the one thing that this loop must outlive
            log.exception("the inbox can't be read")
            return False
        for claimed in found:
            self._begin(claimed)
        return bool(found)

    def _begin(self, claimed: Claimed) -> None:
        if self._group is not None:
            self._running[claimed.queue] = (claimed, None)
            self._places[claimed.queue] = Place(self._wake.set)
            task = self._group.create_task(self._answer(claimed))
            self._running[claimed.queue] = (claimed, task)

    async def _answer(self, claimed: Claimed) -> None:
        self._places[claimed.queue].take()
        try:
            result = await self._try(claimed)
            if result == "again":
                async with self._db.begin() as tx:
                    pause = timedelta(seconds=5 * claimed.attempts)
                    await inbox.postpone(tx, claimed.id, until=self._now() + pause)
            else:
                await self._ends([claimed.id])
                self._open -= 1
            self._counted.inc(result=result)
        except asyncio.CancelledError:
            async with self._db.begin() as tx:
                await inbox.hand_back(tx, claimed.id)
            if not self._stopping:
                raise
        except Exception:  # the lease brings it back; the loop and the other chats go on
            log.exception("the inbox can't be written", update=claimed.id)
        finally:
            self._running.pop(claimed.queue, None)
            self._places.pop(claimed.queue, None)
            self._wake.set()

    async def _try(self, claimed: Claimed) -> str:
        body = json.loads(claimed.body)
        if is_stale(body, self._now() - claimed.stored_at):
            return "stale"
        update = Update.de_json(body, self._bot)
        try:
            if claimed.attempts > ATTEMPTS:
                await self._last_resort(update)
                return "given up"
            if claimed.queue.startswith(BUSY):
                await self._too_much(update)
                return "too many"
            await self._handle(update)
        except Exception:  # whatever a handler may raise: the update must end
            log.exception("update failed", update_id=update.update_id, attempt=claimed.attempts)
            return "again" if claimed.attempts <= ATTEMPTS else "given up"
        return "handled"

    async def _finish(self, ids: list[int]) -> None:
        async with self._db.begin() as tx:
            await inbox.finish(tx, ids, now=self._now())

    async def _renew(self) -> None:
        """Keep the leases while handlers run; in SQLite nobody else looks at them."""
        while not self._db.is_sqlite:
            await asyncio.sleep(RENEW_S)
            ids = [claimed.id for claimed, _ in self._running.values()]
            with contextlib.suppress(OSError):
                async with self._db.begin() as tx:
                    await inbox.renew(tx, ids, until=self._now() + LEASE)


def is_stale(update: dict[str, Any], age: timedelta) -> bool:
    """Tell whether Telegram no longer takes an answer to this kind of update."""
    return any(kind in update and age > limit for kind, limit in STALE.items())
