"""Calls a second and CPU a call: our transport, PTB's, and a bare aiohttp loop as the limit."""

import asyncio
import itertools
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import aiohttp
from telegram import InputMediaPhoto
from telegram.ext import ExtBot
from yarl import URL

from benchmarks.telegram_world import TOKEN, World, our_bot, stock_bot
from tests.support.telegram import story_of

Call = Callable[[], Awaitable[object]]
ITEMS = 10
PEOPLE = 500  # so many that no chat's own limit is met


async def measure(at: World, concurrency: int, calls: int) -> dict[str, Any]:
    """Return the figures of sendMessage and sendMediaGroup at one concurrency."""
    everybody = await at.people(PEOPLE)
    media = await _file_ids(at, everybody[0])
    people = itertools.cycle(everybody)
    found: dict[str, Any] = {}
    for method in ("sendMessage", "sendMediaGroup"):
        share = calls if method == "sendMessage" else max(calls // 4, concurrency)
        async with our_bot(at) as bot:
            ours = await _timed(_call(bot, people, method, media), concurrency, share)
        async with stock_bot(at, concurrency) as bot:
            stock = await _timed(_call(bot, people, method, media), concurrency, share)
        connector = aiohttp.TCPConnector(limit=concurrency)
        async with aiohttp.ClientSession(connector=connector) as session:
            call = _bare(at, session, people, method, media)
            bare = await _timed(call, concurrency, share)
        found[method] = {
            "ours": ours,
            "stock": stock,
            "bare": bare,
            "cpu_ratio": round(stock["cpu_us"] / ours["cpu_us"], 1),
        }
    return found


async def _timed(call: Call, concurrency: int, calls: int) -> dict[str, float]:
    for _ in range(3):
        await call()
    left = iter(range(calls))

    async def worker() -> None:
        for _ in left:
            await call()

    wall, cpu = time.perf_counter(), time.process_time()
    async with asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(worker())
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"calls_per_s": round(calls / wall), "cpu_us": round(cpu / calls * 1e6)}


def _call(bot: ExtBot[Any], people: Iterator[int], method: str, media: list[str]) -> Call:
    async def message() -> object:
        return await bot.send_message(next(people), "A story of natgeo")

    async def group() -> object:
        items = [InputMediaPhoto(name) for name in media]
        return await bot.send_media_group(next(people), items)

    return message if method == "sendMessage" else group


def _bare(
    at: World,
    session: aiohttp.ClientSession,
    people: Iterator[int],
    method: str,
    media: list[str],
) -> Call:
    url = URL(f"{at.urls['telegram']}/bot{TOKEN}/{method}", encoded=True)
    asked: dict[str, Any] = {"text": "A story of natgeo"}
    if method == "sendMediaGroup":
        asked = {"media": [{"type": "photo", "media": name} for name in media]}

    async def call() -> object:
        async with session.post(url, json=asked | {"chat_id": next(people)}) as answer:
            return json.loads(await answer.read())["ok"]

    return call


async def _file_ids(at: World, person: int) -> list[str]:
    story = story_of((await at.control.stories("natgeo"))[0])
    async with our_bot(at) as bot:
        message = await bot.send_photo(person, story.thumbnail_url or "")
    return [message.photo[-1].file_id] * ITEMS
