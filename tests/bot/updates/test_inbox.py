"""Updates in: stored once, answered in order, and never forgotten."""

import asyncio
import itertools
import json
import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from telegram import Bot, Update

from bot.domain.errors import DatabaseUnavailableError
from bot.domain.records import EPOCH
from bot.operations.cleanup import delete_overdue_rows
from bot.runtime.claims import Owner
from bot.runtime.sharing import ONE_PROCESS, SEVERAL_PROCESSES
from bot.runtime.transaction_guard import refusing_slow_operations_while
from bot.store import claimed_tables, inbox
from bot.store.acquaintances import acquaintances
from bot.store.engine.database import Database, Tx
from bot.store.inbox import Arrival, ClaimedUpdate
from bot.updates.inbox import RETRIES, Handle, Intake
from bot.updates.queues import MOST_OF_PERSON
from tests.support.claims import lease_at
from tests.support.control import wait_for
from tests.support.statements import recorded_statements

NOW = datetime(2026, 11, 25, tzinfo=UTC)
BOT = Bot("1:x")
ANSWERS = {"last_resort", "too_much"}

Plain = Callable[[Update], Awaitable[None]]


def message(update_id: int, chat: int, text: str = "hi") -> dict[str, Any]:
    """Return an update with a message."""
    about = {"id": chat, "type": "private", "first_name": "Ann"}
    sent = {"message_id": update_id, "date": 1, "chat": about, "text": text}
    return {"update_id": update_id, "message": sent}


def whichever(handle: Plain) -> Handle:
    """Let a handler not care by which claim an update is its, and write down no end."""

    async def plain(update: Update, _: ClaimedUpdate) -> bool:
        await handle(update)
        return False

    return plain


@asynccontextmanager
async def working(db: Database, handle: Plain, **options: Any) -> AsyncIterator[Intake]:
    """Run an intake; it is drained at the end."""
    options |= {name: whichever(options[name]) for name in ANSWERS & options.keys()}
    options.setdefault("sharing", ONE_PROCESS if db.is_sqlite else SEVERAL_PROCESSES)
    intake = Intake(db, BOT, whichever(handle), owner=Owner(), **options)
    await intake.load_open_count()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(intake.handle_updates_until_stopped())
        try:
            yield intake
        finally:
            await intake.stop_and_wait_for_handlers(5)
        await task


async def nothing_open(db: Database) -> bool:
    async with db.read() as tx:
        return await inbox.count_open(tx) == 0


async def test_each_update_is_answered_once_and_in_order_within_its_chat(db: Database) -> None:
    seen: dict[int, list[int]] = defaultdict(list)
    at_once, most = 0, 0

    async def handle(update: Update) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.001)
        assert update.effective_chat
        seen[update.effective_chat.id].append(update.update_id)
        at_once -= 1

    async with working(db, handle, at_once=8) as intake:
        updates = [message(number, number % 5) for number in range(100)]
        for start in range(0, 100, 10):
            await intake.store_and_start(updates[start : start + 10])
            await intake.store_and_start(updates[start : start + 3])  # Telegram repeats itself
        await wait_for(lambda: nothing_open(db))
    assert all(numbers == sorted(numbers) for numbers in seen.values())
    assert sorted(number for numbers in seen.values() for number in numbers) == list(range(100))
    assert 1 < most <= 8


async def test_one_update_takes_one_claim(db: Database) -> None:
    seen: list[int] = []

    async def handle(update: Update) -> None:
        seen.append(update.update_id)

    with recorded_statements("WITH free AS") as statements:
        async with working(db, handle, sharing=SEVERAL_PROCESSES) as intake:
            await intake.store_and_start([message(1, 1)])
            await wait_for(lambda: nothing_open(db))
            intake.worker.wake()  # as at the end of each update
            await wait_for(lambda: seen)
    assert len(statements) == 1


async def test_what_a_dead_process_left_is_taken_up_at_the_start(sqlite_db: Database) -> None:
    async with sqlite_db.begin() as tx:
        await inbox.add_and_return_new(
            tx, [Arrival(1, "chat:1", json.dumps(message(1, 1)))], now=NOW
        )
        await inbox.claim(tx, lease_at(datetime.now(UTC), timedelta(hours=1)), limit=9)
        await claimed_tables.release_claims_of_owner(tx)  # as each start of the only process does
    seen: list[int] = []

    async def handle(update: Update) -> None:
        seen.append(update.update_id)

    async with working(sqlite_db, handle):
        await wait_for(lambda: nothing_open(sqlite_db))
    assert seen == [1]


