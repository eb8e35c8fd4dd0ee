"""The calls per second and the CPU time per call of three clients of Telegram.

The clients are the bot's transport, PTB's transport, and bare aiohttp. The transports and their
limiters are compared with JSON in both directions. ``objects`` adds PTB's objects, which cost the
same in both transports. Bare aiohttp shows the highest possible speed.
"""

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

from benchmarks.telegram_world import TOKEN, World, our_bot, stock_bot, world

Call = Callable[[], Awaitable[object]]
Figures = dict[str, dict[str, float]]
ITEMS = 10
PEOPLE = 500  # the number of persons, so large that no chat reaches its flood limit
METHODS = ("sendMessage", "sendMediaGroup")


async def measure(who: str, concurrency: int, calls: int) -> Figures:
    """Return the figures of the client ``who`` by kind of call.

    ``who`` is "ours", "stock" or "bare". ``concurrency`` is the number of simultaneous calls.
    """
    async with world() as at:
        people = await at.people(PEOPLE)
        media = await _file_ids(at, people[0])
        if who == "bare":
            connector = aiohttp.TCPConnector(limit=concurrency)
            async with aiohttp.ClientSession(connector=connector) as session:
                return {
                    method: await _timed(
                        _bare(at, session, itertools.cycle(people), asked(method, media)),
                        concurrency,
                        _share(method, calls, concurrency),
                    )
                    for method in METHODS
                }
        async with our_bot(at) if who == "ours" else stock_bot(at, concurrency) as bot:
            return {
                name: await _timed(
                    call, concurrency, _share(name.partition("+")[0], calls, concurrency)
                )
                for name, call in _calls(bot, itertools.cycle(people), media).items()
            }


async def _timed(call: Call, concurrency: int, calls: int) -> dict[str, float]:
    # Open the connections before the measurement.
    await asyncio.gather(*(call() for _ in range(concurrency)))
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


def _share(method: str, calls: int, concurrency: int) -> int:
    return calls if method == "sendMessage" else max(calls // 8, min(concurrency, PEOPLE // 2))


def asked(method: str, media: list[str]) -> dict[str, Any]:
    """Return the arguments of a call, except for the chat."""
    if method == "sendMessage":
        return {"text": "A story of natgeo"}
    return {"media": [{"type": "photo", "media": name} for name in media]}


def _calls(bot: ExtBot[Any], people: Iterator[int], media: list[str]) -> dict[str, Call]:
    async def message() -> object:
        arguments = asked("sendMessage", media) | {"chat_id": next(people)}
        return await bot._do_post("sendMessage", arguments)  # noqa: SLF001 - as PTB does, with the limiter

    async def group() -> object:
        arguments = asked("sendMediaGroup", media) | {"chat_id": next(people)}
        return await bot._do_post("sendMediaGroup", arguments)  # noqa: SLF001 - as PTB does, with the limiter

    async def message_objects() -> object:
        return await bot.send_message(next(people), "A story of natgeo")

    async def group_objects() -> object:
        return await bot.send_media_group(next(people), [InputMediaPhoto(name) for name in media])

    return {
        "sendMessage": message,
        "sendMediaGroup": group,
        "sendMessage+objects": message_objects,
        "sendMediaGroup+objects": group_objects,
    }


def _bare(
    at: World, session: aiohttp.ClientSession, people: Iterator[int], arguments: dict[str, Any]
) -> Call:
    name = "sendMessage" if "text" in arguments else "sendMediaGroup"
    url = URL(f"{at.urls['telegram']}/bot{TOKEN}/{name}", encoded=True)

    async def call() -> object:
        async with session.post(url, json=arguments | {"chat_id": next(people)}) as answer:
            return json.loads(await answer.read())["ok"]

    return call


async def _file_ids(at: World, person: int) -> list[str]:
    (shown, *_) = await at.control.stories("natgeo")
    async with our_bot(at) as bot:
        message = await bot.send_photo(person, shown["thumbnail_url"])
    return [message.photo[-1].file_id] * ITEMS
