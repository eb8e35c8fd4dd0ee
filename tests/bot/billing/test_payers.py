"""Who bears what: groups, people without a name, newcomers, and all who wait."""

import asyncio
from datetime import UTC, datetime

import pytest

from bot.billing.ledger import Charge, Ledger
from bot.billing.reports import Reports
from bot.domain.access import Subject
from bot.domain.budget import Limits
from bot.domain.errors import (
    CHANNELS_LIMIT_REACHED,
    CHAT_LIMIT_REACHED,
    NEWCOMER_LIMIT_REACHED,
    PAYER_SPENT,
    PERSON_LIMIT_REACHED,
    NoPayerError,
    SpendingError,
)
from bot.domain.model import Asker
from bot.domain.paid_calls import Answer, Operation, PaidCall
from bot.store import access, acquaintances, budgets, chats
from bot.store.engine.database import Database
from tests.bot.billing.test_ledger import FREE, MANY, Clock, answering, link
from tests.support.control import wait_for
from tests.support.errors import raises

NOON = datetime(2026, 4, 8, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 4, 9, tzinfo=UTC)
GROUP = -5


def in_group(person: int | None, chat: int = GROUP) -> Charge:
    return Charge("link", Asker(chat, person))


async def spend(ledger: Ledger, charge: Charge, times: int = 1) -> None:
    for _ in range(times):
        await ledger.reserve_call_and_settle(charge, answering())


async def pay(db: Database, payer: int, *groups: int) -> None:
    async with db.begin() as tx:
        for group in groups:
            await chats.add_or_update(tx, group, kind="group", title="", now=NOON)
            await chats.set_payer(tx, group, payer)


async def test_a_question_without_a_name_is_billed_to_the_payer_of_its_chat(
    sqlite_db: Database,
) -> None:
    ledger = Ledger(sqlite_db, Limits(MANY, 0.5, 100, 8), now=Clock())
    with pytest.raises(NoPayerError):
        await spend(ledger, in_group(None))
    await pay(sqlite_db, 9, GROUP, -6)
    await spend(ledger, in_group(None), 5)
    await spend(ledger, in_group(None, chat=-6), 2)
    await spend(ledger, in_group(9), 1)
    await spend(ledger, in_group(1), 3)  # a member does not touch the payer's limit
    for group in (GROUP, -6):
        with raises(SpendingError, PAYER_SPENT) as spent:
            await spend(ledger, in_group(None, chat=group))
        assert spent.value.until == MIDNIGHT
    await pay(sqlite_db, 8, -6)  # in the middle of the day
    await spend(ledger, in_group(None, chat=-6), 1)
    async with sqlite_db.read() as tx:
        used = [
            await budgets.read_used_allowance(tx, "person", one, NOON.date()) for one in (9, 8, 1)
        ]
    assert used == [8, 1, 3]


async def test_a_refund_goes_to_the_payer_of_the_moment_of_the_question(
    sqlite_db: Database,
) -> None:
    ledger = Ledger(sqlite_db, Limits(MANY, 0.5, 100, 8), now=Clock())
    await pay(sqlite_db, 9, GROUP)
    reservation = await ledger.reserve(in_group(None), answering())
    await pay(sqlite_db, 8, GROUP)
    async with sqlite_db.begin() as tx:
        await ledger.settle(tx, reservation, 0)
        for payer in (9, 8):
            assert await budgets.read_used_allowance(tx, "person", payer, NOON.date()) == 0


async def test_unknown_channels_have_ten_credits_of_the_payer_and_a_known_one_its_own(
    sqlite_db: Database,
) -> None:
    ledger = Ledger(sqlite_db, Limits(MANY, 0.5, 100, 80), now=Clock())
    await pay(sqlite_db, 9, GROUP)
    await pay(sqlite_db, 7, -1007)
    for number in range(10):
        await spend(ledger, Charge("link", Asker(GROUP, None, as_channel=-2000 - number)))
    with raises(SpendingError, CHANNELS_LIMIT_REACHED):
        await spend(ledger, Charge("link", Asker(GROUP, None, as_channel=-2000)))
    await spend(ledger, in_group(None))
    await spend(ledger, Charge("link", Asker(GROUP, None, as_channel=-1007)), 2)
    async with sqlite_db.read() as tx:
        used = [
            await budgets.read_used_allowance(tx, "person", one, NOON.date()) for one in (9, 7)
        ]
    assert used == [11, 2]