class LateDatabase(Database):
    """A database whose reads end late."""

    may_end: asyncio.Event

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Tx]:
        """Wait after a read, as a busy process does."""
        async with super().read() as tx:
            yield tx
        await self.may_end.wait()


async def test_an_update_that_comes_while_the_loop_begins_is_answered(
    sqlite_db: Database,
) -> None:
    seen: list[int] = []

    async def handle(update: Update) -> None:
        seen.append(update.update_id)

    async with LateDatabase(str(sqlite_db.url)) as late:
        late.may_end = asyncio.Event()
        late.may_end.set()
        async with working(late, handle) as intake:
            late.may_end.clear()
            await asyncio.sleep(0)  # the loop begins
            await intake.store_and_start([message(1, 1)])
            late.may_end.set()
            await wait_for(lambda: nothing_open(sqlite_db))
    assert seen == [1]


async def test_replicas_share_the_work_and_a_lease_ends(db: Database) -> None:
    arrivals = [
        Arrival(number, f"chat:{number % 3}", json.dumps(message(number, number % 3)))
        for number in range(9)
    ]
    async with db.begin() as tx:
        assert len(await inbox.add_and_return_new(tx, arrivals, now=NOW)) == 9
        assert not await inbox.add_and_return_new(tx, arrivals, now=NOW)
    minute = timedelta(seconds=60)
    async with db.begin() as tx:
        first = await inbox.claim(tx, lease_at(NOW), limit=2)
        second = await inbox.claim(tx, lease_at(NOW), limit=9)
        assert not await inbox.claim(tx, lease_at(NOW), limit=9)
    assert [claimed.queue for claimed in first + second] == ["chat:0", "chat:1", "chat:2"]
    async with db.begin() as tx:
        assert await inbox.finish(tx, first[0], now=NOW)
        again = await inbox.claim(tx, lease_at(NOW), limit=9)
        assert [claimed.queue for claimed in again] == ["chat:0"]
        await inbox.claims.renew(tx, [again[0].claim], lease_at(NOW + 2 * minute))
        late = await inbox.claim(tx, lease_at(NOW + 2 * minute), limit=9)
        assert [claimed.queue for claimed in late] == ["chat:1", "chat:2"]
        assert [claimed.attempts for claimed in late] == [2, 2]
        # Whose they were was stopped for longer than the lease, and writes on them no more.
        lost = [claimed.claim for claimed in second]
        assert not await inbox.finish(tx, second[0], now=NOW)
        assert not await inbox.claims.retry(tx, lost[-1], due_at=EPOCH, attempts=0)
        assert not await inbox.claims.renew(tx, lost, lease_at(NOW + 8 * minute))
        assert not await inbox.claim(tx, lease_at(NOW + 2 * minute), limit=9)
        # A process that still handles an update after its lease does not claim the update again.
        own = [claimed.id for claimed in late]
        left = await inbox.claim(tx, lease_at(NOW + 9 * minute), limit=9, except_ids=own)
        assert [claimed.queue for claimed in left] == ["chat:0"]
        await inbox.claims.retry(tx, late[-1].claim, due_at=EPOCH, attempts=1)
        (again_late,) = await inbox.claim(tx, lease_at(NOW), limit=9)
        assert (again_late.id, again_late.attempts) == (late[-1].id, 2)
        assert again_late.token == late[-1].token + 1
        assert not await inbox.finish(tx, late[-1], now=NOW)


async def test_a_handler_that_fails_is_tried_again_and_then_somebody_else_answers(
    sqlite_db: Database,
) -> None:
    minutes = itertools.count()
    tried: list[int] = []
    told: list[int] = []

    async def handle(update: Update) -> None:
        tried.append(update.update_id)
        raise ValueError

    async def last_resort(update: Update) -> None:
        told.append(update.update_id)

    def now() -> datetime:
        return NOW + timedelta(minutes=next(minutes))

    soon = replace(RETRIES, pause=timedelta(0))
    async with working(
        sqlite_db, handle, last_resort=last_resort, retries=soon, now=now
    ) as intake:
        await intake.store_and_start([message(1, 1)])
        await wait_for(lambda: nothing_open(sqlite_db))
    assert tried == [1, 1, 1]
    assert told == [1]


