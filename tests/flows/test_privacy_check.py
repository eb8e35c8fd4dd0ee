"""Polls at half the price, as long as they hide nothing."""

from pathlib import Path

import pytest

from tests.support.control import Control, wait_for
from tests.support.sandbox import Box
from tests.support.storybell import Bell, running_bell

pytestmark = pytest.mark.jumps

PLENTY = {"daily_budget": 1_000_000, "skip_privacy_check": "auto"}
NAMES = ("hid.a", "hid.b")


async def follow(bell: Bell, person: int) -> None:
    """Let somebody follow two profiles with a living story each."""
    now = (await bell.control.state())["now"]
    for name in NAMES:
        await bell.control.profile(name, posts_per_day=0)
        await bell.control.publish(name, taken_at=now - 3600)
        await bell.ask(person, f"/subscribe {name}")


async def polls(control: Control, after: int = 0) -> list[bool]:
    """Return of each call for a list of stories since then whether it was forced."""
    log = await control.requests("stories", after=after, path="/v1/user/stories")
    return ["force" in one["params"] for one in log]


async def test_what_skipping_the_check_hides_on_two_profiles_ends_it(
    box: Box, tmp_path: Path
) -> None:
    control = box.control
    boss = await control.person("Boss")
    async with running_bell(tmp_path, box, admin_ids=str(boss), **PLENTY) as bell:
        await follow(bell, boss)

        async def are_forced() -> bool:
            return (await polls(control)).count(True) >= len(NAMES)

        await wait_for(are_forced)
        assert not [one for one in await control.replies(boss) if "check" in str(one)]
        start = await control.say(boss, "/help")
        await control.stories_api(forced_blind=list(NAMES))

        async def told() -> list[str]:
            texts = [str(one.get("text")) for one in await control.replies(boss, start)]
            return [text for text in texts if "I skipped the privacy check" in text]

        (said,) = await wait_for(told)
        assert "2 profiles" in said
        mark = (await control.requests("stories"))[-1]["n"]

        async def go_on() -> bool:
            return len(await polls(control, mark)) >= 4

        await wait_for(go_on)
        assert not any((await polls(control, mark))[2:])  # two may have been under way
        assert len(await told()) == 1


@pytest.mark.stands  # code that counts nothing that is hidden ends nothing
async def test_what_it_hides_on_one_profile_is_that_profiles_own(box: Box, tmp_path: Path) -> None:
    control = box.control
    boss = await control.person("Boss")
    async with running_bell(tmp_path, box, admin_ids=str(boss), **PLENTY) as bell:
        await follow(bell, boss)
        await control.stories_api(forced_blind=[NAMES[0]])

        async def was_doubted() -> bool:
            found = await polls(control)
            return found.count(False) >= 5 and found.count(True) >= 5

        await wait_for(was_doubted)
        assert "I skipped the privacy check" not in str(await control.replies(boss))
