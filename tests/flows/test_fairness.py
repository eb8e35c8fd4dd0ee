"""Nobody is kept waiting by what somebody else asks: floods, hanging answers, flood limits."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.support.control import Control, Json, flood, wait_for
from tests.support.storybell import Bell, storybell

pytestmark = pytest.mark.jumps

PLENTY = {
    "daily_budget": 1_000_000,
    "person_daily_allowance": 10_000,
    "chat_daily_allowance": 10_000,
    "newcomer_allowance": 10_000,
}
SOON_S = 30.0  # of a machine that others use, too; what hangs takes twice as long
HANGS_S = 60.0
ONE_THING = "That was a lot at once"


async def in_time(bell: Bell, person: int, text: str) -> float:
    """Ask; return after how many seconds the first answer came."""
    began = time.monotonic()
    message = await bell.control.say(person, text)
    await bell.control.wait_replies(person, after=message, within=SOON_S)
    return time.monotonic() - began


async def pour(control: Control, chat: int, text: str, count: int) -> None:
    """Let one person write so many messages, as fast as the sandbox takes them."""
    for _ in range(0, count, 50):
        await asyncio.gather(*(control.say(chat, text) for _ in range(50)))


@pytest.mark.slow
async def test_one_persons_flood_does_not_make_the_bot_deaf(tmp_path: Path) -> None:
    async with storybell(tmp_path, **PLENTY) as bell:
        flooder, other = await bell.control.person("Flo"), await bell.control.person("Ann")
        # Each answer takes a while: so the queue is as long as it gets.
        await bell.control.fault("telegram", {"delay_s": 1.0}, match="sendMessage", times=40)
        await pour(bell.control, flooder, "/language", 2_300)
        await in_time(bell, other, "/stories natgeo")

        async def told() -> list[str]:
            said = [m.get("text", "") for m in await bell.control.replies(flooder)]
            return said if any(ONE_THING in text for text in said) else []

        said = await wait_for(told)
        assert sum(ONE_THING in text for text in said) == 1
        assert len(said) < 100


async def groups_of(control: Control, person: int, count: int) -> list[int]:
    member = {person: "member"}
    return [await control.chat("supergroup", f"G{n}", members=member) for n in range(count)]


@pytest.mark.slow
async def test_hanging_questions_cost_others_nothing(tmp_path: Path) -> None:
    """Three hundred of one person, and of nine more people as many as each may have in hand."""
    async with storybell(tmp_path, **PLENTY) as bell:
        control = bell.control
        await control.privacy_mode(on=False)
        asker, other = await control.person("Hal"), await control.person("Ann")
        await control.fault("stories", {"delay_s": HANGS_S}, match="slow", times=None)
        for number, group in enumerate(await groups_of(control, asker, 300)):
            await control.say(group, f"/stories slow{number}", user=asker)
        for name in range(9):
            person = await control.person(f"P{name}")
            for number, group in enumerate(await groups_of(control, person, 8)):
                await control.say(group, f"/stories slow{name}of{number}", user=person)
        await in_time(bell, other, "/help")
        await in_time(bell, other, "/stories natgeo")
        await control.clear_faults()


async def test_replies_that_wait_for_their_flood_limit_hold_no_place(tmp_path: Path) -> None:
    count = 70
    async with storybell(tmp_path, **PLENTY) as bell:
        control = bell.control
        await control.privacy_mode(on=False)
        people = [await control.person(f"P{n}") for n in range(count)]
        groups = [(await groups_of(control, person, 1))[0] for person in people]
        other = await control.person("Ann")
        await control.fault("telegram", flood(60), match="sendMessage", times=count)
        for person, group in zip(people, groups, strict=True):
            await control.say(group, "/help", user=person)

        async def all_refused() -> bool:
            calls = await control.requests("telegram", path="sendMessage")
            return len(calls) >= min(count, 64)

        await wait_for(all_refused)
        await control.clear_faults()
        await in_time(bell, other, "/help")


async def test_an_alert_whose_media_host_fails_comes_by_the_paid_download(tmp_path: Path) -> None:
    async with storybell(tmp_path, **PLENTY) as bell:
        control = bell.control
        ann = await control.person("Ann")
        await control.profile("unlucky", posts_per_day=0)
        await bell.ask(ann, "/subscribe unlucky")
        # Its files fail for Telegram and for us; the API has its own way to them.
        await control.fault("cdn", {"status": 503}, times=None)
        story = await control.publish("unlucky")

        async def shown() -> list[Json]:
            return [m for m in await control.replies(ann) if m.get("_story_pk") == story["pk"]]

        [message] = await wait_for(shown)
        assert message["_source"] == "upload"
        paid = [
            entry for entry in await control.requests("stories") if "download" in entry["path"]
        ]
        assert len(paid) == 1


async def test_a_slow_profile_holds_up_no_other_look(tmp_path: Path) -> None:
    async with storybell(tmp_path, **PLENTY) as bell:
        control = bell.control
        ann = await control.person("Ann")
        slow = await control.profile("sluggish", posts_per_day=0)
        await control.profile("nimble", posts_per_day=0)
        for name in ("sluggish", "nimble"):
            await bell.ask(ann, f"/subscribe {name}")
        of_slow = f"user_id={slow['pk']}"
        await control.fault("stories", {"delay_s": 9.0}, match=of_slow, times=None)

        shown: list[str] = []
        for _ in range(3):  # one of them at least falls into the slow one's look
            story = await control.publish("nimble")
            shown.append(story["pk"])
            await control.wait_shown(ann, shown, within=SOON_S)
        await control.clear_faults()
