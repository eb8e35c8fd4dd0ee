"""An outage is told from silence by a profile that is never silent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from bot.billing.ledger import Ledger
from bot.domain.budget import Limits
from bot.fetching.canary import Canary
from bot.store.database import Database
from bot.stories_api.client import StoriesApi
from tests.support.control import Control, Json
from tests.support.sandbox import sandbox_box

NOW = datetime(2026, 4, 8, 12, tzinfo=UTC)
FREE = Limits(10**6, 0.5, 10**6, 10**6, 10**6)


@asynccontextmanager
async def watched(
    db: Database, username: str = "@NatGeo "
) -> AsyncIterator[tuple[Canary, StoriesApi, Control, list[datetime]]]:
    async with sandbox_box() as box:
        clock = [NOW]
        api = StoriesApi(
            box.session,
            url=box.urls.stories_api,
            key=SecretStr("k"),
            rate=1000,
            now=lambda: clock[0],
            jitter=lambda low, _high: low,
        )
        ledger = Ledger(db, FREE, now=lambda: clock[0])
        yield Canary(api, ledger, username, now=lambda: clock[0]), api, box.control, clock


EMPTY: Json = {"status": 200, "body": "[]"}
SICK: Json = {"status": 500, "body": ""}


async def test_a_canary_without_stories_says_that_the_api_is_down(sqlite_db: Database) -> None:
    async with watched(sqlite_db) as (canary, _, control, clock):
        assert not await canary.says_down()
        assert not await canary.says_down()
        assert await control.billed() == 3
        await control.fault("stories", EMPTY, match="user/stories")
        clock[0] += timedelta(minutes=5)
        async with asyncio.TaskGroup() as group:
            looks = [group.create_task(canary.says_down()) for _ in range(10)]
        assert all(look.result() for look in looks)
        assert await control.billed() == 5
        clock[0] += timedelta(minutes=5)
        assert not await canary.says_down()  # it sings again


async def test_a_canary_that_is_silent_alone_makes_no_outage(sqlite_db: Database) -> None:
    async with watched(sqlite_db, "quiet") as (canary, api, _, clock):
        assert await canary.says_down()
        clock[0] += timedelta(seconds=1)
        await api.stories("787132")  # somebody shows stories, so the API is up
        for _ in range(3):
            assert not await canary.says_down()
            clock[0] += timedelta(minutes=5)


@pytest.mark.parametrize("trouble", ["error", "PrivateAccount", "UserNotFound", "edge"])
async def test_a_sick_canary_makes_no_outage(sqlite_db: Database, trouble: str) -> None:
    async with watched(sqlite_db) as (canary, _, control, _clock):
        await control.change_profile("natgeo", trouble=trouble)
        assert not await canary.says_down()
        assert await canary.is_answered()


async def test_without_a_canary_or_money_everything_is_believed(sqlite_db: Database) -> None:
    async with watched(sqlite_db, "") as (canary, _, control, _clock):
        assert not await canary.says_down()
        assert await control.billed() == 0
        await Ledger(sqlite_db, FREE, now=lambda: NOW).set_stopped(stopped=True)
        assert await canary.is_answered() is None


async def test_the_witness_is_what_worked_last_and_an_outage_is_free(sqlite_db: Database) -> None:
    async with watched(sqlite_db, "") as (canary, _, control, _clock):
        canary.worked("787132")
        assert await canary.is_answered()
        asked = await control.requests("stories")
        assert [one["params"].get("user_id") for one in asked] == ["787132"]
        before = await control.billed()
        await control.fault("stories", SICK, times=None)
        assert await canary.is_answered() is False
        assert await control.billed() == before
