"""The limits as rows: no one passes the last credit, and the rows agree with the arithmetic."""

import contextlib
import itertools
from datetime import UTC, date, datetime, time, timedelta

from bot.domain.budget import BudgetRule, Side
from bot.operations.cleanup import delete_overdue_rows
from bot.store import budgets
from bot.store.budgets import Scope
from bot.store.engine.database import Database, Tx

TODAY = date(2026, 4, 8)
DAY = timedelta(days=1)
ANYTHING = BudgetRule(10**6, 0, 0)
WANTED: list[tuple[Scope, int, int]] = [("chat", -1, 5), ("person", 7, 3)]


async def used(tx: Tx) -> tuple[int, int]:
    return (
        await budgets.read_used_allowance(tx, "chat", -1, TODAY),
        await budgets.read_used_allowance(tx, "person", 7, TODAY),
    )


async def take(db: Database, amount: int, *wanted: tuple[Scope, int, int]) -> Scope | None:
    """Do as the ledger does: after a refusal nothing is taken."""
    with contextlib.suppress(ValueError):
        async with db.begin() as tx:
            refusing = await budgets.take_allowances_or_return_exceeded(tx, TODAY, amount, wanted)
            if refusing:
                raise ValueError
    return refusing


async def take_credits(
    tx: Tx,
    amount: int,
    side: Side = "replies",
    day: date = TODAY,
    rule: BudgetRule = ANYTHING,
    *,
    minimum: int | None = None,
) -> bool:
    noon = datetime.combine(day, time(12), UTC)
    return (
        await budgets.take_credits_or_return_account(tx, side, noon, amount, rule, minimum=minimum)
        is None
    )


async def test_the_last_credit_is_taken_and_no_more(db: Database) -> None:
    assert await take(db, 3, *WANTED) is None
    assert await take(db, 1, *WANTED) == "person"
    assert await take(db, 3, WANTED[0]) == "chat"
    assert await take(db, 2, WANTED[0]) is None
    assert await take(db, 1, WANTED[0]) == "chat"
    async with db.begin() as tx:
        assert await used(tx) == (5, 3)
        assert (
            await budgets.take_allowances_or_return_exceeded(tx, TODAY + DAY, 3, WANTED)
        ) is None


async def test_a_first_call_over_the_limit_is_refused(db: Database) -> None:
    assert await take(db, 4, *WANTED) == "person"
    assert await take(db, 6, *WANTED) == "chat"


async def test_the_chat_is_named_when_both_are_at_their_limits(db: Database) -> None:
    async with db.begin() as tx:
        await budgets.take_allowances_or_return_exceeded(tx, TODAY, 3, WANTED)
        both: list[tuple[Scope, int, int]] = [("chat", -1, 3), ("person", 7, 3)]
        assert (await budgets.take_allowances_or_return_exceeded(tx, TODAY, 1, both)) == "chat"


async def test_what_is_given_back_can_be_taken_again(db: Database) -> None:
    async with db.begin() as tx:
        await budgets.take_allowances_or_return_exceeded(tx, TODAY, 3, WANTED)
        await budgets.give_back_allowance(tx, "person", 7, TODAY, 2)
        assert await used(tx) == (3, 1)
        assert (await budgets.take_allowances_or_return_exceeded(tx, TODAY, 2, WANTED)) is None
        await budgets.give_back_allowance(tx, "chat", -1, TODAY, -9)  # billed more than reserved
        assert await used(tx) == (14, 3)


