"""The real process under SIGKILL and SIGTERM: every command is answered in the end."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.support.control import wait_for
from tests.support.killing import Talk, Victim, kill_inbox
from tests.support.sandbox import Box, sandbox_box


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "webhook", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["polling", "webhook"]
)
async def test_kills_leave_nothing_unanswered(tmp_path: Path, *, webhook: bool) -> None:
    async with sandbox_box() as box:
        toll = await kill_inbox(box, tmp_path, kills=2, webhook=webhook)
    assert toll.commands == 40
    assert toll.unanswered == 0
    assert toll.repeated <= toll.kills * 5  # what was in flight, one a chat


async def test_a_stop_is_quick_and_loses_nothing(tmp_path: Path) -> None:
    async with sandbox_box() as box:
        people = [await box.control.person() for _ in range(5)]
        talk, victim = Talk(box, people), Victim(box, tmp_path, webhook=False)
        await box.control.fault("telegram", {"delay_s": 0.3}, match="sendMessage", times=None)
        try:
            await victim.start()
            await talk.ask(60)

            async def begun() -> bool:
                return (await talk.answers()).total() > 0

            await wait_for(begun, 60)
            status, took = await victim.end(signal.SIGTERM)
            assert status == 0
            assert took < 30
            left = len(talk.asked) - len(await talk.answers())
            await box.control.clear_faults()
            await victim.start()

            async def complete() -> bool:
                return len(await talk.answers()) == len(talk.asked)

            await wait_for(complete, 60, f"{left} more answers")
            assert (await talk.answers()).total() == len(talk.asked)
        finally:
            await victim.end(signal.SIGKILL)
    await asyncio.sleep(0)


@pytest.mark.slow
@pytest.mark.usefixtures("db")  # migrated and empty
@pytest.mark.parametrize(
    ("hung", "there"),
    [("sendMediaGroup", 0), pytest.param("sendMessage", 3, marks=pytest.mark.slow)],
)
async def test_unsent_reply_after_a_kill_arrives_within_a_minute_for_free(
    box: Box, tmp_path: Path, database_url: str, hung: str, there: int
) -> None:
    """Killed after the album was paid for, before it or before the sentence under it."""
    control = box.control
    ann = await control.person()
    victim = Victim(box, tmp_path, webhook=False, database_url=database_url)
    try:
        await victim.start()
        message = await control.say(ann, "/help")
        await control.wait_replies(ann, 1, after=message)
        await control.fault("telegram", {"hang": True}, match=hung, times=None)
        message = await control.say(ann, "/stories natgeo")

        async def hangs() -> bool:
            shows_work = len(await control.requests("telegram", path="/sendChatAction")) > 1
            return bool(there or shows_work) and (
                len(await control.replies(ann, after=message)) == there
                and await control.billed() > 0
            )

        await wait_for(hangs, what="the answer that is half sent")
        await victim.end(signal.SIGKILL)
        billed = await control.billed()
        await control.clear_faults()
        await victim.start()

        await control.say(ann, "/help")

        async def closed() -> bool:
            said = [m for m in await control.replies(ann, after=message) if "text" in m]
            return len(said) == 2  # the row of buttons below the album, and the help

        await wait_for(closed, 60, "the answer after the album")
        shown = await control.replies(ann, after=message)
        pks = [m["_story_pk"] for m in shown if "_story_pk" in m]
        assert "_story_pk" in shown[0]
        assert len(set(pks)) == 3
        assert len(pks) in {3, 3 + there}  # that it had arrived may have been lost
        assert len(shown) == len(pks) + 2  # the row of buttons below, and the help
        assert await control.billed() == billed
    finally:
        await victim.end(signal.SIGKILL)
