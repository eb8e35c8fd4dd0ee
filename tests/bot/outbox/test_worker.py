"""The outbox: claims, sends, records; what each outcome leads to, on both databases."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest
from telegram.ext import ExtBot

from bot.domain.alert_rules import MAX_ATTEMPTS
from bot.domain.model import Album, Outcome, Sent, SentItem, Target, TryLater
from bot.domain.options import Options
from bot.outbox.jobs import AlertJob
from bot.outbox.worker import AT_ONCE, FEW, Outbox
from bot.runtime.clock import Clock as RealClock
from bot.runtime.metrics import Metrics
from bot.runtime.sharing import ONE_PROCESS, SEVERAL_PROCESSES
from bot.sending.replies import Payload, text_payload
from bot.store import chat_queues, deliveries, enqueue, subscriptions
from bot.store.engine.database import Database
from bot.telegram.api import TooSoonError
from bot.telegram.calls import Calls
from bot.telegram.outcomes import outcome_of
from tests.support.claims import lease_at
from tests.support.control import wait_for
from tests.support.database import on_postgresql
from tests.support.followed import (
    HOUR,
    MINUTE,
    NOON,
    PRADA,
    Clock,
    follow,
    look,
    rows,
    story,
)
from tests.support.postgres import connected

SECOND = timedelta(seconds=1)
NO_BOT = cast("ExtBot[Any]", None)  # the seam below stands for all that calls Telegram


@dataclass
class Post:
    """Our own seam to Telegram: takes albums and texts, and answers as it is told."""

    bot_name = "storybell_bot"

    outcomes: list[Outcome] = field(default_factory=list)
    albums: list[tuple[Target, list[str], Any]] = field(default_factory=list)
    captions: list[str | None] = field(default_factory=list)
    sentences: list[tuple[Target, str, bool]] = field(default_factory=list)
    before: Callable[[], Any] | None = None
    numbers: int = 0

    async def send_album_and_buy_missing_files(
        self,
        target: Target,
        album: Album,
        *,
        caption_html: str | None,
        options: Any,
        calls: Calls,
        **_: Any,
    ) -> Outcome:
        if refused := await self._confirm(calls):
            return refused
        self.albums.append((target, [one.pk for one in album.stories], options))
        self.captions.append(caption_html)
        if self.outcomes:
            return self.outcomes.pop(0)
        return sent(*(one.pk for one in album.stories))

    async def send(
        self,
        target: Target,
        payload: Payload,
        *,
        calls: Calls,
        silent: bool = False,
        **_: Any,
    ) -> Outcome:
        if refused := await self._confirm(calls):
            return refused
        self.sentences.append((target, payload["text"], silent or "silent" in payload))
        return self.outcomes.pop(0) if self.outcomes else sent("")

    async def _confirm(self, calls: Calls) -> Outcome | None:
        if self.before:
            await self.before()
        try:
            await calls.before_request()
        except TooSoonError as error:
            return outcome_of(error)
        return None


def sent(*pks: str, **failed: str) -> Sent:
    items = tuple(SentItem(pk, number) for number, pk in enumerate(pks, 1))
    return Sent(items, {pk.removeprefix("s"): why for pk, why in failed.items()})


async def claim_alert(outbox: Outbox) -> AlertJob:
    """Claim the one chat queue that is due, with an alert in it."""
    [job] = await outbox.claims.claim_queues_and_build_jobs(5)
    assert isinstance(job, AlertJob)
    return job


@dataclass
class Office:
    db: Database
    post: Post
    clock: Clock
    outbox: Outbox

    async def state(self) -> list[tuple[str | None, str, int]]:
        return [(row.story_pk or row.notice, row.state, row.copies) for row in await rows(self.db)]


@pytest.fixture
async def office(db: Database) -> Office:
    post, clock = Post(), Clock()
    sharing = ONE_PROCESS if db.is_sqlite else SEVERAL_PROCESSES
    outbox = Outbox(db, NO_BOT, post, post, lease=MINUTE, sharing=sharing, now=clock)  # type: ignore[arg-type] # Post stands for both
    async with db.begin() as tx:
        await follow(tx, -1, options=Options(silent=True, caption="short"))
    return Office(db, post, clock, outbox)


async def found(office: Office, *pks: str) -> None:
    async with office.db.begin() as tx:
        await look(tx, *(story(pk) for pk in pks), now=office.clock())


@on_postgresql
async def test_a_row_that_another_session_keeps_locked_delays_no_other_chat(
    office: Office, database_url: str
) -> None:
    async with office.db.begin() as tx:
        await follow(tx, -2)
    await found(office, "1")
    await office.outbox.fan_out.write_due_fan_outs()
    async with connected(database_url) as other:
        session = other.transaction()
        await session.start()
        await other.execute("DELETE FROM deliveries WHERE chat_id = -1")
        await office.outbox.fan_out_and_do_due_jobs_once()
        assert [target.chat_id for target, *_ in office.post.albums] == [-2]
        await session.rollback()
    await office.outbox.fan_out_and_do_due_jobs_once()
    assert [target.chat_id for target, *_ in office.post.albums] == [-2, -1]


async def test_stories_found_together_go_as_one_album_with_a_caption(office: Office) -> None:
    await found(office, "1", "2")
    assert await office.outbox.fan_out_and_do_due_jobs_once() == 1
    [(target, pks, options)] = office.post.albums
    assert (target, pks) == (Target(-1), ["1", "2"])
    assert (options.silent, options.spoiler, options.protect) == (True, False, False)
    assert "natgeo" in (office.post.captions[0] or "")
    assert await office.state() == [("1", "sent", 1), ("2", "sent", 1)]
    assert [row.message_id for row in await rows(office.db)] == [1, 2]
    assert await office.outbox.fan_out_and_do_due_jobs_once() == 0


async def test_many_stories_go_as_even_albums_one_after_the_other(office: Office) -> None:
    await found(office, *(str(n) for n in range(10, 31)))
    assert [await office.outbox.fan_out_and_do_due_jobs_once() for _ in range(4)] == [1, 1, 1, 0]
    assert [pk for _, pks, _ in office.post.albums for pk in pks] == [
        str(n) for n in range(10, 31)
    ]


async def test_what_can_not_be_brought_of_an_album_is_told(office: Office) -> None:
    await found(office, "1", "2")
    office.post.outcomes = [Sent((SentItem("1", 1),), failed={"2": "It is gone."})]
    await office.outbox.fan_out_and_do_due_jobs_once()
    assert await office.state() == [("1", "sent", 1), ("2", "dropped", 1), ("failed", "open", 0)]


async def test_what_could_not_be_sent_waits_longer_each_time_and_keeps_its_place(
    office: Office,
) -> None:
    await found(office, "1")
    async with office.db.begin() as tx:
        await follow(tx, -1, PRADA)
        await look(tx, story("9", of=PRADA), of=PRADA)
    office.post.outcomes = [TryLater(reason="media unavailable")]
    await office.outbox.fan_out_and_do_due_jobs_once()
    await found(office, "2")
    await office.outbox.fan_out_and_do_due_jobs_once()
    assert office.post.albums[1][1] == ["9"]  # another profile does not wait
    assert await office.outbox.fan_out_and_do_due_jobs_once() == 0
    office.clock.on(5 * SECOND)
    await office.outbox.fan_out_and_do_due_jobs_once()
    assert office.post.albums[2][1] == ["1", "2"]


async def test_one_medium_that_can_not_be_had_keeps_a_later_story_for_a_minute_at_most(
    office: Office,
) -> None:
    await found(office, "1")
    office.post.outcomes = [TryLater(reason="media unavailable") for _ in range(7)]
    for attempt in range(7):
        assert await office.outbox.fan_out_and_do_due_jobs_once() == 1
        office.clock.on(5 * SECOND * 2**attempt - SECOND)
        assert await office.outbox.fan_out_and_do_due_jobs_once() == 0
        office.clock.on(SECOND)
    office.clock.on(-5 * SECOND * 2**6)  # the next try is five minutes away
    office.post.albums.clear()
    await found(office, "2")
    office.clock.on(MINUTE - SECOND)
    assert await office.outbox.fan_out_and_do_due_jobs_once() == 0
    office.clock.on(SECOND)
    assert await office.outbox.fan_out_and_do_due_jobs_once() == 1
    assert [pks for _, pks, _ in office.post.albums] == [["2"]]
    office.clock.on(5 * MINUTE)
    assert await office.outbox.fan_out_and_do_due_jobs_once() == 1
    assert [pks for _, pks, _ in office.post.albums] == [["2"], ["1"]]


async def test_a_lost_answer_is_repeated_twice_silently_and_what_is_behind_goes(
    office: Office,
) -> None:
    await found(office, "1")
    office.post.outcomes = [TryLater(unknown=True)] * 2
    await office.outbox.fan_out_and_do_due_jobs_once()
    await found(office, "2")
    office.clock.on(29 * SECOND)
    assert await office.outbox.fan_out_and_do_due_jobs_once() == 0
    office.clock.on(1 * SECOND)
    assert await office.outbox.fan_out_and_do_due_jobs_once() == 1
    assert await office.outbox.fan_out_and_do_due_jobs_once() == 1
    assert await office.state() == [("1", "open", 2), ("2", "sent", 1)]
    office.post.outcomes = [TryLater(unknown=True)]
    office.clock.on(18 * MINUTE)
    assert await office.outbox.fan_out_and_do_due_jobs_once() == 1
    assert [pks for _, pks, _ in office.post.albums] == [["1"], ["1"], ["2"], ["1"]]
    assert [options.silent for _, _, options in office.post.albums] == [True] * 4
    assert await office.state() == [("1", "parked", 3), ("2", "sent", 1), ("failed", "open", 0)]
    row, _, notice = await rows(office.db)
    assert row.reason == "no answers"
    assert (notice.fields["username"], notice.fields["n"]) == ("natgeo", 1)
    await found(office, "3")
    office.post.outcomes = [TryLater()]
    for _ in range(2):
        assert await office.outbox.fan_out_and_do_due_jobs_once() == 1
        assert not office.post.sentences
        office.clock.on(5 * SECOND)
    assert (
        await office.outbox.fan_out_and_do_due_jobs_once() == 1
    )  # it was answered: now the chat hears of it
    assert "Telegram never answered" in office.post.sentences[-1][1].replace("&#x27;", "'")


async def test_a_bug_in_a_send_counts_as_a_lost_answer(office: Office) -> None:
    await found(office, "1")

    async def fail() -> None:
        raise ZeroDivisionError

    office.post.before = fail
    await office.outbox.fan_out_and_do_due_jobs_once()
    assert await office.state() == [("1", "open", 0)]  # nothing had left
    office.post.before = None
    office.clock.on(MINUTE)
    await office.outbox.fan_out_and_do_due_jobs_once()
    assert await office.state() == [("1", "sent", 1)]


async def test_who_lost_the_lease_sends_nothing_more(office: Office) -> None:
    await found(office, "1")

    async def pause() -> None:
        office.post.before = None
        office.clock.on(MINUTE)
        await office.outbox.fan_out_and_do_due_jobs_once()

    office.post.before = pause
    await office.outbox.fan_out_and_do_due_jobs_once()
    assert len(office.post.albums) == 1
    assert await office.state() == [("1", "sent", 1)]


@pytest.mark.parametrize("end", ["paused", "ended"])
async def test_what_is_ended_between_two_requests_of_a_send_stops_the_second(
    office: Office, end: str
) -> None:
    await found(office, "1", "2")
    claimed = await claim_alert(office.outbox)
    await office.outbox.leases.check_and_count_copies(claimed.lease)
    async with office.db.begin() as tx:
        [one] = await subscriptions.of_chat(tx, -1)
        if end == "paused":
            await deliveries.drop_open_where(tx, subscription_id=one.id, reason="paused", now=NOON)
        else:
            await subscriptions.remove(tx, [one.id])
    with pytest.raises(TooSoonError):
        await office.outbox.leases.check_and_count_copies(claimed.lease)


async def test_what_may_not_leave_whole_counts_no_copy(office: Office) -> None:
    await found(office, "1", "2")
    claimed = await claim_alert(office.outbox)
    async with office.db.begin() as tx:
        await deliveries.end_open(tx, [claimed.batch.rows[0].id], reason="had", now=NOON)
    with pytest.raises(TooSoonError):
        await office.outbox.leases.check_and_count_copies(claimed.lease)
    assert await office.state() == [("1", "dropped", 0), ("2", "open", 0)]


async def test_several_requests_of_one_send_are_one_copy(office: Office) -> None:
    await found(office, "1")
    claimed = await claim_alert(office.outbox)
    await office.outbox.leases.check_and_count_copies(claimed.lease)
    await office.outbox.leases.check_and_count_copies(claimed.lease)
    assert await office.state() == [("1", "open", 1)]


@pytest.mark.jumps
async def test_a_long_send_keeps_its_lease(db: Database) -> None:
    post = Post()
    now = RealClock()
    outbox = Outbox(db, NO_BOT, post, post, lease=timedelta(seconds=1.5), now=now)  # type: ignore[arg-type] # Post stands for both
    async with db.begin() as tx:
        await follow(tx, 1)
        await look(tx, story("1", now()), now=now())
    claims: list[int] = []

    async def wait_long() -> None:
        post.before = None
        until = asyncio.get_running_loop().time() + 2
        while asyncio.get_running_loop().time() < until:
            async with db.begin() as tx:
                lane = await chat_queues.claim_and_lock_due_deliveries(
                    tx, lease_at(now()), limit=5
                )
            claims.append(len(lane))
            await asyncio.sleep(0.05)

    post.before = wait_long
    await outbox.fan_out_and_do_due_jobs_once()
    assert sum(claims) == 0
    assert [row.state for row in await rows(db)] == ["sent"]


async def test_run_sends_what_comes_and_stops_when_told(office: Office) -> None:
    office.clock.on(HOUR)
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(office.outbox.fan_out_and_send_until_stopped())
        for pk in ("1", "2", "3"):
            await found(office, pk)
            office.outbox.wake()
            wanted = int(pk)
            await wait_for(lambda: len(office.post.albums) >= wanted)  # noqa: B023 - awaited here
        office.outbox.stop()
    assert [state for _, state, _ in await office.state()] == ["sent"] * 3


@dataclass
class Held(Post):
    """Answers all at once, when it is told to."""

    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def send_album_and_buy_missing_files(self, *args: Any, **more: Any) -> Outcome:
        outcome = await super().send_album_and_buy_missing_files(*args, **more)
        await self.go.wait()
        return outcome


async def test_one_that_can_not_be_written_down_lets_no_other_be_sent_twice(
    office: Office,
) -> None:
    three = (-1, -2, -3)
    async with office.db.begin() as tx:
        for chat in three[1:]:
            await follow(tx, chat)
    await found(office, "1")
    no_number = 2**70  # what no statement takes
    post = Held([sent("1"), Sent((SentItem("1", no_number),)), sent("1")])
    outbox = Outbox(office.db, NO_BOT, post, post, now=office.clock)  # type: ignore[arg-type] # Post stands for both
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(outbox.fan_out_and_send_until_stopped())
        await wait_for(lambda: len(post.albums) == 3)
        async with office.db.begin() as tx:  # while this lasts, the others have to wait
            await chat_queues.lock_all(tx, three)
            post.go.set()
            for _ in range(20):
                await asyncio.sleep(0)
        outbox.stop()
    assert sorted(await office.state()) == [("1", "open", 1), ("1", "sent", 1), ("1", "sent", 1)]


async def test_slots_are_filled_several_at_a_time_or_after_a_moment(office: Office) -> None:
    chats_there = range(-AT_ONCE - FEW, -1)  # and -1
    async with office.db.begin() as tx:
        for chat in chats_there:
            await follow(tx, chat)
    await found(office, "1")
    gate, begun = asyncio.Semaphore(0), 0

    async def before() -> None:
        nonlocal begun
        begun += 1
        await gate.acquire()

    async def are_sent(count: int) -> bool:
        return [state for _, state, _ in await office.state()].count("sent") == count

    office.post.before = before
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(office.outbox.fan_out_and_send_until_stopped())
        await wait_for(lambda: begun == AT_ONCE)
        for _ in range(FEW - 1):
            gate.release()
        for _ in range(10):  # that the loop has turned since, as well
            await wait_for(lambda: are_sent(FEW - 1))
        assert begun == AT_ONCE
        office.clock.on(timedelta(seconds=1))
        await wait_for(lambda: begun == AT_ONCE + FEW - 1)
        for _ in chats_there:
            gate.release()
        await wait_for(lambda: are_sent(AT_ONCE + FEW))
        office.outbox.stop()


async def test_a_crash_loop_parks_one_and_lets_others_through(office: Office) -> None:
    metrics = Metrics()
    office.outbox = Outbox(
        office.db, NO_BOT, office.post, office.post, metrics=metrics, now=office.clock  # type: ignore[arg-type] # Post stands for both
    )  # fmt: skip
    async with office.db.begin() as tx:
        await follow(tx, -2)
    await found(office, "1")
    first = (await rows(office.db))[0]
    for _ in range(60):
        for claimed in await office.outbox.claims.claim_queues_and_build_jobs(5):
            assert isinstance(claimed, AlertJob)
            if claimed.batch.rows[0].id == first.id:
                await office.outbox.leases.check_and_count_copies(claimed.lease)  # and dies
            else:
                await office.outbox.runner.run_job_and_record_outcome(claimed)
        office.clock.on(MINUTE)
    assert await office.state() == [("1", "parked", 3), ("1", "sent", 1), ("failed", "sent", 1)]
    assert "delivery_parked_total 1" in metrics.prometheus_text()


async def test_what_may_crash_the_bot_keeps_no_later_one_even_for_a_minute(office: Office) -> None:
    await found(office, "1")
    async with office.db.begin() as tx:
        await enqueue.add_reply(tx, Target(-1), text_payload("1"), now=NOON, due_at=NOON)
        ids = [row.id for row in await deliveries.lock_and_return_due(tx, [-1], now=NOON)]
        await deliveries.change_columns_of_open(tx, ids, attempts=MAX_ATTEMPTS, sending=True)
    assert await office.outbox.claims.claim_queues_and_build_jobs(5) == []
    await found(office, "2")
    async with office.db.begin() as tx:
        now = office.clock()
        await deliveries.make_replies_due(tx, -1, now=now)  # as who asks again does
        await enqueue.add_reply(tx, Target(-1), text_payload("2"), now=now, due_at=now)
        await chat_queues.make_due(tx, -1, due_at=now, now=now)
    while await office.outbox.fan_out_and_do_due_jobs_once():
        pass
    assert [text for _, text, _ in office.post.sentences] == ["2"]
    assert [pks for _, pks, _ in office.post.albums] == [["2"]]


async def test_notices_of_one_kind_are_one_message(office: Office) -> None:
    async with office.db.begin() as tx:
        await follow(tx, -1, PRADA)
        found_rows = await subscriptions.of_chat(tx, -1)
        for number, one in enumerate(found_rows):
            fields = {"username": one.username, "from": number, "to": 9 + number}
            await deliveries_of(tx, one.id, fields)
    assert await office.outbox.fan_out_and_do_due_jobs_once() == 1
    [(_, text, silent)] = office.post.sentences
    assert "natgeo" in text
    assert "prada" in text
    assert not silent
    assert await office.state() == [("missed", "sent", 1)] * 2


async def deliveries_of(tx: Any, subscription_id: int, fields: dict[str, Any]) -> None:
    """Owe a notice of missed hours."""
    table = deliveries.deliveries
    values = {
        "chat_id": -1,
        "subscription_id": subscription_id,
        "notice": "missed",
        "fields": fields,
        "due_at": NOON,
        "created_at": NOON,
    }
    await tx.execute(table.insert().values(values))
    await chat_queues.make_due(tx, -1, due_at=NOON, now=NOON)


async def test_a_broken_database_stops_no_loop(office: Office) -> None:
    begin, calls = office.db.begin, 0

    def fail_sometimes(**how: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls in {2, 4, 5}:
            office.clock.on(2 * MINUTE)  # leases end meanwhile
            raise OSError
        return begin(**how)

    await found(office, "1")
    office.db.begin = fail_sometimes  # type: ignore[method-assign] # a disk that is full at times
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(office.outbox.fan_out_and_send_until_stopped())

        def is_over() -> bool:
            office.clock.on(SECOND)
            office.outbox.wake()
            return bool(office.post.albums) and calls > 8

        await wait_for(is_over)
        office.outbox.stop()
    office.db.begin = begin  # type: ignore[method-assign] # and has room again
    [(_, state, copies)] = await office.state()
    assert (state, copies <= 3) == ("sent", True)


async def test_what_another_process_makes_due_is_soon_sent(office: Office) -> None:
    if office.db.is_sqlite:
        return
    post = office.post
    outbox = Outbox(office.db, NO_BOT, post, post, now=office.clock)  # type: ignore[arg-type] # Post stands for both
    async with asyncio.TaskGroup() as group:
        group.create_task(outbox.fan_out_and_send_until_stopped())
        async with office.db.begin() as tx:
            await look(tx, story("1"))
        await wait_for(lambda: post.albums)
        outbox.stop()
