"""Shares: what the checks of a day cost is split among the chats that wait, about evenly."""

from datetime import date, timedelta

import pytest

from bot.billing.ledger import Ledger
from bot.domain.budget import Limits
from bot.store import erasure, moves, profiles, spending, subscriptions
from bot.store.engine.database import Database, Tx
from tests.support.followed import DAY, NATGEO, PRADA, Clock, follow
from tests.support.rows import used

BEGIN = date(2026, 1, 1)


async def borne(tx: Tx, chat: int) -> int:
    """What a chat has borne, in thousandths of a credit."""
    return (await used(tx, chat))[1]


async def test_a_day_is_split_once_when_it_is_over(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has left bears nothing of it."""
    monkeypatch.setattr("bot.billing.ledger.SPLIT_AT_ONCE", 3)
    clock = Clock()
    ledger = Ledger(db, Limits(), now=clock)
    await ledger.close_old_reservations_and_split_costs()  # the first day has none before it
    async with db.begin() as tx:
        await profiles.add_unsplit_credits(tx, NATGEO.profile_id, 7)  # nobody follows it
        for chat in (1, 2, 3, 6):
            await follow(tx, chat)
        await follow(tx, 3, thread_id=9)
        paused = await follow(tx, 4)
        await subscriptions.change(tx, paused, paused=True)
        await follow(tx, 1, PRADA)
        left = await follow(tx, 5)
        await subscriptions.remove(tx, [left])
        await weighed(tx)
        await profiles.add_unsplit_credits(tx, NATGEO.profile_id, 4)
        await profiles.add_unsplit_credits(tx, PRADA.profile_id, 2)
    await ledger.close_old_reservations_and_split_costs()
    async with db.read() as tx:
        assert not await spending.costs_by_asker(tx, since=BEGIN)
    clock.on(DAY)
    for _ in range(2):
        await ledger.close_old_reservations_and_split_costs()
    async with db.read() as tx:
        assert [await borne(tx, chat) for chat in range(1, 7)] == [3000, 1000, 1000, 0, 0, 1000]
        costs = {
            one.chat_id: one.millicredits for one in await spending.costs_by_asker(tx, since=BEGIN)
        }
        assert costs == {1: 3000, 2: 1000, 3: 1000, 6: 1000}
        assert not await spending.costs_by_asker(tx, since=clock().date())
    clock.on(timedelta(days=1))
    async with db.begin() as tx:
        await moves.move_chat(tx, 2, -2, now=clock())
        await profiles.add_unsplit_credits(tx, NATGEO.profile_id, 3)
    await ledger.close_old_reservations_and_split_costs()
    async with db.begin() as tx:
        assert [await borne(tx, chat) for chat in (1, 2, -2)] == [3750, 0, 1750]
        await erasure.erase_chat(tx, 1, now=clock())
        assert await borne(tx, 1) == 0


async def weighed(tx: Tx) -> None:
    """Count who waits, as before a check."""
    for of in (NATGEO, PRADA):
        count = await subscriptions.count_subscribers(tx, of.profile_id)
        await profiles.set_subscriber_count(tx, of.profile_id, count)
