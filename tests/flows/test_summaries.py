"""The daily summary: one message rings at the hour, and the checks are made in time for it."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox.jumping import JumpingLoop
from tests.flows.test_wallets import know
from tests.support.control import wait_for
from tests.support.storybell import Bell, buttons, storybell

pytestmark = pytest.mark.jumps

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
SETTINGS = {"poll_floor_s": 60, "person_daily_allowance": 10_000}
SETTINGS |= {"daily_budget": 60}  # none is left for checks before their time


def clock() -> JumpingLoop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, JumpingLoop)
    return loop


def jump_to_next_morning() -> datetime:
    """Set the clock to 10:00 UTC of the next day. Return this time."""
    now = clock().now()
    morning = now.replace(hour=10, minute=0, second=0, microsecond=0) + timedelta(days=1)
    clock().jump((morning - now).total_seconds())
    return morning


async def follow(bell: Bell, name: str, *settings: str, summary: bool = True) -> int:
    """Let somebody in the time zone UTC set this, and follow a new profile."""
    person = await bell.control.person()
    await bell.ask(person, "/timezone UTC")
    await change(bell, person, *settings)
    await bell.control.profile(name, posts_per_day=0)
    (page,) = await bell.ask(person, f"/subscribe {name}")
    if summary:
        number = next(d for d in buttons(page).values() if d.startswith("sub:"))[4:]
        await bell.press(person, page, f"opt:{number}:digest:on")
    return person


async def change(bell: Bell, person: int, *settings: str) -> None:
    (page,) = await bell.ask(person, "/settings")
    for one in settings:
        await bell.press(person, page, one)


async def summary_at_its_hour(bell: Bell, posts: Mapping[str, int]) -> tuple[int, list[str]]:
    """Let somebody follow new profiles with a summary in the morning, and let these post.

    Return the person and the stories, after the stories have come.
    """
    jump_to_next_morning()
    ann = await bell.control.person()
    await know(bell, ann)  # a newcomer's limit would not pay for three new names
    await bell.ask(ann, "/timezone UTC")
    await change(bell, ann, "set:digest:10:35")
    for name in posts:
        await bell.control.profile(name, posts_per_day=0)
        (page,) = await bell.ask(ann, f"/subscribe {name}")
        number = next(d for d in buttons(page).values() if d.startswith("sub:"))[4:]
        await bell.press(ann, page, f"opt:{number}:digest:on")
    await asyncio.sleep(2 * 60)
    posted = [
        str((await bell.control.publish(name))["pk"])
        for name, count in posts.items()
        for _ in range(count)
    ]

    async def all_came() -> bool:
        return set(await bell.control.shown(ann)) == set(posted)

    await wait_for(all_came, 3600, "all stories")
    return ann, posted


async def test_a_summary_lists_who_posted_and_the_albums_follow_silently(tmp_path: Path) -> None:
    names = {"first.one": 2, "second.one": 1, "third.one": 0}
    async with storybell(tmp_path, **SETTINGS) as bell:
        ann, posted = await summary_at_its_hour(bell, names)
        shown = (await bell.control.replies(ann))[-1 - len(posted) :]
        summary, *stories = shown
        title, *lines = summary["text"].splitlines()
        assert title == "📰 Daily summary: 3 new stories"
        assert sorted(lines) == ["• first.one: 2 stories", "• second.one: 1 story"]
        in_order = posted if "first.one" in lines[0] else [posted[2], *posted[:2]]
        assert ["_silent" in one for one in shown] == [False, True, True, True]
        assert [one["_story_pk"] for one in stories] == in_order
        keys = buttons(summary)
        assert sorted(keys) == ["first.one", "second.one"]
        await bell.press(ann, summary, keys["second.one"])
        (options,) = await bell.replies(ann, after=stories[-1]["message_id"])
        assert options["text"].startswith("🔔 second.one\n")
        assert await bell.message(ann, summary["message_id"]) == summary


@pytest.mark.slow
async def test_stories_of_a_summary_that_an_outage_delayed_come_as_soon_as_they_are_found(
    tmp_path: Path,
) -> None:
    morning = jump_to_next_morning()
    async with storybell(tmp_path, **SETTINGS) as bell:
        ann = await follow(bell, "late.one", "set:digest:10:35")
        await asyncio.sleep(2 * 60)
        posted = []
        for _ in range(2):
            posted.append(str((await bell.control.publish("late.one"))["pk"]))
            await asyncio.sleep(2)
        fault = await bell.control.fault("stories", {"status": 502, "body": ""}, times=None)
        await asyncio.sleep((morning + 40 * MINUTE - clock().now()).total_seconds())
        assert await bell.control.shown(ann) == []
        await bell.control.clear_faults(fault)
        await bell.control.wait_shown(ann, posted, within=3600)
        shown = (await bell.control.replies(ann))[-len(posted) :]
    assert [one["_story_pk"] for one in shown] == posted
    assert len({one["media_group_id"] for one in shown}) == 1


async def came_at(bell: Bell, person: int) -> datetime | None:
    """Return when the only story came."""
    shown = [one for one in await bell.control.replies(person) if one.get("_story_pk")]
    return datetime.fromtimestamp(shown[0]["date"], UTC) if len(shown) == 1 else None


@pytest.mark.slow
async def test_a_change_of_hour_zone_or_quiet_hours_moves_the_planned_check(
    tmp_path: Path,
) -> None:
    morning = jump_to_next_morning()
    async with storybell(tmp_path, **SETTINGS) as bell:
        by_hour = await follow(bell, "by.hour")
        by_zone = await follow(bell, "by.zone", "set:digest:16:05")
        by_night = await follow(bell, "by.night", "set:quiet:9-18", summary=False)
        await asyncio.sleep(2 * 60)
        await change(bell, by_hour, "set:digest:10:35")
        await change(bell, by_zone, "set:zone:Asia/Kolkata")  # 16:05 is 10:35 (UTC) there
        for name in ("by.hour", "by.zone", "by.night"):
            await bell.control.publish(name)
        await change(bell, by_night, "set:quiet:0-0")
        await asyncio.sleep((morning + 37 * MINUTE - clock().now()).total_seconds())
        times = [await came_at(bell, one) for one in (by_hour, by_zone, by_night)]
    summary = morning + 35 * MINUTE
    assert all(
        at is not None and summary - SECOND <= at <= summary + 2 * MINUTE for at in times[:2]
    ), times
    assert times[2] is not None
