"""The bot's Telegram client with a sandbox: a real bot, a real transport, real stories."""

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from telegram.ext import BaseRateLimiter, ExtBot

from bot.domain.model import Album, Profile, Story
from bot.media.download import Media
from bot.media.spool import Spool
from bot.sending.sender import Sender
from bot.store.engine.database import Database
from bot.telegram.calls import Calls
from bot.telegram.rate_limiter import Pacing
from bot.telegram.request import AiohttpRequest, Timeouts
from tests.support.control import Control
from tests.support.sandbox import Box, sandbox_box

_names = itertools.count(1)
TOKEN = "123456789:AAtestTokenThatNobodyMaySeeInAnyLogLine"


def utc_now() -> datetime:
    """Return the present time in UTC."""
    return datetime.now(UTC)


@asynccontextmanager
async def bot_at(
    url: str,
    *,
    limiter: BaseRateLimiter[Any] | None = None,
    timeouts: Timeouts | None = None,
    token: str = TOKEN,
    paced: bool = True,
    **more: Any,
) -> AsyncIterator[ExtBot[Any]]:
    """Yield a bot for the Bot API at ``url`` with the project's transport and limiter."""
    limiter = limiter or (Pacing(1000) if paced else None)
    bot: ExtBot[Any] = ExtBot(
        token,
        base_url=f"{url}/bot",
        base_file_url=f"{url}/file/bot",
        request=AiohttpRequest(timeouts=timeouts, **more),
        get_updates_request=AiohttpRequest(timeouts=timeouts),
        rate_limiter=limiter,
    )
    async with bot:
        yield bot


def story_of(shown: dict[str, Any]) -> Story:
    """Convert a story of the Stories API to the bot's ``Story``."""
    user = shown["user"]
    is_video = shown["media_type"] == 2
    return Story(
        pk=str(shown["pk"]),
        taken_at=datetime.fromtimestamp(shown["taken_at_ts"], UTC)
        if "taken_at_ts" in shown
        else datetime.fromisoformat(shown["taken_at"]),
        kind="video" if is_video else "photo",
        profile=Profile(str(user["pk"]), user["username"]),
        media_url=shown["video_url"] if is_video else shown["thumbnail_url"],
        duration=float(shown.get("video_duration") or 0),
    )


@dataclass
class Bench:
    """A sandbox, a bot, and a sender."""

    box: Box
    bot: ExtBot[Any]
    sender: Sender
    spool: Spool
    media: Media
    bought: list[str] = field(default_factory=list)

    @property
    def control(self) -> Control:
        """Return the sandbox's control client."""
        return self.box.control

    async def album(self, count: int, *, videos: frozenset[int] = frozenset()) -> Album:
        """Publish ``count`` stories, with videos at the indexes ``videos``. Return the album."""
        name = f"profile{next(_names)}"
        await self.control.profile(name, posts_per_day=0)
        shown = [
            await self.control.publish(name, 2 if number in videos else 1)
            for number in range(count)
        ]
        return Album(tuple(story_of(story) for story in shown))

    @property
    def as_alert(self) -> Calls:
        """Return the calls of an alert without counted copies."""
        return Calls(self.bot, "alert")

    async def sources(self, chat: int) -> list[tuple[str, str]]:
        """Return the story's pk and the source of each media message in a chat."""
        return [
            (message["_story_pk"], message["_source"])
            for message in await self.control.replies(chat)
            if "_source" in message
        ]


@asynccontextmanager
async def bench(
    db: Database,
    folder: Path,
    *,
    limiter: BaseRateLimiter[Any] | None = None,
    now: Callable[[], datetime] = utc_now,
    timeouts: Timeouts | None = None,
    **options: Any,
) -> AsyncIterator[Bench]:
    """Yield a sandbox, a bot and a sender of albums."""
    async with AsyncExitStack() as stack:
        box = await stack.enter_async_context(sandbox_box())
        bot = await stack.enter_async_context(
            bot_at(box.urls.telegram, limiter=limiter, timeouts=timeouts, paced=False)
        )
        session = await stack.enter_async_context(aiohttp.ClientSession())
        spool = stack.enter_context(Spool(folder, limit=10**9))
        media = Media(session, spool, trusted_origin=box.urls.cdn)
        sender = Sender(bot, media, db, now=now, **options)
        yield Bench(box, bot, sender, spool, media)


def most_in_a_second(sent: list[tuple[float, int]], window: float = 1.0) -> int:
    """Return the maximum number of messages within any window."""
    return max(sum(n for at, n in sent if start <= at < start + window) for start, _ in sent)
