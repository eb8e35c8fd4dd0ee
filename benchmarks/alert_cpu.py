"""The CPU time of an alert, relative to a bare aiohttp client that posts the same message."""

import asyncio
import os
import tempfile
import time
from pathlib import Path
from statistics import median

import aiohttp
from pydantic import SecretStr

from benchmarks import telegram_fanout
from benchmarks.telegram_world import TOKEN, World, settings_for, world
from bot.bootstrap import Parts, open_parts
from bot.domain.model import Profile

# Number of rounds; the result is the median, because other programs slow down single rounds.
ROUNDS = 5
# Seconds between two checks for completion; long enough that the checks cost almost no CPU.
SELDOM_S = 0.1


async def alert_cpu(url: str, alerts: int) -> float:
    """Return the ratio of this process's CPU time per alert to the CPU time per bare post.

    The measurements of alerts and of bare posts alternate. One-time costs of the first send are
    excluded.
    """
    with tempfile.TemporaryDirectory() as folder:
        async with world() as at:
            changed = {"messages_per_second": 100_000.0, "database_url": SecretStr(url)}
            settings = settings_for(at, Path(folder)).model_copy(update=changed)
            async with open_parts(settings) as parts, parts.bot, asyncio.TaskGroup() as group:
                people = await at.people(alerts)
                group.create_task(parts.outbox.fan_out_and_send_until_stopped())
                await _ours(at, parts, people)
                rounds = [
                    (await _bare(at, people), await _ours(at, parts, people))
                    for _ in range(ROUNDS)
                ]
                parts.outbox.stop()
    bare, ours = (median(took) for took in zip(*rounds, strict=True))
    return round(float(ours / bare), 1)


async def _bare(at: World, people: list[int]) -> float:
    """Return the CPU seconds for posting one text to each person."""
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
    return time.process_time() - began


async def _ours(at: World, parts: Parts, people: list[int]) -> float:
    """Return the CPU seconds for an alert to each person.

    The measurement begins with the fan-out and ends with the recorded results.
    """
    shown = await at.control.profile(f"cost{os.urandom(4).hex()}")
    profile = Profile(str(shown["pk"]), shown["username"])
    await telegram_fanout.follow(parts.db, profile, people)
    await at.control.publish(profile.username, 1)
    began = time.process_time()
    await parts.scheduler.make_possible_checks_once()
    while not await telegram_fanout.is_done(parts.db):  # noqa: ASYNC110 - no event signals completion
        await asyncio.sleep(SELDOM_S)
    return time.process_time() - began
