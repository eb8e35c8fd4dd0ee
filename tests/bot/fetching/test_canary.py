"""An outage is told from silence by a profile that is never silent."""

import asyncio
from datetime import UTC, datetime, timedelta

from pydantic import SecretStr

from bot.billing.ledger import Ledger
from bot.domain.budget import Limits
from bot.fetching.canary import Canary
from bot.store.database import Database
from bot.stories_api import StoriesApi
from tests.support.sandbox import sandbox_box

NOW = datetime(2026, 4, 8, 12, tzinfo=UTC)
FREE = Limits(10**6, 0.5, 10**6, 10**6, 10**6)


async def test_a_canary_without_stories_says_that_the_api_is_down(sqlite_db: Database) -> None:
    async with sandbox_box() as box:
        clock = [NOW]
        api = StoriesApi(box.session, url=box.urls.stories_api, key=SecretStr("k"), rate=1000)
        ledger = Ledger(sqlite_db, FREE, now=lambda: clock[0])
        canary = Canary(api, ledger, "@NatGeo ", now=lambda: clock[0])
        assert not await canary.says_down()
        assert not await canary.says_down()
        assert await box.control.billed() == 3
        await box.control.fault("stories", {"status": 200, "body": "[]"}, match="user/stories")
        clock[0] += timedelta(minutes=5)
        async with asyncio.TaskGroup() as group:
            looks = [group.create_task(canary.says_down()) for _ in range(10)]
        assert all(look.result() for look in looks)
        assert await box.control.billed() == 5
        clock[0] += timedelta(minutes=5)
        await box.control.fault("stories", {"status": 500, "body": ""}, times=3)
        api._transport._jitter = lambda low, _high: low
        assert await canary.says_down()
        clock[0] += timedelta(minutes=5)
        await ledger.stop_spending()
        assert not await canary.says_down()
        assert not await Canary(api, ledger, "").says_down()