async def test_deaths_of_the_process_take_no_try_from_a_handler_that_fails(
    sqlite_db: Database,
) -> None:
    tried, told = list[int](), list[int]()
    async with sqlite_db.begin() as tx:
        await inbox.add_and_return_new(
            tx, [Arrival(1, "chat:1", json.dumps(message(1, 1)))], now=NOW
        )
        for _ in range(6):  # each process dies, and its lease ends
            assert await inbox.claim(tx, lease_at(NOW, timedelta(0)), limit=9)

    async def fail(update: Update) -> None:
        tried.append(update.update_id)
        raise ValueError

    async def last_resort(update: Update) -> None:
        told.append(update.update_id)

    soon = replace(RETRIES, pause=timedelta(0))
    async with working(sqlite_db, fail, last_resort=last_resort, retries=soon):
        await wait_for(lambda: nothing_open(sqlite_db))
    assert (tried, told) == ([1, 1, 1], [1])


async def test_an_update_whose_statement_always_takes_too_long_keeps_its_chat_no_longer_than_nine(
    empty_postgres_url: str,
) -> None:
    """The server ends it each time, and nobody knows that it was not the server's fault."""
    tried: list[int] = []
    told: list[int] = []

    async def handle(update: Update) -> None:
        tried.append(update.update_id)
        if update.update_id == 1:
            async with db.begin() as tx:
                await tx.exec_driver_sql("SET LOCAL statement_timeout = 20")
                await tx.exec_driver_sql("SELECT pg_sleep(9)")

    async def last_resort(update: Update) -> None:
        told.append(update.update_id)

    soon = replace(RETRIES, pause=timedelta(0))
    async with (
        Database(empty_postgres_url) as db,
        working(db, handle, last_resort=last_resort, retries=soon) as intake,
    ):
        await intake.store_and_start([message(1, 1), message(2, 1)])
        await wait_for(lambda: nothing_open(db))
    assert tried == [1] * 9 + [2]
    assert told == [1]


async def test_a_stop_ends_in_time_and_loses_nothing(sqlite_db: Database) -> None:
    begun: list[int] = []
    done: list[int] = []
    stopping = asyncio.Event()

    async def handle(update: Update) -> None:
        begun.append(update.update_id)
        await (stopping.wait() if update.update_id < 3 else asyncio.sleep(600))
        done.append(update.update_id)

    async def is_noted() -> bool:
        async with sqlite_db.read() as tx:
            return await inbox.count_open(tx) == 6

    intake = Intake(
        sqlite_db, BOT, whichever(handle), owner=Owner(), at_once=4, sharing=ONE_PROCESS
    )
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(intake.handle_updates_until_stopped())
        await intake.store_and_start([message(number, number) for number in range(1, 9)])
        await wait_for(lambda: len(begun) >= 4)
        group.create_task(intake.stop_and_wait_for_handlers(600))
        stopping.set()
        await wait_for(is_noted)
        await intake.stop_and_wait_for_handlers(0)  # the time is over
    assert (len(begun), sorted(done)) == (4, [1, 2])
    async with sqlite_db.begin() as tx:
        left = await inbox.claim(tx, lease_at(datetime.now(UTC)), limit=99)
        assert [claimed.attempts for claimed in left] == [1] * 6


async def test_a_press_is_handled_however_long_it_waited(sqlite_db: Database) -> None:
    seen: list[int] = []

    async def handle(update: Update) -> None:
        seen.append(update.update_id)

    person = {"id": 5, "is_bot": False, "first_name": "Ann"}
    press = {"update_id": 1, "callback_query": {"id": "1", "from": person, "chat_instance": "1"}}
    async with sqlite_db.begin() as tx:
        arrival = Arrival(1, "user:5", json.dumps(press))
        await inbox.add_and_return_new(tx, [arrival], now=datetime.now(UTC) - timedelta(hours=2))
    async with working(sqlite_db, handle):
        await wait_for(lambda: nothing_open(sqlite_db))
    assert seen == [1]


async def test_what_telegram_repeats_takes_no_place_from_what_is_new(sqlite_db: Database) -> None:
    told = asyncio.Event()

    async def handle(_: Update) -> None:
        await told.wait()

    async def too_much(_: Update) -> None:
        told.set()

    updates = [message(number, 1, "/help") for number in range(35)]
    for update in updates:
        update["message"]["from"] = {"id": 1, "is_bot": False, "first_name": "Ann"}
    async with working(sqlite_db, handle, too_much=too_much) as intake:
        await intake.store_and_start(updates[:20])
        await intake.store_and_start(updates)  # the process died before it confirmed the first
        async with sqlite_db.read() as tx:
            waiting = await inbox.count_open_by_queue_and_asker(
                tx, ["chat:1"], except_update_ids=[]
            )
        assert sum(waiting.values()) == MOST_OF_PERSON
        await asyncio.wait_for(told.wait(), 60)


