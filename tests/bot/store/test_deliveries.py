"""Rows of the outbox: what is due, in which order, and that what is done stays done."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.model import Target
from bot.domain.options import Options
from bot.domain.records import PLACE, ROWS_A_QUEUE, Held
from bot.store import chat_queues, deliveries, enqueue, moves, subscriptions
from bot.store.engine.database import Database, Tx
from tests.support.followed import DAY, HOUR, MINUTE, NOON, PRADA, follow, look, rows, story


async def owing(tx: Tx, *pks: str, chat_id: int = 1, options: Options | None = None) -> list[int]:
    """Let a chat be owed these stories; the rows' ids."""
    await follow(tx, chat_id, options=options)
    await look(tx, *(story(pk) for pk in pks))
    return [row.id for row in await deliveries.lock_and_return_due(tx, [chat_id], now=NOON)]


async def due(tx: Tx, *chat_ids: int, at: timedelta = timedelta(0)) -> list[str | None]:
    found = await deliveries.lock_and_return_due(tx, list(chat_ids), now=NOON + at)
    return [row.story_pk or row.notice for row in found]


async def test_half_of_a_pair_of_surrogates_in_a_notice_hides_nothing(sqlite_db: Database) -> None:
    fields = {"old": "a\ud83d", "new": "b"}
    async with sqlite_db.begin() as tx:
        await owing(tx, "1")
        await enqueue.add_notice(tx, Target(1), "renamed", fields, now=NOON)
        first, notice = await deliveries.lock_and_return_due(tx, [1], now=NOON)
    assert (first.story, notice.fields) == (story("1"), fields)


async def test_who_waits_keeps_the_later_ones_of_its_subscription_behind(db: Database) -> None:
    async with db.begin() as tx:
        first, middle, _ = await owing(tx, "1", "2", "3")
        await follow(tx, 1, PRADA)
        await look(tx, story("9", of=PRADA), of=PRADA)
        await deliveries.change_columns_of_open(tx, [middle], due_at=NOON + MINUTE)
        assert await due(tx, 1) == ["1", "9"]
        assert await due(tx, 1, at=MINUTE) == ["1", "2", "3", "9"]
        await deliveries.change_columns_of_open(tx, [first], due_at=NOON + HOUR)
        second = timedelta(seconds=1)
        assert await due(tx, 1, at=MINUTE - second) == ["9"]
        # What was due waits a minute for it, and no longer.
        assert await due(tx, 1, at=MINUTE) == ["3", "9"]
        assert await due(tx, 1, at=2 * MINUTE) == ["2", "3", "9"]
        # Nor is what may have arrived waited for.
        await deliveries.count_copies_and_return_counted_ids(tx, [first])
        assert await due(tx, 1, at=MINUTE) == ["2", "3", "9"]
        await deliveries.end_open(tx, [first], reason="expired", now=NOON)
        assert await due(tx, 1, at=MINUTE) == ["2", "3", "9"]


async def test_one_chat_with_many_hides_no_other(db: Database) -> None:
    async with db.begin() as tx:
        await follow(tx, 1)
        await follow(tx, 2, PRADA)
        await look(tx, *(story(str(n)) for n in range(100, 200)))
        await look(tx, story("9", of=PRADA), of=PRADA)
        found = await due(tx, 1, 2)
    assert found == [str(n) for n in range(100, 100 + ROWS_A_QUEUE)] + ["9"]


async def test_listed_stories_are_read_in_the_order_of_the_list(db: Database) -> None:
    pks = [str(n) for n in range(100, 200)]
    async with db.begin() as tx:
        await owing(tx, *pks)
    listed = [(row.story_pk, row.id) for row in await rows(db)][10:]
    async with db.begin() as tx:
        for number, (_, one) in enumerate(listed):  # two profiles, whose stories alternate
            await deliveries.change_columns_of_open(tx, [one], fields={PLACE: number % 2})
        found = await due(tx, 1)
    in_order = [*listed[::2], *listed[1::2]]
    assert found == [pk for pk, _ in in_order][:ROWS_A_QUEUE]


