"""The real process under SIGKILL and SIGTERM: every command is answered in the end."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.support.control import wait_for
from tests.support.killing import Talk, Victim, kill_inbox
from tests.support.sandbox import sandbox_box


@pytest.mark.parametrize("webhook", [False, True], ids=["polling", "webhook"])
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
            assert took < 8
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
