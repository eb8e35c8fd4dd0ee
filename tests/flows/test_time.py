"""One clock for bot and sandbox, as in the demo: an hour that is skipped has passed for both."""

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.support.control import Control, Json, wait_for

ROOT = Path(__file__).parents[2]
URL = re.compile(r"http://127\.0\.0\.1:\d+")
HOUR_S = 3_600


@pytest.fixture
async def control(tmp_path: Path) -> AsyncIterator[Control]:
    """Run the demo as its command does; the verbs of its sandbox."""
    env = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "BROWSER": "true", "COLUMNS": "200"}
    words = [sys.executable, "-m", "bot", "demo", "--port-base", "0"]
    demo = await asyncio.create_subprocess_exec(
        *words, env=env, cwd=tmp_path, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(30), ClientSession() as session:
            yield Control(session, await _address(demo))
    finally:
        demo.send_signal(signal.SIGINT)
        async with asyncio.timeout(20):
            await demo.communicate()


async def _address(demo: asyncio.subprocess.Process) -> str:
    assert demo.stdout
    async for line in demo.stdout:
        if found := URL.search(line.decode()):
            return found[0]
    raise AssertionError("the demo ended before it said where it is")


async def test_hours_that_the_page_skips_pass_for_captions_and_digests(control: Control) -> None:
    ann = await control.person()
    await control.profile("dated", posts_per_day=0)
    message = await control.say(ann, "/subscribe dated")
    await control.wait_replies(ann, 1, after=message)
    hour = (datetime.fromtimestamp((await control.state())["now"], UTC).hour + 3) % 24
    message = await control.say(ann, "/settings")
    (page,) = await control.wait_replies(ann, 1, after=message)
    for data in ("set:digest", f"set:digest:{hour}"):
        await _press(control, ann, page, data)
    published = await control.publish("dated")
    looks = await control.billed("/v1/user/stories")
    for _ in range(2):  # the look comes by then, and what it shows waits for its hour
        await control.advance(HOUR_S / 2)

    async def looked() -> bool:
        return await control.billed("/v1/user/stories") > looks

    await wait_for(looked, what="the look")
    assert not [m for m in await control.replies(ann) if "_story_pk" in m]
    await control.advance(2.5 * HOUR_S)

    async def digest() -> Json | None:
        shown = [m for m in await control.replies(ann) if "_story_pk" in m]
        return shown[0] if shown else None

    story = await wait_for(digest, what="the digest")
    assert story["_story_pk"] == published["pk"]
    assert "3 hours ago" in story["caption"] or "4 hours ago" in story["caption"]


async def _press(control: Control, chat: int, message: Json, data: str) -> None:
    query = await control.press(chat, message["message_id"], data)

    async def answered() -> bool:
        return bool((await control.callback(query))["answered"])

    await wait_for(answered)
