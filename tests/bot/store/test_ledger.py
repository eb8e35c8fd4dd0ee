"""The ledger's entries: closed once, summed up, moved, made anonymous; no credit is lost."""

from datetime import UTC, datetime, timedelta

from bot.operations.cleanup import delete_overdue_rows
from bot.store import budgets, ledger
from bot.store.engine.database import Database, Tx
from bot.store.spending import spent_by_operation
from tests.support.rows import all_spent, entries

NOW = datetime(2026, 4, 8, 12, tzinfo=UTC)
TODAY = NOW.date()
LONG_AGO = TODAY - timedelta(days=9999)


async def add(tx: Tx, chat: int | None = 1, *, at: datetime = NOW, nominal: int = 2) -> int:
    return await ledger.add(
        tx, kind="link", chat_id=chat, user_id=5, operation="x", nominal=nominal, now=at
    )


async def test_an_entry_is_closed_once(db: Database) -> None:
    async with db.begin() as tx:
        entry = await add(tx)
        assert await ledger.reserved_credits(tx) == 2
        assert await ledger.close(tx, entry, 0, now=NOW)
        assert not await ledger.close(tx, entry, 2, now=NOW)
        assert await ledger.reserved_credits(tx) == 0
        assert [e.state for e in await entries(tx, since=NOW)] == ["refunded"]


async def test_what_is_closed_is_in_its_day_and_what_is_open_is_counted_too(db: Database) -> None:
    async with db.begin() as tx:
        for n in range(7):
            entry = await add(tx, n % 2, at=NOW - timedelta(days=n % 3))
            await ledger.close(tx, entry, n % 4, now=NOW)
        await add(tx)
        parts = await spent_by_operation(tx, since=LONG_AGO, now=NOW)
        found = {one.day: one.credits for one in parts}
        assert found == {
            TODAY: 7,
            TODAY - timedelta(days=1): 1,
            TODAY - timedelta(days=2): 3,
        }


async def test_a_late_answer_knows_better_than_a_presumption(db: Database) -> None:
    async with db.begin() as tx:
        late, early = await add(tx, nominal=3), await add(tx, at=NOW + timedelta(minutes=1))
        assert (
            await ledger.presume_old_reservations_spent(
                tx, before=NOW + timedelta(seconds=1), now=NOW
            )
            == 1
        )
        assert await all_spent(tx) == 5
        assert await ledger.close(tx, early, None, now=NOW)
        assert not await ledger.close(tx, early, None, now=NOW)
        assert await all_spent(tx) == 5
        assert await ledger.close(tx, late, 1, now=NOW)
        assert not await ledger.close(tx, late, 3, now=NOW)
        assert await all_spent(tx) == 3


async def test_a_group_that_moves_takes_its_bill_along_and_one_that_leaves_leaves_it(
    db: Database,
) -> None:
    async with db.begin() as tx:
        for chat in (-1, -100):
            for days in (0, 40):
                entry = await add(tx, chat, at=NOW - timedelta(days=days))
                await ledger.close(tx, entry, 2, now=NOW)
        await ledger.move_chat(tx, -1, -100)
        assert await all_spent(tx) == 8
        await ledger.move_chat(tx, -100, ledger.NOBODY)
        assert await all_spent(tx) == 8


async def test_allowances_move_and_go(db: Database) -> None:
    day = NOW.date()
    async with db.begin() as tx:
        for chat in (-1, -100):
            assert (
                await budgets.take_allowances_or_return_exceeded(tx, day, 2, [("chat", chat, 3)])
            ) is None
        assert (
            await budgets.take_allowances_or_return_exceeded(tx, day, 2, [("chat", -1, 3)])
        ) == "chat"
        assert (
            await budgets.take_allowances_or_return_exceeded(tx, day, 9, [("person", 1, 3)])
        ) == "person"
        await budgets.move_chat(tx, -1, -100)
        assert await budgets.read_used_allowance(tx, "chat", -100, day) == 4
        assert await budgets.read_used_allowance(tx, "chat", -1, day) == 0
    await delete_overdue_rows(db, now=NOW + timedelta(days=2))
    async with db.read() as tx:
        assert await budgets.read_used_allowance(tx, "chat", -100, day) == 0
