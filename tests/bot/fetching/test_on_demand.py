"""A question is paid once: whoever asks, however often."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest
from pydantic import SecretStr

from bot.billing.ledger import Ledger
from bot.domain.budget import Limits
from bot.domain.errors import (
    PROFILE_BLOCKED,
    ProfilePrivateError,
    StoriesError,
    StoryGoneError,
)
from bot.domain.links import Link
from bot.domain.model import Asker
from bot.domain.records import Known
from bot.fetching.answer_cache import AnswerCache
from bot.fetching.on_demand import Viewer
from bot.store import profiles
from bot.store.engine.database import Database
from bot.stories_api.client import StoriesApi
from bot.stories_api.privacy import PrivacyCheck, SkipCheck
from tests.support.control import wait_for
from tests.support.errors import raises
from tests.support.sandbox import Box

ANN = Asker(1, 1)
LOOKUP = "/v1/user/by/username"
PLENTY = Limits(daily_budget=10_000)


class Clock:
    """A time that tests move on."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Build(Protocol):
    """Builds one process's viewer."""

    def __call__(
        self,
        *,
        limits: Limits = PLENTY,
        blocked: str = "",
        skip_check: SkipCheck = "auto",
    ) -> Awaitable[Viewer]: ...


@pytest.fixture
async def build(db: Database, box: Box, clock: Clock) -> AsyncIterator[Build]:
    async with AsyncExitStack() as stack:

        async def one(
            *,
            limits: Limits = PLENTY,
            blocked: str = "",
            skip_check: SkipCheck = "auto",
        ) -> Viewer:
            api = StoriesApi(
                box.session,
                url=box.urls.stories_api,
                key=SecretStr("key"),
                privacy=PrivacyCheck(db, skip_check, now=clock),
                now=clock,
            )
            names = frozenset({blocked} if blocked else ())
            ledger = Ledger(db, limits, now=clock)
            answers = await stack.enter_async_context(
                AnswerCache(
                    db,
                    ledger,
                    now=clock,
                )
            )
            return Viewer(db, api, ledger, answers, now=clock, blocked=names)

        yield one


async def story_link(box: Box, username: str = "natgeo") -> Link:
    pk = (await box.control.stories(username))[0]["pk"]
    return Link("story", username, pk, url=f"https://www.instagram.com/stories/{username}/{pk}/")


async def test_a_profiles_stories_serve_its_links_as_well(build: Build, box: Box) -> None:
    one = await build()
    assert len(await one.get_or_fetch_stories("natgeo", ANN)) == 3
    await one.get_or_fetch_story(await story_link(box), ANN)
    assert await box.control.billed() == 3


async def test_after_the_cache_time_it_is_asked_anew_by_id(
    build: Build, box: Box, clock: Clock
) -> None:
    one = await build()
    await one.get_or_fetch_stories("natgeo", ANN)
    await one.get_or_fetch_stories("natgeo", ANN)
    assert await box.control.billed() == 3
    clock.ahead = timedelta(seconds=61)
    await one.get_or_fetch_stories("natgeo", ANN)
    assert await box.control.billed() == 5


async def test_an_answer_without_the_privacy_check_does_not_show_that_an_account_is_public(
    build: Build, db: Database, clock: Clock
) -> None:
    async def recorded(since: datetime) -> Known | None:
        async with db.read() as tx:
            known = await profiles.find_by_username(
                tx, "natgeo", named_since=since - timedelta(days=1)
            )
        return known if known and known.snapshot_at and known.snapshot_at > since else None

    async def last_known_public_at(viewer: Viewer) -> datetime | None:
        began = clock() - timedelta(seconds=1)
        await viewer.get_or_fetch_stories("natgeo", ANN)
        known = await wait_for(lambda: recorded(began), what="the snapshot")
        return known.checked_at

    careless = await build(skip_check="true")
    first = await last_known_public_at(careless)  # by the lookup of the name
    assert first
    clock.ahead = timedelta(seconds=61)
    assert await last_known_public_at(careless) == first
    clock.ahead = timedelta(seconds=122)
    assert await last_known_public_at(await build()) != first


