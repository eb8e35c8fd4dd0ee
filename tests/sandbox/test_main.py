"""`python -m sandbox` as a process of its own."""

import asyncio
import json
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process

import pytest
from aiohttp import ClientSession


async def _started(*arguments: str) -> tuple[Process, dict[str, str]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", *arguments, stdout=PIPE, stderr=PIPE
    )
    assert process.stdout
    async with asyncio.timeout(60):
        return process, json.loads(await process.stdout.readline())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_says_where_it_is_and_stops_when_told(number: signal.Signals) -> None:
    process, urls = await _started("--port-base", "0", "--quiet", "--speed", "60")
    try:
        assert set(urls) == {"page", "telegram", "stories_api", "cdn"}
        async with ClientSession() as session:
            for url in urls.values():
                async with session.get(url + "/anything") as answer:
                    assert answer.status < 500
            async with session.get(urls["page"] + "/control/state") as answer:
                assert abs((await answer.json())["now"] - time.time()) < 3_600
    finally:
        process.send_signal(number)
        async with asyncio.timeout(60):
            rest, complaints = await process.communicate()
    assert (process.returncode, rest, complaints) == (0, b"", b"")
