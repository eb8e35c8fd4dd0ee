"""Who bears what: groups, people without a name, newcomers, and all who wait."""

import asyncio
from datetime import UTC, datetime

import pytest

from bot.billing.ledger import Ledger, Payer
from bot.billing.reports import Reports
from bot.domain.access import Subject
from bot.domain.budget import Limits
from bot.domain.errors import (
    CHAT_LIMIT_REACHED,
    NEWCOMER_LIMIT_REACHED,
    PersonSpentError,
    SpendingError,
)
from bot.domain.model import Asker
from bot.domain.paid_calls import Answer, Call, Operation
from bot.store import access, acquaintances, budgets
from bot.store.engine.database import Database
from tests.bot.billing.test_ledger import FREE, MANY, Clock, answering, link
from tests.support.control import wait_for
from tests.support.errors import raises

NOON = datetime(2026, 4, 8, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 4, 9, tzinfo=UTC)
GROUP = -5


def in_group(person: int | None, chat: int = GROUP) -> Payer:
    return Payer("link", Asker(chat, person))


async def spend(ledger: Ledger, payer: Payer, times: int = 1) -> None:
    for _ in range(times):
        await ledger.spend(payer, answering())


async def test_who_has_no_name_pays_by_the_chat_all_of_them_as_one(sqlite_db: Database) -> None:
    ledger = Ledger(sqlite_db, Limits(MANY, 0.5, 100, 8), now=Clock())
    await spend(ledger, in_group(None), 8)
    await spend(ledger, in_group(None, chat=-6), 3)
    await spend(ledger, in_group(1), 3)
    with raises(SpendingError, CHAT_LIMIT_REACHED) as spent:
        await spend(ledger, in_group(None))
    assert spent.value.until == MIDNIGHT
    await spend(ledger, in_group(1), 3)
    async with sqlite_db.read() as tx:
        used = {
            scope: await budgets.allowance_used(tx, scope, GROUP, NOON.date())
            for scope in ("chat", "nobody")
        }
    assert used == {"chat": 14, "nobody": 8}


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
    for payer in (link(8, 8), in_group(9)):
        with pytest.raises(SpendingError):
            await spend(ledger, payer, 2)
    await spend(ledger, link(7, 7), 2)
    with pytest.raises(PersonSpentError):
        await spend(ledger, link(-6, 7))
    seen = Reports(sqlite_db, limits, Clock())
    shown = [await seen.usage(chat) for chat in (GROUP, 7, 1)]
    assert [one.part for one in shown] == [3 / 6, 2 / 5, 0]


async def know(db: Database, *subjects: acquaintances.Acquaintance) -> None:
    async with db.begin() as tx:
        for day in range(1, 4):
            await acquaintances.record_seen(tx, list(subjects), NOON.date().replace(day=day))


async def test_newcomers_have_less_and_only_a_part_that_is_theirs_together(
    sqlite_db: Database,
) -> None:
    limits = Limits(100, 0.5, MANY, MANY, newcomer_allowance=3, newcomer_share=0.1)
    ledger = Ledger(sqlite_db, limits, now=Clock())
    await know(sqlite_db, ("person", 7), ("chat", -7))
    await spend(ledger, link(1, 1), 3)
    with pytest.raises(PersonSpentError):
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
        assert await budgets.allowance_used(tx, "person", 7, NOON.date()) == 8


async def test_what_a_newcomer_was_not_billed_is_there_for_the_next(sqlite_db: Database) -> None:
    limits = Limits(100, 0.5, MANY, MANY, newcomer_allowance=3, newcomer_share=0.02)
    ledger = Ledger(sqlite_db, limits, now=Clock())
    await ledger.spend(link(1, 1), answering(0))
    await spend(ledger, link(2, 2))
    with raises(SpendingError, NEWCOMER_LIMIT_REACHED):
        await spend(ledger, link(3, 3))


async def test_one_has_four_calls_at_a_time_and_all_together_forty_eight(
    sqlite_db: Database,
) -> None:
    ledger = Ledger(sqlite_db, FREE, now=Clock())
    go, begun = asyncio.Event(), 0

    async def hang() -> Answer[None]:
        nonlocal begun
        begun += 1
        await go.wait()
        return Answer(None, 1)

    call = Call(Operation.STORY, 1, hang)
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        for _ in range(6):
            group.create_task(ledger.spend(link(GROUP, 1), call))
        for _ in range(6):  # without a name: one to each chat
            group.create_task(ledger.spend(link(-6, None), call))
        await wait_for(lambda: begun >= 8)
        for person in range(2, 14):
            for _ in range(4):
                group.create_task(ledger.spend(link(GROUP, person), call))
        await wait_for(lambda: begun >= 48)
        await ledger.spend(Payer("schedule"), answering())  # it waits for nobody's
        assert begun == 48
        go.set()
    assert begun == 60
