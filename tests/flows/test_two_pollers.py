"""Two processes with the same token, each with its own database, on the jumping clock."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.control import Control, refused, wait_for
from tests.support.killing import free_port
from tests.support.sandbox import Box
from tests.support.storybell import Bell, running_bell

pytestmark = pytest.mark.jumps

RIVAL = refused(
    "terminated by other getUpdates request; make sure that only one bot instance is running", 409
)
QUIET_S = 300.0  # polls are answered for so long before the conflict
ESTABLISHED_S = 240.0  # more than the three minutes of a lasting conflict
IN_TIME_S = 60.0  # a check and an alert
SELDOM = {"poll_floor_s": 20}  # each check is a jump


async def subscribe(bell: Bell, name: str) -> int:
    """Let a person subscribe to a new profile; return the person."""
    await bell.control.profile(name, posts_per_day=0)
    ann = await bell.control.person()
    await bell.ask(ann, f"/subscribe {name}")
    return ann


async def begin_conflict(control: Control, ann: int) -> int:
    """Answer all polls with 409 from now on; return the fault."""
    fault = await control.fault("telegram", RIVAL, match="getUpdates", times=None)
    await control.say(ann, "hello")  # ends the poll that is open
    return fault


async def count_polls(control: Control) -> int:
    """Count the polls of all processes."""
    return len(await control.requests("telegram", path="/getUpdates"))


async def wait_polls(control: Control, before: int) -> None:
    """Wait until a process that has just been started polls: a start may outlast a long sleep."""

    async def are_more() -> bool:
        return await count_polls(control) >= before + 2

    await wait_for(are_more, 180, "polls")  # a test delays each poll by 25 s


async def publish(control: Control, name: str) -> str:
    """Publish a story; return its key."""
    return str((await control.publish(name))["pk"])


def copy_database(source: Path, target: Path) -> None:
    """Copy the database of a running process, as a backup does."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def count_paid_calls(database: Path) -> int:
    """Count the entries of a ledger."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        return int(db.execute("SELECT count(*) FROM ledger_entries").fetchone()[0])


async def test_a_copy_pauses_and_the_original_sends_each_story_once(
    box: Box, tmp_path: Path
) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir()
    theirs.mkdir()
    control, port = box.control, free_port()
    owner = await control.person("Boss")
    async with running_bell(ours, box, admin_ids=[owner], **SELDOM) as bell:
        await bell.ask(owner, "/help")
        ann = await subscribe(bell, "twofold")
        await asyncio.sleep(QUIET_S)
        copy_database(ours / "bot.db", theirs / "bot.db")
        polls = await count_polls(control)
        async with running_bell(theirs, box, admin_ids=[owner], port=port, **SELDOM):
            await wait_polls(control, polls)
            await asyncio.sleep(ESTABLISHED_S)
            paid = count_paid_calls(theirs / "bot.db")
            first = await publish(control, "twofold")
            await control.wait_shown(ann, [first], within=IN_TIME_S)
            await asyncio.sleep(ESTABLISHED_S)
            assert await control.shown(ann) == [first]
            assert count_paid_calls(theirs / "bot.db") == paid
            told = [m.get("text", "") for m in await control.replies(owner)]
            assert any("Another program is using this bot's token" in text for text in told)
            async with box.session.get(f"http://127.0.0.1:{port}/readyz") as ready:
                assert "checks and alerts are paused" in await ready.text()
        second = await publish(control, "twofold")
        await control.wait_shown(ann, [first, second], within=IN_TIME_S)


async def test_a_process_of_unknown_origin_pauses_for_ten_minutes_and_then_sends_all(
    box: Box, tmp_path: Path
) -> None:
    control = box.control
    async with running_bell(tmp_path, box, **SELDOM) as bell:
        ann = await subscribe(bell, "unsure")
    await begin_conflict(control, ann)
    polls = await count_polls(control)
    async with running_bell(tmp_path, box, **SELDOM):
        await wait_polls(control, polls)
        await asyncio.sleep(ESTABLISHED_S)
        pk = await publish(control, "unsure")
        await asyncio.sleep(500)
        assert await control.shown(ann) == []
        await control.wait_shown(ann, [pk], within=100)


async def test_a_deployment_that_overlaps_for_a_minute_pauses_nothing(
    box: Box, tmp_path: Path
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    new.mkdir()
    control = box.control
    async with running_bell(old, box, **SELDOM) as bell:
        ann = await subscribe(bell, "overlap")
    copy_database(old / "bot.db", new / "bot.db")
    fault = await begin_conflict(control, ann)
    polls = await count_polls(control)
    async with running_bell(new, box, **SELDOM):
        await wait_polls(control, polls)
        await asyncio.sleep(35)
        stories = [await publish(control, "overlap")]
        await control.wait_shown(ann, stories, within=35)
        await asyncio.sleep(60 - 35)
        await control.clear_faults(fault)
        for _ in range(3):  # the last one after the three minutes of a lasting conflict
            stories.append(await publish(control, "overlap"))
            await control.wait_shown(ann, stories, within=IN_TIME_S)
            await asyncio.sleep(60)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_stories_that_expire_while_a_second_bot_polls_are_reported_as_missed(
    box: Box, tmp_path: Path
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    new.mkdir()
    control = box.control
    async with running_bell(old, box, **SELDOM) as bell:
        ann = await subscribe(bell, "gone")
    copy_database(old / "bot.db", new / "bot.db")
    slow = {**RIVAL, "delay_s": 25}  # fewer polls in a day
    fault = await control.fault("telegram", slow, match="getUpdates", times=None)
    polls = await count_polls(control)
    async with running_bell(new, box, **SELDOM):
        await wait_polls(control, polls)
        await asyncio.sleep(ESTABLISHED_S)
        await publish(control, "gone")
        await asyncio.sleep(25 * 3600)
        assert await control.shown(ann) == []
        await control.clear_faults(fault)

        async def is_reported() -> bool:
            replies = await control.replies(ann)
            return any("may be missing here" in one.get("text", "") for one in replies)

        await wait_for(is_reported, 900, "the report")
