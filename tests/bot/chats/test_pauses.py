"""The end of a mute: which stories cause alerts, also after a late resume or a restore."""

from datetime import datetime
from typing import Any

from bot.chats.access import Access
from bot.chats.subscriptions import Subscriptions
from bot.domain.access import Subject
from bot.domain.options import Options
from bot.store import chat_queues, chats, moves, profiles
from bot.store import subscriptions as store
from bot.store.copies import restored
from bot.store.engine.database import Database
from tests.support.database import on_postgresql
from tests.support.followed import (
    DAY,
    HOUR,
    MINUTE,
    NATGEO,
    NOON,
    Clock,
    follow,
    look,
    rows,
    story,
)
from tests.support.lock_waits import Pause, run_behind_a_lock


def subscriptions_of(db: Database, **options: Any) -> tuple[Subscriptions, Clock]:
    """Return the use cases of subscriptions, and the clock of these use cases."""
    nobody: Any = None  # these use cases need no ledger
    clock = Clock()
    return Subscriptions(db, nobody, now=clock, **options), clock


async def next_check_at(db: Database) -> datetime:
    """Return the time of the next check of NATGEO."""
    async with db.read() as tx:
        known = await profiles.get(tx, NATGEO.profile_id)
    assert known is not None
    assert known.due_at is not None
    return known.due_at


async def mute(db: Database) -> tuple[Subscriptions, Clock]:
    """Subscribe chats 1 and 2 to a profile, and mute chat 1 for an hour."""
    async with db.begin() as tx:
        one = await follow(tx, 1)
        await follow(tx, 2)  # the checks continue during the mute
        await store.change(tx, one, paused=True, paused_until=NOON + HOUR)
    return subscriptions_of(db)


async def stories_of_chat(db: Database, chat_id: int) -> list[str]:
    found = await rows(db, chat_id=chat_id, state="open")
    return [row.story_pk for row in found if row.story_pk]


async def test_a_story_found_between_the_end_of_a_mute_and_the_resume_is_sent(
    db: Database,
) -> None:
    muted, clock = await mute(db)
    ended = NOON + HOUR
    found = [story("1", ended - MINUTE), story("2", ended + MINUTE)]
    async with db.begin() as tx:
        await look(tx, *found, now=ended + 2 * MINUTE)
    assert await stories_of_chat(db, 1) == []
    clock.on(HOUR + 5 * MINUTE)
    await muted.resume_ended_pauses()
    assert await stories_of_chat(db, 1) == ["2"]
    async with db.begin() as tx:
        await look(tx, *found, story("3", clock()), now=clock())
    assert await stories_of_chat(db, 1) == ["2", "3"]


async def test_the_end_of_a_mute_after_a_restore_repeats_no_alert(sqlite_db: Database) -> None:
    muted, clock = await mute(sqlite_db)
    async with sqlite_db.begin() as tx:
        await restored.mark_as_copy(tx, made_at=NOON)
    clock.on(3 * HOUR)
    async with sqlite_db.begin() as tx:
        assert await restored.make_restored_backup_live(tx, now=clock())
    await muted.resume_ended_pauses()
    clock.on(MINUTE)
    sent_before = story("1", NOON + 2 * HOUR)  # by the bot, after the backup was made
    async with sqlite_db.begin() as tx:
        await look(tx, sent_before, story("2", clock()), now=clock())
    assert await stories_of_chat(sqlite_db, 1) == ["2"]


async def test_undo_of_a_pause_of_all_resumes_at_the_end_of_a_mute_that_is_over(
    db: Database,
) -> None:
    muted, clock = await mute(db)
    count, at = await muted.pause_all(1)
    assert count == 1
    ended = NOON + HOUR
    async with db.begin() as tx:
        found = [story("1", ended - MINUTE), story("2", ended + MINUTE)]
        await look(tx, *found, now=ended + 2 * MINUTE)
    clock.on(HOUR + 5 * MINUTE)
    await muted.resume_ended_pauses()
    assert await stories_of_chat(db, 1) == []
    assert await muted.undo_pauses(2, at) == 0
    assert await muted.undo_pauses(1, at) == 1
    assert await stories_of_chat(db, 1) == ["2"]
    assert await muted.undo_pauses(1, at) == 0


async def test_undo_of_a_resume_of_all_restores_no_mute_that_is_over(db: Database) -> None:
    muted, clock = await mute(db)
    _, at = await muted.resume_all(1)
    clock.on(2 * HOUR)
    assert await muted.undo_pauses(1, at) == 0
    [one] = await muted.all_of_chat(1)
    assert not one.paused


async def test_undo_of_a_mute_of_all_changes_no_mute_that_was_renewed(db: Database) -> None:
    muted, clock = await mute(db)
    _, at = await muted.pause_all(1, until=clock() + DAY)
    [one] = await muted.all_of_chat(1)
    clock.on(HOUR)
    renewed = await muted.mute_for_a_day(1, one.id)
    assert await muted.undo_pauses(1, at) == 0
    assert await muted.all_of_chat(1) == [renewed]


@on_postgresql
async def test_a_mute_that_is_renewed_at_its_end_stays(db: Database) -> None:
    muted, clock = await mute(db)
    clock.on(2 * HOUR)
    [one] = await db.fetch(store.subscriptions_with_timed_pause)

    async def mute_again(pause: Pause) -> None:
        async with db.begin() as tx:
            await chat_queues.lock(tx, 1)
            await store.change(tx, one.id, paused_until=clock() + DAY)
            await pause()

    await run_behind_a_lock(db, mute_again, muted.resume_ended_pauses)
    [one] = await db.fetch(store.subscriptions_with_timed_pause)
    assert one.paused_until == clock() + DAY


