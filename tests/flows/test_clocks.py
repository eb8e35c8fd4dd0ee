"""A machine whose clock is wrong, is set, or stood still: nothing wrong is ever written."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp import ClientSession

from bot.store.engine.columns import Timestamp
from bot.store.engine.database import Database, all_tables
from bot.store.inbox import inbox
from bot.store.subscriptions import subscriptions
from sandbox.jumping import JumpingLoop
from tests.bot.runtime.test_proxies import proxy
from tests.flows.test_partial_faults import lived
from tests.support.control import Json, wait_for
from tests.support.killing import free_port
from tests.support.sandbox import Box, sandbox_box
from tests.support.storybell import Bell, running_bell

pytestmark = pytest.mark.jumps

HOUR_S = 3_600.0
DOWN: Json = {"status": 502, "body": "<html>Bad Gateway</html>"}
AWAY: Json = {"reset": "before"}
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


async def times_written(bell: Bell, *columns: sa.Column[Any]) -> list[float]:
    """Return the times in these columns, in seconds after the true time."""
    now = (await bell.control.state())["now"]
    async with Database(bell.settings.database_url.get_secret_value()) as db, db.read() as tx:
        rows = [row for one in columns for row in (await tx.execute(sa.select(one))).scalars()]
    return [row.timestamp() - now for row in rows if row is not None]


async def reasons(port: int) -> dict[str, str]:
    """Return why a bot is not ready."""
    async with (
        ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/readyz") as answer,
    ):
        found: dict[str, str] = (await answer.json())["reasons"]
        return found


async def rows_written(bell: Bell) -> int:
    """Count the rows of all tables."""
    async with Database(bell.settings.database_url.get_secret_value()) as db, db.read() as tx:
        count = sa.select(sa.func.count())
        return sum(
            [
                (await tx.execute(count.select_from(one))).scalar_one()
                for one in all_tables().sorted_tables
            ]
        )


@asynccontextmanager
async def waiting_bell(folder: Path, box: Box, **changed: Any) -> AsyncIterator[tuple[Bell, int]]:
    """Run a bot that does not know the time; yield it and its port once it says so."""
    port = free_port()
    async with running_bell(folder, box, timing=OFTEN, port=port, **changed) as bell:

        async def listens() -> bool:
            try:
                return "clock" in await reasons(port)
            except OSError:
                return False

        await wait_for(listens, what="the reason")
        yield bell, port


async def nothing_happens(bell: Bell, before: int) -> None:
    """Hold a bot to what it may do without the time: nothing, and the owner can see why."""
    ann = await bell.control.person()
    await bell.control.say(ann, "/help")
    await asyncio.sleep(60)
    assert await bell.control.replies(ann) == []
    assert await bell.control.billed() == 0
    assert await rows_written(bell) == before


# -- a machine whose clock is wrong from the start ------------------------------------------


@pytest.mark.parametrize("step_s", [-2 * HOUR_S, 2 * HOUR_S, 25 * HOUR_S])
async def test_a_start_by_a_wrong_clock_writes_no_wrong_time(
    tmp_path: Path, set_clock: SetClock, step_s: float
) -> None:
    async with sandbox_box() as box:
        set_clock(step_s)
        async with running_bell(tmp_path, box, timing=OFTEN) as bell:
            ann = await followed(bell, "stays.wrong")
            story = await bell.control.publish("stays.wrong")
            await shown(bell, ann, story["pk"])
            past = [
                column
                for table in all_tables().sorted_tables
                for column in table.columns
                if isinstance(column.type, Timestamp)
            ]
            assert max(await times_written(bell, *past)) < 24 * HOUR_S + 60
            begun = await times_written(bell, subscriptions.c.created_at, subscriptions.c.since)
            assert all(-120 < one < 5 for one in begun), begun


@pytest.mark.slow
async def test_a_day_ahead_for_hours_delays_and_repeats_no_alert(
    tmp_path: Path, set_clock: SetClock
) -> None:
    async with sandbox_box() as box:
        set_clock(24 * HOUR_S)  # by which each story is over when it is posted
        async with running_bell(tmp_path, box, poll_floor_s=600) as bell:
            ann = await followed(bell, "day.ahead")
            stories = []
            for _ in range(3):
                stories.append((await bell.control.publish("day.ahead"))["pk"])
                await asyncio.sleep(2 * HOUR_S)
            await shown(bell, ann, *stories)


async def test_through_a_proxy_the_time_is_that_of_its_other_end(
    tmp_path: Path, set_clock: SetClock
) -> None:
    async with sandbox_box() as box, proxy() as telegram, proxy() as stories:
        set_clock(2 * HOUR_S)
        by = {
            "telegram_proxy": f"http://127.0.0.1:{telegram.port}",
            "stories_api_proxy": f"http://127.0.0.1:{stories.port}",
        }
        async with running_bell(tmp_path, box, **by) as bell:
            await bell.ask(await bell.control.person(), "/help")
            [stored] = await times_written(bell, inbox.c.stored_at)
            assert -60 < stored < 5
        assert telegram.asked
        assert stories.asked


# -- a start while somebody is missing ------------------------------------------------------


async def test_without_telegram_a_start_waits_and_writes_nothing(
    tmp_path: Path, set_clock: SetClock
) -> None:
    async with sandbox_box() as box:
        set_clock(25 * HOUR_S)
        fault = await box.control.fault("telegram", AWAY, times=None)
        async with waiting_bell(tmp_path, box) as (bell, port):
            await nothing_happens(bell, await rows_written(bell))
            assert set(await reasons(port)) == {"clock", "updates"}
            await box.control.clear_faults(fault)
            await bell.ask(await bell.control.person(), "/help")
            assert max(await times_written(bell, inbox.c.stored_at)) < 5


async def test_without_the_stories_api_a_machine_that_is_right_starts(tmp_path: Path) -> None:
    async with sandbox_box() as box:
        await box.control.fault("stories", AWAY, times=None)
        async with running_bell(tmp_path, box) as bell:
            await bell.ask(await bell.control.person(), "/help")


async def test_without_the_stories_api_a_machine_that_is_wrong_waits(
    tmp_path: Path, set_clock: SetClock
) -> None:
    async with sandbox_box() as box:
        set_clock(2 * HOUR_S)
        fault = await box.control.fault("stories", AWAY, times=None)
        async with waiting_bell(tmp_path, box) as (bell, port):
            await nothing_happens(bell, await rows_written(bell))
            assert "Telegram tells a time 7200 s" in (await reasons(port))["clock"]
            await box.control.clear_faults(fault)
            await bell.ask(await bell.control.person(), "/help")
            assert await reasons(port) == {}
            assert max(await times_written(bell, inbox.c.stored_at)) < 5


async def test_with_a_server_of_ones_own_machine_and_stories_api_must_agree(
    tmp_path: Path, set_clock: SetClock
) -> None:
    async with sandbox_box() as box:
        await box.control.call("POST", "/telegram", {"local": True})
        set_clock(2 * HOUR_S)
        async with waiting_bell(tmp_path, box, telegram_local=True) as (bell, port):
            await nothing_happens(bell, await rows_written(bell))
            assert "the Stories API tells a time 7200 s" in (await reasons(port))["clock"]
            set_clock(0)
            await bell.ask(await bell.control.person(), "/help")
            assert max(await times_written(bell, inbox.c.stored_at)) < 5


async def test_without_any_server_time_the_machines_clock_counts(tmp_path: Path) -> None:
    async with sandbox_box() as box:
        await box.control.call("POST", "/telegram", {"local": True})
        await box.control.fault("stories", AWAY, times=None)
        async with running_bell(tmp_path, box, telegram_local=True) as bell:
            await bell.ask(await bell.control.person(), "/help")


# -- a machine whose clock is set while the bot runs ----------------------------------------


@pytest.mark.parametrize("step_s", STEPS)
async def test_a_step_moves_no_time_that_is_written(
    tmp_path: Path, set_clock: SetClock, step_s: float
) -> None:
    async with sandbox_box() as box, running_bell(tmp_path, box, timing=OFTEN) as bell:
        await followed(bell, "stepped.before")
        await bell.control.profile("stepped.new", posts_per_day=0)
        now = (await bell.control.state())["now"]
        await bell.control.publish("stepped.new", taken_at=int(now - 3 * HOUR_S))
        ann = await bell.control.person()
        set_clock(step_s)
        await bell.ask(ann, "/subscribe stepped.new")
        begun = await times_written(bell, subscriptions.c.created_at, subscriptions.c.since)
        assert all(-120 < one < 5 for one in begun), begun
        stories = [(await bell.control.publish("stepped.new"))["pk"] for _ in range(3)]
        await shown(bell, ann, *stories)  # while the machine is wrong
        set_clock(0)
        more = (await bell.control.publish("stepped.new"))["pk"]
        await shown(bell, ann, *stories, more)


@pytest.mark.slow
async def test_a_step_while_nobody_confirms_it_holds_everything_until_somebody_does(
    tmp_path: Path, set_clock: SetClock
) -> None:
    port = free_port()
    async with (
        sandbox_box() as box,
        running_bell(tmp_path, box, timing=OFTEN, port=port) as bell,
    ):
        ann = await followed(bell, "held.up")
        await checked(bell, "held.up")
        away = [await box.control.fault(one, AWAY, times=None) for one in ("telegram", "stories")]
        set_clock(2 * HOUR_S)

        async def doubts() -> bool:
            return "clock" in await reasons(port)

        await wait_for(doubts, what="the doubt")
        story = await bell.control.publish("held.up")
        calls = len(await bell.control.requests("stories", path="/v1/user/stories"))
        await asyncio.sleep(120)
        assert len(await bell.control.requests("stories", path="/v1/user/stories")) == calls
        for one in away:
            await box.control.clear_faults(one)
        await shown(bell, ann, story["pk"])


async def test_after_a_suspend_of_three_hours_nothing_begins_by_the_old_time(
    tmp_path: Path, set_clock: SetClock
) -> None:
    async with sandbox_box() as box, running_bell(tmp_path, box, timing=OFTEN) as bell:
        ann = await followed(bell, "asleep")
        await checked(bell, "asleep")
        box.parts.clock._advanced += 3 * HOUR_S  # noqa: SLF001 - the loop does not count while the machine sleeps
        set_clock(3 * HOUR_S)
        story = await bell.control.publish("asleep")
        await shown(bell, ann, story["pk"])
        eva = await bell.control.person()
        await bell.ask(eva, "/subscribe asleep")
        newest = max(await times_written(bell, inbox.c.stored_at, subscriptions.c.created_at))
        assert -60 < newest < 5


async def test_midnight_inside_a_step_gives_no_second_budget(
    tmp_path: Path, set_clock: SetClock
) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, JumpingLoop)
    today = loop.now().date()
    midnight = datetime.combine(today + timedelta(days=1), datetime.min.time(), UTC)
    loop.jump((midnight - loop.now()).total_seconds() - 240)
    budget = {"daily_budget": 4, "reply_share": 1.0, "skip_privacy_check": "true"}
    async with sandbox_box() as box, running_bell(tmp_path, box, timing=OFTEN, **budget) as bell:
        ann = await bell.control.person()

        async def asks(times: int, what: str) -> int:
            for number in range(times):
                await bell.control.profile(f"{what}.{number}", posts_per_day=0)
                await bell.ask(ann, f"/stories {what}.{number}")
            return await bell.control.billed()

        spent = await asks(4, "day")
        assert 0 < spent <= 4
        await box.control.fault("stories", {"delay_s": 1}, times=None)
        set_clock(600)  # past midnight, by the machine
        assert await asks(2, "ahead") == spent
        set_clock(0)
        assert loop.now() < midnight
        loop.jump((midnight - loop.now()).total_seconds() + 1)
        assert spent < await asks(4, "next") <= spent + 4


@pytest.mark.parametrize("ahead_s", [25 * HOUR_S, 60.0])
async def test_story_found_while_the_clock_is_ahead_is_sent_once(
    tmp_path: Path, set_clock: SetClock, ahead_s: float
) -> None:
    async with sandbox_box() as box, running_bell(tmp_path, box, timing=OFTEN) as bell:
        ann = await followed(bell, "ahead.seen")
        set_clock(ahead_s)
        first = await bell.control.publish("ahead.seen")
        await checked(bell, "ahead.seen")
        await shown(bell, ann, first["pk"])
        set_clock(0)
        second = await bell.control.publish("ahead.seen")  # and the next check is not a day away
        await shown(bell, ann, first["pk"], second["pk"])


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize(
    "ahead_s",
    [
        -7200,
        59,
        pytest.param(-59, marks=pytest.mark.slow),
        pytest.param(7200, marks=pytest.mark.slow),
    ],
)
def test_the_owner_is_told_once_that_the_machines_clock_is_wrong(
    tmp_path: Path, ahead_s: int
) -> None:
    told = lived(tmp_path, "server_clocks", ahead_s)["told"]
    assert len(told) == (abs(ahead_s) > 60), told
