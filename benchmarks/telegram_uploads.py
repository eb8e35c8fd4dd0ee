"""Benchmark of the memory that concurrent large videos use.

Each video is downloaded to the spool and uploaded to Telegram.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from pydantic import SecretStr

from benchmarks.telegram_world import World, our_bot, world
from bot.domain.model import Album, Sent, Story, Target
from bot.media.download import Media
from bot.media.spool import Spool
from bot.sending.sender import Sender
from bot.store.engine.database import Database
from bot.stories_api.client import StoriesApi

# Bytes of a video; Telegram fetches at most 20 MB by URL and accepts 50 MB by upload.
SIZE = 49_500_000


async def measure(videos: int) -> dict[str, Any]:
    """Send ``videos`` videos at the same time, each video to a different person."""
    async with world() as at:
        return await _measure(at, videos)


async def _measure(at: World, videos: int) -> dict[str, Any]:
    people = await at.people(videos)
    with (
        tempfile.TemporaryDirectory() as folder,
        Spool(Path(folder) / "spool", limit=videos * 50_000_000) as spool,
    ):
        async with (
            Database(f"sqlite:///{folder}/bot.db") as db,
            aiohttp.ClientSession() as session,
            our_bot(at) as bot,
        ):
            await db.migrate()
            sender = Sender(bot, Media(session, spool, trusted_origin=at.urls["cdn"]), db)
            stories = await _published(at, session, videos)
            before, start = _rss(), time.perf_counter()
            async with _watched(spool) as most:
                outcomes = await asyncio.gather(
                    *(
                        sender.send_album_and_buy_missing_files(Target(person), Album((story,)))
                        for person, story in zip(people, stories, strict=True)
                    )
                )
    return {
        "videos": videos,
        "mb_each": SIZE / 1e6,
        "sent": sum(isinstance(outcome, Sent) and not outcome.failed for outcome in outcomes),
        "s": round(time.perf_counter() - start, 1),
        "spool_mb": round(most["spool"] / 1e6),
        "rss_mb": round(most["rss"] / 2**20),
        "rss_grew_mb": round((most["rss"] - before) / 2**20),
    }


async def _published(at: World, session: aiohttp.ClientSession, videos: int) -> list[Story]:
    api = StoriesApi(session, url=at.urls["stories_api"], key=SecretStr("a-key"))
    shown = [await at.control.publish("quiet", 2, bytes=SIZE) for _ in range(videos)]
    return [(await api.story(str(story["pk"]))).value for story in shown]


@asynccontextmanager
async def _watched(spool: Spool) -> AsyncIterator[dict[str, int]]:
    """Yield a dict with the maximum memory and spool size in bytes during the ``with`` block."""
    most = {"rss": 0, "spool": 0}

    async def watch() -> None:
        while True:
            most["rss"] = max(most["rss"], _rss())
            most["spool"] = max(most["spool"], spool.used)
            await asyncio.sleep(0.02)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(watch())
        yield most
        task.cancel()


def _rss() -> int:
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGESIZE")