async def test_a_resume_after_the_hour_of_a_summary_makes_no_check_at_once(db: Database) -> None:
    """Otherwise, a pause and another hour of the summary could cause any number of checks."""
    paused, clock = subscriptions_of(db, most_earlier_checks=0)
    async with db.begin() as tx:
        await follow(tx, 1, options=Options(digest=True))
        await chats.change(tx, 1, zone="UTC", digest_at=9 * 60)
        await look(tx)
    await paused.pause_all(1)
    clock.on(HOUR)
    async with db.begin() as tx:
        await chats.change(tx, 1, digest_at=12 * 60 + 30)
    await paused.resume_all(1)
    assert await next_check_at(db) > clock() + 5 * MINUTE


async def test_a_pause_in_a_chat_without_a_payer_moves_no_check_to_an_earlier_time(
    db: Database,
) -> None:
    """Otherwise, each group without a payer would add to the daily limit of a person."""
    subscribed, _ = subscriptions_of(db, most_earlier_checks=1)
    chat, group = 1, -2
    async with db.begin() as tx:
        for chat_id in (chat, group):
            await follow(tx, chat_id, options=Options(digest=True))
        await chats.set_payer(tx, group, None)
        await chats.change(tx, chat, zone="UTC", digest_at=9 * 60)
        await look(tx)
    for hour in (16, 20, 16):
        async with db.begin() as tx:
            await chats.change(tx, chat, digest_at=hour * 60)
        await subscribed.reselect_deferred_and_reschedule(chat)
    before = await next_check_at(db)
    await subscribed.pause_all(group)
    after = await next_check_at(db)
    assert before > NOON + 4 * HOUR
    assert after == before


async def test_a_question_moves_no_check_before_a_summary_to_an_earlier_time(db: Database) -> None:
    """Otherwise, a person could move more checks than the daily limit allows."""
    subscribed, clock = subscriptions_of(db, most_earlier_checks=0)
    async with db.begin() as tx:
        await follow(tx, 1, options=Options(digest=True))
        await chats.change(tx, 1, zone="UTC", digest_at=9 * 60)
        await look(tx)
        await chats.change(tx, 1, digest_at=14 * 60)
    await subscribed.reselect_deferred_and_reschedule(1)
    before = await next_check_at(db)
    async with db.begin() as tx:
        await look(tx, now=clock.on(MINUTE))
    after = await next_check_at(db)
    assert before > NOON + 3 * HOUR
    assert after >= before


async def test_after_a_return_of_the_bot_a_check_comes_before_the_summary_of_the_chat(
    db: Database,
) -> None:
    """Another chat follows the profile, so the next check is planned for its summary only."""
    subscribed, clock = subscriptions_of(db, most_earlier_checks=1)
    async with db.begin() as tx:
        for chat_id, hour in ((1, 14), (2, 20)):
            await follow(tx, chat_id, options=Options(digest=True))
            await chats.change(tx, chat_id, zone="UTC", digest_at=hour * 60)
        await moves.close_chats(tx, [1], now=clock())
        await look(tx)
    before = await next_check_at(db)
    assert await subscribed.reopen_chat_and_drop_pending(1)
    after = await next_check_at(db)
    assert before > NOON + 2 * HOUR
    assert NOON + HOUR < after < NOON + 2 * HOUR


async def test_a_story_after_a_return_that_telegram_reports_late_stays_pending(
    db: Database,
) -> None:
    """The bot learns of the removal and the return only after a check has found the stories."""
    subscribed, clock = subscriptions_of(db)
    async with db.begin() as tx:
        await follow(tx, 1, options=Options(digest=True))
        await chats.change(tx, 1, zone="UTC", digest_at=20 * 60)
        await look(tx)
    returned_at = clock.on(HOUR)
    found = [story("1", returned_at - MINUTE), story("2", returned_at + MINUTE)]
    async with db.begin() as tx:
        await look(tx, *found, now=clock.on(10 * MINUTE))
    assert await stories_of_chat(db, 1) == ["1", "2"]
    assert await subscribed.close_chat(1)
    assert await subscribed.reopen_chat_and_drop_pending(1, alerts_since=returned_at)
    assert await stories_of_chat(db, 1) == ["2"]


async def test_after_the_end_of_a_block_a_check_comes_before_the_summary_of_the_chat(
    db: Database,
) -> None:
    access = Access(db, mode="open", now=Clock())
    async with db.begin() as tx:
        for chat_id, hour in ((1, 14), (2, 20)):
            await follow(tx, chat_id, options=Options(digest=True))
            await chats.change(tx, chat_id, zone="UTC", digest_at=hour * 60)
    await access.block(Subject("person", "1"), until=None, reason="")
    async with db.begin() as tx:
        await look(tx)
    assert await next_check_at(db) > NOON + 2 * HOUR
    assert await access.unblock(Subject("person", "1"))
    assert NOON + HOUR < await next_check_at(db) < NOON + 2 * HOUR


async def test_undo_of_a_mute_of_all_that_was_pressed_twice_ends_the_mute(db: Database) -> None:
    subscribed, clock = subscriptions_of(db)
    async with db.begin() as tx:
        await follow(tx, 1)
    _, at = await subscribed.pause_all(1, until=clock() + DAY)
    clock.on(MINUTE / 60)
    count, _ = await subscribed.pause_all(1, until=clock() + DAY)
    assert count == 0
    assert await subscribed.undo_pauses(1, at) == 1
    [one] = await subscribed.all_of_chat(1)
    assert not one.paused
