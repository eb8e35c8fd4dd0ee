"""One clock for bot and sandbox, as in the demo: an hour that is skipped has passed for both."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from aiohttp import ClientSession

from tests.support.control import Control, Json, wait_for
from tests.support.demo import running_demo

HOUR_S = 3_600


@pytest.fixture
async def control() -> AsyncIterator[Control]:
    """Run the demo as its command does; the verbs of its sandbox."""
    async with running_demo() as url, ClientSession() as session:
        yield Control(session, url)


@pytest.mark.slow
async def test_hours_that_the_page_skips_pass_for_captions_and_digests(control: Control) -> None:
    ann = await control.person()
    await control.profile("dated", posts_per_day=0)
    message = await control.say(ann, "/subscribe dated")
    await control.wait_replies(ann, 1, after=message)
    hour = (datetime.fromtimestamp((await control.state())["now"], UTC).hour + 3) % 24
    message = await control.say(ann, "/settings")
    (page,) = await control.wait_replies(ann, 1, after=message)
    for data in ("set:digest", f"set:digest:{hour}"):
        await _press(control, ann, page, data)
    published = await control.publish("dated")
    looks = await control.billed("/v1/user/stories")
    for _ in range(2):  # the look comes by then, and what it shows waits for its hour
        await control.advance(HOUR_S / 2)

    async def looked() -> bool:
        return await control.billed("/v1/user/stories") > looks

    await wait_for(looked, what="the look")
    assert not [m for m in await control.replies(ann) if "_story_pk" in m]
    await control.advance(2.5 * HOUR_S)

    async def digest() -> Json | None:
        shown = [m for m in await control.replies(ann) if "_story_pk" in m]
        return shown[0] if shown else None

    story = await wait_for(digest, what="the digest")
    assert story["_story_pk"] == published["pk"]
    posted, ends = [e for e in story["caption_entities"] if e["type"] == "date_time"]
    assert posted["date_time_format"] == ends["date_time_format"] == "r"
    assert posted["unix_time"] + 24 * HOUR_S == ends["unix_time"]


async def _press(control: Control, chat: int, message: Json, data: str) -> None:
    query = await control.press(chat, message["message_id"], data)

    async def answered() -> bool:
        return bool((await control.callback(query))["answered"])

    await wait_for(answered)


async def test_a_mute_ends_after_a_day(control: Control) -> None:
    ann = await control.person()
    await control.profile("muted.day", posts_per_day=0)
    message = await control.say(ann, "/subscribe muted.day")
    (page,) = await control.wait_replies(ann, 1, after=message)
    keys = [key for row in page["reply_markup"]["inline_keyboard"] for key in row]
    number = next(k["callback_data"] for k in keys if k["callback_data"].startswith("sub:"))[4:]
    await _press(control, ann, page, f"mute:{number}")
    await control.publish("muted.day")

    await control.advance(25 * HOUR_S)  # the story of the muted day is gone by then
    story = await control.publish("muted.day")

    for _ in range(12):  # a jump ends what is under way, so each has its time
        await control.advance(300)
        with contextlib.suppress(AssertionError):
            await control.wait_shown(ann, [story["pk"]], within=5)
            break
    assert await control.shown(ann) == [story["pk"]]


class Muted:
    """A supergroup that follows a profile, and where photos are not allowed."""

    def __init__(self, control: Control, group: int, bot: int) -> None:
        self.control, self.group, self.bot = control, group, bot

    async def texts(self, word: str) -> list[str]:
        shown = await self.control.replies(self.group)
        return [m["text"] for m in shown if word in m.get("text", "")]

    async def stories(self) -> list[str]:
        return await self.control.shown(self.group)

    async def asked(self) -> int:
        """How often the bot asked how it stands there itself."""
        calls = await self.control.requests("telegram", path="getChatMember")
        about = [(c["params"].get("chat_id"), c["params"].get("user_id")) for c in calls]
        return about.count((self.group, self.bot)) + about.count((str(self.group), str(self.bot)))

    async def wait_until_asked(self, times: int) -> None:
        async def enough() -> bool:
            return await self.asked() >= times

        await wait_for(enough, what=f"question {times}")
        assert await self.asked() == times


async def muted_group(control: Control, name: str) -> Muted:
    """Let a new group follow a new profile, and take from it the right to photos."""
    boss = await control.person("Boss")
    group = await control.chat("supergroup", members={boss: "creator"})
    bot = (await control.call("GET", "/bots"))[0]
    await control.profile(name, posts_per_day=0)
    message = await control.say(group, f"/subscribe@{bot['username']} {name}", user=boss)
    await control.wait_replies(group, 1, after=message)
    await control.call("PATCH", f"/chats/{group}", {"permissions": {"can_send_photos": False}})
    return Muted(control, group, bot["id"])


@pytest.mark.slow
async def test_a_muted_chat_is_asked_after_ten_minutes_then_hourly(control: Control) -> None:
    muted = await muted_group(control, "muted.for.days")
    await control.publish("muted.for.days")
    for _ in range(24):  # the first check comes by and by
        if await muted.texts("🔇"):
            break
        await control.advance(300)
        await asyncio.sleep(0.3)
    assert len(await muted.texts("🔇")) == 1
    before = await muted.asked()
    await control.advance(600)
    await muted.wait_until_asked(before + 1)
    for times in range(2, 26):
        await control.advance(HOUR_S)
        await muted.wait_until_asked(before + times)
    living = await control.publish("muted.for.days")
    for times in range(26, 38):
        await control.advance(HOUR_S)
        await muted.wait_until_asked(before + times)
    assert await muted.stories() == []
    await control.call("PATCH", f"/chats/{muted.group}", {"permissions": {}})
    await control.advance(HOUR_S)
    await muted.wait_until_asked(before + 38)

    async def follows() -> bool:
        gone = await muted.texts("I couldn't send 1 new story from muted.for.days")
        return await muted.stories() == [living["pk"]] and len(gone) == 1

    await wait_for(follows, what="the living story, and that the dead one is gone")
    assert len(await muted.texts("🔇")) == 1
