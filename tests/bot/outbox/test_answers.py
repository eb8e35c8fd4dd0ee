"""Answers that could not leave at once: before all alerts, while copies last, then a last word."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.model import (
    Album,
    Asker,
    Moved,
    Muted,
    Outcome,
    PermanentFailure,
    Sent,
    SentItem,
    Target,
    TryLater,
)
from bot.outbox import reply_results
from bot.outbox.leases import SendLease
from bot.outbox.results import SendReport, Tally
from bot.outbox.worker import Outbox
from bot.runtime.metrics import Metrics
from bot.sending.replies import Payload, album_payload, text_payload
from bot.store import chat_queues, deliveries, enqueue, erasure, moves
from bot.store.engine.database import Database
from bot.telegram.calls import Calls
from tests.bot.outbox.test_results import CHAT, free_at, leaving, owing, record
from tests.bot.outbox.test_worker import NO_BOT, Post
from tests.support.followed import NOON, Clock, claim, rows, story
from tests.support.rows import used

SECOND = timedelta(seconds=1)
HELLO = text_payload("hello")
ALBUM = album_payload(Album((story("1"), story("2"))), caption="Here", asker=Asker(CHAT))


@dataclass
class Answers:
    """Our own seam to Telegram: takes answers, and answers as it is told; notices are a Post's."""

    bot_name = "storybell_bot"

    post: Post = field(default_factory=Post)
    outcomes: list[Outcome] = field(default_factory=list)
    said: list[tuple[str, bool]] = field(default_factory=list)

    async def send(
        self,
        target: Target,
        payload: Payload,
        *,
        silent: bool,
        calls: Calls,
        one_by_one: bool = False,
    ) -> Outcome:
        assert not one_by_one  # no answer here met a flood
        if calls.lane == "alert":
            return await self.post.send(target, payload, silent=silent, calls=calls)
        await calls.before_request()
        self.said.append((payload["text"], silent))
        return self.outcomes.pop(0) if self.outcomes else Sent((SentItem("", 1),))


async def owe(db: Database, payload: Payload) -> None:
    async with db.begin() as tx:
        await chat_queues.lock(tx, CHAT)
        await enqueue.add_reply(tx, Target(CHAT), payload, now=NOON, due_at=NOON)
        await chat_queues.make_due(tx, CHAT, due_at=NOON, now=NOON)


async def test_an_answer_goes_before_alerts_and_is_forgotten_when_it_is_there(
    sqlite_db: Database,
) -> None:
    await owing(sqlite_db, "1")
    await owe(sqlite_db, HELLO)
    lane, batch = await leaving(sqlite_db)
    assert batch.reply
    assert await record(sqlite_db, lane, batch, Sent((SentItem("", 5),))) == Tally()
    assert [(row.story_pk, row.state, row.copies) for row in await rows(sqlite_db)] == [
        ("1", "open", 0)
    ]
    assert await free_at(sqlite_db) == timedelta(0)


@pytest.mark.parametrize(
    ("outcome", "left", "row", "account"),
    [
        (TryLater(unknown=True), True, (1, 0, 15, 15), Tally(unknown=1)),
        (TryLater(7 * SECOND, unknown=True), True, (1, 0, 15, 15), Tally(unknown=1)),
        (TryLater(unknown=True), False, (0, 1, 5, 5), Tally()),
        (TryLater(7 * SECOND), True, (0, 0, 0, 7), Tally()),
        (TryLater(), True, (0, 1, 5, 5), Tally()),
    ],
)
async def test_a_lost_answer_is_repeated_soon_and_its_copy_counts(
    sqlite_db: Database,
    outcome: Outcome,
    left: bool,
    row: tuple[int, int, int, int],
    account: Tally,
) -> None:
    await owing(sqlite_db)
    await owe(sqlite_db, HELLO)
    lane, batch = await leaving(sqlite_db, left=left)
    assert await record(sqlite_db, lane, batch, outcome, left=left) == account
    [kept] = await rows(sqlite_db)
    copies, tries, due_in, free_in = row
    assert (kept.state, kept.copies, kept.attempts) == ("open", copies, tries)
    assert kept.due_at - NOON == due_in * SECOND
    assert await free_at(sqlite_db) == free_in * SECOND