async def test_one_that_can_not_be_stored_takes_none_with_it_that_comes_at_the_same_time(
    db: Database,
) -> None:
    seen: list[int] = []

    async def handle(update: Update) -> None:
        seen.append(update.update_id)

    bad = message(1, 1, "/help")
    bad["message"]["from"] = {"id": 2**70, "is_bot": False, "first_name": "Ann"}
    async with working(db, handle) as intake:
        await asyncio.gather(
            *(intake.store_and_start([one]) for one in (bad, message(2, 2), message(3, 3)))
        )
        await wait_for(lambda: nothing_open(db))
    assert sorted(seen) == [2, 3]


async def test_what_is_done_is_forgotten_after_a_day(sqlite_db: Database) -> None:
    now = [NOW]

    async def handle(_: Update) -> None:
        return

    async with working(sqlite_db, handle, now=lambda: now[0]) as intake:
        await intake.store_and_start([message(1, 1, "a secret")])
        await wait_for(lambda: nothing_open(sqlite_db))
        async with sqlite_db.read() as tx:
            assert (await tx.execute(inbox.inbox.select())).one().body == ""
        now[0] += timedelta(hours=26)
        assert await delete_overdue_rows(sqlite_db, now=now[0]) == 1


async def test_the_end_of_one_update_leaves_the_place_of_the_next_of_its_chat(
    sqlite_db: Database,
) -> None:
    second, ended = asyncio.Event(), asyncio.Event()

    async def handle(update: Update) -> None:
        if update.update_id == 2:
            second.set()
            await ended.wait()

    async with working(sqlite_db, handle) as intake:
        record = intake._record_outcome  # noqa: SLF001 - a pause that only the database makes

        async def slow_to_return(claimed: ClaimedUpdate, result: str) -> None:
            await record(claimed, result)  # written; from here on the next may be claimed
            intake.worker.wake()
            await second.wait()

        intake._record_outcome = slow_to_return  # type: ignore[method-assign] # noqa: SLF001 - as above
        await intake.store_and_start([message(1, 7), message(2, 7)])
        await second.wait()
        await wait_for(lambda: intake._open == 1)  # noqa: SLF001 - between two updates
        held = list(intake._running)  # noqa: SLF001 - as above
        ended.set()
        await wait_for(lambda: nothing_open(sqlite_db))
    assert held == ["chat:7"]


async def test_a_stop_waits_for_an_answer_whose_chat_has_written_again(
    sqlite_db: Database,
) -> None:
    sent, done = asyncio.Event(), list[int]()

    async def handle(update: Update, claimed: ClaimedUpdate) -> bool:
        async with sqlite_db.begin() as tx:
            await inbox.finish(tx, claimed, now=NOW)
        if update.update_id == 1:
            await sent.wait()
        done.append(update.update_id)
        return True

    intake = Intake(sqlite_db, BOT, handle, owner=Owner(), sharing=ONE_PROCESS)
    async with asyncio.TaskGroup() as group:
        group.create_task(intake.handle_updates_until_stopped())
        await intake.store_and_start([message(1, 7)])
        await wait_for(lambda: nothing_open(sqlite_db))
        await intake.store_and_start([message(2, 7)])
        await wait_for(lambda: done == [2])
        draining = group.create_task(intake.stop_and_wait_for_handlers(5))
        await asyncio.wait([draining], timeout=0.1)
        sent.set()
        await draining
        assert done == [2, 1]


async def test_who_is_cancelled_does_not_wait_for_a_locked_database(sqlite_db: Database) -> None:
    begun = asyncio.Event()

    async def handle(_: Update) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with Database(f"{sqlite_db.url}?timeout=0.05") as db:
        intake = Intake(db, BOT, whichever(handle), owner=Owner(), sharing=ONE_PROCESS)
        running = asyncio.get_running_loop().create_task(intake.handle_updates_until_stopped())
        await wait_for(lambda: intake._is_running)  # noqa: SLF001 - it has begun
        await intake.store_and_start([message(1, 1)])
        await begun.wait()
        with closing(sqlite3.connect(str(sqlite_db.url.database))) as other:
            other.execute("BEGIN IMMEDIATE")
            running.cancel()
            assert await asyncio.wait([running], timeout=60) == ({running}, set())