async def test_no_limit_of_a_person_holds_an_owner_who_is_the_payer(sqlite_db: Database) -> None:
    limits = Limits(MANY, 0.5, 5, 1)
    ledger = Ledger(sqlite_db, limits, owners=lambda: frozenset({9}), now=Clock())
    await pay(sqlite_db, 9, GROUP)
    await spend(ledger, in_group(None), 5)
    with raises(SpendingError, CHAT_LIMIT_REACHED):
        await spend(ledger, in_group(None))


async def test_what_was_set_for_a_chat_or_a_person_goes_before_the_limits(
    sqlite_db: Database,
) -> None:
    async with sqlite_db.begin() as tx:
        for number, allowance in ((GROUP, 6), (7, 5), (8, 1)):
            subject = Subject.of_chat(number)
            await access.put(tx, subject, now=NOON, allowance=allowance)
    limits = Limits(MANY, 0.5, 2, 2, newcomer_allowance=1, newcomer_share=0)
    ledger = Ledger(sqlite_db, limits, now=Clock())
    await spend(ledger, in_group(7), 3)
    for charge in (link(8, 8), in_group(9)):
        with pytest.raises(SpendingError):
            await spend(ledger, charge, 2)
    await spend(ledger, link(7, 7), 2)
    with raises(SpendingError, PERSON_LIMIT_REACHED):
        await spend(ledger, link(-6, 7))
    seen = Reports(sqlite_db, limits, Clock())
    shown = [await seen.read_usage_of_chat(chat) for chat in (GROUP, 7, 1)]
    assert [one.part for one in shown] == [3 / 6, 5 / 5, 0]


async def know(db: Database, *people: int) -> None:
    async with db.begin() as tx:
        for day in range(1, 4):
            await acquaintances.count_day_seen(tx, people, NOON.date().replace(day=day))


async def test_newcomers_have_less_and_only_a_part_that_is_theirs_together(
    sqlite_db: Database,
) -> None:
    limits = Limits(100, 0.5, MANY, MANY, newcomer_allowance=3, newcomer_share=0.1)
    ledger = Ledger(sqlite_db, limits, now=Clock())
    await know(sqlite_db, 7)
    await pay(sqlite_db, 6, GROUP)  # a newcomer
    await pay(sqlite_db, 7, -7)
    await spend(ledger, link(1, 1), 3)
    with raises(SpendingError, PERSON_LIMIT_REACHED):
        await spend(ledger, link(1, 1))
    await spend(ledger, in_group(None), 2)  # 5 of 50
    for stranger in (link(2, 2), in_group(None), in_group(7000)):
        with raises(SpendingError, NEWCOMER_LIMIT_REACHED) as refused:
            await spend(ledger, stranger)
        assert refused.value.until == MIDNIGHT
    await spend(ledger, link(7, 7), 4)
    await spend(ledger, in_group(7), 4)
    await spend(ledger, in_group(None, chat=-7), 4)
    reservation = await ledger.reserve(link(7, 7), answering())
    async with sqlite_db.begin() as tx:
        await ledger.settle(tx, reservation, 0)
        assert await budgets.read_used_allowance(tx, "person", 7, NOON.date()) == 12


async def test_what_a_newcomer_was_not_billed_is_there_for_the_next(sqlite_db: Database) -> None:
    limits = Limits(100, 0.5, MANY, MANY, newcomer_allowance=3, newcomer_share=0.02)
    ledger = Ledger(sqlite_db, limits, now=Clock())
    await ledger.reserve_call_and_settle(link(1, 1), answering(0))
    await spend(ledger, link(2, 2))
    with raises(SpendingError, NEWCOMER_LIMIT_REACHED):
        await spend(ledger, link(3, 3))


async def test_one_has_four_calls_at_a_time_and_all_together_forty_eight(
    sqlite_db: Database,
) -> None:
    ledger = Ledger(sqlite_db, FREE, now=Clock())
    await pay(sqlite_db, 77, -6, -8)
    go, begun = asyncio.Event(), 0

    async def hang() -> Answer[None]:
        nonlocal begun
        begun += 1
        await go.wait()
        return Answer(None, 1)

    call = PaidCall(Operation.STORY, 1, hang)
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        for _ in range(6):
            group.create_task(ledger.reserve_call_and_settle(link(GROUP, 1), call))
        for number in range(6):  # without a name: those of one payer
            group.create_task(
                ledger.reserve_call_and_settle(link(-6 - 2 * (number % 2), None), call)
            )
        await wait_for(lambda: begun >= 8)
        for person in range(2, 14):
            for _ in range(4):
                group.create_task(ledger.reserve_call_and_settle(link(GROUP, person), call))
        await wait_for(lambda: begun >= 48)
        # A call of the schedule waits for no free slot.
        await ledger.reserve_call_and_settle(Charge("schedule"), answering())
        assert begun == 48
        go.set()
    assert begun == 60
