"""The real commands, each a process of its own: the sandbox, and the bot as one runs it."""

import asyncio
import json
import signal
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.support.control import Control, refused, wait_for
from tests.support.storybell import API_KEY, TOKEN

STOP_S = 30.0
ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def process(*words: str, env: dict[str, str], folder: Path) -> AsyncIterator[Process]:
    """Run ``python -m …``; end it by its own id, whatever happens."""
    one = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *words, env=env, cwd=folder, stdout=PIPE, stderr=PIPE
    )
    try:
        yield one
    finally:
        if one.returncode is None:
            one.kill()
            await one.communicate()


@pytest.mark.slow
async def test_a_pasted_link_through_two_processes_and_a_stop_in_time(
    tmp_path: Path,
) -> None:
    plain = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "LOG_LEVEL": "DEBUG"}
    async with process("sandbox", "--port-base", "0", env=plain, folder=tmp_path) as sandbox:
        assert sandbox.stdout
        urls = json.loads(await sandbox.stdout.readline())
        env = plain | {
            "TELEGRAM_TOKEN": TOKEN,
            "STORIES_API_KEY": API_KEY,
            "TELEGRAM_API_URL": urls["telegram"],
            "STORIES_API_URL": urls["stories_api"],
            "TRUSTED_MEDIA_ORIGIN": urls["cdn"],
            "PORT": "0",
            "ACCESS": "open",
            "HOST": "127.0.0.1",
        }
        async with process("bot", "run", env=env, folder=tmp_path) as bot, ClientSession() as http:
            control = Control(http, urls["page"])
            ann = await control.person()
            story = (await control.stories("natgeo"))[-1]
            link = f"https://www.instagram.com/stories/natgeo/{story['pk']}/"
            message = await control.say(ann, link)
            (photo,) = await control.wait_replies(ann, 1, after=message)
            assert photo["_story_pk"] == story["pk"]
            assert await control.billed() == 1
            # A failure of each kind, for what it may write into the log.
            await control.fault("stories", {"status": 401, "body": "{}"})
            await control.say(ann, "/stories prada")
            await control.fault("telegram", {"status": 500, "body": "x"}, match="sendMessage")
            await control.say(ann, "/help")
            await wait_for(lambda: _wrote(control, ann, after=photo["message_id"]))
            began = time.monotonic()
            bot.send_signal(signal.SIGTERM)
            out, log = await bot.communicate()
            assert time.monotonic() - began < STOP_S
            assert bot.returncode == 0, log.decode()[-2000:]
        sandbox.send_signal(signal.SIGTERM)
        await sandbox.communicate()
        assert sandbox.returncode == 0
    said = (out + log).decode()
    assert "running" in said
    for secret in (TOKEN, TOKEN.partition(":")[2], API_KEY):
        assert secret not in said


async def _wrote(control: Control, chat: int, *, after: int) -> bool:
    return len(await control.replies(chat, after=after)) > 0


async def test_without_settings_it_says_what_is_missing(tmp_path: Path) -> None:
    env = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    async with process("bot", "run", env=env, folder=tmp_path) as bot:
        _, said = await bot.communicate()
    assert bot.returncode == 2
    assert b"TELEGRAM_TOKEN is not set (" in said


async def test_a_token_that_telegram_refuses_ends_the_process(tmp_path: Path) -> None:
    plain = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    async with process("sandbox", "--port-base", "0", env=plain, folder=tmp_path) as sandbox:
        assert sandbox.stdout
        urls = json.loads(await sandbox.stdout.readline())
        async with ClientSession() as http:
            unknown = refused("Unauthorized", 401)
            await Control(http, urls["page"]).fault("telegram", unknown, match="getMe", times=None)
        env = plain | {
            "TELEGRAM_TOKEN": TOKEN,
            "STORIES_API_KEY": API_KEY,
            "TELEGRAM_API_URL": urls["telegram"],
            "PORT": "0",
        }
        async with process("bot", "run", env=env, folder=tmp_path) as bot:
            _, log = await bot.communicate()
        assert bot.returncode == 1
        assert b"Telegram refuses the token" in log
        assert TOKEN.encode() not in log


async def test_a_port_that_is_taken_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        env = {
            "PYTHONPATH": str(ROOT),
            "PATH": "/usr/bin:/bin",
            "TELEGRAM_TOKEN": TOKEN,
            "STORIES_API_KEY": API_KEY,
            "TELEGRAM_API_URL": "http://127.0.0.1:9",
            "HOST": "127.0.0.1",
            "PORT": str(taken.getsockname()[1]),
        }
        async with process("bot", "run", env=env, folder=tmp_path) as bot:
            _, log = await bot.communicate()
    assert bot.returncode == 1
    assert b"the port can't be bound" in log
    assert b"Traceback" not in log
