"""A machine whose clock was wrong, and is set right while the bot runs or between two starts."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.flows.test_partial_faults import lived
from tests.support.control import Json, wait_for
from tests.support.sandbox import Box, sandbox_box
from tests.support.storybell import Bell, running_bell

pytestmark = pytest.mark.jumps

HOUR_S = 3_600.0
DOWN: Json = {"status": 502, "body": "<html>Bad Gateway</html>"}
STEPS = [-2 * HOUR_S, -60.0, 2 * HOUR_S, 24 * HOUR_S]
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
        return set(pks) <= set(await bell.control.shown(chat))

    await wait_for(all_there, what="the alerts")
    assert sorted(await bell.control.shown(chat)) == sorted(pks)


async def refused(bell: Bell) -> list[Json]:
    """Return the calls that the outage met."""
    asked = await bell.control.requests("telegram")
    return [one for one in asked if one["status"] == 502]


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


@pytest.mark.parametrize("step_s", STEPS)
async def test_who_subscribed_by_a_wrong_clock_gets_what_was_posted_since(
    tmp_path: Path, set_clock: SetClock, step_s: float
) -> None:
    async with sandbox_box() as box, running_bell(tmp_path, box, timing=OFTEN) as bell:
        await bell.control.profile("ahead.new", posts_per_day=0)
        now = (await bell.control.state())["now"]
        await bell.control.publish("ahead.new", taken_at=int(now - 3 * HOUR_S))
        ann = await bell.control.person()
        set_clock(step_s)
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


async def test_a_clock_that_stays_wrong_is_not_gone_by(
    tmp_path: Path, set_clock: SetClock
) -> None:
    async with sandbox_box() as box:
        set_clock(25 * HOUR_S)  # by which each story is over when it is posted
        async with running_bell(tmp_path, box, timing=OFTEN) as bell:
            ann = await followed(bell, "stays.wrong")
            for _ in range(2):
                await bell.ask(ann, "/help")  # what Telegram answers bears a date
            story = await bell.control.publish("stays.wrong")
            await shown(bell, ann, story["pk"])


@pytest.mark.parametrize("step_s", STEPS)
async def test_a_held_alert_comes_once_whatever_the_clock_did_meanwhile(
    tmp_path: Path, set_clock: SetClock, step_s: float
) -> None:
    async with sandbox_box() as box, running_bell(tmp_path, box, timing=OFTEN) as bell:
        ann = await followed(bell, "held.back")
        bob = await bell.control.person()
        await bell.ask(bob, "/subscribe held.back")  # for whom it is checked meanwhile
        hour = datetime.now(UTC).hour
        quiet, off = f"set:quiet:{(hour - 1) % 24}-{(hour + 2) % 24}", "set:quiet:0-0"
        page = await bell.old_post(ann, quiet, off)
        await bell.press(ann, page, quiet)
        story = await bell.control.publish("held.back")
        await checked(bell, "held.back")
        assert await bell.control.shown(ann) == []
        set_clock(step_s)
        await checked(bell, "held.back")
        set_clock(0)
        await checked(bell, "held.back")
        page = await bell.old_post(ann, off)
        await bell.press(ann, page, off)
        await shown(bell, ann, story["pk"])


@pytest.mark.parametrize("step_s", STEPS[:3])  # a day ahead the story is over
async def test_a_pause_that_began_by_a_wrong_clock_ends_with_the_outage(
    tmp_path: Path, set_clock: SetClock, step_s: float
) -> None:
    async with sandbox_box() as box, running_bell(tmp_path, box, timing=OFTEN) as bell:
        ann = await followed(bell, "paused.then")
        await checked(bell, "paused.then")
        set_clock(step_s)
        await checked(bell, "paused.then")
        down = await bell.control.fault("telegram", DOWN, times=None)
        story = await bell.control.publish("paused.then")
        await wait_for(lambda: refused(bell))  # by then it may begin anew, with the right clock
        set_clock(0)
        await asyncio.sleep(1)
        await bell.control.clear_faults(down)
        await shown(bell, ann, story["pk"])


@pytest.mark.parametrize("ahead_s", [-7200, -59, 59, 7200])
def test_the_owner_is_told_once_that_the_machines_clock_is_wrong(
    tmp_path: Path, ahead_s: int
) -> None:
    told = lived(tmp_path, "witnesses", ahead_s)["told"]
    assert len(told) == (abs(ahead_s) > 60), told