class LosingDatabase(Database):
    """A database of which a commit fails, once, or the answer to one is lost."""

    before_failure: Callable[[], Awaitable[object]] | None = None
    """Called before a commit that fails."""
    after_commit: Callable[[], Awaitable[None]] | None = None
    """Called when that has been committed of which nobody knows."""

    @asynccontextmanager
    async def begin(self, *, durable: bool = True) -> AsyncIterator[Tx]:
        """Commit, or do not, and say that nobody knows."""
        async with super().begin(durable=durable) as tx:
            yield tx
            if before := self.before_failure:
                self.before_failure = None
                await before()
                raise DatabaseUnavailableError("the disk is full")
        if after := self.after_commit:
            self.after_commit = None
            await after()
            raise DatabaseUnavailableError("the answer to a commit was lost")


async def test_what_was_given_back_is_not_taken_from_who_has_it_by_then(
    empty_postgres_url: str,
) -> None:
    theirs: list[ClaimedUpdate] = []

    async def another_claims() -> None:
        later = datetime.now(UTC) + timedelta(minutes=1)
        async with losing.begin() as tx:
            theirs.extend(await inbox.claim(tx, lease_at(later), limit=9))

    async with LosingDatabase(empty_postgres_url) as losing:

        async def fail(_: Update) -> None:
            if not theirs:
                losing.after_commit = another_claims
                raise DatabaseUnavailableError("it is away")

        async with working(losing, fail) as intake:
            await intake.store_and_start([message(1, 1)])
            await wait_for(lambda: theirs)
        async with losing.begin() as tx:
            assert await inbox.finish(tx, theirs[0], now=NOW)


async def test_what_was_begun_and_can_not_be_stored_leaves_no_trace(sqlite_db: Database) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()
    done: list[int] = []

    async def handle(update: Update) -> None:
        if not begun.is_set():
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                await may_end.wait()  # as it would for a slow disk
        may_end.set()
        for _ in range(2):  # the second goes behind what the first of its kind may write
            await losing.run(inbox.count_open)
        done.append(update.update_id)

    async with LosingDatabase(str(sqlite_db.url)) as losing:
        async with working(losing, handle) as intake:
            await wait_for(lambda: intake._is_running)  # noqa: SLF001 - it has begun
            losing.before_failure = begun.wait
            with pytest.raises(DatabaseUnavailableError):
                await intake.store_and_start([message(1, 7)])
            await intake.store_and_start([message(1, 7)])  # as Telegram repeats it
            await wait_for(lambda: nothing_open(losing))
        assert done == [1]


async def test_a_person_whose_first_update_can_not_be_stored_is_recorded_with_the_next(
    sqlite_db: Database,
) -> None:
    ann = {"id": 7, "is_bot": False, "first_name": "Ann"}
    update = message(1, 7)
    update["message"]["from"] = ann

    async def handle(_: Update) -> None:
        """Do nothing."""

    async def seen_on_days(tx: Tx) -> int | None:
        days = sa.select(acquaintances.c.days).where(acquaintances.c.person == ann["id"])
        found: int | None = await tx.scalar(days)
        return found

    async def nothing() -> None:
        """Let the commit fail at once."""

    async with LosingDatabase(str(sqlite_db.url)) as losing, working(losing, handle) as intake:
        losing.before_failure = nothing
        with pytest.raises(DatabaseUnavailableError):
            await intake.store_and_start([update])
        await intake.store_and_start([update])  # as Telegram repeats it
        assert await losing.fetch(seen_on_days) == 1


async def test_what_a_stop_overtakes_is_stored_and_not_begun(sqlite_db: Database) -> None:
    seen: list[int] = []

    async def handle(update: Update) -> None:
        seen.append(update.update_id)

    intake = Intake(sqlite_db, BOT, whichever(handle), owner=Owner(), sharing=ONE_PROCESS)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(intake.handle_updates_until_stopped())
        await wait_for(lambda: intake._is_running)  # noqa: SLF001 - it has begun
        async with sqlite_db.begin():
            with refusing_slow_operations_while(None):  # it comes from elsewhere
                group.create_task(intake.store_and_start([message(1, 1)]))
            await wait_for(lambda: sqlite_db._writer._waiters)  # noqa: SLF001 - it is to be begun
            await intake.stop_and_wait_for_handlers(5)
            await running
    assert not seen
    await sqlite_db.run(
        claimed_tables.release_claims_of_owner
    )  # as each start of the only process does
    async with working(sqlite_db, handle):
        await wait_for(lambda: nothing_open(sqlite_db))
    assert seen == [1]
