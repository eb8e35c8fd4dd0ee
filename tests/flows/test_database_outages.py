"""The database goes away for a while: nothing ends, nothing is lost, nothing comes twice."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.support.postgres import postgres
from tests.support.sandbox import sandbox_box
from tests.support.storybell import Bell, running_bell

BACK_S = 20.0  # for what goes on within 10 s on a machine that does nothing else


async def answers(bell: Bell, chat: int, after: int) -> list[str]:
    return [message["text"] for message in await bell.control.replies(chat, after)]


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGINT])
async def test_a_postgresql_that_is_started_anew_ends_nothing(
    tmp_path: Path, number: signal.Signals
) -> None:
    with postgres() as server:
        async with (
            sandbox_box() as box,
            running_bell(tmp_path, box, database_url=server.url) as bell,
        ):
            ann = await box.control.person()
            (first,) = await bell.ask(ann, "/help")
            await asyncio.to_thread(server.stop, number)
            messages = [await box.control.say(ann, "/help") for _ in range(3)]
            await asyncio.to_thread(server.start)
            await box.control.wait_replies(ann, 3, after=messages[0], within=BACK_S)
            (last,) = await bell.ask(ann, "/help")
            assert last["text"] == first["text"]
            assert await answers(bell, ann, messages[0]) == [first["text"]] * 4
