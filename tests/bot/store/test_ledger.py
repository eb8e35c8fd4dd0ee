"""The ledger's entries: closed once, summed up, moved, made anonymous; no credit is lost."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import sqlalchemy as sa

from bot.store import budgets, ledger
from bot.store.database import Database, Tx
from bot.store.spending import By, Part, Sums, parts, sums
from tests.support.rows import entries

NOW = datetime(2026, 4, 8, 12, tzinfo=UTC)
LONG_AGO = NOW.date() - timedelta(days=9999)


async def add(tx: Tx, chat: int | None = 1, *, at: datetime = NOW, nominal: int = 2) -> int:
    return await ledger.add(
        tx, kind="link", chat_id=chat, user_id=5, endpoint="/x", nominal=nominal, now=at
    )


def together(found: list[Part]) -> dict[tuple[str, ...], Sums]:
    totals: dict[tuple[str, ...], Sums] = {}
    for one in found:
        key = (one.day.isoformat(), one.kind, one.endpoint)
        totals[key] = totals.get(key, Sums()) + one.sums
    return totals


async def test_an_entry_is_closed_once(db: Database) -> None:
    async with db.begin() as tx:
        entry = await add(tx)
        assert await ledger.open_credits(tx) == 2
        assert await ledger.close(tx, entry, 0, now=NOW)
        assert not await ledger.close(tx, entry, 2, now=NOW)
        assert await ledger.open_credits(tx) == 0
        assert [e.state for e in await entries(tx, since=NOW)] == ["refunded"]


async def test_days_are_summed_up_in_parts_and_open_entries_stay(db: Database) -> None:
    async with db.begin() as tx:
        for n in range(7):
            entry = await add(tx, n % 2, at=NOW - timedelta(days=40 + n % 3))
            await ledger.close(tx, entry, n % 3, now=NOW)
        await add(tx, at=NOW - timedelta(days=50))
        await add(tx)
        before = await sums(tx, since=LONG_AGO, by="all")
        by = {one: await sums(tx, since=LONG_AGO, by=one) for one in get_args(By)}
        days = together(await parts(tx, since=LONG_AGO))
        assert [await ledger.sum_up(tx, now=NOW, limit=2) for _ in range(2)] == [2, 2]
        done = []
        for _ in range(4):
            done.append(await ledger.roll_up(tx, before=NOW.date(), limit=3))
            assert {one: await sums(tx, since=LONG_AGO, by=one) for one in by} == by
            assert together(await parts(tx, since=LONG_AGO)) == days
        assert done == [3, 3, 1, 0]
        assert (await tx.execute(sa.select(ledger.ledger_sums))).all() == []
        assert await sums(tx, since=LONG_AGO, by="all") == before
        assert len(await entries(tx, since=NOW - timedelta(days=99))) == 2
        await ledger.forget_old(tx, NOW, days=41)
        assert (await sums(tx, since=LONG_AGO, by="all"))["all"].requests < before["all"].requests


async def test_a_group_that_moves_takes_its_bill_along_and_one_that_leaves_leaves_it(
    db: Database,
) -> None:
    async with db.begin() as tx:
        for chat in (-1, -100):
            for days in (0, 40):
                entry = await add(tx, chat, at=NOW - timedelta(days=days))
                await ledger.close(tx, entry, 2, now=NOW)
        await ledger.roll_up(tx, before=NOW.date() - timedelta(days=30), limit=99)
        await ledger.move_chat(tx, -1, -100)
        assert await sums(tx, since=LONG_AGO, by="chat") == {"-100": Sums(4, 8, 8, 0, 0)}
        await ledger.move_chat(tx, -100, ledger.NOBODY)
        assert await sums(tx, since=LONG_AGO, by="chat") == {"0": Sums(4, 8, 8, 0, 0)}
        await ledger.forget_person(tx, 5)
        assert await ledger.tried_since(tx, 5, 0, NOW - timedelta(days=99)) == []


async def test_allowances_move_and_go(db: Database) -> None:
    day = NOW.date()
    async with db.begin() as tx:
        for chat in (-1, -100):
            assert (
                await budgets.take_allowances(tx, day, 2, [("chat", chat, 3)])
            ).refusing is None
        assert (await budgets.take_allowances(tx, day, 2, [("chat", -1, 3)])).refusing == "chat"
        assert (await budgets.take_allowances(tx, day, 9, [("person", 1, 3)])).refusing == "person"
        await budgets.move_chat(tx, -1, -100)
        assert await budgets.allowance_used(tx, "chat", -100, day) == 4
        assert await budgets.allowance_used(tx, "chat", -1, day) == 0
        await budgets.forget_old(tx, NOW + timedelta(days=2), days=366)
        assert await budgets.allowance_used(tx, "chat", -100, day) == 0
