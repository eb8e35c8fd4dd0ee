"""A machine whose clock was wrong, and is set right while the bot runs or between two starts."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.control import wait_for
from tests.support.sandbox import Box, sandbox_box
from tests.support.storybell import Bell, running_bell

HOUR_S = 3_600.0
OFTEN = {"clock": timedelta(seconds=0.1)}
SetClock = Callable[[float], None]


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """Set the machine's clock so many seconds ahead of the true time."""
    real = time.time

    def ahead(seconds: float) -> None:
        monkeypatch.setattr(time, "time", lambda: real() + seconds)

    return ahead


async def followed(bell: Bell, name: str, chat: int | None = None) -> int:
    """Let a person, a new one unless there is one, follow a new profile."""
    chat = chat or await bell.control.person()
    await bell.control.profile(name, posts_per_day=0)
    await bell.ask(chat, f"/subscribe {name}")
    return chat


async def checked(bell: Bell, name: str) -> None:
    """Wait until the schedule has checked a profile once more, and once again after that."""
    for _ in range(2):
        before = await bell.control.billed_for(name)

        async def again(before: int = before) -> bool:
            return await bell.control.billed_for(name) > before

        await wait_for(again, what=f"a check of {name}")


async def shown(bell: Bell, chat: int, *pks: str) -> None:
    """Wait until these stories, and no others, have come, each once."""

    async def all_there() -> bool:
        return set(pks) <= set(await arrived(bell, chat))

    await wait_for(all_there, what="the alerts")
    assert sorted(await arrived(bell, chat)) == sorted(pks)


async def arrived(bell: Bell, chat: int) -> list[str]:
    replies = await bell.control.replies(chat)
    return [m["_story_pk"] for m in replies if "_story_pk" in m]


@pytest.mark.parametrize("ahead_s", [25 * HOUR_S, 2 * HOUR_S, 60.0])
async def test_what_was_seen_while_ahead_comes_when_the_clock_is_right(
    tmp_path: Path, set_clock: SetClock, ahead_s: float
) -> None:
    async with sandbox_box() as box, running_bell(tmp_path, box, timing=OFTEN) as bell:
        ann = await followed(bell, "ahead.seen")
        set_clock(ahead_s)
        first = await bell.control.publish("ahead.seen")
        await checked(bell, "ahead.seen")
        set_clock(0)
        await shown(bell, ann, first["pk"])
        second = await bell.control.publish("ahead.seen")  # and the next check is not a day away
        await shown(bell, ann, first["pk"], second["pk"])


async def test_who_subscribed_while_ahead_gets_what_was_posted_since(
    tmp_path: Path, set_clock: SetClock
) -> None:
    async with sandbox_box() as box, running_bell(tmp_path, box, timing=OFTEN) as bell:
        await bell.control.profile("ahead.new", posts_per_day=0)
        now = (await bell.control.state())["now"]
        await bell.control.publish("ahead.new", taken_at=int(now - HOUR_S))
        ann = await bell.control.person()
        set_clock(2 * HOUR_S)
        await bell.ask(ann, "/subscribe ahead.new")
        stories = [await bell.control.publish("ahead.new") for _ in range(3)]
        await checked(bell, "ahead.new")
        set_clock(0)
        await shown(bell, ann, *(story["pk"] for story in stories))


@pytest.mark.parametrize("behind_s", [2 * HOUR_S, 60.0])
async def test_a_clock_that_goes_back_holds_no_check_and_no_alert(
    tmp_path: Path, set_clock: SetClock, behind_s: float
) -> None:
    async with sandbox_box() as box, running_bell(tmp_path, box, timing=OFTEN) as bell:
        ann = await followed(bell, "goes.back")
        await checked(bell, "goes.back")
        set_clock(-behind_s)
        story = await bell.control.publish("goes.back")
        await shown(bell, ann, story["pk"])


async def test_a_start_puts_right_what_the_clock_before_it_wrote(
    tmp_path: Path, set_clock: SetClock
) -> None:
    async def ahead(box: Box) -> tuple[int, str]:
        async with running_bell(tmp_path, box, timing=OFTEN) as bell:
            ann = await followed(bell, "ahead.start")
            story = await bell.control.publish("ahead.start")
            await checked(bell, "ahead.start")
            return ann, story["pk"]

    async with sandbox_box() as box:
        set_clock(25 * HOUR_S)
        ann, pk = await ahead(box)
        set_clock(0)
        async with running_bell(tmp_path, box, timing=OFTEN) as bell:
            await shown(bell, ann, pk)