async def test_cancelled_request_does_not_cancel_the_shared_call(build: Build, box: Box) -> None:
    one = await build()
    link = await story_link(box)
    await box.control.fault("stories", {"delay_s": 0.2})
    async with asyncio.TaskGroup() as group:
        first = group.create_task(one.get_or_fetch_story(link, ANN))
        await asyncio.sleep(0)
        second = group.create_task(one.get_or_fetch_story(link, ANN))
        await asyncio.sleep(0.05)
        first.cancel()
    assert second.result().pk == link.story_id


async def test_a_story_that_must_be_gone_is_refused_unpaid(
    build: Build, box: Box, clock: Clock
) -> None:
    one = await build()
    link = await story_link(box)
    clock.ahead = timedelta(hours=26)
    with pytest.raises(StoryGoneError):
        await one.get_or_fetch_story(link, ANN)
    assert await box.control.billed() == 0


async def test_a_name_that_changed_hands_is_asked_for_by_name(
    build: Build, box: Box, clock: Clock
) -> None:
    one = await build()
    await box.control.profile("old.name")
    await box.control.publish("old.name")
    await one.get_or_fetch_stories("old.name", ANN)
    await box.control.change_profile("old.name", username="new.name")
    await box.control.profile("old.name")
    theirs = await box.control.publish("old.name")
    clock.ahead = timedelta(seconds=61)
    found = await one.get_or_fetch_stories("old.name", ANN)
    assert [story.pk for story in found] == [theirs["pk"]]


@pytest.mark.parametrize("is_private", [False, True])
async def test_a_new_owner_that_the_check_of_a_refusal_found_is_not_looked_up_again(
    build: Build, box: Box, clock: Clock, is_private: bool
) -> None:
    one = await build()
    await box.control.profile("old.name")
    await one.get_or_fetch_stories("old.name", ANN)
    await box.control.change_profile("old.name", username="new.name", is_private=True)
    await box.control.profile("old.name", is_private=is_private)
    theirs = await box.control.publish("old.name")
    clock.ahead = timedelta(seconds=61)
    lookups = await box.control.billed(LOOKUP)
    if is_private:
        with pytest.raises(ProfilePrivateError):
            await one.get_or_fetch_stories("old.name", ANN)
    else:
        found = await one.get_or_fetch_stories("old.name", ANN)
        assert [story.pk for story in found] == [theirs["pk"]]
    assert await box.control.billed(LOOKUP) == lookups + 1


async def test_a_concurrent_request_for_a_profile_that_is_no_longer_private_needs_no_lookup(
    build: Build, box: Box, clock: Clock
) -> None:
    one, two = await build(), await build()
    await box.control.profile("opens.up", is_private=True)
    for each in (one, two):
        with pytest.raises(ProfilePrivateError):
            await each.get_or_fetch_stories("opens.up", ANN)
    await box.control.change_profile("opens.up", is_private=False)
    clock.ahead = timedelta(minutes=6)
    lookups = await box.control.billed(LOOKUP)
    await box.control.fault("stories", {"delay_s": 1.0}, match=LOOKUP)  # the requests overlap
    await asyncio.gather(
        one.get_or_fetch_stories("opens.up", ANN), two.get_or_fetch_stories("opens.up", ANN)
    )
    assert await box.control.billed(LOOKUP) == lookups + 1


@pytest.mark.parametrize("how", ["name", "id"])
async def test_a_blocked_profile_is_never_shown(build: Build, box: Box, how: str) -> None:
    raw = (await box.control.stories("natgeo"))[0]
    blocked = "natgeo" if how == "name" else raw["user"]["pk"]
    one = await build(blocked=blocked)
    for _ in range(2):
        with raises(StoriesError, PROFILE_BLOCKED):
            await one.get_or_fetch_stories("natgeo", ANN)
        with raises(StoriesError, PROFILE_BLOCKED):
            await one.get_or_fetch_story(await story_link(box), ANN)
    assert await box.control.billed() <= (0 if how == "name" else 4)


async def test_a_link_under_another_name_does_not_show_a_blocked_profile(
    build: Build, box: Box
) -> None:
    one = await build(blocked="natgeo")
    link = replace(await story_link(box), username="somebody")
    with raises(StoriesError, PROFILE_BLOCKED):
        await one.get_or_fetch_story(link, ANN)
