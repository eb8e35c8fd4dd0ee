"""The balance is known, and the bot comes back by itself when it is good again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from bot.billing.balance import Treasurer
from bot.billing.ledger import Charge, Ledger
from bot.domain.budget import Limits
from bot.domain.errors import OutOfServiceError
from bot.domain.model import Asker
from bot.store import budgets
from bot.store import ledger as entries
from bot.store.engine.database import Database
from bot.stories_api.client import StoriesApi
from tests.bot.billing.test_ledger import answering
from tests.support.followed import Clock
from tests.support.sandbox import Box

NOW = datetime(2026, 4, 8, 12, tzinfo=UTC)
FREE = Limits(10**6, 0.5, 10**6, 10**6)
EVERY, EVERY_WHEN_OUT = timedelta(minutes=5), timedelta(minutes=1)


async def test_after_a_402_it_resumes_with_the_top_up(sqlite_db: Database, box: Box) -> None:
    told: list[str] = []

    async def on_out(error: OutOfServiceError) -> None:
        told.append(type(error).__name__)

    api = StoriesApi(
        box.session,
        url=box.urls.stories_api,
        key=SecretStr("k"),
        rate=1000,
        on_out_of_service=on_out,
    )
    ledger = Ledger(sqlite_db, FREE, now=lambda: NOW)
    treasurer = Treasurer(api, ledger, now=lambda: NOW)
    assert await treasurer.clean_up_and_fetch_balance() == NOW + EVERY
    async with sqlite_db.read() as tx:
        assert (await budgets.account_state(tx)).balance == 1_000_000

    await box.control.stories_api(balance=0)
    # No call was refused yet.
    assert await treasurer.clean_up_and_fetch_balance() == NOW + EVERY_WHEN_OUT
    await box.control.stories_api(balance=1_000_000)
    assert await treasurer.clean_up_and_fetch_balance() == NOW + EVERY
    await box.control.stories_api(balance=0)

    async def ask() -> None:
        await ledger.reserve_call_and_settle(Charge("link", Asker(1, 1)), api.profile("natgeo"))

    for _ in range(3):
        with pytest.raises(OutOfServiceError):
            await ask()
    assert await treasurer.clean_up_and_fetch_balance() == NOW + EVERY_WHEN_OUT
    assert await ledger.spent_by_replies_and_schedule() == (0, 0)
    await box.control.stories_api(balance=500)
    assert await treasurer.clean_up_and_fetch_balance() == NOW + EVERY
    await ask()
    assert told == ["OutOfServiceError"]
    assert await ledger.spent_by_replies_and_schedule() == (1, 0)


def api_at(box: Box) -> StoriesApi:
    return StoriesApi(box.session, url=box.urls.stories_api, key=SecretStr("k"), rate=1000)


async def test_at_the_minimum_it_asks_each_minute_and_above_it_every_five(
    sqlite_db: Database, box: Box
) -> None:
    ledger = Ledger(sqlite_db, replace(FREE, minimum_balance=100), now=lambda: NOW)
    treasurer = Treasurer(api_at(box), ledger, now=lambda: NOW)
    assert not treasurer.is_answered
    await box.control.stories_api(balance=100)
    assert await treasurer.clean_up_and_fetch_balance() == NOW + EVERY_WHEN_OUT
    await box.control.stories_api(balance=101)
    assert await treasurer.clean_up_and_fetch_balance() == NOW + EVERY
    assert treasurer.is_answered


async def test_a_balance_that_is_not_told_stops_nothing(sqlite_db: Database, box: Box) -> None:
    await box.control.fault("stories", {"status": 500}, times=None)
    treasurer = Treasurer(api_at(box), Ledger(sqlite_db, FREE, now=lambda: NOW), now=lambda: NOW)
    assert await treasurer.clean_up_and_fetch_balance() == NOW + EVERY
    assert not treasurer.is_answered


async def test_the_ledger_is_tidied_whenever_the_balance_is_asked_for(
    sqlite_db: Database, box: Box
) -> None:
    clock = Clock(NOW)
    ledger = Ledger(sqlite_db, FREE, now=clock)
    treasurer = Treasurer(api_at(box), ledger, now=clock)

    async def presumed() -> bool:
        async with sqlite_db.read() as tx:
            return not await entries.reserved_credits(tx)

    await ledger.reserve(Charge("link", Asker(1, 1)), answering())
    clock.on(timedelta(minutes=31))
    await treasurer.clean_up_and_fetch_balance()
    assert await presumed()
    await ledger.reserve(Charge("link", Asker(1, 1)), answering())
    await treasurer.clean_up_and_fetch_balance()
    assert not await presumed()
    clock.on(timedelta(minutes=31))
    await treasurer.clean_up_and_fetch_balance()
    assert await presumed()
