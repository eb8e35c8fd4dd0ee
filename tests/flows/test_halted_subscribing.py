"""Subscribing while nothing may be paid: alerts are not promised for now, or nothing is saved."""

import asyncio
from pathlib import Path
from typing import Literal

import pytest

from tests.support.control import wait_for
from tests.support.sandbox import sandbox_box
from tests.support.storybell import Bell, buttons, running_bell

pytestmark = pytest.mark.jumps

KEY_REFUSED = {"status": 401, "body": '{"state":false,"exc_type":"Unauthorized"}'}
Halt = Literal["stopped", "refused key", "balance 0"]


async def halt(bell: Bell, boss: int, why: Halt) -> None:
    if why == "stopped":
        await bell.ask(boss, "/stop_spending")
    elif why == "refused key":
        await bell.control.fault("stories", KEY_REFUSED, times=None)
    else:
        await bell.control.stories_api(balance=0)


async def resume(bell: Bell, boss: int, why: Halt) -> None:
    if why == "stopped":
        await bell.ask(boss, "/resume_spending")
    elif why == "refused key":
        await bell.control.clear_faults()
    else:
        await bell.control.stories_api(balance=1_000_000)

    async def is_served() -> bool:
        await asyncio.sleep(15)  # each question is work for the whole bot
        (reply,) = await bell.ask(boss, "/stories prada")
        return "photo" in reply

    await wait_for(is_served, 600, "stories after the end of the halt")


@pytest.mark.parametrize("why", ["stopped", "refused key", "balance 0"])
async def test_a_known_profile_is_told_to_begin_later_and_an_unknown_one_can_be_tried_again(
    why: Halt, tmp_path: Path
) -> None:
    async with sandbox_box() as box:
        boss, ann = [await box.control.person(name) for name in ("Boss", "Ann")]
        for name in ("known.one", "unknown.one"):
            await box.control.profile(name, posts_per_day=0)
        async with running_bell(tmp_path, box, admin_ids=str(boss)) as bell:
            await bell.ask(boss, "/highlights known.one")
            await halt(bell, boss, why)
            (said,) = await bell.ask(ann, "/subscribe known.one")
            assert "I'll send you every new story from known.one" in said["text"]
            assert "so these alerts will start later" in said["text"]
            (refused,) = await bell.ask(ann, "/subscribe unknown.one")
            assert "I haven't subscribed this chat to unknown.one." in refused["text"]
            again = "run:subscribe:unknown.one"
            assert buttons(refused) == {"Try again": again}
            (listed,) = await bell.ask(ann, "/subscriptions")
            assert list(buttons(listed)) == ["🔔 known.one"]
            await resume(bell, boss, why)
            await bell.press(ann, refused, again)
            (begun,) = await bell.replies(ann, 1, after=listed["message_id"])
            assert "I'll send you every new story from unknown.one" in begun["text"]
            assert "later" not in begun["text"]
            story = await box.control.publish("known.one")
            await box.control.wait_shown(ann, [story["pk"]], within=3600)