async def test_what_is_behind_a_repeat_that_failed_waits_with_it(sqlite_db: Database) -> None:
    await owing(sqlite_db)
    await owe(sqlite_db, HELLO)
    await record(sqlite_db, *await leaving(sqlite_db), TryLater(unknown=True))
    again = await leaving(sqlite_db, now=NOON + 15 * SECOND)
    await record(sqlite_db, *again, TryLater())
    assert await free_at(sqlite_db) == 15 * SECOND


async def test_of_an_album_only_what_is_missing_is_sent_again(sqlite_db: Database) -> None:
    await owing(sqlite_db)
    await owe(sqlite_db, ALBUM)
    outcome = TryLater(unknown=True, items=(SentItem("1", 5),))
    await record(sqlite_db, *await leaving(sqlite_db), outcome)
    [kept] = await rows(sqlite_db)
    assert [one["pk"] for one in kept.fields["stories"]] == ["2"]
    assert kept.copies == 1


@pytest.mark.parametrize("outcome", [PermanentFailure("weird", scope="item"), Muted("text")])
async def test_what_can_not_be_answered_is_forgotten(
    sqlite_db: Database, outcome: Outcome
) -> None:
    await owing(sqlite_db)
    await owe(sqlite_db, HELLO)
    await record(sqlite_db, *await leaving(sqlite_db), outcome)
    assert await rows(sqlite_db) == []


async def test_after_three_copies_an_answer_is_given_up_with_a_last_word_and_no_other(
    sqlite_db: Database,
) -> None:
    await owing(sqlite_db)
    await owe(sqlite_db, HELLO)
    post, clock, metrics = Post(), Clock(), Metrics()
    answers = Answers(post)
    outbox = Outbox(
        sqlite_db, NO_BOT, post, answers, metrics=metrics, now=clock  # type: ignore[arg-type] # they stand for all three
    )  # fmt: skip
    answers.outcomes = [TryLater(unknown=True)] * 6
    sent_at = []
    for second in range(3600):
        if await outbox.fan_out_and_do_due_jobs_once():
            sent_at.append(second)
        clock.on(SECOND)
    first, second, third, *word = [one - sent_at[0] for one in sent_at]
    assert (first, second) == (0, 15)
    assert 300 <= third - second <= 360
    assert word[0] - third == 900
    texts = [text for text, _ in answers.said]
    assert texts[:3] == ["hello"] * 3
    assert len(set(texts[3:])) == 1
    assert "three times" in texts[3]
    assert [silent for _, silent in answers.said] == [False, True, True] * 2
    answered = [
        (row.notice, row.state, row.reason) for row in await rows(sqlite_db, notice="reply")
    ]
    assert answered == [("reply", "parked", "no answers")] * 2
    rendered = metrics.prometheus_text()
    assert "delivery_unknown_total 6" in rendered
    assert "delivery_parked_total 2" in rendered


async def test_an_answer_that_the_outbox_brought_is_kept_no_longer(sqlite_db: Database) -> None:
    await owing(sqlite_db)
    await owe(sqlite_db, HELLO)
    post = Post()
    answers = Answers(post)
    outbox = Outbox(sqlite_db, NO_BOT, post, answers, now=Clock())  # type: ignore[arg-type] # they stand for all three
    assert await outbox.fan_out_and_do_due_jobs_once() == 1
    assert [text for text, _ in answers.said] == ["hello"]
    assert await rows(sqlite_db) == []


