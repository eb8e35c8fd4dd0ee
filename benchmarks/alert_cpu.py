"""The CPU of an alert, against that of a bare aiohttp client which posts the same message."""

import asyncio
import os
import tempfile
import time
from pathlib import Path

import aiohttp
from pydantic import SecretStr

from benchmarks import telegram_fanout
from benchmarks.telegram_world import TOKEN, World, settings_for, world
from bot.bootstrap import built
from bot.domain.model import Profile

WARM_UP = 20
SELDOM_S = 0.5  # so that to ask whether all is done costs nothing beside it


async def alert_cpu(url: str, alerts: int) -> float:
    """Return by how much an alert costs this process more CPU than the bare post."""
    async with world() as at:
        people = await at.people(alerts + WARM_UP)
        bare = await _bare(at, people[:alerts])
        ours = await _ours(at, url, people)
    return round(ours / bare, 1)


async def _bare(at: World, people: list[int]) -> float:
    """Return the CPU seconds of posting one text to each."""
    began = time.process_time()
    gate = asyncio.Semaphore(64)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64)) as session:

        async def post(person: int) -> None:
            address = f"{at.urls['telegram']}/bot{TOKEN}/sendMessage"
            async with (
                gate,
                session.post(address, json={"chat_id": person, "text": "x"}) as answer,
            ):
                await answer.read()

        async with asyncio.TaskGroup() as group:
            for person in people:
                group.create_task(post(person))
    return (time.process_time() - began) / len(people)


async def _ours(at: World, url: str, people: list[int]) -> float:
    """Return the CPU seconds of an alert, from the fan-out to the record of what was sent."""
    with tempfile.TemporaryDirectory() as folder:
        changed = {"messages_per_second": 100_000.0, "database_url": SecretStr(url)}
        settings = settings_for(at, Path(folder)).model_copy(update=changed)
        async with built(settings) as parts, parts.bot:
            shown = await at.control.profile(f"cost{os.urandom(4).hex()}")
            profile = Profile(str(shown["pk"]), shown["username"])
            await telegram_fanout.follow(parts.db, profile, people)
            await at.control.publish(profile.username, 1)
            async with asyncio.TaskGroup() as group:
                group.create_task(parts.outbox.run())
                await parts.scheduler.run_once()
                began = time.process_time()
                while not await telegram_fanout.is_done(parts.db):  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(SELDOM_S)
                cpu = time.process_time() - began
                parts.outbox.stop()
    return cpu / len(people)
