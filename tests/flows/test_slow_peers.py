"""Servers that answer slowly hold up only what needs them."""

import asyncio
from pathlib import Path

import pytest

from tests.support.control import wait_for
from tests.support.storybell import Bell, storybell

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


async def test_slow_answers_of_the_stories_api_hold_up_no_other_check(tmp_path: Path) -> None:
    async with storybell(tmp_path, daily_budget=1_000_000, poll_floor_s=1) as bell:
        control = bell.control
        names = await follow_each(bell, 30)
        ann = await control.person("Ann")
        await control.profile("nimble", posts_per_day=0)
        await bell.ask(ann, "/subscribe nimble")
        for name in names:
            pk = (await control.call("PATCH", f"/profiles/{name}", {}))["pk"]
            await control.fault("stories", {"delay_s": 29}, match=f"user_id={pk}", times=None)

        shown: list[str] = []
        for _ in range(3):
            await alert_in_time(bell, ann, "nimble", shown)