async def test_the_answers_of_an_update_leave_in_order_until_one_has_to_wait(
    sqlite_db: Database,
) -> None:
    await owing(sqlite_db)
    for text in ("one", "two", "three", "four"):
        await owe(sqlite_db, text_payload(text))
    [queue] = await claim(sqlite_db)
    async with sqlite_db.begin() as tx:
        await deliveries.record_claim_and_count_attempt(tx, [row.id for row in queue.rows])
        await deliveries.count_copies_and_return_counted_ids(tx, [row.id for row in queue.rows])
    wait = TryLater(7 * SECOND)
    answers = Answers(outcomes=[Sent((SentItem("", 1),)), wait])
    outbox = Outbox(sqlite_db, NO_BOT, answers.post, answers, now=Clock())  # type: ignore[arg-type] # they stand for all three
    ids = [row.id for row in queue.rows]
    ours = SendLease(queue, ids, NOON, NOON + SECOND, is_counted=True, is_valid=True)
    assert await outbox.runner.send_replies(ours, queue.rows) == wait
    assert [text for text, _ in answers.said] == ["one", "two"]
    kept = [(row.fields["text"], row.copies, row.attempts) for row in await rows(sqlite_db)]
    assert kept == [("two", 0, 0), ("three", 0, 0), ("four", 0, 0)]
    assert not any(row.sending for row in await rows(sqlite_db))  # a crash is blamed on none
    assert await free_at(sqlite_db) == 7 * SECOND


async def test_replies_that_move_with_their_chat_reply_to_no_message_of_another_number(
    sqlite_db: Database,
) -> None:
    await owing(sqlite_db)
    for text in ("one", "two"):
        await owe(sqlite_db, text_payload(text, reply_to=7))
    lane, batch = await leaving(sqlite_db)
    assert batch.reply
    behind = lane.rows[1:]
    async with sqlite_db.begin() as tx:
        await deliveries.record_claim_and_count_attempt(tx, [row.id for row in behind])
        await deliveries.count_copies_and_return_counted_ids(tx, [row.id for row in behind])
        report = SendReport(
            outcome=Moved(-1001), is_counted=True, in_outage=False, answers_again=False, now=NOON
        )
        await reply_results.record_reply_outcome(tx, lane, batch.reply, report, behind=behind)
    kept = [(row.chat_id, row.fields["reply_to"], row.copies) for row in await rows(sqlite_db)]
    assert kept == [(-1001, None, 0)] * 2


async def test_who_lost_the_chat_writes_down_what_was_answered(sqlite_db: Database) -> None:
    await owing(sqlite_db)
    await owe(sqlite_db, HELLO)
    lane, batch = await leaving(sqlite_db)
    late: Any = replace(lane, token=lane.token - 1)
    await record(sqlite_db, late, batch, TryLater(unknown=True))
    [kept] = await rows(sqlite_db)
    assert (kept.copies, kept.attempts, kept.sending) == (1, 1, True)
    await record(sqlite_db, late, batch, Sent((SentItem("", 5),)))
    assert await rows(sqlite_db) == []


async def test_a_retry_waits_in_the_group_that_moved_before_the_outcome(
    sqlite_db: Database,
) -> None:
    await owing(sqlite_db)
    await owe(sqlite_db, {**ALBUM, "reply_to": 7, "asked": 7})
    lane, batch = await leaving(sqlite_db)
    async with sqlite_db.begin() as tx:
        await moves.move_chat(tx, CHAT, -1001, now=NOON)
    part = TryLater(7 * SECOND, items=(SentItem("1", 5),))
    await record(sqlite_db, lane, batch, part)
    [kept] = await rows(sqlite_db)
    assert (kept.chat_id, kept.copies, kept.sending) == (-1001, 0, False)
    assert [kept.fields[name] for name in ("reply_to", "asked")] == [None, None]
    assert await free_at(sqlite_db, -1001) == 7 * SECOND
    async with sqlite_db.read() as tx:
        assert await used(tx, CHAT) == (0, 0)
        assert await used(tx, -1001) == (1, 0)


async def test_nothing_is_counted_for_a_chat_that_was_erased_before_a_part_arrived(
    sqlite_db: Database,
) -> None:
    await owing(sqlite_db)
    await owe(sqlite_db, ALBUM)
    lane, batch = await leaving(sqlite_db)
    async with sqlite_db.begin() as tx:
        await erasure.erase_chat(tx, CHAT, now=NOON)
    await record(sqlite_db, lane, batch, TryLater(items=(SentItem("1", 5),)))
    async with sqlite_db.read() as tx:
        assert await used(tx, CHAT) == (0, 0)