Change = Callable[[Tx, list[int]], Awaitable[object]]
CHANGES: dict[str, Change] = {
    "start": deliveries.record_claim_and_count_attempt,
    "leave": deliveries.count_copies_and_return_counted_ids,
    "put back": lambda tx, ids: deliveries.change_columns_of_open(
        tx, ids, added_copies=-1, due_at=NOON + HOUR
    ),
    "hold": lambda tx, ids: deliveries.change_columns_of_open(
        tx, ids, due_at=NOON + HOUR, held=Held.QUIET
    ),
    "sent": lambda tx, ids: deliveries.record_sent(tx, dict.fromkeys(ids, 77), now=NOON + HOUR),
    "drop": lambda tx, ids: deliveries.end_open(tx, ids, reason="filtered", now=NOON + HOUR),
    "park": lambda tx, ids: deliveries.end_open(
        tx, ids, state="parked", reason="no answers", now=NOON + HOUR
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_what_is_done_stays_as_it_is(sqlite_db: Database, change: Change) -> None:
    async with sqlite_db.begin() as tx:
        done = await owing(tx, "1", "2", "3")
        await deliveries.record_sent(tx, {done[0]: 5}, now=NOON)
        await deliveries.end_open(tx, [done[1]], reason="filtered", now=NOON)
        await deliveries.end_open(
            tx, [done[2]], state="parked", reason="too many crashes", now=NOON
        )
    before: list[Any] = await rows(sqlite_db)
    async with sqlite_db.begin() as tx:
        await change(tx, done)
        await change(tx, [])
    assert await rows(sqlite_db) == before


async def test_new_rules_judge_what_was_held_and_nothing_else(db: Database) -> None:
    async with db.begin() as tx:
        held, late, retried = await owing(tx, "1", "2", "3")
        (other,) = await owing(tx, "4", chat_id=2)
        await deliveries.change_columns_of_open(
            tx, [held, other], due_at=NOON + HOUR, held=Held.DIGEST
        )
        await deliveries.change_columns_of_open(tx, [late], due_at=NOON + HOUR)
        await deliveries.change_columns_of_open(tx, [retried], due_at=NOON + HOUR, held=Held.RETRY)
        await deliveries.make_due_or_mark_for_reselection(tx, 1, now=NOON + MINUTE)
        await chat_queues.reschedule(tx, 1)
    found = {row.id: (row.due_at - NOON, row.held) for row in await rows(db)}
    assert found[held] == (MINUTE, Held.DIGEST)
    assert found[late] == (HOUR, Held.CHANGED)  # selected again, too, if it is on its way
    assert found[retried] == (HOUR, Held.RETRY)
    assert found[other] == (HOUR, Held.DIGEST)


@pytest.mark.parametrize(("hours", "state"), [(1.5, "open"), (2.5, "dropped")])
async def test_a_story_that_expired_in_quiet_hours_is_reopened_until_an_hour_after_them(
    sqlite_db: Database, hours: float, state: str
) -> None:
    async with sqlite_db.begin() as tx:
        one = await subscriptions.get(tx, await follow(tx, 1))
        assert one is not None
        await look(tx, story("1", NOON - DAY + MINUTE))
        [row] = await deliveries.lock_and_return_due(tx, [1], now=NOON)
        await deliveries.change_columns_of_open(tx, [row.id], held=Held.QUIET, due_at=NOON + HOUR)
        reason = deliveries.PAUSED
        await deliveries.drop_open_where(tx, subscription_id=one.id, reason=reason, now=NOON)
        await deliveries.reopen_dropped(tx, one, reason=reason, now=NOON + hours * HOUR)
    assert [row.state for row in await rows(sqlite_db)] == [state]


async def test_rules_that_are_undone_reopen_their_drops_of_active_subscriptions(
    db: Database,
) -> None:
    async with db.begin() as tx:
        early, kept, other = await owing(tx, "1", "2", "3")
        [paused] = await owing(tx, "4", chat_id=2)
        [row] = await deliveries.lock_and_return_due(tx, [2], now=NOON)
        assert row.subscription_id is not None
        await subscriptions.change(tx, row.subscription_id, paused=True)
        await deliveries.end_open(tx, [early], reason="filtered: chat: not #ad", now=NOON - MINUTE)
        await deliveries.end_open(tx, [kept, paused], reason="filtered: chat: not #ad", now=NOON)
        await deliveries.end_open(tx, [other], reason="filtered: not #ad", now=NOON)
        for chat_id in (1, 2):
            await deliveries.reopen_dropped_of_chat(
                tx, chat_id, reason="filtered: chat: ", dropped_since=NOON, now=NOON
            )
    states = {row.id: row.state for row in await rows(db)}
    assert states[kept] == "open"
    assert [states[one] for one in (early, other, paused)] == ["dropped"] * 3


async def test_rules_that_are_undone_reopen_no_drop_of_an_expired_story(db: Database) -> None:
    async with db.begin() as tx:
        [over] = await owing(tx, "1")
        reason = "filtered: chat: "
        await deliveries.end_open(tx, [over], reason=f"{reason}not #ad", now=NOON)
        later = NOON + 25 * HOUR
        await deliveries.reopen_dropped_of_chat(
            tx, 1, reason=reason, dropped_since=NOON, now=later
        )
    assert [row.state for row in await rows(db)] == ["dropped"]


async def test_a_restored_subscription_gets_one_of_two_rows_of_a_story(db: Database) -> None:
    async with db.begin() as tx:
        first = await follow(tx, -1)
        second = await follow(tx, -1, thread_id=5)
        await look(tx, story("1"))
        await deliveries.drop_and_detach_stories(tx, [first], now=NOON)
        await subscriptions.remove(tx, [first])
        moving = await subscriptions.get(tx, second)
        assert moving is not None
        await moves.move_to_thread(tx, moving, to=0, now=NOON)
        await deliveries.drop_and_detach_stories(tx, [second], now=NOON)
        await subscriptions.remove(tx, [second])
        restored = await subscriptions.get(tx, await follow(tx, -1))
        assert restored is not None
        await deliveries.attach_and_reopen_stories(tx, restored, now=NOON)
    found = [(row.subscription_id, row.thread_id, row.state) for row in await rows(db)]
    assert found == [(None, 0, "dropped"), (restored.id, 0, "open")]


async def test_a_restored_subscription_gets_no_row_of_a_story_that_expired_in_between(
    db: Database,
) -> None:
    async with db.begin() as tx:
        ended = await follow(tx, -1)
        await look(tx, story("1"), story("2", NOON + 2 * HOUR))
        await deliveries.drop_and_detach_stories(tx, [ended], now=NOON)
        await subscriptions.remove(tx, [ended])
        restored = await subscriptions.get(tx, await follow(tx, -1))
        assert restored is not None
        later = NOON + 25 * HOUR
        await deliveries.attach_and_reopen_stories(tx, restored, now=later)
    assert [(row.story_pk, row.state) for row in await rows(db)] == [
        ("1", "dropped"),
        ("2", "open"),
    ]
