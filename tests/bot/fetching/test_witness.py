"""An outage is told from a sick account by another one, of which no person asked."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from bot.billing.ledger import Ledger
from bot.domain.budget import Limits
from bot.fetching.witness import Witness
from bot.store.engine.database import Database
from bot.stories_api.client import StoriesApi
from tests.support.control import Control, Json
from tests.support.sandbox import sandbox_box

NOW = datetime(2026, 4, 8, 12, tzinfo=UTC)
FREE = Limits(10**6, 0.5, 10**6, 10**6, 10**6)
SICK: Json = {"status": 500, "body": ""}


@asynccontextmanager
async def called(db: Database) -> AsyncIterator[tuple[Witness, Control]]:
    async with sandbox_box() as box:
        api = StoriesApi(
            box.session,
            url=box.urls.stories_api,
            key=SecretStr("k"),
            rate=1000,
            now=lambda: NOW,
            jitter=lambda low, _high: low,
        )
        yield Witness(api, Ledger(db, FREE, now=lambda: NOW)), box.control


async def test_what_can_not_be_paid_tells_nothing(sqlite_db: Database) -> None:
    async with called(sqlite_db) as (witness, _):
        await Ledger(sqlite_db, FREE, now=lambda: NOW).set_stopped(stopped=True)
        assert await witness.is_answered() is None


@pytest.mark.parametrize("trouble", ["error", "PrivateAccount", "UserNotFound", "edge"])
async def test_a_sick_witness_makes_no_outage(sqlite_db: Database, trouble: str) -> None:
    async with called(sqlite_db) as (witness, control):
        await control.change_profile("natgeo", trouble=trouble)
        witness.worked = "787132"
        assert await witness.is_answered()


async def test_the_witness_is_what_worked_last_and_an_outage_is_free(sqlite_db: Database) -> None:
    async with called(sqlite_db) as (witness, control):
        witness.worked = "787132"
        assert await witness.is_answered()
        asked = await control.requests("stories")
        assert [one["params"].get("user_id") for one in asked] == ["787132"]
        before = await control.billed()
        await control.fault("stories", SICK, times=None)
        assert await witness.is_answered() is False
        assert await control.billed() == before
