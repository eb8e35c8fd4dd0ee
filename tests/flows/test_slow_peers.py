"""Servers that answer slowly hold up only what needs them."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.support.control import wait_for
from tests.support.sandbox import sandbox_box
from tests.support.storybell import FEW_CHECKS, Bell, running_bell, storybell

pytestmark = pytest.mark.jumps

SOON_S = 15.0
OF_VIDEOS = "/o1/v/"  # in the address of each video, and of no photo


async def follow_each(bell: Bell, count: int) -> list[str]:
    """Let so many people follow a profile each; return the names."""

    async def follow(name: str) -> None:
        person = await bell.control.person(name)
        await bell.control.profile(name, posts_per_day=0)
        await bell.ask(person, f"/subscribe {name}")

    names = [f"slow{number}" for number in range(count)]
    for first in range(0, count, 10):
        await asyncio.gather(*map(follow, names[first : first + 10]))
    return names


async def alert_in_time(bell: Bell, person: int, name: str, shown: list[str]) -> None:
    """Publish a story; its alert comes soon."""
    shown.append((await bell.control.publish(name))["pk"])
    await bell.control.wait_shown(person, shown, within=SOON_S)


@pytest.mark.slow
async def test_slow_media_hold_up_no_other_alert(tmp_path: Path) -> None:
    async with storybell(tmp_path, daily_budget=1_000_000, poll_floor_s=5) as bell:
        control = bell.control
        names = await follow_each(bell, 70)
        ann = await control.person("Ann")
        await control.profile("nimble", posts_per_day=0)
        await bell.ask(ann, "/subscribe nimble")
        await control.fault("cdn", {"slow_bytes_per_s": 1}, match=OF_VIDEOS, times=None)
        for name in names:
            await control.publish(name, media_type=2)

        async def are_all_slots_taken() -> bool:
            return int((await control.state())["calls"]["cdn"]) >= 64

        await wait_for(are_all_slots_taken, within=120)
        shown: list[str] = []
        for _ in range(3):
            await alert_in_time(bell, ann, "nimble", shown)


async def slow_answers(bell: Bell, count: int) -> None:
    """Let the Stories API answer checks of so many profiles after 29 seconds."""
    for name in await follow_each(bell, count):
        pk = (await bell.control.call("PATCH", f"/profiles/{name}", {}))["pk"]
        await bell.control.fault("stories", {"delay_s": 29}, match=f"user_id={pk}", times=None)


@pytest.mark.slow
async def test_slow_answers_of_the_stories_api_hold_up_no_other_check(tmp_path: Path) -> None:
    async with storybell(tmp_path, daily_budget=1_000_000) as bell:
        ann = await bell.control.person("Ann")
        await bell.control.profile("nimble", posts_per_day=0)
        await bell.ask(ann, "/subscribe nimble")
        await slow_answers(bell, 30)
        shown: list[str] = []
        for _ in range(3):
            await alert_in_time(bell, ann, "nimble", shown)


@pytest.mark.slow
async def test_a_server_that_stays_slow_is_named_to_the_owner(tmp_path: Path) -> None:
    async with sandbox_box() as box, AsyncExitStack() as stack:
        boss = await box.control.person("Boss", started=True)
        settings = {"daily_budget": 1_000_000, "admin_ids": str(boss)}
        bell = await stack.enter_async_context(running_bell(tmp_path, box, **settings))
        await slow_answers(bell, 20)

        async def is_named() -> bool:
            told = [message.get("text", "") for message in await box.control.replies(boss)]
            return any("slow for over 5 minutes: 127.0.0.1" in text for text in told)

        await wait_for(is_named, within=600)


async def test_nothing_more_is_downloaded_from_a_slow_host_for_alerts(tmp_path: Path) -> None:
    async with storybell(tmp_path, **FEW_CHECKS) as bell:
        control = bell.control
        *first, last = await follow_each(bell, 4)
        await control.fault("cdn", {"slow_bytes_per_s": 1}, match=OF_VIDEOS, times=None)
        pks = [(await control.publish(name, media_type=2))["pk"] for name in first]

        async def fetches() -> int:
            return int((await control.state())["calls"]["cdn"])

        async def are_ours_under_way() -> bool:
            return await fetches() == 6  # by Telegram, and then by us

        await wait_for(are_ours_under_way)
        await control.publish(last, media_type=2)

        async def are_bought() -> bool:
            paid = await control.requests("stories", path="download")
            return len({one["path"] + str(one["params"]) for one in paid}) >= len(pks)

        await wait_for(are_bought, within=300)
        assert await fetches() == 7
