"""The time that the bot itself needs for a pasted link that is new or already seen.

The measured time begins with the person's message and ends when the bot sends the photo. The time
that the sandbox needs is subtracted: the delivery of the message by getUpdates, and the response
to the API call.
"""

import asyncio
import itertools
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
from pydantic import SecretStr

from benchmarks.telegram_world import TOKEN, World, settings_for, world
from bot import app
from bot.stories_api.client import StoriesApi

# The number of persons, who send in turn, so that no chat exceeds one message per second.
PEOPLE = 10
ALONE = 20  # the number of messages that measure the sandbox without the bot
SENDS = ("/sendPhoto", "/sendVideo")


async def measure(links: int) -> dict[str, Any]:
    """Paste ``links`` new links, and each link a second time. Return the times in milliseconds."""
    async with world() as at:
        return await _measure(at, links)


async def _measure(at: World, links: int) -> dict[str, Any]:
    stop = asyncio.Event()
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_for(at, Path(folder))
        people = itertools.cycle(await at.people(PEOPLE))
        telegram_ms = await _telegram_alone(at, people)
        async with asyncio.TaskGroup() as group:
            group.create_task(app.run(settings, stop))
            try:
                api_ms = await _api_alone(at)
                pasted = [await at.control.publish("quiet", 1) for _ in range(links)]
                # This link is not measured, because it warms up the bot.
                await _own_time(at, next(people), await at.control.publish("quiet", 1))
                new = [
                    await _own_time(at, next(people), story) - telegram_ms - api_ms
                    for story in pasted
                ]
                again = [
                    await _own_time(at, next(people), story) - telegram_ms for story in pasted
                ]
            finally:
                stop.set()
    both = [*new, *again]
    return {
        "links": links,
        "median": round(statistics.median(both), 1),
        "p95": round(statistics.quantiles(both, n=20)[-1], 1),
        "new": {"median": round(statistics.median(new), 1)},
        "seen": {"median": round(statistics.median(again), 1)},
        "api_ms": round(api_ms, 1),
        "telegram_ms": round(telegram_ms, 1),
    }


async def _own_time(at: World, person: int, story: dict[str, Any]) -> float:
    """Return the milliseconds from the person's message until the bot sends the photo."""
    before = (await at.control.requests("telegram"))[-1]["n"]
    url = f"https://www.instagram.com/stories/quiet/{story['pk']}/"
    began = await _paste(at, person, url)
    while True:
        calls = await at.control.requests("telegram", after=before)
        sent = [call["at"] for call in calls if call["path"].endswith(SENDS)]
        if sent:
            # Wait until the bot's other messages are sent, before the next link.
            await asyncio.sleep(0.05)
            return float(sent[0] - began) * 1000
        await asyncio.sleep(0.02)


async def _paste(at: World, person: int, url: str) -> float:
    began = time.time()
    await at.control.say(person, url)
    await asyncio.sleep(0.2)  # do not use CPU during this time, so that only the bot works
    return began


async def _telegram_alone(at: World, people: Iterator[int]) -> float:
    """Return the milliseconds from a message until a poll receives the message."""
    url = f"{at.urls['telegram']}/bot{TOKEN}/getUpdates"
    took = []
    async with aiohttp.ClientSession() as session:

        async def poll(offset: int) -> tuple[int, float]:
            async with session.post(url, json={"offset": offset, "timeout": 5}) as answer:
                updates = (await answer.json())["result"]
            return updates[-1]["update_id"] + 1, time.time()

        offset, _ = await poll(0)  # this poll confirms the earlier messages
        for _ in range(ALONE):
            async with asyncio.TaskGroup() as group:
                polling = group.create_task(poll(offset))
                await asyncio.sleep(0.05)
                began = time.time()
                await at.control.say(next(people), "Hello")
            offset, came_at = polling.result()
            took.append((came_at - began) * 1000)
    return statistics.median(took)


async def _api_alone(at: World) -> float:
    """Return the milliseconds of a single API call while the bot is idle."""
    story = await at.control.publish("quiet", 1)
    took = []
    async with aiohttp.ClientSession() as session:
        api = StoriesApi(session, url=at.urls["stories_api"], key=SecretStr("a-key"))
        for _ in range(10):
            # Wait, so that the client itself makes no pause between two calls.
            await asyncio.sleep(0.2)
            began = time.perf_counter()
            await api.story(str(story["pk"]))
            took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)
