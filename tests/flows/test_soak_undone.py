"""The judge of the soak knows the delays of stories: Undo of rules or a mute, a closed topic."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.soak import invariants, promises
from tests.soak.journal import HOUR, Journal
from tests.soak.people import People, Place
from tests.soak.plants import planted
from tests.soak.rates import Rates
from tests.support.storybell import Bell, storybell

pytestmark = pytest.mark.jumps

RATES = Rates(terms_s=60)
MINUTE = 60.0
LATE = "stories_came_when_promised"


class Recorded:
    """A chat that follows a profile, and whose events are recorded as in the soak."""

    def __init__(self, bell: Bell, place: Place, folder: Path, rates: Rates = RATES) -> None:
        self.bell, self.place, self._file = bell, place, folder / "bot.db"
        self.journal = Journal(bell.box.parts, rates)
        self.people = People(bell.control, self.journal, 1, rates)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Read the tables periodically within the block, and for an hour before and after."""

        async def watch() -> None:
            while True:
                self.read()
                await asyncio.sleep(RATES.terms_s)

        async with asyncio.TaskGroup() as group:
            watching = group.create_task(watch())
            await asyncio.sleep(HOUR)
            yield
            await asyncio.sleep(HOUR)
            watching.cancel()

    async def say(self, text: str, thread: int = 0) -> None:
        await self.people.write(self.place, self.place.owner, text, thread=thread)
        await asyncio.sleep(MINUTE)

    async def press(self, data: str) -> None:
        assert await self.people.press_where(self.place, data, exactly=not data.endswith(":"))
        await asyncio.sleep(MINUTE)

    def read(self) -> None:
        """Read the requests, the tables and the stories."""
        self.journal.read_requests()
        self.journal.read_tables(self._file)
        self.journal.read_terms(self._file)
        for _, _, pk in self.journal.terms:
            profile = self.bell.box.parts.instagram.by_pk(pk)
            assert profile is not None
            self.journal.stories |= {one.pk: one for one in profile.stories}

    def violated(self) -> list[str]:
        """Return the names of the violated checks."""
        self.read()
        ways = promises.Ways(self.journal)
        found = [*invariants.check_all(self.journal), *promises.check_promises(ways)]
        return sorted({words.partition(":")[0] for words in found})


async def _undo_rules(one: Recorded) -> None:
    """Set rules for all profiles, get stories, set own rules, and undo hours later."""
    await one.say("/rules all only: #sale")
    await one.press("rules:save")
    await asyncio.sleep(HOUR)
    await one.bell.control.publish("judged")
    await asyncio.sleep(HOUR)
    await one.bell.control.publish("judged", hashtags=["sale"])
    await asyncio.sleep(2 * HOUR)
    await one.say("/rules judged not: video")  # sends no story that is already excluded
    await asyncio.sleep(2 * HOUR)
    await one.press("rules:undo")


async def _undo_videos_only(one: Recorded) -> None:
    """Choose videos only for all profiles, get a photo, and undo hours later."""
    await one.say("/subscriptions")
    for data in ("all", "all:media:video", "all:media:video:save"):
        await one.press(data)
    await asyncio.sleep(HOUR)
    await one.bell.control.publish("judged")
    await asyncio.sleep(4 * HOUR)
    await one.press("restore:")


async def _undo_mute(one: Recorded) -> None:
    """Mute a subscription, get a story, and undo hours later."""
    await one.say("/subscriptions")
    for data in ("sub:1", "sub:1:when", "mute:1"):
        await one.press(data)
    await one.bell.control.publish("judged")
    await asyncio.sleep(2 * HOUR)
    await one.press("opt:1:pause:undone")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("deed", "plant"),
    [
        (_undo_rules, "forgetful-rules"),
        (_undo_videos_only, "forgetful-rules"),
        (_undo_mute, "forgetful-unmute"),
    ],
)
@pytest.mark.parametrize("is_planted", [False, True])
async def test_undo_is_judged(
    tmp_path: Path, deed: Callable[[Recorded], Awaitable[None]], plant: str, is_planted: bool
) -> None:
    async with AsyncExitStack() as stack:
        stack.enter_context(planted(plant if is_planted else ""))
        bell = await stack.enter_async_context(storybell(tmp_path, poll_floor_s=300))
        ann = await bell.control.person()
        one = Recorded(bell, Place(ann, "private", ann, [ann]), tmp_path)
        for name in ("judged", "other"):
            await bell.control.profile(name, posts_per_day=0)
            await one.say(f"/subscribe {name}")
        async with one.watched():
            await deed(one)
        assert one.violated() == ([LATE] if is_planted else [])


@pytest.mark.slow
async def test_a_story_may_wait_for_a_closed_topic_only_until_it_is_open(tmp_path: Path) -> None:
    async with storybell(tmp_path, poll_floor_s=300) as bell:
        control = bell.control
        await control.profile("judged", posts_per_day=0)
        ann = await control.person()
        members = {ann: "creator"}
        chat = await control.chat("supergroup", members=members, is_forum=True, bot_status="left")
        standing = {"status": "member", "by": ann}
        await control.call("PUT", f"/chats/{chat}/members/bot", standing)
        await control.wait_replies(chat)
        await control.thread(chat, 100, "topic 100")
        one = Recorded(bell, Place(chat, "forum", ann, [ann], topics=[100]), tmp_path)
        await one.say("/subscribe judged", thread=100)
        async with one.watched(), asyncio.TaskGroup() as group:
            closing = group.create_task(one.people.close_topic(one.place))
            await asyncio.sleep(MINUTE)
            pk = str((await control.publish("judged"))["pk"])
            await closing
            await control.wait_shown(chat, [pk])
        assert one.violated() == []
        (windows,) = one.journal.closed_topics.values()
        windows[0].end -= HOUR / 2
        assert one.violated() == [LATE]