async def test_a_row_says_yes_to_the_budget_just_when_the_rule_has_room(db: Database) -> None:
    sides: tuple[tuple[Side, Side], ...] = (("replies", "schedule"), ("schedule", "replies"))
    figures = itertools.product((0, 3, 6), (0, 2, 5), (0, 2, 4, 7), (0, 3), (1, 2, 4, 7))
    async with db.begin() as tx:
        for number, (mine, others, protected, share, amount) in enumerate(figures):
            day, rule = TODAY + number * DAY, BudgetRule(8, share, protected)
            side, other = sides[number % 2]
            for taken, of in ((mine, side), (others, other)):
                if taken:
                    assert await take_credits(tx, taken, of, day)
            has_room = amount <= rule.credits_left(own_spending=mine, spending_of_others=others)
            case = (mine, others, rule, amount)
            assert await take_credits(tx, amount, side, day, rule) is has_room, case
            spent = (await budgets.account_state(tx)).spent_by_replies_and_schedule(day)
            assert sum(spent) == mine + others + amount * has_room


async def test_what_is_given_back_of_a_budget_is_its_sides_and_its_days(db: Database) -> None:
    rule, tomorrow = BudgetRule(10, 0, 0), TODAY + DAY

    async def used(tx: Tx, day: date) -> tuple[int, int]:
        return (await budgets.account_state(tx)).spent_by_replies_and_schedule(day)

    async with db.begin() as tx:
        await take_credits(tx, 4, "replies", TODAY, rule)
        await take_credits(tx, 6, "schedule", TODAY, rule)
        await budgets.give_back_credits(tx, "schedule", TODAY, 1)
        assert (await used(tx, TODAY), await used(tx, tomorrow)) == ((4, 5), (0, 0))
        assert await take_credits(tx, 8, "replies", tomorrow, rule)
        await budgets.give_back_credits(tx, "replies", TODAY, 4)
        # A replica that is behind spends of the day that the others have begun.
        assert not await take_credits(tx, 3, "schedule", TODAY, rule)
        assert await take_credits(tx, 2, "schedule", TODAY, rule)
        assert (await used(tx, TODAY), await used(tx, tomorrow)) == ((8, 2), (8, 2))
        assert (await budgets.account_state(tx)).spent == 15


async def test_the_purse_keeps_the_minimum_once_its_balance_is_told(db: Database) -> None:
    async with db.begin() as tx:
        assert await take_credits(tx, 50, minimum=10)  # nobody told us yet
        assert (await budgets.account_state(tx)).balance is None
        await budgets.set_spent_at_zero_balance(tx, 53 + 10)
        assert not await take_credits(tx, 4, minimum=10)
        assert await take_credits(tx, 3, minimum=10)
        assert (await budgets.account_state(tx)).balance == 10
        assert not await take_credits(tx, 1, minimum=10)
        assert await take_credits(tx, 11)
        await budgets.give_back_credits(tx, "replies", TODAY, 5)
        await budgets.give_back_credits(tx, "replies", TODAY, 9, of_balance=False)
        state = await budgets.account_state(tx)
        assert (state.spent, state.balance, state.replies) == (59, 4, 50)


async def test_the_stop_switch_stops_all_and_changes_no_sum(db: Database) -> None:
    async with db.begin() as tx:
        assert not (await budgets.account_state(tx)).is_stopped
        await budgets.set_spent_at_zero_balance(tx, 20)
        await take_credits(tx, 5, minimum=0)
        await budgets.set_spending_stopped(tx, stopped=True)
        assert (await budgets.account_state(tx)).is_stopped
        assert not await take_credits(tx, 1)
        await budgets.set_spending_stopped(tx, stopped=False)
        assert await take_credits(tx, 1, minimum=0)
        assert (await budgets.account_state(tx)).balance == 14


async def test_yesterday_is_kept_and_the_day_before_forgotten(db: Database) -> None:
    now = datetime(2026, 4, 8, 12, tzinfo=UTC)
    async with db.begin() as tx:
        for ago in range(4):
            await budgets.take_allowances_or_return_exceeded(tx, TODAY - ago * DAY, 1, WANTED)
    await delete_overdue_rows(db, now=now)
    async with db.read() as tx:
        kept = [
            await budgets.read_used_allowance(tx, "chat", -1, TODAY - ago * DAY)
            for ago in range(4)
        ]
        assert kept == [1, 1, 0, 0]
