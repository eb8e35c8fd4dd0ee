"""Beginning to follow: limits hold in races, and nothing is paid twice."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from bot.billing.ledger import Ledger
from bot.chats.payers import Payers, SubscriptionLimits
from bot.chats.subscribing import Subscribing
from bot.chats.subscriptions import Subscriptions
from bot.domain.budget import Limits
from bot.domain.errors import (
    BUDGET_SPENT,
    CAPACITY_REACHED,
    PROFILE_BLOCKED,
    TOO_MANY_FOLLOWED,
    TOO_MANY_NEW,
    ApiUnavailableError,
    BotError,
    NoSuchProfileError,
    SpendingError,
    SubscriptionError,
)
from bot.domain.model import Asker, Profile, Target
from bot.domain.options import Preferences
from bot.fetching import snapshots
from bot.fetching.schedule_state import PollSettings
from bot.store import profiles
from bot.store import subscriptions as store
from bot.store.engine.database import Database
from bot.stories_api.client import StoriesApi
from tests.support.control import Control
from tests.support.errors import raises
from tests.support.preferences import unlike_defaults
from tests.support.sandbox import sandbox_box
from tests.support.telegram import utc_now

LIMITS = SubscriptionLimits(most=5, most_new_a_day=8)
POLLING = PollSettings(credits_a_day=10**6)


@dataclass
class Desk:
    """Subscriptions of one database, against a sandbox."""

    db: Database
    control: Control
    session: aiohttp.ClientSession
    url: str
    names: int = 0

    def subscriptions(self) -> Subscriptions:
        """Return what a chat has."""
        return Subscriptions(self.db, Ledger(self.db, Limits(0, 1.0, 0, 0)))

    def subscribing(self, polling: PollSettings = POLLING, budget: int = 10**6) -> Subscribing:
        ledger = Ledger(self.db, Limits(budget, 1.0, 10**6, 10**6))
        api = StoriesApi(self.session, url=self.url, key=SecretStr("k"), rate=1000)
        nobody: Any = None  # nothing here asks for a topic
        return Subscribing(
            self.db,
            api,
            ledger,
            payers=Payers(self.db, limits=LIMITS),
            polling=polling,
            topics=nobody,
        )

    async def star(self, stories: int = 0) -> str:
        self.names += 1
        await self.control.profile(f"desk{self.names}", posts_per_day=0)
        for _ in range(stories):
            await self.control.publish(f"desk{self.names}")
        return f"desk{self.names}"

    async def billed(self) -> int:
        return int((await self.control.call("GET", "/state"))["billed"]["total"])


@pytest.fixture
async def desk(db: Database) -> AsyncIterator[Desk]:
    async with sandbox_box() as box, aiohttp.ClientSession() as session:
        yield Desk(db, box.control, session, box.urls.stories_api)


async def test_many_who_ask_at_once_pay_one_look(desk: Desk) -> None:
    name, subscribing = await desk.star(stories=2), desk.subscribing()
    before = await desk.billed()
    async with asyncio.TaskGroup() as group:
        asked = [
            group.create_task(subscribing.subscribe(Target(chat), name, Asker(chat, chat)))
            for chat in range(1, 31)
        ]
    assert await desk.billed() == before + 3  # the name, and the look with its privacy check
    assert {len(task.result().live) for task in asked} == {2}
    assert not any(task.result().already for task in asked)
    async with desk.db.read() as tx:
        known = await profiles.find_by_username(
            tx, name, named_since=utc_now() - timedelta(hours=1)
        )
        assert known is not None
        assert (await store.count_subscribers(tx, known.profile_id)).chats == 30
    assert known.due_at is not None


async def _race(desk: Desk, names: list[str]) -> list[str]:
    subscribing = desk.subscribing()

    async def one(name: str) -> str | None:
        try:
            await subscribing.subscribe(Target(7), name, Asker(7, 7))
        except SubscriptionError as error:
            return error.text
        return None

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(name)) for name in names]
    assert len(await desk.subscriptions().all_of_chat(7)) == sum(
        task.result() is None for task in tasks
    )
    return [error for task in tasks if (error := task.result())]


async def test_the_limits_hold_in_races(desk: Desk) -> None:
    names = [await desk.star() for _ in range(9)]
    failed = await _race(desk, names)
    assert failed == [TOO_MANY_FOLLOWED] * 4
    rows = await desk.subscriptions().all_of_chat(7)
    await desk.subscriptions().unsubscribe(7, rows)
    failed = await _race(desk, [await desk.star() for _ in range(9)])
    assert failed == [TOO_MANY_NEW] * 6  # 5 + 3 = 8 a day


async def test_what_the_budget_can_not_follow_is_not_begun_and_not_paid(desk: Desk) -> None:
    first, second = await desk.star(), await desk.star()
    poor = desk.subscribing(replace(POLLING, credits_a_day=3))
    await poor.subscribe(Target(1), first, Asker(1))
    before = await desk.billed()
    with raises(SubscriptionError, CAPACITY_REACHED):
        await poor.subscribe(Target(1), second, Asker(1))
    assert not (await poor.subscribe(Target(2), first, Asker(2))).already
    assert await desk.billed() == before


async def test_what_may_not_be_spent_or_is_not_answered_begins_nothing(desk: Desk) -> None:
    name = await desk.star()
    with raises(SpendingError, BUDGET_SPENT):
        await desk.subscribing(budget=0).subscribe(Target(1), name, Asker(1))
    fault = {"status": 500, "body": {}}
    number = await desk.control.fault("stories", fault, match="/v1/user/stories", times=None)
    subscribing = desk.subscribing()
    with pytest.raises(ApiUnavailableError):
        await subscribing.subscribe(Target(1), name, Asker(1))
    await desk.control.call("DELETE", f"/faults/{number}")
    assert await desk.subscriptions().all_of_chat(1) == []
    with pytest.raises(NoSuchProfileError):
        await subscribing.subscribe(Target(1), "nobody_here", Asker(1))


async def test_a_name_that_changed_hands_is_its_new_owners(desk: Desk) -> None:
    name, subscribing = await desk.star(), desk.subscribing()
    stranger = Profile("424242", name)
    async with desk.db.begin() as tx:
        await snapshots.record_name_notify_and_return_previous(
            tx, stranger, now=utc_now() - timedelta(days=2)
        )
    followed = await subscribing.subscribe(Target(1), name, Asker(1, 9))
    assert followed.profile.profile_id != "424242"
    assert followed.subscription.created_by == 9


async def test_what_ended_comes_back_whole_and_an_ended_mute_does_not(desk: Desk) -> None:
    subscribing, name, muted = desk.subscribing(), await desk.star(), unlike_defaults()
    over = replace(muted, paused_until=utc_now() - timedelta(minutes=1))
    for chat, wanted, back in (
        (1, muted, muted),
        (2, over, Preferences(muted.options)),
    ):
        one = await subscribing.subscribe(Target(chat), name, Asker(chat), preferences=wanted)
        assert one.subscription.preferences == back
        at = await desk.subscriptions().unsubscribe(chat, [one.subscription])
        [again] = (await subscribing.restore(chat, chat, ended_at=at)).subscriptions
        assert again == replace(one.subscription, preferences=back)
        assert [
            entry.preferences for entry in await desk.subscriptions().read_export_entries(chat)
        ] == [back]


async def test_where_none_of_several_can_come_back_each_has_its_reason(desk: Desk) -> None:
    names = [await desk.star() for _ in range(2)]
    await desk.subscribing().subscribe_all(Target(1), names, Asker(1))
    at = await desk.subscriptions().unsubscribe(1, await desk.subscriptions().all_of_chat(1))
    refusing = desk.subscribing(replace(POLLING, blocked=frozenset(names)))
    result = await refusing.restore(1, 1, ended_at=at)
    assert not result.subscriptions
    assert [(name, error.msgid) for name, error in result.failed] == [
        (name, PROFILE_BLOCKED) for name in sorted(names)
    ]


async def test_restored_subscriptions_count_as_new_above_a_daily_limit(desk: Desk) -> None:
    """Otherwise, a person could follow any number of profiles in turns."""
    subscribing, subscriptions = desk.subscribing(), desk.subscriptions()
    names = [await desk.star() for _ in range(5)]
    await subscribing.subscribe_all(Target(1), names, Asker(1, 1))
    failed: list[tuple[str, BotError]] = []
    for _ in range(4):  # 3 * 5 restored subscriptions, and the 3 new ones that are left of 8
        at = await subscriptions.unsubscribe(1, await subscriptions.all_of_chat(1))
        failed += (await subscribing.restore(1, 1, ended_at=at)).failed
    assert [error.text for _, error in failed] == [TOO_MANY_NEW] * 2
    assert len(await subscriptions.all_of_chat(1)) == 3
