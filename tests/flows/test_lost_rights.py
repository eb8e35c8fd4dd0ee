"""A channel where the bot lost the right to post: told in private, and no word of it in public."""

from pathlib import Path

import pytest

from sandbox.telegram.world import FIRST_PERSON
from tests.support.control import Control, wait_for
from tests.support.storybell import TOKEN, storybell

pytestmark = pytest.mark.jumps

BOT = int(TOKEN.partition(":")[0])
HOUR = 3600.0
WORDS = "I'm not allowed to post in"


async def forbid_posts(control: Control, channel: int) -> None:
    path = f"/chats/{channel}/members/{BOT}"
    await control.call("PUT", path, {"status": "administrator", "can_post_messages": False})


async def said(control: Control, person: int, words: str) -> list[str]:
    texts = [one.get("text", "") for one in await control.replies(person)]
    return [one for one in texts if words in one]


@pytest.mark.parametrize("who", ["subscriber", pytest.param("owner", marks=pytest.mark.slow)])
async def test_who_subscribed_a_channel_hears_that_the_bot_may_not_post(
    tmp_path: Path, who: str
) -> None:
    values = {"admin_ids": str(FIRST_PERSON), "daily_budget": 2000, "poll_floor_s": 60}
    async with storybell(tmp_path, **values) as bell:
        control = bell.control
        boss, ann = await control.person("Boss"), await control.person()
        await bell.ask(boss, "/help")
        channel = await control.chat(
            "channel", members={ann: "creator"}, bot_status="administrator"
        )
        await control.profile("lost.right", posts_per_day=0)
        await bell.ask(ann, f"/subscribe lost.right {channel}")
        if who == "owner":
            await control.member(ann, BOT, "kicked")
        await forbid_posts(control, channel)
        await control.publish("lost.right")
        told, other = (boss, ann) if who == "owner" else (ann, boss)
        await wait_for(lambda: said(control, told, WORDS), HOUR, "word in private")
        assert await said(control, other, WORDS) == []
