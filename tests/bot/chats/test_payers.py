"""The limits of a payer: races of two chats, chats without subscriptions, and stopped alerts."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bot.chats.payers import Payers, SubscriptionLimits
from bot.chats.subscriptions import Subscriptions
from bot.domain.errors import TOO_MANY_FAST_OF_PAYER, SubscriptionError
from bot.domain.model import Profile
from bot.domain.options import Options
from bot.store import acquaintances, chats, moves
from bot.store.engine.database import Database
from tests.support.database import on_postgresql
from tests.support.errors import raises
from tests.support.followed import NATGEO, NOON, Clock, follow, look, rows, story
from tests.support.lock_waits import Pause, run_behind_a_lock

ANN, BOB = 7, 8
GROUPS = range(-110, -100)
LIMIT = 3  # subscriptions of all chats of a payer, with one subscription a chat


def payers_of(db: Database, **limits: int) -> Payers:
    return Payers(db, limits=SubscriptionLimits(**limits), now=Clock())


async def with_payer(db: Database, payer: int | None, *chat_ids: int, fast: bool = False) -> None:
    """Store a known person, and chats of a payer with one subscription each."""
    async with db.begin() as tx:
        await acquaintances.make_known(tx, [ANN], NOON.date())
        for number in chat_ids:
            star = Profile(str(-number), f"star{-number}")
            await follow(tx, number, star, options=Options(fast=fast))
            await chats.set_payer(tx, number, payer)


async def paid_by_ann(db: Database) -> int:
    async with db.read() as tx:
        return len(await chats.groups_of_payer(tx, ANN))


@on_postgresql
async def test_claims_at_once_do_not_exceed_the_limit_of_a_payer(db: Database) -> None:
    await with_payer(db, None, *GROUPS)
    payers = payers_of(db, most=LIMIT // 3)
    claims = [payers.become_payer(number, ANN) for number in GROUPS]
    results: list[Any] = await asyncio.gather(*claims, return_exceptions=True)
    refused = [one for one in results if one is not None]
    assert all(isinstance(one, SubscriptionError) for one in refused), refused
    assert await paid_by_ann(db) == LIMIT


async def test_an_empty_chat_has_room_whatever_the_other_chats_have(sqlite_db: Database) -> None:
    await with_payer(sqlite_db, ANN, *GROUPS)
    async with sqlite_db.begin() as tx:
        await chats.add_or_update(tx, -1, kind="supergroup", title="", now=NOON)
    await payers_of(sqlite_db, most=1).become_payer(-1, ANN)
    assert await paid_by_ann(sqlite_db) == len(GROUPS) + 1


async def test_the_refusal_of_fast_subscriptions_names_the_limit_of_fast_ones(
    sqlite_db: Database,
) -> None:
    first, *others = GROUPS
    await with_payer(sqlite_db, ANN, *others[:3], fast=True)
    await with_payer(sqlite_db, None, first, fast=True)
    with raises(SubscriptionError, TOO_MANY_FAST_OF_PAYER):
        await payers_of(sqlite_db, most=20, most_fast=1).become_payer(first, ANN)


async def test_the_undo_of_a_pause_brings_no_alerts_to_a_chat_without_a_payer(
    sqlite_db: Database,
) -> None:
    nothing: Any = None
    clock = Clock()
    service = Subscriptions(sqlite_db, nothing, now=clock)
    async with sqlite_db.begin() as tx:
        number = await follow(tx, -100)
        await follow(tx, ANN)  # by which the profile is checked
    await service.set_paused(-100, number, paused=True)
    async with sqlite_db.begin() as tx:
        await chats.set_payer(tx, -100, None)
        await look(tx, story("1", clock.on(timedelta(minutes=1))), now=clock())
    one = await service.resume_with_missed_stories(-100, number)
    assert not one.paused
    assert await rows(sqlite_db, chat_id=-100) == []
    async with sqlite_db.begin() as tx:  # the alerts begin again with the next payer
        await chats.set_payer(tx, -100, ANN)
        await look(tx, story("2", clock.on(timedelta(minutes=1)), of=NATGEO), now=clock())
    assert [one.story_pk for one in await rows(sqlite_db, chat_id=-100)] == ["2"]


@on_postgresql
@pytest.mark.parametrize("leaves", [True, False])
async def test_a_change_of_the_payer_waits_for_a_move_and_then_changes_the_new_chat(
    db: Database, leaves: bool
) -> None:
    await with_payer(db, ANN, -5)
    payers = payers_of(db)

    async def move(pause: Pause) -> None:
        async with db.begin() as tx:
            await chats.lock(tx, [-5, -1005])
            await pause()
            await moves.move_chat(tx, -5, -1005, now=NOON)

    async def change() -> None:
        if leaves:
            await payers.stop_paying(-5, ANN)
        else:
            await payers.set_payer(-5, BOB)

    await run_behind_a_lock(db, move, change)
    payer = await db.fetch(lambda tx: chats.payer_of(tx, -1005))
    assert payer == (None if leaves else BOB)
