"""One story to thousands of chats: one call of the API, one fetch of its file, then file_ids."""

import asyncio
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
from pydantic import SecretStr

from benchmarks.telegram_world import World, our_bot, world
from bot.domain import Album, Sent, Target
from bot.files import Spool
from bot.media import Media
from bot.store.database import Database
from bot.stories_api import StoriesApi
from bot.telegram.sender import Sender

AT_ONCE = 100


async def measure(chats: int) -> dict[str, Any]:
    """Send one story to ``chats`` people, without any limit."""
    async with world() as at:
        return await _measure(at, chats)


async def _measure(at: World, chats: int) -> dict[str, Any]:
    people = await at.people(chats)
    shown = await at.control.publish("quiet", 1)
    before = (await at.control.state())["calls"]
    with tempfile.TemporaryDirectory() as folder, Spool(Path(folder), limit=10**9) as spool:
        async with (
            Database(f"sqlite:///{folder}/bot.db") as db,
            aiohttp.ClientSession() as session,
            our_bot(at) as bot,
        ):
            await db.migrate()
            api = StoriesApi(session, url=at.urls["stories_api"], key=SecretStr("a-key"))
            story = (await api.story(str(shown["pk"]))).value
            media = Media(session, spool, trusted_origin=at.urls["cdn"])
            sender = Sender(bot, media, db)
            wall, cpu = time.perf_counter(), time.process_time()
            sent = await _all(sender, Album((story,)), people)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    after = (await at.control.state())["calls"]
    return {
        "chats": chats,
        "sent": sent,
        "api_calls": after["stories"] - before["stories"],
        "uploads": after["cdn"] - before["cdn"],
        "per_s": round(chats / wall),
        "per_cpu_s": round(chats / cpu),
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


async def _all(sender: Sender, album: Album, people: list[int]) -> int:
    left = iter(people)
    sent = 0

    async def worker() -> None:
        nonlocal sent
        for person in left:
            outcome = await sender.send_album(Target(person), album, lane="alert")
            sent += isinstance(outcome, Sent) and not outcome.failed

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(worker())
    return sent
