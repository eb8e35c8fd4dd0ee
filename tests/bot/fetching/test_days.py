"""What a day's budget comes to: replies get what they usually ask for, the schedule the rest."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from pydantic import SecretStr

from bot.billing.ledger import Charge, Ledger
from bot.chats.subscriptions import Subscriptions
from bot.domain.budget import Limits
from bot.domain.model import Asker, Profile
from bot.domain.paid_calls import Operation
from bot.fetching.poller import Scheduler
from bot.fetching.schedule_state import PollSettings
from bot.runtime.claims import Owner
from bot.store import ledger
from bot.store.engine.database import Database
from bot.stories_api.client import StoriesApi
from tests.bot.billing.test_ledger import answering
from tests.support.followed import HOUR, MINUTE, Clock, follow, make_due
from tests.support.sandbox import sandbox_box

MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
LIMITS = Limits(1000, 0.5, 10**6, 10**6)
PROFILES = 10
pytestmark = pytest.mark.slow


@dataclass
class Days:
    """A scheduler and a ledger on a clock that is moved on by hand."""

    db: Database
    clock: Clock
    ledger: Ledger
    scheduler: Scheduler

    async def until(self, end: datetime) -> None:
        """Let the scheduler have its way every two minutes."""
        while self.clock.time < end:
            await self.scheduler.make_possible_checks_once()
            self.clock.on(2 * MINUTE)

    async def asked(self, at: datetime, credits_: int) -> None:
        """Write down what replies spent at a time gone by."""
        async with self.db.begin() as tx:
            await ledger.add(
                tx,
                kind="stories",
                chat_id=1,
                user_id=1,
                operation=Operation.STORIES,
                nominal=credits_,
                now=at,
            )


@pytest.fixture
async def days(sqlite_db: Database) -> AsyncIterator[Days]:
    clock = Clock(MIDNIGHT)
    polling = PollSettings(credits_a_day=500, floor=MINUTE)
    async with sandbox_box() as box, aiohttp.ClientSession() as session:
        paying = Ledger(sqlite_db, LIMITS, now=clock)
        api = StoriesApi(session, url=box.urls.stories_api, key=SecretStr("k"), rate=1000)
        subscriptions = Subscriptions(sqlite_db, paying, blocked=polling.blocked)
        for number in range(PROFILES):
            shown = await box.control.profile(f"daily{number}", posts_per_day=0)
            profile = Profile(str(shown["pk"]), shown["username"])
            async with sqlite_db.begin() as tx:
                await follow(tx, 1, profile, since=clock.time - HOUR, now=clock.time)
                await make_due(tx, profile.profile_id, clock.time)
        scheduler = Scheduler(
            sqlite_db,
            api,
            paying,
            owner=Owner(),
            settings=polling,
            apply_blocks=subscriptions.apply_profile_blocks,
            now=clock,
        )
        yield Days(sqlite_db, clock, paying, scheduler)


async def test_when_nobody_asks_the_schedule_spends_it_all(days: Days) -> None:
    await days.until(MIDNIGHT + 24 * HOUR - timedelta(seconds=1))
    days.clock.time = MIDNIGHT
    replies, schedule = await days.ledger.spent_by_replies_and_schedule()
    assert replies == 0
    assert 990 <= schedule <= 1000


async def test_who_asks_at_the_usual_hours_is_not_refused(days: Days) -> None:
    for back in (1, 2, 3):
        await days.asked(MIDNIGHT - timedelta(days=back) + 20.5 * HOUR, 400)
    await days.until(MIDNIGHT + 20 * HOUR)
    payer = Charge("stories", Asker(chat_id=1, user_id=1))
    for _ in range(40):
        for _ in range(5):
            await days.ledger.reserve(payer, answering(price=2))
        await days.until(days.clock.time + 2 * MINUTE)
    await days.until(MIDNIGHT + 24 * HOUR - timedelta(seconds=1))
    days.clock.time = MIDNIGHT
    replies, schedule = await days.ledger.spent_by_replies_and_schedule()
    assert replies == 400
    assert 575 <= schedule <= 600
