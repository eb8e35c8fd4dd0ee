"""A sandbox with persons on a second core, and a bot with one of two transports.

The transports are the project's own transport and PTB's transport.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from telegram.ext import AIORateLimiter, BaseRateLimiter, ExtBot
from telegram.request import BaseRequest, HTTPXRequest

from bot.config import Settings, load
from bot.telegram.rate_limiter import Pacing
from bot.telegram.request import AiohttpRequest
from tests.support.control import Control

TOKEN = "123456789:AAbenchmarkTokenThatIsOfNoUseAnywhere00"  # noqa: S105 - the sandbox accepts any token


@dataclass(frozen=True, slots=True)
class World:
    """The addresses of the sandbox, and the client that controls the sandbox."""

    urls: dict[str, str]
    control: Control

    async def people(self, count: int) -> list[int]:
        """Create ``count`` persons who have started the bot."""
        found = []
        for number in range(count):
            person = await self.control.person(f"P{number}")
            await self.control.say(person, "/start")
            found.append(person)
        return found


def settings_for(at: World, folder: Path) -> Settings:
    """Return the settings of a bot for the sandbox.

    The budgets and the message rate have the maximum values.
    """
    return load(
        _env_file=None,
        telegram_token=TOKEN,
        stories_api_key="a-key",
        telegram_api_url=at.urls["telegram"],
        stories_api_url=at.urls["stories_api"],
        trusted_media_origin=at.urls["cdn"],
        database_url=f"sqlite:///{folder}/bot.db",
        spool_dir=folder / "spool",
        access="open",
        port=0,
        host="127.0.0.1",
        messages_per_second=1000,
        person_daily_allowance=100_000,
        chat_daily_allowance=10_000,
        daily_budget=100_000,
    )


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    """Run a sandbox in a separate process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", "--port-base", "0", "--quiet",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout
        urls = json.loads(await process.stdout.readline())
        async with aiohttp.ClientSession() as session:
            yield World(urls, Control(session, urls["page"]))
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def our_bot(at: World, *, rate: float = float("inf")) -> AsyncIterator[ExtBot[Any]]:
    """Yield a bot with the project's transport and pacing.

    By default, the bot has no rate limit.
    """
    async with _bot(at, AiohttpRequest(), Pacing(rate)) as bot:
        yield bot


@asynccontextmanager
async def stock_bot(at: World, connections: int) -> AsyncIterator[ExtBot[Any]]:
    """Yield a bot with PTB's transport and limiter. The bot has no rate limit."""
    limiter = AIORateLimiter(overall_max_rate=0, group_max_rate=0)
    request = HTTPXRequest(connection_pool_size=connections, pool_timeout=60, read_timeout=60)
    async with _bot(at, request, limiter) as bot:
        yield bot


@asynccontextmanager
async def _bot(
    at: World, request: BaseRequest, limiter: BaseRateLimiter[Any]
) -> AsyncIterator[ExtBot[Any]]:
    url = at.urls["telegram"]
    bot: ExtBot[Any] = ExtBot(
        TOKEN,
        base_url=f"{url}/bot",
        base_file_url=f"{url}/file/bot",
        request=request,
        get_updates_request=AiohttpRequest(connections=1),
        rate_limiter=limiter,
    )
    async with bot:
        yield bot
